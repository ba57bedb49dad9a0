/** What a node reads of its delivered slots. Source: threshold §§17.7, 18.4. */
import { present } from '../base/errors.ts'
import type { Slot } from './log.ts'
import type { LogConfig, SlotDisk } from './log-io.ts'
import { decodeSlot, isOfTimeLine } from './slot-codec.ts'

/** A slot below the end of the disk. */
export const slotOnDisk = (disk: SlotDisk, number: bigint): Slot =>
  decodeSlot(present(disk.contentAt(number), 'slots below the end are on disk')).slot

/** Whether the disk has a slot, and it is of the time line of the node. */
export function isOnDisk(
  { disk, incarnation }: Pick<LogConfig, 'disk' | 'incarnation'>,
  number: bigint,
): boolean {
  const content = number < 0n ? undefined : disk.contentAt(number)
  return content !== undefined && isOfTimeLine(content, incarnation)
}
