/**
 * Credited coins that a reorganisation took back: nothing more is minted, and nothing of them is
 * spent, until the chain has them again. Source: minter [H 15]; bitcoin §13.2.
 */
import type { View } from '../../base/view.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Context } from '../context.ts'
import { schedule, unavailable } from '../context.ts'
import { note } from '../observed.ts'
import type { Spendable } from '../state/coin-set.ts'
import { changeOf, changesOf, liveTransaction, replacedOf } from '../state/replacement-chain.ts'
import type { OutpointKey, SigningTransaction, State, TxidKey } from '../state/state.ts'
import { keyOfTxid, keyOfUtxo, sumOf } from '../state/state.ts'
import { isBroken } from '../state/stopped.ts'
import { sendAgain } from '../transactions/sent-again.ts'
import type { TemporarilyUnavailable, Utxo } from '../types.ts'

/** Blocks have left the chain, or may have: every coin is looked for, from the first one on. */
export function mustLookAnew(volatile: Context['volatile']): void {
  volatile.mustLook = true
  volatile.looked.clear()
}

/**
 * The main chain ends elsewhere. `isReorganised`: blocks have left it, so every coin is looked for
 * again; else those alone that are lost.
 */
export function lookForLost(context: Context, isReorganised: boolean): void {
  const { state, volatile } = context
  const { lost, open } = volatile
  if (isReorganised) mustLookAnew(volatile)
  const before = new Set(lost.keys())
  if (!(volatile.mustLook ? lookOn(context) : lookAtLost(context))) return
  if (lost.size !== before.size)
    note(context, 'losses/lost-coins.ts', `${lost.size} credited coins are not on the chain`)
  sendWhatMadeThem(context, before)
  for (const [name, { key }] of open)
    if (hasLost(context, state.signing.get(keyOfTxid(key.txid))?.utxos ?? [])) open.delete(name)
}

/**
 * A stretch of the look at every coin: so many that no slot takes long. Those that are being spent
 * are few, and come last, all at once. False while the view cannot tell.
 */
function lookOn(context: Context): boolean {
  const { volatile, state, settings } = context
  const { lost, looked } = volatile
  const stretch: HeldCoin[] = []
  for (const [key, utxo] of state.availableUtxos) {
    if (stretch.length === settings.coinsLookedMax) break
    if (!looked.has(key)) stretch.push({ utxo, changes: [] })
  }
  const isLast = stretch.length < settings.coinsLookedMax
  const asked = isLast ? [...stretch, ...coinsBeingSpent(state)] : stretch
  if (!lookAt(context, asked)) return false
  for (const { utxo } of asked) looked.add(keyOfUtxo(utxo))
  volatile.lookedAt = context.now
  if (!isLast) {
    goOnLooking(context)
    return true
  }
  for (const key of lost.keys()) if (!looked.has(key)) lost.delete(key) // Nobody holds it any more.
  looked.clear()
  volatile.mustLook = false
  return true
}

const goOnLooking = (context: Context): void => schedule(context, 'process', context.now + 1n) // In the next slot.

/** Those that were lost at the last look. False while the view cannot tell. */
function lookAtLost(context: Context): boolean {
  const { lost } = context.volatile
  const asked = [...lostCoins(context)]
  if (!lookAt(context, asked)) return false
  const held = new Set(asked.map(({ utxo }) => keyOfUtxo(utxo)))
  for (const key of lost.keys()) if (!held.has(key)) lost.delete(key)
  return true
}

/** Which of these are lost; false, and nothing changed, while the view is behind. */
function lookAt({ ports, volatile: { lost } }: Context, asked: readonly HeldCoin[]): boolean {
  const missing = ports.bitcoin.missing(
    asked.flatMap(({ utxo, changes }) => [utxo.outpoint, ...changes]),
  )
  if (missing === undefined) return false // It is asked again.
  const gone = new Set(missing.map(outpointKey))
  for (const { utxo, changes } of asked)
    if ([utxo.outpoint, ...changes].every((outpoint) => gone.has(outpointKey(outpoint))))
      lost.set(keyOfUtxo(utxo), utxo)
    else lost.delete(keyOfUtxo(utxo))
  return true
}

