/**
 * Goal: verifying a transaction hashes it a bounded number of times, however many inputs, keys and
 * signatures it has.
 * Method: SHA-256 is replaced by one that counts the bytes it is given.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { concat } from '../../../../src/core/base/bytes.ts'
import { installSha256 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import { spendChecker } from '../../../../src/core/btc/regtest/spend-checker.ts'
import { taprootAnnexHash } from '../../../../src/core/btc/sighash.ts'
import { derOfCompact } from '../../../../src/core/btc/signature.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import { strippedSize, transactionFromParts } from '../../../../src/core/btc/transaction.ts'
import { hashOf } from '../builders.ts'

let hashed = 0
beforeEach(() => {
  installSha256((data) => {
    hashed += data.length
    return nobleSha256(data)
  })
  hashed = 0
})
afterAll(() => {
  installSha256(nobleSha256)
})

const output: TxOut = { value: sat(1_000n), script: new Uint8Array(34).fill(0x51) }
const many = (count: number): { tx: Transaction; spent: readonly TxOut[] } => {
  const inputs = Array.from({ length: count }, (_, vout) => ({
    outpoint: { txid: hashOf('coin'), vout },
  }))
  const outputs = inputs.map(() => output)
  return { tx: transactionFromParts({ inputs, outputs }), spent: outputs }
}

/** Reads as a signature, and is none. */
const signatureOf = (hashType: number): Uint8Array =>
  concat(derOfCompact(new Uint8Array(64).fill(1)), Uint8Array.of(hashType))
const publicKey = concat(Uint8Array.of(2), hashOf('key'))
const scriptCode = new Uint8Array(25)

/** Bytes hashed for one question about each input. */
function bytesFor(
  count: number,
  ask: (checker: ReturnType<ReturnType<typeof spendChecker>>) => void,
) {
  const { tx, spent } = many(count)
  const checkerOf = spendChecker(tx, spent)
  hashed = 0
  for (let index = 0; index < count; index++) ask(checkerOf(index))
  return hashed
}

test.each([0x01, 0x03, 0x83])(
  'version 0 and taproot hash n inputs in time n, type %i',
  (hashType) => {
    const signature = signatureOf(hashType)
    const schnorr = concat(new Uint8Array(64), Uint8Array.of(hashType))
    const annexHash = taprootAnnexHash(Uint8Array.of(0x50))
    for (const count of [20, 80]) {
      const segwit = bytesFor(count, (checker) =>
        expect(checker.checkEcdsa({ signature, publicKey, scriptCode, version: 'v0' })).toBe(false),
      )
      const taproot = bytesFor(count, (checker) =>
        expect(
          checker.checkSchnorr({ signature: schnorr, publicKey: hashOf('key'), annexHash }),
        ).toBe('SCHNORR_SIG'),
      )
      expect(segwit / count).toBeLessThan(1_000)
      expect(taproot / count).toBeLessThan(1_000)
    }
  },
)

test('a legacy signature is hashed once for all keys that it is tried on', () => {
  const { tx, spent } = many(100)
  const checker = spendChecker(tx, spent)(0)
  const ask = (hashType: number, code = scriptCode): number => {
    const before = hashed
    const question = { signature: signatureOf(hashType), publicKey, version: 'base' } as const
    expect(checker.checkEcdsa({ ...question, scriptCode: code })).toBe(false)
    return hashed - before
  }
  expect(ask(1)).toBeGreaterThan(strippedSize(tx) - 100)
  for (let key = 0; key < 20; key++) expect(ask(1)).toBe(0)
  expect(ask(1, scriptCode.slice())).toBe(0)
  // Another type and other code are other hashes, and the types of one code are kept together.
  expect(ask(3)).toBeGreaterThan(0)
  expect(ask(1)).toBe(0)
  expect(ask(1, Uint8Array.of(0xac))).toBeGreaterThan(0)
  expect(ask(3, Uint8Array.of(0xac))).toBeGreaterThan(0)
})
