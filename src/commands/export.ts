/** `ckbtc export`: a whole history as a file for bookkeeping. Implements `docs/spec/cli.md` §5.7. */
import { existsSync } from 'node:fs'
import { UsageInvalid } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import { slowly } from '../terminal/late-progress.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Row } from '../wallet/history/filter.ts'
import { walkHistory } from '../wallet/history.ts'
import { PrivateFile, systemCode } from '../wallet/private-files.ts'
import { tokenDocument } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import type { ExportFormat } from './export-formats.ts'
import { csvFormat, jsonFormat } from './export-formats.ts'
import { askedOf, reading, readingWords } from './history-words.ts'
import { readingAccount } from './reading-account.ts'
import { openSession } from './session.ts'
import { requiredOption } from './spending.ts'

const HELP = 'ckbtc export --help'
/** Letters that are written at once. */
const CHUNK_SIZE = 65_536

export async function exportHistory(
  { args: [typed], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const { terminal } = context
  const out = requiredOption(options, 'out', 'export')
  const name = formatName(options, out)
  if (out === '-') refuseDocument(terminal)
  else if (!options.isOn('replace')) requireNew(out)
  const session = await open(context)
  const named = readingAccount(typed, session, context)
  const { wish, warnings } = askedOf(options, named, session, context)
  const allWarnings = () => [...session.warnings, ...named.warnings, ...warnings]
  const facts = { network: session.network.name, account: named.text, token: session.token }
  const format = name === 'csv' ? csvFormat(facts) : jsonFormat(facts)
  const target = out === '-' ? standardOutput(terminal) : newFile(out, options.isOn('replace'))
  let rows = 0
  try {
    await slowly(terminal, reading, async (say) => {
      const found = walkHistory(session.client, {
        ...wish,
        onPage: (reached) => say(readingWords(reached)),
      })
      rows = await write(found, target, { format, warnings: allWarnings })
    })
    target.commit()
  } finally {
    target.close()
  }
  if (out === '-') for (const warning of allWarnings()) terminal.warning(warning)
  else
    printAnswer(terminal, {
      schema: 'export',
      network: session.network.name,
      data: tokenDocument(session.token, { account: named.text, format: name, out, rows }),
      warnings: allWarnings(),
      essential: String(rows),
      print: ({ answer, paint }) =>
        answer(`${paint.good('✓')} ${rows} row${rows === 1 ? '' : 's'} in ${out}`),
    })
}

function formatName(options: Options, out: string): 'csv' | 'json' {
  const wanted = options.text('format') ?? /\.(csv|json)$/i.exec(out)?.[1]?.toLowerCase()
  if (wanted === 'csv' || wanted === 'json') return wanted
  throw new UsageInvalid('the format is missing', {
    fix: 'add --format csv or --format json, or give a file that ends in .csv or .json',
    command: HELP,
  })
}

/** Two documents on one stream would be none. */
function refuseDocument({ settings: { json } }: Terminal): void {
  if (!json) return
  throw new UsageInvalid('--out - prints the rows themselves, and --json a document about them', {
    fix: 'leave --json out; --format json is one document',
    command: HELP,
  })
}

/** Said before anything is read; when it is written, it is looked at again. */
function requireNew(path: string): void {
  if (existsSync(path)) throw taken(path)
}

const taken = (path: string): UsageInvalid =>
  new UsageInvalid(`there is a file at ${path} already`, {
    fix: 'name another one, or add --replace',
    command: HELP,
  })

type Target = {
  append(text: string): void
  /** Nothing is there under the name before. */
  commit(): void
  close(): void
}

const standardOutput = ({ content }: Terminal): Target => ({
  append: content,
  commit: () => {},
  close: () => {},
})

function newFile(path: string, replaces: boolean): Target {
  const file = new PrivateFile(path)
  return {
    append: (text) => file.append(text),
    commit() {
      try {
        file.commit({ exclusive: !replaces })
      } catch (error) {
        throw systemCode(error) === 'EEXIST' ? taken(path) : error
      }
    },
    close: () => file.close(),
  }
}

type Writing = {
  readonly format: ExportFormat
  /** Once all has been read. */
  readonly warnings: () => readonly { readonly code: string; readonly message: string }[]
}

/** Row after row: never more than a page of them is in memory. Their number. */
async function write(
  found: AsyncIterable<Row>,
  target: Target,
  { format, warnings }: Writing,
): Promise<number> {
  let rows = 0
  let chunk = format.head
  for await (const row of found) {
    chunk += format.row(row, rows)
    rows += 1
    if (chunk.length < CHUNK_SIZE) continue
    target.append(chunk)
    chunk = ''
  }
  target.append(chunk + format.tail(warnings()))
  return rows
}
