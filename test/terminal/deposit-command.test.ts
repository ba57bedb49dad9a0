/**
 * Goal: a deposit is followed until the coin is minted.
 * Method: cli §5.2; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deposit } from '../../src/commands/deposit.ts'
import { status } from '../../src/commands/status.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { dev0, fact, SpendingDesks, until } from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc deposit', () => {
  test('shows address, conditions and how to follow, and leaves with --no-wait', async () => {
    const desk = desks.open()
    const { out, err, exit } = await desk.run(deposit, { options: { wait: false, qr: false } })
    const { address } = await depositAddress(desks.reader, { owner: dev0.principal })
    expect([exit, out]).toEqual([0, `${address}\n`])
    expect(err).toMatch(/needs +6 confirmations\n/)
    expect(err).toMatch(/Follow it: ckbtc status op_\w+ --wait\n/)
    expect((await desk.json(status)).data.operations).toMatchObject([{ kind: 'deposit' }])
  })

  test('tells each step until the coin is minted', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const { address } = await depositAddress(desks.reader, { owner: dev0.principal })
    const running = desk.run(deposit, { options: { wait: true, qr: false } })
    await until(() => desk.journal.all().length > 0)
    desks.net.pay(address, 5_000_000n)
    desks.net.mine(1)
    await until(() => fact(desk.journal.all()[0], 'coins') !== '')
    desks.net.mine(5)
    const { out, err, exit } = await running
    const [operation] = desk.journal.all()
    expect(exit).toBe(0)
    expect(err).toMatch(/seen +0\.05000000 BTC {2}tx [0-9a-f]{64}:\d/)
    expect(out).toMatch(/^✓ Minted 0\.0\d{7} ckBTC {2}\(fee \d+ sat\) {2}ledger block \d+/)
    expect(operation).toMatchObject({ state: 'done' })
    expect(await desks.balanceOf(dev0)).toBe(before + BigInt(fact(operation, 'mintedSat')))
  })

  test('tells of a payment that no block has, and waits for nothing because of it', async () => {
    const desk = desks.open()
    const payment = { txid: 'ab'.repeat(32), vout: 1, amountSat: 7_000_000n }
    const look = async () => async () => [payment]
    const command: typeof deposit = (invocation, context, open) =>
      deposit(invocation, context, open, look)
    const typed = { options: { wait: true, qr: false }, globals: { timeout: '1s' } }
    const { err, exit } = await desk.run(command, typed)
    expect(exit).toBe(6)
    expect(err.match(/in no block +0\.07000000 BTC {2}tx (?:ab){32}:1/g)).toHaveLength(1)
    expect(fact(desk.journal.all().at(-1), 'coins')).toBe('')
  })

  test('ends with --timeout, and is found by status', async () => {
    const desk = desks.open()
    const typed = { options: { wait: true, qr: false }, globals: { timeout: '1s' } }
    const { exit, err } = await desk.run(deposit, typed)
    expect([exit, err]).toEqual([6, expect.stringContaining('OPERATION_OPEN')])
    expect(desk.journal.all()).toMatchObject([{ kind: 'deposit', state: 'waiting' }])
  })

  test('takes the place of an earlier one that nobody has paid to', async () => {
    const desk = desks.open()
    const show = { options: { wait: false, qr: false } }
    for (let times = 0; times < 3; times++) await desk.run(deposit, show)
    const [first, second, third] = desk.journal.all()
    expect([first, second]).toMatchObject([
      { state: 'cancelled', facts: { supersededBy: second?.id } },
      { state: 'cancelled', facts: { supersededBy: third?.id } },
    ])
    const { address } = await depositAddress(desks.reader, { owner: dev0.principal })
    desks.net.pay(address, 6_000_000n)
    desks.net.mine(1)
    await desk.run(deposit, show)
    expect((await desk.json(status)).data.operations).toMatchObject([
      { kind: 'deposit', detail: { coins: expect.stringContaining('awaiting') } },
      { kind: 'deposit', op: third?.id, detail: { coins: expect.stringContaining('awaiting') } },
    ])
  })
})
