/** When a node wants to be woken, and when it wants a slot without an item. Source: architecture §3. */
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_MS } from '../base/units.ts'
import type { NodeOutput } from './node-io.ts'

/** As soon as whatever came meanwhile has been served. */
export const workAlarm: NodeOutput = { type: 'alarm', name: 'work', afterMs: 0 }

/** `timer`: the next one of the canisters. Nothing where none is due. */
export function alarmAt(
  name: 'timer' | 'expiry',
  due: TimestampNs | undefined,
  now: TimestampNs,
): readonly NodeOutput[] {
  if (due === undefined) return []
  const waitNs = due > now ? due - now : 0n
  // One millisecond more, so that the slot which the alarm asks for is not a moment too early.
  return [{ type: 'alarm', name, afterMs: Number(waitNs / NS_PER_MS) + 1 }]
}

/** `due`: for a timer. `read`: a client waits for a newer certificate. */
export const wantsSlot = (type: 'due' | 'read'): NodeOutput => ({ type: 'log', input: { type } })
