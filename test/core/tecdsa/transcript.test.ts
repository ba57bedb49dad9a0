/**
 * Goal: what n nodes hold together is the sum, the input or the product, whoever dealt and whoever
 * received. Method: threshold specification §§9, 22.3: every operation among 1, 4, 5, 7,
 * 10 and 13 nodes, secrets reconstructed here and compared; reshares to other nodes of other
 * number, where dealer and receiver index differ.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { reconstructionThreshold } from '../../../src/core/base/party.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import {
  commitToPublicOpening,
  constantTerm,
  shareOpens,
} from '../../../src/core/tecdsa/commitment.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import { verifyDealing } from '../../../src/core/tecdsa/dealing.ts'
import { lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import { collectionThreshold, dealerIndices } from '../../../src/core/tecdsa/parameters.ts'
import type { Opening } from '../../../src/core/tecdsa/secret.ts'
import { unseal } from '../../../src/core/tecdsa/secret.ts'
import {
  combineOpened,
  createTranscript,
  loadShares,
  verifyTranscript,
} from '../../../src/core/tecdsa/transcript.ts'
import type { Run, TestNode, Wanted } from '../../support/threshold.ts'
import {
  bytesOf,
  dealAll,
  finish,
  inOrder,
  makeNodes,
  makeRun,
  order,
  parametersOf,
  reconstruct,
  subsets,
  suite,
} from '../../support/threshold.ts'

const firstOf = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const secretOf = (run: Run): bigint => {
  const t = run.transcript.commitment.points.length
  return reconstruct(run, firstOf(t)).value
}

/** Every share opens, and any t of them give one secret that the constant term commits to. */
function expectSound(run: Run): void {
  const { commitment } = run.transcript
  const t = commitment.points.length
  expect(t).toBe(reconstructionThreshold(run.shares.length))
  run.shares.forEach((share, index) => {
    expect(shareOpens(group, commitment, index, share)).toBe(true)
  })
  const secret = reconstruct(run, firstOf(t))
  const last = firstOf(run.shares.length).slice(-t)
  expect(reconstruct(run, last.toReversed())).toEqual(secret)
  const constant = constantTerm(commitment)
  expect(group.equals(commitToPublicOpening(group, secret), constant)).toBe(true)
}

