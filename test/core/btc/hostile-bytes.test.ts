/**
 * Goal: no bytes make a decoder of Bitcoin data throw anything but `BadEncoding`, take longer than
 * their length, or hold more than they say.
 * Method: the corpora of Bitcoin Core and a real block, cut, doubled, shifted and flipped by a
 * seeded mutator; whatever is accepted goes through every rule, and encodes to the bytes it had.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, concatAll, equalBytes, fromHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { addressOfScript, parseAddress } from '../../../src/core/btc/address.ts'
import {
  checkBlock,
  decodeBlock,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  HEADER_SIZE,
} from '../../../src/core/btc/block.ts'
import { networks, regtest } from '../../../src/core/btc/network.ts'
import { classifyScript, dustThreshold, parseScript } from '../../../src/core/btc/script.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import {
  checkTransaction,
  decodeTransaction,
  encodeTransaction,
  txid,
  weight,
} from '../../../src/core/btc/transaction.ts'
import { decodePage, encodePage } from '../../../src/core/btc/utxo-page.ts'
import { vectorBytes, vectorJson } from '../../support/vectors.ts'

/** One change: what is done, where, and with which bytes. */
const change = fc.record({
  kind: fc.constantFrom('set', 'flip', 'cut', 'double', 'insert', 'widen', 'end'),
  at: fc.nat(),
  size: fc.integer({ min: 1, max: 40 }),
  // Bytes that mean lengths, limits and markers, beside any others.
  bytes: fc.oneof(
    fc.constantFrom(
      '00',
      '01',
      'fc',
      'fd',
      'fe',
      'ff',
      '0001',
      'fdffff',
      'feffffffff',
      'ff'.repeat(9),
    ),
    fc.constantFrom('6a', '51', '4e', '0020', '5120'),
  ),
})
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function mutate(input: Uint8Array, { kind, at, size, bytes }: Change): Uint8Array {
  if (input.length === 0) return fromHex(bytes)
  const place = at % input.length
  const [before, after] = [input.subarray(0, place), input.subarray(place)]
  const put = fromHex(bytes)
  switch (kind) {
    case 'set':
      return concat(before, put, after.subarray(put.length))
    case 'flip':
      return input.map((byte, i) => (i === place ? byte ^ (1 << (size % 8)) : byte))
    case 'cut':
      return concat(before, after.subarray(size))
    case 'double':
      return concat(before, after.subarray(0, size), after)
    case 'widen': // A length in more bytes than needed.
      return concat(before, Uint8Array.of(0xfd, input[place] ?? 0, 0), after.subarray(1))
    case 'insert':
      return concat(before, put, after)
    default:
      return before.slice()
  }
}

const changes = fc.array(change, { minLength: 1, maxLength: 3 })

/** Hands mutated seeds to `visit`, `runs` times. */
function mutants(
  seeds: readonly Uint8Array[],
  visit: (bytes: Uint8Array) => void,
  runs: number,
): void {
  fc.assert(
    fc.property(fc.nat(seeds.length - 1), changes, (index, list) => {
      visit(list.reduce(mutate, seeds[index] ?? new Uint8Array(0)))
    }),
    { numRuns: runs },
  )
}

/** Every rule that looks at one transaction. */
function useTransaction(tx: Transaction, room: number): void {
  const items = tx.inputs.reduce((sum, { witness }) => sum + 1 + witness.length, tx.outputs.length)
  expect(items).toBeLessThanOrEqual(room)
  checkTransaction(tx)
  expect(txid(tx).length).toBe(32)
  expect(weight(tx)).toBeLessThanOrEqual(4 * room)
  for (const { script } of tx.outputs) useScript(script)
  for (const { scriptSig } of tx.inputs) useScript(scriptSig)
}

function useScript(script: Uint8Array): void {
  const ops = parseScript(script)
  expect(ops?.length ?? 0).toBeLessThanOrEqual(script.length)
  classifyScript(script)
  dustThreshold(script)
  const address = addressOfScript(script, regtest)
  if (address === undefined) return
  const parsed = parseAddress(address, regtest)
  expect(parsed.type === 'address' && equalBytes(parsed.script, script)).toBe(true)
}

