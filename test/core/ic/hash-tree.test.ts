/**
 * Goal: a hash tree says what is there, what is not, and what it does not show; and nobody can
 * make it say anything else.
 * Method: IC interface §§13, 27.3; the published trees and look-ups; random trees, pruned at
 * random, against what was there before.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { decodeCbor, encodeCbor } from '../../../src/core/ic/cbor.ts'
import type { HashTree } from '../../../src/core/ic/hash-tree.ts'
import {
  cborOfHashTree,
  hashTreeOfCbor,
  labelsOf,
  lookup,
  lookupTree,
  rootHash,
} from '../../../src/core/ic/hash-tree.ts'
import { branch, leaf, witness } from '../../../src/core/ic/state-tree.ts'
import { expectStrict } from '../btc/strict-decoder.ts'

const ROOT = 'eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0'
const FULL =
  '8301830183024161830183018302417882034568656c6c6f810083024179820345776f726c6483024162820344676f6f' +
  '648301830241638100830241648203476d6f726e696e67'
const PRUNED =
  '83018301830241618301820458201b4feff9bef8131788b0c9dc6dbad6e81e524249c879e9f10f71ce3749f5a6388302' +
  '4179820345776f726c6483024162820458207b32ac0c6ba8ce35ac82c255fc7906f7fc130dab2a090f80fe12f9c2cae8' +
  '3ba6830182045820ec8324b8a1f1ac16bd2e806edba78006479c9877fed4eb464a25485465af601d8302416482034' +
  '76d6f726e696e67'
const decode = (bytes: Uint8Array): HashTree => hashTreeOfCbor(decodeCbor(bytes))
const encode = (tree: HashTree): Uint8Array => encodeCbor(cborOfHashTree(tree))
const path = (text: string) => text.split('/').map(utf8)
const label = (text: string, tree: HashTree): HashTree => ({
  type: 'labeled',
  label: utf8(text),
  tree,
})
const EMPTY: HashTree = { type: 'empty' }

describe('a published tree', () => {
  test.each([FULL, PRUNED])('has its root hash', (hex) => {
    expect(toHex(rootHash(decode(fromHex(hex))))).toBe(ROOT)
    expectStrict({ bytes: fromHex(hex), decode, encode })
  })

  test.each([
    ['a/a', 'unknown'],
    ['a/y', 'found'],
    ['aa', 'absent'],
    ['ax', 'absent'],
    ['b', 'unknown'],
    ['bb', 'unknown'],
    ['d', 'found'],
    ['e', 'absent'],
    ['a', 'error'],
  ])('pruned, answers %s with %s', (text, type) => {
    expect(lookup(decode(fromHex(PRUNED)), path(text)).type).toBe(type)
  })

  test.each([
    ['c', 'absent'], // A label with nothing under it.
    ['c/x', 'absent'],
    ['a', 'error'],
    ['a/y/z', 'absent'],
  ])('whole, answers %s with %s', (text, type) => {
    expect(lookup(decode(fromHex(FULL)), path(text)).type).toBe(type)
  })

  test('shows the values it has', () => {
    const tree = decode(fromHex(PRUNED))
    expect(lookup(tree, path('a/y'))).toEqual({ type: 'found', value: utf8('world') })
    expect(lookup(tree, path('d'))).toEqual({ type: 'found', value: utf8('morning') })
  })
})

describe('a tree that is malformed', () => {
  const cbor = (tree: HashTree): Uint8Array => encode(tree)
  test.each<[string, Uint8Array]>([
    [
      'labels out of order',
      cbor({ type: 'fork', left: label('b', EMPTY), right: label('a', EMPTY) }),
    ],
    ['a label twice', cbor({ type: 'fork', left: label('a', EMPTY), right: label('a', EMPTY) })],
    [
      'a leaf beside a label',
      cbor({ type: 'fork', left: { type: 'leaf', value: utf8('x') }, right: label('a', EMPTY) }),
    ],
    [
      'a leaf in a fork',
      cbor({ type: 'fork', left: EMPTY, right: { type: 'leaf', value: utf8('x') } }),
    ],
    ['an unknown node', encodeCbor([5n, new Uint8Array()])],
    ['no array', encodeCbor(new Uint8Array())],
    ['a short hash', encodeCbor([4n, new Uint8Array(31)])],
    ['a field too many', encodeCbor([0n, 0n])],
    ['a text label', encodeCbor([2n, 'a', [0n]])],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(BadEncoding)
  })
})

describe('a tree that anybody may have pruned', () => {
  const label = fc.uint8Array({ maxLength: 2, max: 2 })
  const tree = fc
    .uniqueArray(fc.tuple(label, fc.uniqueArray(label, { selector: toHex, maxLength: 4 })), {
      selector: ([name]) => toHex(name),
      maxLength: 6,
    })
    .map((children) =>
      branch(
        children.map(
          ([name, names]) => [name, branch(names.map((below) => [below, leaf(below)]))] as const,
        ),
      ),
    )
  /** Prunes by the bits of `choice`, in the order in which nodes are met. */
  function prunedBy(choice: () => boolean, at: HashTree): HashTree {
    if (choice()) return { type: 'pruned', hash: rootHash(at) }
    if (at.type === 'labeled') return { ...at, tree: prunedBy(choice, at.tree) }
    if (at.type !== 'fork') return at
    const [left, right] = [prunedBy(choice, at.left), prunedBy(choice, at.right)]
    return { type: 'fork', left, right }
  }

  test('never tells anything but the truth, and says so where it does not tell', () => {
    fc.assert(
      fc.property(
        tree,
        fc.array(fc.constantFrom(false, false, false, true)),
        fc.array(label, { minLength: 1, maxLength: 3 }),
        (whole, choices, asked) => {
          const truth = lookup(witness(whole, [[]]), asked)
          const left = [...choices]
          const shown = prunedBy(() => left.shift() ?? false, witness(whole, [[]]))
          expect(rootHash(shown)).toEqual(whole.hash)
          const told = lookup(decode(encode(shown)), asked)
          // An inner node of which all is pruned could be a leaf.
          if (told.type !== 'unknown') expect(told).toEqual(truth)
          const subtree = lookupTree(shown, asked)
          if (subtree.type === 'absent') expect(truth.type).toBe('absent')
          for (const name of labelsOf(shown)) expect(whole.get(name)).toBeDefined()
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
