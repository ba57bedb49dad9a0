/** Goal: pages put together are the whole answer, and tokens are those of the deployed system. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hash32, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sat } from '../../../src/core/base/units.ts'
import type { ScriptUtxos } from '../../../src/core/btc/chain-queries.ts'
import { decodePage, encodePage, PAGE_SIZE, pageOf } from '../../../src/core/btc/utxo-page.ts'
import type { Utxo } from '../../../src/core/btc/utxo-set.ts'
import { compareUtxos } from '../../../src/core/btc/utxo-set.ts'
import { scriptOf } from '../../support/chain-builder.ts'

const filled = (byte: number) => hash32(new Uint8Array(32).fill(byte))
const example = {
  tipHash: filled(0xaa),
  height: 258,
  outpoint: { txid: filled(0xbb), vout: 5 },
}

describe('the token', () => {
  it('is that of the specification', () => {
    const hex = `${'aa'.repeat(32)}fffffefd${'bb'.repeat(32)}05000000`
    expect(toHex(encodePage(example))).toBe(hex)
    expect(decodePage(encodePage(example))).toEqual(example)
  })

  it('of any other length is refused, and says how long it is', () => {
    const bytes = encodePage(example)
    for (let size = 0; size < PAGE_SIZE; size++)
      expect(() => decodePage(bytes.subarray(0, size))).toThrow(BadEncoding)
    expect(() => decodePage(new Uint8Array(73))).toThrow(
      'Could not parse the page, the length is 73, but the expected length is 72.',
    )
  })

  it('holds the largest height and index', () => {
    const largest = {
      ...example,
      height: 0xffff_ffff,
      outpoint: { ...example.outpoint, vout: 0xffff_ffff },
    }
    expect(decodePage(encodePage(largest))).toEqual(largest)
  })
})

describe('pages', () => {
  const utxo = fc
    .record({ height: fc.nat(5), first: fc.nat(3), vout: fc.constantFrom(0, 1, 255, 256, 70_000) })
    .map(
      ({ height, first, vout }): Utxo => ({
        outpoint: { txid: filled(first), vout },
        value: sat(1n),
        script: scriptOf(1),
        height,
        coinbase: false,
      }),
    )
  const answers = fc.uniqueArray(utxo, {
    selector: ({ height, outpoint }) => `${height} ${toHex(outpoint.txid)} ${outpoint.vout}`,
  })

  it('put together are the whole answer, in order, whatever their size', () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 5 }), (list, size) => {
        const utxos = list.toSorted(compareUtxos)
        const whole: ScriptUtxos = { type: 'utxos', utxos, tipHash: filled(1), tipHeight: 9 }
        const collected: Utxo[] = []
        let page = pageOf(whole, undefined, size)
        collected.push(...page.utxos)
        while (page.nextPage !== undefined) {
          page = pageOf(whole, decodePage(page.nextPage), size)
          expect(page.utxos.length).toBeGreaterThan(0)
          collected.push(...page.utxos)
        }
        expect(collected).toEqual(utxos)
      }),
    )
  })

  it('a full page without more has no token', () => {
    const utxos = [{ ...example, value: sat(1n), script: scriptOf(1), coinbase: false }]
    const whole: ScriptUtxos = { type: 'utxos', utxos, tipHash: filled(1), tipHeight: 9 }
    expect(pageOf(whole, undefined, 1).nextPage).toBeUndefined()
  })
})
