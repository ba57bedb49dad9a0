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
import type { SignerCall, SignerSlot } from './signer-past.ts'
import { askAgain, encodeSignerCalls, NotedSigner } from './signer-past.ts'

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
  let concernsSigner = false
  const outputs: NodeOutput[] = []
  for (const bytes of items) {
    const item = attempt(() => decodeItem(bytes))
    const outcome = item instanceof BadEncoding ? false : executeItem(machines, item, slot)
    const did = typeof outcome === 'boolean' ? outcome : outcome.counted
    counted ||= did
    concernsSigner ||= did && !(item instanceof BadEncoding) && isOfSigner(item)
    if (typeof outcome !== 'boolean') outputs.push(...outcome.outputs)
  }
  passKey(machines, time)
  const calls = passSignatureRequests(machines, time)
  if (concernsSigner || calls.length > 0)
    outputs.push({ type: 'signer-past', slot: slot.number, calls: encodeSignerCalls(calls) })
  return { outputs, counted }
}

/**
 * What a slot did to the signer, once more, without the canisters: for a node that goes on from a
 * snapshot of these. Slots in between that left no mark need not be repeated, but for the last one
 * before each.
 */
export function repeatForSigner(machines: Machines, { slot, calls }: SignerSlot): void {
  const { signer } = machines
  for (const bytes of slot.items) {
    const item = attempt(() => decodeItem(bytes))
    if (item instanceof BadEncoding || !isOfSigner(item)) continue
    if (item.type === 'completion') signer.judge(item.completion)
    else executeItem(machines, item, slot)
  }
  signer.expire()
  askAgain(signer, calls)
  signer.endSlot(slot.number, slot.time)
}

/** Whether executing it needs the signer, what the operator asks of it, or lives, and nothing else. */
function isOfSigner({ type }: Item): boolean {
  switch (type) {
    case 'dealing':
    case 'completion':
    case 'abort':
    case 'refresh':
    case 'return':
    case 'operator':
      return true
    case 'ingress':
    case 'headers':
    case 'block':
      return false
  }
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
 * minter's keys. Returns what changed the signer.
 */
function passSignatureRequests(
  { signer, replica }: Machines,
  now: TimestampNs,
): readonly SignerCall[] {
  for (const id of signer.expire()) replica.signatureFailed(id, now)
  const noted = new NotedSigner(signer)
  for (const request of replica.endSlot(now))
    if (!noted.enqueue(request)) replica.signatureFailed(request.id, now)
  replica.passKeyCalls(noted, now)
  return noted.calls
}
