/** What an account and the operator may see beyond the published queries. Source: minter §§20.6, 22. */
import { describe, expect, it } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { decodeTransaction } from '../../../src/core/btc/transaction.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { httpInterface } from '../../../src/core/ic/http-request.ts'
import { feeCollectorSubaccount } from '../../../src/core/minter/addresses.ts'
import { minterExtension } from '../../../src/core/minter/interface/extension.ts'
import { COIN_KINDS } from '../../../src/core/minter/views/coins.ts'
import { viewsOf } from '../../../src/core/minter/views.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import { MinterCanister } from '../../../src/core/subnet/minter-canister.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const SECOND = NS_PER_SECOND
const first = { start: 0n, length: 10n }
const views = (world: TestMinter) => viewsOf(world.minter, world.world, alice.owner)
const waits = (world: TestMinter) =>
  views(world)
    .withdrawals(first)
    .withdrawals.map(({ wait }) => wait)

/** Alice has a deposit of a whole bitcoin, and has withdrawn once. */
function withdrawn(options: ConstructorParameters<typeof TestMinter>[0] = {}): TestMinter {
  const world = new TestMinter(options)
  world.deposit(alice, 100_000_000n)
  world.withdraw(alice, ADDRESS, 50_000_000n)
  return world
}

describe('x_withdrawals', () => {
  it('tells why a withdrawal waits, from the queue to the last confirmation', () => {
    const world = withdrawn()
    const receivedAt = world.now
    const until = receivedAt + 10n * SECOND
    expect(waits(world)).toEqual([{ type: 'queue', until, ahead: 0 }])
    expect(views(world).withdrawals(first).withdrawals).toMatchObject([
      { blockIndex: 1n, amount: 50_000_000n, address: ADDRESS, receivedAt, nextStepAt: until },
    ])
    world.wait(11n * SECOND)
    expect(waits(world)).toEqual([{ type: 'signatures', signed: 0, inputs: 1, failed: 0 }])
    for (const request of world.outstanding()) world.fail(request)
    expect(waits(world)).toEqual([{ type: 'signatures', signed: 0, inputs: 1, failed: 1 }])
    world.wait(11n * SECOND)
    world.chain.refusesToSend = true
    const sentAt = world.now
    world.sign()
    expect(waits(world)).toEqual([{ type: 'announcement' }])
    world.chain.refusesToSend = false
    world.wait(6n * SECOND)
    for (const have of [0, 1, 2, 3, 4, 5]) {
      const replacedAt = { replacedAt: sentAt + 86_400n * SECOND }
      const expected = { type: 'confirmations', have, required: 6, ...(have === 0 && replacedAt) }
      expect(waits(world)).toEqual([expected])
      world.mine()
    }
    expect(waits(world)).toEqual([undefined])
    const [withdrawal] = views(world).withdrawals(first).withdrawals
    expect(withdrawal).toMatchObject({
      status: { type: 'confirmed' },
      transactions: [
        {
          receives: 49_998_995n,
          withdrawalFee: { bitcoinFee: 705n, minterFee: 300n },
          isCancellation: false,
          confirmations: 6,
        },
      ],
    })
  })

  it('is paged from the newest, and counts all', () => {
    const world = new TestMinter()
    world.deposit(alice, 100_000_000n)
    for (let i = 0; i < 5; i++) world.withdraw(alice, ADDRESS, 100_000n)
    const burns = (start: bigint, length: bigint) => {
      const { total, withdrawals } = views(world).withdrawals({ start, length })
      return [total, withdrawals.map(({ blockIndex }) => blockIndex)]
    }
    expect(burns(0n, 2n)).toEqual([5n, [5n, 4n]])
    expect(burns(2n, 100n)).toEqual([5n, [3n, 2n, 1n]])
    expect(burns(5n, 10n)).toEqual([5n, []])
    expect(burns(2n ** 64n - 1n, 2n ** 64n - 1n)).toEqual([5n, []])
  })

  it('gives at most a hundred rows', () => {
    const world = new TestMinter({ settings: { pendingRequestsMin: 1_000 } })
    world.deposit(alice, 100_000_000n)
    for (let i = 0; i < 120; i++) world.withdraw(alice, ADDRESS, 100_000n)
    const { total, withdrawals } = views(world).withdrawals({ start: 0n, length: 1_000n })
    expect([total, withdrawals.length]).toEqual([120n, 100])
  })

  it('says that coins are missing, lost, or that the key is not there', () => {
    const world = withdrawn({ init: { maxTimeInQueueNs: 3_600n * SECOND } })
    const { root } = world.state.volatile
    world.state.volatile.root = undefined
    expect(waits(world)).toEqual([{ type: 'key' }])
    world.state.volatile.root = root
    const [[key, coin] = []] = world.state.availableUtxos
    if (key === undefined || coin === undefined) throw new Error('no coin')
    world.state.volatile.lost.set(key, coin)
    expect(waits(world)).toEqual([{ type: 'lostCoins', amount: 100_000_000n }])
    world.state.volatile.lost.clear()
    world.state.volatile.mustLook = true
    expect(waits(world)).toEqual([{ type: 'view' }])
  })

  it('says that a person must see to a minter that has stopped', () => {
    const world = withdrawn()
    world.state.volatile.broken.push('x')
    expect(waits(world)).toEqual([{ type: 'stopped' }])
    expect(views(world).info().alerts).toMatchObject([{ code: 'stopped' }])
  })

  it('says why one is not replaced', () => {
    const options = { settings: { resubmissionRateMax: 1_000n } }
    const world = withdrawn(options)
    world.wait(11n * SECOND)
    world.sign()
    world.wait(86_401n * SECOND)
    expect(waits(world)).toMatchObject([{ type: 'confirmations', have: 0, delay: 'rateAboveMax' }])
    expect(views(world).info().alerts).toMatchObject([{ code: 'not_replaced' }])
  })

  it('of one that was replaced has every transaction with its fee, oldest first', () => {
    const world = withdrawn()
    world.wait(11n * SECOND)
    world.sign()
    world.wait(86_401n * SECOND)
    world.sign()
    const [withdrawal] = views(world).withdrawals(first).withdrawals
    const [older, newer] = withdrawal?.transactions ?? []
    if (older?.receives === undefined || newer?.receives === undefined) return expect.unreachable()
    expect(withdrawal?.transactions.length).toBe(2)
    expect((newer.feeRate ?? 0n) > (older.feeRate ?? 0n)).toBe(true)
    expect(newer.receives < older.receives).toBe(true)
    expect(withdrawal?.status).toEqual({ type: 'submitted', txid: newer.txid })
    const [sent] = world.chain.sent
    if (sent === undefined) return expect.unreachable()
    world.chain.mempool.splice(0, 9, decodeTransaction(sent)) // The older one is mined.
    world.mine(2)
    expect(waits(world)).toMatchObject([{ type: 'confirmations', have: 2 }])
    const [mined] = views(world).withdrawals(first).withdrawals
    expect(mined?.transactions.map(({ confirmations }) => confirmations)).toEqual([2, 0])
  })

  it('knows a single one by its burn, and nothing of others', () => {
    const world = withdrawn()
    expect(views(world).withdrawal({ blockIndex: 1n })?.amount).toBe(50_000_000n)
    expect(views(world).withdrawal({ blockIndex: 0n })).toBeUndefined()
  })

  it('of held ones says since when and until when', () => {
    const world = new TestMinter()
    world.deposit(alice, 100_000_000n)
    world.chain.rates = Array.from({ length: 100 }, () => 500_000n)
    world.withdraw(alice, ADDRESS, 60_000n)
    world.chain.isSet = true
    world.wait(11n * SECOND)
    const [wait] = waits(world)
    if (wait?.type !== 'fees') throw new Error(`waits for ${wait?.type}`)
    expect(wait.until - wait.since).toBe(72n * 3_600n * SECOND)
  })
})

