/** The file of `--debug` tells everything but secrets: `docs/spec/cli.md` §3.8. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Problem } from '../../src/core/base/errors.ts'
import { openTrace } from '../../src/terminal/trace.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'ckbtc-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))

let second = 0
const open = (environment: Readonly<Record<string, string>> = {}) =>
  openTrace({
    folder,
    words: ['key', 'list', '--debug'],
    environment,
    version: '1.2.3',
    now: () => new Date(Date.UTC(2026, 0, 1) + 1_000 * second++),
  })

describe('a trace', () => {
  it('holds the command line, what was said, and errors with their causes', () => {
    const trace = open({ CKBTC_NETWORK: 'local', PATH: '/bin' })
    trace.record('\u001b[31mred\u001b[39m')
    const cause = new RangeError('inner reason')
    trace.failure(new Problem('SUBNET_DOWN', 'outer reason', { fix: 'f', cause }))
    const text = readFileSync(trace.path, 'utf8')
    expect(text).toMatch(/ command: ckbtc key list --debug\n/)
    expect(text).toMatch(/ variable: CKBTC_NETWORK=local\n/)
    expect(text).toMatch(/Z red\n/)
    expect(text).toMatch(
      /outer reason[\s\S]*\n {4}at [\s\S]*caused by: RangeError: inner reason\n {4}at /,
    )
    expect(text).not.toContain('/bin')
    expect(statSync(trace.path).mode & 0o777).toBe(0o600)
  })

  const phrase = 'equip will roof matter pink blind book anxiety banner elbow sun young'
  it.each([
    ['a seed phrase', `words: ${phrase}`, 'equip'],
    ['the words of a new phrase', '  1 equip     2 will      3 roof      4 matter', 'equip'],
    ['a PEM file', '-----BEGIN EC PRIVATE KEY-----\nMHQCAQ\n-----END EC PRIVATE KEY-----', 'MHQ'],
    ['half a PEM file', '-----BEGIN PRIVATE KEY-----\nMHQCAQ', 'MHQ'],
    ['the password of an endpoint', 'http://me:hunter2@127.0.0.1:8332/x', 'hunter2'],
    ['the passphrase of the environment', 'opened with swordfish8', 'swordfish8'],
  ])('does not hold %s', (_, text, secret) => {
    const trace = open({ CKBTC_PASSPHRASE: 'swordfish8' })
    trace.record(text)
    trace.failure(new RangeError(text))
    expect(text).toContain(secret)
    expect(readFileSync(trace.path, 'utf8')).not.toContain(secret)
    expect(readFileSync(trace.path, 'utf8')).toContain('[secret]')
  })

  it('pushes out the oldest of twenty', () => {
    for (let i = 0; i < 25; i++) open()
    expect(readdirSync(join(folder, 'debug')).length).toBe(20)
  })
})

it('a line for -vv is shown with -vv only, and traced always', async () => {
  const lines: string[] = []
  const [quiet, loud] = await Promise.all([
    recordingTerminal({ verbose: 1 }, undefined, { record: (line) => lines.push(line) }),
    recordingTerminal({ verbose: 2 }),
  ])
  quiet.terminal.trace('call')
  loud.terminal.trace('call')
  expect(quiet.written.err).toBe('')
  expect(lines).toEqual(['call'])
  expect(loud.written.err).toBe('  call\n')
})
