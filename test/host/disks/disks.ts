/** Disks of the nodes of one subnet in memory, and slots to put on them. */
import { utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Slot } from '../../../src/core/log/log.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import type { Store } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { foundSubnet } from '../../support/founded.ts'

export const { genesis } = foundSubnet(4)

/** A slot of one item, a letter; a time for each number. */
export const slotOf = (number: bigint, letter: string): Slot => ({
  number,
  time: timestampNs(1_000n + number * 10n),
  proposers: [],
  items: [utf8(letter)],
})

/** Appends one slot a letter. */
export function write(disk: NodeDisk, letters: string): void {
  for (const letter of letters) disk.commit({ slot: slotOf(disk.log.position.next, letter) })
}

/** A founded disk that holds a log of one slot a letter. */
export function diskWith(letters: string, store: Store = new MemoryStore()): NodeDisk {
  const disk = new NodeDisk(store)
  disk.writeSeed(utf8('secret'))
  disk.found(encodeGenesis(genesis))
  write(disk, letters)
  return disk
}

/** What a node that replays from `from` on meets: letters, and incarnations in brackets. */
export function replayed(disk: NodeDisk, from = 0n): string {
  return [...disk.log.entries(from)]
    .map((entry) =>
      entry.type === 'start'
        ? `[${entry.record.incarnation}]`
        : entry.slot.items.map((item) => new TextDecoder().decode(item)).join(),
    )
    .join('')
}