describe('x_deposits', () => {
  it('shows a deposit from its first block to the mint', () => {
    const world = new TestMinter()
    const states = () =>
      views(world)
        .deposits(first)
        .deposits.map(({ state }) => state)
    expect(states()).toEqual([])
    world.pay(alice, 1_000_000n, 1)
    for (let confirmations = 1; confirmations < 6; confirmations++) {
      expect(states()).toEqual([{ type: 'confirming', confirmations, required: 6 }])
      world.mine()
    }
    expect(states()).toEqual([{ type: 'due', confirmations: 6 }])
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    world.call('update_balance', alice.owner, {})
    expect(states()).toEqual([{ type: 'checked' }])
    world.ledger.failure = undefined
    world.call('update_balance', alice.owner, {})
    expect(states()).toEqual([{ type: 'minted', blockIndex: 0n, amount: 999_900n, at: world.now }])
  })

  it('says why one is suspended and when it may be tried again', () => {
    const world = new TestMinter()
    world.pay(alice, 200n)
    world.call('update_balance', alice.owner, {})
    const day = 86_400n * SECOND
    const suspended = { type: 'suspended', reason: 'valueTooSmall', min: 300n }
    const earliestRetry = world.now + day
    const state = () => views(world).deposits(first).deposits[0]?.state
    expect(state()).toEqual({ ...suspended, earliestRetry })
    world.wait(day)
    expect(state()).toEqual(suspended)
  })

  it('keeps what was minted for ever, spent or not, newest first and with the fee of its day', () => {
    const world = new TestMinter({ init: { retrieveMinAmount: 50_000n } })
    world.deposit(alice, 1_000_000n)
    world.upgrade({ type: 'upgrade', args: { checkFee: 20n } })
    world.deposit(alice, 2_000_000n)
    world.withdraw(alice, ADDRESS, 2_900_000n)
    world.wait(11n * SECOND)
    world.sign()
    world.mine(6)
    const { total, deposits } = views(world).deposits(first)
    expect(total).toBe(2n)
    expect(deposits.map(({ state }) => state)).toMatchObject([
      { type: 'minted', amount: 1_999_980n },
      { type: 'minted', amount: 999_900n },
    ])
    expect(views(world).deposits({ start: 1n, length: 1n }).deposits).toEqual(deposits.slice(1))
  })

  it('goes from page to page over what waits and what is minted, each shown once', () => {
    const world = new TestMinter()
    for (let i = 0; i < 3; i++) world.deposit(alice, 1_000_000n + BigInt(i))
    for (let i = 0; i < 2; i++) world.pay(alice, 2_000_000n + BigInt(i), 1)
    const shown = (length: bigint) =>
      [0n, 1n, 2n, 3n, 4n, 5n]
        .map((page) => views(world).deposits({ start: page * length, length }))
        .flatMap(({ deposits }) => deposits.map(({ value }) => value))
    const all = views(world)
      .deposits({ start: 0n, length: 10n })
      .deposits.map(({ value }) => value)
    expect(all.slice(2)).toEqual([1_000_002n, 1_000_001n, 1_000_000n])
    for (const length of [1n, 2n, 3n, 4n]) expect(shown(length)).toEqual(all)
  })

  it('of the minter itself shows nothing, and asks nothing of the chain before the key is there', () => {
    const world = new TestMinter()
    const own = { ...first, owner: MINTER }
    expect(views(world).deposits(own)).toMatchObject({ total: 0n, deposits: [] })
    world.state.volatile.root = undefined
    expect(views(world).deposits(first)).toMatchObject({ total: 0n, deposits: [] })
  })
})

