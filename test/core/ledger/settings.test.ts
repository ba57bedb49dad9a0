/** Metadata, standards, upgrades: checklist 118 to 125 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { MetadataEntry } from '../../../src/core/ledger/config.ts'
import { ckbtcConfig, DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import type { InitArgs } from '../../../src/core/ledger/interface/init-interface.ts'
import { configOf } from '../../../src/core/ledger/interface/init-interface.ts'
import {
  metadata,
  SUPPORTED_BLOCK_TYPES,
  SUPPORTED_STANDARDS,
} from '../../../src/core/ledger/interface/metadata.ts'
import { configProblem } from '../../../src/core/ledger/settings.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import {
  alice,
  bob,
  collector,
  FEE,
  LedgerUnderTest,
  M,
  MAX,
  minter,
  of,
  spender,
  testConfig,
  trap,
} from './ledger-under-test.ts'

const logo: MetadataEntry = ['icrc1:logo', { type: 'text', text: 'data:image/svg+xml;base64,AAAA' }]
const INDEX = principalOfText('n5wcd-faaaa-aaaar-qaaea-cai')
const text = (key: string): MetadataEntry => [key, { type: 'text', text: 'x' }]

describe('metadata', () => {
  test('ledger §20.118: shows custom entries first, then what the ledger is, in its order', () => {
    const config = testConfig({ metadata: [logo], indexPrincipal: INDEX })
    expect(metadata(config)).toEqual([
      logo,
      ['icrc1:decimals', { type: 'nat', nat: 8n }],
      ['icrc1:name', { type: 'text', text: 'ckBTC' }],
      ['icrc1:symbol', { type: 'text', text: 'ckBTC' }],
      ['icrc1:fee', { type: 'nat', nat: FEE }],
      ['icrc1:max_memo_length', { type: 'nat', nat: 32n }],
      ['icrc103:public_allowances', { type: 'text', text: 'true' }],
      ['icrc103:max_take_value', { type: 'nat', nat: 500n }],
      ['icrc106:index_principal', { type: 'text', text: 'n5wcd-faaaa-aaaar-qaaea-cai' }],
    ])
  })

  test.each([
    ['icrc1:decimals', "ledger's own"],
    ['icrc1:name', "ledger's own"],
    ['icrc1:symbol', "ledger's own"],
    ['icrc1:fee', "ledger's own"],
    ['icrc1:max_memo_length', "ledger's own"],
    ['icrc103:public_allowances', "ledger's own"],
    ['icrc103:max_take_value', "ledger's own"],
    ['icrc106:index_principal', 'twice'],
    ['logo', 'not <namespace>:<key>'],
    [':logo', 'not <namespace>:<key>'],
    ['icrc1:', 'not <namespace>:<key>'],
  ])('ledger §20.119: the key "%s" is refused at install and by upgrade', (key, reason) => {
    const entries = [text(key)]
    expect(configProblem(testConfig({ metadata: entries, indexPrincipal: INDEX }))).toContain(
      reason,
    )
    const ledger = new LedgerUnderTest({ indexPrincipal: INDEX })
    expect(ledger.upgrade({ metadata: entries, tokenName: 'new' })).toEqual(trap(reason))
    expect(ledger.state.config.tokenName).toBe('ckBTC')
  })

  test('a key may hold colons, and stands once', () => {
    expect(configProblem(testConfig({ metadata: [text('a:b:c')] }))).toBeUndefined()
    expect(configProblem(testConfig({ metadata: [text('a:b'), text('a:b')] }))).toContain('twice')
  })

  test('as many keys as a message holds are judged without holding up a slot', () => {
    const many = Array.from({ length: 60_000 }, (_, k) => text(`a:${k}`))
    const began = performance.now()
    expect(configProblem(testConfig({ metadata: many }))).toBeUndefined()
    expect(configProblem(testConfig({ metadata: [...many, text('a:0')] }))).toContain('"a:0"')
    expect(performance.now() - began).toBeLessThan(3_000)
  })
})

describe('an upgrade', () => {
  test('ledger §20.120: changes what it names', () => {
    const ledger = new LedgerUnderTest()
    const settings = {
      tokenName: 'name',
      tokenSymbol: 'symbol',
      transferFee: 7n,
      metadata: [logo],
      indexPrincipal: INDEX,
      archiveOptions: { triggerThreshold: 5n },
    }
    expect(ledger.upgrade(settings)).toEqual({ type: 'ok' })
    const { archiveOptions, ...rest } = settings
    expect(ledger.state.config).toMatchObject(rest)
    expect(ledger.state.config.archiveOptions).toEqual({
      ...testConfig().archiveOptions,
      ...archiveOptions,
    })
  })

  test('ledger §20.120: that names nothing changes nothing', () => {
    const ledger = new LedgerUnderTest({ indexPrincipal: INDEX, feeCollector: undefined })
    const before = ledger.state.config
    expect(ledger.upgrade({})).toEqual({ type: 'ok' })
    expect(ledger.state.config).toEqual(before)
  })

  test('ledger §20.123: keeps an index principal that it does not name', () => {
    const ledger = new LedgerUnderTest()
    expect(metadata(ledger.state.config).map(([key]) => key)).not.toContain(
      'icrc106:index_principal',
    )
    ledger.upgrade({ indexPrincipal: INDEX })
    ledger.upgrade({ indexPrincipal: undefined })
    expect(ledger.state.config.indexPrincipal).toEqual(INDEX)
  })

  const initArgs: InitArgs = {
    mintingAccount: M,
    transferFee: FEE,
    tokenName: 'a token',
    tokenSymbol: 'TOK',
    metadata: [],
    initialBalances: [[of(alice), 10_000_000n]],
    featureFlags: { icrc2: false },
    archiveOptions: { numBlocksToArchive: 5n, triggerThreshold: 10n, controllerId: minter },
  }
  const canister = ({ state }: LedgerUnderTest) =>
    new LedgerCanister(ownCanisterIds.ledger, state, [], undefined)

  test('ledger §20.121: takes no init argument, and an install no upgrade argument', () => {
    const upgrade = { type: 'upgrade', args: { tokenName: 'new' } } as const
    expect(configOf(upgrade, { tokenWidth: 64 })).toEqual(trap('upgrade argument'))
    const ledger = new LedgerUnderTest()
    ledger.fund(alice, 5n)
    const before = structuredClone(ledger.state)
    expect(canister(ledger).upgrade({ type: 'init', args: initArgs })).toEqual(
      trap('init argument'),
    )
    expect(ledger.state).toEqual(before)
  })

  test('ledger §20.120: with no argument, or null for one, changes nothing', () => {
    const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
    ledger.fund(alice, 5n)
    const before = structuredClone(ledger.state)
    for (const arg of [undefined, { type: 'upgrade' } as const])
      expect(canister(ledger).upgrade(arg)).toEqual({ type: 'ok' })
    expect(ledger.state).toEqual(before)
  })

  test('ledger §20.122: cannot take ICRC-2 away, nor can the install', () => {
    const config = configOf({ type: 'init', args: initArgs }, { tokenWidth: 64 })
    if ('type' in config) throw new RangeError(config.message)
    const ledger = new LedgerUnderTest(config)
    const spend = () => {
      expect(ledger.approve(alice, spender, 50_000n).type).toBe('ok')
      expect(ledger.transferFrom(spender, [alice, bob], 5n).type).toBe('ok')
    }
    spend()
    const args = { featureFlags: { icrc2: false } }
    expect(canister(ledger).upgrade({ type: 'upgrade', args })).toEqual({ type: 'ok' })
    spend()
    expect(ledger.balance(bob)).toBe(10n)
  })

  test('cannot set a fee beyond the width', () => {
    expect(new LedgerUnderTest().upgrade({ transferFee: MAX + 1n })).toEqual(trap('64 bits'))
    expect(configProblem(testConfig({ transferFee: MAX + 1n }))).toContain('64 bits')
    expect(configProblem(testConfig({ transferFee: MAX + 1n, tokenWidth: 256 }))).toBeUndefined()
  })
})

describe('what is supported', () => {
  test('ledger §20.125: seven standards and five block types', () => {
    expect(SUPPORTED_STANDARDS.map(({ name }) => name)).toEqual(
      ['1', '2', '3', '10', '21', '103', '106'].map((number) => `ICRC-${number}`),
    )
    expect(SUPPORTED_BLOCK_TYPES.map(({ blockType }) => blockType)).toEqual([
      '1burn',
      '1mint',
      '1xfer',
      '2approve',
      '2xfer',
    ])
  })

  test('the limits of a ledger are those of the specification', () => {
    expect(DEFAULT_LIMITS).toMatchObject({
      transactionWindowNs: 86_400_000_000_000n,
      permittedDriftNs: 60_000_000_000n,
      transactionsInWindowMax: 3_000_000,
      transactionsToPurgeMax: 100_000,
      allowancesToPruneMax: 100,
      transactionsPerRequestMax: 2_000,
      blocksPerResponseMax: 100,
      takeAllowancesMax: 500,
      consentMessageArgBytesMax: 500,
      blocksToArchiveMax: 18_000,
      archiveMessageBytesMax: 1_048_576,
    })
  })

  test('the profile of ckBTC is that of the deployed ledger', () => {
    const config = ckbtcConfig({ minter, archiveController: minter })
    expect(configProblem(config)).toBeUndefined()
    expect(config).toMatchObject({ tokenSymbol: 'ckBTC', transferFee: 10n, memoLengthMax: 80 })
    expect(config.feeCollector?.subaccount?.slice(29)).toEqual(Uint8Array.of(0, 0x0f, 0xee))
  })
})
