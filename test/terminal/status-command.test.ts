/**
 * Goal: every operation can be found again.
 * Method: cli §5.6; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deposit } from '../../src/commands/deposit.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { recipient, SpendingDesks, send } from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc status', () => {
  test('says so where nothing is open, and knows every operation with --all', async () => {
    const desk = desks.open()
    expect((await desk.run(status)).out).toBe('No operation is open.\n')
    await desk.run(transfer, send('5sat'))
    expect((await desk.run(status)).out).toBe('No operation is open.\n')
    const { out } = await desk.run(status, { options: { all: true } })
    expect(out).toMatch(/^OP.*\nop_\w{10} +transfer +0\.00000005 ckBTC +done/)
  })

  test('finds redemptions that the journal does not know, by block and transaction', async () => {
    const made = desks.open()
    const { data } = await made.json(redeem, {
      args: ['0.015ckbtc'],
      options: { to: recipient, wait: false },
    })
    const other = desks.open()
    const { error } = await other.json(status, { args: [String(data.burn_block_index)] })
    expect(error).toMatchObject({ code: 'OPERATION_OPEN', details: { kind: 'redeem' } })
    expect(other.journal.all()).toEqual([])
  })

  test('says who refused, and shows no more of a journal than text', async () => {
    const desk = desks.open()
    const begin = { network: 'local', key: 'dev0', account: 'a\u001b[2Jb' } as const
    for (const [kind, code] of [
      ['transfer', 'LEDGER_REFUSED'],
      ['approve', 'LEDGER_REFUSED'],
      ['redeem', 'MINTER_REFUSED'],
    ] as const) {
      const { id } = desk.journal.begin({ ...begin, kind, facts: { to: '\u001b]0;x\u0007' } })
      desk.journal.update(id, { state: 'refused' })
      const { out, err, exit } = await desk.run(status, { args: [id] })
      expect([exit, err]).toEqual([7, expect.stringContaining(`(${code})`)])
      expect(out).not.toContain('\u001b')
    }
  })

  test.each([['op_0000000000'], ['nonsense'], ['f'.repeat(64)]])('does not know %s', async (id) => {
    const { error } = await desks.open().json(status, { args: [id] })
    expect(error.code).toBe('USAGE_INVALID')
  })

  test('shows what the journal has while the network does not answer', async () => {
    const desk = desks.open()
    await desk.run(deposit, { options: { wait: false, qr: false } })
    desk.fetch = async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
      })
    }
    const { data, warnings } = await desk.json(status)
    expect(data.operations).toMatchObject([{ kind: 'deposit' }])
    expect(warnings).toMatchObject([{ code: 'NETWORK_UNREACHABLE' }])
  })
})
