/** The journal of the user's operations. Source: `docs/spec/cli.md` §§3.10, 3.14. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Journal } from '../wallet/operations/journal.ts'
import type { Context } from './context.ts'

export const journalPath = ({ directories }: Pick<Context, 'directories'>): string =>
  join(directories.state, 'operations.jsonl')

export const journalOf = (context: Pick<Context, 'directories'>): Journal =>
  new Journal({
    path: journalPath(context),
    entropy: (size) => new Uint8Array(randomBytes(size)),
    nowMs: Date.now,
  })
