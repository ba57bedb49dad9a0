/** Events of deposits: checked, suspended, credited. Source: minter §18.2, §18.3. */
import { fromDisplayHex } from '../../base/bytes.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Payload } from '../events/events.ts'
import { owe } from '../events/owed-kyt.ts'
import { addCoin } from '../state/coin-set.ts'
import type { CheckedUtxo, State, Suspension } from '../state/state.ts'
import { isMainAccount, keyOfUtxo, sumOf } from '../state/state.ts'
import type { Utxo } from '../types.ts'
import { callFor, settleCall } from './apply-calls.ts'
import { consistent } from './consistency.ts'

/** Second credits that the log of mainnet holds (March 2026), §18.3. */
const HISTORIC_DOUBLE_CREDITS: ReadonlySet<string> = new Set(
  [
    { txid: '91bb46443799335076fbcd117f2295c7499d02dd3a59c22a531d31591114b303', vout: 5 },
    { txid: '8942e5ef0d4ace158a4fddd5153d320701bd13370ff8fecef13795cdd8ff1dc5', vout: 1 },
  ].map(({ txid, vout }) => outpointKey({ txid: fromDisplayHex(txid), vout })),
)

/** Coins that the minter accounts for from now on: a credited deposit, or its own change. */
export function addUtxos(state: State, payload: Payload<'receivedUtxos'>): void {
  const { toAccount, utxos, mintTxid } = payload
  state.tokensMinted += sumOf(utxos)
  for (const utxo of utxos) addUtxo(state, toAccount, utxo)
  if (mintTxid === undefined && isMainAccount(state, toAccount)) return
  state.mintedFromDeposits += sumOf(utxos)
  for (const utxo of utxos) state.earnings.checkFees += checkFeeOf(state, toAccount, utxo)
}

/** What its mint kept back: the fee of the time of the call, which may be long ago [H 5]. */
function checkFeeOf(state: State, account: Account, utxo: Utxo): bigint {
  const call = settleCall(state, { type: 'deposit', account, utxo })
  return call === undefined ? state.config.checkFee : utxo.value - call.amount
}

function addUtxo(state: State, account: Account, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  if (state.mintedOutpoints.has(key)) {
    consistent(HISTORIC_DOUBLE_CREDITS.has(key), `${key} is credited twice`)
    state.doubleCredits.add(key)
    return
  }
  holdCoin(state, account, utxo)
  state.checkedUtxos.delete(key)
  liftSuspension(state, key)
}

export function holdCoin(state: State, account: Account, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  state.mintedOutpoints.add(key) // [H 1]
  state.outpointAccount.set(key, account)
  addCoin(state.coins, utxo, key)
  entryOf(state.accountUtxos, accountKey(account)).set(key, utxo)
}

export function markChecked(
  state: State,
  { utxo, account }: { readonly utxo: Utxo; readonly account: Account },
  status: CheckedUtxo['status'],
): void {
  const key = keyOfUtxo(utxo)
  consistent(!state.mintedOutpoints.has(key), `${key} is checked after it was credited`)
  const call = callFor(state, { type: 'deposit', account, utxo })
  consistent(status !== 'clean' || call === undefined, `${key} is minted again before it is known`)
  liftSuspension(state, key)
  state.checkedUtxos.set(key, { utxo, status })
}

export function markCheckedLegacy(state: State, payload: Payload<'checkedUtxo'>): void {
  const { utxo, clean, kytProvider } = payload
  const key = keyOfUtxo(utxo)
  if (!clean) {
    suspendLegacy(state, { utxo, reason: 'quarantined' })
    return
  }
  state.legacySuspendedUtxos.delete(key)
  if (state.checkedUtxos.has(key)) return // Owed once for each UTXO.
  state.checkedUtxos.set(key, { utxo, status: 'clean' })
  if (kytProvider !== undefined) owe(state, kytProvider, state.config.checkFee)
}

export function suspend(state: State, payload: Payload<'suspendedUtxo'>): void {
  const { utxo, account, reason } = payload
  const key = keyOfUtxo(utxo)
  consistent(!state.mintedOutpoints.has(key), `${key} is suspended after it was credited`)
  state.checkedUtxos.delete(key)
  liftSuspension(state, key)
  entryOf(state.suspendedUtxos, accountKey(account)).set(key, { utxo, reason })
  state.suspendedFor.set(key, accountKey(account))
}

export function suspendLegacy(state: State, suspension: Suspension): void {
  state.legacySuspendedUtxos.set(keyOfUtxo(suspension.utxo), suspension)
}

/** Also where another account has it: a view may list one outpoint for two. */
function liftSuspension(state: State, key: string): void {
  const account = state.suspendedFor.get(key)
  if (account !== undefined) {
    const suspended = state.suspendedUtxos.get(account)
    suspended?.delete(key)
    if (suspended?.size === 0) state.suspendedUtxos.delete(account)
    state.suspendedFor.delete(key)
  }
  state.legacySuspendedUtxos.delete(key)
  state.volatile.lastChecked.delete(key)
}

export function addDonation(state: State, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  consistent(!state.mintedOutpoints.has(key), `${key} is the minter's own and no donation`)
  state.donations.set(key, utxo)
}

function entryOf<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const existing = map.get(key)
  if (existing !== undefined) return existing
  const created = new Map<string, V>()
  map.set(key, created)
  return created
}
