/** Waits that end early lose nothing, and say how to go on. Implements `docs/spec/cli.md` §3.10. */
import { CkbtcError, Problem } from '../core/base/errors.ts'
import type { Progress } from '../terminal/progress.ts'
import { openProgress } from '../terminal/progress.ts'
import type { Context } from './context.ts'
import { stoppedLine } from './operation-words.ts'

export type Wait = {
  /** Id of the operation. */
  readonly op: string
  /** `deposit`, `redemption`. */
  readonly what: string
}

/**
 * Runs `look` with signs of life. Ctrl-C says how to come back; the end of `--timeout` is
 * `OPERATION_OPEN`.
 */
export async function waiting<T>(
  context: Context,
  { op, what }: Wait,
  look: (progress: Progress) => Promise<T>,
): Promise<T> {
  context.whenStopped({ line: stoppedLine(what, op) })
  const progress = await openProgress(context.terminal)
  try {
    return await look(progress)
  } catch (error) {
    const isOver = error instanceof CkbtcError && error.code === 'NETWORK_TIMEOUT'
    if (isOver && context.globals.timeout !== undefined) throw stillOpen(op, what, error)
    throw error
  } finally {
    progress.stop()
  }
}

export const stillOpen = (op: string, what: string, cause?: unknown): Problem =>
  new Problem('OPERATION_OPEN', `the ${what} is not finished; it continues without this window`, {
    fix: 'look again, or keep watching',
    command: `ckbtc status ${op} --wait`,
    details: { op },
    cause,
  })
