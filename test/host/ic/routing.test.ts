/**
 * Goal: a request reaches the canister that its path names, or is refused in words that say why.
 * Method: IC interface §1 and §26, items 38 to 45 and 104, over the gateway of a real subnet in
 * this process.
 */
import { AnonymousIdentity, HttpAgent } from '@icp-sdk/core/agent'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import { beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodeArgs, principalCodec } from '../../../src/core/ic/candid.ts'
import { record } from '../../../src/core/ic/candid-records.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Content } from '../../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../../src/core/ic/envelope.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import {
  managementCanister,
  principal,
  selfAuthenticating,
  textOfPrincipal,
} from '../../../src/core/ic/principal.ts'
import type { IcBackend } from '../../../src/host/ic/backend.ts'
import type { Answered, GatewayOptions } from '../../../src/host/ic/gateway.ts'
import { IcGateway } from '../../../src/host/ic/gateway.ts'
import { gatewayFetch } from '../../../src/host/ic/gateway-fetch.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import type { PostOptions } from '../../support/ic-requests.ts'
import {
  callContent,
  ed25519Signer,
  post,
  queryContent,
  read,
  readContent,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const URL_HERE = 'http://127.0.0.1'
const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const { ledger, minter } = ownCanisterIds
const user = ed25519Signer(1)
const executed = (): bigint => net.node(0).replica.updatesTotal
let before = executed()
beforeEach(() => {
  before = executed()
})

const send = (content: Content, options: PostOptions = {}) =>
  post(net, signCall(content, user), options)
const call = (fields = {}) => callContent(user.principal, net.now, fields)
const query = (fields = {}) => queryContent(user.principal, net.now, fields)
const readTime = () => readContent(user.principal, net.now, [[utf8('time')]])
const about = (id: Principal) =>
  encodeArgs([record({ canister_id: principalCodec })], [{ canisterId: id }])

describe('canisters', () => {
  test.each(['call', 'query'] as const)(
    '38: the canister of the URL is that of the content: %s',
    async (action) => {
      const content = action === 'call' ? call() : query()
      const answer = await send(content, { action, id: minter })
      expect(answer).toMatchObject({
        status: 400,
        text:
          `Specified CanisterId ${textOfPrincipal(ledger)} does not match ` +
          `effective canister id in URL ${textOfPrincipal(minter)}`,
      })
      expect(executed()).toBe(before)
    },
  )

  test.each([
    'not-a-principal',
    '23xb3-ep777-777s3-4aaaa-caj',
    '23xb3ep777777s34aaaacai',
    'x'.repeat(64),
  ])('39: a URL with %s is refused', async (id) => {
    for (const action of ['call', 'query', 'read_state'] as const) {
      const content = { call, query, read_state: readTime }[action]()
      const answer = await send(content, { action, id })
      expect(answer.status).toBe(400)
      expect(answer.text).toMatch(/^Invalid principal in the URL: /)
    }
  })

  test('40: a call of a canister that is not here is rejected without being ordered', async () => {
    const canisterId = canisterOfNumber(7n)
    for (const version of [2, 3, 4] as const) {
      const answer = await send(call({ canisterId }), { version, id: canisterId })
      expect(answer.status).toBe(200)
      expect(Object.fromEntries(answer.fields)).toEqual({
        ...(version === 2 ? {} : { status: 'non_replicated_rejection' }),
        reject_code: 3n,
        reject_message: `Canister ${textOfPrincipal(canisterId)} not found`,
        error_code: 'IC0301',
      })
    }
    expect(executed()).toBe(before)
  })

  test('40: a query of a canister that is not here is a signed reject', async () => {
    const canisterId = canisterOfNumber(7n)
    const { status, fields } = await send(query({ canisterId }), {
      action: 'query',
      id: canisterId,
    })
    expect(status).toBe(200)
    expect(fields.get('reject_code')).toBe(3n)
    expect(fields.get('signatures')).toHaveLength(1)
  })

  test('an id outside the ranges of the subnet is not found', async () => {
    const id = principal(new Uint8Array(10).fill(255))
    for (const [action, content] of [
      ['call', call({ canisterId: id })],
      ['query', query({ canisterId: id })],
      ['read_state', readTime()],
    ] as const) {
      const answer = await send(content, { action, id })
      expect(answer.status).toBe(400)
      expect(answer.text).toMatch(/^canister_not_found: /)
    }
  })
})

describe('the subnet', () => {
  const subnet = { scope: 'subnet', action: 'read_state' } as const

  test('41: another subnet is not found here', async () => {
    const id = selfAuthenticating(utf8('another key'))
    const answer = await send(readTime(), { ...subnet, id })
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/^subnet_not_found: /)
  })

  test.each([2, 3] as const)('its own state is read: v%s', async (version) => {
    const answer = await send(readTime(), { ...subnet, version, id: selfAuthenticating(rootKey) })
    expect(answer.status).toBe(200)
    expect(answer.fields.get('certificate')).toBeInstanceOf(Uint8Array)
  })

  test('neither signature nor expiry of a read is checked', async () => {
    const content = { ...readTime(), ingressExpiry: net.now }
    const id = selfAuthenticating(rootKey)
    expect((await post(net, { content }, { ...subnet, id })).status).toBe(200)
  })

  test('calls and lists of administrators are refused', async () => {
    const id = selfAuthenticating(rootKey)
    for (const [action, version, content] of [
      ['call', 4, call({ canisterId: managementCanister })],
      ['query', 3, query({ canisterId: managementCanister })],
    ] as const) {
      const answer = await send(content, { scope: 'subnet', action, version, id })
      expect(answer.status).toBe(400)
      expect(answer.text).toMatch(/^This subnet hosts ckBTC only/)
    }
  })
})

