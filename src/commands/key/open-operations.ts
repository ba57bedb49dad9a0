/** Which operations of a key are open; whoever would lose the key asks first. */
import type { OpenOperationsOf } from '../../wallet/keys/key-refusals.ts'
import type { Context } from '../context.ts'

/** No command makes operations yet, so none is open. */
export const openOperationsOf =
  (_: Pick<Context, 'directories'>): OpenOperationsOf =>
  () => []

/** How many are open on the selected network. */
export const openOperationCount = (_: Pick<Context, 'directories' | 'globals'>): number => 0
