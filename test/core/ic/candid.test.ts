/**
 * Candid: agreement with the SDK's codec on well-formed messages, refusal and bounds on hostile
 * ones.
 */
import { IDL } from '@icp-sdk/core/candid'
import { Principal as Peer } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, fromHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  blob,
  bool,
  type Codec,
  decodeArgs,
  encodeArgs,
  func,
  int,
  MESSAGE_BYTES_MAX,
  nat,
  nat8,
  nat16,
  nat32,
  nat64,
  opt,
  principalCodec,
  recursive,
  text,
  unit,
  vec,
} from '../../../src/core/ic/candid.ts'
import {
  accountCodec,
  enumeration,
  named,
  pair,
  record,
  variant,
} from '../../../src/core/ic/candid-records.ts'
import { principal } from '../../../src/core/ic/principal.ts'

const didl = (hex: string) => fromHex(`4449444c${hex.replaceAll(' ', '')}`)
const bytes32 = new Uint8Array(32).fill(7)

type Tree =
  | { readonly type: 'leaf'; readonly nat: bigint }
  | { readonly type: 'node'; readonly trees: readonly Tree[] }
const tree: Codec<Tree> = recursive(() =>
  variant({ Leaf: named('nat', nat), Node: named('trees', vec(tree)) }),
)
const peerTree = IDL.Rec()
peerTree.fill(IDL.Variant({ Leaf: IDL.Nat, Node: IDL.Vec(peerTree) }))

/** Codec, value, the SDK's type, the SDK's form of the value. */
const agreed: readonly (readonly [string, Codec<unknown>, unknown, IDL.Type, unknown])[] = [
  ['nat', nat, 2n ** 70n, IDL.Nat, 2n ** 70n],
  ['int', int, -(2n ** 70n), IDL.Int, -(2n ** 70n)],
  ['int -64', int, -64n, IDL.Int, -64n],
  ['int 64', int, 64n, IDL.Int, 64n],
  ['nat8', nat8, 255, IDL.Nat8, 255],
  ['nat16', nat16, 65_535, IDL.Nat16, 65_535],
  ['nat32', nat32, 0xffff_fffe, IDL.Nat32, 0xffff_fffe],
  ['nat64', nat64, 2n ** 64n - 1n, IDL.Nat64, 2n ** 64n - 1n],
  ['bool', bool, true, IDL.Bool, true],
  ['text', text, 'é₿', IDL.Text, 'é₿'],
  ['blob', blob, bytes32, IDL.Vec(IDL.Nat8), bytes32],
  [
    'principal',
    principalCodec,
    principal(fromHex('abcd01')),
    IDL.Principal,
    Peer.fromText('em77e-bvlzu-aq'),
  ],
  ['opt, absent', opt(nat), undefined, IDL.Opt(IDL.Nat), []],
  ['opt, there', opt(nat), 3n, IDL.Opt(IDL.Nat), [3n]],
  ['vec', vec(text), ['a', 'b'], IDL.Vec(IDL.Text), ['a', 'b']],
  ['pair', pair(text, nat), ['a', 1n], IDL.Tuple(IDL.Text, IDL.Nat), ['a', 1n]],
  [
    'record',
    record({ from_sub: opt(blob), amount: nat, z: named('last', bool) }),
    { fromSub: bytes32, amount: 4n, last: false },
    IDL.Record({ z: IDL.Bool, amount: IDL.Nat, from_sub: IDL.Opt(IDL.Vec(IDL.Nat8)) }),
    { z: false, amount: 4n, from_sub: [bytes32] },
  ],
  [
    'variant with fields',
    variant({ BadFee: record({ expected_fee: nat }), TooOld: unit }),
    { type: 'badFee', expectedFee: 10n },
    IDL.Variant({ TooOld: IDL.Null, BadFee: IDL.Record({ expected_fee: IDL.Nat }) }),
    { BadFee: { expected_fee: 10n } },
  ],
  [
    'variant with nothing',
    variant({ TooOld: unit, Other: unit }),
    { type: 'tooOld' },
    IDL.Variant({ TooOld: IDL.Null, Other: IDL.Null }),
    { TooOld: null },
  ],
  [
    'enumeration',
    enumeration('Mainnet', 'Regtest'),
    'regtest',
    IDL.Variant({ Mainnet: IDL.Null, Regtest: IDL.Null }),
    { Regtest: null },
  ],
  [
    'recursive',
    tree,
    {
      type: 'node',
      trees: [
        { type: 'leaf', nat: 1n },
        { type: 'node', trees: [] },
      ],
    },
    peerTree,
    { Node: [{ Leaf: 1n }, { Node: [] }] },
  ],
  [
    'func',
    func([nat], [text], 'query'),
    { canisterId: principal(fromHex('abcd01')), methodName: 'm' },
    IDL.Func([IDL.Nat], [IDL.Text], ['query']),
    [Peer.fromText('em77e-bvlzu-aq'), 'm'],
  ],
  [
    'account',
    accountCodec,
    { owner: principal(fromHex('04')), subaccount: bytes32 },
    IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)) }),
    { owner: Peer.anonymous(), subaccount: [bytes32] },
  ],
]

