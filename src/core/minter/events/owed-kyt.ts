/** What old logs owe to the checkers of the KYT era. Source: minter §18.2. */
import { equalBytes, toHex } from '../../base/bytes.ts'
import type { Principal } from '../../ic/principal.ts'
import { brought, consistent } from '../apply/consistency.ts'
import type { State } from '../state/state.ts'
import type { Payload } from './events.ts'

export function owe(state: State, provider: Principal, amount: bigint): void {
  const key = toHex(provider)
  state.owedKyt.set(key, (state.owedKyt.get(key) ?? 0n) + amount)
}

/** A destination was refused after the burn: its check is owed all the same. */
export function oweForRefusal(state: State, provider: Principal): void {
  owe(state, provider, state.config.checkFee)
}

/** Paid out; not to the KYT canister itself, which was paid otherwise. */
export function distributeKytFee(state: State, payload: Payload<'distributedKytFee'>): void {
  const { kytProvider, amount } = payload
  const { kytId } = state.config
  if (kytId !== undefined && equalBytes(kytId, kytProvider)) return
  const key = toHex(kytProvider)
  const owed = brought(state.owedKyt.get(key), 'a fee was paid to whom nothing is owed')
  consistent(amount <= owed, `${amount} paid where ${owed} is owed`)
  if (amount === owed) state.owedKyt.delete(key)
  else state.owedKyt.set(key, owed - amount)
}
