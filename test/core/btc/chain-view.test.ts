/**
 * Goal: the chain view accepts exactly valid blocks, whatever their order, and forgets no branch
 * too early. Method: real regtest blocks, with one rule broken at a time.
 */
import { describe, expect, it } from 'vitest'
import { sat, timestampNs } from '../../../src/core/base/units.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import {
  balanceOfScript,
  confirmationsOf,
  headerAtHeight,
  isDiverged,
  isSynced,
  missingBlocks,
  outgoing,
  tip,
  transactionOf,
  utxosOfScript,
} from '../../../src/core/btc/chain-queries.ts'
import { ORPHANS_MAX } from '../../../src/core/btc/chain-state.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import { outpointKey, stripWitness, txid } from '../../../src/core/btc/transaction.ts'
import {
  bytesOf,
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  MINER,
  NOW,
  outputOf,
  scriptOf,
  spend,
  subsidyAt,
} from '../../support/chain-builder.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'

const alice = scriptOf(1)
const bob = scriptOf(2)

const balance = (view: ChainViewHarness, script: Uint8Array, confirmations = 0): bigint => {
  const answer = balanceOfScript(view.state, script, confirmations)
  return answer.type === 'balance' ? answer.balance : -1n
}

/** Ten coinbases of it can be spent. */
const BASE = new ChainBuilder().mineMany(110)

/**
 * A chain with `count` blocks that a view follows, and what the first blocks' coinbases can pay.
 */
function mature(count = 110, stabilityThreshold = 144) {
  const blocks = count === BASE.length ? BASE : new ChainBuilder().mineMany(count)
  const chain = new ChainBuilder(blocks)
  const view = new ChainViewHarness(stabilityThreshold)
  view.follow(...blocks)
  const coin = (i: number) => coinbaseOutput(blocks[i] as Block)
  return { chain, blocks, view, coin }
}

const COIN = subsidyAt(1)

