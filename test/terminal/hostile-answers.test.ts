/**
 * Goal: a minter or a node that lies costs a refusal in plain words, never money, a hang or a bug.
 * Method: cli §§3.8, 3.12, 5.2, 5.5; a network in memory, queries of which are answered by a liar.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { deposit } from '../../src/commands/deposit.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { hash32 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { ValueOf } from '../../src/core/ic/candid.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { valueOfBlock } from '../../src/core/ledger/blocks/block-value.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../src/core/minter/interface/interface.ts'
import { encodeMintMemo } from '../../src/core/minter/memo.ts'
import { fact, redeeming, SpendingDesks } from '../support/spending-desks.ts'

const desks = new SpendingDesks()
const { answers } = desks.net
const NAT64_MAX = 2n ** 64n - 1n
const nothing = { type: 'map', map: [] } as const

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

/** `ledger` as a node shows it, of which the network knows nothing. */
const ledger = (answer: Partial<ValueOf<typeof getBlocks>>): void => {
  const arg = encodeArgs(
    [getBlocks],
    [{ logLength: 0n, blocks: [], archivedBlocks: [], ...answer }],
  )
  answers.set('icrc3_get_blocks', { type: 'replied', arg })
}
const getBlocks = ledgerInterface.icrc3_get_blocks.result

describe('ckbtc status', () => {
  const lost = async (amount: string) => {
    const desk = desks.open()
    desks.lose(desk, 'answer')
    const typed = { args: [amount], options: { to: 'dev1' } }
    const { error } = await desk.json(transfer, typed)
    desks.mend(desk)
    return { desk, op: String(error.details.op) }
  }

  test.each([
    ['keeps blocks back', { logLength: 100n }],
    ['has no end', { logLength: 2n ** 63n }],
    ['numbers blocks as it likes', { logLength: 9n, blocks: [{ id: 77n, block: nothing }] }],
    ['has blocks that are none', { logLength: 1n, blocks: [{ id: 0n, block: nothing }] }],
  ])('is no bug where a ledger %s', async (_, answer) => {
    const { desk, op } = await lost('601sat')
    ledger(answer)
    const { error } = await desk.json(status, { args: [op] })
    expect(error.code).toBe('NETWORK_BAD_CERTIFICATE')
    expect(desk.journal.get(op).state).toBe('unknown')
    const listed = await desk.json(status)
    expect(listed).toMatchObject({ ok: true, warnings: [{ code: 'NETWORK_BAD_CERTIFICATE' }] })
  })

  test('does not believe one node that a redemption is over', async () => {
    const desk = desks.open()
    const { data } = await desk.json(redeem, redeeming('0.01ckbtc'))
    for (const type of ['confirmed', 'amountTooLow'] as const) {
      const { result } = minterInterface.retrieve_btc_status_v2
      const txid = hash32(new Uint8Array(32))
      const told = type === 'confirmed' ? ({ type, txid } as const) : ({ type } as const)
      answers.set('retrieve_btc_status_v2', { type: 'replied', arg: encodeArgs([result], [told]) })
      const { error } = await desk.json(status, { args: [data.op] })
      expect(error.code).toBe('OPERATION_OPEN')
    }
  })

  test('does not believe one node that a payment was made', async () => {
    const desk = desks.open()
    desks.lose(desk, 'answer')
    await desk.json(transfer, { args: ['602sat'], options: { to: 'dev1' } })
    desks.mend(desk)
    const [made] = desk.journal.all()
    const [block] = (await desks.reader.blocks.all()).slice(-1)
    // The same transfer, which the network does not know.
    const op = desk.journal.begin({ ...present(made, 'an operation') })
    const createdAtNs = String(BigInt(fact(made, 'createdAtNs')) + 1n)
    desk.journal.update(op.id, { state: 'unknown', facts: { createdAtNs } })
    const { transaction, ...rest } = present(block, 'a block')
    const createdAtTime = timestampNs(BigInt(createdAtNs))
    const forged = valueOfBlock({ ...rest, transaction: { ...transaction, createdAtTime } })
    ledger({ logLength: 1n, blocks: [{ id: 0n, block: forged }] })
    const { error } = await desk.json(status, { args: [op.id] })
    expect(error.code).toBe('NETWORK_BAD_CERTIFICATE')
    expect(desk.journal.get(op.id).state).toBe('unknown')
  })
})

describe('ckbtc deposit', () => {
  test('does not believe one node that a coin was minted', async () => {
    const desk = desks.open()
    const { data } = await desk.json(deposit, { options: { wait: false, qr: false } })
    const blocks = await desks.reader.blocks.all()
    const mint = blocks.find(({ transaction }) => transaction.type === 'mint')
    const { transaction, ...rest } = present(mint, 'a mint')
    const coin = { txid: hash32(new Uint8Array(32).fill(7)), vout: 0, fee: 100n } as const
    const memo = encodeMintMemo({ type: 'convert', ...coin })
    const forged = valueOfBlock({
      ...rest,
      transaction: { ...transaction, memo } as typeof transaction,
    })
    const id = BigInt(blocks.length)
    ledger({ logLength: id + 1n, blocks: [{ id, block: forged }] })
    const { error } = await desk.json(status, { args: [data.op] })
    expect(error.code).toBe('NETWORK_BAD_CERTIFICATE')
    answers.clear()
    expect((await desk.json(status, { args: [data.op] })).error.code).toBe('OPERATION_OPEN')
  })

  test('says what a minter says of itself, however large', async () => {
    info({ minConfirmations: 2 ** 32 - 1, checkFee: NAT64_MAX, depositMinAmount: NAT64_MAX })
    const ran = await desks.open().run(deposit, {
      options: { wait: false, qr: false },
      settings: { json: true },
    })
    expect(JSON.parse(ran.out).error?.code).not.toBe('BUG')
  })
})
