/**
 * `npm run test:nightly`: runs of the log from fresh seeds, 20,000 unless SEEDS says otherwise, from
 * seed SEED on. A seed that fails is named; `SEED=… npm run test:sim` repeats it.
 */
import { randomInt } from 'node:crypto'
import { stdout } from 'node:process'
import { playLog } from '../support/log-run.ts'

/** Numbers of nodes in turn: mostly small ones, which are fast. */
const SIZES = [4, 7, 4, 5, 4, 6, 4, 7, 4, 10, 4, 5, 4, 6, 4, 13] as const
const REPORT_EVERY = 500

const { SEED, SEEDS = '20000' } = process.env
const first = SEED === undefined ? randomInt(1, 2 ** 31) : Number(SEED)
const count = Number(SEEDS)
const say = (text: string): boolean => stdout.write(`${text}\n`)

say(`${count} seeds from ${first} on`)
const start = process.cpuUsage()
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}
const failures: string[] = []
for (let i = 0; i < count; i++) {
  const nodes = SIZES[i % SIZES.length] ?? 4
  try {
    playLog(first + i, nodes)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    failures.push(text)
    say(`FAILS ${text}`)
  }
  const done = i + 1
  if (done % REPORT_EVERY === 0 || done === count)
    say(`${done} seeds, ${failures.length} failures, ${(done / cpuSeconds()).toFixed(1)} a second`)
}
process.exitCode = failures.length === 0 ? 0 : 1
