/**
 * Goal: an allowance is what its owner made it.
 * Method: cli §5.9; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowance, approve } from '../../src/commands/approve.ts'
import { status } from '../../src/commands/status.ts'
import { fact, SpendingDesks } from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('ckbtc approve and allowance', () => {
  const approving = (amount: string, others = {}) => ({
    args: [amount],
    options: { spender: 'dev1', ...others },
  })

  test('set an allowance, show it, and take it back', async () => {
    const desk = desks.open()
    const set = await desk.run(approve, approving('0.01ckbtc', { expiresIn: '1h' }))
    expect([set.exit, set.out]).toEqual([0, expect.stringMatching(/^✓ Allowed 0\.01000000 ckBTC/)])
    const [operation] = desk.journal.all()
    const hours = (Number(fact(operation, 'expiresAtNs')) / 1e6 - Date.now()) / 3_600_000
    expect(Math.round(hours * 10) / 10).toBe(1)
    const { data } = await desk.json(allowance, { options: { spender: 'dev1' } })
    expect(data).toMatchObject({ allowance_sat: 1000000, expires_at: expect.stringMatching(/Z$/) })
    const revoked = await desk.run(approve, approving('0sat'))
    expect(revoked.out).toMatch(/^✓ Revoked the allowance/)
    const none = await desk.json(allowance, { options: { spender: 'dev1' } })
    expect(none.data).toMatchObject({ allowance_sat: 0, expires_at: null })
  })

  test('warn of one without end', async () => {
    const desk = desks.open()
    const { data, warnings } = await desk.json(approve, approving('1sat'))
    expect(data.expires_at).toBe(null)
    expect(warnings).toMatchObject([{ code: 'APPROVAL_WITHOUT_END' }])
  })

  test('refuse where it is not what it was expected to be', async () => {
    const desk = desks.open()
    const { error } = await desk.json(approve, approving('5sat', { expected: '999sat' }))
    expect(error.code).toBe('LEDGER_ALLOWANCE_CHANGED')
    expect(desk.journal.all()).toEqual([])
  })

  test('are found again when the answer is lost, and made once by an idempotency key', async () => {
    const desk = desks.open()
    const typed = approving('4321sat', { idempotencyKey: 'a-1' })
    desks.lose(desk, 'answer')
    expect((await desk.run(approve, typed)).exit).toBe(9)
    desks.mend(desk)
    const length = await desks.reader.blocks.length()
    expect((await desk.json(approve, typed)).data.allowance_sat).toBe(4321)
    expect(await desks.reader.blocks.length()).toBe(length)
  })

  test('stay unknown while the call may still be executed', async () => {
    const desk = desks.open()
    const typed = approving('4322sat', { idempotencyKey: 'a-2' })
    desks.lose(desk, 'request')
    expect((await desk.run(approve, typed)).exit).toBe(9)
    desks.mend(desk)
    expect((await desk.json(approve, typed)).error.code).toBe('OPERATION_UNKNOWN')
    const { operations } = (await desk.json(status)).data
    expect(operations).toMatchObject([{ kind: 'approve', state: 'unknown' }])
  })
})
