/**
 * Goal: after any failure the wallet knows whether something was submitted, and it believes nothing
 * that the network has not signed.
 * Method: the real interface behind a `fetch` that loses, repeats, delays and changes. IC interface
 * §§15.2, 21.
 */
import { describe, expect, test } from 'vitest'
import { Interrupted } from '../../../src/core/base/errors.ts'
import { rejected } from '../../../src/core/ic/call-reply.ts'
import { encodeArgs, nat, text } from '../../../src/core/ic/candid.ts'
import { encodeCbor } from '../../../src/core/ic/cbor.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import { rejectionBody } from '../../../src/core/ic/responses.ts'
import type { SubmittedRequest } from '../../../src/wallet/client/deliveries.ts'
import { Client } from '../../../src/wallet/client.ts'
import { devUser, userOfSecret } from '../../../src/wallet/identity.ts'
import type { Network } from '../../../src/wallet/network.ts'
import { MAINNET_ROOT_KEY } from '../../../src/wallet/network.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

type Fetch = typeof fetch
type Handle = (request: Request, forward: () => Promise<Response>) => Promise<Response>

const dev0 = devUser(0)
const to = { owner: devUser(1).principal }
const account = { owner: dev0.principal }

const refused = (code: string): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })

/** A client whose requests pass through `handle`, and what it sent. */
function clientOf(net: NetworkUnderTest, handle: Handle, network: Partial<Network> = {}) {
  const sent: { readonly path: string; readonly body: Uint8Array }[] = []
  const through: Fetch = async (input, init) => {
    const request = new Request(input, init)
    const body = new Uint8Array(await request.clone().arrayBuffer())
    sent.push({ path: new URL(request.url).pathname.replace(/[^/]+-cai/, '<id>'), body })
    return handle(request, () => net.fetch(request.clone()))
  }
  const user = network.kind === 'custom' ? userOfSecret(new Uint8Array(32).fill(9)) : dev0
  const options = { network: { ...net.network, ...network }, signer: user, fetch: through }
  return { sent, client: new Client(options) }
}

const isCall = ({ url }: Request): boolean => url.endsWith('/call')
const transfer = (client: Client, onSubmit?: (request: SubmittedRequest) => void) =>
  client.ledger.transfer({ to, amount: 1n }, { onSubmit })
/** What a poor account gets when the call arrives. */
const arrived = { type: 'err', error: { type: 'insufficientFunds', balance: 0n } }
const custom = { kind: 'custom', name: 'mine', nodeKeys: undefined } as const

