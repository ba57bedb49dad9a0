/**
 * Goal: the user's own node is believed as his own, after its chain, its headers and its blocks have
 * been looked at; what it lacks is named with what to do.
 * Method: the JSON-RPC over the real chain of a regtest node, on loopback. bitcoin.md §8.6, §13.58.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { encodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { BitcoindSource } from '../../../src/wallet/sources/bitcoind.ts'
import { outcomeOf } from '../../../src/wallet/sources/broadcast-reply.ts'
import type { Facts } from '../../support/bitcoind-double.ts'
import { bitcoindDouble, COOKIE } from '../../support/bitcoind-double.ts'
import type { HttpDouble, Lie } from '../../support/http-double.ts'
import type { Story } from './story.ts'
import { NOW_S, other, portsOf, tell, watched } from './story.ts'

let story: Story
let server: HttpDouble
let facts: Facts
let url: URL
let waits: number[]
const source = (authority: string | undefined = COOKIE): BitcoindSource =>
  new BitcoindSource({ url, authority: () => authority, withinMs: 3_000 }, portsOf(waits))

const shared = tell()

beforeEach(async ({ task }) => {
  story = /takes a transaction|reorganisation/.test(task.name) ? tell() : shared
  ;({ server, facts } = bitcoindDouble(story.node, NOW_S))
  url = await server.start()
  waits = []
})
afterEach(() => server.close())

/** Changes the results of a method. */
const change =
  (method: string, edit: (text: string) => string): Lie =>
  ({ body }, honest) =>
    body.includes(`"${method}"`) ? { ...honest, body: edit(String(honest.body)) } : honest

describe('an own node', () => {
  test('says what is unspent, as one’s own node', async () => {
    const { unspent, spent, unknown, node } = story
    const claims = [unspent, spent, unknown]
    const expected = { type: 'unspent', value: 4_999_999_000n, script: watched.script }
    const status = await source().spendStatus(claims)
    expect(status).toMatchObject({ exists: 'own-node', unspent: 'own-node' })
    expect(status.at.hash).toEqual(node.tip().hash)
    expect(status.outputs).toEqual([
      { ...expected, height: unspent.height },
      { type: 'unknown' },
      { type: 'unknown' },
    ])
    // Only an index of transactions can tell what was spent from what never was.
    facts.txindex = true
    const types = (await source().spendStatus(claims)).outputs.map(({ type }) => type)
    expect(types).toEqual(['unspent', 'spent', 'unknown'])
  })

  test('finds outputs by script, amounts to the satoshi', async () => {
    const { utxos, label, at } = present(
      await source().stableUtxos([watched.script, other.script]),
      'it',
    )
    expect(label).toBe('own-node')
    expect(at.height).toBe(story.node.tip().height)
    const sums = utxos.map(({ value }) => value)
    expect(sums).toContain(4_999_999_000n)
    expect(sums).toContain(5_000n)
    expect(sums).toContain(1_000_000n)
    for (const { outpoint, value, script, height } of utxos)
      expect(story.node.utxo(outpoint)).toMatchObject({ type: 'unspent', value, script, height })
  })

  test('gives headers, blocks and what blocks spend', async () => {
    const node = source()
    expect((await node.headers(1, 10)).length).toBe(10)
    const block = present(story.node.blockAt(107), 'a block with a spend')
    const hash = headerHash(block.header)
    expect(await node.block(hash)).toEqual(block)
    const spent = await node.prevouts(hash)
    expect(spent).toEqual([{ value: 4_999_999_000n, script: watched.script }])
  })

  test('asks for headers in batches, and for new ones alone', async () => {
    const node = source()
    await node.info()
    const before = server.requests.length
    expect(before).toBeLessThan(10)
    await node.info()
    expect(server.requests.length - before).toBe(1)
  })

  test('takes a transaction, or says why not; and has evidence of it', async () => {
    facts.txindex = true
    const node = source()
    const id = txid(story.next)
    expect(await node.txEvidence(id)).toEqual({ type: 'unknown' })
    expect(await node.broadcast(encodeTransaction(story.next))).toEqual({
      type: 'accepted',
      txid: id,
    })
    expect(await node.txEvidence(id)).toMatchObject({ type: 'echoed', label: 'own-node' })
    story.node.mine(2, other.script, NOW_S)
    expect(await node.txEvidence(id)).toMatchObject({ type: 'inBlock', confirmations: 2 })
    const double = encodeTransaction({ ...story.next, lockTime: 1 })
    expect(await node.broadcast(double)).toMatchObject({
      type: 'refused',
      kind: 'inputs-missing-or-spent',
    })
  })

  test('that only starts is waited for', async () => {
    let warming = 3
    server.lie = (_, honest) =>
      warming-- > 0
        ? {
            ...honest,
            body: '[{"id":0,"result":null,"error":{"code":-28,"message":"Loading block index…"}}]',
          }
        : honest
    expect((await source().info()).tip.height).toBe(story.node.tip().height)
    expect(waits).toEqual([1_000, 1_000, 1_000])
  })

  test('whose queue of work is full is asked again', async () => {
    let full = 2
    server.lie = (_, honest) =>
      full-- > 0 ? { status: 503, body: 'Work queue depth exceeded' } : honest
    await source().info()
    expect(waits).toEqual([1_000, 2_000])
  })
})

