/**
 * An invariant that does not hold stops the minter, and not the node: nothing is minted, burned,
 * signed or sent any more, queries are answered, and everybody hears of it. Source: minter §18.5.
 */
import type { View } from '../../base/view.ts'
import type { TemporarilyUnavailable } from '../types.ts'
import type { Volatile } from './state.ts'

type Broken = View<Pick<Volatile, 'broken'>>

export const isBroken = ({ broken }: Broken): boolean => broken.length > 0

/** What callers are told, and operators; undefined while all is well. */
export const stoppedAsBroken = ({ broken }: Broken): TemporarilyUnavailable | undefined =>
  broken.length === 0
    ? undefined
    : {
        type: 'temporarilyUnavailable',
        message: `the minter has stopped, an invariant of its state does not hold: ${broken[0]}`,
      }
