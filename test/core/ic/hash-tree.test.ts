/**
 * Goal: a hash tree says what is there, what is not, and what it does not show; and nobody can
 * make it say anything else.
 * Method: IC interface §§13, 27.3; the published trees and look-ups, and random trees against a map.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { decodeCbor, encodeCbor } from '../../../src/core/ic/cbor.ts'
import type { HashTree } from '../../../src/core/ic/hash-tree.ts'
import {
  cborOfHashTree,
  hashTreeOfCbor,
  labelsOf,
  lookup,
  rootHash,
} from '../../../src/core/ic/hash-tree.ts'
import type { StateTree } from '../../../src/core/ic/state-tree.ts'
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
    ['an unknown node', encodeCbor([5n, new Uint8Array()])],
    ['no array', encodeCbor(new Uint8Array())],
    ['a short hash', encodeCbor([4n, new Uint8Array(31)])],
    ['a field too many', encodeCbor([0n, 0n])],
    ['a text label', encodeCbor([2n, 'a', [0n]])],
  ])('with %s is refused', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(BadEncoding)
  })
})

const labels = fc.uint8Array({ maxLength: 4 })
const entries = fc.uniqueArray(fc.tuple(labels, fc.uint8Array({ maxLength: 3 })), {
  selector: ([name]) => toHex(name),
  maxLength: 40,
})
const treeOf = (pairs: readonly (readonly [Uint8Array, Uint8Array])[]): StateTree =>
  branch(pairs.map(([name, value]) => [name, leaf(value)] as const))

describe('a state tree', () => {
  test('has the same hash in whatever order it was built, and after detours', () => {
    fc.assert(
      fc.property(entries, labels, (pairs, extra) => {
        const tree = branch(pairs.map(([name, value]) => [name, leaf(value)] as const))
        const backwards = treeOf([...pairs].reverse())
        expect(backwards.hash).toEqual(tree.hash)
        if (tree.get(extra) === undefined)
          expect(tree.with(extra, leaf(extra)).without(extra).hash).toEqual(tree.hash)
      }),
    )
  })

  test('shows what is asked for, proves what is missing, and hides the rest', () => {
    fc.assert(
      fc.property(entries, fc.array(labels, { maxLength: 6 }), (pairs, asked) => {
        const tree = treeOf(pairs)
        const shown = witness(
          tree,
          asked.map((name) => [name]),
        )
        expect(rootHash(shown)).toEqual(tree.hash)
        const there = new Map(pairs.map(([name, value]) => [toHex(name), value]))
        for (const name of asked) {
          const value = there.get(toHex(name))
          expect(lookup(shown, [name])).toEqual(
            value === undefined ? { type: 'absent' } : { type: 'found', value },
          )
        }
        const values = labelsOf(shown).filter((name) => lookup(shown, [name]).type === 'found')
        for (const name of values) expect(asked.map(toHex)).toContain(toHex(name))
      }),
    )
  })

  test('keeps its labels in order', () => {
    fc.assert(
      fc.property(entries, (pairs) => {
        const all = labelsOf(witness(treeOf(pairs), [[]]))
        expect(all).toEqual(pairs.map(([name]) => name).sort(compareBytes))
      }),
    )
  })

  test('shows whole subtrees and proves gaps on every level', () => {
    const inner = branch([
      [utf8('x'), leaf(utf8('1'))],
      [utf8('y'), leaf(utf8('2'))],
    ])
    const tree = branch([
      [utf8('canister'), inner],
      [utf8('canister_ranges'), inner],
      [utf8('time'), leaf(utf8('t'))],
    ])
    const shown = witness(tree, [path('canister'), path('time/z'), path('canister_ranges/w')])
    expect(rootHash(shown)).toEqual(tree.hash)
    expect(lookup(shown, path('canister/y'))).toMatchObject({ type: 'found' })
    expect(lookup(shown, path('canister_ranges/w'))).toEqual({ type: 'absent' })
    expect(lookup(shown, path('canister_ranges/x'))).toEqual({ type: 'unknown' })
    expect(lookup(shown, path('time/z'))).toEqual({ type: 'absent' })
    expect(lookup(shown, path('subnet'))).toEqual({ type: 'absent' })
  })
})
