/**
 * Goal: whoever asks in the middle of a block is answered from a state that is signed.
 * Method: IC interface §16 and §26 (72): a node in its thread whose vote for a root is held back by
 * the test, so that a block is executed and not certified for as long as it takes.
 */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeCbor } from '../../../src/core/ic/cbor.ts'
import { verifyCertificate } from '../../../src/core/ic/certificate.ts'
import { encodeEnvelope, requestId, signCall } from '../../../src/core/ic/envelope.ts'
import { lookupTree } from '../../../src/core/ic/hash-tree.ts'
import { requestPath, rootKeyOf } from '../../../src/core/subnet/certified-state.ts'
import { checkerInterface } from '../../../src/core/subnet/checker-interface.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import { decodePeerMessage, logMessage } from '../../../src/core/subnet/peer-message.ts'
import { NodeRunner } from '../../../src/host/node/runner.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { foundSubnet, onlyNode } from '../../support/founded.ts'
import { callContent, queryContent } from '../../support/ic-requests.ts'
import { SlotMemory } from '../../support/slot-disk.ts'

const { checker } = ownCanisterIds
const HOUR_MS = 3_600_000
const operator = devUser(4)
const target = regtestWallet('payer').address
const founded = foundSubnet(1)
const { genesis } = founded
const now = timestampNs(genesis.createdAt)

/** A node whose messages to itself, votes among them, come back only while `isHeld` is off. */
function runOne() {
  const held: Uint8Array[] = []
  const state = { isHeld: false, certificationKey: utf8('') }
  const config = onlyNode(founded, operator.principal)
  const disk = new SlotMemory(genesis)
  const node = new SubnetNode(config)
  const whole = new OrderedNode(node, { disk, now: genesis.createdAt })
  const hear = (bytes: Uint8Array): void =>
    void setImmediate(() => runner.input({ type: 'message', from: 0, bytes }))
  const runner: NodeRunner = new NodeRunner(whole, {
    clock: () => now,
    disk: {
      commit: ({ slot }) => {
        if (slot !== undefined) disk.append(slot)
      },
      log: disk,
    },
    share: (outputs) => {
      for (const output of outputs) {
        if (output.type === 'certified') state.certificationKey = output.certificationKey
        if (output.type === 'send') {
          const isLog = logMessage(output.bytes) !== undefined
          const isVote = !isLog && decodePeerMessage(output.bytes).type === 'root'
          if (isVote && state.isHeld) held.push(output.bytes)
          else hear(output.bytes)
        }
      }
    },
    broken: (bug) => {
      throw bug
    },
    failed: (problem) => {
      throw problem
    },
  })
  const release = (): void => {
    state.isHeld = false
    for (const bytes of held.splice(0)) hear(bytes)
  }
  return { node, runner, state, release }
}

async function turns(until: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000 && !until(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
}

test('72: a question in the middle of a block is answered from a signed state', async () => {
  const { node, runner, state, release } = runOne()
  runner.input({ type: 'start' })
  await turns(() => state.certificationKey.length > 0 && !node.isSettling)
  const rootKey = rootKeyOf(state.certificationKey)

  const flag = encodeArgs(checkerInterface.x_flag.args, [{ target, flagged: true }])
  const fields = { canisterId: checker, methodName: 'x_flag', arg: flag }
  const call = callContent(operator.principal, now, fields)
  const id = requestId(call)
  const isFlagged = (): string => {
    const arg = encodeArgs(checkerInterface.check_address.args, [{ address: target }])
    const asked = { canisterId: checker, methodName: 'check_address', arg }
    const content = queryContent(operator.principal, now, asked)
    const answer = runner.ask({ type: 'query', requestId: requestId(content), content }, now)
    const body = answer?.type === 'query' ? decodeCbor(answer.body) : undefined
    const reply = body instanceof Map ? body.get('reply') : undefined
    const bytes = reply instanceof Map ? reply.get('arg') : undefined
    if (!(bytes instanceof Uint8Array)) throw new Error('the checker replies')
    return decodeArgs([checkerInterface.check_address.result], bytes)[0].type
  }
  /** Whether the certificate that a client is given at this moment shows the call. */
  const isShown = (): string => {
    const targets = undefined
    const read = { effectiveId: checker, version: 3, sender: operator.principal, targets } as const
    const paths = [requestPath(id)]
    const question = { type: 'readState', read: { scope: 'canister', ...read, paths } } as const
    const answer = runner.ask(question, now)
    if (answer?.type !== 'readState' || answer.outcome.type !== 'certificate')
      throw new Error('a certificate is at hand')
    const effective = { type: 'canister', id: checker } as const
    const verified = verifyCertificate(answer.outcome.certificate, { rootKey, effective, now })
    if (verified.type === 'refused') throw new Error(verified.reason)
    return lookupTree(verified.tree, requestPath(id)).type
  }
  expect([isFlagged(), isShown()]).toEqual(['passed', 'absent'])

  state.isHeld = true
  const envelope = encodeEnvelope(signCall(call, operator))
  runner.input({ type: 'ingress', requestId: id, envelope })
  await turns(() => node.replica.findRequest(id) !== undefined)
  expect(node.isSettling).toBe(true)
  expect(isShown()).toBe('absent') // What is signed is the state before.

  // As a worker does it: the question waits for the signature.
  let said: string | undefined
  const answered = runner.settled(HOUR_MS).then(() => {
    said = isFlagged()
  })
  await turns(() => said !== undefined)
  expect(said).toBeUndefined()
  release()
  await answered
  expect([said, isShown()]).toEqual(['failed', 'found'])
  runner.end()
})
