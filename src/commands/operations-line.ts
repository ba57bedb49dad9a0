/**
 * One line at the end of a command while operations are open. Implements `docs/spec/cli.md` §3.10.
 */
import { CkbtcError } from '../core/base/errors.ts'
import type { Context } from './context.ts'
import { openOperationCount } from './key/open-operations.ts'

export async function tellOpenOperations(
  context: Context,
  count: (context: Context) => number | Promise<number> = openOperationCount,
): Promise<void> {
  const { json, quiet } = context.terminal.settings
  if (json || quiet) return
  let open: number
  try {
    open = await count(context)
  } catch (error) {
    // The command itself has done its work; the next one that needs the journal says more.
    if (!(error instanceof CkbtcError)) throw error
    context.terminal.note(`ckbtc: note: the journal cannot be read: ${error.message}`)
    return
  }
  if (open === 0) return
  const words = open === 1 ? '1 operation is open' : `${open} operations are open`
  context.terminal.note(`${words}: ckbtc status`)
}
