/**
 * What a slot does to signer and replica: its items in order, then what the canisters ask for.
 * Source: architecture §3, threshold §17.1.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import type { Slot } from '../log/log.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { Certification } from './certification.ts'
import type { HeaderProposals } from './header-proposals.ts'
import type { Item } from './items.ts'
import { decodeItem } from './items.ts'
import type { Lives } from './lives.ts'
import type { NodeOutput } from './node-io.ts'
import { operatorSigned } from './observed.ts'
import type { OperatorRequests } from './operator-requests.ts'
import type { Replica } from './replica.ts'

/** The parts of a node that change with the log. */
export type Machines = {
  readonly signer: Signer
  readonly replica: Replica
  readonly certification: Certification
  readonly headers: HeaderProposals
  readonly operator: OperatorRequests
  readonly lives: Lives
}

export type Executed = {
  readonly outputs: readonly NodeOutput[]
  /** Whether an item did anything, or a timer fired: the log waits after slots without (§17.4). */
  readonly counted: boolean
}

type Outcome = Executed | boolean

export function executeSlot(machines: Machines, slot: Slot): Executed {
  const { items, time } = slot
  const due = machines.replica.nextTimer()
  let counted = due !== undefined && due <= time
  const outputs: NodeOutput[] = []
  for (const bytes of items) {
    const item = attempt(() => decodeItem(bytes))
    const outcome = item instanceof BadEncoding ? false : executeItem(machines, item, slot)
    counted ||= typeof outcome === 'boolean' ? outcome : outcome.counted
    if (typeof outcome !== 'boolean') outputs.push(...outcome.outputs)
  }
  passKey(machines, time)
  passSignatureRequests(machines, time)
  return { outputs, counted }
}

/** Whether the item counted; with outputs, if there are any. */
function executeItem(machines: Machines, item: Item, { number: slot, time: now }: Slot): Outcome {
  const { signer, replica, certification, headers, operator } = machines
  switch (item.type) {
    case 'dealing':
      return signer.takeDealing(item.lane, item.dealing)
    case 'completion': {
      const completion = signer.judge(item.completion)
      if (completion === undefined) return false
      const askedSlot = operator.askedIn(completion.requestId)
      if (askedSlot !== undefined)
        return { counted: true, outputs: [operatorSigned(completion, { askedSlot, slot })] }
      replica.signatureReady(completion, now)
      return true
    }
    case 'abort':
      return signer.takeAbort(item.abort)
    case 'refresh':
      return signer.takeRefresh(item.word)
    case 'ingress': {
      const answer = replica.ingress(item.envelope, now)
      if (answer !== undefined) certification.executedRequest(answer.requestId)
      return answer !== undefined
    }
    case 'headers': {
      if (!headers.isSigned(item)) return false
      const isNews = item.headers.some((header) => !replica.knowsHeader(header))
      replica.proposeHeaders(item.node, item.headers, now)
      return isNews
    }
    case 'block': {
      const isWanted = replica.wantsBlock(item.block)
      replica.block(item.block, now)
      return isWanted
    }
    case 'return':
      return machines.lives.take(item, slot)
    case 'operator':
      return operator.serve(item.request, signer, slot)
  }
}

/** The subnet's key became final in this slot: the canisters learn it. */
function passKey({ signer, replica }: Machines, now: TimestampNs): void {
  if (signer.publicKey !== undefined) replica.masterKey(signer.publicKey, now)
}

/**
 * What executing the slot made the canisters ask for: the only source of requests with the
 * minter's keys.
 */
function passSignatureRequests({ signer, replica }: Machines, now: TimestampNs): void {
  for (const id of signer.expire()) replica.signatureFailed(id, now)
  for (const request of replica.endSlot(now))
    if (!signer.enqueue(request)) replica.signatureFailed(request.id, now)
  replica.passKeyCalls(signer, now)
}
