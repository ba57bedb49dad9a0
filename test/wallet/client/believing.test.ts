/**
 * Goal: a client believes an answer that the network has signed for this very request, now; and
 * nothing else, whoever stands between.
 * Method: IC interface §§9, 15.2 and 26 (37, 66 to 71, 93, 95, 96, 99): the agent of the newest
 * library and the wallet's client, behind a `fetch` that changes answers; keys of the network are
 * known here, so that what it signs can be anything.
 */
import { AnonymousIdentity, HttpAgent } from '@icp-sdk/core/agent'
import { Principal } from '@icp-sdk/core/principal'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs, NS_PER_MS, NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { rejected } from '../../../src/core/ic/call-reply.ts'
import { encodeArgs, nat } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Cbor } from '../../../src/core/ic/cbor.ts'
import { decodeCbor, encodeTaggedCbor } from '../../../src/core/ic/cbor.ts'
import { leb128 } from '../../../src/core/ic/cursor.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import { selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import { separated } from '../../../src/core/ic/request-id.ts'
import { callBody, queryBody, queryHash, readStateBody } from '../../../src/core/ic/responses.ts'
import type { StateTree } from '../../../src/core/ic/state-tree.ts'
import { branch, leaf, witness } from '../../../src/core/ic/state-tree.ts'
import { Client } from '../../../src/wallet/client.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { LOCAL_SUBNET } from '../../core/ic/certificates.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

type Handle = (request: Request, forward: () => Promise<Response>) => Promise<Response>

const ledger = Principal.fromUint8Array(ownCanisterIds.ledger)
const FEE = encodeArgs([nat], [10n])
const fee = { methodName: 'icrc1_fee', arg: utf8('DIDL\0\0') }
const account = { owner: devUser(0).principal }
const nowNs = (): TimestampNs => timestampNs(BigInt(Date.now()) * NS_PER_MS)
const minutesAgo = (minutes: bigint): TimestampNs => addNs(nowNs(), -60n * minutes * NS_PER_SECOND)
/** Of the one node of the network, and of one that is not in it. */
const NODE_SECRET = Uint8Array.from({ length: 32 }, (_, index) => index)
const STRANGER_SECRET = new Uint8Array(32).fill(77)

/** Requests through `handle`, and what was asked by kind. */
function between(net: { readonly fetch: typeof fetch }, handle: Handle) {
  const asked: string[] = []
  const through: typeof fetch = (input, init) => {
    const request = new Request(input, init)
    asked.push(request.url.slice(request.url.lastIndexOf('/') + 1))
    return handle(request, () => net.fetch(request.clone()))
  }
  const count = (kind: string): number => asked.filter((one) => one === kind).length
  return { through, count }
}

const isQuery = ({ url }: Request): boolean => url.endsWith('/query')
const isCall = ({ url }: Request): boolean => url.endsWith('/call')
const cborAnswer = (body: Uint8Array): Response =>
  new Response(new Uint8Array(body), { headers: { 'content-type': 'application/cbor' } })

const contentOf = async (request: Request) =>
  decodeEnvelope(new Uint8Array(await request.clone().arrayBuffer())).content

/** An answer to a query as a node with this key gives it. */
async function signedAnswer(
  request: Request,
  {
    secret = NODE_SECRET,
    at = nowNs(),
    reply,
  }: { secret?: Uint8Array; at?: TimestampNs; reply?: CallReply },
): Promise<Uint8Array> {
  const said = reply ?? ({ type: 'replied', arg: FEE } as const)
  const hash = queryHash(said, { requestId: requestId(await contentOf(request)), timestamp: at })
  const der = encodePublicKey({ type: 'ed25519', key: nobleEd25519.publicKey(secret) })
  return queryBody(said, {
    timestamp: at,
    signature: nobleEd25519.sign(secret, separated('ic-response', hash)),
    nodeId: selfAuthenticating(der),
  })
}

/** The same answer with one field changed. */
function withField(bytes: Uint8Array, name: string, change: (value: Cbor) => Cbor): Uint8Array {
  const fields = decodeCbor(bytes)
  if (!(fields instanceof Map)) throw new Error('an answer is a map')
  fields.set(name, change(present(fields.get(name), 'the field is there')))
  return encodeTaggedCbor(fields)
}

const agentOf = (net: NetworkUnderTest, through: typeof fetch, more = {}): HttpAgent =>
  HttpAgent.createSync({
    host: 'http://127.0.0.1',
    rootKey: net.rootKey,
    fetch: through,
    identity: new AnonymousIdentity(),
    backoffStrategy: () => ({ next: () => 0 }),
    ...more,
  })

