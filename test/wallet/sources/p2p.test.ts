/**
 * Goal: the source `p2p` answers what its peers prove, says how many stood for it, and never answers
 * from a search that is not over.
 * Method: regtest nodes behind TCP listeners on loopback and the real connection of the host; a node
 * on a shorter chain, an unreachable one; more than one source compared. bitcoin.md §8.5, §13.45.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import type { FilterStatus } from '../../../src/core/btc/filter-port.ts'
import { WATCHED_MAX } from '../../../src/core/btc/filter-scan.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import type { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { encodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { startRegtestServer } from '../../../src/host/bitcoin/regtest-server.ts'
import { startFilterConnection } from '../../../src/host/filter-connection.ts'
import type { PeerConnector } from '../../../src/wallet/sources/p2p.ts'
import { PeerSource, STALLED_MS, UNREACHED_MS } from '../../../src/wallet/sources/p2p.ts'
import { NOW } from '../../core/btc/regtest/chains.ts'
import { NOW_S, other, owner, portsOf, tell, watched } from './story.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})
const shared = tell()

async function portOf(node: RegtestNode): Promise<number> {
  const server = await startRegtestServer({ node, nowSeconds: () => NOW_S })
  closing.push(() => server.close())
  return server.port
}

/** Patience is short: a peer that is not there is known at once on loopback. */
function sourceAt(ports: readonly number[], patienceMs = 5_000): PeerSource {
  const connector = startFilterConnection({
    network: regtest,
    peers: ports.map((port) => ({ host: '127.0.0.1', port })),
    seed: Seed.fromBytes(new Uint8Array(32).fill(3)),
    userAgent: '/ckbtc:test/',
    push: false,
  })
  const wait = (ms: number): Promise<void> => pause(ms, undefined, { ref: false })
  const source = new PeerSource(connector, { ...portsOf(), wait }, { patienceMs })
  closing.push(() => source.close())
  return source
}

describe('two peers that agree', () => {
  test('prove what is unspent, in one pass for all claims', async () => {
    const { node, unspent, spent, unknown } = shared
    const source = sourceAt([await portOf(node), await portOf(node)])
    const status = await source.spendStatus([unspent, spent, unknown])
    expect(status).toMatchObject({ exists: 'proved', unspent: 'proved' })
    expect(status.at).toMatchObject({ hash: node.tip().hash, height: node.tip().height })
    expect(status.outputs).toEqual([
      { type: 'unspent', value: 4_999_999_000n, script: watched.script, height: unspent.height },
      { type: 'spent' },
      { type: 'unknown' },
    ])
    expect(await source.info()).toMatchObject({
      kind: 'p2p',
      label: 'proved',
      synced: true,
      endpoint: '2 peers',
      notes: [],
    })
  })

  test('show outputs of any script, headers, and evidence of a transaction', async () => {
    const story = tell()
    const { node } = story
    const source = sourceAt([await portOf(node), await portOf(node)])
    const heights: number[] = []
    closing.push(
      source.subscribe((event) => {
        if (event.type === 'tipChanged') heights.push(event.tip.height)
      }),
    )
    const found = await source.stableUtxos([watched.script])
    expect(found.utxos.map(({ height }) => height)).toEqual([story.unspent.height])
    expect((await source.headers(1, 5)).length).toBe(5)
    const third = present(node.blockAt(3), 'a block')
    expect(await source.block(headerHash(third.header))).toEqual(third)
    await expect(source.block(hash32(new Uint8Array(32)))).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      message: expect.stringContaining('it has no block'),
    })
    const id = txid(story.next)
    expect(await source.broadcast(encodeTransaction(story.next))).toEqual({
      type: 'unknown',
      txid: id,
    })
    await new Promise<void>((resolve) => {
      const stop = node.subscribe((event) => {
        if (event.type === 'newTransaction') resolve()
      })
      closing.push(stop)
    })
    node.mine(1, other.script, NOW)
    while (!heights.includes(node.tip().height)) await pause(5)
    expect(await source.txEvidence(id)).toMatchObject({ type: 'inBlock', confirmations: 1 })
    expect((await source.spendStatus([story.unspent])).outputs).toEqual([{ type: 'spent' }])
  }, 20_000)
})

