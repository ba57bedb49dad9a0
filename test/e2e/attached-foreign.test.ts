/**
 * Goal: a deposit and a redemption complete on a Bitcoin node of other makers, through a
 * reorganisation of six blocks on its side. Method: the built program attached to bcoin; to btcd and
 * bitcoind where the machine has them. RN-26.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { toDisplayHex, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { parseAddress } from '../../src/core/btc/address.ts'
import { encodeBlock } from '../../src/core/btc/block.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { encodeTransaction } from '../../src/core/btc/transaction.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { coinbaseCoin } from '../core/btc/regtest/chains.ts'
import { p2wpkhWallet, pay, signedSpend } from '../core/btc/regtest/wallets.ts'
import { bcoin } from '../interop/bcoin-node.ts'
import type { ForeignNode } from '../interop/bitcoin-peer.ts'
import { bitcoind, btcd } from '../interop/rpc-node.ts'
import { Home } from '../support/e2e-home.ts'

const WAIT = { timeout: 30_000, interval: 100 }
const HEIGHT = 450
const owner = p2wpkhWallet(1)
const recipient = regtestWallet('recipient')
const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

describe.each([bcoin, btcd, bitcoind])('on $name', ({ missing, start }) => {
  let foreign: ForeignNode
  let home: Home
  /** Sees what the foreign node has, and makes the blocks that replace others. */
  let watcher: { readonly node: RegtestNode; readonly server: RegtestServer }

  const data = async (line: string) => {
    const { exit, out } = await home.start(`${line} --json`).end
    // biome-ignore lint/suspicious/noExplicitAny: tests read what they name.
    const { data: found, error }: any = JSON.parse(out)
    expect([line, exit, error]).toEqual([line, 0, undefined])
    return found
  }
  const balance = async (): Promise<number> => (await data('balance dev0')).accounts[0].balance_sat
  const seen = () =>
    vi.waitFor(async () => {
      const { hash } = await foreign.tip()
      expect(toDisplayHex(watcher.node.tip().hash)).toBe(hash)
      expect((await data('bitcoin tip')).hash).toBe(hash)
    }, WAIT)
  const mine = async (count: number): Promise<void> => {
    await foreign.mine(count)
    await seen()
  }

  beforeAll(async () => {
    if (missing !== undefined) return
    home = new Home()
    foreign = await start(owner.script)
    await foreign.mine(HEIGHT)
    const node = new RegtestNode()
    watcher = { node, server: await startRegtestServer({ node }) }
    watcher.server.connect('127.0.0.1', foreign.port)
    await data(
      `subnet start --nodes 1 --bitcoin 127.0.0.1:${foreign.port} --min-confirmations 2 --set minter.max-time-in-queue=1s`,
    )
  }, 120_000)
  afterAll(async () => {
    if (missing !== undefined) return
    await home.start('subnet stop').end
    await watcher.server.close()
    await foreign.close()
    home.remove()
  })

  test('a deposit is credited, and what is redeemed is paid, through six other blocks', async (context) => {
    context.skip(missing !== undefined, missing)
    await seen()
    const { address } = await data('address dev0')
    const parsed = parseAddress(address, regtest)
    if (parsed.type === 'refused') throw new RangeError(parsed.detail)
    const deposit = signedSpend(
      [coinbaseCoin(watcher.node, 1, owner)],
      [pay(parsed.script, 50_000_000n), pay(owner, 4_949_990_000n)],
    )
    expect(await foreign.submitTransaction(toHex(encodeTransaction(deposit)))).toBe('accepted')
    await mine(2)
    await vi.waitFor(async () => expect(await balance()).toBe(49_999_900), WAIT)

    await data(`redeem 0.2ckbtc --key dev0 --to ${recipient.address} --no-wait --yes`)
    await vi.waitFor(async () => expect((await foreign.mempool()).length).toBe(1), WAIT)
    await mine(1)
    const made = watcher.node.reorganise(6, {
      dropTransactions: false,
      payToScript: owner.script,
      nowSeconds: nowSeconds(),
    })
    if (made.type === 'refused') throw new RangeError(made.reason)
    for (const hash of made.hashes) {
      const block = present(watcher.node.blockByHash(hash), 'it was mined')
      expect(await foreign.submitBlock(toHex(encodeBlock(block)))).toMatch(
        /accepted|already|duplicate/,
      )
    }
    await seen()
    await mine(2)
    await vi.waitFor(async () => {
      const { operations } = await data('status --key dev0 --all')
      expect(operations[0]).toMatchObject({ state: 'done' })
    }, WAIT)
    expect(await balance()).toBe(29_999_890)
    expect((await data('verify-reserves')).verdict).toBe('backed')
  }, 120_000)
})
