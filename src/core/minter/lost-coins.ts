/**
 * Credited coins that a reorganisation took back: nothing more is minted, and nothing of them is
 * spent, until the chain has them again. Source: minter [H 15]; bitcoin §13.2.
 */
import type { View } from '../base/view.ts'
import { outpointKey } from '../btc/transaction.ts'
import type { Context } from './context.ts'
import { unavailable } from './context.ts'
import type { OutpointKey, State } from './state.ts'
import { keyOfTxid, keyOfUtxo, sumOf } from './state.ts'
import type { TemporarilyUnavailable, Utxo } from './types.ts'

/**
 * The main chain ends elsewhere. `isReorganised`: blocks have left it, so every coin is looked for
 * again; else those alone that are lost.
 */
export function lookForLost(context: Context, isReorganised: boolean): void {
  const { state, volatile, ports } = context
  const { lost, open } = volatile
  volatile.mustLook ||= isReorganised
  const asked = new Map(volatile.mustLook ? coinsHeld(state) : lost)
  const missing = ports.bitcoin.missing([...asked.values()].map(({ outpoint }) => outpoint))
  if (missing === undefined) return // A view that is behind cannot tell; it is asked again.
  volatile.mustLook = false
  lost.clear()
  for (const outpoint of missing) {
    const utxo = asked.get(outpointKey(outpoint))
    if (utxo !== undefined) lost.set(keyOfUtxo(utxo), utxo)
  }
  for (const [name, { key }] of open)
    if (hasLost(context, state.signing.get(keyOfTxid(key.txid))?.utxos ?? [])) open.delete(name)
}

/** Coins that stand for tokens and that no transaction of ours has spent yet. */
function* coinsHeld({
  availableUtxos,
  signing,
}: View<Pick<State, 'availableUtxos' | 'signing'>>): Iterable<[OutpointKey, Utxo]> {
  yield* availableUtxos
  for (const { utxos } of signing.values()) for (const utxo of utxos) yield [keyOfUtxo(utxo), utxo]
}

export const hasLost = (
  { volatile }: Pick<Context, 'volatile'>,
  utxos: readonly View<Utxo>[],
): boolean => volatile.lost.size > 0 && utxos.some((utxo) => volatile.lost.has(keyOfUtxo(utxo)))

/** Coins that a transaction may spend now. */
export function coinsToSpend({
  state,
  volatile: { lost },
}: Pick<Context, 'state' | 'volatile'>): ReadonlyMap<OutpointKey, Utxo> {
  if (lost.size === 0) return state.availableUtxos
  return new Map([...state.availableUtxos].filter(([key]) => !lost.has(key)))
}

/** Why nothing is minted: tokens are out that no coin backs. */
export function mintingStopped({
  volatile: { lost },
}: {
  readonly volatile: Pick<View<Context['volatile']>, 'lost'>
}): TemporarilyUnavailable | undefined {
  if (lost.size === 0) return undefined
  const coins = lost.size === 1 ? 'a coin' : `${lost.size} coins`
  return unavailable(
    `a reorganisation took back ${coins} of ${sumOf(lost.values())} satoshis that were credited: ` +
      'nothing is minted until the chain has them again',
  )
}
