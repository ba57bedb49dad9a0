/** `ckbtc events`: the minter's event log, a sentence each. Implements `docs/spec/cli.md` §5.14. */
import { setTimeout as pause } from 'node:timers/promises'
import { parseCount } from '../core/base/amounts.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS } from '../core/base/units.ts'
import type { PrintableAnswer } from '../terminal/answer.ts'
import { printPagedAnswer } from '../terminal/answer.ts'
import { answerDocument, Verbatim } from '../terminal/json.ts'
import { localTime } from '../terminal/local-time.ts'
import { openProgress } from '../terminal/progress.ts'
import { shorten } from '../terminal/steps.ts'
import { oneLine, printTable } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { printHanging } from '../terminal/wrap.ts'
import type { EventLine, EventWish } from '../wallet/minter-events.ts'
import { EventLines, eventTypesOf, readEventLines } from '../wallet/minter-events.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { readingAccount } from './reading-account.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'

const LIMIT = 50
const LIMIT_MAX = 100_000
const NUMBER_MAX = 100_000_000
const FOLLOW_MS = 2_000
/** Letters of each end of an identifier on a terminal. */
const SHOWN = 6

export async function events(
  { options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const types = eventTypesOf(options.list('type'))
  const [from, limit] = [countOf(options, 'from', 0), countOf(options, 'limit', 1) ?? LIMIT]
  const session = await open(context)
  const typed = options.text('account')
  const account = typed === undefined ? undefined : readingAccount(typed, session, context).account
  const wish: EventWish = { types, from, limit, account }
  const isRaw = options.isOn('raw')
  const { PAGER: pager } = context.environment
  const page = await read(session, context, wish)
  if (options.isOn('follow')) return follow({ ...wish, isRaw, page }, session, context)
  const answer: PrintableAnswer = {
    schema: 'events',
    network: session.network.name,
    data: { events: page.events.map((line) => documentOf(line, isRaw)), next: page.next },
    warnings: session.warnings,
    essential: '',
    print: (terminal) => {
      print(page.events, terminal, isRaw)
      if (page.hasMore)
        terminal.note(`ckbtc: note: there is more: --from ${page.next}, or a larger --limit`)
    },
  }
  await printPagedAnswer(context.terminal, answer, { pager, wanted: options.isOn('pager') })
}

function countOf(options: Options, name: 'from' | 'limit', min: number): number | undefined {
  const text = options.text(name)
  const max = name === 'from' ? NUMBER_MAX : LIMIT_MAX
  return text === undefined ? undefined : parseCount(text, { what: `--${name}`, min, max })
}

/** Reading so many takes no time to speak of. */
const QUICK = 4_000

/** A long log takes a while: says how far it is. */
async function read({ client }: Session, { terminal }: Context, wish: EventWish) {
  const progress = await openProgress(terminal)
  try {
    return await readEventLines(client, wish, (count) => {
      if (count > QUICK) progress.show({ number: 1, label: 'Events', text: `${count} read` })
    })
  } finally {
    progress.stop()
  }
}

type Following = EventWish & {
  readonly isRaw: boolean
  readonly page: Awaited<ReturnType<typeof readEventLines>>
}

/** What there is, then what comes, until Ctrl-C: one line, or one document, for each event. */
async function follow(following: Following, session: Session, context: Context): Promise<void> {
  const { page, isRaw, account } = following
  const { client, network, signal } = session
  const { terminal, whenStopped } = context
  whenStopped({ line: '' })
  const tell = (lines: readonly EventLine[]): void => {
    if (!terminal.settings.json) print(lines, terminal, isRaw, { isMore: true })
    else
      for (const line of lines) {
        const data = documentOf(line, isRaw)
        terminal.answer(
          answerDocument({ schema: 'event', network: network.name, data, warnings: [] }),
        )
      }
  }
  const lines = new EventLines(client, following)
  let next = page.next
  // The trail of an account begins with the log.
  if (account !== undefined) lines.of(await client.log.range(0n, BigInt(next)), 0)
  tell(page.events)
  while (!signal.aborted) {
    const added = await client.log.range(BigInt(next), BigInt(next + LIMIT_MAX))
    tell(lines.of(added, next))
    next += added.length
    await pause(FOLLOW_MS, undefined, { signal }).catch(() => undefined)
  }
}

const isoOf = (time: TimestampNs): string => new Date(Number(time / NS_PER_MS)).toISOString()

const documentOf = (line: EventLine, isRaw: boolean) => ({
  number: line.number,
  at: line.time === undefined ? null : isoOf(line.time),
  type: line.type,
  sentence: line.sentence(),
  amountSat: line.amountSat,
  txid: line.txid,
  burnBlockIndices: line.burnBlockIndices,
  mintBlockIndex: line.mintBlockIndex,
  account: line.account,
  event: isRaw ? new Verbatim(line.original()) : null,
})

function print(
  lines: readonly EventLine[],
  terminal: Terminal,
  isRaw: boolean,
  { isMore = false }: { readonly isMore?: boolean } = {},
): void {
  if (isRaw) for (const line of lines) terminal.answer(JSON.stringify(line.original()))
  else if (terminal.settings.plain && !isMore)
    printTable(
      terminal,
      [{ title: 'NUMBER' }, { title: 'TIME' }, { title: 'TYPE' }, { title: 'EVENT' }],
      lines.map((line) => plainRow(line)),
    )
  else if (terminal.settings.plain)
    for (const line of lines) terminal.answer(plainRow(line).map(oneLine).join('\t'))
  else if (lines.length === 0 && !isMore) terminal.note('There are no such events.')
  else for (const line of lines) printLine(line, terminal)
}

const plainRow = (line: EventLine): readonly string[] => [
  String(line.number),
  line.time === undefined ? '' : isoOf(line.time),
  line.type,
  line.sentence(),
]

function printLine(line: EventLine, terminal: Terminal): void {
  const isTerminal = terminal.width !== undefined
  const time =
    line.time === undefined ? '' : localTime(new Date(Number(line.time / NS_PER_MS))).slice(0, 19)
  const sentence = line.sentence(isTerminal ? (text) => shorten(text, SHOWN) : undefined)
  printHanging(
    terminal,
    `${String(line.number).padStart(5)}  ${time.padEnd(19)}  `,
    oneLine(sentence),
  )
}