describe.each([1, 4, 5, 7, 10, 13])('%i nodes', (count) => {
  const nodes = makeNodes(count)
  const among = { dealers: nodes, receivers: nodes }
  const masked = makeRun({ operation: { type: 'random' }, ...among, id: 1n })
  const unmasked = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 2n })
  const reshare: Wanted = {
    operation: { type: 'reshareOfMasked', input: masked },
    ...among,
    id: 3n,
  }
  const refresh: Wanted = {
    operation: { type: 'reshareOfUnmasked', input: unmasked },
    ...among,
    id: 4n,
  }
  const times: Wanted = {
    operation: { type: 'unmaskedTimesMasked', left: unmasked, right: masked },
    ...among,
    id: 5n,
  }

  test('§22.3 secret: a random sharing is the sum of what was dealt', () => {
    expectSound(masked)
    expectSound(unmasked)
    const constants = [...unmasked.dealings.values()].map((d) => constantTerm(d.commitment))
    const sum = constants.reduce((a, b) => group.add(a, b))
    expect(group.equals(sum, constantTerm(unmasked.transcript.commitment))).toBe(true)
    expect(masked.transcript.kind).toEqual({ type: 'masked', origin: { type: 'random' } })
    expect(unmasked.transcript.kind).toEqual({ type: 'unmasked', origin: { type: 'random' } })
    expect(masked.transcript.commitment.type).toBe('pedersen')
  })

  test('§22.3 secret: reshares keep the secret and show its public key', () => {
    const opened = makeRun(reshare)
    expectSound(opened)
    expect(secretOf(opened)).toBe(secretOf(masked))
    const origin = { type: 'reshareMasked', input: 1n }
    expect(opened.transcript.kind).toEqual({ type: 'unmasked', origin })
    const refreshed = makeRun(refresh)
    expectSound(refreshed)
    expect(secretOf(refreshed)).toBe(secretOf(unmasked))
    const [before, after] = [unmasked, refreshed].map((run) =>
      constantTerm(run.transcript.commitment),
    )
    expect(group.equals(before ?? group.zero, after ?? group.g.point)).toBe(true)
    if (count > 1)
      expect(unseal(present(refreshed.shares[0], 'a share')).value).not.toBe(
        unseal(present(unmasked.shares[0], 'a share')).value,
      )
  })

  test('§22.3 secret: a product shares the product', () => {
    const product = makeRun(times)
    expectSound(product)
    expect(secretOf(product)).toBe(mod(secretOf(unmasked) * secretOf(masked), order))
    const origin = { type: 'product', left: 2n, right: 1n }
    expect(product.transcript.kind).toEqual({ type: 'masked', origin })
    expect(product.transcript.combination).toBe('byInterpolation')
  })

  test('§22.3 choice: any c dealings give the same secret, of reshares the same C_0', () => {
    for (const wanted of [reshare, refresh, times]) {
      const dealings = [...dealAll(wanted)]
      const c = collectionThreshold(parametersOf(wanted))
      const t = reconstructionThreshold(count)
      const odd = firstOf(count).toSorted((a, b) => (b % 2) - (a % 2))
      // Sets with more and with fewer of the same dealers, in several orders, and all dealings.
      const chosen = [firstOf(c), firstOf(count).slice(-c), odd.slice(0, c), firstOf(count)]
      const runs = chosen.map((indices) =>
        finish(wanted, new Map(indices.map((i) => present(dealings[i], 'a dealing'))), t),
      )
      expect(new Set(runs.map(secretOf)).size).toBe(1)
      const constants = runs.map((run) => {
        const constant = constantTerm(run.transcript.commitment)
        return toHex(encodePoint(group, constant))
      })
      const different = new Set(chosen.map((indices) => indices.toSorted((a, b) => a - b).join()))
      // The masks of a product are those of its dealers; with one node there is one choice.
      expect(new Set(constants).size).toBe(wanted === times ? different.size : 1)
    }
  })

  test('§22.3 opens: the share of every receiver, of every operation', () => {
    for (const run of [masked, unmasked, ...[reshare, refresh, times].map(makeRun)])
      expectSound(run)
  })
})