test('what was searched for from a later birth is searched for again from an earlier one', async () => {
  const source = sourceAt([await portOf(shared.node), await portOf(shared.node)])
  await source.spendStatus([{ ...shared.unspent, script: owner.script, height: 106 }])
  const { utxos } = await source.stableUtxos([owner.script])
  expect(utxos.map(({ height }) => height).toSorted((a, b) => a - b)).toEqual([4, 106])
})

test('bitcoin §13.45: one peer is no proof, and the answer says so', async () => {
  const source = sourceAt([await portOf(shared.node)])
  const status = await source.spendStatus([shared.unspent])
  expect(status).toMatchObject({ exists: 'proved', unspent: 'server-said' })
  expect(await source.info()).toMatchObject({
    label: 'server-said',
    notes: ['1 filter peer, 2 make a proof'],
  })
})

test('a peer that is not there is not waited for beyond patience', async () => {
  const server = await startRegtestServer({ node: shared.node })
  const { port } = server
  await server.close()
  const source = sourceAt([port, await portOf(shared.node)], 300)
  expect((await source.spendStatus([shared.unspent])).unspent).toBe('server-said')
})

/** A connection that stands still. */
function still(
  client: Partial<PeerConnector['client']>,
  change: Partial<FilterStatus>,
): PeerConnector {
  const tip = { hash: shared.node.tip().hash, height: 9, time: 0 }
  const counts = { filters: 9, searched: 3, vouchers: 2, hopeful: 0, liars: 0, headersRead: 9 }
  const status = { tip, synced: true, ...counts, aheadSeconds: undefined, undecided: 0, ...change }
  const nothing = { peers: [], search: undefined, tree: undefined as never }
  return {
    client: { status, ...nothing, scan: { count: 0 } as never, ...client },
    watch: () => undefined,
    announce: () => undefined,
    fetch: () => undefined,
    evidence: () => [],
    onChange: () => () => undefined,
    close: () => undefined,
  }
}

test('peers that are looked for and never reached are given up after a minute, with a reason', async () => {
  const search = { calls: 3, trouble: 'no COMPACT_FILTERS service' }
  const waits: number[] = []
  const source = new PeerSource(still({ search }, { vouchers: 0, hopeful: 1 }), portsOf(waits))
  await expect(source.info()).rejects.toMatchObject({
    code: 'NETWORK_UNREACHABLE',
    message: expect.stringContaining('can be used; of the last: no COMPACT_FILTERS service'),
  })
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(UNREACHED_MS)
})

test('peers that serve nothing more are given up', async () => {
  const connector = still({}, {})
  const waits: number[] = []
  const source = new PeerSource(connector, portsOf(waits))
  await expect(source.spendStatus([shared.unspent])).rejects.toMatchObject({
    code: 'NETWORK_UNREACHABLE',
    message: expect.stringContaining('served nothing for 3 minutes'),
  })
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(STALLED_MS)
  Object.assign(connector.client.scan, { count: WATCHED_MAX })
  await expect(source.watch([watched.script], 1)).rejects.toMatchObject({
    code: 'BTC_SOURCE_UNUSABLE',
  })
})

test('without any peer the source is unreachable', async () => {
  const server = await startRegtestServer({ node: shared.node })
  const { port } = server
  await server.close()
  // At once, not when patience ends.
  await expect(sourceAt([port, port], 600_000).info()).rejects.toMatchObject({
    code: 'NETWORK_UNREACHABLE',
    message: expect.stringContaining('none of 2 peers can be reached'),
  })
})

test('a command that ends takes its question with it', async () => {
  const ending = new AbortController()
  const connector = startFilterConnection({
    network: regtest,
    peers: [{ host: '127.0.0.1', port: 1 }],
    seed: Seed.fromBytes(new Uint8Array(32)),
    userAgent: '/ckbtc:test/',
    push: false,
  })
  closing.push(() => connector.close())
  const wait = (): Promise<void> => new Promise(() => undefined)
  const source = new PeerSource(connector, { ...portsOf(), wait, signal: ending.signal })
  const asked = source.info()
  ending.abort(new RangeError('the end'))
  await expect(asked).rejects.toThrow('the end')
})
