/** The benchmark runner: `npm run bench -- [options]`. Implements performance specification §6. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installSha256 } from '../src/core/base/hash.ts'
import { nativeSha256 } from '../src/native/sha256.ts'
import { bitcoinBenchmarks } from './bitcoin.bench.ts'
import { chainBenchmarks } from './bitcoin-chain.bench.ts'
import { peerBenchmarks } from './bitcoin-peers.bench.ts'
import { CALLS_NAMES, callsBenchmark } from './calls.bench.ts'
import { disputeBenchmark } from './dispute.bench.ts'
import { groupBenchmarks } from './group.bench.ts'
import { hostBenchmarks } from './host.bench.ts'
import { ledgerBenchmarks } from './ledger.bench.ts'
import { durableBenchmarks } from './ledger-durable.bench.ts'
import { largeLedgerBenchmarks } from './ledger-large.bench.ts'
import { logBenchmarks } from './log.bench.ts'
import { minterBenchmarks } from './minter.bench.ts'
import { protocolBenchmarks } from './protocol.bench.ts'
import { regtestBenchmarks } from './regtest.bench.ts'
import { measure, WrongResult } from './support/measure.ts'
import type { Result } from './support/report.ts'
import { changes, hasFailed, line, nameOf, resultOf, TITLES } from './support/report.ts'
import type { Benchmark } from './support/task.ts'
import { systemBenchmarks } from './system.bench.ts'

const RESULTS = join('bench', 'results')
/**
 * Native libraries that §7 names as peers; what is not installed is said to be absent, never
 * replaced.
 */
const NATIVE_PEERS = ['secp256k1', 'tiny-secp256k1', 'mcl-wasm', '@chainsafe/blst'] as const
const EXIT = { good: 0, unsound: 1, usage: 2, wrong: 70 } as const
const HELP = `usage: npm run bench -- [options]
  --only <pattern>   benchmarks whose id, name and size match, e.g. 'D2|deal', 'n=13'
  --quick, --full    n = 4 and 13 in short slices (the default), or more sizes in long ones
  --json <file>      write a header and one object a benchmark, one a line
  --save <name>      keep the same under ${RESULTS}
  --against <name>   print how every ratio changed since that result
`

/** Sizes of groups C and D. Larger subnets take minutes by this engine. */
const MODES = {
  quick: { sliceMs: 30, steps: [4, 13], system: [4], events: 100_000, blocks: 100_000 },
  full: {
    sliceMs: 100,
    steps: [4, 7, 13, 28],
    system: [4, 7, 13],
    events: 1_000_000,
    blocks: 1_000_000,
  },
} as const

const { CKBTC_COMMIT } = process.env

type Options = ReturnType<typeof readOptions>

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean' },
      full: { type: 'boolean' },
      json: { type: 'string' },
      save: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  return values
}

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

function isAbsent(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return false
  } catch {
    return true
  }
}

const header = (mode: keyof typeof MODES) => ({
  type: 'header',
  mode,
  commit: CKBTC_COMMIT ?? null,
  node: process.version,
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  load: loadavg().map((load) => Number(load.toFixed(2))),
  engines: { secp256k1: 'noble' },
  absentPeers: NATIVE_PEERS.filter(isAbsent),
})

function selected({ only = '' }: Options, mode: keyof typeof MODES): readonly Benchmark[] {
  const { steps, system, events, blocks } = MODES[mode]
  const pattern = new RegExp(only)
  return [
    ...groupBenchmarks,
    ...hostBenchmarks,
    ...steps.flatMap(protocolBenchmarks),
    ...steps.map(disputeBenchmark),
    ...system.flatMap(systemBenchmarks),
    ...logBenchmarks(system),
    ...ledgerBenchmarks,
    ...durableBenchmarks,
    ...largeLedgerBenchmarks(blocks),
    ...minterBenchmarks(events),
    ...bitcoinBenchmarks,
    ...chainBenchmarks,
    ...regtestBenchmarks,
    ...peerBenchmarks,
  ].filter(({ id, name, n }) => pattern.test(`${id} ${name} n=${n ?? ''}`))
}

/** G4 measures other processes, so all of it is measured or nothing. */
function wantsCalls({ only = '' }: Options): boolean {
  const pattern = new RegExp(only)
  return CALLS_NAMES.some((name) => pattern.test(`G4 ${name} n=4`))
}

/** A missed gate is measured once more before it counts. */
function run(benchmark: Benchmark, sliceMs: number): Result {
  const once = (): Result => {
    const prepared = benchmark.prepare()
    const measured = measure(prepared.own, prepared.peers ?? {}, { sliceMs })
    return resultOf(benchmark, prepared, measured)
  }
  const first = once()
  return hasFailed(first) ? once() : first
}

function conclude(results: readonly Result[]): number {
  const failed = results.filter(hasFailed)
  const noisy = results.filter((result) => result.noisy)
  say('')
  say(`${results.length} benchmarks, ${failed.length} with failed gates, ${noisy.length} noisy`)
  for (const result of failed) say(`failed: ${nameOf(result)}`)
  if (3 * noisy.length > results.length) {
    say('inconclusive: more than a third of the results are noisy')
    return EXIT.unsound
  }
  return failed.length > 0 ? EXIT.unsound : EXIT.good
}

function keep(file: string, head: object, results: readonly Result[]): void {
  const lines = [head, ...results].map((object) => JSON.stringify(object))
  writeFileSync(file, `${lines.join('\n')}\n`)
}

const savedAs = (name: string): string => join(RESULTS, `${name}.json`)

function loadResults(name: string): readonly Result[] {
  const lines = readFileSync(savedAs(name), 'utf8').trimEnd().split('\n')
  return lines.slice(1).map((text) => JSON.parse(text) as Result)
}

async function main(options: Options): Promise<number> {
  if (options.help === true) {
    process.stdout.write(HELP)
    return EXIT.good
  }
  const mode = options.full === true ? 'full' : 'quick'
  const head = header(mode)
  say(`${head.cpu}, ${head.cores} cores, load ${head.load[0]}, Node ${head.node}, engine noble`)
  say(
    'all nodes in one process and one thread, no network delay; rates and ratios by CPU time, of durable rows by wall time',
  )
  say(`absent peers: ${head.absentPeers.join(', ') || 'none'}`)
  say('')
  say(TITLES)
  const benchmarks = selected(options, mode)
  if (benchmarks.length === 0 && !wantsCalls(options)) {
    say(`no benchmark matches '${options.only}'; a pattern is a regular expression: 'D2|deal'`)
    return EXIT.usage
  }
  const results: Result[] = []
  for (const benchmark of benchmarks) {
    const result = run(benchmark, MODES[mode].sliceMs)
    results.push(result)
    say(line(result))
  }
  if (wantsCalls(options))
    for (const result of await callsBenchmark(mode)) {
      results.push(result)
      say(line(result))
    }
  if (options.json !== undefined) keep(options.json, head, results)
  if (options.save !== undefined) {
    mkdirSync(RESULTS, { recursive: true })
    keep(savedAs(options.save), head, results)
  }
  if (options.against !== undefined)
    for (const change of changes(loadResults(options.against), results)) say(change)
  return conclude(results)
}

installSha256(nativeSha256) // As the program does.

try {
  process.exitCode = await main(readOptions())
} catch (error) {
  if (!(error instanceof Error)) throw error
  process.stderr.write(`bench: ${error instanceof WrongResult ? error.message : error.stack}\n`)
  process.exitCode = error instanceof WrongResult ? EXIT.wrong : EXIT.usage
}
