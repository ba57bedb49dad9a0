/**
 * Coins on their way out: which transaction has them, until it is final or gives them back. Source:
 * minter §12, §13 [H 2].
 */
import { accountKey } from '../../ic/account.ts'
import { consistent } from '../apply/consistency.ts'
import type { Utxo } from '../types.ts'
import { addCoin, takeCoin } from './coin-set.ts'
import type { State, TxidKey } from './state.ts'
import { keyOfUtxo } from './state.ts'

/** From now on they serve `txid`, and what replaces it. */
export function takeCoins(state: State, utxos: readonly Utxo[], txid: TxidKey): void {
  for (const utxo of utxos) {
    const key = keyOfUtxo(utxo)
    consistent(takeCoin(state.coins, key) !== undefined, `${key} is spent and not available`)
    state.spentBy.set(key, txid)
  }
}

/** Nothing can spend it any more as it was meant to be: it is available again. */
export function giveBackCoin(state: State, utxo: Utxo): void {
  state.spentBy.delete(keyOfUtxo(utxo))
  addCoin(state.coins, utxo)
}

/** The coin is spent for good. `mintedOutpoints` remembers that it was credited [H 1]. */
export function forgetCoin(state: State, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  const account = state.outpointAccount.get(key)
  consistent(account !== undefined, `${key} is spent and belongs to nobody`)
  state.outpointAccount.delete(key)
  state.spentBy.delete(key)
  const owned = state.accountUtxos.get(accountKey(account))
  owned?.delete(key)
  if (owned?.size === 0) state.accountUtxos.delete(accountKey(account))
}