describe('the management canister', () => {
  const words = 'This subnet hosts ckBTC only. It cannot run user canisters.'
  test.each([
    '42: raw_rand',
    '42: http_request',
    '43: create_canister',
    '43: provisional_create_canister_with_cycles',
    '43: install_code',
  ])('%s says what this subnet is', async (name) => {
    const methodName = name.slice(4)
    const content = call({ canisterId: managementCanister, methodName })
    for (const id of [ledger, managementCanister]) {
      const { status, fields } = await send(content, { id })
      expect(status).toBe(200)
      expect(fields.get('status')).toBe('non_replicated_rejection')
      expect(fields.get('reject_code')).toBe(4n)
      expect(fields.get('error_code')).toBe('IC0407')
      expect(fields.get('reject_message')).toBe(words)
    }
    expect(executed()).toBe(before)
  })

  test.each([
    '42: ecdsa_public_key',
    '42: sign_with_ecdsa',
    '42: schnorr_public_key',
    '42: sign_with_schnorr',
  ])('%s says that only canisters can call it', async (name) => {
    const methodName = name.slice(4)
    const { fields } = await send(call({ canisterId: managementCanister, methodName }))
    expect(fields.get('status')).toBe('non_replicated_rejection')
    expect(fields.get('reject_code')).toBe(4n)
    expect(fields.get('error_code')).toBe('IC0406')
    expect(fields.get('reject_message')).toBe(`Only canisters can call ic00 method ${methodName}`)
    expect(executed()).toBe(before)
  })

  test.each(['raw_rand', 'create_canister', 'constructor'])(
    '%s says the same to a query, under the signature of the node',
    async (methodName) => {
      const content = query({ canisterId: managementCanister, methodName })
      for (const id of [ledger, managementCanister]) {
        const { status, fields } = await send(content, { action: 'query', id })
        expect(status).toBe(200)
        expect(fields.get('reject_code')).toBe(4n)
        expect(fields.get('error_code')).toBe('IC0407')
        expect(fields.get('reject_message')).toBe(words)
        expect(fields.get('signatures')).toHaveLength(1)
      }
    },
  )

  test('is asked for the status of a canister under the id of that canister', async () => {
    const methodName = 'canister_status'
    const content = call({ canisterId: managementCanister, methodName, arg: about(ledger) })
    const wrong = await send(content, { id: minter })
    expect(wrong.status).toBe(400)
    expect(wrong.text).toMatch(/^Specified CanisterId 23xb3-/)
    expect(executed()).toBe(before)
    const right = await send(content, { id: ledger })
    expect(right.status).toBe(200)
    expect(right.fields.get('status')).toBe('replied') // By certificate: whatever it says.
    expect(executed()).toBe(before + 1n)
  })
})

describe('paths', () => {
  const there = textOfPrincipal(ledger)
  const request = async (path: string, init: RequestInit = {}) =>
    read(await net.fetch(`${URL_HERE}${path}`, init))
  const cbor = { 'content-type': 'application/cbor' }

  test.each([
    '/',
    '/api/v2',
    '/api/v3/status',
    `/api/v1/canister/${there}/call`,
    `/api/v5/canister/${there}/call`,
    `/api/v4/canister/${there}/query`,
    `/api/v4/canister/${there}/read_state`,
    `/api/v2/canister/${there}/call/`,
    `/api/v2/canister/${there}/calls`,
    `/api/v2/subnet/${there}/call`,
    `/api/v2/canister//call`,
    `/api/v2/node/${there}/call`,
    '/metrics',
    '/faucet',
  ])('44: there is nothing under %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expect((await request(path, { method, headers: cbor })).status).toBe(404)
  })

  test.each(['GET', 'PUT', 'DELETE', 'HEAD'])(
    '44: %s of a call path is refused',
    async (method) => {
      for (const action of ['call', 'query', 'read_state']) {
        const answer = await request(`/api/v3/canister/${there}/${action}`, {
          method,
          headers: cbor,
        })
        expect(answer.status).toBe(405)
        expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
      }
    },
  )

  test('44: the status is not posted to', async () => {
    expect((await request('/api/v2/status', { method: 'POST' })).status).toBe(405)
  })

  test('the status needs no key', async () => {
    const { status, fields } = await request('/api/v2/status')
    expect(status).toBe(200)
    expect(fields.get('root_key')).toEqual(rootKey)
    expect(fields.get('replica_health_status')).toBe('healthy')
    expect(fields.get('impl_version')).toBe('ckbtc-test')
  })

  test.each(['/api/v2/status', `/api/v4/canister/${there}/call`, '/anything'])(
    '104: preflight of %s',
    async (path) => {
      const answer = await request(path, { method: 'OPTIONS' })
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, HEAD, OPTIONS')
      expect(answer.headers.get('access-control-allow-headers')).toMatch(/\bcontent-type\b/)
    },
  )

  test('104: every answer may be read by pages of other origins', async () => {
    const answers = [
      await request('/api/v2/status'),
      await request('/nothing'),
      await request(`/api/v4/canister/${there}/call`),
      await send(call(), { contentType: 'text/plain' }),
      await send(call(), { id: minter }),
      await send(call()),
      await send(query(), { action: 'query' }),
    ]
    for (const { headers } of answers) expect(headers.get('access-control-allow-origin')).toBe('*')
  })
})