describe('x_utxos', () => {
  it('shows every coin under what may become of it, a page at a time', () => {
    const world = new TestMinter()
    for (const value of [3n, 1n, 2n]) world.deposit(alice, value * 1_000_000n)
    const utxos = (kind: (typeof COIN_KINDS)[number], page = first) =>
      views(world).utxos({ kind, ...page })
    const values = (start: bigint, length: bigint) =>
      utxos('available', { start, length }).coins.map(({ utxo }) => utxo.value)
    expect(values(0n, 2n)).toEqual([1_000_000n, 2_000_000n])
    expect(values(2n, 2n)).toEqual([3_000_000n])
    expect(utxos('available').coins[0]?.account).toEqual({ owner: alice.owner })
    world.withdraw(alice, ADDRESS, 2_500_000n)
    world.wait(11n * SECOND)
    expect([utxos('available').total, utxos('reserved').total]).toEqual([2n, 1n])
    world.sign()
    const [inFlight] = utxos('inFlight').coins
    expect([utxos('reserved').total, inFlight?.spentBy?.length]).toEqual([0n, 32])
    world.pay(alice, 200n)
    world.call('update_balance', alice.owner, {})
    expect(utxos('tooSmall').coins.map(({ account }) => account)).toEqual([alice])
    expect(COIN_KINDS.map((kind) => utxos(kind).total)).toEqual([2n, 0n, 1n, 0n, 0n, 1n, 0n, 0n])
  })
})

