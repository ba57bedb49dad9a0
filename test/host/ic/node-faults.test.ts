/**
 * Goal: nodes that are gone or that lie take nothing from clients but time, and are named.
 * Method: IC interface §16 and §26 (100, 101) over the gateway of a real subnet of four nodes in
 * this process; nodes go in the middle of a block, or change what they send.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fromUtf8, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { Envelope } from '../../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../../src/core/ic/envelope.ts'
import {
  decodePeerMessage,
  encodePeerMessage,
  logMessage,
} from '../../../src/core/subnet/peer-message.ts'
import {
  callContent,
  certified,
  ed25519Signer,
  post,
  readContent,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const SYNC_WAIT_MS = 10_000
const user = ed25519Signer(1)
const net = new SubnetNet(4)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const call = (): Envelope => signCall(callContent(user.principal, net.now), user)

afterEach(() => {
  vi.useRealTimers()
  net.tamper = (bytes) => bytes
})

const isRootVote = (bytes: Uint8Array): boolean =>
  logMessage(bytes) === undefined && decodePeerMessage(bytes).type === 'root'

describe('a root that too few nodes have named', () => {
  test('100: ends the wait of a call after ten seconds; once they are back, its result appears', async () => {
    const envelope = call()
    // Two of four go when the block is executed and its root is to be named.
    net.tamper = (bytes) => {
      if (isRootVote(bytes)) for (const node of [2, 3]) net.stop(node)
      return bytes
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let answer: Awaited<ReturnType<typeof post>> | undefined
    const answered = post(net, envelope).then((given) => {
      answer = given
    })
    await vi.advanceTimersByTimeAsync(SYNC_WAIT_MS - 1)
    expect(net.nodes.size).toBe(2)
    expect(net.node(0).replica.findRequest(requestId(envelope.content))).toBeDefined()
    expect(answer).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    await answered
    expect(answer).toMatchObject({ status: 202 })
    vi.useRealTimers()

    net.tamper = (bytes) => bytes
    for (const node of [2, 3]) net.start(node)
    net.settle()
    net.pass(1)
    const path = [utf8('request_status'), requestId(envelope.content)]
    const read = signCall(readContent(user.principal, net.now, [path]), user)
    const state = await post(net, read, { action: 'read_state' })
    const say = certified(state, { envelope, rootKey, now: net.now })
    expect(fromUtf8(say('status') ?? new Uint8Array())).toBe('replied')
    expect((await post(net, envelope)).status).toBe(200)
  })
})

describe('a node that contributes a false share', () => {
  test('101: changes no certificate and is named', async () => {
    net.faults.length = 0
    net.tamper = (bytes, from) => {
      if (logMessage(bytes) !== undefined) return bytes
      const message = decodePeerMessage(bytes)
      if (from !== 1 || message.type !== 'root' || message.vote.share === undefined) return bytes
      const share = message.vote.share.map((byte, place) => (place === 47 ? byte ^ 1 : byte))
      return encodePeerMessage({ ...message, vote: { ...message.vote, share } })
    }
    const envelope = call()
    const say = certified(await post(net, envelope), { envelope, rootKey, now: net.now })
    // There is one signature of the root only: what verifies is what it would have been.
    expect(fromUtf8(say('status') ?? new Uint8Array())).toBe('replied')
    expect(new Set(net.faults)).toContain('0 blames 1: InvalidCertificationShare')
    for (const fault of net.faults) expect(fault).toMatch(/^\d blames 1: /)
  })
})
