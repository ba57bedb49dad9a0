/**
 * Credited coins that a reorganisation took back: nothing more is minted, and nothing of them is
 * spent, until the chain has them again. Source: minter [H 15]; bitcoin §13.2.
 */
import type { View } from '../base/view.ts'
import type { OutPoint } from '../btc/transaction.ts'
import { outpointKey } from '../btc/transaction.ts'
import type { Spendable } from './coin-set.ts'
import type { Context } from './context.ts'
import { schedule, unavailable } from './context.ts'
import { changesOf, liveTransaction, replacedOf } from './replacement-chain.ts'
import { sendAgain } from './sent-again.ts'
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
  const held = volatile.mustLook || lost.size > 0 ? [...coinsHeld(state)] : []
  const asked = volatile.mustLook ? held : held.filter(({ utxo }) => lost.has(keyOfUtxo(utxo)))
  const missing = ports.bitcoin.missing(
    asked.flatMap(({ utxo, changes }) => [utxo.outpoint, ...changes]),
  )
  if (missing === undefined) return // A view that is behind cannot tell; it is asked again.
  volatile.mustLook = false
  lost.clear()
  const gone = new Set(missing.map(outpointKey))
  for (const { utxo, changes } of asked)
    if ([utxo.outpoint, ...changes].every((outpoint) => gone.has(outpointKey(outpoint))))
      lost.set(keyOfUtxo(utxo), utxo)
  sendAgain(
    context,
    [...lost.values()].map(({ outpoint }) => outpoint),
  )
  for (const [name, { key }] of open)
    if (hasLost(context, state.signing.get(keyOfTxid(key.txid))?.utxos ?? [])) open.delete(name)
}

/** After a reorganisation that was not looked into: the view may have caught up without a block. */
export function lookAgain(context: Context): void {
  if (!context.volatile.mustLook) return
  lookForLost(context, false)
  if (!context.volatile.mustLook) schedule(context, 'process', context.now) // For what had to wait.
}

type HeldCoin = {
  readonly utxo: Utxo
  /** Outputs of ours of which one is there where the coin has been spent as we wanted. */
  readonly changes: readonly OutPoint[]
}

/** Coins that stand for tokens, or for what transactions pay that are not final. */
function* coinsHeld(
  state: View<
    Pick<State, 'availableUtxos' | 'signing' | 'submitted' | 'stuck' | 'replaces' | 'replacedBy'>
  >,
): Iterable<HeldCoin> {
  for (const utxo of state.availableUtxos.values()) yield { utxo, changes: [] }
  // Of a replacement they are those of what it replaces, which is submitted.
  for (const { utxos, purpose } of state.signing.values())
    if (purpose.type !== 'toReplace') for (const utxo of utxos) yield { utxo, changes: [] }
  for (const newest of state.submitted.keys()) {
    const seen = new Set<OutpointKey>()
    // A cancellation leaves coins to what it replaces: those only that and what is older spends.
    for (const key of replacedOf(state, newest)) {
      const changes = changesOf(state, key)
      for (const utxo of liveTransaction(state, key)?.utxos ?? []) {
        if (seen.has(keyOfUtxo(utxo))) continue
        seen.add(keyOfUtxo(utxo))
        if (changes !== undefined) yield { utxo, changes }
      }
    }
  }
}

export const hasLost = (
  { volatile }: Pick<Context, 'volatile'>,
  utxos: readonly View<Utxo>[],
): boolean => volatile.lost.size > 0 && utxos.some((utxo) => volatile.lost.has(keyOfUtxo(utxo)))

/** Coins that a transaction may spend now. */
export const coinsToSpend = ({
  state,
  volatile,
}: Pick<Context, 'state' | 'volatile'>): Spendable => ({
  coins: state.coins,
  without: volatile.lost,
})

/** True while coins are missing, or may be and it is not known which. */
export const isMintingHalted = ({ volatile }: Pick<Context, 'volatile'>): boolean =>
  volatile.mustLook || volatile.lost.size > 0

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
