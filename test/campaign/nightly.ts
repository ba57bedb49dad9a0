/**
 * `npm run test:nightly`: runs from fresh seeds, from seed SEED on: 20,000 of the log unless SEEDS
 * says otherwise, then 300 of whole nodes unless NODE_SEEDS does, on subnets of several
 * sizes, or of NODES nodes. A seed that fails is named with the command that repeats it.
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
  /** Settings that play one run of this kind and none of the other. */
  readonly once: string
}

const { SEED, SEEDS = '20000', NODE_SEEDS = '300', NODES } = process.env
const KINDS: readonly Kind[] = [
  {
    name: 'the log',
    play: playLog,
    count: Number(SEEDS),
    sizes: [4, 7, 4, 5, 4, 6, 4, 7, 4, 10, 4, 5, 4, 6, 4, 13],
    reportEvery: 500,
    once: 'SEEDS=1 NODE_SEEDS=0',
  },
  {
    name: 'whole nodes',
    play: playNodes,
    count: Number(NODE_SEEDS),
    sizes: [4, 4, 1, 4, 4, 5, 4, 4, 7],
    reportEvery: 20,
    once: 'SEEDS=0 NODE_SEEDS=1',
  },
]

const first = SEED === undefined ? randomInt(1, 2 ** 31) : Number(SEED)
const say = (text: string): boolean => stdout.write(`${text}\n`)
const failures: string[] = []

const nodesOf = (sizes: readonly number[], i: number): number =>
  NODES === undefined ? (sizes[i % sizes.length] ?? 4) : Number(NODES)

for (const { name, play, count, sizes, reportEvery, once } of KINDS) {
  say(`${count} seeds of ${name} from ${first} on`)
  const start = process.cpuUsage()
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1e6
  }
  for (let i = 0; i < count; i++) {
    try {
      play(first + i, nodesOf(sizes, i))
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      failures.push(text)
      say(`FAILS ${text}`)
      say(`  SEED=${first + i} NODES=${nodesOf(sizes, i)} ${once} npm run test:nightly`)
    }
    const done = i + 1
    if (done % reportEvery === 0 || done === count)
      say(
        `${done} seeds, ${failures.length} failures, ${(done / cpuSeconds()).toFixed(1)} a second`,
      )
  }
}
process.exitCode = failures.length === 0 ? 0 : 1
