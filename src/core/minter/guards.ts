/** Who may come in: modes, and one call for each account. Source: minter §§2.2, 5 step 4, 17. */
import { equalBytes } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { Account } from '../ic/account.ts'
import { accountKey } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'
import type { Context } from './context.ts'
import { unavailable } from './context.ts'
import type { AccountKey, Volatile } from './state/state.ts'
import { stoppedAsBroken } from './state/stopped.ts'
import type { Mode, TemporarilyUnavailable } from './types.ts'

export type Direction = 'deposit' | 'withdrawal'

/** Texts of the deployed minter: people search for them. */
const RESTRICTED: Readonly<Record<Direction, string>> = {
  deposit: 'access to the minter is temporarily restricted',
  withdrawal: 'BTC withdrawals are temporarily restricted',
}

/** Why the mode keeps this caller out; undefined lets it in. The caller counts, not the owner. */
export function refusedByMode(
  mode: View<Mode>,
  { caller, direction }: { readonly caller: Principal; readonly direction: Direction },
): TemporarilyUnavailable | undefined {
  const isListed = (principals: readonly Principal[]): boolean =>
    principals.some((listed) => equalBytes(listed, caller))
  switch (mode.type) {
    case 'readOnly':
      return unavailable('the minter is in read-only mode')
    case 'restrictedTo':
      return isListed(mode.principals) ? undefined : unavailable(RESTRICTED[direction])
    case 'depositsRestrictedTo':
      return direction === 'withdrawal' || isListed(mode.principals)
        ? undefined
        : unavailable('BTC deposits are temporarily restricted')
    case 'generalAvailability':
      return undefined
  }
}

/** The same, after what keeps everybody out (§18.5). */
export const refusedNow = (
  { state, volatile }: Pick<Context, 'state' | 'volatile'>,
  who: { readonly caller: Principal; readonly direction: Direction },
): TemporarilyUnavailable | undefined =>
  stoppedAsBroken(volatile) ?? refusedByMode(state.config.mode, who)

type GuardSets = Pick<Volatile, 'updating' | 'retrieving'>

export type GuardRefusal = { readonly type: 'alreadyProcessing' } | TemporarilyUnavailable

/** Said by a call that asks ledger, checker or Bitcoin: from then on others meet it (§17). */
export type Waits = () => void

/**
 * Runs `body` while no other call of this account is inside. One that waited for others stays inside
 * until the slot ends where `callsOverlap`; every other way out lets the next one in.
 */
export function guarded<T>(
  inside: Set<AccountKey>,
  {
    account,
    concurrentMax,
    callsOverlap = false,
  }: {
    readonly account: Account
    readonly concurrentMax: number
    readonly callsOverlap?: boolean | undefined
  },
  body: (waits: Waits) => T,
): T | GuardRefusal {
  const key = accountKey(account)
  if (inside.has(key)) return { type: 'alreadyProcessing' }
  if (inside.size >= concurrentMax) return unavailable('too many concurrent requests')
  inside.add(key)
  let stays = false
  try {
    return body(() => {
      stays = callsOverlap
    })
  } finally {
    if (!stays) inside.delete(key)
  }
}

/** The slot is over, and with it every call that was inside. */
export function releaseGuards({ updating, retrieving }: GuardSets): void {
  updating.clear()
  retrieving.clear()
}
