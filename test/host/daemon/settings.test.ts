import { describe, expect, it } from 'vitest'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { decodeRequest, encodeRequest } from '../../../src/host/daemon/launch-protocol.ts'
import { miningModeOfText, textOfMiningMode } from '../../../src/host/mining-mode.ts'
import {
  bitcoinRpcPort,
  hasSyncCalls,
  mempoolOptions,
  minterSettings,
  setKind,
  setNames,
} from '../../../src/host/set-values.ts'
import type { SubnetSettings } from '../../../src/host/subnet-settings.ts'
import {
  decodeSettings,
  defaultSettings,
  encodeSettings,
  mergeSettings,
} from '../../../src/host/subnet-settings.ts'
import { tokenOf } from '../../support/token-files.ts'

const attached = {
  ...defaultSettings,
  bitcoin: { host: '192.0.2.1', port: 18_444, network: 'regtest' },
} as const satisfies SubnetSettings

const unusual: SubnetSettings = {
  nodes: 7,
  port: 4943,
  host: '127.0.0.1',
  mining: { type: 'interval', everySeconds: 90 },
  minConfirmations: 2,
  autoMint: false,
  feeRateMsatPerVb: 12_000n,
  ids: 'mainnet',
  isolation: 'process',
  bitcoin: undefined,
  set: new Map<string, bigint | string>([
    ['minter.max-time-in-queue', 600_000_000_000n],
    ['minter.mode', 'read-only'],
  ]),
  tokens: [tokenOf({}), tokenOf({ token_symbol: 'ABC', token_width: 256, decimals: 18 })],
}

