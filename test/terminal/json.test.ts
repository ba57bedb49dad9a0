/** The JSON contract of `docs/spec/cli.md` §3.6. */
import { expect, it } from 'vitest'
import { answerDocument, failureDocument, toWire } from '../../src/terminal/json.ts'

it('names are in snake case and amounts are integers', () => {
  expect(toWire({ amountSat: 5n, signedBy: [1, 2], inner: { someTxid: 'ab' } })).toEqual({
    amount_sat: 5,
    signed_by: [1, 2],
    inner: { some_txid: 'ab' },
  })
})

it('nanoseconds are strings, since they exceed 2^53', () => {
  expect(toWire({ createdAtTimeNs: 1_780_000_000_000_000_001n })).toEqual({
    created_at_time_ns: '1780000000000000001',
  })
})

it('what does not exist is null and not missing', () => {
  expect(toWire({ memo: undefined, op: null })).toEqual({ memo: null, op: null })
})

it('an amount that a JSON number cannot hold is a bug', () => {
  expect(toWire(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
  expect(toWire(2n ** 64n)).toBe(Number.MAX_SAFE_INTEGER)
  expect(toWire(-(2n ** 64n))).toBe(Number.MIN_SAFE_INTEGER)
})

it('an answer is one line with its schema', () => {
  const document = answerDocument({
    schema: 'balance',
    network: 'local',
    data: { text: 'two\nlines' },
    warnings: [],
  })
  expect(document).not.toContain('\n')
  expect(JSON.parse(document)).toEqual({
    schema: 'ckbtc.balance.v1',
    ok: true,
    network: 'local',
    data: { text: 'two\nlines' },
    warnings: [],
  })
})

it('a failure carries code, status, words and facts', () => {
  const failure = { code: 'BUG', exit: 70, message: 'm', hint: 'h', retry: 'never', op: 'op_1' }
  const around = { network: 'ic', warnings: [{ code: 'C', message: 'w' }] }
  expect(
    JSON.parse(failureDocument({ ...around, ...failure, details: { amountSat: 1n } })),
  ).toEqual({
    schema: 'ckbtc.error.v1',
    ok: false,
    network: 'ic',
    error: { ...failure, details: { amount_sat: 1 } },
    warnings: around.warnings,
  })
})
