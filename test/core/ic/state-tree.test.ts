/**
 * Goal: a witness shows what was asked, proves what is missing and hides the rest, under the root
 * of the whole tree; also to the agents that clients have.
 * Method: IC interface §§13.2 to 13.4; random trees, paths and changes against maps, read by our own
 * look-up and by that of `@icp-sdk/core`.
 */
import { Cbor, lookup_path, lookup_subtree } from '@icp-sdk/core/agent'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, toHex, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { decodeCbor, encodeCbor } from '../../../src/core/ic/cbor.ts'
import type { HashTree, Path } from '../../../src/core/ic/hash-tree.ts'
import {
  cborOfHashTree,
  hashTreeOfCbor,
  labelsOf,
  lookup,
  lookupTree,
  rootHash,
} from '../../../src/core/ic/hash-tree.ts'
import type { StateTree } from '../../../src/core/ic/state-tree.ts'
import { branch, deferred, leaf, witness } from '../../../src/core/ic/state-tree.ts'

/** A tree as plainly as it can be had; labels in hexadecimal. */
type Model = Uint8Array | Map<string, Model>

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const treeOf = (model: Model, wrap = (make: () => StateTree) => make()): StateTree =>
  model instanceof Map
    ? branch(
        [...model].map(
          ([label, child]) => [bytesOf(label), wrap(() => treeOf(child, wrap))] as const,
        ),
      )
    : leaf(model)
const at = (model: Model, path: Path): Model | undefined =>
  path.reduce<Model | undefined>(
    (here, label) => (here instanceof Map ? here.get(toHex(label)) : undefined),
    model,
  )
/** Over the wire, as a client gets it. */
const sent = (tree: HashTree): HashTree =>
  hashTreeOfCbor(decodeCbor(encodeCbor(cborOfHashTree(tree))))

const words = (text: string): Path => text.split('/').map(utf8)
// Few bytes: labels often begin alike, and many are the beginning of others.
const label = fc
  .array(fc.constantFrom(0, 0x61, 0x62, 0xff), { maxLength: 3 })
  .map((bytes) => Uint8Array.from(bytes))
const path = fc.array(label, { maxLength: 4 })
const value = fc.uint8Array({ maxLength: 3 })
const { model } = fc.letrec<{ model: Model; branch: Model; leaf: Model }>((tie) => ({
  leaf: value,
  branch: fc
    .uniqueArray(fc.tuple(label.map(toHex), tie('model')), {
      selector: ([name]) => name,
      maxLength: 6,
    })
    .map((children): Model => new Map(children)),
  model: fc.oneof({ depthSize: 'medium' }, tie('leaf'), tie('branch')),
}))

/** Everything under a node, nothing pruned: what a path of the model must show. */
function expectWhole(tree: HashTree, expected: Model): void {
  if (!(expected instanceof Map)) {
    expect(tree).toEqual({ type: 'leaf', value: expected })
    return
  }
  expect(labelsOf(tree).map(toHex)).toEqual([...expected.keys()].sort())
  for (const [name, child] of expected) {
    const found = lookupTree(tree, [bytesOf(name)])
    if (found.type !== 'found') throw new Error(`${name} is not shown`)
    expectWhole(found.tree, child)
  }
}

/** Values that a tree shows, by path. */
function shownValues(tree: HashTree, here: Path = []): readonly Path[] {
  if (tree.type === 'leaf') return [here]
  return labelsOf(tree).flatMap((name) => {
    const found = lookupTree(tree, [name])
    return found.type === 'found' ? shownValues(found.tree, [...here, name]) : []
  })
}

const isBeginning = (a: Path, b: Path): boolean =>
  a.length <= b.length && a.every((name, place) => toHex(name) === toHex(b[place] ?? utf8('-')))