describe('a node that cannot be used says why', () => {
  const cases: readonly (readonly [string, () => void, RegExp])[] = [
    [
      'another network',
      () => Object.assign(facts, { chain: 'main' }),
      /on mainnet, not on regtest/,
    ],
    ['a chain nobody knows', () => Object.assign(facts, { chain: 'x' }), /on another network/],
    ['an old version', () => Object.assign(facts, { version: 230_000 }), /at least 240000/],
  ]
  test.each(cases)('%s', async (_, prepare, expected) => {
    prepare()
    const failure = source().info()
    await expect(failure).rejects.toMatchObject({ code: 'BTC_SOURCE_UNUSABLE', exit: 11 })
    await expect(failure).rejects.toThrow(expected)
  })

  test('a wrong cookie', async () => {
    await expect(source('__cookie__:wrong').info()).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      fix: expect.stringContaining('?cookie=<file>'),
    })
  })

  test('on regtest in initial block download is used, with a word about it (§13.58)', async () => {
    Object.assign(facts, { initialblockdownload: true, pruned: true })
    const { notes } = await source().info()
    expect(notes.join()).toMatch(/mine one.*pruned below height 7/)
  })
})

describe('a lie is named', () => {
  const flip = (hex: string): string => hex.replace(/"result":"(..)/, '"result":"ff')
  const lies: readonly (readonly [string, Lie, RegExp])[] = [
    [
      'a header that breaks the rules',
      change('getblockheader', flip),
      /breaks the rules|do not lead/,
    ],
    [
      'no header',
      change('getblockheader', (text) => text.replace(/"result":"../, '"result":"zz')),
      /is none/,
    ],
    ['no answer to a question', change('gettxout', () => '[]'), /no answer to gettxout/],
    ['text that is no JSON', change('gettxout', () => '<html>'), /not JSON/],
    [
      'more bitcoin than there is',
      change('gettxout', (text) => text.replace(/"value":[\d.]+/, '"value":21000001.0')),
      /more bitcoin/,
    ],
    [
      'an amount of nine decimals',
      change('gettxout', (text) => text.replace(/"value":[\d.]+/, '"value":0.123456789')),
      /not an amount/,
    ],
    [
      'an answer without end',
      change('gettxout', (text) => text.padEnd(9_000_000)),
      /more than 8000000 bytes/,
    ],
    [
      'the tip of another height',
      change('getblockchaininfo', (text) => text.replace(/"blocks":\d+/, '"blocks":3')),
      /names height|do not lead/,
    ],
  ]
  test.each(lies)('%s', async (_, lie, expected) => {
    server.lie = lie
    const failure = source().spendStatus([story.unspent])
    await expect(failure).rejects.toMatchObject({ code: 'BTC_SOURCE_FALSE' })
    await expect(failure).rejects.toThrow(expected)
  })

  test('another body for a block', async () => {
    const node = source()
    await node.info()
    const { header } = present(story.node.blockAt(5), 'a block')
    server.lie = ({ body }, honest) =>
      body.includes('"getblock"')
        ? { ...honest, body: String(honest.body).slice(0, -200).concat('"}]') }
        : honest
    await expect(node.block(headerHash(header))).rejects.toMatchObject({ code: 'BTC_SOURCE_FALSE' })
  })

  test('a scan that finds what was not asked for', async () => {
    server.lie = change('scantxoutset', (text) =>
      text.replaceAll('"scriptPubKey":"51', '"scriptPubKey":"52'),
    )
    await expect(source().stableUtxos([watched.script])).rejects.toThrow(/not asked for/)
  })
})

test.each([
  ['bad-txns-inputs-missingorspent', 'inputs-missing-or-spent'],
  ['min relay fee not met, 0 < 141', 'fee-too-low'],
  ['mempool min fee not met', 'fee-too-low'],
  [
    'insufficient fee, rejecting replacement abc; new feerate 1 <= old feerate 2',
    'replacement-refused',
  ],
  ['dust', 'dust'],
  ['mandatory-script-verify-flag-failed (Signature must be zero)', 'script-failure'],
  ['too-long-mempool-chain, too many unconfirmed ancestors', 'too-long-chain'],
  ['max-fee-exceeded', 'fee-too-high'],
  ['scriptpubkey', 'non-standard'],
  ['TX decode failed', 'malformed'],
  ['something new\u001b[2J', 'other'],
])('the refusal "%s" is %s (§10.3)', (reason, kind) => {
  const outcome = outcomeOf(reason, txid(shared.next))
  expect(outcome).toMatchObject({ type: 'refused', kind })
  expect(JSON.stringify(outcome, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).not.toContain(
    '\\u001b',
  )
})
