/**
 * Goal: of our transactions those that the network would take are announced, the others are kept with
 * the reason, and what the chain did with each is known. Method: a chain view that follows a regtest
 * node block by block; spends signed by another library.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { toDisplayHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { utxosOfScript } from '../../../src/core/btc/chain-queries.ts'
import { execute } from '../../../src/core/btc/chain-view.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { opReturnScript } from '../../../src/core/btc/script.ts'
import type { Standing } from '../../../src/core/btc/standing.ts'
import { CHAIN_COUNT_MAX, Standings, standingWords } from '../../../src/core/btc/standing.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import { encodeTransaction, txid, vsize } from '../../../src/core/btc/transaction.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins } from './regtest/chains.ts'
import type { TestCoin } from './regtest/wallets.ts'
import { coinOf, p2pkhWallet, p2wpkhWallet, pay, signedSpend } from './regtest/wallets.ts'

const owner = p2wpkhWallet(1)
const legacy = p2pkhWallet(1)
const LATER = timestampNs(BigInt(NOW + 86_400) * 1_000_000_000n)

/** Mined once: every world begins with these blocks. */
const first = nodeWithCoins(owner, 4)
const blocks = Array.from({ length: first.tip().height }, (_, i) =>
  present(first.blockAt(i + 1), 'a block'),
)

/** The subnet's view of a node's chain, and what it has to send. */
class World {
  readonly node = new RegtestNode({ blocks, keep: () => undefined })
  readonly view = new ChainViewHarness()
  readonly standings = new Standings()
  #followed = 0

  constructor() {
    this.follow()
  }

