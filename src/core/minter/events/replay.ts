/** State as a fold of the event log. Source: minter §18.1, §18.4. */
import type { Principal } from '../../ic/principal.ts'
import { consistent } from '../apply/consistency.ts'
import { configOfInit } from '../config.ts'
import { applyChecked } from '../state/event-check.ts'
import { freshState } from '../state/fresh-state.ts'
import type { State } from '../state/state.ts'
import type { Event } from './events.ts'

/**
 * The state that a log leads to, as after an upgrade: guards are free, fees unknown, the root key
 * is given anew.
 *
 * Throws `BadEncoding` for an empty log, one that does not begin with `init`, and one that
 * contradicts itself.
 */
export function replay(events: Iterable<Event>, self: Principal): State {
  let state: State | undefined
  for (const event of events) {
    state ??= stateOfFirst(event, self)
    applyChecked(state, event)
  }
  consistent(state !== undefined, 'a log without events')
  // Whether these left is not on record: the first round hands them over again, which harms
  // nothing.
  for (const [key, { signedTransaction }] of state.submitted)
    if (signedTransaction !== undefined) state.volatile.unsent.add(key)
  return state
}

function stateOfFirst({ payload }: Event, self: Principal): State {
  consistent(payload.type === 'init', 'the first event is not init')
  return freshState(self, configOfInit(payload.args))
}
