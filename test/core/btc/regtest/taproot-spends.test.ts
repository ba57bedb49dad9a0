/**
 * Goal: the key path and the script path of BIP341, each rule with Bitcoin Core's error for it.
 * Method: a right spend, built from the text of the BIPs alone, is broken in one place each time.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../../src/core/base/bytes.ts'
import { hash160 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { ScriptFlags } from '../../../../src/core/btc/regtest/script-rules.ts'
import { CONSENSUS_FLAGS, STANDARD_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import { p2shScript } from '../../../../src/core/btc/script.ts'
import type { TxOut } from '../../../../src/core/btc/transaction.ts'
import { hashOf } from '../builders.ts'
import type { Made, SpendParts } from './taproot-spends.ts'
import { runTaproot } from './taproot-spends.ts'
import { keyOf, secretOf } from './taproots.ts'

const EMPTY = new Uint8Array(0)
const flip = (bytes: Uint8Array, at: number, bits = 1): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ bits : byte))
const filledWith = (size: number, byte = 7): Uint8Array => new Uint8Array(size).fill(byte)

const verdict = (parts: SpendParts, flags: ScriptFlags = CONSENSUS_FLAGS): string =>
  runTaproot(parts, flags)

const onSpent =
  (index: number, change: (output: TxOut) => TxOut) =>
  (made: Made): Made => ({
    ...made,
    spent: made.spent.map((output, i) => (i === index ? change(output) : output)),
  })

const onWitness =
  (change: (witness: readonly Uint8Array[]) => readonly Uint8Array[]) =>
  (made: Made): Made => ({ ...made, witness: change(made.witness) })

const keyPath: SpendParts = { stack: (sign) => [sign()] }
const annex = concat(Uint8Array.of(0x50), filledWith(9))

describe('the key path', () => {
  test.each([0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83])(
    'is spent by a signature of type %i, with and without annex',
    (hashType) => {
      const stack: SpendParts['stack'] = (sign) => [sign({ hashType })]
      expect(verdict({ stack }, STANDARD_FLAGS)).toBe('OK')
      expect(verdict({ stack, annex })).toBe('OK')
      expect(verdict({ stack, index: 0 })).toBe('OK')
    },
  )

  const type =
    (byte: number): SpendParts['stack'] =>
    (sign) => [concat(sign(), Uint8Array.of(byte))]
  const single = (hashType: number): SpendParts => ({
    index: 2,
    outputs: 2,
    stack: (sign) => [sign({ hashType })],
  })
  const cases: readonly (readonly [string, SpendParts, string])[] = [
    ['the default type written out', { stack: type(0) }, 'SCHNORR_SIG_HASHTYPE'],
    ...[0x04, 0x20, 0x41, 0x80, 0x84, 0xff].map(
      (byte) =>
        [`the unknown type ${byte}`, { stack: type(byte) }, 'SCHNORR_SIG_HASHTYPE'] as const,
    ),
    ['SINGLE without an output of its own', single(3), 'SCHNORR_SIG_HASHTYPE'],
    ['SINGLE with ANYONECANPAY, without output', single(0x83), 'SCHNORR_SIG_HASHTYPE'],
    ['a type that was not signed', { stack: type(1) }, 'SCHNORR_SIG'],
    ['no bytes', { stack: () => [EMPTY] }, 'SCHNORR_SIG_SIZE'],
    ['63 bytes', { stack: (sign) => [sign().subarray(1)] }, 'SCHNORR_SIG_SIZE'],
    [
      '66 bytes',
      { stack: (sign) => [concat(sign(), EMPTY, filledWith(2, 1))] },
      'SCHNORR_SIG_SIZE',
    ],
    ['a flipped bit of R', { stack: (sign) => [flip(sign(), 3)] }, 'SCHNORR_SIG'],
    ['a flipped bit of s', { stack: (sign) => [flip(sign(), 40)] }, 'SCHNORR_SIG'],
    [
      'the key without its tweak',
      { stack: (sign) => [sign({ secret: secretOf(1) })] },
      'SCHNORR_SIG',
    ],
    ['the hash of another input', { stack: (sign) => [sign({ index: 0 })] }, 'SCHNORR_SIG'],
    [
      'an annex that was not signed',
      { ...keyPath, change: onWitness((items) => [...items, annex]) },
      'SCHNORR_SIG',
    ],
    [
      'another annex',
      { ...keyPath, annex, change: onWitness((items) => [...items.slice(0, 1), flip(annex, 5)]) },
      'SCHNORR_SIG',
    ],
    [
      'the annex gone',
      { ...keyPath, annex, change: onWitness((items) => items.slice(0, 1)) },
      'SCHNORR_SIG',
    ],
    ['no witness', { stack: () => [] }, 'WITNESS_PROGRAM_WITNESS_EMPTY'],
    ['nothing but what looks like an annex', { stack: () => [annex] }, 'SCHNORR_SIG_SIZE'],
    [
      'a scriptSig',
      { ...keyPath, change: (made) => ({ ...made, scriptSig: Uint8Array.of(0x51) }) },
      'WITNESS_MALLEATED',
    ],
    [
      'another amount of its own',
      { ...keyPath, change: onSpent(1, (output) => ({ ...output, value: sat(1n) })) },
      'SCHNORR_SIG',
    ],
    [
      'another amount of a neighbour',
      { ...keyPath, change: onSpent(0, (output) => ({ ...output, value: sat(1n) })) },
      'SCHNORR_SIG',
    ],
    [
      'another script of a neighbour',
      { ...keyPath, change: onSpent(2, (output) => ({ ...output, script: Uint8Array.of(0x52) })) },
      'SCHNORR_SIG',
    ],
    [
      'an output key that is no point',
      {
        ...keyPath,
        change: onSpent(1, (output) => ({
          ...output,
          script: fromHex(`5120${'05'.padStart(64, '0')}`),
        })),
      },
      'SCHNORR_SIG',
    ],
  ]

  test.each(cases)('is not spent with %s', (_, parts, error) => {
    expect(verdict(parts)).toBe(error)
    expect(verdict(parts, STANDARD_FLAGS)).toBe(error)
  })

  test('of an input that lets anyone pay does not look at its neighbours', () => {
    const parts: SpendParts = {
      stack: (sign) => [sign({ hashType: 0x81 })],
      change: onSpent(0, (output) => ({ ...output, value: sat(1n) })),
    }
    expect(verdict(parts)).toBe('OK')
  })

  test('is nothing yet without the rules of taproot', () => {
    const flags = new Set([...STANDARD_FLAGS].filter((flag) => flag !== 'TAPROOT'))
    expect(verdict({ stack: () => [EMPTY] }, flags)).toBe('OK')
  })

  test('is nothing yet inside P2SH', () => {
    const nested = (made: Made): Made => {
      const script = made.spent[1]?.script ?? EMPTY
      return {
        ...onSpent(1, (output) => ({ ...output, script: p2shScript(hash160(script)) }))(made),
        scriptSig: concat(Uint8Array.of(script.length), script),
      }
    }
    const parts: SpendParts = { stack: () => [filledWith(3)], change: nested }
    expect(verdict(parts)).toBe('OK')
    expect(verdict(parts, STANDARD_FLAGS)).toBe('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM')
  })
})

const leaf = { script: concat(Uint8Array.of(0x20), keyOf(2), Uint8Array.of(0xac)) }
const scriptPath: SpendParts = { leaf, stack: (sign) => [sign()], siblings: [hashOf('beside')] }
/** Changes the control block, which stands last. */
const onControl = (change: (control: Uint8Array) => Uint8Array): SpendParts => ({
  ...scriptPath,
  change: onWitness((items) => [...items.slice(0, -1), change(items.at(-1) ?? EMPTY)]),
})

