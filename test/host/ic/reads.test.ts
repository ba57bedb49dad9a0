/**
 * Goal: a read of the state is answered with a certificate that shows what was asked, proves what is
 * missing and tells nobody what is not for them; anything else is refused.
 * Method: IC interface §10 and §26, items 74 to 85, over the gateway of a real subnet in this
 * process; certificates are verified and looked into.
 */
import { describe, expect, test } from 'vitest'
import { fromUtf8, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeRanges, verifyCertificate } from '../../../src/core/ic/certificate.ts'
import type { Envelope } from '../../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../../src/core/ic/envelope.ts'
import type { HashTree, Path } from '../../../src/core/ic/hash-tree.ts'
import { lookup, lookupTree } from '../../../src/core/ic/hash-tree.ts'
import { anonymous, selfAuthenticating } from '../../../src/core/ic/principal.ts'
import type { Posted, PostOptions, Signer } from '../../support/ic-requests.ts'
import { callContent, ed25519Signer, post, readContent } from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const subnetId = selfAuthenticating(rootKey)
const { ledger, minter } = ownCanisterIds
const [user, stranger] = [ed25519Signer(1), ed25519Signer(2)]

const path = (...labels: readonly (string | Uint8Array)[]): Path =>
  labels.map((label) => (typeof label === 'string' ? utf8(label) : label))
const statusPath = ({ content }: Envelope, ...leaf: readonly string[]): Path =>
  path('request_status', requestId(content), ...leaf)

const read = (
  paths: readonly Path[],
  { signer = user, ...options }: PostOptions & { readonly signer?: Signer } = {},
): Promise<Posted> =>
  post(net, signCall(readContent(signer.principal, net.now, paths), signer), {
    action: 'read_state',
    ...options,
  })

/** What the certificate of an answer shows, once it is verified. */
function treeOf({ status, fields, text }: Posted): HashTree {
  expect([status, text]).toEqual([200, ''])
  const certificate = fields.get('certificate')
  if (!(certificate instanceof Uint8Array)) throw new Error('an answer without certificate')
  const effective = { type: 'canister', id: ledger } as const
  const verified = verifyCertificate(certificate, { rootKey, effective, now: net.now })
  if (verified.type === 'refused') throw new Error(verified.reason)
  expect(lookup(verified.tree, path('time')).type).toBe('found')
  return verified.tree
}

async function expectRefused(answer: Promise<Posted>, status: number, words?: RegExp) {
  const { text, headers, ...refused } = await answer
  expect(refused.status).toBe(status)
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
  if (words !== undefined) expect(text).toMatch(words)
}

/** A call of the user that has been executed. */
async function executedCall(fields = {}): Promise<Envelope> {
  const envelope = signCall(callContent(user.principal, net.now, fields), user)
  expect((await post(net, envelope)).status).toBe(200)
  return envelope
}
const fresh = (): Envelope => signCall(callContent(user.principal, net.now), user)

describe('the status of a request', () => {
  test('74: shows its sender the reply, and that there is no error', async () => {
    const envelope = await executedCall()
    for (const asked of [statusPath(envelope), statusPath(envelope, 'status')]) {
      const tree = treeOf(await read([asked]))
      const say = (leaf: string) => lookup(tree, statusPath(envelope, leaf))
      expect(say('status')).toEqual({ type: 'found', value: utf8('replied') })
      expect(say('reply')).toMatchObject({ type: 'found' })
      for (const leaf of ['error_code', 'reject_code', 'reject_message'])
        expect(say(leaf)).toEqual({ type: 'absent' })
    }
  })

  test('75: of an unknown request is proven absent, to anybody', async () => {
    const asked = statusPath(fresh())
    const shown = treeOf(await read([asked]))
    expect(lookupTree(shown, asked)).toEqual({ type: 'absent' })
    const content = readContent(anonymous, net.now, [asked])
    const open = treeOf(await post(net, { content }, { action: 'read_state' }))
    expect(lookupTree(open, asked)).toEqual({ type: 'absent' })
  })

  test('76: of a foreign request is refused, and to nobody in particular, too', async () => {
    const asked = statusPath(await executedCall())
    await expectRefused(read([asked], { signer: stranger }), 403)
    const content = readContent(anonymous, net.now, [asked])
    await expectRefused(post(net, { content }, { action: 'read_state' }), 403)
  })

  test('77: of two requests at once is refused', async () => {
    const [one, two] = [await executedCall(), await executedCall()]
    await expectRefused(read([statusPath(one), statusPath(two)]), 400, /single request ID/)
    await expectRefused(read([statusPath(one), statusPath(fresh())]), 400, /single request ID/)
    treeOf(await read([statusPath(one, 'status'), statusPath(one, 'reply')]))
  })

  test('85: may be asked in advance, until the expiry of the question', async () => {
    const envelope = signCall(callContent(user.principal, net.now), user)
    const asked = statusPath(envelope)
    const inAdvance = signCall(readContent(user.principal, net.now, [asked]), user)
    const look = () => post(net, inAdvance, { action: 'read_state' })
    expect(lookupTree(treeOf(await look()), asked)).toEqual({ type: 'absent' })
    net.pass(100_000)
    expect((await post(net, envelope, { version: 2 })).status).toBe(202)
    net.pass(130_000)
    const found = lookup(treeOf(await look()), statusPath(envelope, 'status'))
    expect(found).toEqual({ type: 'found', value: utf8('replied') })
    net.pass(9_000)
    expect((await look()).status).toBe(200)
    net.pass(2_000)
    await expectRefused(look(), 400, /^Invalid request expiry: /)
  })
})

