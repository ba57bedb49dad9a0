/**
 * Goal: what a reorganisation takes back after it was credited stops the minting of more, and is
 * not spent. Source: minter H 15, checklist 48; bitcoin §13.2.
 */
import { deserialize, serialize } from 'node:v8'
import { expect, it } from 'vitest'
import { decodeTransaction, outpointKey } from '../../../src/core/btc/transaction.ts'
import { withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }

/** Two coins are credited; `lose` takes the first one off the chain, and gives it back. */
function story() {
  const world = new TestMinter()
  world.deposit(alice, 200_000n)
  world.deposit(alice, 10_000_000n)
  const [coin] = world.chain.utxosByKey.values()
  if (coin === undefined) throw new Error('a coin was paid')
  const lose = () => {
    world.chain.utxosByKey.delete(outpointKey(coin.outpoint))
    world.mine(1, true)
  }
  const giveBack = () => {
    world.chain.utxosByKey.set(outpointKey(coin.outpoint), coin)
    world.mine()
  }
  const redeem = (amount: bigint) => {
    world.ledger.move(alice, withdrawalAccount(MINTER, alice.owner), amount)
    return world.call('retrieve_btc', alice.owner, { address: ADDRESS, amount })
  }
  const spends = () =>
    [...world.state.signing.values()].flatMap(({ utxos }) =>
      utxos.map(({ outpoint }) => outpointKey(outpoint)),
    )
  const lost = () => [...world.state.volatile.lost.keys()]
  return { world, coin, key: outpointKey(coin.outpoint), lose, giveBack, redeem, spends, lost }
}

it('bitcoin §13.2: a credited coin that is gone stops the minting, until it is back', () => {
  const { world, key, lose, giveBack, lost } = story()
  world.pay(alice, 70_000n)
  lose()
  expect(lost()).toEqual([key])
  const minted = world.ledger.blocks.length
  expect(world.call('update_balance', alice.owner, {})).toMatchObject({
    type: 'err',
    error: {
      type: 'temporarilyUnavailable',
      message:
        'a reorganisation took back a coin of 200000 satoshis that were credited: ' +
        'nothing is minted until the chain has them again',
    },
  })
  expect(world.ledger.blocks.length).toBe(minted)
  giveBack()
  expect(lost()).toEqual([])
  expect(world.call('update_balance', alice.owner, {}).type).toBe('ok')
  expect(world.ledger.blocks.length).toBe(minted + 1)
})

it('a coin that is gone is not spent, the others are', () => {
  for (const isLost of [false, true]) {
    const { world, key, lose, redeem, spends } = story()
    if (isLost) lose()
    expect(redeem(150_000n).type).toBe('ok')
    world.wait(3_600_000_000_000n)
    expect(spends()).toHaveLength(1)
    expect(spends().includes(key)).toBe(!isLost)
  }
})

it('bitcoin §13.2: no further signature is asked for a transaction that spends it', () => {
  const { world, lose, giveBack, redeem, spends } = story()
  redeem(10_150_000n)
  world.wait(3_600_000_000_000n)
  expect(spends()).toHaveLength(2)
  expect(world.outstanding()).toHaveLength(2)
  lose()
  expect(world.outstanding()).toEqual([])
  world.wait(3_600_000_000_000n)
  expect(world.outstanding()).toEqual([])
  giveBack()
  expect(world.outstanding()).toHaveLength(2)
  world.sign()
  world.mine()
  expect(world.chain.mempool).toEqual([])
})

it('a view that is behind is asked again when it has caught up', () => {
  const { world, key, lose, giveBack, lost } = story()
  world.chain.isDown = true
  lose()
  expect(lost()).toEqual([])
  world.chain.isDown = false
  world.mine()
  expect(lost()).toEqual([key])
  giveBack()
  expect(lost()).toEqual([])
})

it('blocks that none left ask for no coin', () => {
  const { world, coin, lost } = story()
  world.chain.utxosByKey.delete(outpointKey(coin.outpoint))
  world.mine(3)
  expect(lost()).toEqual([])
})

it('a request that fails while its coin is gone is asked again as another attempt', () => {
  const { world, lose, giveBack, redeem } = story()
  redeem(10_150_000n)
  world.wait(3_600_000_000_000n)
  const [first, second] = world.outstanding()
  if (first === undefined || second === undefined) throw new Error('two signatures are asked for')
  lose()
  world.fail(first)
  world.fail(first)
  giveBack()
  const asked = [{ ...first.key, attempt: 1 }, second.key]
  expect(world.outstanding().map(({ key }) => key)).toEqual(expect.arrayContaining(asked))
  expect(world.outstanding()).toHaveLength(2)
  world.sign()
  expect(world.chain.mempool).toHaveLength(1)
})

