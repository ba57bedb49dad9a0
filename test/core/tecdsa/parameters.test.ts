/**
 * What makes the parameters of a transcript valid, and under which index a node deals: threshold
 * specification §2.3.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, u64be } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import type {
  Operation,
  Transcript,
  TranscriptKind,
  TranscriptParameters,
} from '../../../src/core/tecdsa/parameters.ts'
import {
  associatedData,
  checkParameters,
  collectionThreshold,
  dealerIndexOf,
  dealerIndices,
  member,
  receiverIndexOf,
} from '../../../src/core/tecdsa/parameters.ts'
import { bytesOf, inOrder, makeNodes, suite, type TestNode } from '../../support/threshold.ts'

const nodes = makeNodes(7)
const others = makeNodes(7, 'b')

/** A transcript with a made-up commitment: parameters look at its length alone. */
function transcript(
  receivers: readonly TestNode[],
  kind: TranscriptKind,
  change: Partial<Transcript> = {},
): Transcript {
  const t = Math.floor((receivers.length - 1) / 3) + 1
  const points = Array.from({ length: t }, () => secp256k1.zero)
  return {
    id: 1n,
    algorithm: 'ThresholdEcdsaSecp256k1',
    receivers: receivers.map((node) => node.id),
    kind,
    combination: 'bySummation',
    commitment: { type: kind.type === 'masked' ? 'pedersen' : 'simple', points },
    ...change,
  }
}

const masked = (receivers: readonly TestNode[]): Transcript =>
  transcript(receivers, { type: 'masked', origin: { type: 'random' } })
const unmasked = (receivers: readonly TestNode[]): Transcript =>
  transcript(receivers, { type: 'unmasked', origin: { type: 'random' } })

function parameters(
  operation: Operation,
  dealers: readonly TestNode[],
  receivers: readonly TestNode[],
): TranscriptParameters {
  return {
    id: 2n,
    algorithm: 'ThresholdEcdsaSecp256k1',
    dealers: dealers.map((node) => node.member),
    receivers: receivers.map((node) => node.member),
    operation,
    membershipVersion: 3n,
    subnetId: bytesOf('subnet'),
    sourceHeight: 4n,
  }
}

const four = nodes.slice(0, 4)
const operations = (receivers: readonly TestNode[]): Operation[] => [
  { type: 'random' },
  { type: 'randomUnmasked' },
  { type: 'reshareOfMasked', input: masked(receivers) },
  { type: 'reshareOfUnmasked', input: unmasked(receivers) },
  { type: 'unmaskedTimesMasked', left: unmasked(receivers), right: masked(receivers) },
]

describe('valid parameters', () => {
  test.each([1, 2, 3, 4, 5, 6, 7])('every operation among the same %i nodes', (count) => {
    const set = nodes.slice(0, count)
    for (const operation of operations(set))
      expect(checkParameters(parameters(operation, set, set))).toBeUndefined()
  })

  test('a reshare to other nodes, of another number', () => {
    for (const receivers of [others, others.slice(0, 1), inOrder([...four.slice(2), ...others])])
      for (const operation of operations(four).slice(2, 4))
        expect(checkParameters(parameters(operation, four, receivers))).toBeUndefined()
  })

  test('dealers that are enough, though not all', () => {
    const [, , reshare] = operations(nodes)
    if (reshare === undefined) throw new Error('no operation')
    expect(checkParameters(parameters(reshare, nodes.slice(1, 5), nodes))).toBeUndefined()
  })
})