describe('a path', () => {
  test.each<[string, Path]>([
    ['certified_data', path('canister', ledger, 'certified_data')],
    ['what nobody has heard of', path('foo')],
    ['a whole canister', path('canister', ledger)],
    ['all canisters', path('canister')],
    ['all requests', path('request_status')],
  ])('78: to %s is invalid', async (_, asked) => {
    for (const version of [2, 3] as const)
      await expectRefused(read([asked], { version }), 404, /^Invalid path requested\.$/)
  })

  test('79: of another canister than that of the URL is refused', async () => {
    for (const field of [['module_hash'], ['metadata', 'candid:service']])
      await expectRefused(read([path('canister', minter, ...field)]), 400, /Effective canister id/)
  })

  test('80: beyond the thousandth is one too many', async () => {
    const times = (count: number): readonly Path[] =>
      Array.from({ length: count }, () => ['time'].map(utf8))
    treeOf(await read(times(1_000)))
    await expectRefused(read(times(1_001)), 400, /Too many paths: 1001/)
  })

  test('80: of 127 labels is read, of 128 it is refused', async () => {
    const long = (labels: number): Path => Array.from({ length: labels }, () => utf8('x'))
    await expectRefused(read([long(127)]), 404, /^Invalid path requested\.$/) // It is looked at.
    await expectRefused(read([long(128)]), 400, /A path of 128 labels/)
    const id = { scope: 'subnet', id: subnetId } as const
    await expectRefused(read([long(127)], id), 404)
    await expectRefused(read([long(128)], id), 400)
  })

  test('80: there may be as many of the subnet', async () => {
    const times = (count: number): readonly Path[] =>
      Array.from({ length: count }, () => path('time'))
    treeOf(await read(times(1_000), { scope: 'subnet', id: subnetId }))
    await expectRefused(read(times(1_001), { scope: 'subnet', id: subnetId }), 400)
  })
})

describe('what everybody may know', () => {
  test('82: of the subnet is its key, its ranges and the keys of its nodes', async () => {
    for (const asked of [
      path('subnet'),
      path('subnet', subnetId, 'node'),
      path('subnet', subnetId),
    ]) {
      const tree = treeOf(await read([asked]))
      const value = (...labels: readonly (string | Uint8Array)[]): Uint8Array => {
        const found = lookup(tree, path('subnet', subnetId, ...labels))
        if (found.type !== 'found') throw new Error(found.type)
        return found.value
      }
      expect(value('public_key')).toEqual(rootKey)
      expect(decodeRanges(value('canister_ranges')).map((range) => range.map(toHex))).toEqual([
        ['00000000000000000101', 'ffffffffffffffff0101'],
      ])
      for (const { signingKey } of net.genesis.membership.members) {
        const der = Uint8Array.of(...DER_OF_ED25519, ...signingKey)
        expect(value('node', selfAuthenticating(der), 'public_key')).toEqual(der)
      }
    }
  })

  test('83: of a canister is its interface, which can be read', async () => {
    const asked = path('canister', ledger, 'metadata', 'candid:service')
    const found = lookup(treeOf(await read([asked])), asked)
    if (found.type !== 'found') throw new Error(found.type)
    const text = fromUtf8(found.value)
    expect(text).toContain('service :')
    expect(text).toMatch(/icrc1_fee : \(\) -> \(nat\) query;/)
  })

  test('84: of nothing is the time', async () => {
    const tree = treeOf(await read([]))
    expect(lookupTree(tree, path('subnet')).type).not.toBe('found')
    expect(lookup(tree, path('time')).type).toBe('found')
  })
})

/** SubjectPublicKeyInfo of an Ed25519 key, up to the key. */
const DER_OF_ED25519 = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