/**
 * Reads the log: at every block at first, and ever more rarely of coins that stay away. Who
 * announces our transactions keeps them on its list meanwhile.
 */
function sendWhatMadeThem(context: Context, before: ReadonlySet<OutpointKey>): void {
  const { volatile, now, settings } = context
  const { lost } = volatile
  const isNew = [...lost.keys()].some((key) => !before.has(key))
  if (isNew) volatile.lostAt = now
  if (isBroken(volatile) || lost.size === 0 || !(isNew || now >= volatile.sendAgainAt)) return
  const age = now - volatile.lostAt
  volatile.sendAgainAt = now + (age < settings.resendPeriodNs ? age : settings.resendPeriodNs)
  sendAgain(
    context,
    [...lost.values()].map(({ outpoint }) => outpoint),
  )
}

/** After a reorganisation that was not looked into: the view may have caught up without a block. */
export function lookAgain(context: Context): void {
  const { mustLook, looked, lookedAt } = context.volatile
  if (!mustLook) return
  // Of a long look one stretch is enough for a slot.
  if (looked.size > 0 && lookedAt === context.now) goOnLooking(context)
  else lookForLost(context, false)
  if (context.volatile.mustLook) return
  schedule(context, 'process', context.now) // For what had to wait.
  if (context.volatile.toMint.size > 0) schedule(context, 'mintWatched', context.now)
}

type HeldCoin = {
  readonly utxo: Utxo
  /** Outputs of ours of which one is there where the coin has been spent as we wanted. */
  readonly changes: readonly OutPoint[]
}

/** Those that were lost at the last look, without a walk over all that there are. */
function* lostCoins({ state, volatile: { lost } }: Context): Iterable<HeldCoin> {
  if (lost.size === 0) return
  for (const [key, utxo] of lost) if (state.availableUtxos.has(key)) yield { utxo, changes: [] }
  for (const coin of coinsBeingSpent(state)) if (lost.has(keyOfUtxo(coin.utxo))) yield coin
}

/** What was asked to be signed may be whole, and on the chain, before we are told [H 2]. */
const ownChange = (signing: View<SigningTransaction>): readonly OutPoint[] => {
  const change = changeOf(signing)
  return change === undefined ? [] : [change]
}

/** Coins that stand for what transactions pay that are not final. */
function* coinsBeingSpent(
  state: View<Pick<State, 'signing' | 'submitted' | 'stuck' | 'replaces' | 'replacedBy'>>,
): Iterable<HeldCoin> {
  const replacements = new Map<TxidKey, View<SigningTransaction>>()
  for (const signing of state.signing.values()) {
    const { purpose, utxos } = signing
    // Of a replacement they are those of what it replaces, which is submitted.
    if (purpose.type === 'toReplace') replacements.set(keyOfTxid(purpose.oldTxid), signing)
    else for (const utxo of utxos) yield { utxo, changes: ownChange(signing) }
  }
  for (const newest of state.submitted.keys()) {
    const seen = new Set<OutpointKey>()
    const replacement = replacements.get(newest)
    const older = replacement && changesOf(state, newest)
    for (const utxo of replacement?.utxos ?? []) {
      seen.add(keyOfUtxo(utxo))
      if (replacement !== undefined && older !== undefined)
        yield { utxo, changes: [...ownChange(replacement), ...older] }
    }
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

/** Why nobody is credited while the look at every coin goes on, or cannot begin. */
export function lookGoesOn({
  volatile: { mustLook, looked },
}: Pick<Context, 'volatile'>): TemporarilyUnavailable | undefined {
  if (!mustLook) return undefined
  return unavailable(
    looked.size === 0
      ? 'the Bitcoin view is behind: whether blocks have left the chain is not known'
      : 'blocks have left the Bitcoin chain: every coin is looked for on the new one',
  )
}

/** True while coins are missing, or may be and it is not known which; or the state is broken. */
export const isMintingHalted = ({ volatile }: Pick<Context, 'volatile'>): boolean =>
  volatile.mustLook || volatile.lost.size > 0 || isBroken(volatile)

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
