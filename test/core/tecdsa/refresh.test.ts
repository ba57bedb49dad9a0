/**
 * Goal: a refresh begins when f + 1 nodes or the operator say so and not before, takes the keys that
 * nodes sign for, and changes the membership only to what the operator can mean.
 * Method: threshold specification §§11.2, 11.4, 17.1, 21. Signers of four nodes that have their keys;
 * slots are made by the test, so that nothing else happens in them.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { NS_PER_MS, timestampNs } from '../../../src/core/base/units.ts'
import { runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import type { MembershipChange, RefreshWord } from '../../../src/core/tecdsa/refresh-item.ts'
import {
  decodeMembershipChange,
  decodeRefresh,
  encodeMembershipChange,
  encodeRefresh,
  signJoining,
  signRefresh,
} from '../../../src/core/tecdsa/refresh-item.ts'
import type { Signer } from '../../../src/core/tecdsa/signer.ts'
import { nodeKeys } from '../../support/node-keys.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const NODES = 4
const keyOf = (name: string): Uint8Array => nodeKeys(seedOf(name)).record.encryptionKey
const seedOf = (name: string): Seed => Seed.fromBytes(new TextEncoder().encode(name))

/** A subnet with its keys, whose log the test goes on with. */
function ready() {
  const net = new SignerNet({ nodes: NODES, stockTarget: 0 })
  net.settle()
  const prefix = runPrefix(net.genesis)
  const word = (node: number, change: Partial<RefreshWord> = {}): Uint8Array => {
    const statement = { version: 2n, node, encryptionKey: keyOf(`next of ${node}`), ...change }
    const signed = signRefresh(net.keysOf(node % NODES), prefix, statement)
    return encodeRefresh({ ...signed, ...(change.signature && change) })
  }
  const go = (node: number): Uint8Array => word(node, { encryptionKey: undefined })
  let slot = 1_000n
  const endSlot = (signer: Signer): void => {
    signer.endSlot(slot, timestampNs(slot))
    slot += 1n
  }
  return { net, prefix, signer: net.signer(0), word, go, endSlot }
}

describe('a word in a refresh', () => {
  const statement = { version: 2n, node: 3, signature: new Uint8Array(64).fill(4) }
  const given = encodeRefresh({ ...statement, encryptionKey: new Uint8Array(33).fill(2) })
  const go = encodeRefresh({ ...statement, encryptionKey: undefined })

  test.each([['with a key', given] as const, ['without one', go] as const])(
    '%s is read as it was written, whole or not at all',
    (_, bytes) => {
      expectStrict({ bytes, decode: decodeRefresh, encode: encodeRefresh })
      expectTotal({ bytes, decode: decodeRefresh, encode: encodeRefresh })
    },
  )

  test('keeps its format', () => {
    const end = '04'.repeat(64)
    expect(toHex(given)).toBe(`0000000000000002000301${'02'.repeat(33)}${end}`)
    expect(toHex(go)).toBe(`0000000000000002000300${end}`)
  })
})

describe('a refresh', () => {
  test('§21 item: refresh by f nodes, begins nothing', () => {
    const { signer, word, endSlot } = ready()
    expect(signer.takeRefresh(word(1))).toBe(true)
    endSlot(signer)
    expect(signer.epoch).toMatchObject({ version: 1n, stage: 'none' })
    expect(signer.work()).toBeUndefined()
  })

  test('begins with f + 1 wishes, and this node gives its key then', () => {
    const { net, signer, word, endSlot } = ready()
    for (const node of [1, 2]) signer.takeRefresh(word(node))
    endSlot(signer)
    expect(signer.epoch.stage).toBe('gathering')
    const outputs = signer.work() ?? []
    // On disk before it is said.
    expect(outputs.map(({ type }) => type)).toEqual(['record', 'submit'])
    expect(outputs[0]).toMatchObject({ key: `epoch/${net.genesis.incarnation}/2` })
    expect(signer.work()).toBeUndefined()
  })

  const wrong: readonly (readonly [string, (of: ReturnType<typeof ready>) => Uint8Array])[] = [
    ['by a node that is no member', ({ word }) => word(4)],
    ['of another version, that in force', ({ word }) => word(1, { version: 1n })],
    ['of another version, a later one', ({ word }) => word(1, { version: 3n })],
    ['that its node did not sign', ({ word }) => word(1, { signature: new Uint8Array(64) })],
    ['with the identity as a key', ({ word }) => word(1, { encryptionKey: new Uint8Array(33) })],
    ['that lets nothing go that has not begun', ({ go }) => go(1)],
    ['with a byte behind it', ({ word }) => concat(word(1), Uint8Array.of(0))],
    [
      'of another incarnation',
      ({ net }) => {
        const elsewhere = runPrefix({ ...net.genesis, incarnation: 8n })
        const statement = { version: 2n, node: 1, encryptionKey: keyOf('next of 1') }
        return encodeRefresh(signRefresh(net.keysOf(1), elsewhere, statement))
      },
    ],
  ]
  const all = ready()
  test.each(wrong)(
    '§21 item: word of a refresh by a node that is no member, or bad otherwise: %s',
    (_, make) => {
      expect(all.signer.takeRefresh(make(all))).toBe(false)
    },
  )

  test('§21 item: of another version, is an invalid item before and after the switch', () => {
    const { net } = ready()
    net.refresh()
    net.settle()
    expect(net.signer(0).epoch.version).toBe(2n)
    const prefix = runPrefix(net.genesis)
    for (const version of [1n, 2n, 4n]) {
      const statement = { version, node: 1, encryptionKey: keyOf('x') }
      const item = encodeRefresh(signRefresh(net.keysOf(1), prefix, statement))
      expect(net.signer(0).takeRefresh(item), `${version}`).toBe(false)
    }
  })

  test('§21 item: twice, is an invalid item, with the same key and with another', () => {
    const { signer, word } = ready()
    expect(signer.takeRefresh(word(1))).toBe(true)
    expect(signer.takeRefresh(word(1))).toBe(false)
    expect(signer.takeRefresh(word(1, { encryptionKey: keyOf('another') }))).toBe(false)
  })

  test('§21 item: after the keys are fixed, a word is an invalid item', () => {
    const { signer, word, go, endSlot } = ready()
    expect(signer.startRefresh()).toBe(true)
    for (const node of [1, 2, 3]) expect(signer.takeRefresh(word(node))).toBe(true)
    endSlot(signer)
    expect(signer.epoch.stage).toBe('gathering')
    expect(signer.takeRefresh(go(1))).toBe(true)
    expect(signer.takeRefresh(go(1))).toBe(false)
    endSlot(signer)
    expect(signer.epoch.stage).toBe('gathering')
    expect(signer.takeRefresh(go(2))).toBe(true)
    expect(signer.takeRefresh(word(0))).toBe(true)
    endSlot(signer)
    expect(signer.epoch.stage).toBe('resharing')
    expect([signer.takeRefresh(word(0)), signer.takeRefresh(go(3))]).toEqual([false, false])
    expect(signer.startRefresh()).toBe(false)
  })

  test('does not begin before the keys are final', () => {
    const net = new SignerNet({ nodes: NODES, stockTarget: 0 })
    const statement = { version: 2n, node: 1, encryptionKey: keyOf('next of 1') }
    const item = encodeRefresh(signRefresh(net.keysOf(1), runPrefix(net.genesis), statement))
    expect([net.signer(0).takeRefresh(item), net.signer(0).startRefresh()]).toEqual([false, false])
  })

  test('is wished by a node once its keys are old, and by nobody who was not told', () => {
    const { net, signer } = ready()
    expect(signer.nextExpiry).toBeUndefined()
    const outputs = net.signer(1).step({ type: 'wish' })
    expect(outputs.map(({ type }) => type)).toEqual(['record', 'submit'])
    const late = timestampNs(10n * 24n * 3_600_000n * NS_PER_MS)
    expect(net.signer(2).step({ type: 'clock', now: late })).toEqual([])
  })
})