describe('change of membership', () => {
  const four = makeNodes(4)
  const seven = makeNodes(7, 'b')
  const key = makeRun({
    operation: { type: 'randomUnmasked' },
    dealers: four,
    receivers: four,
    id: 1n,
  })
  const move = (
    input: Run,
    dealers: readonly TestNode[],
    receivers: readonly TestNode[],
    id: bigint,
  ) => makeRun({ operation: { type: 'reshareOfUnmasked', input }, dealers, receivers, id })

  test('§22.3 move: 4 to 7 to 4 others keep the key', () => {
    const larger = move(key, four, seven, 2n)
    const back = move(larger, seven, makeNodes(4, 'c'), 3n)
    const x = constantTerm(key.transcript.commitment)
    for (const run of [larger, back]) {
      expectSound(run)
      expect(secretOf(run)).toBe(secretOf(key))
      const { parameters, dealings, transcript } = run
      for (const [dealerIndex, dealing] of dealings)
        expect(verifyDealing(suite, { parameters, dealerIndex }, dealing)).toBeUndefined()
      expect(verifyTranscript(suite, parameters, { dealings, transcript })).toBeUndefined()
      expect(group.equals(constantTerm(transcript.commitment), x)).toBe(true)
    }
    expect(larger.transcript.commitment.points).toHaveLength(3)
  })

  test('§22.3 move: dealers that stay deal under their old index and receive under their new one', () => {
    const stay = four.slice(1)
    const mixed = inOrder([...stay, ...seven.slice(0, 4)])
    const moved = stay.map((node) => [four.indexOf(node), mixed.indexOf(node)])
    expect(moved.some(([before, after]) => before !== after)).toBe(true)
    const wanted: Wanted = {
      operation: { type: 'reshareOfUnmasked', input: key },
      dealers: stay,
      receivers: mixed,
      id: 4n,
    }
    const dealings = dealAll(wanted)
    expect([...dealings.keys()]).toEqual([1, 2, 3])
    const parameters = parametersOf(wanted)
    for (const [dealerIndex, dealing] of dealings)
      expect(verifyDealing(suite, { parameters, dealerIndex }, dealing)).toBeUndefined()
    for (const chosen of subsets(3, 2)) {
      const some = chosen.map((i) => present([...dealings][i], 'a dealing'))
      const run = finish(wanted, new Map(some))
      expectSound(run)
      expect(secretOf(run)).toBe(secretOf(key))
    }
  })

  test('a product by dealers under their index in the input', () => {
    const masked = makeRun({
      operation: { type: 'random' },
      dealers: seven,
      receivers: four,
      id: 5n,
    })
    const run = makeRun({
      operation: { type: 'unmaskedTimesMasked', left: key, right: masked },
      dealers: four,
      receivers: inOrder([...seven.slice(2), ...four.slice(0, 2)]),
      id: 6n,
    })
    expectSound(run)
    expect(secretOf(run)).toBe(mod(secretOf(key) * secretOf(masked), order))
  })

  test('§22.3 mixed: old shares among new ones do not give the key, whichever they are', () => {
    const more = move(key, four, seven, 8n)
    const epochs = [
      { t: 2, before: key, after: move(key, four, four, 7n) },
      { t: 3, before: more, after: move(more, seven, seven, 9n) },
    ]
    for (const { t, before, after } of epochs)
      for (const nodes of subsets(before.shares.length, t))
        for (let olds = 0; olds < 1 << t; olds++) {
          const shares = before.shares.map((old, node) => {
            const isOld = (olds >> nodes.indexOf(node)) & 1
            return isOld ? old : present(after.shares[node], 'new')
          })
          const whole = olds === 0 || olds === (1 << t) - 1
          expect(reconstruct({ shares }, nodes).value === secretOf(key)).toBe(whole)
        }
  })
})

describe('refused', () => {
  const nodes = makeNodes(4)
  const among = { dealers: nodes, receivers: nodes }
  const key = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 1n })
  const masked = makeRun({ operation: { type: 'random' }, ...among, id: 2n })
  const wanted: Wanted = { operation: { type: 'reshareOfUnmasked', input: key }, ...among, id: 3n }
  const parameters = parametersOf(wanted)
  const dealings = dealAll(wanted)
  const two = new Map([...dealings].slice(0, 2))
  const transcript = createTranscript(suite, parameters, two)
  if ('refusal' in transcript) throw new Error(transcript.detail)
  const nameOf = (of: ReturnType<typeof createTranscript>): string =>
    'refusal' in of ? of.refusal : 'created'

  test('one dealing too few', () => {
    const one = new Map([...dealings].slice(0, 1))
    expect(nameOf(createTranscript(suite, parameters, one))).toBe('InvalidTranscript')
    expect(verifyTranscript(suite, parameters, { dealings: one, transcript })?.refusal).toBe(
      'InvalidTranscript',
    )
  })

  test('one dealing too many, though it combines to the same key', () => {
    const three = new Map([...dealings].slice(0, 3))
    const larger = createTranscript(suite, parameters, three)
    if ('refusal' in larger) throw new Error(larger.detail)
    expect(
      verifyTranscript(suite, parameters, { dealings: three, transcript: larger })?.refusal,
    ).toBe('InvalidTranscript')
  })

  test('a dealing under the index of a node that does not deal', () => {
    const dealing = present(dealings.get(0), 'a dealing')
    for (const index of [4, -1]) {
      const foreign = new Map([...two, [index, dealing]])
      expect(nameOf(createTranscript(suite, parameters, foreign))).toBe('InvalidTranscript')
    }
  })

  test('dealings under exchanged indices change the public key', () => {
    const [a, b] = [present(two.get(0), 'a'), present(two.get(1), 'b')]
    const exchanged = new Map<NodeIndex, Dealing>([
      [0, b],
      [1, a],
    ])
    expect(nameOf(createTranscript(suite, parameters, exchanged))).toBe('InvalidTranscript')
  })

  test('parameters that are not valid', () => {
    const other = parametersOf({ ...wanted, dealers: nodes.slice(0, 1) })
    expect(nameOf(createTranscript(suite, other, two))).toBe('InvalidParameters')
  })

  test('another combination, id, kind or receivers than the dealings give', () => {
    expect(verifyTranscript(suite, parameters, { dealings: two, transcript })).toBeUndefined()
    const [first = group.zero, ...rest] = transcript.commitment.points
    const commitments = [
      { type: 'simple', points: [group.add(first, group.g.point), ...rest] },
      { type: 'simple', points: [first, group.g.point] },
      { type: 'simple', points: [first] },
      { type: 'pedersen', points: transcript.commitment.points },
    ] as const
    const altered = [
      ...commitments.map((commitment) => ({ ...transcript, commitment })),
      { ...transcript, id: 4n },
      { ...transcript, combination: 'bySummation' as const },
      { ...transcript, kind: key.transcript.kind },
      { ...transcript, receivers: transcript.receivers.toReversed() },
    ]
    for (const other of altered)
      expect(
        verifyTranscript(suite, parameters, { dealings: two, transcript: other })?.refusal,
      ).toBe('InvalidTranscript')
  })

  test('every dealer of the parameters has an index', () => {
    expect(dealerIndices(parameters)).toEqual([0, 1, 2, 3])
    expect(masked.transcript.receivers).toEqual(nodes.map((node) => node.id))
  })
})