describe('refused parameters', () => {
  const [, , reshareMasked, reshareUnmasked, product] = operations(nodes)
  const random: Operation = { type: 'random' }
  const swap = ([a, b, ...rest]: readonly TestNode[]): TestNode[] =>
    [b, a, ...rest].filter((node) => node !== undefined)
  const twice = [...nodes.slice(0, 1), ...nodes.slice(0, 6)]
  const wrong: [string, Operation | undefined, readonly TestNode[], readonly TestNode[]][] = [
    ['no dealers', random, [], nodes],
    ['no receivers', random, nodes, []],
    ['too few dealers of a reshare', reshareMasked, nodes.slice(0, 2), nodes],
    ['too few dealers of a product', product, nodes.slice(0, 5), nodes],
    ['a dealer twice', random, twice, nodes],
    ['a receiver twice', random, nodes, twice],
    ['dealers out of order', random, swap(nodes), nodes],
    ['receivers out of order', random, nodes, swap(nodes)],
    [
      'a dealer that has no share',
      reshareUnmasked,
      inOrder([...four, ...others.slice(0, 1)]),
      nodes,
    ],
    ['dealers that have no share', product, others, others],
    [
      'a reshare of masked that takes unmasked',
      { type: 'reshareOfMasked', input: unmasked(nodes) },
      nodes,
      nodes,
    ],
    [
      'a reshare of unmasked that takes masked',
      { type: 'reshareOfUnmasked', input: masked(nodes) },
      nodes,
      nodes,
    ],
    [
      'a product with sides exchanged',
      { type: 'unmaskedTimesMasked', left: masked(nodes), right: unmasked(nodes) },
      nodes,
      nodes,
    ],
    [
      'a product of two unmasked',
      { type: 'unmaskedTimesMasked', left: unmasked(nodes), right: unmasked(nodes) },
      nodes,
      nodes,
    ],
    [
      'a product of two masked',
      { type: 'unmaskedTimesMasked', left: masked(nodes), right: masked(nodes) },
      nodes,
      nodes,
    ],
    [
      'a product over different receivers',
      { type: 'unmaskedTimesMasked', left: unmasked(nodes), right: masked(others) },
      nodes,
      nodes,
    ],
    [
      'a product over receivers of another number',
      { type: 'unmaskedTimesMasked', left: unmasked(nodes), right: masked(nodes.slice(0, 6)) },
      nodes.slice(0, 6),
      nodes,
    ],
  ]
  test.each(wrong)(
    '§21 parameters: parameters violating §2.3, %s',
    (_, operation, dealers, receivers) => {
      if (operation === undefined) throw new Error('no operation')
      expect(checkParameters(parameters(operation, dealers, receivers))?.refusal).toBe(
        'InvalidParameters',
      )
    },
  )

  test('an input of another algorithm', () => {
    const input = Object.assign(unmasked(nodes), { algorithm: 'ThresholdEd25519' })
    const other = parameters({ type: 'reshareOfUnmasked', input }, nodes, nodes)
    expect(checkParameters(other)?.refusal).toBe('InvalidParameters')
  })

  test('the identity and bad bytes as encryption key', () => {
    const id = bytesOf('node')
    expect(() => member(suite, id, new Uint8Array(33))).toThrow(BadEncoding)
    expect(() => member(suite, id, new Uint8Array(32))).toThrow(BadEncoding)
    expect(() => member(suite, id, fromHex(`02${'ff'.repeat(32)}`))).toThrow(BadEncoding)
  })
})

describe('indices', () => {
  test('a dealer of something new has its position among the dealers', () => {
    const dealers = nodes.slice(2)
    const all = parameters({ type: 'random' }, dealers, nodes)
    expect(dealerIndices(all)).toEqual([0, 1, 2, 3, 4])
    expect(dealerIndexOf(all, nodes[0]?.id ?? new Uint8Array())).toBeUndefined()
  })

  test('a dealer of a reshare has its position among the receivers of the input', () => {
    const dealers = [1, 3, 4, 5, 6].flatMap((i) => nodes.slice(i, i + 1))
    const receivers = inOrder([...nodes.slice(3), ...others])
    const reshare = parameters(
      { type: 'reshareOfUnmasked', input: unmasked(nodes) },
      dealers,
      receivers,
    )
    expect(dealerIndices(reshare)).toEqual([1, 3, 4, 5, 6])
    const [, , , node] = nodes
    if (node === undefined) throw new Error('no node')
    expect(dealerIndexOf(reshare, node.id)).toBe(3)
    expect(receiverIndexOf(reshare, node.id)).toBe(receivers.indexOf(node))
    const [first] = nodes
    expect(dealerIndexOf(reshare, first?.id ?? new Uint8Array())).toBeUndefined()
  })
})

describe('thresholds of §2.2', () => {
  test.each([
    [1, [1, 1, 1, 1, 1]],
    [3, [1, 1, 1, 1, 1]],
    [4, [2, 2, 2, 2, 3]],
    [6, [2, 2, 2, 2, 3]],
    [7, [3, 3, 3, 3, 5]],
  ])('dealings collected among %i nodes', (count, due) => {
    const set = nodes.slice(0, count)
    const found = operations(set).map((operation) =>
      collectionThreshold(parameters(operation, set, set)),
    )
    expect(found).toEqual(due)
  })

  test('a reshare collects by the threshold of the old receivers', () => {
    const reshare: Operation = { type: 'reshareOfUnmasked', input: unmasked(nodes) }
    expect(collectionThreshold(parameters(reshare, nodes, four))).toBe(3)
  })
})

test('associated data name subnet, transcript, height, membership and algorithm', () => {
  const data = associatedData(parameters({ type: 'random' }, four, four))
  const due = concat(
    u64be(32n),
    bytesOf('subnet'),
    u64be(2n),
    u64be(4n),
    u64be(3n),
    Uint8Array.of(15),
  )
  expect(toHex(data)).toBe(toHex(due))
})