describe('a call', () => {
  test('has a nonce of 16 bytes, four minutes to live, and is announced before it leaves', async () => {
    const order: string[] = []
    const { client, sent } = clientOf(new NetworkUnderTest(), (request, forward) => {
      order.push(request.url.slice(-4))
      return forward()
    })
    const announced: SubmittedRequest[] = []
    const onSubmit = (request: SubmittedRequest): void => {
      order.push('announced')
      announced.push(request)
    }
    const before = client.now()
    for (const _ of [1, 2]) expect(await transfer(client, onSubmit)).toEqual(arrived)
    const contents = sent.map(({ body }) => decodeEnvelope(body).content)
    expect(sent.map(({ path }) => path)).toEqual(Array(2).fill('/api/v4/canister/<id>/call'))
    expect(contents.map(({ nonce }) => nonce?.length)).toEqual([16, 16])
    expect(contents[0]?.nonce).not.toEqual(contents[1]?.nonce)
    expect(announced.map((request) => request.requestId)).toEqual(contents.map(requestId))
    expect(order).toEqual(['announced', 'call', 'announced', 'call'])
    const minutes = Number(((announced[0]?.expiresAt ?? 0n) - before) / 60_000_000_000n)
    expect([3, 4]).toContain(minutes)
  })

  test('that is not finished in time is looked up until it is', async () => {
    const net = new NetworkUnderTest()
    net.held = []
    const { client, sent } = clientOf(net, (request, forward) => {
      if (request.url.endsWith('/read_state')) net.release()
      return forward()
    })
    expect(await transfer(client)).toEqual(arrived)
    expect(sent.map(({ path }) => path.slice(-10))).toContain('read_state')
  })

  test('goes through the old door of a network that has no new one', async () => {
    const { client, sent } = clientOf(new NetworkUnderTest({ syncCalls: false }), (_, forward) =>
      forward(),
    )
    expect(await transfer(client)).toEqual(arrived)
    expect(sent.map(({ path }) => path)).toEqual([
      '/api/v4/canister/<id>/call',
      '/api/v2/canister/<id>/call',
      '/api/v3/canister/<id>/read_state',
    ])
  })

  test('whose answer is lost is looked up, not sent again', async () => {
    let lost = false
    const { client, sent } = clientOf(new NetworkUnderTest(), async (request, forward) => {
      const answer = await forward()
      if (!isCall(request) || lost) return answer
      lost = true
      throw refused('ECONNRESET')
    })
    expect(await transfer(client)).toEqual(arrived)
    expect(sent.filter(({ path }) => path.endsWith('/call'))).toHaveLength(1)
  })

  test('is repeated with the same bytes on a network, and executed once', async () => {
    let failures = 2
    const net = new NetworkUnderTest()
    const handle: Handle = async (_, forward) => {
      const answer = await forward()
      if (failures-- > 0) throw refused('ECONNRESET')
      return answer
    }
    const { client, sent } = clientOf(net, handle, custom)
    expect(await transfer(client)).toEqual(arrived)
    const bodies = sent.filter(({ path }) => path.endsWith('/call')).map(({ body }) => body)
    expect(bodies).toHaveLength(3)
    expect(new Set(bodies.map((body) => body.join())).size).toBe(1)
    expect(net.replica.updatesTotal).toBe(1n)
  })
})

