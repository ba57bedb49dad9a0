/**
 * Goal: sources that are asked together agree at one block or the question stays open; what a person
 * types names a source or is refused with what would do.
 * Method: cli §5.13, bitcoin.md §8.8 RV-2, RV-4, BE-4.
 */
import { describe, expect, test } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { AgreeingSources, requireEnough } from '../../../src/wallet/agreeing-sources.ts'
import type { BitcoinSource, ChainOutput, TrustLabel } from '../../../src/wallet/bitcoin-source.ts'
import { weakest } from '../../../src/wallet/bitcoin-source.ts'
import { parseSourceSpec } from '../../../src/wallet/source-spec.ts'
import { CanisterSource } from '../../../src/wallet/sources/canister.ts'
import { EmbeddedSource } from '../../../src/wallet/sources/embedded.ts'
import { isPrivateHost } from '../../../src/wallet/sources/http.ts'
import { BTC_UNUSED, chainOf } from './chain-port.ts'
import { portsOf, tell, watched } from './story.ts'

const story = tell()
const { node, unspent, spent, unknown } = story

type Change = {
  readonly output?: (output: ChainOutput, index: number) => ChainOutput
  readonly tip?: number
  readonly label?: TrustLabel
}

/** The chain as one of several sources sees it. */
function source(change: Change = {}): BitcoinSource {
  const embedded = new EmbeddedSource(chainOf(node), portsOf())
  const label = change.label ?? 'own-node'
  return Object.assign(embedded, {
    spendStatus: async (claims: Parameters<BitcoinSource['spendStatus']>[0]) => {
      const status = await new EmbeddedSource(chainOf(node), portsOf()).spendStatus(claims)
      const outputs = status.outputs.map((output, i) => change.output?.(output, i) ?? output)
      const hash = change.tip === undefined ? status.at.hash : hash32(new Uint8Array(32))
      return { at: { ...status.at, hash }, outputs, exists: label, unspent: label }
    },
  })
}

const asking = (...changes: readonly Change[]): AgreeingSources =>
  new AgreeingSources(changes.map((change, i) => ({ name: `source ${i}`, source: source(change) })))

describe('sources together', () => {
  test('agree, and each says what its answer rests on', async () => {
    const both = asking({ label: 'server-said' }, { label: 'proved' })
    expect(await both.height()).toBe(node.tip().height)
    const seen = await both.outputs([unspent, spent, unknown])
    expect(seen?.height).toBe(node.tip().height)
    expect(seen?.outputs.map(({ type }) => type)).toEqual(['unspent', 'spent', 'unknown'])
    expect(both.trust.map(({ label }) => label)).toEqual(['server-said', 'proved'])
  })

  test.each([
    ['mainnet', 21_600, []],
    ['mainnet', 21_601, ['its newest block is 6 h old: it may be behind']],
    ['regtest', 999_999, []],
  ] as const)(
    'bitcoin §13.10: a tip of %s that is %i s old is noted: %j',
    async (network, age, notes) => {
      const old = source()
      const info = await old.info()
      const aged = Object.assign(old, { info: async () => ({ ...info, network }) })
      const named = [{ name: 'a', source: aged }]
      const asked = new AgreeingSources(named, () => info.tip.time + age)
      await asked.height()
      await asked.outputs([unspent])
      expect(asked.trust.map(({ notes: said }) => said)).toEqual([notes])
    },
  )

  test('at different blocks have no answer yet', async () => {
    expect(await asking({}, { tip: 1 }).outputs([unspent])).toBe(undefined)
  })

  const different: readonly (readonly [string, (output: ChainOutput) => ChainOutput])[] = [
    ['a coin that is spent to one', () => ({ type: 'spent' })],
    ['a coin that one does not know', () => ({ type: 'unknown' })],
    ['the value', (output) => ({ ...output, value: 1n }) as ChainOutput],
    ['the height', (output) => ({ ...output, height: 1 }) as ChainOutput],
    ['the script', (output) => ({ ...output, script: Uint8Array.of(1) }) as ChainOutput],
  ]
  test.each(different)('that differ about %s make the question inconclusive', async (_, output) => {
    const asked = asking({}, { output }).outputs([unspent])
    await expect(asked).rejects.toMatchObject({ code: 'RESERVES_INCONCLUSIVE', exit: 5 })
    await expect(asked).rejects.toThrow(/source 0 and source 1 disagree/)
  })

  test('need not tell spent from never made', async () => {
    const seen = await asking({}, { output: () => ({ type: 'unknown' }) }).outputs([spent])
    expect(seen?.outputs).toEqual([{ type: 'spent' }])
  })

  test('of one Esplora server alone are not enough; of two, or with another, they are', () => {
    const esplora = (name: string) => ({ kind: 'esplora', name })
    expect(() => requireEnough([esplora('a')])).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('a second server') }),
    )
    expect(() => requireEnough([])).toThrow(/no source/)
    expect(() => requireEnough([esplora('a'), esplora('a')])).toThrow(/two/)
    expect(() => requireEnough([esplora('a'), esplora('b')])).not.toThrow()
    expect(() => requireEnough([esplora('a'), { kind: 'bitcoind', name: 'b' }])).not.toThrow()
  })

  test('are as strong as the weakest', () => {
    expect(weakest(['proved', 'own-node'])).toBe('own-node')
    expect(weakest(['proved', 'server-said', 'own-node'])).toBe('server-said')
    expect(weakest(['proved'])).toBe('proved')
    expect(weakest([])).toBe('server-said')
  })
})

