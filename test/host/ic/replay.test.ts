/**
 * Goal: a request is executed once, or never, and always with the same answer.
 * Method: IC interface §§6.1, 16 and 26, items 26 to 36, 52 to 55 and 102, over the gateway of real
 * subnets in this process, whose clock the test moves.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { fromUtf8, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Envelope } from '../../../src/core/ic/envelope.ts'
import { encodeEnvelope, requestId, signCall } from '../../../src/core/ic/envelope.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { IcGateway } from '../../../src/host/ic/gateway.ts'
import { gatewayFetch } from '../../../src/host/ic/gateway-fetch.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import {
  callContent,
  certified,
  ed25519Signer,
  p256Signer,
  post,
  queryContent,
  read as readAnswer,
  readContent,
  secp256k1Signer,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)

const user = ed25519Signer(1)
const executedEver = (): bigint => net.node(0).replica.updatesTotal
let before = 0n
beforeEach(() => {
  before = executedEver()
})
/** Calls executed in this test. */
const executed = (): bigint => executedEver() - before
const rootKey = (): Uint8Array => present(net.backend.rootKey, 'a root is certified')
const inSeconds = (seconds: bigint): TimestampNs => timestampNs(net.now + seconds * NS_PER_SECOND)
const call = (fields = {}): Envelope => signCall(callContent(user.principal, net.now, fields), user)
const sayOf = (answer: Awaited<ReturnType<typeof post>>, envelope: Envelope) =>
  certified(answer, { envelope, rootKey: rootKey(), now: net.now })
const textOf = (bytes: Uint8Array | undefined): string => fromUtf8(bytes ?? new Uint8Array())

describe('the window of a request', () => {
  test('26: a call that expired a second ago is refused in the words clients search for', async () => {
    const answer = await post(net, call({ ingressExpiry: inSeconds(-1n) }))
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/^Invalid request expiry: /)
    expect(executed()).toBe(0n)
  })

  test('27: five minutes and 29 s ahead is taken, 31 s is not', async () => {
    expect((await post(net, call({ ingressExpiry: inSeconds(329n) }))).status).toBe(200)
    const far = await post(net, call({ ingressExpiry: inSeconds(331n) }))
    expect(far.status).toBe(400)
    expect(far.text).toMatch(/^Invalid request expiry: /)
    expect(executed()).toBe(1n)
  })

  test('28: an expired query is refused when it is signed, answered when it is anonymous', async () => {
    const late = { ingressExpiry: inSeconds(-1n) }
    const signed = signCall(queryContent(user.principal, net.now, late), user)
    expect((await post(net, signed, { action: 'query' })).text).toMatch(/^Invalid request expiry: /)
    const open = { content: queryContent(anonymous, net.now, late) }
    expect((await post(net, open, { action: 'query' })).status).toBe(200)
    const read = { content: { ...readContent(anonymous, net.now, []), ...late } }
    expect((await post(net, read, { action: 'read_state' })).status).toBe(200)
  })
})

describe('a request that comes again', () => {
  test('29: is answered the same, and executed once', async () => {
    const envelope = call()
    const replies: string[] = []
    for (let time = 0; time < 3; time++) {
      const say = sayOf(await post(net, envelope), envelope)
      expect(textOf(say('status'))).toBe('replied')
      replies.push(toHex(say('reply') ?? new Uint8Array()))
    }
    expect(new Set(replies).size).toBe(1)
    expect(executed()).toBe(1n)
  })

  test('30: fifty times at once is executed once and answered fifty times', async () => {
    const envelope = call()
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(net, envelope)))
    for (const answer of answers) expect(textOf(sayOf(answer, envelope)('status'))).toBe('replied')
    expect(executed()).toBe(1n)
  })

  test('31: through v2 after v4 is accepted and not executed', async () => {
    const envelope = call()
    expect((await post(net, envelope)).status).toBe(200)
    const again = await post(net, envelope, { version: 2 })
    expect(again).toMatchObject({ status: 202, text: '' })
    expect(executed()).toBe(1n)
  })

  test('through v4 after v2 is answered', async () => {
    const envelope = call()
    expect((await post(net, envelope, { version: 2 })).status).toBe(202)
    expect(textOf(sayOf(await post(net, envelope), envelope)('status'))).toBe('replied')
    expect(executed()).toBe(1n)
  })

  test.each([
    ['secp256k1', secp256k1Signer(1)],
    ['P-256', p256Signer(1)],
  ])('32: signed anew is the same request: %s', async (_, signer) => {
    const content = callContent(signer.principal, net.now)
    const [first, second] = [signCall(content, signer), signCall(content, signer)]
    expect(toHex(present(first.senderSig, 'signed'))).not.toBe(
      toHex(present(second.senderSig, 'signed')),
    )
    for (const envelope of [first, second]) {
      const answer = await post(net, envelope)
      expect(textOf(sayOf(answer, envelope)('status'))).toBe('replied')
    }
    expect(executed()).toBe(1n)
  })

  test('33: after a restart, before its expiry, is answered from the record', async () => {
    const envelope = call()
    const first = sayOf(await post(net, envelope), envelope)('reply')
    net.stop(0)
    net.start(0)
    net.settle()
    net.pass(1)
    expect(sayOf(await post(net, envelope), envelope)('reply')).toEqual(first)
    expect(executed()).toBe(1n)
  })

  test('34: after its expiry is refused', async () => {
    const envelope = call()
    expect((await post(net, envelope)).status).toBe(200)
    net.pass(241_000)
    expect((await post(net, envelope)).text).toMatch(/^Invalid request expiry: /)
    expect(executed()).toBe(1n)
  })
})

