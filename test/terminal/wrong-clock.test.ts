/**
 * Goal: a computer whose clock is wrong pays once or is told so, never twice and never a riddle.
 * Method: cli §3.11, IC interface §21.5; networks in memory that are ahead of it and behind.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { redeem } from '../../src/commands/redeem.ts'
import { resume } from '../../src/commands/resume.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { dev0, dev1, FEE, fact, recipient, SpendingDesks, send } from '../support/spending-desks.ts'

const HOUR_MS = 3_600_000
/** What a desk is given on networks that are so many hours ahead. */
function desksAhead(hours: number): SpendingDesks {
  const desks = new SpendingDesks({ aheadMs: hours * HOUR_MS })
  beforeAll(async () => {
    await desks.fund()
    return () => desks.close()
  })
  return desks
}

describe.each([0.03, 0.1, 3, 30])('a computer that is %d h behind', (hours) => {
  const desks = desksAhead(hours)

  test('transfers at the time of the network', async () => {
    const desk = desks.open()
    const { data } = await desk.json(transfer, send('901sat'))
    const off = Number(data.created_at_time_ns) / 1e6 - Date.now() - hours * HOUR_MS
    expect(Math.abs(off)).toBeLessThan(301_000)
    expect(await desks.balanceOf(dev1)).toBe(901n)
  })

  test('burns, and approves for ten minutes from now', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const options = { to: recipient, wait: false }
    const { data } = await desk.json(redeem, { args: ['0.01ckbtc'], options })
    expect(data).toMatchObject({ amount_sat: 1_000_000 })
    expect(await desks.balanceOf(dev0)).toBe(before - 1_000_000n - FEE)
  })

  test.each(['answer', 'request'] as const)('pays once where the %s is lost', async (loss) => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev1)
    desks.lose(desk, loss)
    const { error } = await desk.json(transfer, send('902sat', { idempotencyKey: 'k' }))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desks.mend(desk)
    await desk.run(resume, { args: [String(error.details.op)] })
    await desk.json(transfer, send('902sat', { idempotencyKey: 'k' }))
    expect(await desks.balanceOf(dev1)).toBe(before + 902n)
  })
})

describe.each([0.1, 3])('a computer that is %d h ahead', (hours) => {
  const desks = desksAhead(-hours)

  test('is told so, and sends nothing', async () => {
    const desk = desks.open()
    const { error } = await desk.json(transfer, send('903sat'))
    expect([error.code, error.exit, desk.journal.all()]).toEqual(['HOST_CLOCK', 11, []])
  })
})

test('two transfers of the same in the same moment are two', async () => {
  const desks = new SpendingDesks()
  await desks.fund()
  const open = [desks.open(), desks.open(), desks.open(), desks.open()]
  const sent = await Promise.all(open.map((desk) => desk.json(transfer, send('904sat'))))
  expect(sent.map(({ data }) => data.deduplicated)).toEqual([false, false, false, false])
  expect(await desks.balanceOf(dev1)).toBe(4n * 904n)
  const times = open.map((desk) => fact(desk.journal.all()[0], 'createdAtNs'))
  expect(new Set(times).size).toBe(4)
  desks.close()
})
