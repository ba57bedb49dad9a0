/**
 * Goal: our regtest nodes and a node of other makers are one network: each gets the chain from the
 * other, transactions cross in both directions, all agree after every reorganisation and on which
 * blocks are none; and the subnet's adapter follows the other's chain as it follows ours.
 * Method: a triangle of two of ours and one foreign node over loopback, and another foreign one that
 * comes later. bcoin always; btcd and bitcoind where the machine has them. RN-20, RN-26.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { toDisplayHex, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { encodeBlock, headerHash } from '../../src/core/btc/block.ts'
import { confirmationsOf, missingBlocks, outgoing, tip } from '../../src/core/btc/chain-queries.ts'
import type { Request } from '../../src/core/btc/chain-state.ts'
import { newState } from '../../src/core/btc/chain-state.ts'
import { execute } from '../../src/core/btc/chain-view.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { answerCall } from '../../src/core/btc/regtest/rpc/rpc.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'
import { encodeTransaction, txid } from '../../src/core/btc/transaction.ts'
import { startBitcoinConnection } from '../../src/host/bitcoin/connection.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { systemClock } from '../../src/host/clock.ts'
import { blockOn, coinbaseCoin } from '../core/btc/regtest/chains.ts'
import {
  coinOf,
  EVERY_WALLET,
  p2wpkhWallet,
  pay,
  signedSpend,
} from '../core/btc/regtest/wallets.ts'
import { bcoin } from '../interop/bcoin-node.ts'
import type { ForeignKind, ForeignNode } from '../interop/bitcoin-peer.ts'
import { invalidBlocks } from '../interop/invalid-blocks.ts'
import { bitcoind, btcd } from '../interop/rpc-node.ts'

const owner = p2wpkhWallet(1)
const elsewhere = p2wpkhWallet(2)
const WAIT = { timeout: 20_000, interval: 10 }
/** Witnesses count from 432 on where the fork is signalled for. */
const HEIGHT = 450
const FEE = 10_000n

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)
const hexOf = (tx: Transaction): string => toHex(encodeTransaction(tx))
const hexOfBlock = (block: Block): string => toHex(encodeBlock(block))

type Own = { readonly node: RegtestNode; readonly server: RegtestServer }

class Triangle {
  /** Why ours have ended connections. */
  readonly drops: readonly string[]
  readonly foreign: ForeignNode
  /** Its chain is ours, but it is connected to nobody: here blocks are made for the foreign node. */
  readonly workshop = new RegtestNode()
  readonly own: readonly [Own, Own]
  /** The last coinbase that was spent. */
  #coin = 0

  private constructor({ foreign, own, drops }: Pick<Triangle, 'foreign' | 'own' | 'drops'>) {
    this.foreign = foreign
    this.own = own
    this.drops = drops
  }

  static async start(kind: ForeignKind): Promise<Triangle> {
    const foreign = await kind.start(owner.script)
    const drops: string[] = []
    const serve = async (): Promise<Own> => {
      const node = new RegtestNode()
      const onDrop = (_: string, reason: string, detail: string): void => {
        drops.push(`${reason}: ${detail}`)
      }
      return { node, server: await startRegtestServer({ node, onDrop }) }
    }
    return new Triangle({ foreign, own: [await serve(), await serve()], drops })
  }

  get node(): RegtestNode {
    return this.own[0].node
  }

  /** Until all have one tip and one mempool. */
  async agree(): Promise<void> {
    await vi.waitFor(async () => {
      const { hash } = await this.foreign.tip()
      expect(this.own.map(({ node }) => toDisplayHex(node.tip().hash))).toEqual([hash, hash])
    }, WAIT)
    await vi.waitFor(async () => {
      const ids = [...(await this.foreign.mempool())].sort()
      for (const { node } of this.own)
        expect(
          node
            .mempool()
            .map((entry) => toDisplayHex(entry.txid))
            .sort(),
        ).toEqual(ids)
    }, WAIT)
  }