describe('settings of the subnet', () => {
  it('keep the tokens: they need not be named again, and are never others', () => {
    const { tokens } = unusual
    expect(mergeSettings(unusual, {}).tokens).toEqual(tokens)
    expect(mergeSettings(unusual, { tokens }).tokens).toEqual(tokens)
    for (const others of [[], tokens.slice(1), [...tokens].reverse()])
      expect(() => mergeSettings(unusual, { tokens: others })).toThrow(
        '--token cannot change: the subnet was made with XYZ, ABC',
      )
    expect(() => mergeSettings(defaultSettings, { tokens })).toThrow('made with ckBTC alone')
  })

  it('ledger §20.124: a token keeps the width of its amounts', () => {
    for (const [before, after] of [
      [64, 256],
      [256, 64],
    ] as const) {
      const made = { ...defaultSettings, tokens: [tokenOf({ token_width: before })] }
      const given = { tokens: [tokenOf({ token_width: after })] }
      expect(() => mergeSettings(made, given)).toThrow('--token cannot change')
    }
  })

  it('without a word of tokens are those of a subnet that has none', () => {
    const { tokens: _, ...older } = JSON.parse(encodeSettings(defaultSettings))
    expect(decodeSettings(JSON.stringify(older), 'x')).toEqual(defaultSettings)
  })

  it('the port of the Bitcoin RPC may change at every start, and stays till then', () => {
    const on = mergeSettings(unusual, { set: new Map([['bitcoin.rpc', 18_443n]]) })
    expect(bitcoinRpcPort(on.set)).toBe(18_443)
    expect(on.set.get('minter.mode')).toBe('read-only')
    const later = mergeSettings(decodeSettings(encodeSettings(on), 'x'), {})
    expect(bitcoinRpcPort(later.set)).toBe(18_443)
    const off = mergeSettings(later, { set: new Map([['bitcoin.rpc', 0n]]) })
    expect(bitcoinRpcPort(off.set)).toBe(0)
    expect(minterSettings(on.set, unusual)).toEqual(minterSettings(unusual.set, unusual))
  })

  it.each([
    ['the usual', defaultSettings],
    ['unusual', unusual],
    ['of one that is attached', attached],
  ])('survive writing and reading: %s', (_, settings) => {
    expect(decodeSettings(encodeSettings(settings), 'x')).toEqual(settings)
  })

  it('are refused cut off at any place, with the file named', () => {
    const encoded = encodeSettings(unusual)
    for (let length = 0; length < encoded.trimEnd().length; length++)
      expect(() => decodeSettings(encoded.slice(0, length), '/x/settings.json')).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', details: { path: '/x/settings.json' } }),
      )
  })

  it.each([
    ['another version', { version: 2 }],
    ['no nodes', { nodes: 0 }],
    ['too many nodes', { nodes: 41 }],
    ['a port that is none', { port: 65_536 }],
    ['an unknown way of mining', { mining: 'often' }],
    ['a negative rate', { feeRateMsatPerVb: '-1' }],
    ['an isolation that there is not', { isolation: 'machine' }],
    ['ids of nobody', { ids: 'testnet' }],
    ['a list of set values', { set: [1] }],
    ['a set value that is a number', { set: { 'minter.hold': 1 } }],
    ['an unknown field', { more: true }],
  ])('are refused with %s', (_, change) => {
    const changed = JSON.stringify({ ...JSON.parse(encodeSettings(unusual)), ...change })
    expect(() => decodeSettings(changed, 'x')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })

  it('of a subnet made before nodes could live elsewhere have each in a thread', () => {
    const { isolation: _, ...older } = JSON.parse(encodeSettings(unusual))
    const expected = { ...unusual, isolation: 'worker' }
    expect(decodeSettings(JSON.stringify(older), 'x')).toEqual(expected)
  })

  it('of a new subnet are the given ones and the defaults', () => {
    expect(mergeSettings(undefined, { nodes: 7 })).toEqual({ ...defaultSettings, nodes: 7 })
  })

  it('of a subnet that exists are replaced where that is possible', () => {
    const given = {
      port: 1,
      mining: { type: 'manual' },
      feeRateMsatPerVb: 7_000n,
      isolation: 'inline',
    } as const
    expect(mergeSettings(unusual, given)).toEqual({ ...unusual, ...given })
    expect(mergeSettings(unusual, {})).toEqual(unusual)
    expect(mergeSettings(unusual, { nodes: 7, set: unusual.set })).toEqual(unusual)
  })

  it.each([
    ['--nodes', { nodes: 4 }],
    ['--ids', { ids: 'own' }],
    ['--min-confirmations', { minConfirmations: 6 }],
    ['--no-auto-mint', { autoMint: true }],
    ['--set ic.sync-calls', { set: new Map([['ic.sync-calls', 'off']]) }],
  ] as const)('of a subnet that exists keep %s', (option, given) => {
    expect(() => mergeSettings(unusual, given)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        details: expect.objectContaining({ option }),
      }),
    )
  })

  it('leave what a running minter takes to an upgrade: the state follows from the first ones', () => {
    const set = new Map<string, bigint | string>([
      ['minter.mode', 'general-availability'],
      ['minter.hold', 1n],
      ['minter.min-confirmations', 1n],
    ])
    expect(mergeSettings(unusual, { set })).toEqual(unusual)
    expect([...mergeSettings(undefined, { set }).set.keys()]).toEqual([
      'minter.mode',
      'minter.hold',
    ])
  })

  it('keep the node that the subnet is attached to, and the network it was found on', () => {
    const [host, port] = ['192.0.2.1', 18_444]
    expect(mergeSettings(attached, {})).toEqual(attached)
    expect(mergeSettings(attached, { bitcoin: { host, port, network: undefined } })).toEqual(
      attached,
    )
    for (const [stored, given] of [
      [attached, { host, port: 1, network: undefined }],
      [attached, { host: '192.0.2.2', port, network: undefined }],
      [defaultSettings, { host, port, network: undefined }],
    ] as const)
      expect(() => mergeSettings(stored, { bitcoin: given })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          command: 'ckbtc subnet reset',
          message: expect.stringContaining('--bitcoin cannot change'),
        }),
      )
  })

  it.each([
    ['--block-time', { mining: { type: 'manual' } }],
    ['--fee-rate', { feeRateMsatPerVb: 1_000n }],
  ] as const)('refuse %s where the chain is that of another', (option, given) => {
    const { bitcoin } = attached
    for (const [stored, more] of [
      [attached, {}],
      [undefined, { bitcoin }],
    ] as const)
      expect(() => mergeSettings(stored, { ...given, ...more })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          details: { option, bitcoin: '192.0.2.1:18444' },
        }),
      )
  })

  it('make a minter of the network that canisters know signet by', () => {
    const bitcoin = { ...attached.bitcoin, network: 'signet' } as const
    expect(minterSettings(new Map(), { bitcoin }).init.network).toBe('testnet')
    expect(minterSettings(new Map(), attached).init.network).toBe('regtest')
  })

  it('reach a process in the background as they were given, and no further', () => {
    const directories = { state: '/s', runtime: '/r' }
    for (const given of [{}, { nodes: 1 }, unusual, attached]) {
      const request = { directories, given, isEphemeral: true }
      expect(decodeRequest(encodeRequest(request))).toEqual(request)
    }
    expect(() => decodeRequest('{}')).toThrow(BadEncoding)
  })
})

