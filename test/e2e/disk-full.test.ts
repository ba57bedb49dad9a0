/**
 * Goal: a node whose disk takes no more answers nothing more, and what it had answered is there when
 * there is room again. Method: a process may write files of a certain size and no larger (`ulimit`);
 * it mints until that is reached, is told so by the system, and starts again.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../support/e2e-full-disk.mjs', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'ckbtc-full-'))
afterAll(() => rmSync(root, { recursive: true }))
/** So much more than it holds the store may come to hold. */
const ROOM_KIB = 128
const LIFE_MS_MAX = 90_000

type Life = {
  readonly lines: readonly string[]
  /** Amounts by block, as they were answered. */
  readonly answered: ReadonlyMap<number, number>
  /** The same, as they stood at the start. */
  readonly stood: ReadonlyMap<number, number>
  readonly status: number | null
}

/** `limit`: shell words before it; `answers`: after so many it is told to end. */
async function live(
  directory: string,
  limit: string,
  answers = Number.POSITIVE_INFINITY,
): Promise<Life> {
  const child = spawn(
    'bash',
    ['-c', `${limit} exec "$0" "$@"`, process.execPath, script, directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: LIFE_MS_MAX,
    },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (said.split('\nok ').length > answers) child.kill('SIGTERM')
  })
  const [status] = await once(child, 'close')
  const lines = said.split('\n')
  const amounts = (word: string): ReadonlyMap<number, number> =>
    new Map(
      lines
        .filter((line) => line.startsWith(`${word} `))
        .map((line) => line.split(' ').slice(1).map(Number))
        .map(([index = -1, amount = -1]) => [index, amount]),
    )
  return { lines, answered: amounts('ok'), stood: amounts('is'), status }
}

let directory = ''
let known = new Map<number, number>()
const sizeKib = (): number =>
  Math.ceil(statSync(join(directory, 'node-1', 'data.mdb')).size / 1_024)

/** Everything that was ever answered stands, each block once. */
function expectKept({ stood }: Life): void {
  for (const [index, amount] of known) expect([index, stood.get(index)]).toEqual([index, amount])
  expect([...stood.keys()]).toEqual([...stood.keys()].map((_, i) => i))
  // A call without an answer may be there as well.
  expect(stood.size - known.size).toBeLessThanOrEqual(1)
  known = new Map(stood)
}
function remember({ answered }: Life): void {
  for (const [index, amount] of answered) known.set(index, amount)
}

beforeAll(async () => {
  directory = join(root, 'state')
  const life = await live(directory, '', 3)
  expect(life.lines).toContain('closed')
  remember(life)
}, LIFE_MS_MAX)

test(
  'ledger §20.141: an error of the disk ends the node, and no call is answered from then on',
  async () => {
    const life = await live(directory, `ulimit -f ${sizeKib() + ROOM_KIB};`)
    expectKept(life)
    remember(life)
    expect(life.answered.size).toBeGreaterThan(0)
    expect(life.lines.some((line) => line.startsWith('failed HOST_DISK'))).toBe(true)
    expect(life.lines).not.toContain('late ok')
    expect(life.status).toBe(3)
  },
  LIFE_MS_MAX,
)

test(
  'ledger §20.142: with room again it goes on, and nothing is lost',
  async () => {
    const life = await live(directory, '', 2)
    expectKept(life)
    remember(life)
    expect(life.answered.size).toBeGreaterThanOrEqual(2)
    expect(life.lines).toContain('closed')
  },
  LIFE_MS_MAX,
)
