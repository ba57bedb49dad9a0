/**
 * What a loss of power may leave of a transaction that LMDB was writing. It writes the changed pages
 * first, in any order as far as the disk is concerned, waits until they are there, and then one of
 * the two head pages. Source: `mdb_txn_commit`, `mdb_env_write_meta` of `mdb.c`.
 */
const PAGE_SIZE = 4_096
const HEADS = 2 * PAGE_SIZE

export type TornWrite = {
  /** Places outside the head pages whose bytes changed, ascending. */
  readonly body: readonly number[]
  /** Those inside, ascending. */
  readonly head: readonly number[]
  /** The file when `written` says of each changed place whether it got there. */
  readonly file: (written: (place: number) => boolean) => Buffer
}

/** `before` and `after`: the whole file around one transaction. */
export function tornWrite(before: Buffer, after: Buffer): TornWrite {
  const changed: number[] = []
  for (let at = 0; at < after.length; at++) if (before[at] !== after[at]) changed.push(at)
  return {
    body: changed.filter((place) => place >= HEADS),
    head: changed.filter((place) => place < HEADS),
    file: (written) => {
      const torn = Buffer.alloc(after.length)
      before.copy(torn)
      for (const place of changed) if (written(place)) torn[place] = after[place] ?? 0
      return torn
    },
  }
}