describe('blocks that break one rule', () => {
  type Case = (setting: ReturnType<typeof mature>) => Block
  const pay = (inputs: Parameters<typeof spend>[0], value: bigint, more = {}): Transaction =>
    spend(inputs, [{ to: alice, value }], more)
  const cases: Record<string, readonly [reason: string, build: Case]> = {
    'an outpoint spent twice in one block': [
      'bad-txns-inputs-missingorspent',
      ({ chain, coin }) =>
        chain.mine({ transactions: [pay([coin(0)], COIN), pay([coin(0)], COIN - 1n)], fees: 1n }),
    ],
    'bitcoin §13.25: an outpoint spent twice by one transaction': [
      'bad-txns-inputs-duplicate',
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(0), coin(0)], COIN)] }),
    ],
    'an output that never was': [
      'bad-txns-inputs-missingorspent',
      ({ chain, coin }) => chain.mine({ transactions: [pay([{ ...coin(0), vout: 7 }], 1n)] }),
    ],
    'bitcoin §13.34: the parent after the child': [
      'bad-txns-inputs-missingorspent',
      ({ chain, coin }) => {
        const parent = pay([coin(0)], COIN)
        return chain.mine({ transactions: [pay([outputOf(parent)], COIN), parent] })
      },
    ],
    'bitcoin §13.26: a coinbase that pays one satoshi too much': [
      'bad-cb-amount',
      ({ chain }) => chain.mine({ fees: 1n }),
    ],
    'a coinbase that claims more than the fees': [
      'bad-cb-amount',
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(0)], COIN - 5n)], fees: 6n }),
    ],
    'outputs above inputs': [
      'bad-txns-in-belowout',
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(0)], COIN + 1n)] }),
    ],
    'bitcoin §13.27: a coinbase spent 99 blocks later': [
      'bad-txns-premature-spend-of-coinbase',
      // Block 111 spends the coinbase of block 12.
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(11)], COIN)] }),
    ],
    'a lock at the height of the block': [
      'bad-txns-nonfinal',
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(0)], COIN, { lockTime: 111 })] }),
    ],
    'a relative lock one block short': [
      'bad-txns-nonfinal',
      // The output was made at height 1, the block is 111.
      ({ chain, coin }) => chain.mine({ transactions: [pay([coin(0)], COIN, { sequence: 111 })] }),
    ],
    'a relative lock in time that is not over': [
      'bad-txns-nonfinal',
      // Block 1 came 110 blocks of 600 s ago; 0x400000 counts 512 s each, from median to median.
      ({ chain, coin }) =>
        chain.mine({ transactions: [pay([coin(0)], COIN, { sequence: 0x40_0000 + 200 })] }),
    ],
  }

  it.each(Object.entries(cases))('%s makes the block invalid', (_, [reason, build]) => {
    const setting = mature()
    const block = build(setting)
    const before = tip(setting.view.state)
    expect(setting.view.offer(block)).toEqual({ type: 'invalid', reason })
    expect(tip(setting.view.state)).toBe(before)
    expect(missingBlocks(setting.view.state)).toEqual([])
    // The header is condemned with it, and so is what builds on it.
    const child = setting.chain.mine({ parent: block })
    expect(setting.view.run({ type: 'header', header: child.header })).toEqual({
      type: 'invalid',
      reason: 'bad-prevblk',
    })
    expect(isSynced(setting.view.state)).toBe(true)
  })

  it.each([
    ['bitcoin §13.27: a coinbase spent 100 blocks later', (): [number, object] => [10, {}]],
    ['a lock below the height of the block', (): [number, object] => [0, { lockTime: 110 }]],
    [
      'a lock that final sequences switch off',
      (): [number, object] => [0, { lockTime: 999, sequence: 0xffff_ffff }],
    ],
    ['a relative lock that just ends', (): [number, object] => [0, { sequence: 110 }]],
    [
      'a relative lock that a version 1 transaction ignores',
      (): [number, object] => [0, { sequence: 9_000, version: 1 }],
    ],
    [
      'a relative lock in time that is over',
      (): [number, object] => [0, { sequence: 0x40_0000 + 100 }],
    ],
  ])('%s is valid', (_, plan) => {
    const { chain, view, coin } = mature()
    const [index, more] = plan()
    view.follow(chain.mine({ transactions: [pay([coin(index)], COIN, more)] }))
    expect(balance(view, alice)).toBe(COIN)
  })

  it('bitcoin §13.33: a spend of a spend in one block applies, and the output between never appears', () => {
    const { chain, view, coin } = mature()
    const first = spend([coin(0)], [{ to: alice, value: COIN }])
    const second = spend([outputOf(first)], [{ to: bob, value: COIN - 100n }])
    view.follow(chain.mine({ transactions: [first, second], fees: 100n }))
    expect(balance(view, alice)).toBe(0n)
    expect(balance(view, bob)).toBe(COIN - 100n)
    expect(confirmationsOf(view.state, txid(first))).toBe(1)
    expect(transactionOf(view.state, txid(first))).toEqual(first)
  })

  it('bitcoin §13.29: an output to OP_RETURN is in no balance and in no set', () => {
    const { chain, view, coin } = mature(110, 1)
    const script = Uint8Array.of(0x6a, 1, 7)
    const burn = spend(
      [coin(0)],
      [
        { to: script, value: 5n },
        { to: alice, value: COIN - 5n },
      ],
    )
    view.follow(chain.mine({ transactions: [burn] }), ...chain.mineMany(3))
    expect(balance(view, alice)).toBe(COIN - 5n)
    expect(view.state.utxos.outputs.has(outpointKey(outputOf(burn, 0)))).toBe(false)
    expect(view.state.utxos.outputs.has(outpointKey(outputOf(burn, 1)))).toBe(true)
  })
})

