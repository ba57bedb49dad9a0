/** A peer of a test whose filters are false, with headers to match: the best lie there is. */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { hash32, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { filterHash, filterHeader } from '../../src/core/btc/compact-filter.ts'
import type { Message } from '../../src/core/btc/message.ts'
import type { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { Alter } from './filter-net.ts'

/** A peer whose filters are those that `filterAt` gives, with headers to match. */
export function liar(
  node: RegtestNode,
  filterAt: (height: number, honest: Uint8Array) => Uint8Array,
): Alter {
  type Entry = { block: string; filter: Uint8Array; hash: Hash32; header: Hash32 }
  let made: readonly Entry[] = []
  const entries = (): readonly Entry[] => {
    if (made.length === node.tip().height + 1) return made
    const filters: Entry[] = []
    let header = hash32(new Uint8Array(32))
    for (let height = 0; height <= node.tip().height; height++) {
      const entry = present(node.filters.at(height), 'a filter')
      const filter = filterAt(height, entry.filter)
      header = filterHeader(filterHash(filter), header)
      filters.push({ block: toHex(entry.block), filter, hash: filterHash(filter), header })
    }
    made = filters
    return made
  }
  return (message): readonly Message[] => {
    if (message.type === 'cfilter') {
      const own = entries().find(({ block }) => block === toHex(message.block))
      return [{ ...message, filter: own?.filter ?? message.filter }]
    }
    if (message.type === 'cfheaders') {
      const all = entries()
      const last = all.findIndex(({ block }) => block === toHex(message.stop))
      const first = last - message.hashes.length + 1
      const hashes = all.slice(first, last + 1).map(({ hash }) => hash)
      const previous = all[first - 1]?.header ?? message.previous
      return [{ ...message, previous, hashes }]
    }
    return [message]
  }
}
