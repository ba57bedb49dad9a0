/**
 * Goal: a minter or a node that lies costs a refusal in plain words, never money, a hang or a bug.
 * Method: cli §§3.8, 3.12, 5.2, 5.5; a network in memory, queries of which are answered by a liar.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { deposit } from '../../src/commands/deposit.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { minterInterface } from '../../src/core/minter/interface.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { SpendingDesks } from '../support/spending-desks.ts'

const desks = new SpendingDesks()
const { answers } = desks.net
const recipient = regtestWallet('recipient').address
const NAT64_MAX = 2n ** 64n - 1n

beforeAll(() => desks.fund())
afterEach(() => answers.clear())
afterAll(() => desks.close())

const fees = (minterFee: bigint, bitcoinFee: bigint): void => {
  const { result } = minterInterface.estimate_withdrawal_fee
  const arg = encodeArgs([result], [{ minterFee, bitcoinFee }])
  answers.set('estimate_withdrawal_fee', { type: 'replied', arg })
}

const info = (change: object): void => {
  const { result } = minterInterface.get_minter_info
  const honest = {
    minConfirmations: 6,
    retrieveMinAmount: 50_000n,
    checkFee: 100n,
    depositMinAmount: undefined,
  }
  const arg = encodeArgs([result], [{ ...honest, ...change }])
  answers.set('get_minter_info', { type: 'replied', arg })
}

const redeeming = (amount: string, others: Readonly<Record<string, unknown>> = {}) => ({
  args: [amount],
  options: { to: recipient, wait: false, ...others },
})

describe('ckbtc redeem', () => {
  test.each([
    ['everything', 500_000n, { receive: false }],
    ['everything, as a plan', 500_000n, { receive: false, dryRun: true }],
    ['more than there is', NAT64_MAX, { receive: false }],
    ['more than there is, on top', NAT64_MAX, { receive: true }],
  ])('is refused where the fees are %s', async (_, fee, options) => {
    fees(fee, fee)
    const desk = desks.open()
    const { error } = await desk.json(redeem, redeeming('0.01ckbtc', options))
    expect([error?.exit, desk.journal.all()]).toEqual([7, []])
  })

  test('is refused where the minimum is more than there can be', async () => {
    info({ retrieveMinAmount: NAT64_MAX })
    const { error } = await desks.open().json(redeem, redeeming('0.01ckbtc'))
    expect(error.code).toBe('MINTER_BELOW_MINIMUM')
  })
})

describe('ckbtc deposit', () => {
  test('says what a minter says of itself, however large', async () => {
    info({ minConfirmations: 2 ** 32 - 1, checkFee: NAT64_MAX, depositMinAmount: NAT64_MAX })
    const ran = await desks.open().run(deposit, {
      options: { wait: false, qr: false },
      settings: { json: true },
    })
    expect(JSON.parse(ran.out).error?.code).not.toBe('BUG')
  })
})
