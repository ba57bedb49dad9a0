/**
 * A ledger with many accounts, and transfers without end among them: what D8 and G2 measure. Source:
 * performance specification §7.
 */
import { u64be } from '../../src/core/base/bytes.ts'
import { assert, present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs, timestampNs } from '../../src/core/base/units.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { principal } from '../../src/core/ic/principal.ts'
import type { Block } from '../../src/core/ledger/blocks/block.ts'
import { ckbtcConfig } from '../../src/core/ledger/config.ts'
import { apply, decide, initial } from '../../src/core/ledger/machine.ts'
import type { State } from '../../src/core/ledger/state.ts'
import { benchSeed } from './inputs.ts'

export const ACCOUNTS = 1_000
export const BALANCE = 1_000_000_000n
const START = timestampNs(1_800_000_000_000_000_000n)
const STEP_NS = 1_000n

const generator = benchSeed('ledger').generator()
export const minter = principal(Uint8Array.of(1, 1))
const accounts: readonly Account[] = Array.from({ length: ACCOUNTS }, () => ({
  owner: principal(Uint8Array.of(...generator.bytes(28), 2)),
}))

/** The same for indices that differ by a multiple of the number of accounts. */
export const account = (index: number): Account =>
  present(accounts[index % ACCOUNTS], 'an index of an account')

/** ckBTC's profile, an initial balance for each account. */
export function freshLedger(): State {
  const config = ckbtcConfig({ minter, archiveController: minter })
  const initialBalances = accounts.map((one) => ({ account: one, amount: BALANCE }))
  return initial({ ...config, initialBalances }, START)
}

export const timeOf = (index: number): TimestampNs => addNs(START, BigInt(index + 1) * STEP_NS)

export type Payment = { readonly from: Account; readonly to: Account; readonly amount: bigint }

export const paymentOf = (index: number): Payment => ({
  from: account(index),
  to: account(7 * index + 1),
  amount: BigInt(1 + (index % 1_000)),
})

/** Each transfer has its own time, memo and parties, and is remembered for deduplication. */
export function transfer(state: State, index: number): Block {
  const now = timeOf(index)
  const { from, to, amount } = paymentOf(index)
  const arg = { to, amount, fee: 10n, memo: u64be(BigInt(index)), createdAtTime: now }
  const call = { type: 'icrc1_transfer', arg } as const
  const { events, reply } = decide(state, { caller: from.owner, call }, now)
  assert(reply.type === 'ok', 'a covered transfer is made')
  for (const event of events) apply(state, event)
  return present(state.chain.blocks.at(-1), 'a transfer has a block')
}
