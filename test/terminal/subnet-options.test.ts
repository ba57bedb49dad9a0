import { describe, expect, it } from 'vitest'
import { Options } from '../../src/commands/definitions/command.ts'
import { requireLocal } from '../../src/commands/local-network.ts'
import { miningWords } from '../../src/commands/subnet/description.ts'
import { startOptions } from '../../src/commands/subnet/start-options.ts'
import { Configuration } from '../../src/wallet/config.ts'
import { noGlobals } from '../support/globals.ts'

/** `project`: what stands in its file. */
const given = (
  values: Readonly<Record<string, unknown>>,
  project: Readonly<Record<string, string>> = {},
) => {
  const settings = Object.entries(project).map(
    ([name, value]) => ({ name, value, source: 'project', place: '/.ckbtc.json' }) as const,
  )
  const configuration = new Configuration(settings, { path: '', projectPath: '/.ckbtc.json' })
  return startOptions(new Options({ autoMint: true, ...values }), configuration)
}

describe('options of subnet start', () => {
  it('that were not given are not there, so that stored ones stay', () => {
    expect(given({})).toEqual({})
  })

  it('become settings', () => {
    expect(
      given({
        nodes: '7',
        port: '4943',
        host: '::1',
        minConfirmations: '1',
        blockTime: '10s',
        feeRate: '1.5satvb',
        autoMint: false,
        ids: 'mainnet',
        set: ['minter.max-time-in-queue=10m', 'minter.mode=read-only', 'minter.check-fee=5 sat'],
      }),
    ).toEqual({
      nodes: 7,
      port: 4_943,
      host: '::1',
      minConfirmations: 1,
      mining: { type: 'interval', everySeconds: 10 },
      feeRateMsatPerVb: 1_500n,
      autoMint: false,
      ids: 'mainnet',
      set: new Map<string, bigint | string>([
        ['minter.max-time-in-queue', 600_000_000_000n],
        ['minter.mode', 'read-only'],
        ['minter.check-fee', 5n],
      ]),
    })
  })

  it.each([
    ['no nodes', { nodes: '0' }],
    ['too many nodes', { nodes: '41' }],
    ['nodes in words', { nodes: 'four' }],
    ['a port that is none', { port: '65536' }],
    ['a host by name', { host: 'example.org' }],
    ['no confirmations', { minConfirmations: '0' }],
    ['blocks now and then', { blockTime: 'often' }],
    ['a fee rate without a unit', { feeRate: '5' }],
    ['a set value without a value', { set: ['minter.mode'] }],
    ['a word that is not one of the words', { set: ['minter.mode=closed'] }],
    ['a duration without a unit', { set: ['minter.hold=5'] }],
    ['a count beyond its bounds', { set: ['minter.max-requests-per-batch=0'] }],
  ])('are refused with %s', (_, values) => {
    expect(() => given(values)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }))
  })

  it('are refused with an amount without a unit', () => {
    expect(() => given({ set: ['minter.check-fee=5'] })).toThrow(
      expect.objectContaining({ code: 'AMOUNT_NO_UNIT' }),
    )
  })

  it('that nothing is called get the nearest name, or all names', () => {
    expect(() => given({ set: ['minter.chekc-fee=5sat'] })).toThrow(
      expect.objectContaining({ fix: 'the nearest name is minter.check-fee' }),
    )
    expect(() => given({ set: ['x=1'] })).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('minter.max-time-in-queue') }),
    )
  })
})

describe('the file of a project', () => {
  const project = {
    min_confirmations: '1',
    'subnet.nodes': '7',
    'subnet.block_time': 'manual',
    'subnet.auto_mint': 'false',
    'subnet.set.minter.mode': 'read-only',
  }

  it('stands in for options', () => {
    expect(given({}, project)).toEqual({
      nodes: 7,
      minConfirmations: 1,
      mining: { type: 'manual' },
      autoMint: false,
      set: new Map([['minter.mode', 'read-only']]),
    })
  })

  it('is beaten by options', () => {
    expect(given({ nodes: '1', set: ['minter.mode=general-availability'] }, project)).toMatchObject(
      { nodes: 1, set: new Map([['minter.mode', 'general-availability']]) },
    )
  })

  it('cannot set what does not exist', () => {
    expect(() => given({}, { 'subnet.set.minter.mdoe': 'x' })).toThrow('nothing is called')
  })
})

describe('commands of the local chain', () => {
  it.each([
    ['by option', 'ic', {}],
    ['by environment', undefined, { CKBTC_NETWORK: 'testnet4' }],
    ['by option against the environment', 'ic', { CKBTC_NETWORK: 'local' }],
  ])('are refused on another network, selected %s', (_, network, environment) => {
    expect(() => requireLocal({ globals: { ...noGlobals, network }, environment })).toThrow(
      expect.objectContaining({ code: 'RAIL_LOCAL_ONLY', exit: 10 }),
    )
  })

  it.each([
    ['nothing is selected', undefined, {}],
    ['the environment is empty', undefined, { CKBTC_NETWORK: '' }],
    ['local is selected', 'local', { CKBTC_NETWORK: 'ic' }],
  ])('go on when %s', (_, network, environment) => {
    expect(() => requireLocal({ globals: { ...noGlobals, network }, environment })).not.toThrow()
  })
})

describe('how blocks are made', () => {
  it.each([
    ['auto', 'automatic'],
    ['none', 'by the node that it is attached to'],
    ['manual', 'by hand: ckbtc bitcoin mine'],
    ['10s', 'a block every 10s'],
    ['poisson:10s', 'a block at random, every 10s on average'],
    ['on-tx', 'a block after each transaction'],
    ['on-tx:5s', 'a block 5s after each transaction'],
  ])('%s, in words', (mining, words) => expect(miningWords(mining)).toBe(words))
})