  spend(value = 100_000_000n): Transaction {
    this.#coin += 1
    const coin = coinbaseCoin(this.node, this.#coin, owner)
    const rest = coin.output.value - value - FEE
    return signedSpend([coin], [pay(elsewhere, value), pay(owner, rest)])
  }

  /** Blocks that replace the last `depth` ones, made apart. */
  branch(depth: number): readonly Block[] {
    const { workshop, node } = this
    for (let height = workshop.tip().height - 30; height <= node.tip().height; height++)
      if (height > 0) workshop.submitBlock(present(node.blockAt(height), 'a block'), nowSeconds())
    expect(workshop.tip().hash).toEqual(node.tip().hash)
    const made = workshop.reorganise(depth, {
      dropTransactions: false,
      payToScript: owner.script,
      nowSeconds: nowSeconds(),
    })
    if (made.type === 'refused') throw new RangeError(made.reason)
    return made.hashes.map((hash) => present(workshop.blockByHash(hash), 'it was mined'))
  }

  async close(): Promise<void> {
    for (const { server } of this.own) await server.close()
    await this.foreign.close()
  }
}

/** The Bitcoin side of a node of the subnet, with the foreign node as its only peer. */
function follow(port: number) {
  const state = newState({ network: regtest, stabilityThreshold: 144 })
  const offences: string[] = []
  const refusals: string[] = []
  const run = (request: Request): void => {
    const { reply } = execute(state, request, systemClock())
    if (reply.type !== 'accepted') refusals.push(reply.type)
    connection.want(missingBlocks(state))
    connection.announce(outgoing(state))
  }
  const connection = startBitcoinConnection({
    network: regtest,
    peers: [{ host: '127.0.0.1', port }],
    seed: Seed.fromBytes(new Uint8Array(32).fill(3)),
    userAgent: '/ckbtc:test/',
    push: false,
    clock: systemClock,
    onHeaders: (headers) => {
      for (const header of headers) run({ type: 'header', header })
    },
    onBlock: (_, block) => run({ type: 'block', block }),
    onOffence: (_, offence) => offences.push(`${offence.kind}: ${offence.reason}`),
  })
  return { state, run, connection, offences, refusals }
}

/** Where two answers differ, of the fields that both have. */
function differences(ours: unknown, theirs: unknown, place: string): readonly string[] {
  if (Array.isArray(ours) && Array.isArray(theirs))
    return ours.length === theirs.length
      ? ours.flatMap((one, i) => differences(one, theirs[i], `${place}[]`))
      : [`${place}: ${ours.length} and ${theirs.length} entries`]
  if (isFields(ours) && isFields(theirs))
    return Object.keys(ours)
      .filter((name) => name in theirs)
      .flatMap((name) => differences(ours[name], theirs[name], `${place}.${name}`))
  return ours === theirs ? [] : [`${place}: ${JSON.stringify(ours)}, ${JSON.stringify(theirs)}`]
}

const fieldOf = (difference: string): string => /\.(\w+):/.exec(difference)?.[1] ?? difference

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

describe.each([bcoin, btcd, bitcoind])('$name', (kind) => {
  let triangle: Triangle
  const { missing } = kind
  beforeAll(async () => {
    if (missing === undefined) triangle = await Triangle.start(kind)
  }, 60_000)
  afterAll(() => triangle?.close())

  const here = (title: string, act: () => Promise<void>): void => {
    test(title, async (context) => {
      context.skip(missing !== undefined, missing)
      await act()
    })
  }

  here('gives its chain to one of ours, which gives it to another', async () => {
    const { foreign, own } = triangle
    await foreign.mine(HEIGHT)
    const [a, b] = own
    b.server.connect('127.0.0.1', a.server.port)
    a.server.connect('127.0.0.1', foreign.port)
    await foreign.connect(b.server.port)
    await triangle.agree()
    expect(triangle.node.tip().height).toBe(HEIGHT)
  })

  here('takes blocks of ours, with the spends of every kind of output', async () => {
    const [a, b] = triangle.own
    const value = 1_000_000n
    const coin = coinbaseCoin(a.node, 200, owner)
    const rest = coin.output.value - BigInt(EVERY_WALLET.length) * value - FEE
    const fan = signedSpend(
      [coin],
      [...EVERY_WALLET.map((wallet) => pay(wallet, value)), pay(owner, rest)],
    )
    expect(a.node.submit(fan, nowSeconds()).type).toBe('accepted')
    await triangle.agree()
    a.node.mine(1, owner.script, nowSeconds())
    await triangle.agree()
    const coins = EVERY_WALLET.map((wallet, vout) =>
      coinOf(fan, { id: txid(fan), vout, owner: wallet }),
    )
    const spend = signedSpend(coins, [pay(owner, BigInt(EVERY_WALLET.length) * value - FEE)])
    expect(b.node.submit(spend, nowSeconds()).type).toBe('accepted')
    b.node.mine(1, owner.script, nowSeconds())
    await triangle.agree()
    expect(a.node.transaction(txid(spend))?.confirmations).toBe(1)
  })

  here('takes transactions of ours and gives us its own', async () => {
    const [, b] = triangle.own
    const ours = triangle.spend()
    expect(b.node.submit(ours, nowSeconds()).type).toBe('accepted')
    await triangle.agree()
    const theirs = triangle.spend()
    expect(await triangle.foreign.submitTransaction(hexOf(theirs))).toBe('accepted')
    await vi.waitFor(() => expect(b.node.mempool().length).toBe(2), WAIT)
    await triangle.agree()
    await triangle.foreign.mine(1)
    await triangle.agree()
    expect(b.node.mempool()).toEqual([])
    expect(b.node.transaction(txid(ours))?.confirmations).toBe(1)
  })

  here('agrees with ours after reorganisations on our side and on its own', async () => {
    for (const depth of [1, 6, 20]) {
      const [a, b] = triangle.own
      const options = { payToScript: owner.script, nowSeconds: nowSeconds() }
      const own = depth === 6 ? b : a
      own.node.reorganise(depth, { ...options, dropTransactions: false })
      await triangle.agree()
      for (const block of triangle.branch(depth))
        expect(await triangle.foreign.submitBlock(hexOfBlock(block))).toBe('accepted')
      await triangle.agree()
      await triangle.foreign.mine(1)
      await triangle.agree()
    }
  })

  here('refuses the blocks that ours refuse', async () => {
    const { node, foreign } = triangle
    const before = node.tip().hash
    const good = blockOn(node)
    const cases = invalidBlocks(node, {
      spend: () => triangle.spend(),
      hasHeights: kind.hasHeights,
    })
    for (const [what, block] of cases) {
      expect(node.submitBlock(block, nowSeconds()).type, what).toBe('refused')
      expect(await foreign.submitBlock(hexOfBlock(block)), what).not.toBe('accepted')
    }
    expect(await foreign.submitBlock(hexOfBlock(good))).toBe('accepted')
    await triangle.agree()
    expect(node.tip().hash).toEqual(headerHash(good.header))
    expect(before).toEqual(good.header.previous)
  })

  here('shows blocks and transactions as ours does, where both have a field', async () => {
    const { node, foreign } = triangle
    const context = {
      node,
      nowSeconds: nowSeconds(),
      peers: () => [],
      nodes: { add: () => false, remove: () => false },
      stop: undefined,
      uptimeSeconds: 0,
    }
    const found: string[] = []
    const { height: tipHeight } = node.tip()
    for (let height = 0; height <= tipHeight; height += height > HEIGHT - 5 ? 1 : 89) {
      const hash = toDisplayHex(headerHash(present(node.blockAt(height), 'a block').header))
      const { text } = answerCall({ method: 'getblock', params: [hash, 2], id: 1 }, context)
      found.push(...differences(JSON.parse(text).result, await foreign.block(hash), 'block'))
    }
    const others = found.filter((words) => !kind.ownWords.includes(fieldOf(words)))
    expect([...new Set(others)]).toEqual([])
  })

  here('is followed by the adapter of a subnet, which sends through it', async () => {
    const { state, run, connection, offences, refusals } = follow(triangle.foreign.port)
    try {
      const same = (): void => expect(tip(state).hash).toEqual(triangle.node.tip().hash)
      await vi.waitFor(same, WAIT)
      const payment = triangle.spend()
      run({ type: 'sendTransaction', bytes: encodeTransaction(payment), keep: true })
      const id = toDisplayHex(txid(payment))
      await vi.waitFor(async () => expect(await triangle.foreign.mempool()).toContain(id), WAIT)
      await triangle.agree()
      await triangle.foreign.mine(1)
      await vi.waitFor(() => expect(confirmationsOf(state, txid(payment))).toBe(1), WAIT)
      await triangle.agree()
      for (const block of triangle.branch(6)) await triangle.foreign.submitBlock(hexOfBlock(block))
      await triangle.agree()
      await vi.waitFor(same, WAIT)
      expect(offences).toEqual([])
      expect(refusals).toEqual([])
    } finally {
      connection.close()
    }
  })

  here('that is new gets the chain from ours', async () => {
    const young = await kind.start(owner.script)
    try {
      await young.connect(triangle.own[1].server.port)
      const hash = toDisplayHex(triangle.node.tip().hash)
      await vi.waitFor(async () => expect((await young.tip()).hash).toBe(hash), WAIT)
    } finally {
      await young.close()
    }
  })

  here('has given none of ours a reason to end a connection', async () => {
    expect(triangle.drops).toEqual([])
    for (const { server } of triangle.own)
      expect(server.peers().filter(({ ready }) => ready).length).toBe(2)
  })
})
