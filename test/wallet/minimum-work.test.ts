import { expect, test } from 'vitest'
import { chainFinding } from '../../src/commands/doctor/machine.ts'
import { minimumWorkAge } from '../../src/wallet/minimum-work.ts'

test.each([
  ['2026-04-01', 'ok'],
  ['2027-10-31', 'ok'],
  ['2027-11-01', 'warn'],
  ['2030-01-01', 'warn'],
])('on %s the table of minimum work is %s (NET-1)', (day, state) => {
  const finding = chainFinding(minimumWorkAge(new Date(`${day}T00:00:00Z`)))
  expect(finding.state).toBe(state)
  expect(finding.found).toContain('Bitcoin Core 31.0')
})
