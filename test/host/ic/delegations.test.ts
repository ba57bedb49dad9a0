/**
 * Goal: a right that was passed on is worth what was passed on, and nothing more.
 * Method: IC interface §7 and §26, items 56 to 65, over the gateway of a real subnet in this
 * process.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Delegation, Envelope, SignedDelegation } from '../../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../../src/core/ic/envelope.ts'
import type { PostOptions, Signer } from '../../support/ic-requests.ts'
import {
  callContent,
  delegate,
  ed25519Signer,
  p256Signer,
  post,
  queryContent,
  readContent,
  secp256k1Signer,
  signChained,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const { ledger, minter } = ownCanisterIds
const [root, session, other] = [ed25519Signer(1), ed25519Signer(2), ed25519Signer(3)]
const executed = (): bigint => net.node(0).replica.updatesTotal
let before = executed()
beforeEach(() => {
  before = executed()
})

const expiration = timestampNs(net.now + 3_600_000_000_000n)
const link = (from: Signer, to: Signer, fields: Partial<Delegation> = {}): SignedDelegation =>
  delegate(from, to, { expiration, ...fields })
const call = (links: readonly SignedDelegation[], last: Signer = session): Envelope =>
  signChained(callContent(root.principal, net.now), { root, last }, links)
const query = (links: readonly SignedDelegation[], last: Signer = session): Envelope =>
  signChained(queryContent(root.principal, net.now), { root, last }, links)

async function expectExecuted(envelope: Envelope): Promise<void> {
  expect(await post(net, envelope)).toMatchObject({ status: 200 })
  expect(executed()).toBe(before + 1n)
  expect(net.node(0).replica.findRequest(requestId(envelope.content))?.sender).toEqual(
    root.principal,
  )
  before = executed()
}

async function expectRefused(envelope: Envelope, words: RegExp, options: PostOptions = {}) {
  const answer = await post(net, envelope, options)
  expect(answer.status).toBe(400)
  expect(answer.text).toMatch(words)
  expect(executed()).toBe(before)
}

/** A chain over `count` keys after the root, and the last of them. */
function chainOf(count: number): { readonly links: SignedDelegation[]; readonly last: Signer } {
  const keys = [root, ...Array.from({ length: count }, (_, i) => ed25519Signer(10 + i))]
  const links = keys.slice(1).map((key, i) => link(present(keys[i], 'the key before it'), key))
  return { links, last: present(keys.at(-1), 'a key') }
}

describe('a chain', () => {
  test.each([
    ['Ed25519', session],
    ['secp256k1', secp256k1Signer(2)],
    ['P-256', p256Signer(2)],
  ])('56: of one link to a key of %s acts for the delegating principal', async (_, last) => {
    await expectExecuted(call([link(root, last)], last))
  })

  test('57: of 20 links is taken; of 21 it is refused before any signature is checked', async () => {
    const { links, last } = chainOf(20)
    await expectExecuted(call(links, last))
    const long = chainOf(21)
    const forged = long.links.map((each) => ({ ...each, signature: new Uint8Array(64) }))
    await expectRefused(call(forged, long.last), /^Too many delegations: 21/)
  })

  test('58: with an expired link, also in the middle, is refused', async () => {
    const expired = { expiration: timestampNs(net.now - 1n) }
    await expectRefused(call([link(root, session, expired)]), /^Invalid delegation expiry: /)
    const middle = ed25519Signer(4)
    const links = [link(root, middle), link(middle, other, expired), link(other, session)]
    await expectRefused(call(links), /^Invalid delegation expiry: /)
  })

  test('62: in which a key comes twice is refused', async () => {
    const again = /^Invalid delegation: the key .* appears twice/
    await expectRefused(call([link(root, root)], root), again)
    const links = [link(root, session), link(session, other), link(other, session)]
    await expectRefused(call(links), again)
    await expectRefused(call([link(root, session), link(session, root)], root), again)
  })

  test('63: with a link that another key signed is refused', async () => {
    await expectRefused(call([link(other, session)]), /^Invalid signature: /)
    await expectRefused(call([link(root, other), link(root, session)]), /^Invalid signature: /)
  })

  test('63: whose request another key signed is refused', async () => {
    await expectRefused(call([link(root, session)], other), /^Invalid signature: /)
  })
})

describe('targets', () => {
  test('59: without this canister refuse, with it allow', async () => {
    const without = call([link(root, session, { targets: [minter] })])
    await expectRefused(without, /^Canister '23xb3-.*' is not one of the delegation targets\.$/)
    await expectExecuted(call([link(root, session, { targets: [minter, ledger] })]))
  })

  test('60: that have nothing in common refuse everything', async () => {
    const links = [
      link(root, other, { targets: [ledger] }),
      link(other, session, { targets: [minter] }),
    ]
    await expectRefused(call(links), /is not one of the delegation targets/)
    const minters = callContent(root.principal, net.now, { canisterId: minter })
    const envelope = signChained(minters, { root, last: session }, links)
    await expectRefused(envelope, /is not one of the delegation targets/, { id: minter })
  })

  test('61: may be 1000 in number, not 1001', async () => {
    const targets = Array.from({ length: 1_000 }, (_, i) =>
      i === 0 ? ledger : canisterOfNumber(BigInt(i)),
    )
    await expectExecuted(call([link(root, session, { targets })]))
    const more = [...targets, canisterOfNumber(1_001n)]
    await expectRefused(call([link(root, session, { targets: more })]), /1001 targets/)
  })

  test("65: bound which requests' statuses are shown", async () => {
    const envelope = signCall(callContent(root.principal, net.now), root)
    expect((await post(net, envelope)).status).toBe(200)
    const paths = [[utf8('request_status'), requestId(envelope.content)]]
    const read = (targets: Delegation['targets']) =>
      post(
        net,
        signChained(readContent(root.principal, net.now, paths), { root, last: session }, [
          link(root, session, { targets }),
        ]),
        { action: 'read_state' },
      )
    expect((await read([minter])).status).toBe(403)
    expect((await read([])).status).toBe(403)
    expect((await read([minter, ledger])).status).toBe(200)
    expect((await read(undefined)).status).toBe(200)
  })
})

describe('permissions', () => {
  const permitted = (permissions: string) => [link(root, session, { permissions })]

  test('64: for queries allow queries and reads, and refuse calls', async () => {
    const answer = await post(net, query(permitted('queries')), { action: 'query' })
    expect(answer.fields.get('status')).toBe('replied')
    await expectRefused(call(permitted('queries')), /^Invalid delegation: it permits queries only/)
    for (const version of [2, 3] as const)
      await expectRefused(call(permitted('queries')), /permits queries only/, { version })
  })

  test('64: for queries anywhere in the chain refuse calls', async () => {
    const links = [link(root, other, { permissions: 'queries' }), link(other, session)]
    await expectRefused(call(links), /permits queries only/)
  })

  test('64: for all are as none', async () => {
    await expectExecuted(call(permitted('all')))
  })

  test('64: of other words refuse everything', async () => {
    await expectRefused(call(permitted('calls')), /unknown permissions/)
    await expectRefused(query(permitted('calls')), /unknown permissions/, { action: 'query' })
  })
})
