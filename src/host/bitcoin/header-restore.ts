/**
 * Headers of an earlier life are judged again part by part: between two parts other work is done.
 * Source: `docs/spec/bitcoin.md` §4.4 HDR-16.
 */
import type { BlockHeader } from '../../core/btc/block.ts'

export type HeaderRestore = {
  /** Parents first, after genesis. */
  readonly parts: Iterable<readonly BlockHeader[]>
  /** Blocks of the best chain now, genesis among them. */
  readonly count: () => number
  readonly take: (headers: readonly BlockHeader[]) => void
  /** Hears after each part: `from` is the count before it. */
  readonly taken: (from: number) => void
  /** Nobody wants them any more. */
  readonly isOver: () => boolean
  readonly done: () => void
}

/** Ends with the last part, or with the first that is not taken as a whole: the rest is damaged. */
export function restoreHeaders({ parts, count, take, taken, isOver, done }: HeaderRestore): void {
  const iterator = parts[Symbol.iterator]()
  const next = (): void => {
    if (isOver()) return
    const part = iterator.next()
    if (part.done === true) {
      done()
      return
    }
    const from = count()
    take(part.value)
    if (count() > from) taken(from)
    if (count() === from + part.value.length) setImmediate(next)
    else done()
  }
  setImmediate(next)
}