describe('Candid', () => {
  it.each(agreed)('%s: the SDK reads what we write, and we read what it writes', (...row) => {
    const [, codec, value, type, peerValue] = row
    const ours = encodeArgs([codec], [value])
    expect(IDL.decode([type], ours)).toEqual(IDL.decode([type], IDL.encode([type], [peerValue])))
    expect(decodeArgs([codec], IDL.encode([type], [peerValue]))).toEqual([value])
    expect(decodeArgs([codec], ours)).toEqual([value])
  })

  it.each(agreed)('%s: every prefix and a trailing byte are refused', (...row) => {
    const [, codec, value] = row
    const whole = encodeArgs([codec], [value])
    for (let end = 0; end < whole.length; end++)
      expect(() => decodeArgs([codec], whole.slice(0, end)), `${end}`).toThrow(BadEncoding)
    expect(() => decodeArgs([codec], concat(whole, Uint8Array.of(0)))).toThrow(BadEncoding)
  })

  it.each(agreed)('%s: any other bytes decode or are refused with BadEncoding', (...row) => {
    const [, codec, value] = row
    const whole = encodeArgs([codec], [value])
    for (let at = 4; at < whole.length; at++)
      for (const flip of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const changed = whole.with(at, (whole[at] ?? 0) ^ flip)
        try {
          decodeArgs([codec], changed)
        } catch (error) {
          expect(error).toBeInstanceOf(BadEncoding)
        }
      }
  })

  it('labels of the interface become camelCase names, unless a name is given', () => {
    const codec = record({
      created_at_time: opt(nat64),
      status_v2: named('status', text),
      kind: variant({ p2wpkh_v0: named('bytes', blob), GenericError: record({ error_code: nat }) }),
    })
    const values = [
      { createdAtTime: 1n, status: 'x', kind: { type: 'p2wpkhV0' as const, bytes: bytes32 } },
      { status: '', kind: { type: 'genericError' as const, errorCode: 2n } },
    ]
    for (const value of values)
      expect(decodeArgs([codec], encodeArgs([codec], [value]))).toEqual([value])
  })

  it('numbers agree with the SDK over their whole range', () => {
    fc.assert(
      fc.property(
        fc.bigInt(),
        fc.bigInt(0n, 2n ** 64n - 1n),
        fc.bigInt({ min: 0n }),
        (i, n64, n) => {
          const codecs = [int, nat64, nat] as const
          const types = [IDL.Int, IDL.Nat64, IDL.Nat]
          expect(encodeArgs(codecs, [i, n64, n])).toEqual(IDL.encode(types, [i, n64, n]))
          expect(decodeArgs(codecs, IDL.encode(types, [i, n64, n]))).toEqual([i, n64, n])
        },
      ),
    )
  })
})

