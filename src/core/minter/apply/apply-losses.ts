/** Events of coins that are given up for lost, or come to the minter otherwise. Source: minter §18.8. */
import type { View } from '../../base/view.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Payload } from '../events/events.ts'
import { giveUpSigning, releaseRequests } from '../losses/given-up.ts'
import { takeCoin } from '../state/coin-set.ts'
import { chainOf, liveTransaction } from '../state/replacement-chain.ts'
import { forgetCoin, giveBackCoin } from '../state/spent-coins.ts'
import type { OutpointKey, State, TxidKey } from '../state/state.ts'
import { isMainAccount, keyOfUtxo } from '../state/state.ts'
import type { Utxo } from '../types.ts'
import { holdCoin } from './apply-deposits.ts'
import { dropTransaction, giveUpReplacements } from './apply-transactions.ts'
import { brought, consistent } from './consistency.ts'

export const spendsAny = (
  utxos: readonly View<Utxo>[],
  keys: ReadonlySet<OutpointKey> | ReadonlyMap<OutpointKey, unknown>,
): boolean => utxos.some((utxo) => keys.has(keyOfUtxo(utxo)))

/** The coins of a chain of replacements, each once. */
export function coinsOfChain(
  state: View<Pick<State, 'submitted' | 'stuck'>>,
  chain: readonly TxidKey[],
): readonly View<Utxo>[] {
  const coins = new Map<OutpointKey, View<Utxo>>()
  for (const member of chain)
    for (const utxo of liveTransaction(state, member)?.utxos ?? []) coins.set(keyOfUtxo(utxo), utxo)
  return [...coins.values()]
}

/** The coins are gone for good, and every transaction with them that would spend one. */
export function writeOff(state: State, { utxos }: Payload<'xWrittenOff'>): void {
  const keys = new Set(utxos.map(keyOfUtxo))
  for (const [key, signing] of [...state.signing]) {
    const { purpose } = signing
    if (purpose.type === 'toReplace' || !spendsAny(signing.utxos, keys)) continue
    giveUpSigning(state, key, signing)
    releaseRequests(state, purpose)
  }
  for (const newest of [...state.submitted.keys()]) {
    const chain = chainOf(state, newest)
    if (spendsAny(coinsOfChain(state, chain), keys)) dissolve(state, newest, chain)
  }
  for (const utxo of utxos) loseCoin(state, utxo)
}

function dissolve(state: State, newest: TxidKey, chain: readonly TxidKey[]): void {
  const { purpose } = brought(state.submitted.get(newest), `${newest} is not submitted`)
  consistent(purpose.type !== 'toCancel', `${newest} takes withdrawals back, and is given up`)
  const coins = coinsOfChain(state, chain)
  for (const member of chain) dropTransaction(state, member)
  giveUpReplacements(state, chain)
  for (const utxo of coins) giveBackCoin(state, utxo)
  releaseRequests(state, purpose)
}

function loseCoin(state: State, utxo: Utxo): void {
  const key = keyOfUtxo(utxo)
  const account = brought(state.outpointAccount.get(key), `${key} is lost and belongs to nobody`)
  const held = brought(takeCoin(state.coins, key), `${key} is lost and not available`)
  consistent(held.value === utxo.value, `${key} is lost with another value`)
  forgetCoin(state, utxo)
  state.writtenOff.set(key, { utxo: held, account })
  state.volatile.lost.delete(key)
  state.earnings.writtenOff += held.value
}

/** A donation becomes the minter's own, or a coin is back that was written off. */
export function adoptCoin(state: State, { utxo, account }: Payload<'xAdoptedCoin'>): void {
  const key = keyOfUtxo(utxo)
  const known = state.writtenOff.get(key)
  const coin = brought(known?.utxo ?? state.donations.get(key), `${key} is adopted and unknown`)
  const isRight = known ? sameAccount(known.account, account) : isMainAccount(state, account)
  consistent(isRight && coin.value === utxo.value, `${key} is adopted as another coin`)
  state.writtenOff.delete(key)
  state.donations.delete(key)
  holdCoin(state, account, utxo)
  state.earnings.adopted += utxo.value
}
