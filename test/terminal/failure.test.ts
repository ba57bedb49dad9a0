/** Every error class as people and programs see it: `docs/spec/cli.md` §§3.7, 3.8, 6. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  assert,
  CanisterRefused,
  CheckFailed,
  errorCatalogue,
  HostDisk,
  HostNodeVersion,
  HostPortBusy,
  Interrupted,
  ReservesInconclusive,
  ReservesMismatch,
  ReservesShort,
  SigningStalled,
  SubnetDown,
  UnknownCommand,
  UnknownOption,
  UsageInvalid,
} from '../../src/core/base/errors.ts'
import { NODE_REQUIRED, requireNodeVersion } from '../../src/host/node-version.ts'
import { printFailure } from '../../src/terminal/failure.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

async function shown(error: unknown, json = false) {
  const { terminal, written } = await recordingTerminal({ json })
  const exit = printFailure(terminal, error)
  return { exit, ...written }
}

const thrownBy = (action: () => void): unknown => {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

const examples = [
  [2, 'USAGE_INVALID', new UsageInvalid('m', { fix: 'f', command: 'ckbtc --help' })],
  [2, 'USAGE_UNKNOWN_COMMAND', new UnknownCommand('dmeo', 'demo')],
  [2, 'USAGE_UNKNOWN_OPTION', new UnknownOption('--x', { command: 'ckbtc', nearest: undefined })],
  [6, 'SUBNET_SIGNING_STALLED', new SigningStalled({ nodes: 4, nodesUp: 2, nodesNeeded: 3 })],
  [5, 'RESERVES_INCONCLUSIVE', new ReservesInconclusive('the views moved')],
  [11, 'SUBNET_DOWN', new SubnetDown()],
  [
    7,
    'LEDGER_REFUSED',
    new CanisterRefused('ledger', { methodName: 'icrc1_transfer', reason: 'badFee' }),
  ],
  [
    7,
    'MINTER_REFUSED',
    new CanisterRefused('minter', { methodName: 'retrieve_btc', reason: 'amountTooLow' }),
  ],
  [8, 'CHECK_FAILED', new CheckFailed('balance', { found: '1 sat', expected: '2 sat' })],
  [8, 'RESERVES_SHORT', new ReservesShort(-5n)],
  [8, 'RESERVES_MISMATCH', new ReservesMismatch('a coin is missing')],
  [11, 'HOST_DISK', new HostDisk('/x', 'no space left', undefined)],
  [11, 'HOST_PORT_BUSY', new HostPortBusy({ host: '127.0.0.1', port: 8080 }, undefined)],
  [11, 'HOST_NODE_VERSION', new HostNodeVersion('18.0.0', '20.19')],
  [70, 'BUG', thrownBy(() => assert(false, 'supply is never negative'))],
  [130, 'INTERRUPTED', new Interrupted('SIGINT')],
  [143, 'INTERRUPTED', new Interrupted('SIGTERM')],
] as const

describe('every code of the catalogue', () => {
  it('has an example here', () => {
    const codes = new Set(examples.map(([, code]) => code))
    expect([...codes].sort()).toEqual(Object.keys(errorCatalogue).sort())
  })

  it.each(examples)('exits %i for people, %s', async (status, code, error) => {
    const { exit, out, err } = await shown(error)
    expect(exit).toBe(status)
    expect(out).toBe('')
    const lines = err.trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(7)
    expect(lines[0]).toMatch(/^ckbtc: error: \S/)
    expect(lines[0]?.endsWith(` (${code})`)).toBe(true)
    expect(lines[1]).toMatch(/^ckbtc: hint: \S/)
    expect(err).not.toMatch(/^ {4}at /m)
  })

  it.each(examples)('exits %i for programs, %s', async (status, code, error) => {
    const { exit, out, err } = await shown(error, true)
    expect(err).toBe('')
    expect(out.split('\n').length).toBe(2)
    expect(exit).toBe(status)
    expect(JSON.parse(out)).toMatchObject({
      schema: 'ckbtc.error.v1',
      ok: false,
      error: { code, exit: status, op: null },
    })
  })
})

it('a failure reads: what was found, what to do, a command', async () => {
  const { err } = await shown(new UnknownCommand('dmeo', 'demo'))
  expect(err).toBe(
    [
      'ckbtc: error: there is no command "dmeo" (USAGE_UNKNOWN_COMMAND)',
      'ckbtc: hint: the nearest command is demo',
      '    ckbtc demo --help\n',
    ].join('\n'),
  )
})

it('facts go to programs as numbers', async () => {
  const { out } = await shown(new ReservesShort(-5n), true)
  expect(JSON.parse(out).error.details).toEqual({ surplus_sat: -5 })
})

it('an unexpected error shows one line of it and no trace', async () => {
  const { exit, err } = await shown(new TypeError('x is not a function\n    at secret.js:1'))
  expect(exit).toBe(70)
  expect(err).toContain('x is not a function (BUG)')
  expect(err).not.toContain('secret.js')
  expect(await shown('a thrown text')).toMatchObject({ exit: 70 })
})

describe('a refusal of the operating system', () => {
  it('to create a file names the path', async () => {
    const home = mkdtempSync(join(tmpdir(), 'ckbtc-test-'))
    const error = thrownBy(() => mkdirSync(home))
    rmSync(home, { recursive: true })
    // EEXIST is ours to avoid, so it is a bug; a lack of rights is the user's to mend.
    expect((await shown(error)).exit).toBe(70)
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/nowhere/x' })
    const { exit, err } = await shown(denied)
    expect(exit).toBe(11)
    expect(err).toContain('cannot write /nowhere/x: permission denied (HOST_DISK)')
  })

  it('to open a port names the port', async () => {
    const first = createServer()
    const port = await new Promise<number>((resolve) => {
      first.listen(0, '127.0.0.1', () => {
        const address = first.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    const second = createServer()
    const error = await new Promise<Error>((resolve) => {
      second.once('error', resolve).listen(port, '127.0.0.1')
    })
    first.close()
    const { exit, err } = await shown(error)
    expect(exit).toBe(11)
    expect(err).toContain(`port ${port} of 127.0.0.1 is taken (HOST_PORT_BUSY)`)
  })

  it('to give any port says so', async () => {
    const error = Object.assign(new Error('listen'), {
      code: 'EADDRINUSE',
      address: '::1',
      port: 0,
    })
    expect((await shown(error)).err).toContain('no free port on ::1 (HOST_PORT_BUSY)')
  })
})

it('Node older than required is refused', () => {
  for (const old of ['18.20.0', '20.18.3', '9.0.0'])
    expect(() => requireNodeVersion(old)).toThrow(HostNodeVersion)
  for (const good of [NODE_REQUIRED, '20.19.0', '20.20.2', '21.0.0', '24.1.0'])
    expect(() => requireNodeVersion(good)).not.toThrow()
})