describe('loading', () => {
  const nodes = makeNodes(4)
  const among = { dealers: nodes, receivers: nodes }
  const left = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 1n })
  const right = makeRun({ operation: { type: 'random' }, ...among, id: 2n })
  const run = makeRun({
    operation: { type: 'unmaskedTimesMasked', left, right },
    ...among,
    id: 3n,
  })
  const recipient = { receiverIndex: 2, key: present(nodes[2], 'a node').key }
  const weights = Seed.fromBytes(bytesOf('weights')).generator()
  const drawWeight = (): bigint => weights.scalar(group) >> 128n
  const spoil = (dealers: readonly number[]): ReadonlyMap<NodeIndex, Dealing> =>
    new Map(
      [...run.dealings].map(([dealer, dealing]) => {
        if (!dealers.includes(dealer)) return [dealer, dealing]
        const { ciphertext } = dealing
        const ctexts = ciphertext.ctexts.with(
          2,
          (ciphertext.ctexts[2] ?? []).map((scalar) => mod(scalar + 1n, order)),
        )
        return [dealer, { ...dealing, ciphertext: { ...ciphertext, ctexts } }]
      }),
    )
  const both = [undefined, drawWeight]

  test.each(both)('good dealings give the share', (draw) => {
    const loaded = loadShares(suite, { ...run, recipient }, draw)
    const due: Opening = unseal(present(run.shares[2], 'a share'))
    expect(loaded.type === 'loaded' && unseal(loaded.share)).toEqual(due)
  })

  test.each(both)('bad dealings are named, and the share is not available', (draw) => {
    for (const bad of [[0], [1, 2]]) {
      const loaded = loadShares(suite, { ...run, dealings: spoil(bad), recipient }, draw)
      expect(loaded).toEqual({ type: 'unavailable', badDealers: bad })
    }
  })

  test.each(both)('other receivers load what was bad for one', (draw) => {
    const key = present(nodes[0], 'a node').key
    const loaded = loadShares(
      suite,
      { ...run, dealings: spoil([0]), recipient: { receiverIndex: 0, key } },
      draw,
    )
    expect(loaded.type).toBe('loaded')
  })

  test('shares of fewer dealings than the transcript has are a bug, not a share', () => {
    const opened = new Map([[0, present(run.shares[0], 'a share')]])
    const { transcript } = run
    expect(() => combineOpened(suite, { transcript, receiverIndex: 2, opened })).toThrow('combine')
  })
})

test('interpolating dealers, not receivers: weights are those of the dealer indices', () => {
  expect(lagrangeScalars([1, 2], order)).toEqual([3n, order - 2n])
})