describe('the name of a source', () => {
  test.each([
    ['embedded', { kind: 'embedded' }],
    ['canister', { kind: 'canister' }],
    ['p2p', { kind: 'p2p', peers: [] }],
    [
      'p2p=a.example:1,[2001:db8::1]:65535',
      {
        peers: [
          { host: 'a.example', port: 1 },
          { host: '2001:db8::1', port: 65_535 },
        ],
      },
    ],
    [
      'esplora=https://mempool.space/testnet4/api/',
      { kind: 'esplora', name: 'esplora mempool.space' },
    ],
    ['bitcoind=http://127.0.0.1:18443', { kind: 'bitcoind', cookieFile: undefined }],
    ['bitcoind=http://[::1]:18443?cookie=/a=b/.cookie', { cookieFile: '/a=b/.cookie' }],
    ['esplora=http://192.168.1.5:3000', { kind: 'esplora' }],
    ['p2p=127.0.0.1:1,127.0.0.1:2', { kind: 'p2p' }],
  ])('%s is understood', (text, expected) => {
    expect(parseSourceSpec(text)).toMatchObject(expected)
  })

  test.each([
    '',
    'electrum',
    'embedded=1',
    'p2p=',
    'p2p=host',
    'p2p=host:0',
    'p2p=host:70000',
    'p2p=a:1,,b:2',
    'p2p=127.0.0.1:1,127.0.0.1:1',
    'p2p=node.example:1,NODE.example:2',
    `p2p=${Array.from({ length: 17 }, (_, i) => `h${i}:1`).join()}`,
    'esplora=',
    'esplora',
    'esplora=ftp://x',
    'bitcoind=127.0.0.1:8332',
    'bitcoind=http://user:password@127.0.0.1:8332',
  ])('"%s" is refused', (text) => {
    expect(() => parseSourceSpec(text)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }))
  })

  test('over plain HTTP is refused where others can listen (RPC-1)', () => {
    for (const kind of ['esplora', 'bitcoind'])
      expect(() => parseSourceSpec(`${kind}=http://node.example:8332`)).toThrow(
        expect.objectContaining({ code: 'BTC_SOURCE_UNUSABLE' }),
      )
    const near = [
      'localhost',
      '127.9.9.9',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.9.9',
      '192.168.0.1',
      '169.254.1.1',
      '[::1]',
      '[fd00::1]',
      '[fe80::1]',
    ]
    const far = [
      '8.8.8.8',
      '172.15.0.1',
      '172.32.0.1',
      '192.169.0.1',
      '10.1.2',
      '10.1.2.3.4',
      'localhost.example',
      '[2001:db8::1]',
      '127.0.0.1.example',
    ]
    expect(near.filter((host) => !isPrivateHost(host))).toEqual([])
    expect(far.filter(isPrivateHost)).toEqual([])
  })
})

describe('the embedded chain', () => {
  test('does not take for accepted what was only announced', async () => {
    const send = async () => false
    const source = new EmbeddedSource({ ...chainOf(node), send }, portsOf())
    expect((await source.broadcast(BTC_UNUSED)).type).toBe('unknown')
  })

  test('says from whom it is read where it is another’s', async () => {
    const notes = async (attachedTo?: string) =>
      (await new EmbeddedSource({ ...chainOf(node), attachedTo }, portsOf()).info()).notes
    expect(await notes()).toEqual([])
    expect(await notes('h:1')).toEqual(['read from h:1'])
  })

  test('answers for outputs and transactions as one’s own node', async () => {
    const embedded = new EmbeddedSource(chainOf(node), portsOf())
    expect(await embedded.info()).toMatchObject({
      label: 'own-node',
      tip: { height: node.tip().height },
    })
    expect(await embedded.txEvidence(unspent.outpoint.txid)).toMatchObject({ type: 'inBlock' })
    expect(await embedded.txEvidence(hash32(new Uint8Array(32)) as never)).toEqual({
      type: 'unknown',
    })
    expect(await embedded.broadcast(BTC_UNUSED)).toMatchObject({
      type: 'refused',
      kind: 'inputs-missing-or-spent',
    })
    for (const answer of [
      embedded.headers(),
      embedded.block(),
      embedded.stableUtxos(),
      embedded.prevouts(),
    ])
      expect(await answer).toBe('unsupported')
  })
})

describe('the Bitcoin canister', () => {
  const view = (height: number, hash = 1) => ({
    utxos: [{ outpoint: unspent.outpoint, value: 5n as never, height: 106 }],
    tipHash: hash32(new Uint8Array(32).fill(hash)) as never,
    tipHeight: height,
  })

  test('says what one of its nodes says', async () => {
    const canister = new CanisterSource({ utxosOf: async () => view(120) }, portsOf(), 'probe')
    const status = await canister.spendStatus([unspent, unknown])
    expect(status).toMatchObject({
      exists: 'server-said',
      unspent: 'server-said',
      at: { height: 120 },
    })
    expect(status.outputs).toEqual([
      { type: 'unspent', value: 5n, script: watched.script, height: 106 },
      { type: 'unknown' },
    ])
    expect(await canister.broadcast()).toBe('unsupported')
  })

  test('that moves all the time, or does not answer, is no source', async () => {
    let hash = 0
    const moving = { utxosOf: async () => view(120, ++hash) }
    await expect(
      new CanisterSource(moving, portsOf(), 'x').spendStatus([unspent]),
    ).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
    })
    const silent = { utxosOf: async () => undefined }
    await expect(new CanisterSource(silent, portsOf(), 'x').info()).rejects.toThrow(
      /does not answer/,
    )
  })
})