describe('Candid subtyping', () => {
  const args = record({ a: nat, b: opt(nat) })

  it('unknown fields and extra arguments are skipped, missing optional ones are absent', () => {
    const wide = IDL.Record({ a: IDL.Nat, c: IDL.Vec(IDL.Text), d: peerTree })
    const message = IDL.encode([wide, IDL.Text], [{ a: 1n, c: ['x'], d: { Leaf: 1n } }, 'more'])
    expect(decodeArgs([args], message)).toEqual([{ a: 1n }])
    expect(decodeArgs([opt(nat), opt(text)], IDL.encode([], []))).toEqual([undefined, undefined])
  })

  it('a missing field or argument that is not optional is refused', () => {
    const message = IDL.encode([IDL.Record({ b: IDL.Opt(IDL.Nat) })], [{ b: [1n] }])
    expect(() => decodeArgs([args], message)).toThrow('the field a is missing')
    expect(() => decodeArgs([nat], IDL.encode([], []))).toThrow('argument 0 is missing')
  })

  it('an optional value of another type reads as absent, and what follows still reads', () => {
    const type = IDL.Record({ a: IDL.Nat, b: IDL.Opt(IDL.Text) })
    const message = IDL.encode([type, IDL.Nat], [{ a: 1n, b: ['x'] }, 2n])
    expect(decodeArgs([args, nat], message)).toEqual([{ a: 1n }, 2n])
    expect(decodeArgs([opt(text), nat], IDL.encode([IDL.Nat, IDL.Nat], [5n, 6n]))).toEqual([
      undefined,
      6n,
    ])
  })

  it('an optional record that stops fitting halfway reads as absent, and what follows still reads', () => {
    const codec = opt(record({ a: text, b: opt(nat), c: nat }))
    const type = IDL.Record({ a: IDL.Text, b: IDL.Opt(IDL.Nat), c: IDL.Text })
    const message = IDL.encode([IDL.Opt(type), IDL.Nat], [[{ a: 'x', b: [1n], c: 'y' }], 2n])
    expect(decodeArgs([codec, nat], message)).toEqual([undefined, 2n])
  })

  it('a plain value is read where an optional one is expected; null and reserved are absent', () => {
    expect(decodeArgs([opt(nat)], IDL.encode([IDL.Nat], [5n]))).toEqual([5n])
    expect(decodeArgs([opt(nat)], IDL.encode([IDL.Null], [null]))).toEqual([undefined])
    expect(decodeArgs([opt(nat)], IDL.encode([IDL.Reserved], [null]))).toEqual([undefined])
    expect(decodeArgs([int], IDL.encode([IDL.Nat], [5n]))).toEqual([5n])
  })

  it('another type, and an unknown case of a variant, are refused', () => {
    const codec = variant({ A: unit })
    expect(() =>
      decodeArgs([codec], IDL.encode([IDL.Variant({ B: IDL.Null })], [{ B: null }])),
    ).toThrow(BadEncoding)
    expect(() => decodeArgs([nat], IDL.encode([IDL.Int], [5n]))).toThrow('nat expected, int found')
    expect(() => decodeArgs([blob], IDL.encode([IDL.Vec(IDL.Nat16)], [[1]]))).toThrow(BadEncoding)
    expect(() => decodeArgs([args], IDL.encode([IDL.Text], ['x']))).toThrow('record expected')
  })

  it('a subaccount of another length refuses the message, it is not read as absent', () => {
    const type = IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)) })
    const message = IDL.encode(
      [type],
      [{ owner: Peer.anonymous(), subaccount: [new Uint8Array(31)] }],
    )
    expect(() => decodeArgs([accountCodec], message)).toThrow('a subaccount of 31 bytes')
  })
})

