/** The ledger's blocks, read in bulk. Source: ledger §11.1, §12 (archives). */
import type { Hash32 } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { Block } from '../../core/ledger/blocks/block.ts'
import { blockOfValue } from '../../core/ledger/blocks/block-value.ts'
import type { NumberedBlock, Range } from '../../core/ledger/blocks/log-queries.ts'
import type { Value } from '../../core/ledger/blocks/value.ts'
import { hashValue } from '../../core/ledger/blocks/value.ts'
import type { GetBlocksResult } from '../../core/ledger/interface/ledger-interface.ts'
import { ledgerInterface } from '../../core/ledger/interface/ledger-interface.ts'
import type { Asking } from './ledger.ts'
import { rawQuery, rawUpdate } from './raw.ts'
import { untrue } from './request-status.ts'
import type { Wire } from './wire.ts'

/** Entries asked for at once; the canisters cut at their own limits. */
export const PAGE = 2_000n
/** Of one range: the ledger cuts each to what one answer holds, also the part that archives hold. */
const RANGE = 100n
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

  #ask(canisterId: Principal, { ranges, certified = false }: Question): Promise<GetBlocksResult> {
    const method = ledgerInterface[METHOD]
    const target = { canister: 'ledger', canisterId, methodName: METHOD, method } as const
    return certified
      ? rawUpdate(this.#wire, target, [ranges], { movesValue: false })
      : rawQuery(this.#wire, target, [ranges])
  }

  /** Blocks there are, those in archives included. */
  async length({ certified }: Asking = {}): Promise<bigint> {
    const { ledger } = this.#wire.network.ids
    return (await this.#ask(ledger, { ranges: [], certified })).logLength
  }

  /**
   * Blocks `start` to `end` (exclusive, cut to the log), in order, each the parent of the next one.
   * Throws `NETWORK_BAD_CERTIFICATE` when ledger or archive keep some back, or give what is none.
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
    const links = new Links(start)
    const blocks: T[] = []
    const { ledger } = this.#wire.network.ids
    for (;;) {
      const { next } = links
      if (next >= end) return blocks
      const ranges = rangesOf(next, end - next < PAGE ? end : next + PAGE)
      const page = await this.#ask(ledger, { ranges, certified })
      const { logLength } = page
      if (logLength > ENTRIES_MAX) throw new BadEncoding('a ledger without end')
      if (next >= logLength) return blocks
      const total = Number((logLength < end ? logLength : end) - start)
      for await (const part of this.#parts(page, { next, end }, certified)) {
        for (const block of part) {
          links.add(block)
          blocks.push(read(block.block))
        }
        onProgress?.(blocks.length, total)
      }
      if (links.next === next) throw new BadEncoding(`the ledger keeps block ${next} back`)
    }
  }

  /** What an answer of the ledger leads to: its own blocks, or those of the archives it names. */
  async *#parts(
    { blocks, archivedBlocks }: GetBlocksResult,
    { next, end }: { readonly next: bigint; readonly end: bigint },
    certified: boolean | undefined,
  ): AsyncGenerator<readonly NumberedBlock[]> {
    // The ranges follow one another: of the whole answer only what goes on at `next` counts.
    if (blocks[0]?.id === next) {
      yield atMost(blocks, end - next)
      return
    }
    let at = next
    for (;;) {
      const piece = pieceWith(archivedBlocks, at)
      if (piece === undefined || at >= end) return
      const length = min(piece.end - at, min(end - at, RANGE))
      const ranges = [{ start: at, length }]
      const answer = await this.#ask(piece.canisterId, { ranges, certified })
      if (answer.archivedBlocks.length > 0)
        throw new BadEncoding(`an archive names another one for block ${at}`)
      if (answer.blocks.length === 0) throw new BadEncoding(`an archive keeps block ${at} back`)
      yield atMost(answer.blocks, length)
      at += BigInt(answer.blocks.length)
    }
  }

  /** The whole log. */
  all(onProgress?: OnProgress): Promise<readonly Block[]> {
    return this.range(0n, ENTRIES_MAX, { onProgress })
  }
}

function rangesOf(start: bigint, end: bigint): readonly Range[] {
  const ranges: Range[] = []
  for (let at = start; at < end; at += RANGE)
    ranges.push({ start: at, length: min(RANGE, end - at) })
  return ranges
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)

function atMost(blocks: readonly NumberedBlock[], count: bigint): readonly NumberedBlock[] {
  if (BigInt(blocks.length) > count) throw new BadEncoding('more blocks than were asked for')
  return blocks
}

/** The archive that has block `index`, and where its range ends. */
function pieceWith(
  archived: GetBlocksResult['archivedBlocks'],
  index: bigint,
): { readonly canisterId: Principal; readonly end: bigint } | undefined {
  for (const { args, callback } of archived) {
    const range = args.find(({ start, length }) => start <= index && index < start + length)
    if (range === undefined) continue
    // Whatever else it names would be called in the user's name.
    if (callback.methodName !== METHOD)
      throw new BadEncoding(`a ledger that names ${callback.methodName} for its blocks`)
    return { canisterId: callback.canisterId, end: range.start + range.length }
  }
  return undefined
}

/** That blocks follow one another, in number and by their hashes. */
class Links {
  #next: bigint
  #parent: Hash32 | undefined

  constructor(next: bigint) {
    this.#next = next
  }

  get next(): bigint {
    return this.#next
  }

  add({ id, block }: NumberedBlock): void {
    if (id !== this.#next) throw new BadEncoding(`block ${id} out of order`)
    const named = parentOf(block)
    const isLinked = this.#parent === undefined || (named && equalBytes(named, this.#parent))
    if (!isLinked || (named === undefined) !== (id === 0n))
      throw new BadEncoding(`block ${id} is not the child of block ${id - 1n}`)
    this.#parent = hashValue(block)
    this.#next = id + 1n
  }
}

function parentOf(block: Value): Uint8Array | undefined {
  const phash = block.type === 'map' ? block.map.find(([key]) => key === 'phash')?.[1] : undefined
  return phash?.type === 'blob' ? phash.blob : undefined
}
