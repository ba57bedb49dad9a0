/**
 * Goal: what the minter looks up on the ledger is found when it was written, and only then. Method:
 * the calls of the minter's port, then every field of them changed in turn, within the ledger's
 * window and long after. Source: minter §§5.3, 18.6; ledger §5.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { BlockSought } from '../../../src/core/minter/ports.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import {
  alice,
  bob,
  DRIFT,
  LedgerUnderTest,
  minter,
  START,
  WINDOW,
} from '../ledger/ledger-under-test.ts'

const subaccount = new Uint8Array(32).fill(7)
const memo = utf8('memo')

/** A mint, a burn of one of the minter's subaccounts, and one by allowance, all of one slot. */
function written() {
  const ledger = new LedgerUnderTest()
  const canister = new LedgerCanister(ownCanisterIds.ledger, ledger.state)
  const port = canister.port(minter, START)
  const at = (offset: bigint) => timestampNs(START + offset)
  const withdrawal = { owner: minter, subaccount }
  ledger.fund({ owner: bob }, 1_000_000n)
  ledger.approve(bob, minter, 500_000n)
  const amount = tokens(100_000n)
  const minted = port.mint({ to: withdrawal, amount, memo, createdAtTime: START })
  const burned = port.burn({ subaccount, amount, memo, createdAtTime: at(1n) })
  const burnedFrom = port.burnFrom({ from: { owner: bob }, amount, memo, createdAtTime: at(2n) })
  const sought = { amount, memo, byAllowance: false }
  const calls: readonly (readonly [{ readonly type: string }, BlockSought])[] = [
    [minted, { ...sought, operation: 'mint', account: withdrawal, createdAtTime: START }],
    [burned, { ...sought, operation: 'burn', account: withdrawal, createdAtTime: at(1n) }],
    [
      burnedFrom,
      {
        ...sought,
        operation: 'burn',
        account: { owner: bob },
        createdAtTime: at(2n),
        byAllowance: true,
      },
    ],
  ]
  return { ledger, canister, calls }
}

const LATER: readonly bigint[] = [0n, WINDOW, WINDOW + DRIFT + 1n, 10n * WINDOW]

describe.each(LATER)('%i ns after the call', (later) => {
  const { ledger, canister, calls } = written()
  ledger.pass(later)
  if (later > 0n) for (let i = 0; i < 3; i++) ledger.fund({ owner: alice }, 5n) // Purges.
  const now = timestampNs(START + later)
  const port = canister.port(minter, now)

  it.each([0, 1, 2])('call %i is found', (number) => {
    const [answer, sought] = calls[number] ?? []
    expect(answer?.type).toBe('ok')
    if (sought === undefined) throw new Error('three calls were made')
    expect(port.find(sought)).toEqual({ ...answer, type: 'found' })
    const others: readonly Partial<BlockSought>[] = [
      { operation: sought.operation === 'mint' ? 'burn' : 'mint' },
      { account: { owner: alice } },
      { account: { owner: sought.account.owner, subaccount: new Uint8Array(32).fill(8) } },
      { amount: tokens(99_999n) },
      { memo: utf8('memO') },
      { createdAtTime: timestampNs(sought.createdAtTime + 3n) },
      ...(sought.operation === 'burn' ? [{ byAllowance: !sought.byAllowance }] : []),
    ]
    for (const other of others) expect(port.find({ ...sought, ...other }).type).toBe('absent')
  })

  it('the time up to which it looked is that of the ledger', () => {
    const [[, sought] = []] = calls
    if (sought === undefined) throw new Error('three calls were made')
    expect(port.find({ ...sought, memo: utf8('none') })).toEqual({
      type: 'absent',
      ledgerTime: ledger.state.time > now ? ledger.state.time : now,
    })
  })
})

it('a call that the ledger has already leaves its outcome to be looked up', () => {
  const { canister, calls } = written()
  const port = canister.port(minter, START)
  const [[answer, sought] = []] = calls
  if (answer === undefined || sought === undefined) throw new Error('three calls were made')
  const { account: to, amount, createdAtTime } = sought
  expect(port.mint({ to, amount, memo, createdAtTime })).toEqual({ type: 'unknown' })
  expect(port.find(sought)).toEqual({ ...answer, type: 'found' })
})