  /** Reads the node's new blocks. */
  follow(): void {
    for (let height = this.#followed + 1; height <= this.node.tip().height; height++)
      this.offer(present(this.node.blockAt(height), 'a block'))
    this.#followed = this.node.tip().height
  }

  offer(block: Block): void {
    execute(this.view.state, { type: 'header', header: block.header }, LATER)
    execute(this.view.state, { type: 'block', block }, LATER)
  }

  mine(...transactions: readonly Transaction[]): void {
    for (const transaction of transactions) this.node.submit(transaction, NOW)
    this.node.mine(1, Uint8Array.of(0x51), NOW)
    this.follow()
  }

  /** The last blocks and their transactions are replaced by empty ones. */
  reorganise(depth: number): void {
    const options = { dropTransactions: true, payToScript: Uint8Array.of(0x51), nowSeconds: NOW }
    this.node.reorganise(depth, options)
    this.#followed -= depth
    this.follow()
  }

  send(transaction: Transaction): void {
    const bytes = encodeTransaction(transaction)
    expect(this.view.run({ type: 'sendTransaction', bytes, keep: true }, LATER).type).toBe(
      'accepted',
    )
  }

  of(transaction: Transaction): Standing | undefined {
    const id = toDisplayHex(txid(transaction))
    return this.standings.look(this.view.state).find((posted) => toDisplayHex(posted.txid) === id)
      ?.standing
  }

  coin(height: number): TestCoin {
    return coinbaseCoin(this.node, height, owner)
  }
}

let world: World
beforeEach(() => {
  world = new World()
})

const spend = (coin: TestCoin, fee: bigint, change = {}): Transaction =>
  signedSpend([coin], [pay(owner, coin.output.value - fee)], change)
const change = (tx: Transaction): TestCoin => coinOf(tx, { id: txid(tx), vout: 0, owner })
const held = (reason: string) => ({ type: 'held', reason: expect.stringContaining(reason) })

describe('a transaction that the network would take', () => {
  it('waits for a block at the rate that it pays', () => {
    const tx = spend(world.coin(1), 1_100n)
    world.send(tx)
    expect(world.of(tx)).toEqual({ type: 'waiting', rateSatPerKvb: 10_000n })
    expect(standingWords(world.of(tx) ?? { type: 'waiting' })).toBeUndefined()
  })

  it('is in a block with its confirmations, and waits again when a reorganisation removes it', () => {
    const tx = spend(world.coin(1), 1_100n)
    world.send(tx)
    world.mine(tx)
    expect(world.of(tx)).toEqual({ type: 'inBlock', height: 105, confirmations: 1 })
    world.mine()
    expect(world.of(tx)).toMatchObject({ confirmations: 2 })
    world.reorganise(2)
    expect(world.of(tx)).toMatchObject({ type: 'waiting' })
    for (let i = 0; i < 6; i++) world.mine(tx)
    expect(world.of(tx)).toBeUndefined()
  })

  it('may spend what another one of ours has not been confirmed with', () => {
    const parent = spend(world.coin(1), 1_100n)
    const child = spend(change(parent), 1_100n)
    world.send(parent)
    world.send(child)
    expect(world.of(child)?.type).toBe('waiting')
  })

  it('bitcoin §13.57: is the 24th of a chain at most; the 25th waits until the chain is shorter', () => {
    const chain = [spend(world.coin(1), 1_100n)]
    while (chain.length < CHAIN_COUNT_MAX + 1)
      chain.push(spend(change(present(chain.at(-1), 'the last one')), 1_100n))
    for (const tx of chain) world.send(tx)
    const [last, before] = [present(chain.at(-1), 'it'), present(chain.at(-2), 'it')]
    expect(world.of(before)?.type).toBe('waiting')
    expect(world.of(last)).toEqual(held(`too-long-mempool-chain: ${CHAIN_COUNT_MAX} wait`))
    world.mine(present(chain[0], 'the first one'))
    expect(world.of(last)?.type).toBe('waiting')
  })

  it('builds on no more than 100,000 virtual bytes, its own among them', () => {
    const wide = (coin: TestCoin, count: number): Transaction => {
      const rest = coin.output.value - 30_000n * BigInt(count)
      const notes = Array.from({ length: count - 1 }, () => pay(owner, 1_000n))
      return signedSpend([coin], [pay(owner, rest), ...notes])
    }
    const parent = wide(world.coin(1), 1_700)
    const [small, large] = [1_450, 1_700].map((count) => wide(change(parent), count))
    for (const child of [small, large]) {
      world = new World()
      world.send(parent)
      world.send(present(child, 'a child'))
      const size = vsize(parent) + vsize(present(child, 'a child'))
      expect(world.of(present(child, 'a child'))?.type).toBe(size > 100_000 ? 'held' : 'waiting')
    }
    expect(vsize(parent) + vsize(present(small, 'a child'))).toBeLessThan(100_000)
    expect(vsize(parent) + vsize(present(large, 'a child'))).toBeGreaterThan(100_000)
  })
})

describe('a transaction that it would not take', () => {
  const cases: readonly (readonly [string, (world: World) => Transaction])[] = [
    ['version', () => spend(world.coin(1), 1_100n, { version: 4 })],
    ['dust', () => signedSpend([world.coin(1)], [pay(owner, 4_999_999_000n), pay(owner, 293n)])],
    ['min relay fee not met', () => spend(world.coin(1), 10n)],
    ['max-fee-exceeded', () => spend(world.coin(1), 500_000_001n)],
    ['bad-txns-in-belowout', () => spend(world.coin(1), -1n)],
    ['bad-txns-premature-spend-of-coinbase', () => spend(world.coin(6), 1_100n)],
    ['bad-txns-inputs-missingorspent', () => spend(change(spend(world.coin(1), 5n)), 1_100n)],
    ['non-final', () => spend(world.coin(1), 1_100n, { lockTime: 105 })],
    ['non-final', () => spend(world.coin(1), 1_100n, { sequence: 105 })],
    ['multi-op-return', () => signedSpend([world.coin(1)], twoNotes())],
    ['non-mandatory-script-verify-flag', () => signedBy(world.coin(1), p2wpkhWallet(2))],
  ]
  const twoNotes = () => [1, 2].map((n) => pay(opReturnScript(Uint8Array.of(n)), 0n))
  const signedBy = (coin: TestCoin, stranger: TestCoin['owner']): Transaction =>
    spend({ ...coin, owner: stranger }, 1_100n)

  it.each(cases)('is kept back with the reason %s', (reason, make) => {
    const tx = make(world)
    world.send(tx)
    const standing = world.of(tx)
    expect(standing).toMatchObject({ type: 'held' })
    expect(standing && standingWords(standing)).toMatch(
      reason.startsWith('non-mandatory') ? /script-verify-flag/ : reason,
    )
  })

  it('pays more than a tenth only up to a tenth of a bitcoin', () => {
    const small = signedSpend([world.coin(1)], [pay(owner, 60_000n), pay(owner, 4_990_000_000n)])
    world.send(small)
    expect(world.of(small)?.type).toBe('held') // 9,940,000 sat for 141 vB is above the highest rate.
    const tenth = spend(world.coin(2), 1_000_000n)
    world.send(tenth)
    expect(world.of(tenth)?.type).toBe('waiting')
  })

  it.each([
    [10n, 'held'],
    [11n, 'waiting'],
    [1_100_000n, 'waiting'],
    [1_100_001n, 'held'],
  ])('for 110 vB a fee of %d sat: it is %s (PRE-3)', (fee, type) => {
    const tx = spend(world.coin(1), fee)
    expect(vsize(tx)).toBe(110)
    world.send(tx)
    expect(world.of(tx)?.type).toBe(type)
  })

  it.each([
    [10_000_000n, 'waiting'],
    [10_000_001n, 'held'],
  ])('where little is paid, a fee of %d sat: it is %s', (fee, type) => {
    const parent = signedSpend(
      [world.coin(1)],
      [pay(owner, 10_000_000n + fee), pay(owner, 4_970_000_000n)],
    )
    const outputs = Array.from({ length: 40 }, () => pay(owner, 250_000n))
    const tx = signedSpend([change(parent)], outputs)
    world.mine(parent)
    world.send(tx)
    expect(world.of(tx)?.type).toBe(type)
  })

  it('is announced once its time has come', () => {
    const tx = spend(world.coin(1), 1_100n, { lockTime: 105, sequence: 0xffff_fffd })
    world.send(tx)
    expect(world.of(tx)).toEqual(held('non-final'))
    world.mine()
    expect(world.of(tx)?.type).toBe('waiting')
  })
})

describe('of two that spend the same', () => {
  const original = () => spend(world.coin(1), 1_100n)
  const needed = (tx: Transaction): bigint => 1_100n + BigInt(vsize(tx))

  it('the newer one takes the place of the older, at a higher fee', () => {
    const [older, newer] = [original(), spend(world.coin(1), needed(original()))]
    world.send(older)
    world.send(newer)
    expect(world.of(older)).toEqual({ type: 'replaced', by: txid(newer) })
    expect(world.of(newer)?.type).toBe('waiting')
    const words = standingWords(world.of(older) ?? { type: 'waiting' })
    expect(words).toBe(`by ${toDisplayHex(txid(newer))}`)
  })

  it('a third one pays for the second alone, which has taken the place of the first', () => {
    const first = original()
    const second = spend(world.coin(1), needed(first))
    const enough = needed(first) + BigInt(vsize(second))
    for (const tx of [first, second]) world.send(tx)
    world.send(spend(world.coin(1), enough - 1n))
    expect(world.of(second)?.type).toBe('waiting')
    const third = spend(world.coin(1), enough)
    world.send(third)
    expect(world.of(third)?.type).toBe('waiting')
    const replaced = { type: 'replaced', by: txid(third) }
    expect([world.of(first), world.of(second)]).toEqual([replaced, replaced])
  })

  it('bitcoin §13.54: a replacement that pays 1 sat too little is kept back, with what is missing', () => {
    const [older, newer] = [original(), spend(world.coin(1), needed(original()) - 1n)]
    world.send(older)
    world.send(newer)
    expect(world.of(newer)).toEqual(held('1 sat more are needed'))
    expect(world.of(older)?.type).toBe('waiting')
  })

  it('bitcoin §13.55: the chain decides, also where it confirms the original', () => {
    const [older, newer] = [original(), spend(world.coin(1), needed(original()))]
    world.send(older)
    world.send(newer)
    world.mine(older)
    expect(world.of(older)).toMatchObject({ type: 'inBlock', confirmations: 1 })
    expect(world.of(newer)).toEqual({ type: 'conflicted', by: txid(older), confirmations: 1 })
    world.reorganise(1)
    expect(world.of(older)).toEqual({ type: 'replaced', by: txid(newer) })
    expect(world.of(newer)?.type).toBe('waiting')
    world.mine(newer)
    expect(world.of(older)).toEqual({ type: 'conflicted', by: txid(newer), confirmations: 1 })
    for (let i = 0; i < 5; i++) world.mine()
    expect([world.of(older), world.of(newer)]).toEqual([undefined, undefined])
  })
})

it('bitcoin §13.46: under another txid a third party’s payment is the same coin and the same conflict', () => {
  const coin = coinbaseCoin(world.node, 1, owner)
  const toLegacy = signedSpend([coin], [pay(legacy, 4_999_990_000n)])
  world.mine(toLegacy)
  const old = coinOf(toLegacy, { id: txid(toLegacy), vout: 0, owner: legacy })
  const paid = signedSpend([old], [pay(owner, 4_999_980_000n)])
  // Another valid signature of the same key: the scriptSig, and so the txid, is another.
  const other = signedSpend([old], [pay(owner, 4_999_980_000n)], { sequence: 0xffff_fffe })
  expect(txid(other)).not.toEqual(txid(paid))
  const ours = spend(change(paid), 10_000n)
  world.send(ours)
  world.offer(blockOn(world.node, { transactions: [other], fees: 10_000n }))
  const utxos = utxosOfScript(world.view.state, owner.script, 1)
  const found = utxos.type === 'utxos' ? utxos.utxos.map(({ outpoint }) => outpoint.txid) : []
  expect(found).toContainEqual(txid(other))
  expect(found).not.toContainEqual(txid(paid))
  expect(world.of(ours)).toEqual(held('bad-txns-inputs-missingorspent'))
})

it('bitcoin §13.47: an unconfirmed deposit that is double-spent is never credited', () => {
  const deposit = signedSpend(
    [world.coin(1)],
    [pay(legacy, 1_000_000n), pay(owner, 4_998_000_000n)],
  )
  const rival = spend(world.coin(1), 2_000_000n)
  world.node.submit(deposit, NOW)
  expect(utxosOfScript(world.view.state, legacy.script, 0)).toMatchObject({ utxos: [] })
  world.offer(blockOn(world.node, { transactions: [rival], fees: 2_000_000n }))
  expect(utxosOfScript(world.view.state, legacy.script, 0)).toMatchObject({ utxos: [] })
  world.send(deposit)
  expect(world.of(deposit)).toMatchObject({ type: 'conflicted', by: txid(rival) })
})

it('bitcoin §13.61: amounts above all there is never get to the list', () => {
  const tx = spend(world.coin(1), 1_100n)
  const [output] = tx.outputs
  const huge = { ...present(output, 'it pays'), value: 2_100_000_000_000_001n as never }
  const half = { ...huge, value: 2_000_000_000_000_000n as never }
  for (const outputs of [[huge], [half, half]]) {
    const bytes = encodeTransaction({ ...tx, outputs })
    const reply = world.view.run({ type: 'sendTransaction', bytes, keep: true }, LATER)
    expect(reply.type).toBe('malformedTransaction')
  }
})