/** A transaction that spends the first coin is out, and in no block. */
function sent() {
  const told = story()
  const { world, redeem } = told
  redeem(150_000n)
  world.wait(3_600_000_000_000n)
  world.sign()
  return { ...told, transactions: world.chain.mempool.splice(0) }
}

it('bitcoin §13.2: a coin stays lost that a transaction spends which no block can take', () => {
  const { world, coin, key, lose, lost, transactions } = sent()
  expect(transactions).toHaveLength(1)
  lose()
  expect(lost()).toEqual([key])
  world.mine(1, true)
  world.mine()
  expect(lost()).toEqual([key])
  expect(world.call('update_balance', alice.owner, {})).toMatchObject({
    error: { type: 'temporarilyUnavailable' },
  })
  world.chain.utxosByKey.set(key, coin)
  world.chain.mempool.push(...transactions)
  world.mine()
  expect(lost()).toEqual([])
})

it('a coin is not lost that a transaction of ours in the chain has spent', () => {
  const { world, key, lost, transactions } = sent()
  world.chain.mempool.push(...transactions)
  world.mine()
  expect(world.chain.utxosByKey.has(key)).toBe(false)
  expect(world.state.submitted.size).toBe(1)
  world.mine(1, true)
  expect(lost()).toEqual([])
  world.mine(6, true)
  expect(world.state.submitted.size).toBe(0)
  expect(lost()).toEqual([])
})

it('nothing is built, asked for or minted before it is known what a reorganisation took', () => {
  const { world, key, lose, redeem, spends, lost } = story()
  world.pay(alice, 70_000n)
  world.chain.isDown = true
  lose()
  redeem(150_000n)
  world.wait(3_600_000_000_000n)
  expect(spends()).toEqual([])
  world.chain.isDown = false // No block comes with it.
  const minted = world.ledger.blocks.length
  expect(world.call('update_balance', alice.owner, {})).toMatchObject({
    error: { type: 'temporarilyUnavailable' },
  })
  expect(world.ledger.blocks.length).toBe(minted)
  expect(lost()).toEqual([key])
  world.wait(0n)
  expect(spends()).toHaveLength(1)
  expect(spends()).not.toContain(key)
})

it('an upgrade forgets no coin that is gone', () => {
  const { world, key, lose, lost } = story()
  lose()
  world.upgrade()
  expect(lost()).toEqual([key])
})

it('bitcoin §13.56: final transactions whose change a reorganisation took are sent again, in order', () => {
  const { world, redeem, lost } = story()
  const before = new Map(world.chain.utxosByKey)
  for (const amount of [10_100_000n, 60_000n]) {
    redeem(amount)
    world.wait(3_600_000_000_000n)
    world.sign()
    world.mine(6)
  }
  const [first, second, ...more] = world.chain.sent.splice(0)
  expect(more).toEqual([])
  expect(world.state.submitted.size).toBe(0)
  const after = new Map(world.chain.utxosByKey)
  world.chain.utxosByKey.clear()
  for (const [key, coin] of before) world.chain.utxosByKey.set(key, coin)
  world.mine(1, true)
  expect(lost()).toHaveLength(1)
  expect(world.chain.sent).toEqual([first, second])
  // The first is in a block again: the second alone is still to be told of.
  world.chain.sent.length = 0
  const [change] = decodeTransaction(second ?? new Uint8Array()).inputs
  if (change === undefined) throw new Error('the second spends the change of the first')
  const { txid, vout } = change.outpoint
  const made = decodeTransaction(first ?? new Uint8Array()).outputs[vout]
  if (made === undefined) throw new Error('the change is an output')
  const value = made.value
  const coin = { outpoint: { txid, vout }, value, height: 1, script: made.script }
  world.chain.utxosByKey.set(outpointKey(change.outpoint), coin)
  world.mine()
  expect(world.chain.sent).toEqual([second])
  for (const [key, utxo] of after) world.chain.utxosByKey.set(key, utxo)
  world.chain.sent.length = 0
  world.mine()
  expect(lost()).toEqual([])
  expect(world.chain.sent).toEqual([])
})