describe('x_info', () => {
  it('gives the reserve equation, and no alert where all is well', () => {
    const world = withdrawn()
    const { reserve, alerts, counts, availableTotal } = views(world).info()
    expect(alerts).toEqual([])
    expect(availableTotal).toBe(100_000_000n)
    expect(counts).toMatchObject({ queued: 1, available: 1, events: world.minter.log.count })
    expect(reserve).toMatchObject({
      coins: 100_000_000n,
      supply: 49_999_900n,
      pending: 50_000_000n,
      surplus: 100n,
      balanced: true,
      covered: true,
    })
  })

  it('counts withdrawals, and no consolidation among them', () => {
    const world = new TestMinter({ init: { consolidationThreshold: 3n, inputsMax: 2n } })
    for (let i = 0; i < 3; i++) world.deposit(alice, 1_000_000n)
    const collector = { owner: MINTER, subaccount: feeCollectorSubaccount() }
    world.ledger.move(alice, collector, 100_000n)
    const withdrawals = () => views(world).info().counts
    world.wait(3_600n * SECOND)
    expect(world.state.signing.size).toBe(1)
    expect(withdrawals()).toMatchObject({ signing: 0, submitted: 0, finalized: 0 })
    world.sign()
    expect(world.state.submitted.size).toBe(1)
    expect(withdrawals()).toMatchObject({ signing: 0, submitted: 0, finalized: 0 })
    world.mine(6)
    expect(world.state.finalized.size).toBe(1)
    expect(withdrawals()).toMatchObject({ signing: 0, submitted: 0, finalized: 0 })
    world.withdraw(alice, ADDRESS, 500_000n)
    world.wait(11n * SECOND)
    expect(withdrawals()).toMatchObject({ signing: 1 })
    world.sign()
    expect(withdrawals()).toMatchObject({ signing: 0, submitted: 1 })
    world.wait(25n * 3_600n * SECOND) // It is being replaced, and still sent.
    expect(withdrawals()).toMatchObject({ signing: 0, submitted: 1 })
    world.mine(6)
    expect(withdrawals()).toMatchObject({ submitted: 0, finalized: 1 })
  })

  it('warns when the fee collector cannot pay the consolidation that is near', () => {
    const world = new TestMinter({ init: { consolidationThreshold: 4n, inputsMax: 3n } })
    for (let i = 0; i < 2; i++) world.deposit(alice, 1_000_000n)
    const codes = () =>
      views(world)
        .info()
        .alerts.map(({ code }) => code)
    expect(codes()).toEqual(['fee_collector'])
    const collector = { owner: MINTER, subaccount: feeCollectorSubaccount() }
    world.ledger.move(alice, collector, 100_000n)
    expect(codes()).toEqual([])
    expect(views(world).info().consolidation).toEqual({ balance: 100_000n, expectedCost: 1_045n })
  })

  it('warns when tokens are out that nothing backs', () => {
    const world = withdrawn()
    world.ledger.move({ owner: user(9) }, alice, 0n)
    world.ledger.balances.set('made up', 200_000_000n)
    expect(
      views(world)
        .info()
        .alerts.map(({ code }) => code),
    ).toEqual(['not_covered'])
  })
})

/** Fields in one order, bigints as text; absent and undefined look the same. */
const stable = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

it('x_fees has what the minter reckons with, and a jump that waits', () => {
  const world = new TestMinter()
  expect(views(world).fees()).toEqual({
    percentiles: Array.from({ length: 100 }, () => 1n),
    median: 5_000n,
    withdrawalMin: 50_000n,
    consolidationRate: 5_000n,
  })
  world.state.volatile.fees.jump = 90_000n
  expect(views(world).fees().jump).toBe(90_000n)
  world.state.volatile.fees.known = false
  expect(views(world).fees()).toMatchObject({ percentiles: [], withdrawalMin: 50_000n })
})

it('http_request is no call: as an update it is a trap', () => {
  const world = withdrawn()
  const place = { minter: world.minter }
  const surroundings = { controller: user(9), world: () => world.world }
  const canister = new MinterCanister(MINTER, place, surroundings)
  const request = { method: 'GET', url: '/metrics', headers: [], body: new Uint8Array() }
  const arg = encodeArgs(httpInterface.http_request.args, [request])
  const answer = (kind: 'query' | 'update') => {
    const context = { caller: user(1), now: world.now, kind, dataCertificate: () => undefined }
    return dispatch(
      canister.handlers(context),
      { canisterId: MINTER, methodName: 'http_request', arg },
      kind,
    )
  }
  expect(answer('query').type).toBe('replied')
  expect(answer('update')).toMatchObject({ type: 'rejected', errorCode: 'IC0503' })
})

it('every answer has its Candid form', () => {
  const world = withdrawn()
  world.pay(alice, 1_000n, 2)
  const { withdrawals, withdrawal, deposits, utxos, info } = views(world)
  const check = (method: { result: Codec<unknown> }, value: unknown) => {
    const [read] = decodeArgs([method.result], encodeArgs([method.result], [value]))
    expect(JSON.stringify(read, stable)).toBe(JSON.stringify(value, stable))
  }
  const { x_withdrawals, x_withdrawal, x_deposits, x_utxos, x_info } = minterExtension
  check(x_withdrawals, withdrawals(first))
  check(x_withdrawal, withdrawal({ blockIndex: 1n }))
  check(x_deposits, deposits(first))
  for (const kind of COIN_KINDS) check(x_utxos, utxos({ kind, ...first }))
  check(x_info, info())
  check(minterExtension.x_fees, views(world).fees())
})

it('a view leaves the state as it was', () => {
  const world = withdrawn()
  const before = structuredClone({ ...world.minter })
  const { withdrawals, withdrawal, deposits, utxos, info } = views(world)
  withdrawals(first)
  withdrawal({ blockIndex: 1n })
  deposits(first)
  for (const kind of COIN_KINDS) utxos({ kind, ...first })
  info()
  expect({ ...world.minter }).toEqual(before)
})