describe('bodies that do not belong to their header', () => {
  const withTwoPayments = () => {
    const setting = mature()
    const { chain, coin } = setting
    const payments = [1, 2].map((i) => spend([coin(i)], [{ to: alice, value: COIN }]))
    const block = chain.mine({ transactions: payments })
    return { ...setting, block }
  }
  const bodies: Record<string, readonly [string, (block: Block) => Block]> = {
    'a transaction left out': [
      'bad-txnmrklroot',
      (block) => ({ ...block, transactions: block.transactions.slice(0, 2) }),
    ],
    // Three transactions hash like four with the last one twice (CVE-2012-2459).
    'bitcoin §13.21: the last transaction twice': [
      'bad-txns-duplicate',
      (block) => ({
        ...block,
        transactions: [...block.transactions, ...block.transactions.slice(-1)],
      }),
    ],
    'no transactions at all': ['bad-txnmrklroot', (block) => ({ ...block, transactions: [] })],
    'bitcoin §13.22: the witnesses stripped': [
      'bad-witness-nonce-size',
      (block) => ({ ...block, transactions: block.transactions.map(stripWitness) }),
    ],
  }

  it.each(Object.entries(bodies))(
    '%s is mutated, and the true block is accepted after it',
    (_, [reason, mutate]) => {
      const { view, block } = withTwoPayments()
      expect(view.offer(mutate(block))).toEqual({ type: 'mutated', reason })
      expect(missingBlocks(view.state)).toEqual([hashOfBlock(block)])
      expect(view.bodies(block)).toEqual([{ type: 'accepted' }])
      expect(balance(view, alice)).toBe(2n * COIN)
    },
  )
})

describe('order of arrival', () => {
  it('bitcoin §13.8: a block whose parent arrives later is kept and attached, once', () => {
    const chain = new ChainBuilder()
    const [a, b, c] = chain.mineMany(3) as [Block, Block, Block]
    const view = new ChainViewHarness()
    view.headers(a, b, c)
    expect(view.bodies(c, b, c)).toEqual([
      { type: 'orphan' },
      { type: 'orphan' },
      { type: 'known' },
    ])
    expect(tip(view.state).height).toBe(0)
    expect(view.bodies(a)).toEqual([{ type: 'accepted' }])
    expect(tip(view.state).height).toBe(3)
    expect(view.events.filter(({ type }) => type === 'blockAttached').length).toBe(3)
    expect(view.bodies(a, b, c).map(({ type }) => type)).toEqual(['known', 'known', 'known'])
  })

  it('an invalid orphan falls when its parent arrives, with what waits on it', () => {
    const chain = new ChainBuilder()
    const a = chain.mine()
    const bad = chain.mine({ fees: 1n })
    const child = chain.mine({ parent: bad })
    const view = new ChainViewHarness()
    view.headers(a, bad, child)
    view.bodies(child, bad)
    expect(view.state.orphans.size).toBe(2)
    view.bodies(a)
    expect(view.state.orphans.size).toBe(0)
    expect(tip(view.state).height).toBe(1)
  })

  it('far orphans give way to near ones, so that nobody can fill the store', () => {
    const chain = new ChainBuilder()
    const blocks = chain.mineMany(ORPHANS_MAX + 4)
    const view = new ChainViewHarness()
    view.headers(...blocks)
    const far = blocks.slice(4)
    view.bodies(...far)
    expect(view.state.orphans.size).toBe(ORPHANS_MAX)
    expect(view.bodies(blocks[3] as Block)).toEqual([{ type: 'orphan' }])
    expect(view.state.orphans.size).toBe(ORPHANS_MAX)
    expect(missingBlocks(view.state)).toContainEqual(hashOfBlock(blocks.at(-1) as Block))
    expect(view.bodies(blocks.at(-1) as Block)).toEqual([{ type: 'full' }])
  })

  it('headers must come in order, and a body needs its header', () => {
    const chain = new ChainBuilder()
    const [a, b] = chain.mineMany(2) as [Block, Block]
    const view = new ChainViewHarness()
    expect(view.headers(b)).toEqual(['unknownParent'])
    expect(view.bodies(a)).toEqual([{ type: 'unknownHeader' }])
    expect(view.headers(a, a)).toEqual(['accepted', 'known'])
  })

  it('a header from the future is early, not invalid, and fits later', () => {
    const chain = new ChainBuilder()
    const block = chain.mine()
    const view = new ChainViewHarness()
    const at = (seconds: number) => timestampNs(BigInt(seconds) * 1_000_000_000n)
    const limit = block.header.time - 7200
    const request = { type: 'header', header: block.header } as const
    expect(view.run(request, at(limit - 1))).toEqual({ type: 'early' })
    expect(view.run(request, at(limit))).toEqual({ type: 'accepted' })
  })
})