describe('the script path', () => {
  test.each([0, 1, 2, 3, 127, 128])('reaches a leaf at depth %i', (depth) => {
    const siblings = Array.from({ length: depth }, (_, i) => hashOf(`level ${i}`))
    expect(verdict({ ...scriptPath, siblings }, STANDARD_FLAGS)).toBe('OK')
    expect(verdict({ ...scriptPath, siblings, annex })).toBe('OK')
  })

  const tooDeep = Array.from({ length: 129 }, (_, i) => hashOf(`level ${i}`))
  const cases: readonly (readonly [string, SpendParts, string])[] = [
    ['a depth of 129', { ...scriptPath, siblings: tooDeep }, 'TAPROOT_WRONG_CONTROL_SIZE'],
    ['no control block', onControl(() => EMPTY), 'TAPROOT_WRONG_CONTROL_SIZE'],
    [
      'a control block of 32 bytes',
      onControl((c) => c.subarray(0, 32)),
      'TAPROOT_WRONG_CONTROL_SIZE',
    ],
    ['a byte less', onControl((c) => c.subarray(0, -1)), 'TAPROOT_WRONG_CONTROL_SIZE'],
    ['a byte more', onControl((c) => concat(c, filledWith(1))), 'TAPROOT_WRONG_CONTROL_SIZE'],
    ['the other parity', onControl((c) => flip(c, 0)), 'WITNESS_PROGRAM_MISMATCH'],
    ['another leaf version', onControl((c) => flip(c, 0, 2)), 'WITNESS_PROGRAM_MISMATCH'],
    [
      'another internal key',
      onControl((c) => concat(c.subarray(0, 1), keyOf(9), c.subarray(33))),
      'WITNESS_PROGRAM_MISMATCH',
    ],
    [
      'an internal key that is no point',
      onControl((c) => concat(c.subarray(0, 1), fromHex('05'.padStart(64, '0')), c.subarray(33))),
      'WITNESS_PROGRAM_MISMATCH',
    ],
    ['another hash beside', onControl((c) => flip(c, 40)), 'WITNESS_PROGRAM_MISMATCH'],
    ['a level less', onControl((c) => c.subarray(0, 33)), 'WITNESS_PROGRAM_MISMATCH'],
    [
      'another script',
      {
        ...scriptPath,
        change: onWitness(([sig = EMPTY, , control = EMPTY]) => [
          sig,
          Uint8Array.of(0x51),
          control,
        ]),
      },
      'WITNESS_PROGRAM_MISMATCH',
    ],
    [
      'a signature for the key path',
      { ...scriptPath, stack: (sign) => [sign({ leaf: undefined })] },
      'SCHNORR_SIG',
    ],
    [
      'a signature for another leaf',
      { ...scriptPath, stack: (sign) => [sign({ leaf: { script: Uint8Array.of(0x51) } })] },
      'SCHNORR_SIG',
    ],
    [
      'a signature for another version of the leaf',
      { ...scriptPath, stack: (sign) => [sign({ leaf: { ...leaf, version: 0xc2 } })] },
      'SCHNORR_SIG',
    ],
    [
      'an annex that was not signed',
      { ...scriptPath, change: onWitness((items) => [...items, annex]) },
      'SCHNORR_SIG',
    ],
  ]

  test.each(cases)('is not open with %s', (_, parts, error) => {
    expect(verdict(parts)).toBe(error)
    expect(verdict(parts, STANDARD_FLAGS)).toBe(error)
  })

  test.each([0xc2, 0xbe, 0x66, 0x00])('leaves version %i to the future', (version) => {
    const parts: SpendParts = {
      leaf: { script: filledWith(20_000, 0xff), version },
      stack: () => Array.from({ length: 1_500 }, () => filledWith(600)),
    }
    expect(verdict(parts)).toBe('OK')
    expect(verdict(parts, STANDARD_FLAGS)).toBe('DISCOURAGE_UPGRADABLE_TAPROOT_VERSION')
  })
})
