import { describe, expect, test } from 'vitest'
import { concat, fromHex, hash32, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { taprootOutputPoint } from '../../../src/core/base/key-scheme.ts'
import { sat } from '../../../src/core/base/units.ts'
import { STANDARD_FLAGS } from '../../../src/core/btc/regtest/script-rules.ts'
import { spendChecker } from '../../../src/core/btc/regtest/spend-checker.ts'
import { verifyScript } from '../../../src/core/btc/regtest/verify-script.ts'
import { p2trScript } from '../../../src/core/btc/script.ts'
import { tapLeafHash } from '../../../src/core/btc/sighash.ts'
import { commitsToLeaf, readControlBlock, tapBranchHash } from '../../../src/core/btc/taproot.ts'
import { decodeTransaction } from '../../../src/core/btc/transaction.ts'
import { vectorJson } from '../../support/vectors.ts'
import { hashOf } from './builders.ts'

type Leaf = { readonly script: string; readonly leafVersion: number }
type Vectors = {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: unknown }
    readonly intermediary: { readonly merkleRoot: string | null }
    readonly expected: {
      readonly scriptPubKey: string
      readonly scriptPathControlBlocks?: readonly string[]
    }
  }[]
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[]
    }
    readonly auxiliary: { readonly fullySignedTx: string }
  }[]
}

const readVectors = (context: Parameters<typeof vectorJson>[0]): Vectors =>
  vectorJson<Vectors>(context, 'bitcoin-core/bip341_wallet_vectors.json')

/** Leaves of a vector's tree, which nests pairs in arrays, from left to right. */
function leavesOf(tree: unknown): readonly Leaf[] {
  if (Array.isArray(tree)) return tree.flatMap(leavesOf)
  return tree === null ? [] : [tree as Leaf]
}

const leafHashOf = ({ script, leafVersion }: Leaf) => tapLeafHash(leafVersion, fromHex(script))

/** Root of a vector's tree. */
function rootOf(tree: unknown): Uint8Array {
  if (!Array.isArray(tree)) return leafHashOf(tree as Leaf)
  return tree.map(rootOf).reduce((a, b) => tapBranchHash(a, b))
}

describe('BIP341 wallet vectors', () => {
  test('root, output script and control block of every leaf', (context) => {
    let blocks = 0
    for (const { given, intermediary, expected } of readVectors(context).scriptPubKey) {
      const tree = given.scriptTree
      const root = tree === null ? new Uint8Array(0) : rootOf(tree)
      expect(toHex(root)).toBe(intermediary.merkleRoot ?? '')
      const outputKey = taprootOutputPoint(fromHex(given.internalPubkey), root).subarray(1)
      expect(toHex(p2trScript(outputKey))).toBe(expected.scriptPubKey)
      for (const [i, leaf] of leavesOf(tree).entries()) {
        const hex = present(expected.scriptPathControlBlocks?.[i], 'each leaf has one')
        const control = present(readControlBlock(fromHex(hex)), 'it is one')
        expect(control.leafVersion).toBe(leaf.leafVersion)
        expect(toHex(control.internalKey)).toBe(given.internalPubkey)
        expect(commitsToLeaf(outputKey, control, leafHashOf(leaf))).toBe(true)
        blocks++
      }
    }
    expect(blocks).toBe(12)
  })

  test('the fully signed transaction spends every output, and none with one bit flipped', (context) => {
    let inputs = 0
    for (const { given, auxiliary } of readVectors(context).keyPathSpending) {
      const tx = decodeTransaction(fromHex(auxiliary.fullySignedTx))
      const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
        value: sat(BigInt(amountSats)),
        script: fromHex(scriptPubKey),
      }))
      const checkerOf = spendChecker(tx, spent)
      for (const [index, { scriptSig, witness }] of tx.inputs.entries()) {
        const scriptPubKey = present(spent[index], 'it is given').script
        const common = { scriptSig, scriptPubKey, flags: STANDARD_FLAGS, checker: checkerOf(index) }
        expect(verifyScript({ ...common, witness }), `input ${index}`).toBe(undefined)
        const [first, ...rest] = witness
        if (first === undefined) continue // The input that is not taproot, and older than witnesses.
        const flipped = first.map((byte, i) => (i === 50 ? byte ^ 1 : byte))
        expect(verifyScript({ ...common, witness: [flipped, ...rest] })).not.toBe(undefined)
        inputs++
      }
    }
    expect(inputs).toBe(8)
  })
})

describe('control blocks', () => {
  const bytesOf = (size: number): Uint8Array => new Uint8Array(size).fill(0xc1)

  test('have 33 bytes and 32 more for each of at most 128 levels', () => {
    const sizes = Array.from({ length: 33 + 32 * 130 }, (_, size) => size)
    const good = sizes.filter((size) => readControlBlock(bytesOf(size)) !== undefined)
    expect(good).toEqual(Array.from({ length: 129 }, (_, depth) => 33 + 32 * depth))
  })

  test('the first byte holds the leaf version, and in its last bit the parity', () => {
    expect(readControlBlock(bytesOf(33))).toMatchObject({ leafVersion: 0xc0, parity: 1, path: [] })
    expect(readControlBlock(new Uint8Array(65))).toMatchObject({ leafVersion: 0, parity: 0 })
  })

  const script = fromHex('51')
  const internalKey = fromHex('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
  /** No point has x = 5. */
  const offCurve = fromHex('05'.padStart(64, '0'))
  const path = [hashOf('beside'), hashOf('above')]
  const leaf = tapLeafHash(0xc0, script)
  const point = taprootOutputPoint(internalKey, path.reduce(tapBranchHash, leaf))
  const outputKey = point.subarray(1)
  const control = { leafVersion: 0xc0, parity: (point[0] ?? 0) - 2, internalKey, path }

  test('a leaf that the output commits to is found', () => {
    expect(commitsToLeaf(outputKey, control, leaf)).toBe(true)
  })

  test.each([
    ['the parity', outputKey, { ...control, parity: 1 - control.parity }, leaf],
    ['the internal key', outputKey, { ...control, internalKey: hashOf('a') }, leaf],
    ['an internal key that is no point', outputKey, { ...control, internalKey: offCurve }, leaf],
    [
      'an internal key above the field',
      outputKey,
      { ...control, internalKey: new Uint8Array(32).fill(255) },
      leaf,
    ],
    ['the order of the path', outputKey, { ...control, path: path.toReversed() }, leaf],
    ['a level less', outputKey, { ...control, path: path.slice(1) }, leaf],
    ['a level more', outputKey, { ...control, path: [...path, hashOf('b')] }, leaf],
    ['a hash of the path', outputKey, { ...control, path: path.with(0, hashOf('c')) }, leaf],
    ['the leaf version', outputKey, control, tapLeafHash(0xc2, script)],
    ['the script', outputKey, control, tapLeafHash(0xc0, fromHex('52'))],
    ['the output key', hashOf('d'), control, leaf],
    ['an output key of another size', concat(outputKey, Uint8Array.of(0)), control, leaf],
  ])('another leaf is not: %s', (_, key, block, hash) => {
    expect(commitsToLeaf(key, block, hash32(hash))).toBe(false)
  })

  test('the two sides of a branch may be named in either order', () => {
    const [a = leaf, b = leaf] = path
    expect(tapBranchHash(a, b)).toEqual(tapBranchHash(b, a))
  })
})
