/** The ledger's blocks, read in bulk. Source: ledger §11.1, §12 (archives). */
import { BadEncoding } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { Block } from '../../core/ledger/blocks/block.ts'
import { blockOfValue } from '../../core/ledger/blocks/block-value.ts'
import type { NumberedBlock, Range } from '../../core/ledger/blocks/log-queries.ts'
import type { Value } from '../../core/ledger/blocks/value.ts'
import type { GetBlocksResult } from '../../core/ledger/interface/ledger-interface.ts'
import { ledgerInterface } from '../../core/ledger/interface/ledger-interface.ts'
import type { Asking } from './ledger.ts'
import { rawQuery, rawUpdate } from './raw.ts'
import { untrue } from './request-status.ts'
import type { Wire } from './wire.ts'

/** Entries asked for at once; the canisters cut at their own limits. */
export const PAGE = 2_000n
/** More than mainnet has made in years: who serves more is not to be believed. */
export const ENTRIES_MAX = 50_000_000n
const METHOD = 'icrc3_get_blocks'

/** Is told after every page. */
export type OnProgress = (read: number, total: number | undefined) => void

type Reading = Asking & { readonly onProgress?: OnProgress | undefined }
type Question = Asking & { readonly ranges: readonly Range[] }

/** What is no log is no answer of this network. */
export async function believable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof BadEncoding)) throw error
    throw untrue(error.message)
  }
}

/** Reads blocks where they lie: in the ledger, or in an archive that it names. */
export class BlockReader {
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  #ask(canisterId: Principal, methodName: string, { ranges, certified = false }: Question) {
    const method = ledgerInterface[METHOD]
    const target = { canister: 'ledger', canisterId, methodName, method } as const
    return certified
      ? rawUpdate(this.#wire, target, [ranges], { movesValue: false })
      : rawQuery(this.#wire, target, [ranges])
  }

  /** Blocks there are, those in archives included. */
  async length({ certified }: Asking = {}): Promise<bigint> {
    const { ledger } = this.#wire.network.ids
    return (await this.#ask(ledger, METHOD, { ranges: [], certified })).logLength
  }

  /**
   * Blocks `start` to `end` (exclusive, cut to the log), in order. Throws `NETWORK_BAD_CERTIFICATE`
   * when the ledger keeps some back, or gives what is none.
   */
  range(start: bigint, end: bigint, reading: Reading = {}): Promise<readonly Block[]> {
    return believable(() => this.#range({ start, end }, reading, blockOfValue))
  }

  /** The same as the ledger has them, kinds that are not known here included. */
  values(start: bigint, end: bigint, reading: Reading = {}): Promise<readonly Value[]> {
    return believable(() => this.#range({ start, end }, reading, (value) => value))
  }

  async #range<T>(
    { start, end }: { readonly start: bigint; readonly end: bigint },
    { certified, onProgress }: Reading,
    read: (value: Value) => T,
  ): Promise<readonly T[]> {
    const blocks: T[] = []
    const { ledger } = this.#wire.network.ids
    for (;;) {
      const next = start + BigInt(blocks.length)
      if (next >= end) return blocks
      const length = end - next < PAGE ? end - next : PAGE
      const ranges = [{ start: next, length }]
      const page = await this.#ask(ledger, METHOD, { ranges, certified })
      if (page.logLength > ENTRIES_MAX) throw new BadEncoding('a ledger without end')
      if (next >= page.logLength) return blocks
      const found = follow(page.blocks, next)
      const taken = found.length > 0 ? found : await this.#archived(page, next, certified)
      if (taken.length === 0) throw new BadEncoding(`the ledger keeps block ${next} back`)
      for (const { block } of taken) blocks.push(read(block))
      onProgress?.(blocks.length, Number((page.logLength < end ? page.logLength : end) - start))
    }
  }

  /** The blocks from `next` on that an archive gives; an archive may give fewer than asked. */
  async #archived(
    { archivedBlocks }: GetBlocksResult,
    next: bigint,
    certified: boolean | undefined,
  ) {
    for (const { args, callback } of archivedBlocks) {
      const range = args.find(({ start, length }) => start <= next && next < start + length)
      if (range === undefined) continue
      const ranges = [{ start: next, length: range.start + range.length - next }]
      const { canisterId, methodName } = callback
      const { blocks } = await this.#ask(canisterId, methodName, { ranges, certified })
      return follow(blocks, next)
    }
    return []
  }

  /** The whole log. */
  all(onProgress?: OnProgress): Promise<readonly Block[]> {
    return this.range(0n, ENTRIES_MAX, { onProgress })
  }
}

/** The part of an answer that goes on at `next`; a number out of order ends it. */
function follow(blocks: readonly NumberedBlock[], next: bigint): readonly NumberedBlock[] {
  for (const [place, { id }] of blocks.entries())
    if (id !== next + BigInt(place)) throw new BadEncoding(`block ${id} out of order`)
  return blocks
}