describe('an answer to a question', () => {
  const net = new NetworkUnderTest()

  test('66: that its node has signed is believed', async () => {
    const { through } = between(net, (_, forward) => forward())
    const answer = await agentOf(net, through).query(ledger, fee)
    expect(answer).toMatchObject({ status: 'replied', reply: { arg: FEE } })
    expect(await new Client({ network: net.network, fetch: through }).ledger.fee()).toBe(10n)
  })

  test('67: that is a reject verifies as one', async () => {
    const { through, count } = between(net, (_, forward) => forward())
    const answer = await agentOf(net, through).query(ledger, { ...fee, methodName: 'no_such' })
    expect(answer).toMatchObject({ status: 'rejected', reject_code: 5, error_code: 'IC0536' })
    expect(count('read_state')).toBe(1) // The node's key: nothing had to be looked up again.
  })

  const alterations: readonly (readonly [
    string,
    (request: Request, good: Uint8Array) => Promise<Uint8Array> | Uint8Array,
  ])[] = [
    [
      '68: whose reply was altered',
      (_, good) => withField(good, 'reply', () => new Map([['arg', encodeArgs([nat], [11n])]])),
    ],
    [
      '67: which rejects in other words than were signed',
      async (request) => {
        const reply = rejected('IC0503', 'no room')
        return withField(await signedAnswer(request, { reply }), 'reject_message', () => 'room')
      },
    ],
    [
      '69: that a node has signed which is not in the tree',
      (request) => signedAnswer(request, { secret: STRANGER_SECRET }),
    ],
    [
      '70: with two signatures where one node is known',
      (_, good) =>
        withField(good, 'signatures', (all) => (Array.isArray(all) ? [...all, ...all] : all)),
    ],
    ['with no signature', (_, good) => withField(good, 'signatures', () => [])],
  ]
  test.each(alterations)('%s is refused, also with fresh keys', async (_, alter) => {
    const handle: Handle = async (request, forward) => {
      const answer = await forward()
      if (!isQuery(request)) return answer
      return cborAnswer(await alter(request, new Uint8Array(await answer.arrayBuffer())))
    }
    const agent = between(net, handle)
    await expect(agentOf(net, agent.through).query(ledger, fee)).rejects.toThrow()
    const wallet = between(net, handle)
    const client = new Client({ network: net.network, fetch: wallet.through })
    await expect(client.ledger.fee()).rejects.toMatchObject({ code: 'NETWORK_BAD_CERTIFICATE' })
  })

  test('69: that a node has signed which is not known makes its keys be asked for again', async () => {
    const { through, count } = between(net, async (request, forward) =>
      isQuery(request)
        ? cborAnswer(await signedAnswer(request, { secret: STRANGER_SECRET }))
        : forward(),
    )
    await expect(agentOf(net, through).query(ledger, fee)).rejects.toThrow()
    expect([count('query'), count('read_state')]).toEqual([1, 2])
    const client = new Client({ network: net.network, fetch: through })
    await expect(client.ledger.fee()).rejects.toThrow()
    expect([count('query'), count('read_state')]).toEqual([2, 3]) // It knew the node at first.
  })

  test('71: of six minutes ago is asked for again, then refused', async () => {
    const { through, count } = between(net, async (request, forward) =>
      isQuery(request)
        ? cborAnswer(await signedAnswer(request, { at: minutesAgo(6n) }))
        : forward(),
    )
    await expect(agentOf(net, through).query(ledger, fee)).rejects.toThrow()
    expect(count('query')).toBe(4)
    const client = new Client({ network: net.network, fetch: through })
    await expect(client.ledger.fee()).rejects.toMatchObject({ code: 'HOST_CLOCK' })
  })
})

/** Certificates that the network could have made, of what the test says. */
function certificateOf(
  id: Uint8Array,
  {
    status,
    at = nowNs(),
    shown,
  }: {
    readonly status: Readonly<Record<string, StateTree>>
    readonly at?: TimestampNs
    /** Fields of the status; all unless told. */
    readonly shown?: readonly string[]
  },
): Uint8Array {
  const names = Object.entries(status).map(([name, tree]) => [utf8(name), tree] as const)
  const tree = branch([
    [utf8('request_status'), branch([[id, branch(names)]])],
    [utf8('time'), leaf(leb128(at))],
  ])
  const under = [utf8('request_status'), id]
  const paths = shown === undefined ? [under] : shown.map((name) => [...under, utf8(name)])
  return LOCAL_SUBNET.certify(witness(tree, [[utf8('time')], ...paths]))
}