describe('a way of mining', () => {
  it.each(['auto', 'manual', '1s', '90s', 'poisson:10s', 'on-tx', 'on-tx:2s'])(
    '%s is written as it is read',
    (text) => {
      const mode = miningModeOfText(text)
      expect(mode && textOfMiningMode(mode)).toBe(text)
    },
  )

  it('counts minutes, hours and days in seconds', () => {
    expect(miningModeOfText('2m')).toEqual({ type: 'interval', everySeconds: 120 })
    expect(miningModeOfText('1h')).toEqual({ type: 'interval', everySeconds: 3_600 })
    expect(miningModeOfText('7d')).toEqual({ type: 'interval', everySeconds: 604_800 })
  })

  it.each([
    '',
    '0s',
    '01s',
    '1',
    's',
    '1.5s',
    '-1s',
    '8d',
    '1w',
    '1s ',
    'AUTO',
    'poisson',
    'poisson:0s',
    'on-tx:',
    'on-tx:x',
  ])('is not %j', (text) => {
    expect(miningModeOfText(text)).toBeUndefined()
  })
})

describe('--set', () => {
  it('changes exactly what each name says', () => {
    const before = minterSettings(new Map())
    for (const name of setNames.filter((each) => each.startsWith('minter.'))) {
      const value =
        name === 'minter.auto-mint'
          ? 'off'
          : setKind(name)?.type === 'mode'
            ? 'read-only'
            : 12_345_000_000_000n
      const { init, settings } = minterSettings(new Map([[name, value]]))
      const changed = [
        ...Object.entries(init).filter(([key, field]) => field !== entry(before.init, key)),
        ...Object.entries(settings).filter(([key, field]) => field !== entry(before.settings, key)),
      ]
      expect(changed, name).toHaveLength(1)
    }
  })

  it('tells the mempool of the Bitcoin node what to take', () => {
    const of = (entries: readonly (readonly [string, bigint | string])[]) =>
      mempoolOptions(new Map(entries))
    expect(of([])).toEqual({ acceptNonstandard: false })
    expect(of([['bitcoin.accept-nonstandard', 'on']])).toEqual({ acceptNonstandard: true })
    expect(of([['bitcoin.accept-nonstandard', 'off']])).toEqual({ acceptNonstandard: false })
    expect(of([['bitcoin.min-relay-rate', 100n]])).toMatchObject({ relayRateSatPerKvb: 100n })
    const changed = mergeSettings(unusual, { set: new Map([['bitcoin.min-relay-rate', 5n]]) })
    expect(mempoolOptions(changed.set).relayRateSatPerKvb).toBe(5n)
  })

  it('offers synchronous calls unless they are switched off', () => {
    const sync = (word: string): boolean => hasSyncCalls(new Map([['ic.sync-calls', word]]))
    expect([hasSyncCalls(new Map()), sync('on'), sync('off')]).toEqual([true, true, false])
    expect(setKind('ic.sync-calls')).toEqual({ type: 'word', words: ['on', 'off'] })
  })

  it('knows the kind of its own names only', () => {
    expect(setKind('minter.nothing')).toBeUndefined()
    expect(setKind('toString')).toBeUndefined()
  })

  const entry = (holder: object, key: string): unknown =>
    Object.getOwnPropertyDescriptor(holder, key)?.value
})
