import { expect, test } from 'vitest'
import { hash32, toHex } from '../../../src/core/base/bytes.ts'
import { sha256d } from '../../../src/core/base/hash.ts'
import { merkleRoot } from '../../../src/core/btc/merkle.ts'

const leaves = (...numbers: number[]) =>
  numbers.map((number) => {
    const leaf = new Uint8Array(32)
    leaf[0] = number
    return hash32(leaf)
  })

// Specification §14.5: each pair of lists has one root; only the longer one is a mutation.
test.each([
  ['6a0d809efdf8c4436bc8f524f88e2dbbeed17b2588bec857f14924c684b5ffe9', [1, 2, 3], [1, 2, 3, 3]],
  [
    'e607497d88566bfa8be054c34687757a8de02d8296133614c8d37f1fbf49fcc1',
    [1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6, 5, 6],
  ],
])('root %s belongs to two lists, and the longer is reported', (root, short, long) => {
  const honest = merkleRoot(leaves(...short))
  const trick = merkleRoot(leaves(...long))
  expect(toHex(honest.root)).toBe(root)
  expect(toHex(trick.root)).toBe(root)
  expect([honest.mutated, trick.mutated]).toEqual([false, true])
})

test('equal neighbours that are no pair are not a mutation', () => {
  expect(merkleRoot(leaves(1, 2, 2, 3)).mutated).toBe(false)
  expect(merkleRoot(leaves(1, 1, 2, 3)).mutated).toBe(true)
})

test('one leaf is its own root, none gives zeros', () => {
  expect(merkleRoot(leaves(7)).root).toEqual(leaves(7)[0])
  expect(merkleRoot([]).root).toEqual(new Uint8Array(32))
})

test('two leaves are hashed in order', () => {
  const [a, b] = leaves(1, 2)
  expect(merkleRoot(leaves(1, 2)).root).toEqual(sha256d(Uint8Array.of(...(a ?? []), ...(b ?? []))))
  expect(merkleRoot(leaves(2, 1)).root).not.toEqual(merkleRoot(leaves(1, 2)).root)
})
