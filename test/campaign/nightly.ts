/**
 * `npm run test:nightly`: runs from fresh seeds, from seed SEED on: 20,000 of the log unless SEEDS
 * says otherwise, then 300 of whole nodes unless NODE_SEEDS does. A seed that fails is named;
 * `SEED=… npm run test:sim` repeats it.
 */
import { randomInt } from 'node:crypto'
import { stdout } from 'node:process'
import { playLog } from '../support/log-run.ts'
import { playNodes } from '../support/node-run.ts'

type Kind = {
  readonly name: string
  readonly play: (seed: number, nodes: number) => unknown
  readonly count: number
  /** Numbers of nodes in turn: mostly small ones, which are fast. */
  readonly sizes: readonly number[]
  readonly reportEvery: number
}

const { SEED, SEEDS = '20000', NODE_SEEDS = '300' } = process.env
const KINDS: readonly Kind[] = [
  {
    name: 'the log',
    play: playLog,
    count: Number(SEEDS),
    sizes: [4, 7, 4, 5, 4, 6, 4, 7, 4, 10, 4, 5, 4, 6, 4, 13],
    reportEvery: 500,
  },
  {
    name: 'whole nodes',
    play: playNodes,
    count: Number(NODE_SEEDS),
    sizes: [4, 4, 1, 4, 4, 5, 4, 4, 7],
    reportEvery: 20,
  },
]

const first = SEED === undefined ? randomInt(1, 2 ** 31) : Number(SEED)
const say = (text: string): boolean => stdout.write(`${text}\n`)
const failures: string[] = []

for (const { name, play, count, sizes, reportEvery } of KINDS) {
  say(`${count} seeds of ${name} from ${first} on`)
  const start = process.cpuUsage()
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1e6
  }
  for (let i = 0; i < count; i++) {
    try {
      play(first + i, sizes[i % sizes.length] ?? 4)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      failures.push(text)
      say(`FAILS ${text}`)
    }
    const done = i + 1
    if (done % reportEvery === 0 || done === count)
      say(
        `${done} seeds, ${failures.length} failures, ${(done / cpuSeconds()).toFixed(1)} a second`,
      )
  }
}
process.exitCode = failures.length === 0 ? 0 : 1