it('of a coin that stays away the log is read ever more rarely, and it is found all the same', () => {
  const { world, lose, giveBack, lost } = story()
  lose()
  let reads = 0
  const { sent } = world.minter.log
  const get = sent.get.bind(sent)
  sent.get = (key) => {
    reads += 1
    return get(key)
  }
  const MINUTE = 60_000_000_000n
  for (let block = 0; block < 1_000; block++) {
    world.wait(MINUTE)
    world.mine()
  }
  expect(reads).toBeGreaterThan(10)
  expect(reads).toBeLessThan(40) // Some 17 hours: once an hour, and a few at first.
  giveBack()
  expect(lost()).toEqual([])
})

it('of very many coins each slot looks for some, and nobody is credited before all are found', () => {
  const world = new TestMinter({ settings: { coinsLookedMax: 2 } })
  for (let i = 0; i < 5; i++) world.deposit(alice, 1_000_000n)
  const [, , , fourth, fifth] = world.chain.utxosByKey.values()
  if (fourth === undefined || fifth === undefined) return expect.unreachable()
  const lost = () => [...world.state.volatile.lost.keys()]
  world.chain.utxosByKey.delete(outpointKey(fifth.outpoint))
  world.mine(1, true)
  expect([world.state.volatile.looked.size, lost()]).toEqual([2, []])
  world.pay(alice, 70_000n)
  const looks = { error: { message: expect.stringContaining('every coin is looked for') } }
  expect(world.call('update_balance', alice.owner, {})).toMatchObject(looks)
  world.wait(1n)
  expect(world.call('update_balance', alice.owner, {})).toMatchObject(looks)
  expect(world.state.volatile.looked.size).toBe(4)
  // Blocks leave again: what was found counts no more.
  world.chain.utxosByKey.delete(outpointKey(fourth.outpoint))
  world.mine(1, true)
  expect([world.state.volatile.looked.size, lost()]).toEqual([2, []])
  world.wait(1n)
  expect([world.state.volatile.looked.size, lost()]).toEqual([4, [outpointKey(fourth.outpoint)]])
  expect(world.outstanding()).toEqual([])
  world.wait(1n)
  expect(world.state.volatile).toMatchObject({ mustLook: false, looked: new Set() })
  expect(lost()).toEqual([fourth, fifth].map(({ outpoint }) => outpointKey(outpoint)))
  for (const coin of [fourth, fifth]) world.chain.utxosByKey.set(outpointKey(coin.outpoint), coin)
  world.mine()
  expect(lost()).toEqual([])
  expect(world.call('update_balance', alice.owner, {}).type).toBe('ok')
})

it('a node that starts from its snapshot in the middle of the look goes on like all others', () => {
  const world = new TestMinter({ settings: { coinsLookedMax: 2 } })
  for (let i = 0; i < 6; i++) world.deposit(alice, 1_000_000n)
  const [first, , , , fifth] = world.chain.utxosByKey.values()
  if (first === undefined || fifth === undefined) return expect.unreachable()
  for (const { outpoint } of [first, fifth]) world.chain.utxosByKey.delete(outpointKey(outpoint))
  world.mine(1, true)
  expect(world.state.volatile.looked.size).toBe(2)
  const running = structuredClone(world.minter)
  const goOn = (minter: typeof world.minter) => {
    world.minter = minter
    const { now } = world
    for (let slot = 0; slot < 3; slot++) world.wait(1n)
    world.now = now
    expect([...world.state.volatile.lost.keys()]).toEqual(
      [first, fifth].map(({ outpoint }) => outpointKey(outpoint)),
    )
    expect(world.state.volatile.mustLook).toBe(false)
    return world.minter
  }
  const restarted = deserialize(serialize(running))
  expect(goOn(restarted)).toEqual(goOn(running))
})

/** Whoever kept a signature back has the whole of what is being signed, and it gets into a block. */
function confirmUnknown(world: TestMinter): void {
  const other = world.copy()
  other.sign()
  world.chain.mempool.splice(0, world.chain.mempool.length, ...other.chain.mempool)
}

it('a coin is not lost that a transaction has spent whose signatures are still waited for', () => {
  const { world, redeem, lost } = story()
  redeem(150_000n)
  world.wait(3_600_000_000_000n)
  confirmUnknown(world)
  world.mine(1, true)
  expect(lost()).toEqual([])
  world.sign()
  world.mine(6)
  expect(world.state.finalized.size).toBe(1)
})

it('nor one that a replacement has spent whose signatures are still waited for', () => {
  const { world, lost } = sent()
  world.wait(24n * 3_600_000_000_000n)
  expect(world.state.signing.size).toBe(1)
  confirmUnknown(world)
  world.mine(1, true)
  expect(lost()).toEqual([])
  world.sign()
  world.mine(6)
  expect(world.state.finalized.size).toBe(1)
})