describe('nothing was submitted', () => {
  test.each(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT'])(
    'when the connection ends in %s',
    async (code) => {
      const { client, sent } = clientOf(new NetworkUnderTest(), () => Promise.reject(refused(code)))
      await expect(transfer(client)).rejects.toMatchObject({ code: 'SUBNET_DOWN', exit: 11 })
      expect(sent).toHaveLength(1)
    },
  )

  test('when a network elsewhere cannot be connected to', async () => {
    const refuse = () => Promise.reject(refused('ENOTFOUND'))
    const { client } = clientOf(new NetworkUnderTest(), refuse, custom)
    await expect(transfer(client)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', exit: 5 })
  })

  test.each([
    [400, 'NETWORK_UNREACHABLE'],
    [403, 'NETWORK_UNREACHABLE'],
    [429, 'NETWORK_UNREACHABLE'],
    [503, 'NETWORK_UNREACHABLE'],
  ])('when the local subnet answers %i', async (status, code) => {
    const answer = async () => new Response('no', { status })
    const { client } = clientOf(new NetworkUnderTest(), answer)
    await expect(transfer(client)).rejects.toMatchObject({ code })
  })

  test('when the network certifies that the call has expired unexecuted', async () => {
    const net = new NetworkUnderTest()
    net.held = []
    const { client } = clientOf(net, async (request, forward) => {
      if (!isCall(request)) return forward()
      await forward()
      throw refused('ECONNRESET')
    })
    // The call is known to have expired: its expiry is told to be in the past.
    const early = client.ledger.transfer(
      { to, amount: 1n },
      { onSubmit: (request) => void Object.assign(request, { expiresAt: 0n }) },
    )
    await expect(early).rejects.toMatchObject({ code: 'NETWORK_TIMEOUT' })
  })

  test('when the canister refuses the call as a whole', async () => {
    const { client } = clientOf(new NetworkUnderTest(), (_, forward) => forward())
    const trap = client.ledger.transfer({ to, amount: 1n, memo: new Uint8Array(81) })
    await expect(trap).rejects.toMatchObject({
      code: 'LEDGER_REFUSED',
      details: { rejectCode: 5, methodName: 'icrc1_transfer' },
    })
  })
})

describe('the outcome is unknown', () => {
  test('when the answer is not signed by the network', async () => {
    const { client } = clientOf(new NetworkUnderTest(), async (request, forward) =>
      isCall(request) ? mangled(await forward()) : forward(),
    )
    await expect(transfer(client)).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
      exit: 9,
      details: { requestId: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
  })

  test('when a network elsewhere refuses it unsigned; on this machine that is a refusal', async () => {
    const body = rejectionBody(rejected('IC0301', 'not found'), { withStatus: true })
    const handle: Handle = async (request, forward) => {
      const answer = await forward()
      return isCall(request) ? new Response(new Uint8Array(body)) : answer
    }
    const net = new NetworkUnderTest()
    await expect(transfer(clientOf(net, handle, custom).client)).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
      message: expect.stringContaining('which the network has not signed: not found'),
    })
    expect(net.replica.updatesTotal).toBe(1n) // It was executed all the same.
    const here = transfer(clientOf(new NetworkUnderTest(), handle).client)
    await expect(here).rejects.toMatchObject({ code: 'LEDGER_REFUSED' })
  })

  test.each([400, 403, 404, 429])(
    'when a network elsewhere answers %i, which nobody has signed',
    async (status) => {
      const net = new NetworkUnderTest()
      const handle: Handle = async (request, forward) => {
        const answer = await forward()
        return isCall(request) ? new Response('no', { status }) : answer
      }
      await expect(transfer(clientOf(net, handle, custom).client)).rejects.toMatchObject({
        code: 'OPERATION_UNKNOWN',
      })
      expect(net.replica.updatesTotal).toBe(1n) // It was executed all the same.
    },
  )

  test('but a call that moves no value has merely failed', async () => {
    const { client } = clientOf(new NetworkUnderTest(), async (request, forward) =>
      isCall(request) ? mangled(await forward()) : forward(),
    )
    await expect(client.minter.address(account)).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
    })
  })

  test('until it is looked up later', async () => {
    const net = new NetworkUnderTest()
    let known: SubmittedRequest | undefined
    const { client } = clientOf(net, async (request, forward) =>
      isCall(request) ? mangled(await forward()) : forward(),
    )
    await expect(transfer(client, (request) => (known = request))).rejects.toThrow()
    const status = await client.requestStatus('ledger', known?.requestId ?? new Uint8Array())
    expect(status).toMatchObject({ type: 'replied' })
    const never = await client.requestStatus('ledger', new Uint8Array(32))
    expect(never).toMatchObject({ type: 'absent' })
  })

  test('when the user leaves, which stays what it is', async () => {
    const ending = new AbortController()
    const net = new NetworkUnderTest()
    net.held = []
    const { network } = net
    const through: Fetch = async (input, init) => {
      if (String(input).endsWith('/read_state')) ending.abort(new Interrupted('SIGINT'))
      return net.fetch(input, init)
    }
    const client = new Client({ network, signer: dev0, fetch: through, signal: ending.signal })
    await expect(transfer(client)).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})

/** One bit of the signature, which stands after the tree, is another. */
async function mangled(response: Response): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const mark = Buffer.from('signature')
  const at = Buffer.from(bytes).lastIndexOf(mark) + mark.length + 10
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return new Response(bytes, { status: response.status })
}

