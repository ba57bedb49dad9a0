/** `ckbtc signer bench`. Implements `docs/spec/cli.md` §5.18. */
import { randomBytes } from 'node:crypto'
import { cpus, totalmem } from 'node:os'
import { parseCount } from '../../core/base/amounts.ts'
import { toHex } from '../../core/base/bytes.ts'
import type { KeyScheme } from '../../core/base/key-scheme.ts'
import type { ControlClient } from '../../host/control/client.ts'
import type { ReplyOf } from '../../host/control/protocol.ts'
import { openProgress } from '../../terminal/progress.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import { printPairs, printTable } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Context } from '../context.ts'
import type { Invocation, Options } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { schemeOption } from './arguments.ts'
import type { Phase } from './phases.ts'
import { PHASES } from './phases.ts'
import type { Bin, Summary } from './statistics.ts'
import { bars, histogram, summaryOf } from './statistics.ts'

const COMMAND = 'ckbtc signer bench'
const COUNT_MAX = 10_000
/** As many requests as wait for a key; threshold specification §23. */
const CONCURRENCY_MAX = 20
const COUNT = 20
const BINS = 10
const BAR_WIDTH = 40
/** A hash, or the message. */
const MESSAGE_SIZE = 32
/** What is there is printed at once. */
const PATIENCE_MS = 2_000

type Wish = {
  readonly scheme: KeyScheme
  readonly count: number
  readonly concurrency: number
  readonly isWarm: boolean
}

type Run = Pick<ReplyOf<'signer-sign'>, 'ms' | 'nodes' | 'slots' | 'shareBytes'>

type Outcome = { readonly runs: readonly Run[]; readonly elapsedMs: number }

export async function bench({ options }: Invocation, context: Context): Promise<void> {
  const wish = wishOf(options)
  const { signal, whenStopped } = context
  const control = await controlOf(context)
  const { nodes, nodesUp, isolation } = await control.ask('status', {}, { signal })
  whenStopped({ line: '', patienceMs: PATIENCE_MS, answers: true })
  const outcome = await measured(wish, control, context)
  const subnet = { nodes, nodesUp: nodesUp.length, isolation }
  report(context.terminal, { wish, outcome, machine: { ...machine(), ...subnet } })
}

function wishOf(options: Options): Wish {
  const number = (name: string, start: number, max: number): number =>
    parseCount(options.text(name) ?? String(start), { what: `--${name}`, min: 1, max })
  return {
    scheme: schemeOption(options, COMMAND),
    count: number('count', COUNT, COUNT_MAX),
    concurrency: number('concurrency', 1, CONCURRENCY_MAX),
    isWarm: options.isOn('warm'),
  }
}

const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryBytes: totalmem(),
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
})
type Machine = ReturnType<typeof machine> & {
  readonly nodes: number
  readonly nodesUp: number
  readonly isolation: string
}

/** Until all are made, or Ctrl-C: what is not done then is left out. */
async function measured(wish: Wish, control: ControlClient, context: Context): Promise<Outcome> {
  const { signal, terminal } = context
  const { scheme, count, concurrency, isWarm } = wish
  const sign = async (): Promise<Run> => {
    const message = toHex(randomBytes(MESSAGE_SIZE))
    const none = { taprootRoot: undefined, account: undefined, only: undefined }
    const asked = { scheme, message, ...none, transcript: false }
    const { ms, nodes, slots, shareBytes } = await control.ask('signer-sign', asked, { signal })
    return { ms, nodes, slots, shareBytes }
  }
  const runs: Run[] = []
  const progress = await openProgress(terminal)
  const show = (text: string): void => progress.show({ label: 'Signing', text })
  let [begun, startedMs] = [0, performance.now()]
  const worker = async (): Promise<void> => {
    while (begun < count) {
      begun += 1
      runs.push(await sign())
      // A line each would be too much where lines stay.
      if (terminal.spins || runs.length % Math.ceil(count / 10) === 0)
        show(`${runs.length} of ${count} signatures`)
    }
  }
  try {
    show(isWarm ? 'one that is not counted' : `${count} signatures`)
    if (isWarm) await sign()
    startedMs = performance.now()
    await Promise.all(Array.from({ length: concurrency }, worker))
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    progress.stop()
  }
  return { runs, elapsedMs: performance.now() - startedMs }
}

