/**
 * Transactions and signatures as the minter makes them, against another library. Source: minter
 * §11, §12; BIP-143, BIP-66.
 */
import { Transaction as OtherTransaction, script as otherScript } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { concat, hash32, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { hash160 } from '../../../src/core/base/hash.ts'
import { NS_PER_SECOND, sat } from '../../../src/core/base/units.ts'
import { scriptCodeOfKeyHash, segwitSighash } from '../../../src/core/btc/sighash.ts'
import { compactOfDer, derOfCompact } from '../../../src/core/btc/signature.ts'
import {
  encodeStripped,
  encodeTransaction,
  txid,
  vsize,
  wtxid,
} from '../../../src/core/btc/transaction.ts'
import { scriptOfAddress } from '../../../src/core/minter/addresses.ts'
import { buildTransaction } from '../../../src/core/minter/transactions/build-transaction.ts'
import { withWitnesses } from '../../../src/core/minter/transactions/signed-transaction.ts'
import type { BitcoinAddress, Utxo } from '../../../src/core/minter/types.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const mainScript = scriptOfAddress({ type: 'p2wpkhV0', bytes: new Uint8Array(20).fill(1) })

const address: fc.Arbitrary<BitcoinAddress> = fc.oneof(
  ...(['p2wpkhV0', 'p2pkh', 'p2sh'] as const).map((type) =>
    bytes(20).map((program) => ({ type, bytes: program })),
  ),
  ...(['p2wshV0', 'p2trV1'] as const).map((type) =>
    bytes(32).map((program) => ({ type, bytes: program })),
  ),
)
const utxo: fc.Arbitrary<Utxo> = fc
  .tuple(bytes(32), fc.nat({ max: 2 ** 32 - 2 }), fc.bigInt(100_000n, 10n ** 12n))
  .map(([id, vout, value]) => ({
    outpoint: { txid: hash32(id) as Txid, vout },
    value: sat(value),
    height: 1,
  }))
/** Numbers of an ECDSA signature: not zero, often with zeros in front. */
const scalar = fc.tuple(fc.integer({ min: 0, max: 31 }), bytes(32)).map(([zeros, random]) => {
  const padded = random.map((byte, i) => (i < zeros ? 0 : byte))
  return padded.some((byte) => byte !== 0) ? padded : padded.with(31, 1)
})
const signature = fc.tuple(scalar, scalar).map(([r, s]) => concat(r, s))

it('minter §23.73: bytes, ids, sizes and BIP-143 hashes are those of another library', () => {
  const inputs = fc.uniqueArray(utxo, {
    minLength: 1,
    maxLength: 6,
    selector: ({ outpoint }) => `${toHex(outpoint.txid)}:${outpoint.vout}`,
  })
  const recipients = fc.array(address, { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(
      inputs,
      recipients,
      fc.array(signature, { minLength: 6, maxLength: 6 }),
      bytes(33),
      (utxos, addresses, signatures, publicKey) => {
        const built = buildTransaction({
          utxos,
          recipients: addresses.map((to) => ({ address: to, amount: 20_000n })),
          mainScript,
          rate: 1_000n,
          inputsMax: 1_000n,
        })
        if (built.type !== 'built') return // Five of them need more than one small coin.
        const { transaction } = built
        const signed = new Map(
          utxos.map((_, i) => [i, { publicKey, signature: signatures[i] ?? new Uint8Array(64) }]),
        )
        const whole = withWitnesses({ transaction, signed })
        const encoded = encodeTransaction(whole)
        const other = OtherTransaction.fromBuffer(Buffer.from(encoded))
        expect(new Uint8Array(other.toBuffer())).toEqual(encoded)
        expect(other.getId()).toBe(toDisplayHex(txid(transaction)))
        expect(new Uint8Array(other.getHash(true))).toEqual(wtxid(whole))
        expect(other.virtualSize()).toBe(vsize(whole))
        expect(other.byteLength(false)).toBe(encodeStripped(whole).length)
        for (const [index, { value }] of utxos.entries()) {
          const code = scriptCodeOfKeyHash(hash160(publicKey))
          const digest = segwitSighash({
            tx: transaction,
            index,
            scriptCode: code,
            value,
            hashType: 1,
          })
          const expected = other.hashForWitnessV0(index, Buffer.from(code), value, 1)
          expect(digest).toEqual(new Uint8Array(expected))
        }
      },
    ),
  )
})

describe('a signature', () => {
  it('minter §23.74: is minimal DER by the rules of another library, and reads back', () => {
    fc.assert(
      fc.property(signature, (compact) => {
        const der = derOfCompact(compact)
        const withType = Buffer.from(concat(der, Uint8Array.of(1)))
        expect(otherScript.isCanonicalScriptSignature(withType)).toBe(true)
        const read = otherScript.signature.decode(withType)
        expect(new Uint8Array(read.signature)).toEqual(compact)
        expect(compactOfDer(der)).toEqual(compact)
      }),
    )
  })

  it('minter §23.74: has no zeros in front but the one that a top bit needs', () => {
    const at = (...digits: readonly number[]): Uint8Array => {
      const padded = new Uint8Array(32)
      padded.set(digits, 32 - digits.length)
      return padded
    }
    expect(toHex(derOfCompact(concat(at(1), at(0x80))))).toBe('300702010102020080')
    expect(toHex(derOfCompact(concat(at(0x7f, 0), at(0xff, 0xff))))).toBe('300902027f00020300ffff')
  })

  it('minter §23.74: with a zero is refused, and asked for again', () => {
    const world = new TestMinter()
    const alice = { owner: user(1) }
    world.deposit(alice, 1_000_000n)
    world.withdraw(alice, ADDRESS, 900_000n)
    world.wait(11n * NS_PER_SECOND)
    const one = new Uint8Array(32).with(31, 1)
    const zero = new Uint8Array(32)
    for (const wrong of [concat(zero, one), concat(one, zero), concat(zero, zero)]) {
      const [request] = world.outstanding()
      if (request === undefined) return expect.unreachable()
      world.deliver(request, wrong)
      world.wait(5n * NS_PER_SECOND)
    }
    expect(world.events('xSignatureFailed').length).toBe(3)
    expect(world.events('xInputSigned')).toEqual([])
    world.sign()
    expect(world.chain.sent.length).toBe(1)
  })
})
