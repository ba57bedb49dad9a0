/**
 * `npm run test:histories`: random histories of the minter from fresh seeds, from seed SEED on: 2,000
 * unless SEEDS says otherwise. A seed that fails is named with the shortest history that fails.
 * Source: minter §18.7.
 */
import { randomInt } from 'node:crypto'
import { stdout } from 'node:process'
import { playHistory } from '../support/history/play.ts'

const { SEED, SEEDS = '2000' } = process.env
const REPORT_EVERY = 100

const first = SEED === undefined ? randomInt(1, 2 ** 31) : Number(SEED)
const count = Number(SEEDS)
const say = (text: string): boolean => stdout.write(`${text}\n`)
const reached = new Map<string, number>()
let failures = 0

say(`${count} histories of the minter from seed ${first} on`)
const start = process.cpuUsage()
for (let i = 0; i < count; i++) {
  try {
    for (const [kind, times] of playHistory(first + i).books.kinds)
      reached.set(kind, (reached.get(kind) ?? 0) + times)
  } catch (error) {
    failures += 1
    say(`FAILS ${error instanceof Error ? error.message : String(error)}`)
    say(`  SEED=${first + i} SEEDS=1 npm run test:histories`)
  }
  const done = i + 1
  if (done % REPORT_EVERY > 0 && done < count) continue
  const { user, system } = process.cpuUsage(start)
  const rate = (done / ((user + system) / 1e6)).toFixed(1)
  say(`${done} histories, ${failures} failures, ${rate} a second`)
}
for (const [kind, times] of [...reached].sort()) say(`${String(times).padStart(9)} ${kind}`)
process.exitCode = failures === 0 ? 0 : 1