describe('reorganisations', () => {
  it('bitcoin §13.1: a deposit that a reorganisation drops is gone until it is mined again', () => {
    const { chain, blocks, view, coin } = mature()
    const deposit = spend([coin(0)], [{ to: alice, value: COIN }])
    const fork = blocks.at(-1) as Block
    const first = chain.mine({ parent: fork, transactions: [deposit] })
    /** What the minter sees, which wants six confirmations. */
    const deep = () => {
      const answer = utxosOfScript(view.state, alice, 6)
      return answer.type === 'utxos' ? answer.utxos.length : answer
    }
    view.follow(first, ...chain.mineMany(2, { parent: first }))
    expect(balance(view, alice, 3)).toBe(COIN)
    expect(deep()).toBe(0)

    const rivals = chain.mineMany(4, { parent: fork })
    view.follow(...rivals)
    expect(balance(view, alice)).toBe(0n)
    expect(confirmationsOf(view.state, txid(deposit))).toBe(0)
    const answer = utxosOfScript(view.state, alice, 1)
    expect(answer.type === 'utxos' && answer.utxos).toEqual([])

    const again = chain.mine({ parent: rivals.at(-1), transactions: [deposit] })
    view.follow(again)
    expect(balance(view, alice, 1)).toBe(COIN)
    expect(confirmationsOf(view.state, txid(deposit))).toBe(1)
    view.follow(...chain.mineMany(4, { parent: again }))
    expect(deep()).toBe(0)
    view.follow(chain.mine())
    expect(deep()).toBe(1)
  })

  it('the same output may be spent on either branch, but not twice on one', () => {
    const { chain, blocks, view, coin } = mature()
    const fork = blocks.at(-1)
    const toAlice = chain.mine({
      parent: fork,
      transactions: [spend([coin(0)], [{ to: alice, value: COIN }])],
    })
    const toBob = chain.mine({
      parent: fork,
      transactions: [spend([coin(0)], [{ to: bob, value: COIN }])],
    })
    view.follow(toAlice, toBob)
    const again = chain.mine({
      parent: toAlice,
      transactions: [spend([coin(0)], [{ to: bob, value: COIN }])],
    })
    expect(view.offer(again)).toEqual({ type: 'invalid', reason: 'bad-txns-inputs-missingorspent' })
  })

  it('bitcoin §13.3: of two branches with equal work the first received is the main chain', () => {
    const chain = new ChainBuilder()
    const a = chain.mine({ payTo: alice })
    const b = chain.mine({ parent: a, payTo: alice })
    const rival = chain.mine({ parent: a, payTo: alice })
    for (const [first, second] of [
      [b, rival],
      [rival, b],
    ] as const) {
      const view = new ChainViewHarness()
      view.follow(a, first, second)
      expect(tip(view.state).hash).toEqual(hashOfBlock(first))
      // One confirmation excludes both tips, none shows the first.
      expect(utxosOfScript(view.state, alice, 1)).toMatchObject({ tipHeight: 1 })
      expect(utxosOfScript(view.state, alice, 0)).toMatchObject({ tipHash: hashOfBlock(first) })
    }
  })

  it('the anchor moves when a child is δ deep, and by δ deeper than its sibling', () => {
    const chain = new ChainBuilder()
    const a = chain.mine()
    const rival = chain.mine({ parent: a })
    const view = new ChainViewHarness(3)
    const main = chain.mineMany(3, { parent: a })
    view.follow(a, ...main.slice(0, 2))
    expect(view.state.tree.anchor.node.hash).toEqual(hashOfBlock(a)) // a is 3 deep.
    view.follow(rival, ...main.slice(2))
    expect(view.state.tree.anchor.node.hash).toEqual(hashOfBlock(a)) // 3 − 1 < 3.
    view.follow(...chain.mineMany(1, { parent: main.at(-1) }))
    expect(view.state.tree.anchor.node.hash).toEqual(hashOfBlock(main[1] as Block))
    expect(view.offer(rival)).toEqual({ type: 'stale' })
    expect(view.state.tree.blocks.size).toBe(3)
  })

  it('outputs below the anchor are those of the blocks below it', () => {
    const { view, blocks } = mature(20, 5)
    const { height } = view.state.tree.anchor.node
    expect(height).toBe(16)
    expect(view.state.utxos.outputs.size).toBe(height - 1)
    expect(balance(view, MINER)).toBe(COIN * BigInt(blocks.length))
    expect(headerAtHeight(view.state, 3)?.hash).toEqual(hashOfBlock(blocks[2] as Block))
  })

  it('on regtest a heavier chain that forks below the anchor wins, and nothing of the old one stays', () => {
    const { chain, blocks, view, coin } = mature(110, 4)
    const fork = blocks.at(-1)
    const old = [
      chain.mine({ parent: fork, transactions: [spend([coin(0)], [{ to: alice, value: COIN }])] }),
    ]
    old.push(...chain.mineMany(8, { parent: old[0] }))
    view.follow(...old)
    expect(view.state.tree.anchor.node.height).toBeGreaterThan(111)
    const rivals = chain.mineMany(13, { parent: fork, payTo: bob })
    view.headers(...rivals)
    expect(isDiverged(view.state)).toBe(false)
    expect(missingBlocks(view.state)).toEqual(rivals.map(hashOfBlock))
    view.bodies(...rivals)
    expect(tip(view.state).hash).toEqual(hashOfBlock(rivals.at(-1) as Block))
    expect(balance(view, alice)).toBe(0n)
    expect(balance(view, bob)).toBe(13n * COIN)

    const straight = new ChainViewHarness(4)
    straight.follow(...blocks, ...rivals)
    expect([...view.state.utxos.outputs.keys()].sort()).toEqual(
      [...straight.state.utxos.outputs.keys()].sort(),
    )
  })

  it('a thousand blocks keep the tree small', () => {
    const { view } = mature(1000, 10)
    expect(view.state.tree.blocks.size).toBe(10)
    expect(view.state.tree.byHeight.size).toBe(10)
    expect(view.state.missing.size).toBe(0)
  })
})

