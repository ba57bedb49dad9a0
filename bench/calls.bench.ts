/**
 * Benchmark G4: the built subnet in a process of its own, its callers in another. Source:
 * performance specification §7.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fromHex } from '../src/core/base/bytes.ts'
import { principalOfText } from '../src/core/ic/principal.ts'
import type { ControlClient } from '../src/host/control/client.ts'
import type { StatusReply } from '../src/host/control/protocol.ts'
import type * as Daemon from '../src/host/daemon.ts'
import type { Canisters } from '../src/wallet/canisters.ts'
import { canistersAt } from '../src/wallet/canisters.ts'
import { devUser } from '../src/wallet/identity.ts'
import type { LoadReport, LoadTask } from './support/calls-task.ts'
import { median, percentile, WrongResult } from './support/measure.ts'
import type { Result } from './support/report.ts'

const NODES = 4
const CALLERS = 64
const DEPOSIT_SAT = 100_000_000
const LOOK_MS = 100
/** What a certificate with one reply takes, about. */
const ECHO_BYTES = 900
const SIZES = {
  quick: { rounds: 3, singles: 15, calls: 1_000, queries: 2_000 },
  full: { rounds: 7, singles: 30, calls: 3_000, queries: 6_000 },
} as const
/** Above this ratio of the slowest round to the fastest, the machine was busy. */
const SPREAD_MAX = 1.5
/** Clock ticks of /proc in a second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export const CALLS_NAMES = ['transfer', 'update-calls', 'queries'] as const

type Round = LoadReport & {
  readonly slots: number
  /** Of the subnet for the whole round; undefined where the system does not tell. */
  readonly cpuSeconds: number | undefined
}

/** Plays every round; nothing is measured in this process. */
export async function callsBenchmark(mode: keyof typeof SIZES): Promise<readonly Result[]> {
  const { rounds, ...counts } = SIZES[mode]
  const home = mkdtempSync(join(tmpdir(), 'ckbtc-bench-'))
  const directories = { state: join(home, 'state'), runtime: join(home, 'run') }
  const path = pathToFileURL(join(process.cwd(), 'dist', 'host', 'daemon.js')).href
  const daemon: typeof Daemon = await import(path)
  const request = { directories, given: { nodes: NODES }, isEphemeral: true }
  const echo = await startEcho()
  try {
    const { signal } = new AbortController()
    const { status } = await daemon.startSubnet(request, () => undefined, signal)
    const control = await daemon.openControl(directories)
    const canisters = await fund(status, control)
    const measured: Round[] = []
    while (measured.length < rounds)
      measured.push(await playRound({ status, control, canisters, echoUrl: echo.url, counts }))
    return resultsOf(measured, counts)
  } finally {
    await daemon.stopSubnet(directories)
    echo.server.close()
    echo.server.closeAllConnections()
    rmSync(home, { recursive: true, force: true })
  }
}

/** The plainest server there is: reads a body, sends as many bytes as a call is answered with. */
async function startEcho(): Promise<{ readonly server: Server; readonly url: string }> {
  const answer = Buffer.alloc(ECHO_BYTES)
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { server, url: `http://127.0.0.1:${port}/` }
}

async function fund(
  { url, rootKey, ids, masterPublicKey }: StatusReply,
  control: ControlClient,
): Promise<Canisters> {
  const deployment = {
    url,
    rootKey: fromHex(rootKey),
    ledgerId: principalOfText(ids.ledger),
    minterId: principalOfText(ids.minter),
    masterPublicKey: fromHex(masterPublicKey),
  }
  const canisters = canistersAt(deployment, { signer: devUser(0) })
  const account = { owner: devUser(0).principal }
  const { address } = await canisters.depositAddress(account)
  await control.ask('faucet', { amountSat: DEPOSIT_SAT, to: address, outputs: 1, mine: true })
  while ((await canisters.balanceOf(account)) === 0n) await pause(LOOK_MS)
  return canisters
}