describe('a witness', () => {
  test('shows all under each path that exists, proves the others absent, and has the root', () => {
    fc.assert(
      fc.property(model, fc.array(path, { maxLength: 5 }), (contents, paths) => {
        const tree = treeOf(contents)
        const shown = sent(witness(tree, paths))
        expect(rootHash(shown)).toEqual(tree.hash)
        for (const asked of paths) {
          const expected = at(contents, asked)
          const found = lookupTree(shown, asked)
          expect(found.type).toBe(expected === undefined ? 'absent' : 'found')
          if (found.type === 'found' && expected !== undefined) expectWhole(found.tree, expected)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('shows no value that was not asked for', () => {
    fc.assert(
      fc.property(model, fc.array(path, { maxLength: 5 }), (contents, paths) => {
        for (const shown of shownValues(witness(treeOf(contents), paths)))
          expect(
            paths.some((asked) => isBeginning(asked, shown) || isBeginning(shown, asked)),
          ).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('is the same where parts of the tree are made when they are asked for', () => {
    fc.assert(
      fc.property(model, fc.array(path, { maxLength: 5 }), (contents, paths) => {
        const lazy = treeOf(contents, deferred)
        expect(lazy.hash).toEqual(treeOf(contents).hash)
        expect(witness(lazy, paths)).toEqual(witness(treeOf(contents), paths))
      }),
    )
  })

  test('is read alike by the agent where a path exists', () => {
    fc.assert(
      fc.property(model, path, (contents, asked) => {
        const tree = witness(treeOf(contents), [asked])
        const agents = Cbor.decode<Parameters<typeof lookup_path>[1]>(
          encodeCbor(cborOfHashTree(tree)),
        )
        const ours = lookup(tree, asked)
        const theirs = lookup_path([...asked], agents)
        if (ours.type === 'found') expect(theirs).toMatchObject({ status: 'Found' })
        else expect(theirs.status).not.toBe('Found')
        if (at(contents, asked) !== undefined)
          expect(lookup_subtree([...asked], agents).status).toBe('Found')
      }),
      { numRuns: 500 },
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
    const shown = witness(tree, [words('canister'), words('time/z'), words('canister_ranges/w')])
    expect(rootHash(shown)).toEqual(tree.hash)
    expect(lookup(shown, words('canister/y'))).toMatchObject({ type: 'found' })
    expect(lookup(shown, words('canister_ranges/w'))).toEqual({ type: 'absent' })
    expect(lookup(shown, words('canister_ranges/x'))).toEqual({ type: 'unknown' })
    expect(lookup(shown, words('time/z'))).toEqual({ type: 'absent' })
    expect(lookup(shown, words('subnet'))).toEqual({ type: 'absent' })
  })
})

describe('a state tree', () => {
  type Change = { readonly name: Uint8Array; readonly value: Uint8Array | undefined }
  const changes = fc.array(
    fc.record({ name: label, value: fc.option(value, { nil: undefined }) }),
    { maxLength: 40 },
  )

  test('is a function of what it holds, not of how it came about', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const contents = new Map<string, Model>()
        let tree = branch()
        for (const { name, value: next } of list satisfies readonly Change[]) {
          tree = next === undefined ? tree.without(name) : tree.with(name, leaf(next))
          if (next === undefined) contents.delete(toHex(name))
          else contents.set(toHex(name), next)
        }
        expectWhole(witness(tree, [[]]), contents)
        const sorted = new Map([...contents].sort(([a], [b]) => (a < b ? 1 : -1)))
        // The whole of both, forks included: equal in shape, not only in root.
        expect(witness(tree, [[]])).toEqual(witness(treeOf(sorted), [[]]))
        expect(tree.hash).toEqual(rootHash(witness(tree, [[]])))
      }),
    )
  })

  test('stays as it was when another is made from it', () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const apply = (start: ReturnType<typeof branch>, list: readonly Change[]) =>
          list.reduce(
            (tree, { name, value: next }) =>
              next === undefined ? tree.without(name) : tree.with(name, leaf(next)),
            start,
          )
        const old = apply(branch(), before)
        const whole = witness(old, [[]])
        apply(old, after)
        expect(witness(old, [[]])).toEqual(whole)
        expect(old.hash).toEqual(rootHash(whole))
      }),
    )
  })

  test('keeps its labels in bytewise order, the shorter of two that begin alike first', () => {
    fc.assert(
      fc.property(fc.array(label), (names) => {
        const tree = branch(names.map((name) => [name, leaf(name)] as const))
        const distinct = [...new Map(names.map((name) => [toHex(name), name])).values()]
        expect(labelsOf(witness(tree, [[]]))).toEqual(distinct.sort(compareBytes))
      }),
    )
  })

  test('without anything has the hash of the empty tree and proves all absent', () => {
    const shown = witness(branch(), [[utf8('x')], [utf8('y'), utf8('z')]])
    expect(shown).toEqual({ type: 'empty' })
    expect(lookup(shown, [utf8('x')])).toEqual({ type: 'absent' })
  })
})

describe('a history of 5,000 requests', () => {
  const id = (index: number): Uint8Array => sha256(u32be(index))
  const status = (index: number): StateTree =>
    branch([
      [utf8('reply'), leaf(u32be(index))],
      [utf8('status'), leaf(utf8('replied'))],
    ])
  const COUNT = 5_000
  const requests = branch(
    Array.from({ length: COUNT }, (_, index) => [id(index), status(index)] as const),
  )
  const tree = branch([
    [utf8('request_status'), requests],
    [utf8('time'), leaf(Uint8Array.of(1))],
  ])
  const shown = (request: Uint8Array): Uint8Array =>
    encodeCbor(cborOfHashTree(witness(tree, [[utf8('time')], [utf8('request_status'), request]])))

  test('is shown in part, in a few hundred bytes to a request', () => {
    for (let index = 0; index < 200; index++) {
      expect(shown(id(index)).length).toBeLessThan(2_000)
      expect(shown(id(COUNT + index)).length).toBeLessThan(2_000)
    }
  })

  test('shows the agent each request that is there, and never one that is not', () => {
    for (let index = 0; index < 200; index++) {
      const read = (request: Uint8Array, name: string) => {
        const bytes = shown(request)
        const asked = [utf8('request_status'), request, utf8(name)]
        const agents = Cbor.decode<Parameters<typeof lookup_path>[1]>(bytes)
        return [lookup_path(asked, agents), lookup(hashTreeOfCbor(decodeCbor(bytes)), asked)]
      }
      const [theirs, ours] = read(id(index), 'reply')
      expect(theirs).toMatchObject({ status: 'Found', value: u32be(index) })
      expect(ours).toEqual({ type: 'found', value: u32be(index) })
      expect(read(id(index), 'error_code')[1]).toEqual({ type: 'absent' })
      const [agents, own] = read(id(COUNT + index), 'status')
      expect(['Unknown', 'Absent']).toContain(agents && 'status' in agents && agents.status)
      expect(own).toEqual({ type: 'absent' })
    }
  })

  test('hashes again only the way to what changed', () => {
    const before = tree.hash
    const more = requests.with(id(COUNT), status(COUNT))
    expect(more.without(id(COUNT)).hash).toEqual(requests.hash)
    expect(more.hash).not.toEqual(requests.hash)
    expect(tree.hash).toEqual(before)
  })
})