describe('a question', () => {
  test('with the node keys of the descriptor takes one request', async () => {
    const { client, sent } = clientOf(new NetworkUnderTest(), (_, forward) => forward())
    expect(await client.ledger.balanceOf(account)).toBe(0n)
    expect(sent.map(({ path }) => path)).toEqual(['/api/v3/canister/<id>/query'])
    expect(decodeEnvelope(sent[0]?.body ?? new Uint8Array()).senderPubkey).toBeUndefined()
  })

  test('without them asks for a certificate once', async () => {
    const { client, sent } = clientOf(new NetworkUnderTest(), (_, forward) => forward(), custom)
    for (const _ of [1, 2]) expect(await client.ledger.balanceOf(account)).toBe(0n)
    const kinds = sent.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
    expect(kinds.toSorted()).toEqual(['query', 'query', 'read_state'])
  })

  test.each<[string, Handle]>([
    ['changed on its way', async (_, forward) => mangled(await forward())],
    ['no CBOR', async () => new Response(Uint8Array.of(1, 2, 3))],
    ['empty', async () => new Response(new Uint8Array())],
    ['CBOR of something else', async () => new Response(encodeCbor(new Map([['a', 1n]])))],
  ])('whose answer is %s is an error, never a warning', async (_, handle) => {
    const { client } = clientOf(new NetworkUnderTest(), handle)
    await expect(client.ledger.balanceOf(account)).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
      exit: 5,
    })
  })

  test('to a network with another root key is an error', async () => {
    const network = { ...custom, rootKey: MAINNET_ROOT_KEY }
    const { client } = clientOf(new NetworkUnderTest(), (_, forward) => forward(), network)
    await expect(client.ledger.balanceOf(account)).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
    })
  })

  test('that a canister rejects says what the canister said', async () => {
    const { client } = clientOf(new NetworkUnderTest(), (_, forward) => forward())
    await expect(client.minter.estimateFee(1n)).rejects.toMatchObject({
      code: 'MINTER_REFUSED',
      details: { rejectCode: 5 },
    })
  })

  test('that nobody answers is repeated on a network, and then given up', async () => {
    const refuse = () => Promise.reject(refused('ECONNREFUSED'))
    const { client, sent } = clientOf(new NetworkUnderTest(), refuse, {
      ...custom,
      nodeKeys: new NetworkUnderTest().network.nodeKeys,
    })
    await expect(client.ledger.balanceOf(account)).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
    })
    expect(sent).toHaveLength(4)
  })
})

describe('an answer of a canister', () => {
  const odd: readonly (readonly [string, Uint8Array])[] = [
    ['is empty', new Uint8Array()],
    ['is no Candid', Uint8Array.of(1, 2, 3, 4)],
    ['holds nothing', encodeArgs([], [])],
    ['is of another type', encodeArgs([text], ['7'])],
    ['is cut off', encodeArgs([nat], [700n]).slice(0, -1)],
  ]
  test.each(odd)(
    'that %s is a refusal, through our codecs and those of the SDK',
    async (_, arg) => {
      const net = new NetworkUnderTest()
      for (const method of ['icrc1_fee', 'get_minter_info', 'get_deposit_fee', 'ledger_id'])
        net.answers.set(method, { type: 'replied', arg })
      const client = new Client({ network: net.network, fetch: net.fetch })
      const refusal = (code: string) => expect.objectContaining({ code })
      await expect(client.ledger.fee()).rejects.toThrow(refusal('LEDGER_REFUSED'))
      await expect(client.minter.info()).rejects.toThrow(refusal('MINTER_REFUSED'))
      await expect(client.minter.depositFee()).rejects.toThrow(refusal('MINTER_REFUSED'))
      await expect(client.index?.ledgerId()).rejects.toThrow(refusal('LEDGER_REFUSED'))
    },
  )

  test.each([
    [3, 'IC0301', 'LEDGER_REFUSED'],
    [4, 'IC0406', 'LEDGER_REFUSED'],
    [5, 'IC0503', 'LEDGER_REFUSED'],
    [2, 'IC0202', 'NETWORK_TIMEOUT'],
  ] as const)('that rejects with code %i says why', async (rejectCode, errorCode, code) => {
    const net = new NetworkUnderTest()
    net.answers.set('icrc1_fee', rejected(errorCode, 'no room'))
    const client = new Client({ network: net.network, fetch: net.fetch })
    await expect(client.ledger.fee()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('no room'),
      ...(rejectCode === 2 ? {} : { details: { rejectCode } }),
    })
  })
})

describe('a clock', () => {
  const HOUR_MS = 3_600_000

  test('that is off by an hour is compared with the network’s once, and the difference used', async () => {
    const net = new NetworkUnderTest({ aheadMs: HOUR_MS })
    const client = new Client({ network: net.network, fetch: net.fetch, signer: dev0 })
    expect(await client.ledger.transfer({ to, amount: 1n })).toEqual(arrived)
    expect(Math.round(client.clockOffsetMs / HOUR_MS)).toBe(1)
    expect(await client.ledger.balanceOf(account)).toBe(0n)
  })
})
