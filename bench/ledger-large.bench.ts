/**
 * Benchmarks G2: a node whose ledger has many accounts and blocks. Source: performance specification
 * §7.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { u64be } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { tokens } from '../src/core/base/units.ts'
import { credit } from '../src/core/ledger/accounts/balances.ts'
import { holder } from './support/large-ledger.ts'
import type { BuildReport, StartReport } from './support/large-ledger-node.ts'
import { freshLedger } from './support/ledger-load.ts'
import type { Benchmark, Prepared } from './support/task.ts'
import { task } from './support/task.ts'

const SCRIPT = fileURLToPath(new URL('./support/large-ledger-node.js', import.meta.url))
/** Budgets: a million accounts, a start. Gates fail at twice as much. */
const ACCOUNT_BYTES = (600 * 2 ** 20) / 1_000_000
const START_MS = 2_000
const MS_PER_S = 1_000

/** What one run of the process prints. */
function run<R>(...args: readonly string[]): R {
  const options = { encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', SCRIPT, ...args],
    options,
  )
  assert(status === 0, `a node with a large ledger lives: ${stderr}`)
  return JSON.parse(stdout)
}

type Built = { readonly directory: string; readonly report: BuildReport }
/** One for both rows: making it takes most of their time. */
const built = new Map<number, Built>()

/** As many accounts as blocks: the first of each is a mint. */
function largeNode(blocks: number): Built {
  const known = built.get(blocks)
  if (known !== undefined) return known
  const directory = mkdtempSync(join(tmpdir(), 'ckbtc-bench-large-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const report = run<BuildReport>('build', directory, `${blocks}`, `${blocks}`)
  built.set(blocks, { directory, report })
  return { directory, report }
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const bench = (name: string, prepare: () => Prepared): Benchmark => ({
  id: 'G2',
  name,
  group: null,
  n: null,
  prepare,
})

/** Timed is one account more; what all of them take is measured beside it. */
const memory = (count: number): Benchmark =>
  bench(`ledger-accounts-${count}`, () => {
    const { tokenBytes, peakBytes, blocksPerSecond } = largeNode(count).report
    const bytes = tokenBytes / count
    assert(bytes <= 2 * ACCOUNT_BYTES, `an account takes ${bytes} bytes`)
    const { balances } = freshLedger()
    return {
      own: task(
        (index) => credit(balances, holder(index), tokens(1n)),
        () => u64be(BigInt(balances.amounts.size)),
      ),
      rate: { perCall: 1, unit: '/s' },
      note:
        `${count} accounts with a block each take ${megabytes(tokenBytes)}, index and archives ` +
        `included, ${megabytes(peakBytes)} at most while they come, ` +
        `${blocksPerSecond.toFixed(0)} a second`,
    }
  })

/** A process of its own each time: what it measures begins when the program is loaded. */
const start = (blocks: number): Benchmark =>
  bench(`ledger-start-${blocks}`, () => {
    const { directory, report } = largeNode(blocks)
    let last: StartReport | undefined
    return {
      own: {
        call: () => {
          last = run<StartReport>('start', directory)
        },
        elapsedUs: () => {
          const { restoredMs, answeredMs } = present(last, 'a start comes first')
          return (restoredMs + answeredMs) * MS_PER_S
        },
        result: () => Uint8Array.of(1),
      },
      clock: 'wall',
      rate: { perCall: 1, unit: '/s' },
      gates: [{ of: 'rate', relation: '>=', bound: MS_PER_S / START_MS / 2 }],
      note:
        `from a snapshot of ${megabytes(report.snapshotBytes)} to the first balance and the first ` +
        'page of a history; wall time, without the start of Node',
    }
  })

export const largeLedgerBenchmarks = (blocks: number): readonly Benchmark[] => [
  memory(blocks),
  start(blocks),
]