async function playRound({
  status,
  control,
  canisters,
  echoUrl,
  counts,
}: {
  readonly status: StatusReply
  readonly control: ControlClient
  readonly canisters: Canisters
  readonly echoUrl: string
  readonly counts: Pick<LoadTask, 'singles' | 'calls' | 'queries'>
}): Promise<Round> {
  const { url, rootKey, ids, pid } = status
  const receiver = { owner: devUser(1).principal }
  const slot = async () => (await control.ask('status', {})).certifiedSlot
  const [before, firstSlot, firstCpu] = [
    await canisters.balanceOf(receiver),
    await slot(),
    cpuOf(pid),
  ]
  const task = { url, rootKey, ledgerId: ids.ledger, echoUrl, callers: CALLERS, ...counts }
  const report = await generate(task)
  const lastCpu = cpuOf(pid)
  const received = (await canisters.balanceOf(receiver)) - before
  // Every call of the many moved 1 sat; so did the single ones, the first of which are not timed.
  if (received < counts.calls + counts.singles)
    throw new WrongResult(`G4: only ${received} transfers arrived`)
  const slots = Number((await slot()) - firstSlot)
  if (report.rootSignatures > slots)
    throw new WrongResult(`G4: ${report.rootSignatures} root signatures in ${slots} slots`)
  const cpuSeconds =
    firstCpu === undefined || lastCpu === undefined ? undefined : lastCpu - firstCpu
  return { ...report, slots, cpuSeconds }
}

async function generate(task: LoadTask): Promise<LoadReport> {
  const child = fork(fileURLToPath(new URL('./support/calls-load.js', import.meta.url)))
  child.send(task)
  return new Promise((resolve, reject) => {
    child.once('message', (report: LoadReport) => resolve(report))
    child.once('error', reject)
    child.once('exit', (code) => reject(new WrongResult(`G4: the load ended (${code})`)))
  })
}

function cpuOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return undefined
  }
}

type Counts = Pick<LoadTask, 'singles' | 'calls' | 'queries'>

function resultsOf(rounds: readonly Round[], { calls, queries }: Counts): readonly Result[] {
  const echoCallMs = rounds.map(({ echoSeconds }) => (1_000 * echoSeconds) / queries)
  const singles = rounds.flatMap(({ singleMs }) => singleMs)
  const signatures = median(rounds.map(({ rootSignatures }) => rootSignatures))
  const unfinished = rounds.reduce((sum, round) => sum + round.unfinished, 0)
  const slots = median(rounds.map((round) => round.slots))
  const cpu = rounds.flatMap(({ cpuSeconds }) => (cpuSeconds === undefined ? [] : [cpuSeconds]))
  const load = `${CALLERS} callers in a process of their own, envelopes signed beforehand`
  const rows = [
    {
      name: CALLS_NAMES[0],
      ms: rounds.map(({ singleMs }) => median(singleMs)),
      echoMs: rounds.map(({ echoMs }) => median(echoMs)),
      p95: percentile(singles, 0.95),
      rate: null,
      note: 'one at a time through the agent, wall time; goal 150 ms',
    },
    {
      name: CALLS_NAMES[1],
      ms: rounds.map(({ callsSeconds }) => (1_000 * callsSeconds) / calls),
      echoMs: echoCallMs,
      p95: null,
      rate: '/s',
      note: [
        load,
        `${signatures} root signatures for ${calls} calls, each checked once`,
        `${unfinished} calls answered without a certificate`,
        `${slots} slots and ${median(cpu.length > 0 ? cpu : [0]).toFixed(1)} CPU s a round`,
        'goal 300/s',
      ].join('; '),
    },
    {
      name: CALLS_NAMES[2],
      ms: rounds.map(({ queriesSeconds }) => (1_000 * queriesSeconds) / queries),
      echoMs: echoCallMs,
      p95: null,
      rate: '/s',
      note: `${load}; goal 800/s`,
    },
  ]
  return rows.map((row) => resultOf(row, rounds.length))
}

type Row = {
  readonly name: string
  /** Of one call, one entry a round. */
  readonly ms: readonly number[]
  readonly echoMs: readonly number[]
  readonly p95: number | null
  readonly rate: string | null
  readonly note: string
}

/** Time is wall time: what counts here is waiting, in three processes. */
function resultOf({ name, ms, echoMs, p95, rate, note }: Row, rounds: number): Result {
  const digits = (value: number): number => Number(value.toPrecision(4))
  const middle = median(ms)
  return {
    id: 'G4',
    name,
    group: null,
    n: NODES,
    engine: 'noble',
    unit: 'ms',
    median: digits(middle),
    min: digits(Math.min(...ms)),
    max: digits(Math.max(...ms)),
    p95: p95 === null ? null : digits(p95),
    cpu: digits(middle),
    rounds,
    calls: rounds,
    ratio: { echo: digits(median(echoMs.map((echo, round) => echo / (ms[round] ?? echo)))) },
    floor: null,
    overhead: null,
    rate: rate === null ? null : { value: Math.round(1_000 / middle), unit: rate },
    gate: {},
    noisy: Math.max(...ms) > SPREAD_MAX * Math.min(...ms),
    note,
    checksum: 0,
  }
}