type Found = { readonly wish: Wish; readonly outcome: Outcome; readonly machine: Machine }

function report(terminal: Terminal, { wish, outcome, machine: on }: Found): void {
  const { runs, elapsedMs } = outcome
  const { scheme, count, concurrency, isWarm } = wish
  const phases = Object.fromEntries(PHASES.map((phase) => [phase, ofPhase(runs, phase)]))
  const totals = histogram(
    runs.map(({ ms }) => ms.total),
    BINS,
  )
  const perSecond = runs.length / (elapsedMs / 1_000)
  printLocal(terminal, {
    schema: 'signer-bench',
    data: {
      scheme,
      count,
      done: runs.length,
      concurrency,
      warm: isWarm,
      interrupted: runs.length < count,
      elapsedMs: Math.round(elapsedMs),
      perSecond: Number(perSecond.toFixed(3)),
      phases,
      histogram: totals,
      runs: runs.map(({ ms, nodes, slots, shareBytes }) => ({
        ms,
        nodes,
        rounds: slots,
        bytes: shareBytes,
      })),
      machine: on,
    },
    essential: String(summaryOf(runs.map(({ ms }) => ms.total))?.median ?? ''),
    print: () => {
      const ended = runs.length < count ? `, stopped before ${count}` : ''
      const speed = `${perSecond.toFixed(2)} a second, ${concurrency} at a time`
      const { cpu, cores, memoryBytes, platform, node, nodes, nodesUp, isolation } = on
      printPairs(terminal, [
        ['Signatures', `${runs.length} with ${scheme} in ${formatSeconds(elapsedMs)}${ended}`],
        ['Speed', speed],
        ['Subnet', `${nodesUp} of ${nodes} nodes up, isolation ${isolation}`],
        ['Machine', `${cpu}, ${cores} cores, ${gigabytes(memoryBytes)}`],
        ['System', `${platform}, Node ${node}`],
      ])
      if (runs.length > 0) printPhases(terminal, phases, totals)
    },
  })
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`

const ofPhase = (runs: readonly Run[], phase: Phase): Summary | undefined =>
  summaryOf(runs.flatMap(({ ms }) => ms[phase] ?? []))

const milliseconds = (ms: number): string => ms.toFixed(1)

function printPhases(
  terminal: Terminal,
  phases: Readonly<Record<string, Summary | undefined>>,
  totals: readonly Bin[],
): void {
  const titles = ['Min', 'Median', 'p95', 'p99', 'Max'] as const
  const rows = Object.entries(phases).flatMap(([phase, summary]) => {
    if (summary === undefined) return []
    const { min, median, p95, p99, max } = summary
    return [[phase, ...[min, median, p95, p99, max].map(milliseconds)]]
  })
  const columns = titles.map((title) => ({ title, align: 'right' }) as const)
  if (!terminal.settings.plain) terminal.answer('')
  printTable(terminal, [{ title: 'Phase, ms' }, ...columns], rows)
  if (terminal.settings.plain) return
  terminal.answer('')
  const lengths = bars(totals, BAR_WIDTH, terminal.ellipsis === '…' ? '█' : '#')
  const width = Math.max(...totals.map(({ to }) => milliseconds(to).length))
  const edge = (ms: number): string => milliseconds(ms).padStart(width)
  for (const [i, { from, to, count }] of totals.entries())
    terminal.answer(`${edge(from)} to ${edge(to)} ms  ${lengths[i] ?? ''} ${count}`.trimEnd())
}
