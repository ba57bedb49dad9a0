/**
 * Goal: a delegation lets a subnet speak for its own canisters, as long as the root says so.
 * Method: IC interface §§15.2, 15.3, 26 (91 to 94): delegations made here, each right but for one
 * thing.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Effective, VerifiedCertificate } from '../../../src/core/ic/certificate.ts'
import { encodeRanges, verifyCertificate } from '../../../src/core/ic/certificate.ts'
import { leb128 } from '../../../src/core/ic/cursor.ts'
import type { HashTree, Path } from '../../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { StateTree } from '../../../src/core/ic/state-tree.ts'
import { branch, leaf, witness } from '../../../src/core/ic/state-tree.ts'
import { LOCAL_SUBNET, TestSubnet } from './certificates.ts'

const LOCAL_TIME = timestampNs(1_685_570_340_000_000_000n)
const words = (text: string): Path => text.split('/').map(utf8)
const branchOf = (names: { readonly [name: string]: StateTree }) =>
  branch(Object.entries(names).map(([name, tree]) => [utf8(name), tree] as const))
const ROOT = LOCAL_SUBNET
const SUBNET = new TestSubnet(new Uint8Array(32).fill(9))
const CANISTER = principal(fromHex('00000000000000070101'))

describe('a delegation', () => {
  const id = (number: string) => principal(fromHex(`000000000000${number}0101`))
  const time = (seconds: bigint): StateTree => leaf(leb128(LOCAL_TIME + seconds * NS_PER_SECOND))
  const ranges = (low: string, high: string): StateTree => leaf(encodeRanges([[id(low), id(high)]]))
  const subnetState = (parts: Parameters<typeof branchOf>[0]): StateTree =>
    branch([[SUBNET.id, branchOf(parts)]])
  const publicKey = leaf(SUBNET.der)
  /** Seven lies in the second shard. */
  const sharded = branchOf({
    canister_ranges: branch([
      [
        SUBNET.id,
        branch([
          [id('0001'), ranges('0001', '0003')],
          [id('0005'), ranges('0005', '0008')],
          [id('0009'), ranges('0009', '00ff')],
        ]),
      ],
    ]),
    subnet: subnetState({ public_key: publicKey }),
    time: time(0n),
  })
  const flat = (low: string, high: string, seconds = 0n): StateTree =>
    branchOf({
      subnet: subnetState({ canister_ranges: ranges(low, high), public_key: publicKey }),
      time: time(seconds),
    })
  const all: readonly Path[] = [[]]
  const state = branchOf({ time: time(0n), canister: branch() })

  const verify = (
    outer: HashTree,
    {
      effective = { type: 'canister', id: CANISTER },
      subnetId = SUBNET.id,
      root = ROOT,
      signer = SUBNET,
    }: {
      readonly effective?: Effective
      readonly subnetId?: Principal
      readonly root?: TestSubnet
      readonly signer?: TestSubnet
    } = {},
  ) =>
    verifyCertificate(
      signer.certify(witness(state, all), { subnetId, certificate: root.certify(outer) }),
      { rootKey: ROOT.der, effective, now: LOCAL_TIME },
    )
  const subnet: Effective = { type: 'subnet', id: SUBNET.id }
  const shard = (number: string): HashTree =>
    witness(sharded, [
      words('time'),
      words('subnet'),
      [utf8('canister_ranges'), SUBNET.id, id(number)],
    ])

  test('reaches as far as its ranges, flat or in shards', () => {
    for (const tree of [sharded, flat('0007', '0007')])
      expect(verify(witness(tree, all))).toMatchObject({ type: 'verified', timeNs: LOCAL_TIME })
    expect(verify(shard('0005')).type).toBe('verified')
  })

  test('to a subnet is for that subnet, whatever its ranges', () => {
    const bare = branchOf({ subnet: subnetState({ public_key: publicKey }), time: time(0n) })
    expect(verify(witness(bare, all), { effective: subnet }).type).toBe('verified')
    expect(verify(witness(bare, all), { effective: { type: 'subnet', id: ROOT.id } }).type).toBe(
      'refused',
    )
  })

  const another = new TestSubnet(new Uint8Array(32).fill(10))
  test.each<[string, () => VerifiedCertificate, reason: string]>([
    ['92: whose flat range ends below', () => verify(witness(flat('0001', '0006'), all)), 'cover'],
    [
      '92: whose flat range begins above',
      () => verify(witness(flat('0008', '00ff'), all)),
      'cover',
    ],
    [
      '92: whose flat ranges are pruned',
      () =>
        verify(
          witness(flat('0001', '00ff'), [
            [utf8('subnet'), SUBNET.id, utf8('public_key')],
            words('time'),
          ]),
        ),
      'no canister range',
    ],
    ['92: whose shard of the canister is pruned', () => verify(shard('0001')), 'cover'],
    ['92: that shows a later shard only', () => verify(shard('0009')), 'no canister range'],
    [
      '92: whose shards are pruned, beside no flat ranges',
      () => verify(witness(sharded, [words('subnet'), words('time')])),
      'no canister range',
    ],
    [
      'whose key is pruned',
      () => verify(witness(sharded, [words('canister_ranges'), words('time')])),
      'no key',
    ],
    ['whose time is pruned', () => verify(witness(sharded, [words('subnet')])), 'no time'],
    [
      'to a subnet that it does not show',
      () => verify(witness(sharded, all), { subnetId: another.id }),
      'no canister range',
    ],
    [
      'for another subnet than was asked',
      () => verify(witness(sharded, all), { effective: { type: 'subnet', id: another.id } }),
      'another subnet',
    ],
    [
      'that the root has not signed',
      () => verify(witness(sharded, all), { root: another }),
      'not signed by the key',
    ],
    [
      'under whose key the certificate is not signed',
      () => verify(witness(sharded, all), { signer: another }),
      'not signed by the key',
    ],
    [
      'of more than 30 days',
      () => verify(witness(flat('0007', '0007', -2_592_001n), all)),
      '30 days',
    ],
    ['ahead of the clock', () => verify(witness(flat('0007', '0007', 301n), all)), 'ahead'],
  ])('%s is refused', (_, verified, reason) => {
    expect(verified()).toEqual({ type: 'refused', reason: expect.stringContaining(reason) })
  })

  test('of 30 days is accepted', () => {
    expect(verify(witness(flat('0007', '0007', -2_592_000n), all)).type).toBe('verified')
  })

  test('91: does not delegate again', () => {
    const inner = ROOT.certify(witness(sharded, all))
    const middle = SUBNET.certify(witness(sharded, all), {
      subnetId: SUBNET.id,
      certificate: inner,
    })
    const bytes = SUBNET.certify(witness(state, all), { subnetId: SUBNET.id, certificate: middle })
    expect(
      verifyCertificate(bytes, {
        rootKey: ROOT.der,
        effective: { type: 'canister', id: CANISTER },
        now: LOCAL_TIME,
      }),
    ).toEqual({ type: 'refused', reason: 'a delegation inside a delegation' })
  })
})
