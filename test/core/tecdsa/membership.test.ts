/**
 * Goal: one genesis has one encoding, and what is no membership is refused.
 * Method: threshold specification §§2.1, 3.7.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { Genesis, MemberRecord } from '../../../src/core/tecdsa/membership.ts'
import {
  createMembership,
  decodeGenesis,
  encodeGenesis,
  memberId,
  NODES_MAX,
  subnetIdOf,
} from '../../../src/core/tecdsa/membership.ts'
import { foundSubnet } from '../../support/founded.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const { genesis, keys } = foundSubnet(4)
const { members } = genesis.membership
const bytes = encodeGenesis(genesis)
const member = (index: number): MemberRecord => present(members[index], 'a member')

/** The same genesis with other members, in the order given. */
const withMembers = (...others: readonly MemberRecord[]): Uint8Array =>
  encodeGenesis({ ...genesis, membership: { version: 1n, members: others } })

describe('a genesis', () => {
  test('is read as it was written, whole or not at all', () => {
    expectStrict({ bytes, decode: decodeGenesis, encode: encodeGenesis })
    expect(decodeGenesis(bytes)).toEqual(genesis)
  })

  test('of arbitrary bytes is itself or refused', () => {
    const small = encodeGenesis(foundSubnet(1).genesis)
    expectTotal({ bytes: small, decode: decodeGenesis, encode: encodeGenesis, runs: 100 })
  })

  test('keeps its format', () => {
    expect(toHex(sha256(bytes))).toBe(
      '8758e89a347fd77fef185f029e1682d3cef54724b78bdfa0ebe7b7d593ad4d39',
    )
    expect(toHex(subnetIdOf(genesis))).toBe(
      'b0f216cc1c256a6de4e688a6948b868aec08ed0ec1cd66e94c934cb32bce202f',
    )
  })

  const identity = { ...member(0), encryptionKey: new Uint8Array(33) }
  const noPoint = { ...member(0), encryptionKey: concat(Uint8Array.of(2), new Uint8Array(32)) }
  test.each([
    ['of nobody', withMembers()],
    ['with members out of order', withMembers(member(1), member(0), member(2), member(3))],
    ['with one member twice', withMembers(member(0), member(0))],
    ['with the identity as encryption key', withMembers(identity)],
    ['with an encryption key off the curve', withMembers(noPoint)],
    ['of more than 40 nodes', withMembers(...Array(NODES_MAX + 1).fill(member(0)))],
  ])('%s is refused', (_, broken) => {
    expect(() => decodeGenesis(broken)).toThrow(BadEncoding)
  })
})

describe('a membership', () => {
  test('is in the order of its ids, whatever the order of the records', () => {
    expect(createMembership(members.toReversed(), 1n)).toEqual(genesis.membership)
    const ids = members.map(({ id }) => toHex(id))
    expect(ids).toEqual(ids.toSorted())
  })

  test.each([
    ['nobody', []],
    ['more than 40 nodes', Array(NODES_MAX + 1).fill(member(0))],
    ['one node twice', [member(0), member(1), member(0)]],
    ['an id that is not that of its key', [{ ...member(0), id: member(1).id }]],
    ['an encryption key that is none', [{ ...member(0), encryptionKey: new Uint8Array(33) }]],
  ])('of %s is refused', (_, records) => {
    expect(() => createMembership(records, 1n)).toThrow(BadEncoding)
  })

  test('names its nodes by the principal of their signing key', () => {
    for (const { id, signingKey } of members) {
      expect(id).toEqual(memberId(signingKey))
      expect([id.length, id[28]]).toEqual([29, 2])
    }
  })
})

describe('the subnet id', () => {
  const id = toHex(subnetIdOf(genesis))
  const entropy = genesis.entropy.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  const others: [string, Genesis][] = [
    ['other entropy', { ...genesis, entropy }],
    ['another membership version', changed({ version: 2n })],
    ['one member less', changed({ members: members.slice(1) })],
  ]

  function changed(change: Partial<Genesis['membership']>): Genesis {
    return { ...genesis, membership: { ...genesis.membership, ...change } }
  }

  test.each(others)('is another with %s', (_, other) => {
    expect(toHex(subnetIdOf(other))).not.toBe(id)
  })

  test('outlives a new time line', () => {
    expect(toHex(subnetIdOf({ ...genesis, incarnation: 8n }))).toBe(id)
  })
})

describe('the keys of a node', () => {
  test('grow from its seed and are its own', () => {
    expect(foundSubnet(4).keys.map(({ record }) => record)).toEqual(members)
    const parts = members.flatMap(({ signingKey, encryptionKey }) => [signingKey, encryptionKey])
    expect(new Set(parts.map(toHex)).size).toBe(2 * members.length)
  })

  test('do not print', () => {
    const printed = `${keys[0]} ${JSON.stringify({ keys: keys[0] })}`
    expect(printed).toBe('[secret] {"keys":"[secret]"}')
  })
})
