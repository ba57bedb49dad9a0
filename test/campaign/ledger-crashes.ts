/**
 * `npm run campaign:crashes`: runs of a ledger whose node crashes at random writes, from seed SEED on: 1,000
 * unless SEEDS says otherwise. Source: ledger §20.144.
 */
import { randomInt } from 'node:crypto'
import { stdout } from 'node:process'
import { installSha256 } from '../../src/core/base/hash.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { playCrashes } from '../support/ledger-crashes/play.ts'

const { SEED, SEEDS = '1000' } = process.env
const REPORT_EVERY = 100
const CRASHES_MAX = 3

installSha256(nativeSha256) // As the program does.
const first = SEED === undefined ? randomInt(1, 2 ** 31) : Number(SEED)
const count = Number(SEEDS)
const say = (text: string): boolean => stdout.write(`${text}\n`)
const reached = new Map<string, number>()
let failures = 0

say(`${count} runs of a ledger that crashes, from seed ${first} on`)
const start = performance.now()
for (let i = 0; i < count; i++) {
  const { counts, wrong } = play(first + i)
  for (const [what, times] of counts) reached.set(what, (reached.get(what) ?? 0) + times)
  if (wrong.length > 0) {
    failures += 1
    say(`FAILS ${wrong.slice(0, 5).join('; ')}`)
    say(`  SEED=${first + i} SEEDS=1 npm run campaign:crashes`)
  }
  const done = i + 1
  if (done % REPORT_EVERY > 0 && done < count) continue
  const rate = (done / ((performance.now() - start) / 1e3)).toFixed(1)
  say(`${done} runs, ${failures} failures, ${rate} a second`)
}
for (const [what, times] of [...reached].sort()) say(`${String(times).padStart(9)} ${what}`)
process.exitCode = failures === 0 ? 0 : 1

function play(seed: number): ReturnType<typeof playCrashes> {
  try {
    return playCrashes(seed, CRASHES_MAX)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { counts: new Map(), wrong: [text] }
  }
}