describe('many calls', () => {
  test('54: a thousand at once are all answered, over a few signed roots', async () => {
    const slots = net.slots.length
    const envelopes = Array.from({ length: 1_000 }, () => call())
    const answers = await Promise.all(envelopes.map((envelope) => post(net, envelope)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(executed()).toBe(1_000n)
    expect(net.slots.length - slots).toBeLessThan(50) // A root a slot at most.
    const last = present(envelopes.at(-1), 'a call')
    expect(textOf(sayOf(present(answers.at(-1), 'its answer'), last)('status'))).toBe('replied')
  })
})

/** Calls in the order of the log reach it only when somebody orders: nobody does with one node. */
describe('a subnet of two nodes of which one is away', () => {
  const pair = new SubnetNet(2)
  pair.settle()
  pair.pass(1)
  beforeEach(() => pair.stop(1))
  /** The other one comes back, and everything that waited is done. */
  function heal(): void {
    pair.start(1)
    pair.settle()
    pair.pass(1)
  }
  const submit = (envelope: Envelope, version: 2 | 4 = 2) => post(pair, envelope, { version })
  const fresh = (fields = {}): Envelope =>
    signCall(callContent(user.principal, pair.now, fields), user)

  test('36: a call that expires before it is executed is rejected', async () => {
    const ingressExpiry = timestampNs(pair.now + 10n * NS_PER_SECOND)
    // The slot of the first one has the time at which it was proposed.
    expect((await submit(fresh())).status).toBe(202)
    const envelope = fresh({ ingressExpiry })
    expect((await submit(envelope)).status).toBe(202)
    pair.pass(11_000)
    heal()
    const id = requestId(envelope.content)
    expect(pair.node(0).replica.findRequest(id)?.reply).toMatchObject({
      type: 'rejected',
      code: 2,
      errorCode: 'IC0202',
    })
  })

  test('52: a call that takes too long is accepted, and found later by polling', async () => {
    const impatient = new IcGateway({
      backend: pair.backend,
      clock: () => pair.now,
      ed25519: nativeEd25519,
      implementation: 'ckbtc-test',
      syncWaitMs: 1,
    })
    const envelope = fresh()
    const answer = await post({ fetch: gatewayFetch(impatient) }, envelope)
    expect(answer).toMatchObject({
      status: 202,
      text: 'The call was accepted and is not finished.',
    })
    heal()
    const path = [utf8('request_status'), requestId(envelope.content)]
    const read = signCall(readContent(user.principal, pair.now, [path]), user)
    const state = await post(pair, read, { action: 'read_state' })
    const shown = certified(state, {
      envelope,
      rootKey: present(pair.backend.rootKey, 'a root is certified'),
      now: pair.now,
    })
    expect(textOf(shown('status'))).toBe('replied')
  })

  test('102: too few nodes for a minute: reads are refused, status and queries answered', async () => {
    pair.pass(61_000)
    const read = signCall(readContent(user.principal, pair.now, [[utf8('time')]]), user)
    expect(await post(pair, read, { action: 'read_state' })).toMatchObject({
      status: 503,
      text: 'Certified state is not available yet. Please try again...',
    })
    const query = signCall(queryContent(user.principal, pair.now), user)
    const answer = await post(pair, query, { action: 'query' })
    expect(answer.fields.get('status')).toBe('replied')
    const status = await readAnswer(await pair.fetch('http://127.0.0.1/api/v2/status'))
    expect(status.fields.get('replica_health_status')).toBe('certified_state_behind')
    heal()
    expect((await post(pair, read, { action: 'read_state' })).status).toBe(200)
  })

  test('53: nobody need wait: the call is executed when it can be', async () => {
    const envelope = fresh()
    const gone = new AbortController()
    const impatient: typeof fetch = (input, init) => {
      setImmediate(() => gone.abort(new Error('the client went away')))
      return pair.fetch(input, { ...init, signal: gone.signal })
    }
    await expect(post({ fetch: impatient }, envelope)).rejects.toThrow('the client went away')
    heal()
    expect(pair.node(0).replica.findRequest(requestId(envelope.content))?.reply.type).toBe(
      'replied',
    )
  })

  test('55: a queue that is full takes nothing; what it holds is executed, then it takes more', async () => {
    const QUEUED = 2_000
    const envelopes = Array.from({ length: QUEUED }, () => fresh())
    for (const envelope of envelopes) expect((await submit(envelope)).status).toBe(202)
    const late = fresh()
    const refused = await submit(late, 4)
    expect(refused).toMatchObject({ status: 503, text: 'Too many calls are waiting.' })
    expect((await submit(present(envelopes[0], 'the first'))).status).toBe(202) // It is in there.
    heal()
    expect((await submit(late, 4)).status).toBe(200)
    expect(pair.node(0).replica.findRequest(requestId(late.content))?.reply.type).toBe('replied')
  })

  test('a queue is bounded by its bytes too', async () => {
    const large = (): Envelope => fresh({ arg: new Uint8Array(2_000_000) })
    let taken = 0
    while ((await submit(large())).status === 202) taken++
    expect(taken).toBe(33) // 64 MiB.
    expect(encodeEnvelope(large()).length).toBeLessThan(2 * 1024 * 1024)
  })
})