describe('a change of membership', () => {
  const { net, prefix } = ready()
  const [one, two] = [nodeKeys(seedOf('one')), nodeKeys(seedOf('two'))]
  const idOf = (node: number): Uint8Array => net.keysOf(node).record.id
  const good: MembershipChange = {
    version: 2n,
    joining: [signJoining(one, prefix, 2n)],
    leaving: [idOf(0)],
  }
  const joining = (change: Partial<(typeof good.joining)[number]>): MembershipChange => ({
    ...good,
    joining: [{ ...signJoining(one, prefix, 2n), ...change }],
  })

  test('is read as it was written, whole or not at all', () => {
    const format = {
      bytes: encodeMembershipChange(good),
      decode: decodeMembershipChange,
      encode: encodeMembershipChange,
    }
    expectStrict(format)
    expectTotal(format)
  })

  test.each<[string, MembershipChange]>([
    ['for the version in force', { ...good, version: 1n }],
    ['of a later version', { ...good, version: 3n }],
    ['with a joining node signed for another version', joining(signJoining(one, prefix, 3n))],
    ['with a joining node that another signed for', joining({ record: two.record })],
    ['with a joining node that is a member', joining(signJoining(net.keysOf(1), prefix, 2n))],
    ['with a node that joins twice', { ...good, joining: [...good.joining, ...good.joining] }],
    ['with a leaving node that is none', { ...good, leaving: [one.record.id] }],
    ['with a node that leaves twice', { ...good, leaving: [idOf(0), idOf(0)] }],
    ['after which nobody is left', { ...good, joining: [], leaving: [0, 1, 2, 3].map(idOf) }],
    [
      'with an encryption key that is none',
      joining({ record: { ...one.record, encryptionKey: new Uint8Array(33) } }),
    ],
  ])('%s is refused', (_, change) => {
    expect(net.signer(0).changeMembership(encodeMembershipChange(change))).toBe(false)
    expect(net.signer(0).epoch).toMatchObject({ stage: 'none', members: [0, 1, 2, 3] })
  })

  test('is one that runs, and until its switch there is no other', () => {
    const signer = net.signer(0)
    expect(signer.changeMembership(encodeMembershipChange(good))).toBe(true)
    expect(signer.epoch).toMatchObject({ stage: 'gathering', members: [0, 1, 2, 3] })
    expect(signer.changeMembership(encodeMembershipChange(good))).toBe(false)
    expect(signer.startRefresh()).toBe(false)
  })
})

test('a node keeps no secret of an epoch that nothing names, and cannot use it', () => {
  const keys = nodeKeys(seedOf('one'))
  const first = keys.encryptionKey
  const second = keys.hold(new Uint8Array(32).fill(1))
  expect(keys.hold(new Uint8Array(32).fill(1))).toBe(second)
  const erased = keys.retain((epoch) => epoch === second)
  expect(erased).toEqual([encodePoint(secp256k1, first.publicKey)])
  expect(keys.encryptionKey).toBe(second.mega)
  expect(JSON.stringify(second)).toBe('"[secret]"')
  keys.retain(() => false)
  expect(() => second.seedOf('a dealing')).toThrow('erased')
})