/** Messages that no honest peer writes. */
const hostile: readonly (readonly [string, Uint8Array, Codec<unknown>])[] = [
  ['no magic', fromHex('4449444d0000'), nat],
  ['a blob cut short', didl('01 6d7b 01 00 20 0102'), blob],
  ['a skipped blob cut short', didl('01 6d7b 02 7d00 05 20 0102'), nat],
  ['ten million nulls', didl('01 6d7f 01 00 80ade204'), vec(unit)],
  ['2^60 nulls to skip', didl('01 6d7f 02 7d 00 05 808080808080808010'), nat],
  ['2^60 bytes', didl('01 6d7b 01 00 808080808080808010'), blob],
  ['a record that contains itself', didl('01 6c010000 02 7d 00 05'), nat],
  [
    'a chain of options cut short',
    concat(didl('01 6e00 02 7d 00 05'), new Uint8Array(60).fill(1)),
    nat,
  ],
  [
    'the same chain where a value is expected',
    concat(didl('01 6e00 01 00'), new Uint8Array(60).fill(1)),
    opt(nat),
  ],
  ['a principal of 30 bytes', concat(didl('00 01 68 01 1e'), new Uint8Array(30)), principalCodec],
  ['an opaque principal', didl('00 01 68 00'), principalCodec],
  ['a bool of 2', didl('00 01 7e 02'), bool],
  ['an option flag of 2', didl('01 6e7d 01 00 02 05'), opt(nat)],
  ['a text that is not UTF-8', didl('00 01 71 01 ff'), text],
  ['a variant index out of range', didl('01 6b01 00 7f 01 00 01'), variant({ 0: unit })],
  ['fields that do not ascend', didl('01 6c02 01 7d 00 7d 01 00 05 05'), record({ 0: nat })],
  ['a field twice', didl('01 6c02 00 7d 00 7d 01 00 05 05'), record({ 0: nat })],
  ['a type index out of range', didl('01 6c01 00 01 01 00 05'), record({ 0: nat })],
  ['an argument of a type out of range', didl('00 01 00 05'), nat],
  ['a type that does not exist', didl('00 01 60 05'), nat],
  ['a constructor that does not exist', didl('01 40 01 00'), nat],
  ['a table entry that is primitive', didl('01 7d 01 00 05'), nat],
  ['1001 types', concat(didl('e907'), fromHex('6e7d'.repeat(1_001)), fromHex('017d05')), nat],
  ['a million types', concat(didl('c0843d'), new Uint8Array(1_000_000).fill(0x6e)), nat],
  ['a million fields', concat(didl('01 6c c0843d'), new Uint8Array(1_000_000)), nat],
  ['101 arguments', concat(didl('00 65'), new Uint8Array(101).fill(0x7f)), opt(nat)],
  ['a million arguments', concat(didl('00 c0843d'), new Uint8Array(1_000_000).fill(0x7f)), nat],
  ['a number without end', concat(didl('00 01 7d'), new Uint8Array(100_000).fill(0xff)), nat],
  ['a value of type empty', didl('00 02 7d 6f 05'), nat],
  ['a message above the limit', encodeArgs([blob], [new Uint8Array(MESSAGE_BYTES_MAX)]), blob],
]

describe('hostile Candid', () => {
  it.each(hostile)('%s is refused', (_, message, codec) => {
    // Exponential work would take years: the limit of the test run finds it.
    expect(() => decodeArgs([codec], message)).toThrow(BadEncoding)
  })

  it('1000 types and 100 arguments are read', () => {
    const nulls = concat(didl('00 64'), new Uint8Array(100).fill(0x7f))
    expect(decodeArgs([opt(nat)], nulls)).toEqual([undefined])
    const message = concat(didl('e807'), fromHex('6e7d'.repeat(1_000)), fromHex('017d05'))
    expect(decodeArgs([nat], message)).toEqual([5n])
  })

  it('a padded number is read: Candid demands it of decoders', () => {
    expect(decodeArgs([nat], didl('00 01 7d 8000'))).toEqual([0n])
  })

  it('values nested 64 deep are read, deeper ones refused', () => {
    const nested = (depth: number): Tree =>
      depth === 0 ? { type: 'leaf', nat: 1n } : { type: 'node', trees: [nested(depth - 1)] }
    // A node takes two levels: the variant and the vector in it.
    expect(() => decodeArgs([tree], encodeArgs([tree], [nested(31)]))).not.toThrow()
    expect(() => decodeArgs([tree], encodeArgs([tree], [nested(32)]))).toThrow('nested deeper')
  })

  it('a value of ours that does not fit its type is never written', () => {
    expect(() => encodeArgs([nat], [-1n])).toThrow(RangeError)
    expect(() => encodeArgs([nat8], [256])).toThrow(RangeError)
    expect(() => encodeArgs([nat64], [2n ** 64n])).toThrow(RangeError)
  })

  it('what was decoded does not share memory with the message', () => {
    const message = encodeArgs([blob], [bytes32])
    const [value] = decodeArgs([blob], message)
    message.fill(0)
    expect(value).toEqual(bytes32)
  })
})
