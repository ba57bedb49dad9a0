/**
 * Goal: an amount that is none, and a network that says nothing, end a command with their own code.
 * Method: cli §§3.1, 3.5, 6; commands that read and that spend, on a network in memory whose answers
 * the test holds back.
 */
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { balance } from '../../src/commands/balance.ts'
import { fees } from '../../src/commands/fees.ts'
import { info } from '../../src/commands/info.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const desk = new CommandDesk(new NetworkUnderTest())
afterAll(() => desk.close())
afterEach(() => vi.useRealTimers())

describe.each([
  ['transfer', transfer, 'dev1'],
  ['redeem', redeem, regtestWallet('recipient').address],
] as const)('an amount of ckbtc %s', (_, command, to) => {
  test.each([
    ['1e3sat', 'AMOUNT_FORMAT'],
    ['1,5btc', 'AMOUNT_FORMAT'],
    ['0.123456789btc', 'AMOUNT_PRECISION'],
    ['1.5sat', 'AMOUNT_PRECISION'],
    ['21000001btc', 'AMOUNT_RANGE'],
    ['5', 'AMOUNT_NO_UNIT'],
  ])('that is %s ends with %s', async (amount, code) => {
    const typed = { args: [amount], options: { to }, settings: { json: true } }
    const { out, exit } = await desk.run(command, typed)
    expect([JSON.parse(out).error.code, exit]).toEqual([code, 2])
    expect(desk.journal.all()).toEqual([])
  })
})

describe('a network that says nothing', () => {
  test.each([
    ['balance', balance],
    ['fees', fees],
    ['info', info],
  ] as const)('ends ckbtc %s with NETWORK_TIMEOUT after --timeout', async (_, command) => {
    desk.fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const running = desk.run(command, { globals: { timeout: '5s' } })
    await vi.advanceTimersByTimeAsync(5_000)
    const { exit, err } = await running
    expect([exit, err]).toEqual([5, expect.stringContaining('no answer within 5s')])
    expect(err).toContain('(NETWORK_TIMEOUT)')
  })
})