/** Another face of the same subnet. */
const gatewayOver = (
  backend: IcBackend,
  options: Pick<GatewayOptions, 'syncCalls' | 'onAnswer'> = {},
) =>
  gatewayFetch(
    new IcGateway({
      backend,
      clock: () => net.now,
      ed25519: nativeEd25519,
      implementation: 'ckbtc-test',
      ...options,
    }),
  )

describe('without synchronous calls', () => {
  const fetchHere = gatewayOver(net.backend, { syncCalls: false })

  test.each([3, 4] as const)('45: v%s is not there', async (version) => {
    expect((await post({ fetch: fetchHere }, signCall(call(), user), { version })).status).toBe(404)
    expect(executed()).toBe(before)
  })

  test('45: the agent falls back to v2 and polls', async () => {
    const agent = HttpAgent.createSync({
      host: URL_HERE,
      rootKey,
      fetch: fetchHere,
      identity: new AnonymousIdentity(),
    })
    const id = SdkPrincipal.fromUint8Array(ledger)
    const { reply } = await agent.update(
      id,
      { methodName: 'icrc1_fee', arg: utf8('DIDL\0\0'), effectiveCanisterId: id },
      { strategy: async () => undefined },
    )
    expect(Buffer.from(reply).toString('hex')).toBe('4449444c00017d0a')
    expect(executed()).toBe(before + 1n)
  })
})

describe('the log', () => {
  test('hears what was asked by whom and how it ended, never arguments or signatures', async () => {
    const heard: Answered[] = []
    const fetchHere = gatewayOver(net.backend, { onAnswer: (answered) => heard.push(answered) })
    const asked = [
      [call({ arg: utf8('a secret') }), 'call'],
      [query(), 'query'],
      [readContent(user.principal, net.now, [[utf8('foo')]]), 'read_state'],
      [call({ nonce: new Uint8Array(33) }), 'call'],
    ] as const
    for (const [content, action] of asked)
      await post({ fetch: fetchHere }, signCall(content, user), { action })
    expect(heard).toEqual(
      [
        { type: 'call', methodName: 'icrc1_fee', status: 200, reason: undefined },
        { type: 'query', methodName: 'icrc1_fee', status: 200, reason: undefined },
        {
          type: 'readState',
          methodName: undefined,
          status: 404,
          reason: 'Invalid path requested.',
        },
        { type: 'call', status: 400, methodName: 'icrc1_fee', reason: expect.any(String) },
      ].map((expected, i) => ({
        ...expected,
        requestId: requestId(present(asked[i], 'it was asked')[0]),
        sender: user.principal,
      })),
    )
  })
})

describe('a subnet that cannot answer', () => {
  const unready = 'Certified state is not available yet. Please try again...'
  const requests = [
    ['call', () => call()],
    ['query', () => query()],
    ['read_state', () => readTime()],
  ] as const

  test.each(requests)('has no certified state yet: %s is 503', async (action, make) => {
    const young = new SubnetNet(1) // Its nodes have not done anything yet.
    const answer = await post(young, signCall(make(), user), { action })
    expect(answer).toMatchObject({ status: 503, text: unready })
    const status = await read(await young.fetch(`${URL_HERE}/api/v2/status`))
    expect(status.fields.get('replica_health_status')).toBe('starting')
    expect(status.fields.has('root_key')).toBe(false)
  })

  test('is stopped: queries and reads are 503', async () => {
    const gone = new SubnetNet(1)
    gone.settle()
    gone.pass(1)
    gone.stop(0)
    for (const [action, make] of requests.slice(1))
      expect((await post(gone, signCall(make(), user), { action })).status).toBe(503)
  })
})
