/**
 * The program as a process: what it loads, how it ends by signals and closed pipes, how fast it
 * answers.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../support/console-script.ts'

const launcher = fileURLToPath(new URL('../../bin/ckbtc.js', import.meta.url))
const recorder = new URL('../support/record-modules.mjs', import.meta.url).href

/** Addresses of the modules that a command line loads. */
function modulesOf(...words: readonly string[]): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), 'ckbtc-modules-'))
  const record = join(place, 'modules')
  const env = { ...process.env, CKBTC_TEST_MODULES: record }
  spawnSync(process.execPath, ['--import', recorder, launcher, ...words], { env })
  const modules = readFileSync(record, 'utf8').trimEnd().split('\n')
  rmSync(place, { recursive: true })
  return modules
}

describe('the program loads', () => {
  const heavy = /@noble|@scure|@icp-sdk|@dfinity|bitcoinjs-lib|node:(?:net|http|https|tls|crypto)$/

  it.each(
    [
      '--help',
      '--version',
      'demo --help',
      'demo --nodse',
      'help key generate',
      'help amounts',
      'help errors BUG',
      '',
    ].map((line) => [line.split(' ').filter((word) => word !== '')]),
  )('no network or cryptography package for %j', (words) => {
    const modules = modulesOf(...words)
    expect(modules.some((address) => address.endsWith('/dist/cli.js'))).toBe(true)
    expect(modules.filter((address) => heavy.test(address))).toEqual([])
  })

  it('them for a demo, so the check above can fail', () => {
    const modules = modulesOf('demo', '--nodes', '1', '--quiet')
    expect(modules.filter((address) => heavy.test(address))).not.toEqual([])
  })
})

type Ended = {
  readonly exit: number | null
  readonly out: string
  readonly err: string
  /** What it left in its temporary directory. */
  readonly left: readonly string[]
}

/**
 * Starts a demo, sends `signals` once it has shown `after` on any stream, and waits for its end.
 */
async function interrupted(
  words: readonly string[],
  after: string,
  signals: readonly NodeJS.Signals[],
): Promise<Ended> {
  const temporary = mkdtempSync(join(tmpdir(), 'ckbtc-signal-'))
  const env = { ...process.env, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' }
  const child = spawn(process.execPath, [launcher, 'demo', ...words], { env })
  const shown = { out: '', err: '' }
  let sent = false
  const watch = (stream: 'out' | 'err') => (chunk: Buffer) => {
    shown[stream] += chunk.toString()
    if (sent || !`${shown.out}${shown.err}`.includes(after)) return
    sent = true
    for (const signal of signals) child.kill(signal)
  }
  child.stdout.on('data', watch('out'))
  child.stderr.on('data', watch('err'))
  const exit = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  const left = readdirSync(temporary)
  rmSync(temporary, { recursive: true })
  return { exit, ...shown, left }
}

describe('a signal', () => {
  // One node goes through the same steps as four, and sooner.
  const moments: readonly (readonly [string, string])[] = [
    ['Subnet:', '4'],
    ['Deposit:', '1'],
    ['Mint:', '1'],
    ['Transfer:', '1'],
    ['Redeem:', '1'],
  ]

  it.each(moments)('SIGINT at "%s" ends a demo of %s with one line', async (moment, nodes) => {
    const signals: readonly NodeJS.Signals[] = ['SIGINT']
    const { exit, err, left } = await interrupted(['--nodes', nodes], moment, signals)
    expect(exit).toBe(130)
    expect(left).toEqual([])
    expect(err.split('\n').filter((line) => line.startsWith('Stopped.')).length).toBe(1)
    expect(err).not.toMatch(/error|^ {4}at /m)
  })

  it('SIGINT in the last step stops the demo or comes too late', async () => {
    const { exit, out, left } = await interrupted(['--nodes', '1'], 'Reserves:', ['SIGINT'])
    expect(out.includes('Done in') ? [0, 130] : [130]).toContain(exit)
    expect(left).toEqual([])
  })

  it('SIGTERM gives status 143', async () => {
    expect((await interrupted([], 'Subnet:', ['SIGTERM'])).exit).toBe(143)
  })

  it('leaves one document for a program', async () => {
    const { exit, out } = await interrupted(['--json'], 'Subnet:', ['SIGINT'])
    expect(exit).toBe(130)
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'INTERRUPTED', exit: 130 } })
  })
})

it('a closed pipe ends the program quietly', async () => {
  const ran = await runCommand(
    'ckbtc demo 2>notes | head -n 1; echo $PIPESTATUS; grep -c error notes',
  )
  expect(ran.out.split('\n').slice(1)).toEqual(['0', '0', ''])
})

it('a full disk under standard output is an error of the environment', async () => {
  const ran = await runCommand('ckbtc demo >/dev/full')
  expect(ran.exit).toBe(11)
  expect(ran.err).toContain('no space left (HOST_DISK)')
})

/**
 * Least processor time of a few runs, which neighbours on the machine disturb less than the clock.
 */
function processorMs(...words: readonly string[]): number {
  const report = `process.on('exit', () => process.stderr.write(JSON.stringify(process.cpuUsage())))`
  const times = Array.from({ length: 5 }, () => {
    const options = ['--import', `data:text/javascript,${encodeURIComponent(report)}`]
    const { stderr } = spawnSync(process.execPath, [...options, ...words])
    const { user, system } = JSON.parse(stderr.toString())
    return (user + system) / 1000
  })
  return Math.min(...times)
}

it('help takes at most half as much again as its budget allows over bare Node', () => {
  const [budgetMs, bareMs] = [120, 57]
  expect(processorMs(launcher, '--help') - processorMs('-e', '0')).toBeLessThan(
    1.5 * (budgetMs - bareMs),
  )
})