describe('the outgoing list', () => {
  const send = (view: ChainViewHarness, tx: Transaction, keep = true, now = NOW) =>
    view.run({ type: 'sendTransaction', bytes: bytesOf(tx), keep }, now)
  const ids = (view: ChainViewHarness) => outgoing(view.state).map((entry) => entry.txid)

  it('a transaction stays listed until its sixth confirmation, through a reorganisation too', () => {
    const { chain, blocks, view, coin } = mature()
    const tx = spend([coin(0)], [{ to: alice, value: COIN }])
    expect(send(view, tx)).toEqual({ type: 'accepted' })
    expect(send(view, tx)).toEqual({ type: 'accepted' })
    const first = chain.mine({ transactions: [tx] })
    const after = chain.mineMany(4, { parent: first })
    view.follow(first, ...after)
    expect(ids(view)).toEqual([txid(tx)])
    const rivals = chain.mineMany(6, { parent: blocks.at(-1) })
    view.follow(...rivals)
    expect(ids(view)).toEqual([txid(tx)])
    const again = chain.mine({ parent: rivals.at(-1), transactions: [tx] })
    view.follow(again, ...chain.mineMany(5, { parent: again }))
    expect(ids(view)).toEqual([])
  })

  it('a transaction leaves when a conflict has six confirmations, below the anchor too', () => {
    for (const stabilityThreshold of [1, 144]) {
      const { chain, view, coin } = mature(110, stabilityThreshold)
      const tx = spend([coin(0)], [{ to: alice, value: COIN }])
      send(view, tx)
      const conflict = chain.mine({ transactions: [spend([coin(0)], [{ to: bob, value: COIN }])] })
      view.follow(conflict, ...chain.mineMany(4, { parent: conflict }))
      expect(ids(view)).toEqual([txid(tx)])
      view.follow(chain.mine())
      expect(ids(view)).toEqual([])
    }
  })

  it('a conflict over an output that its block both makes and spends counts too', () => {
    const { chain, view, coin } = mature()
    const parent = spend([coin(0)], [{ to: alice, value: COIN }])
    send(view, spend([outputOf(parent)], [{ to: alice, value: COIN }]))
    const conflict = spend([outputOf(parent)], [{ to: bob, value: COIN }])
    const block = chain.mine({ transactions: [parent, conflict] })
    view.follow(block, ...chain.mineMany(5, { parent: block }))
    expect(ids(view)).toEqual([])
  })

  it('what is not one sane transaction is malformed', () => {
    const { view, coin, blocks } = mature(2)
    const tx = spend([coin(0)], [{ to: alice, value: 1n }])
    const malformed = [
      bytesOf(tx).subarray(0, -1),
      Uint8Array.of(...bytesOf(tx), 0),
      new Uint8Array(0),
      bytesOf(spend([], [])),
      bytesOf(spend([coin(0), coin(0)], [{ to: alice, value: 1n }])),
      bytesOf((blocks[0] as Block).transactions[0] as Transaction),
    ]
    for (const bytes of malformed)
      expect(view.run({ type: 'sendTransaction', bytes, keep: true })).toEqual({
        type: 'malformedTransaction',
      })
    expect(ids(view)).toEqual([])
  })

  it('the list has a bound, and the minter goes first', () => {
    const { view, coin } = mature(1)
    const numbered = (n: number) => spend([{ ...coin(0), vout: n }], [{ to: alice, value: 1n }])
    for (let n = 0; n < 1000; n++)
      expect(send(view, numbered(n), n % 2 === 0).type).toBe('accepted')
    expect(send(view, numbered(1000), false)).toEqual({ type: 'queueFull' })
    expect(send(view, numbered(7), false)).toEqual({ type: 'accepted' }) // Listed already.
    expect(send(view, numbered(1001), true)).toEqual({ type: 'accepted' })
    expect(ids(view)).not.toContainEqual(txid(numbered(1)))
    expect(ids(view).length).toBe(1000)
  })

  it('a full list of the minter’s makes room with what was replaced, the oldest first', () => {
    const { view, coin } = mature(1)
    const numbered = (n: number, value = 9n) =>
      spend([{ ...coin(0), vout: n }], [{ to: alice, value }])
    for (let n = 0; n < 998; n++) send(view, numbered(n), true)
    for (const value of [8n, 7n]) send(view, numbered(5, value), true)
    expect(ids(view).length).toBe(1000)
    expect(send(view, numbered(998), false)).toEqual({ type: 'queueFull' })
    expect(send(view, numbered(998), true)).toEqual({ type: 'accepted' })
    expect(ids(view)).not.toContainEqual(txid(numbered(5)))
    expect(send(view, numbered(999), true)).toEqual({ type: 'accepted' })
    expect(ids(view)).not.toContainEqual(txid(numbered(5, 8n)))
    expect(ids(view)).toContainEqual(txid(numbered(5, 7n)))
    expect(send(view, numbered(1000), true)).toEqual({ type: 'queueFull' })
    expect(send(view, numbered(7, 8n), true)).toEqual({ type: 'accepted' }) // In its own place.
    expect(ids(view)).not.toContainEqual(txid(numbered(7)))
  })

  it('what is not the minter’s expires after fourteen days', () => {
    const { chain, view, coin } = mature(110)
    send(view, spend([coin(0)], [{ to: alice, value: 1n }]), true)
    send(view, spend([coin(1)], [{ to: alice, value: 1n }]), false)
    // Whoever sent it first, it is the minter's once the minter sends it.
    for (const keep of [false, true, false])
      send(view, spend([coin(2)], [{ to: alice, value: 1n }]), keep)
    const block = chain.mine()
    const late = timestampNs(NOW + 14n * 86_400n * 1_000_000_000n)
    view.run({ type: 'header', header: block.header }, late)
    view.run({ type: 'block', block }, late)
    expect(outgoing(view.state).map(({ keep }) => keep)).toEqual([true, true])
  })
})

describe('replay', () => {
  it('the same requests give the same state, and sat amounts stay in range', () => {
    const runs = [mature(30, 3), mature(30, 3)]
    const [one, two] = runs.map(({ view }) => [...view.state.utxos.outputs.entries()])
    expect(one).toEqual(two)
    expect(() => sat(-1n)).toThrow(RangeError)
  })
})
