/**
 * Goal: what the minter refuses ends a command with the code of cli §6 for it, and burns nothing.
 * Method: cli §§5.2, 5.5, 6, minter §§2.2, 5, 6; a network in memory with the real canisters, whose
 * checker has flagged something, or whose minter was told to keep its door shut.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deposit } from '../../src/commands/deposit.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { toDisplayHex } from '../../src/core/base/bytes.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { dev0, recipient, SpendingDesks, until } from '../support/spending-desks.ts'

const desks = new SpendingDesks()
const { net } = desks

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc redeem', () => {
  const run = async (): Promise<readonly [code: string, exit: number]> => {
    const desk = desks.open()
    const typed = { args: ['0.01ckbtc'], options: { to: recipient, wait: false } }
    const { out, exit } = await desk.run(redeem, { ...typed, settings: { json: true } })
    return [JSON.parse(out).error.code, exit]
  }
  /** All that a refusal costs is the fee of the approval. */
  async function expectRefused(code: string): Promise<void> {
    const before = await desks.balanceOf(dev0)
    expect(await run()).toEqual([code, 7])
    expect(before - (await desks.balanceOf(dev0))).toBeLessThanOrEqual(10n)
  }

  test.each([
    ['is read-only', { type: 'readOnly' }],
    ['serves few', { type: 'restrictedTo', principals: [] }],
  ] as const)('ends with MINTER_RESTRICTED while the minter %s', async (_, mode) => {
    net.changeMinter({ config: { mode } })
    await expectRefused('MINTER_RESTRICTED')
    net.changeMinter({ config: { mode: { type: 'generalAvailability' } } })
  })

  test('ends with MINTER_BUSY while the minter takes no more', async () => {
    const { pendingRequestsMax } = net.replica.state.minter.settings
    net.changeMinter({ settings: { pendingRequestsMax: 0 } })
    await expectRefused('MINTER_BUSY')
    net.changeMinter({ settings: { pendingRequestsMax } })
  })

  const { concurrentMax } = net.replica.state.minter.settings
  test.each([
    [
      'is at work on the account',
      {
        busy: () => net.workOn([{ owner: dev0.principal }]),
        free: () => net.workOn([]),
        amount: '0.011ckbtc',
        amountSat: 1_100_000,
      },
    ],
    [
      'has no hand free',
      {
        busy: () => net.changeMinter({ settings: { concurrentMax: 0 } }),
        free: () => net.changeMinter({ settings: { concurrentMax } }),
        amount: '0.012ckbtc',
        amountSat: 1_200_000,
      },
    ],
  ])('waits for a minter that %s', async (_, { busy, free, amount, amountSat }) => {
    busy()
    const desk = desks.open()
    let calls = 0
    desk.fetch = async (input, init) => {
      const isCall = new Request(input, init).url.endsWith('/call')
      // The approval, a burn that is refused, and one that is not.
      if (isCall && ++calls === 3) free()
      return net.fetch(input, init)
    }
    const typed = { args: [amount], options: { to: recipient, wait: false } }
    const { data } = await desk.json(redeem, typed)
    expect([data?.amount_sat, calls]).toEqual([amountSat, 3])
    net.mine(6)
  })

  test('ends with MINTER_DEST_FLAGGED where the destination is flagged', async () => {
    net.flag(recipient)
    await expectRefused('MINTER_DEST_FLAGGED')
  })
})

describe('ckbtc deposit', () => {
  /** Deposits one payment, which `then` does something about before it is deep enough. */
  async function depositing(sat: bigint, then: (coin: string) => void = () => undefined) {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const { address } = await depositAddress(desks.reader, { owner: dev0.principal })
    const running = desk.run(deposit, { options: { wait: true, qr: false } })
    await until(() => desk.journal.all().length > 0)
    const { txid, vout } = net.pay(address, sat)
    then(`${toDisplayHex(txid)}:${vout}`)
    net.mine(6)
    const ran = await running
    expect(await desks.balanceOf(dev0)).toBe(before)
    return ran
  }

  test('ends with MINTER_COIN_FLAGGED when all that came is flagged', async () => {
    const { err, exit } = await depositing(5_000_000n, (coin) => net.flag(coin))
    expect([exit, err]).toEqual([7, expect.stringContaining('(MINTER_COIN_FLAGGED)')])
  })

  test('waits on, with no view of Bitcoin, where all that was kept came before', async () => {
    const { address } = await depositAddress(desks.reader, { owner: dev0.principal })
    net.pay(address, 298n)
    net.mine(6)
    const { bitcoin: _, ...ids } = net.network.ids
    const desk = desks.open({ ids })
    const before = await desks.balanceOf(dev0)
    const running = desk.run(deposit, { options: { wait: true, qr: false } })
    await until(() => desk.journal.all()[0]?.state === 'waiting')
    net.pay(address, 5_000_001n)
    net.mine(6)
    const { exit, out } = await running
    expect([exit, out]).toEqual([0, expect.stringMatching(/^✓ Minted 0\.049/)])
    expect(await desks.balanceOf(dev0)).toBeGreaterThan(before)
  })

  test('ends with MINTER_COIN_TOO_SMALL when all that came is too small, whatever was kept before', async () => {
    const { err, exit } = await depositing(299n)
    expect([exit, err]).toEqual([7, expect.stringContaining('(MINTER_COIN_TOO_SMALL)')])
  })
})
