/**
 * Goal: the chain of the embedded Bitcoin node is the same after any stop, and a damaged one is
 * refused by name.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { concat, equalBytes, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { networks } from '../../../src/core/btc/network.ts'
import { chainHead } from '../../../src/core/btc/regtest/chain-snapshot.ts'
import type { NodeEvent } from '../../../src/core/btc/regtest/node.ts'
import { durableRegtestNode } from '../../../src/host/bitcoin/chain-store.ts'
import { EmbeddedBitcoin } from '../../../src/host/bitcoin/embedded-node.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import type { StoreWriter } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'

const root = mkdtempSync(join(tmpdir(), 'ckbtc-chain-'))
afterAll(() => rmSync(root, { recursive: true }))

const NOW = 1_700_000_000
const script = Uint8Array.of(0x51)
const blockKey = (height: number): Uint8Array => concat(utf8('block/'), u32be(height))

test('a thousand blocks are there when the node starts again', async () => {
  const directory = join(root, 'thousand')
  const first = await EmbeddedBitcoin.start({ store: LmdbStore.open(directory) })
  first.mine(1_000, script)
  const { tip } = first
  await first.close()
  const second = await EmbeddedBitcoin.start({ store: LmdbStore.open(directory) })
  expect(second.tip).toEqual(tip)
  expect(second.mine(1, script)).toHaveLength(1)
  expect(second.height).toBe(1_001)
  await second.close()
})

test('each life begins where the last one ended, after any blocks and reorganisations', () => {
  const act = fc.oneof(
    fc.record({ type: fc.constant('mine' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant('reorganise' as const), count: fc.integer({ min: 1, max: 5 }) }),
  )
  fc.assert(
    fc.property(fc.array(fc.array(act, { maxLength: 4 }), { maxLength: 5 }), (lives) => {
      const store = new MemoryStore()
      let tip = durableRegtestNode(store).tip()
      for (const acts of lives) {
        const node = durableRegtestNode(store)
        expect(node.tip()).toEqual(tip)
        for (const { type, count } of acts) {
          if (type === 'mine') node.mine(count, script, NOW)
          else
            node.reorganise(count, { dropTransactions: true, payToScript: script, nowSeconds: NOW })
        }
        tip = node.tip()
      }
      expect(durableRegtestNode(store).tip()).toEqual(tip)
    }),
    { numRuns: 40 },
  )
})

describe('a stored chain', () => {
  const damages: readonly (readonly [string, (writer: StoreWriter) => void, string])[] = [
    ['without a block in the middle', (writer) => writer.remove(blockKey(2)), 'block 2'],
    ['without its first block', (writer) => writer.remove(blockKey(1)), 'block 1'],
    ['with a block cut off', (w) => w.put(blockKey(3), Uint8Array.of(1, 2, 3)), 'block 3'],
    ['with a block elsewhere', (w) => w.put(blockKey(4), w.get(blockKey(1)) ?? script), 'block 4'],
    ['with a block beyond a gap', (w) => w.put(blockKey(9), w.get(blockKey(1)) ?? script), '5'],
  ]
  test.each(damages)('%s is refused by name', (_, damage, what) => {
    const store = new MemoryStore()
    durableRegtestNode(store).mine(4, script, NOW)
    store.transaction(damage)
    expect(() => durableRegtestNode(store)).toThrow(
      expect.objectContaining({
        code: 'HOST_DISK',
        message: expect.stringContaining(`${store.name} is damaged: block`),
      }),
    )
    expect(() => durableRegtestNode(store)).toThrow(what)
  })
})

describe('a directory of a chain', () => {
  const HEAD = utf8('chain')
  const storeWith = (head: Uint8Array): MemoryStore => {
    const store = new MemoryStore()
    durableRegtestNode(store).mine(2, script, NOW)
    store.transaction((writer) => writer.put(HEAD, head))
    return store
  }

  test('bitcoin §13.65: of another network is refused, and both networks are named', () => {
    for (const network of ['mainnet', 'testnet3', 'testnet4', 'signet'] as const) {
      const store = storeWith(chainHead(networks[network]))
      expect(() => durableRegtestNode(store)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: `the store ${store.name} is of ${network}, not of regtest`,
        }),
      )
    }
  })

  test('of another format, or of none, is refused by name', () => {
    const newer = storeWith(chainHead(networks.regtest, 2))
    expect(() => durableRegtestNode(newer)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `the store ${newer.name} has format 2, this ckbtc knows 1`,
      }),
    )
    for (const head of [new Uint8Array(0), chainHead().slice(1), concat(chainHead(), script)])
      expect(() => durableRegtestNode(storeWith(head))).toThrow('is damaged: this is no chain')
  })

  test('that says nothing of itself, as before there were formats, is taken and marked', () => {
    const store = new MemoryStore()
    durableRegtestNode(store).mine(2, script, NOW)
    store.transaction((writer) => writer.remove(HEAD))
    expect(durableRegtestNode(store).tip().height).toBe(2)
    expect(store.get(HEAD)).toEqual(chainHead())
  })
})

describe('the embedded node', () => {
  test('tells of transactions that wait, and of blocks', async () => {
    const bitcoin = await EmbeddedBitcoin.start()
    const heard: NodeEvent['type'][] = []
    const stop = bitcoin.subscribe(({ type }) => heard.push(type))
    expect(bitcoin.waiting).toEqual([])
    bitcoin.mine(1, script)
    stop()
    bitcoin.mine(1, script)
    expect(heard).toEqual(['newTip'])
    await bitcoin.close()
  })

  test('replaces its last blocks, and says what was there', async () => {
    const bitcoin = await EmbeddedBitcoin.start()
    bitcoin.mine(3, script)
    const { tip } = bitcoin
    const reply = bitcoin.reorganise(2, { dropTransactions: true, payToScript: script })
    expect(reply).toMatchObject({ type: 'reorganised', oldTip: tip, newTip: bitcoin.tip })
    expect(bitcoin.height).toBe(4)
    expect(bitcoin.blockAt(3)?.header.previous).not.toEqual(tip.header.previous)
    expect(equalBytes(bitcoin.tip.hash, tip.hash)).toBe(false)
    const tooDeep = bitcoin.reorganise(9, { dropTransactions: true, payToScript: script })
    expect(tooDeep.type).toBe('refused')
    await bitcoin.close()
  })
})