/** The rows of a corpus are lists; a transaction is the long text of its row. */
const hexOf = (row: readonly unknown[]): readonly string[] =>
  row.filter(
    (field): field is string => typeof field === 'string' && /^[0-9a-f]{60,}$/i.test(field),
  )

describe('mutants of', () => {
  test('Bitcoin Core’s transactions are refused or mean exactly what they say', (context) => {
    const rows = ['tx_valid', 'tx_invalid'].flatMap((name) =>
      vectorJson<readonly (readonly unknown[])[]>(context, `bitcoin-core/${name}.json`),
    )
    const seeds = rows.flatMap(hexOf).map(fromHex)
    expect(seeds.length).toBeGreaterThan(200)
    let accepted = 0
    const visit = (bytes: Uint8Array): void => {
      const tx = attempt(() => decodeTransaction(bytes))
      if (tx instanceof BadEncoding) return
      accepted++
      expect(equalBytes(encodeTransaction(tx), bytes)).toBe(true)
      useTransaction(tx, bytes.length)
    }
    mutants(seeds, visit, 3_000)
    expect(accepted).toBeGreaterThan(300)
  })

  test('a real block are refused or mean exactly what they say, and are judged', (context) => {
    const whole = vectorBytes(context, 'bitcoin-blocks/block300025.raw')
    const { header, transactions } = decodeBlock(whole)
    const seeds = [0, 3, 9].map((start) =>
      encodeBlock({ header, transactions: transactions.slice(start, start + 4) }),
    )
    let accepted = 0
    const visit = (bytes: Uint8Array): void => {
      const block = attempt(() => decodeBlock(bytes))
      if (block instanceof BadEncoding) return
      accepted++
      expect(equalBytes(encodeBlock(block), bytes)).toBe(true)
      // What was changed is not under the header's root any more: never an invalid block.
      expect(checkBlock(block, { network: regtest, height: 300_025 })?.kind).toBe('mutated')
    }
    mutants(seeds, visit, 800)
    expect(accepted).toBeGreaterThan(50)
    // A count of transactions far beyond the bytes costs nothing.
    const counts = ['fdffff', 'feffffffff', 'fe00000002', 'ffffffffffffffffff']
    for (const count of counts) {
      const bytes = concatAll([
        whole.subarray(0, HEADER_SIZE),
        fromHex(count),
        whole.subarray(81, 200),
      ])
      expect(attempt(() => decodeBlock(bytes))).toBeInstanceOf(BadEncoding)
    }
    mutants(
      [whole.slice(0, HEADER_SIZE)],
      (bytes) => {
        const read = attempt(() => decodeHeader(bytes))
        if (!(read instanceof BadEncoding)) expect(equalBytes(encodeHeader(read), bytes)).toBe(true)
      },
      300,
    )
  })

  test('Bitcoin Core’s addresses are refused, or are the address of their script', (context) => {
    const texts = ['key_io_valid', 'key_io_invalid'].flatMap((name) =>
      vectorJson<readonly (readonly unknown[])[]>(context, `bitcoin-core/${name}.json`).map(
        ([text]) => String(text),
      ),
    )
    const seeds = texts.map((text) => new TextEncoder().encode(text))
    const names = Object.values(networks)
    const visit = (bytes: Uint8Array): void => {
      const text = new TextDecoder('latin1').decode(bytes)
      for (const network of names.slice(0, 1 + (bytes.length % names.length))) {
        const parsed = parseAddress(text, network)
        if (parsed.type === 'address')
          expect(addressOfScript(parsed.script, network)).toBe(parsed.text)
        else if (parsed.reason === 'malformed')
          for (const position of parsed.positions) {
            expect(position).toBeGreaterThan(0)
            expect(position).toBeLessThanOrEqual(text.length)
          }
      }
    }
    mutants(seeds, visit, 600)
  })

  test('page tokens are of one length, and read as what they are', () => {
    mutants(
      [new Uint8Array(72).fill(7)],
      (bytes) => {
        const page = attempt(() => decodePage(bytes))
        expect(page instanceof BadEncoding).toBe(bytes.length !== 72)
        if (!(page instanceof BadEncoding)) expect(equalBytes(encodePage(page), bytes)).toBe(true)
      },
      500,
    )
  })
})

test('scripts of any bytes are read to their end or not at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (script) => useScript(script)),
    { numRuns: 400 },
  )
})
