/** `ckbtc verify-reserves`: is every ckBTC backed? Implements `docs/spec/cli.md` §5.13. */
import { readFileSync } from 'node:fs'
import { parseAmount } from '../core/base/amounts.ts'
import {
  HostDisk,
  Problem,
  ReservesInconclusive,
  ReservesMismatch,
  ReservesShort,
  UsageInvalid,
} from '../core/base/errors.ts'
import { formatBtc } from '../core/base/units.ts'
import { printAnswer } from '../terminal/answer.ts'
import { openProgress } from '../terminal/progress.ts'
import { printPairs } from '../terminal/table.ts'
import type { AgreeingSources, SourceTrust } from '../wallet/agreeing-sources.ts'
import { weakest } from '../wallet/bitcoin-source.ts'
import { writePrivate } from '../wallet/private-files.ts'
import { decodeReport, encodeReport, REPORT_BYTES_MAX } from '../wallet/reserve-report.ts'
import type { ReserveFinding, ReserveReport } from '../wallet/reserves.ts'
import { investigateReserves, judgeAgain } from '../wallet/reserves.ts'
import { openSources, sourceNames } from './bitcoin-sources.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { coins } from './money-words.ts'
import { openSession } from './session.ts'

type Judged = {
  readonly network: string
  readonly symbols: { readonly bitcoin: string; readonly token: string }
  readonly report: ReserveReport
  /** Where the Bitcoin view is from. */
  readonly trust: readonly SourceTrust[]
  /** File that holds them. */
  readonly file: string | null
}

/** Where the command gets its Bitcoin view: from the sources of these names. */
export type SourceOf = (
  ...facts: Parameters<typeof openSources>
) => Promise<Pick<AgreeingSources, 'height' | 'outputs' | 'trust' | 'close'>>

export async function verifyReserves(
  { options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
  sourceOf: SourceOf = openSources,
): Promise<void> {
  const file = options.text('report')
  const judged =
    file === undefined
      ? await judgeNow(options, context, { open, sourceOf })
      : await judgeFile(file, options)
  const { report, network } = judged
  const { terminal } = context
  const data = documentOf(judged)
  const failure = failureOf(report, data)
  if (failure !== undefined && terminal.settings.json) throw failure
  printAnswer(terminal, {
    schema: 'verify-reserves',
    network,
    data,
    warnings: [],
    essential: report.verdict,
    print: () =>
      terminal.settings.plain ? printPairs(terminal, plainPairs(data)) : print(judged, context),
  })
  if (failure !== undefined) throw failure
}

async function judgeNow(
  options: Options,
  context: Context,
  { open, sourceOf }: { readonly open: typeof openSession; readonly sourceOf: SourceOf },
): Promise<Judged> {
  const toleranceSat = toleranceOf(options)
  const names = sourceNames(options, context)
  const session = await open(context)
  const progress = await openProgress(context.terminal)
  const show = (text: string): void => progress.show({ number: 1, label: 'Reserves', text })
  let bitcoin: Awaited<ReturnType<SourceOf>> | undefined
  try {
    show('reading events, blocks and coins')
    bitcoin = await sourceOf(names, session, context, show)
    const failFast = options.isOn('failFast')
    const finding = await investigateReserves(session.client, bitcoin, {
      toleranceSat,
      failFast,
      onStep: show,
    })
    const { network, symbols } = session
    const file = options.text('out') ?? null
    if (file !== null) write(file, finding)
    return { network: network.name, symbols, report: finding.report, trust: bitcoin.trust, file }
  } finally {
    progress.stop()
    await bitcoin?.close()
  }
}

/** Re-runs the arithmetic and the derivations on what a file holds; asks nobody. */
async function judgeFile(path: string, options: Options): Promise<Judged> {
  const { views } = decodeReport(readText(path))
  const report = judgeAgain(views, { toleranceSat: toleranceOf(options) })
  const symbols = { bitcoin: 'BTC', token: 'ckBTC' }
  const trust = [{ source: 'report', label: 'server-said', notes: [] }] as const
  return { network: views.network, symbols, report, trust, file: path }
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= REPORT_BYTES_MAX) return bytes.toString('utf8')
  } catch (cause) {
    throw new UsageInvalid(`there is no report at ${path} that can be read`, {
      fix: cause instanceof Error && 'code' in cause ? String(cause.code) : 'name another file',
      command: 'ckbtc verify-reserves --help',
    })
  }
  throw new Problem('REPORT_DAMAGED', 'the report is not intact: it is larger than any report', {
    fix: 'make a new one',
  })
}

function write(path: string, { views, report }: ReserveFinding): void {
  const madeAt = new Date().toISOString()
  try {
    writePrivate(path, encodeReport({ madeAt, verdict: report.verdict, views }))
  } catch (error) {
    if (error instanceof HostDisk) throw error
    throw new HostDisk(path, 'it cannot be written', error)
  }
}

const toleranceOf = (options: Options): bigint => {
  const text = options.text('tolerance')
  return text === undefined ? 0n : parseAmount(text)
}

