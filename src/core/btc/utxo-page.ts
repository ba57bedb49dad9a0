/**
 * Answers of `bitcoin_get_utxos` cut into pages, and the token that names the next. Source:
 * `docs/spec/bitcoin.md` §9.2.
 */
import type { BlockHash } from '../base/bytes.ts'
import { concat, fromBigEndian, hash32, u32be } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import type { ScriptUtxos } from './chain-queries.ts'
import type { OutPoint } from './transaction.ts'
import type { Utxo } from './utxo-set.ts'
import { compareUtxos } from './utxo-set.ts'
import { ByteCursor, ByteSink } from './wire.ts'

/** D4: as deployed. */
export const UTXOS_PER_PAGE_MAX = 1_000
export const PAGE_SIZE = 72

/** Where the next page begins, and the block whose chain it is answered from. */
export type Page = {
  readonly tipHash: BlockHash
  readonly height: number
  readonly outpoint: OutPoint
}

/**
 * Tip hash ‖ height, big-endian and inverted ‖ txid ‖ index, little-endian: tokens sort like
 * entries.
 */
export function encodePage({ tipHash, height, outpoint }: Page): Uint8Array {
  const rest = new ByteSink(36).raw(outpoint.txid).u32(outpoint.vout).done()
  return concat(tipHash, inverted(u32be(height)), rest)
}

export function decodePage(bytes: Uint8Array): Page {
  if (bytes.length !== PAGE_SIZE)
    throw new BadEncoding(
      `Could not parse the page, the length is ${bytes.length}, but the expected length is ${PAGE_SIZE}.`,
    )
  const cursor = new ByteCursor(bytes)
  return {
    tipHash: hash32(cursor.raw(32)),
    height: Number(fromBigEndian(inverted(cursor.raw(4)))),
    outpoint: { txid: hash32(cursor.raw(32)), vout: cursor.u32() },
  }
}

const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff)

/** Entries from `start` on, at most `countMax`, and the token of what remains. */
export function pageOf(
  { utxos, tipHash }: ScriptUtxos,
  start: Pick<Page, 'height' | 'outpoint'> | undefined,
  countMax: number = UTXOS_PER_PAGE_MAX,
): { readonly utxos: readonly Utxo[]; readonly nextPage: Uint8Array | undefined } {
  const rest = start === undefined ? utxos : utxos.filter((utxo) => compareUtxos(utxo, start) >= 0)
  const next = rest[countMax]
  return {
    utxos: rest.slice(0, countMax),
    nextPage: next === undefined ? undefined : encodePage({ tipHash, ...next }),
  }
}
