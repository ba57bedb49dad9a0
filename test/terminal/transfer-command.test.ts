/**
 * Goal: a transfer happens once, whatever is lost on the way.
 * Method: cli §§3.10, 3.11, 5.4; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resume } from '../../src/commands/resume.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { dev0, dev1, fact, recipient, SpendingDesks, send } from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc transfer', () => {
  test('sends, says in which block, and writes it down', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev1)
    const { out, err, exit } = await desk.run(transfer, send('0.001ckbtc', { memo: 'rent' }))
    const [operation] = desk.journal.all()
    expect([exit, err]).toEqual([0, expect.stringContaining('You keep')])
    expect(out).toBe(
      `✓ Sent 0.00100000 ckBTC  ledger block ${fact(operation, 'blockIndex')}   ${operation?.id}\n`,
    )
    expect(await desks.balanceOf(dev1)).toBe(before + 100_000n)
    expect(operation).toMatchObject({
      kind: 'transfer',
      state: 'done',
      key: 'dev0',
      facts: { amountSat: '100000', feeSat: '10', memo: '72656e74' },
    })
  })

  test('that is stopped may have been sent, and says where to look', async () => {
    const desk = desks.open()
    await desk.run(transfer, send('1sat', { dryRun: true }))
    expect(desk.stopped).toBeUndefined()
    await desk.run(transfer, send('1sat'))
    expect(desk.stopped).toContain('what was sent goes on')
    expect(desk.stopped).toContain('ckbtc status')
  })

  test('prints one document, and nothing else, with --json', async () => {
    const desk = desks.open()
    const { out, err } = await desk.run(transfer, { ...send('1000sat'), settings: { json: true } })
    const { schema, data } = JSON.parse(out)
    expect([schema, err]).toEqual(['ckbtc.transfer.v1', ''])
    expect(data).toEqual({
      op: expect.stringMatching(/^op_[0-9A-HJKMNP-TV-Z]{10}$/),
      block_index: expect.any(Number),
      amount_sat: 1000,
      fee_sat: 10,
      from: textOfPrincipal(dev0.principal),
      to: textOfPrincipal(dev1.principal),
      memo: null,
      created_at_time_ns: expect.stringMatching(/^\d{19}$/),
      deduplicated: false,
    })
  })

  test('of all leaves nothing but the fee', async () => {
    const desk = desks.open()
    const { exit } = await desk.run(transfer, {
      ...send('all', { to: 'dev0' }),
      globals: { key: 'dev1' },
    })
    expect([exit, await desks.balanceOf(dev1)]).toEqual([0, 0n])
  })

  test.each([
    ['more than there is', send('5ckbtc'), 'LEDGER_INSUFFICIENT_FUNDS', 7],
    ['nothing', send('0sat'), 'USAGE_INVALID', 2],
    ['an amount without a unit', send('5'), 'AMOUNT_NO_UNIT', 2],
    ['a Bitcoin address', send('5sat', { to: recipient }), 'DEST_IS_BITCOIN', 2],
    ['no receiver', { args: ['5sat'] }, 'USAGE_INVALID', 2],
    ['no account', send('5sat', { to: 'aaaaa-ab' }), 'ACCOUNT_INVALID', 2],
    ['a long memo', send('5sat', { memo: 'm'.repeat(81) }), 'USAGE_INVALID', 2],
    ['a wrong memo', send('5sat', { memo: '0xabc' }), 'USAGE_INVALID', 2],
  ])('of %s is refused, and nothing is written down', async (_, typed, code, exit) => {
    const desk = desks.open()
    const ran = await desk.run(transfer, { ...typed, settings: { json: true } })
    expect([JSON.parse(ran.out).error.code, ran.exit]).toEqual([code, exit])
    expect(desk.journal.all()).toEqual([])
  })

  test('as a dry run shows everything and sends and writes nothing', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const { out, exit } = await desk.run(transfer, send('1000sat', { dryRun: true }))
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(/Fee +10 sat\n.*\nNothing was sent\.\n$/),
    ])
    expect([await desks.balanceOf(dev0), desk.journal.all()]).toEqual([before, []])
  })
})

describe('a transfer whose answer is lost', () => {
  const lost = async (loss: 'answer' | 'request') => {
    const desk = desks.open()
    desks.lose(desk, loss)
    const ran = await desk.run(transfer, { ...send('777sat'), settings: { json: true } })
    const { error } = JSON.parse(ran.out)
    expect([error.code, ran.exit]).toEqual(['OPERATION_UNKNOWN', 9])
    desks.mend(desk)
    return { desk, op: String(error.details.op) }
  }

  test('is found again by status, where it arrived', async () => {
    const before = await desks.balanceOf(dev1)
    const { desk, op } = await lost('answer')
    const { data } = await desk.json(status, { args: [op] })
    expect(data.operations[0]).toMatchObject({ op, state: 'done', needs_action: false })
    expect(await desks.balanceOf(dev1)).toBe(before + 777n)
  })

  test('stays unknown while it may still be executed, and stops its repetition', async () => {
    const { desk, op } = await lost('request')
    const { error } = await desk.json(status, { args: [op] })
    expect(error).toMatchObject({ code: 'OPERATION_UNKNOWN', details: { op } })
    const { error: repeated } = await desk.json(transfer, send('777sat'))
    expect(repeated).toMatchObject({ code: 'CONSENT_DUPLICATE', details: { op, state: 'unknown' } })
    expect((await desk.run(transfer, send('777sat', { allowDuplicate: true }))).exit).toBe(0)
  })

  test.each(['answer', 'request'] as const)(
    'is ended by resume and paid once (%s)',
    async (loss) => {
      const before = await desks.balanceOf(dev1)
      const { desk, op } = await lost(loss)
      const { exit } = await desk.run(resume, { args: [op] })
      expect([exit, await desks.balanceOf(dev1)]).toEqual([0, before + 777n])
      expect(desk.journal.get(op)).toMatchObject({ state: 'done' })
    },
  )

  test('is ended by its idempotency key, and paid once', async () => {
    const before = await desks.balanceOf(dev1)
    const desk = desks.open()
    const typed = send('778sat', { idempotencyKey: 'order-17' })
    desks.lose(desk, 'answer')
    expect((await desk.run(transfer, typed)).exit).toBe(9)
    desks.mend(desk)
    const { data } = await desk.json(transfer, typed)
    expect(data).toMatchObject({ amount_sat: 778, deduplicated: true })
    expect((await desk.json(transfer, typed)).data.block_index).toBe(data.block_index)
    expect(await desks.balanceOf(dev1)).toBe(before + 778n)
    const { error } = await desk.json(transfer, send('779sat', { idempotencyKey: 'order-17' }))
    expect(error.code).toBe('USAGE_IDEMPOTENCY_MISMATCH')
  })
})
