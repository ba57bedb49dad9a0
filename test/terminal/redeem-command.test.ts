/**
 * Goal: what is burned is burned once, and followed to its confirmation.
 * Method: cli §§3.10, 5.5; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { redeem } from '../../src/commands/redeem.ts'
import { resume } from '../../src/commands/resume.ts'
import { status } from '../../src/commands/status.ts'
import {
  dev0,
  FEE,
  fact,
  recipient,
  redeeming,
  SpendingDesks,
  until,
} from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc redeem', () => {
  test('burns, and is followed to its confirmation', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const { out, err, exit } = await desk.run(redeem, redeeming('0.01ckbtc'))
    const [operation] = desk.journal.all()
    expect([exit, err]).toEqual([0, expect.stringContaining('this cannot be undone')])
    expect(out).toContain('✓ Burned 0.01000000 ckBTC')
    expect(await desks.balanceOf(dev0)).toBe(before - 1_000_000n - FEE)
    expect(operation).toMatchObject({ state: 'waiting', facts: { amountSat: '1000000' } })
    const following = desk.json(status, { args: [operation?.id ?? ''], options: { wait: true } })
    // The minter sees its transaction in a block, and counts blocks from then on.
    await desks.mineUntil(() => desk.journal.all()[0]?.state === 'done')
    const { data } = await following
    expect(data.operations[0]).toMatchObject({ state: 'done', stage: 'confirmed' })
  })

  test('leaves no allowance behind', async () => {
    const spender = { owner: desks.net.network.ids.minter }
    const left = await desks.reader.ledger.allowance({ owner: { owner: dev0.principal }, spender })
    expect(left.allowance).toBe(0n)
  })

  test('with --receive burns what the fees add', async () => {
    const desk = desks.open()
    const { data } = await desk.json(redeem, redeeming('0.02btc', { receive: true, dryRun: true }))
    expect(data).toMatchObject({ dry_run: true, arrives_sat: 2000000 })
    expect(desk.journal.all()).toEqual([])
  })

  test.each([
    ['less than the minimum', redeeming('100sat'), 'MINTER_BELOW_MINIMUM', 7],
    ['more than there is', redeeming('50ckbtc'), 'LEDGER_INSUFFICIENT_FUNDS', 7],
    ['an account', redeeming('0.01btc', { to: 'dev1' }), 'DEST_IS_ACCOUNT', 2],
    [
      'another network',
      redeeming('0.01btc', { to: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' }),
      'BTC_WRONG_NETWORK',
      2,
    ],
  ])('to or of %s is refused', async (_, typed, code, exit) => {
    const desk = desks.open()
    const ran = await desk.run(redeem, { ...typed, settings: { json: true } })
    expect([JSON.parse(ran.out).error.code, ran.exit]).toEqual([code, exit])
    expect(desk.journal.all()).toEqual([])
  })

  test('whose approval is approved and whose burn never left goes on with resume', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    desks.lose(desk, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.011ckbtc'))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desks.mend(desk)
    const op = String(error.details.op)
    const open = await desk.json(status, { args: [op] })
    expect(open.error.details).toMatchObject({ stage: 'approved', needs_action: true })
    const running = desk.run(resume, { args: [op] })
    await until(() => fact(desk.journal.get(op), 'burnBlockIndex') !== '')
    desks.net.mine(6)
    expect([(await running).exit, await desks.balanceOf(dev0)]).toEqual([
      0,
      before - 1_100_000n - FEE,
    ])
  })

  test('whose burn was executed and its answer lost is never burned again', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    desks.lose(desk, undefined, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.012ckbtc'))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desks.mend(desk)
    const op = String(error.details.op)
    desks.net.mine(6)
    expect((await desk.run(resume, { args: [op] })).exit).toBe(0)
    expect(await desks.balanceOf(dev0)).toBe(before - 1_200_000n - FEE)
    expect(desk.journal.get(op)).toMatchObject({ state: 'done', facts: { stage: 'confirmed' } })
  })

  test('whose burn may still be executed is not burned by resume', async () => {
    const desk = desks.open()
    desks.lose(desk, undefined, 'request')
    const { error } = await desk.json(redeem, redeeming('0.013ckbtc'))
    desks.mend(desk)
    const before = await desks.balanceOf(dev0)
    const resumed = await desk.json(resume, { args: [String(error.details.op)] })
    expect(resumed.error.code).toBe('OPERATION_UNKNOWN')
    expect(await desks.balanceOf(dev0)).toBe(before)
  })

  test('says what arrived, what it cost, and how deep it is', async () => {
    const desk = desks.open()
    let isOver = false
    const typed = { args: ['0.02ckbtc'], options: { to: recipient, wait: true } }
    const running = desk.json(redeem, typed).finally(() => {
      isOver = true
    })
    await desks.mineUntil(() => isOver)
    const { data } = await running
    expect(data).toMatchObject({ state: 'done', amount_sat: 2_000_000, slow: false })
    expect(data.confirmations).toBeGreaterThanOrEqual(6)
    expect(data.received_sat).toBe(2_000_000 - data.minter_fee_sat - data.bitcoin_fee_sat)
  })

  test('with the same idempotency key is one redemption', async () => {
    const desk = desks.open()
    const typed = redeeming('0.014ckbtc', { idempotencyKey: 'r-1' })
    const before = await desks.balanceOf(dev0)
    const first = await desk.json(redeem, typed)
    const second = await desk.json(redeem, typed)
    expect(second.data.burn_block_index).toBe(first.data.burn_block_index)
    expect(await desks.balanceOf(dev0)).toBe(before - 1_400_000n - FEE)
  })
})