describe('the certificate of a call', () => {
  const replied = { reply: leaf(FEE), status: leaf(utf8('replied')) }
  const ask = (client: Client) => client.ledger.balanceOf(account, { certified: true })
  /** A client whose calls are answered with this certificate, whatever comes of them. */
  function answeredWith(make: (id: Uint8Array) => Uint8Array) {
    const net = new NetworkUnderTest()
    const way = between(net, async (request, forward) => {
      const answer = await forward()
      if (!isCall(request)) return answer
      return cborAnswer(callBody(make(requestId(await contentOf(request)))))
    })
    return { ...way, client: new Client({ network: net.network, fetch: way.through }) }
  }

  test('that shows the reply is believed', async () => {
    const { client, count } = answeredWith((id) => certificateOf(id, { status: replied }))
    expect(await ask(client)).toBe(10n)
    expect(count('read_state')).toBe(0)
  })

  test('95: that says "replied" and hides the reply is refused', async () => {
    const { client } = answeredWith((id) =>
      certificateOf(id, { status: replied, shown: ['status'] }),
    )
    await expect(ask(client)).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
      message: expect.stringContaining('a reply is not shown'),
    })
  })

  test('96: that is of another request is not taken for its own: the outcome is looked up', async () => {
    const { client, count } = answeredWith(() =>
      certificateOf(new Uint8Array(32).fill(1), { status: replied }),
    )
    expect(await ask(client)).toBe(0n) // What the ledger said, not what the certificate said.
    expect(count('read_state')).toBeGreaterThan(0)
  })

  test('96: that is of another request is not taken for its own by the agent either', async () => {
    const net = new NetworkUnderTest()
    const { through, count } = between(net, async (request, forward) => {
      const answer = await forward()
      if (!isCall(request)) return answer
      const status = { ...replied, reply: leaf(encodeArgs([nat], [11n])) }
      return cborAnswer(callBody(certificateOf(new Uint8Array(32).fill(1), { status })))
    })
    const update = agentOf(net, through).update(
      ledger,
      { ...fee, effectiveCanisterId: ledger },
      { strategy: async () => undefined },
    )
    expect((await update).reply).toEqual(FEE)
    expect(count('read_state')).toBeGreaterThan(0)
  })

  test.each([
    ['six minutes old', 6n],
    ['six minutes ahead', -6n],
  ])('93: that is %s is refused, and the clock is compared once', async (_, minutes) => {
    const { client, count } = answeredWith((id) =>
      certificateOf(id, { status: replied, at: minutesAgo(minutes) }),
    )
    await expect(ask(client)).rejects.toMatchObject({ code: 'HOST_CLOCK' })
    expect(count('read_state')).toBe(3) // One comparison: the library reads the time three times.
    await expect(ask(client)).rejects.toMatchObject({ code: 'HOST_CLOCK' })
    expect(count('read_state')).toBe(3)
  })

  test('93: of the state is held against the time of the network, too', async () => {
    const net = new NetworkUnderTest()
    const id = new Uint8Array(32).fill(3)
    const { through, count } = between(net, async (request, forward) => {
      const content = await contentOf(request)
      const isTime = content.type === 'readState' && content.paths[0]?.length === 1
      if (isTime) return forward()
      const at = minutesAgo(6n)
      return cborAnswer(readStateBody(certificateOf(id, { status: replied, at })))
    })
    const client = new Client({ network: net.network, fetch: through })
    const look = () => client.requestStatus('ledger', id)
    await expect(look()).rejects.toMatchObject({ code: 'HOST_CLOCK' })
    await expect(look()).rejects.toMatchObject({ code: 'HOST_CLOCK' })
    expect(count('read_state')).toBe(2 + 3)
  })
})

describe('a clock', () => {
  test.each([
    ['slow', 600_000],
    ['fast', -600_000],
  ])(
    '37: that is ten minutes %s is set by the network’s, and the second attempt succeeds',
    async (_, aheadMs) => {
      const net = new NetworkUnderTest({ aheadMs })
      const { through, count } = between(net, (_request, forward) => forward())
      const agent = agentOf(net, through)
      const update = agent.update(ledger, { ...fee, effectiveCanisterId: ledger })
      expect((await update).reply).toEqual(FEE)
      expect(count('call')).toBe(2)
      expect(net.replica.updatesTotal).toBe(1n)

      const wallet = between(net, (_request, forward) => forward())
      const client = new Client({ network: net.network, fetch: wallet.through, signer: devUser(0) })
      const transfer = client.ledger.transfer({ to: { owner: devUser(1).principal }, amount: 1n })
      expect(await transfer).toMatchObject({ type: 'err', error: { type: 'insufficientFunds' } })
      expect(wallet.count('call')).toBe(2)
      expect(Math.round(client.clockOffsetMs / 60_000)).toBe(aheadMs / 60_000)
    },
  )
})

describe('a subnet that was reset', () => {
  const before = new NetworkUnderTest()
  const now = new SubnetNet(1)
  now.settle()
  now.pass(1)
  const client = () => new Client({ network: before.network, fetch: now.fetch, signer: devUser(0) })
  const explained = {
    code: 'NETWORK_BAD_CERTIFICATE',
    fix: expect.stringContaining('may have been reset'),
  }

  test('99: is not taken for the one before: neither its answers nor its certificates', async () => {
    expect(present(now.backend.rootKey, 'it has a key')).not.toEqual(before.rootKey)
    await expect(client().ledger.fee()).rejects.toMatchObject(explained)
    await expect(client().ledger.balanceOf(account, { certified: true })).rejects.toMatchObject(
      explained,
    )
    const asked = client().requestStatus('ledger', new Uint8Array(32))
    await expect(asked).rejects.toMatchObject(explained)
  })

  test('99: leaves open what came of a transfer, and says why', async () => {
    const transfer = client().ledger.transfer({ to: account, amount: 1n })
    await expect(transfer).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
      message: expect.stringContaining('the answer is not one of this network'),
    })
  })
})
