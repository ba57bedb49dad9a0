/**
 * `npm run idle`: what a subnet costs that nobody uses; SECONDS_IDLE chooses for how long. Source:
 * performance specification §7. Linux alone tells.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { devUser } from '../../src/wallet/identity.ts'
import { Target } from './target.ts'

const SECONDS = 3_600
/** What the start leaves to do: presignatures, first blocks. */
const SETTLE_SECONDS = 20
const SAMPLES = 12
/** Clock ticks of /proc in a second, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4_096
const MEGABYTE = 2 ** 20
/** Of one core. */
const CPU_PERCENT_MAX = 1

type Sample = { readonly atMs: number; readonly cpuSeconds: number; readonly residentMb: number }

function sampleOf(pid: number): Sample {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  return {
    atMs: performance.now(),
    cpuSeconds: ticks / TICKS_PER_SECOND,
    residentMb: (Number(fields[21]) * PAGE_BYTES) / MEGABYTE,
  }
}

const percentBetween = (from: Sample, to: Sample): number =>
  (100_000 * (to.cpuSeconds - from.cpuSeconds)) / (to.atMs - from.atMs)

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

async function watch(pid: number, seconds: number): Promise<number> {
  await pause(1_000 * SETTLE_SECONDS)
  const first = sampleOf(pid)
  let last = first
  for (let i = 1; i <= SAMPLES; i++) {
    await pause((1_000 * seconds) / SAMPLES)
    const now = sampleOf(pid)
    const at = ((now.atMs - first.atMs) / 1_000).toFixed(0).padStart(5)
    const percent = percentBetween(last, now).toFixed(2)
    say(`${at} s  ${percent} % of one core  ${now.residentMb.toFixed(1)} MB resident`)
    last = now
  }
  const percent = percentBetween(first, last)
  const growth = last.residentMb - first.residentMb
  say(`${seconds} s idle: ${percent.toFixed(2)} % of one core, goal ${CPU_PERCENT_MAX} %`)
  say(`resident memory ${first.residentMb.toFixed(1)} MB, ${growth.toFixed(1)} MB more at the end`)
  return percent
}

const { SECONDS_IDLE } = process.env
const target = new Target()
try {
  const { status, canisters } = await target.start()
  const percent = await watch(status.pid, Number(SECONDS_IDLE ?? SECONDS))
  // It was idle, not dead: an update is ordered, executed and certified.
  await canisters.depositAddress({ owner: devUser(0).principal })
  say('it answers')
  process.exitCode = percent > CPU_PERCENT_MAX ? 1 : 0
} finally {
  await target.remove()
}
