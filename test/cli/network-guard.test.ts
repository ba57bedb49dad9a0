/**
 * Goal: no command opens a connection beyond the endpoint that was selected (cli §§3.15, 12).
 * Method: every connection of the program is recorded, and none can leave this machine.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Home, launcher } from '../support/e2e-home.ts'

const recorder = new URL('../support/record-connections.mjs', import.meta.url).href

const wordsOf = (line: string, home: Home): readonly string[] =>
  line.split(' ').map((word) => word.replace('HOME', home.path))

/** Runs a command line and gives the places it connected to, each once. */
function connectionsOf(home: Home, line: string): readonly string[] {
  const record = join(home.path, 'connections')
  spawnSync(process.execPath, ['--import', recorder, launcher, ...wordsOf(line, home)], {
    env: home.environment({
      CKBTC_HOME: home.path,
      CKBTC_TEST_CONNECTIONS: record,
    }),
    timeout: 60_000,
  })
  const lines = existsSync(record) ? readFileSync(record, 'utf8').trimEnd().split('\n') : []
  rmSync(record, { force: true })
  return [...new Set(lines)].sort()
}

describe('without a subnet', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it.each([
    '--help',
    'version',
    'help errors',
    'config list',
    'config set unit sat',
    'key generate test --no-passphrase --phrase-out HOME/words',
    'key list',
    'key show dev0',
    'principal',
    'network list',
    'subnet status',
    'doctor',
    'balance',
    'bitcoin tip',
  ])('%s connects to nobody', (line) => {
    expect(connectionsOf(home, line)).toEqual([])
  })

  it.each([
    ['balance aaaaa-aa -n ic', 'icp-api.io'],
    ['fees -n testnet4', 'icp-api.io'],
    ['doctor -n testnet4', 'icp-api.io'],
  ])('%s tries the endpoint of its network and nothing else', (line, host) => {
    const places = connectionsOf(home, line)
    expect(places.length).toBeGreaterThan(0)
    for (const place of places) expect(place).toMatch(new RegExp(`^(?:tcp|name) ${host}(?::443)?$`))
  })

  it('a demo talks to itself', () => {
    const places = connectionsOf(home, 'demo --nodes 1 --quiet')
    expect(places.length).toBeGreaterThan(0)
    for (const place of places) expect(place).toMatch(/^tcp 127\.0\.0\.1:\d+$/)
  })
})

describe('with a subnet', () => {
  const home = new Home()
  let endpoint = ''
  beforeAll(() => {
    endpoint = `tcp ${new URL(home.json('subnet start --nodes 1').url).host}`
  })
  afterAll(() => home.remove())

  it.each(['balance', 'info', 'fees', 'address', 'history', 'bitcoin tip', 'subnet status'])(
    '%s connects to its endpoint and its control port',
    (line) => {
      const places = connectionsOf(home, line)
      expect(places.length).toBeGreaterThan(0)
      expect(places.filter((place) => place !== endpoint && place !== 'unix')).toEqual([])
    },
  )
})