function documentOf({ report, trust, file }: Judged) {
  const held = report.reservesSat + report.inFlightSat
  const due = report.supplySat + report.owedSat
  const supplier = report.supplyCertified ? 'proved' : 'server-said'
  return {
    verdict: report.verdict,
    height: report.height,
    supplySat: report.supplySat,
    owedSat: report.owedSat,
    reservesConfirmedSat: report.reservesSat,
    inFlightSat: report.inFlightSat,
    excludedSat: report.excludedSat,
    surplusSat: report.surplusSat,
    ratio: due === 0n ? null : Math.round((Number(held) / Number(due)) * 1e6) / 1e6,
    coins: report.coins,
    checks: report.checks,
    contradictions: report.contradictions,
    trust: [
      { what: 'supply', source: 'ledger', label: supplier },
      { what: 'event-log', source: 'minter', label: 'server-said' },
      ...trust.map(({ source, label }) => ({ what: 'bitcoin-view', source, label })),
    ],
    bitcoinLabel: weakest(trust.map(({ label }) => label)),
    bitcoinSources: trust.length,
    report: file,
  }
}

function failureOf(report: ReserveReport, details: object): Error | undefined {
  const [first = 'two views differ'] = report.contradictions
  switch (report.verdict) {
    case 'backed':
      return undefined
    case 'shortfall':
      return new ReservesShort(report.surplusSat, { ...details })
    case 'mismatch':
      return new ReservesMismatch(first, { ...details })
    case 'inconclusive':
      return new ReservesInconclusive('the views never stood still together')
  }
}

const plainPairs = (
  data: ReturnType<typeof documentOf>,
): readonly (readonly [string, string])[] => [
  ['verdict', data.verdict],
  ['height', String(data.height)],
  ['reserves', `${data.reservesConfirmedSat} sat`],
  ['in_flight', `${data.inFlightSat} sat`],
  ['supply', `${data.supplySat} sat`],
  ['owed', `${data.owedSat} sat`],
  ['surplus', `${data.surplusSat} sat`],
  ['coins', `${data.coins.verified} of ${data.coins.total}`],
]

function print({ report, symbols, trust, network, file }: Judged, { terminal }: Context): void {
  const { answer, paint } = terminal
  const { total, verified, mismatched } = report.coins
  const counted = `${total} coin${total === 1 ? '' : 's'}, ${verified === total ? 'all' : verified} found unspent`
  const row = (label: string, amount: string, more = ''): void =>
    answer(`${label.padEnd(29)}${amount}${more === '' ? '' : `    ${more}`}`)
  row(
    'Reserves on Bitcoin',
    coins(report.reservesSat, symbols.bitcoin),
    `${counted} at height ${report.height}`,
  )
  row('  change in flight', formatBtc(report.inFlightSat))
  if (report.excludedSat > 0n)
    row(
      '  not counted',
      formatBtc(report.excludedSat),
      'too small to be credited, or in quarantine',
    )
  row('Supply on the ledger', coins(report.supplySat, symbols.token))
  row('  owed to redeemers', formatBtc(report.owedSat))
  answer('─'.repeat(44))
  answer(verdictLine(report, paint))
  for (const contradiction of report.contradictions) answer(`  ${contradiction}`)
  answer('')
  const derived = total - mismatched
  answer(
    `Checked   ${report.events} events replayed · ${derived} of ${total} addresses derived from the key · ${verified} of ${total} coins on Bitcoin`,
  )
  const ledger = report.supplyCertified ? 'last block certified by the network' : `${network}`
  const view = trust.map((one) => viewOf(one, file)).join(', ')
  answer(`Trusted   ledger: ${ledger} · event log: ${network} · Bitcoin view: ${view}`)
  answer('Not shown whether fewer than the threshold of nodes could sign (see: ckbtc help trust)')
}

/** How strong a view is goes without saying for one's own chain, and for a file. */
function viewOf({ source, label, notes }: SourceTrust, file: string | null): string {
  if (source === 'embedded' && notes.length === 0) return 'embedded chain'
  if (source === 'report') return `the report ${file ?? ''}`
  return `${source} (${[label, ...notes].join('; ')})`
}

function verdictLine(
  { verdict, surplusSat, reservesSat, inFlightSat, supplySat, owedSat }: ReserveReport,
  { good, bad }: Context['terminal']['paint'],
): string {
  const word = verdict.toUpperCase().padEnd(29)
  const sign = surplusSat < 0n ? '' : '+'
  const due = supplySat + owedSat
  const ratio = due === 0n ? '' : `      ${percent(reservesSat + inFlightSat, due)}`
  const why = verdict === 'backed' ? '  (fees kept by the minter)' : ''
  return `${verdict === 'backed' ? good(word) : bad(word)}${sign}${surplusSat} sat${why}${ratio}`
}

/** Four decimals, rounded to the nearest. */
function percent(part: bigint, whole: bigint): string {
  const tenThousandths = (part * 2_000_000n + whole) / (2n * whole)
  return `${tenThousandths / 10_000n}.${String(tenThousandths % 10_000n).padStart(4, '0')} %`
}
