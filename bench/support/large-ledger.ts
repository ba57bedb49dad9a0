/** A token with a long history: every block decided, applied and archived as in a replica. */
import { u32be, u64be } from '../../src/core/base/bytes.ts'
import { assert } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs } from '../../src/core/base/units.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { principal } from '../../src/core/ic/principal.ts'
import { apply, decide } from '../../src/core/ledger/machine.ts'
import type { Call } from '../../src/core/ledger/types.ts'
import type { TokenState } from '../../src/core/subnet/token-canisters.ts'
import { TokenCanisters } from '../../src/core/subnet/token-canisters.ts'

/** A day holds 17 million: all of them are remembered. */
const BLOCK_NS = 5_000_000n
const BLOCKS_PER_SLOT = 100
const SPREAD = 2_654_435_761

/** Names are all over the place, as those of users are. */
export function holder(number: number): Account {
  const owner = new Uint8Array(29)
  for (let at = 0; at < 28; at += 4) owner.set(u32be(Math.imul(number + at, SPREAD) >>> 0), at)
  owner[28] = 2
  return { owner: principal(owner) }
}

export type Size = { readonly accounts: number; readonly blocks: number }

/**
 * Goes on from a ledger without blocks: one mint for each account, then transfers among them. Every
 * slot ends as slots do, so that blocks move to archives.
 */
export function fillToken(state: TokenState, { accounts, blocks }: Size): TimestampNs {
  const { ledger } = state
  const { mintingAccount } = ledger.config
  const canisters = new TokenCanisters(ckbtcTokenIds(ownCanisterIds), state)
  let now = ledger.time
  for (let i = 0; i < blocks; i++) {
    now = addNs(now, BLOCK_NS)
    const isMint = i < accounts
    const [from, to] = isMint ? [mintingAccount, holder(i)] : pairOf(i, accounts)
    const amount = isMint ? 1_000_000_000n : BigInt(1 + (i % 1_000))
    const call: Call = {
      type: 'icrc1_transfer',
      arg: { to, amount, memo: u64be(BigInt(i)), createdAtTime: now },
    }
    const { events, reply } = decide(ledger, { caller: from.owner, call }, now)
    assert(reply.type === 'ok', 'a covered transfer is made')
    for (const event of events) apply(ledger, event)
    if (i % BLOCKS_PER_SLOT === BLOCKS_PER_SLOT - 1) canisters.endSlot(now)
  }
  return now
}

function pairOf(index: number, accounts: number): readonly [Account, Account] {
  const from = (Math.imul(index, SPREAD) >>> 0) % accounts
  return [holder(from), holder((from + 1) % accounts)]
}
