/** Minting without being asked: addresses handed out are watched. Source: minter §22, 1. */
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Context } from '../context.ts'
import { schedule } from '../context.ts'
import { lookGoesOn } from '../losses/lost-coins.ts'
import { observeUtxos } from '../observed.ts'
import type { Watched } from '../state/state.ts'
import { creditUnasked, sortUtxos } from './deposit.ts'

/** Remembers an account that asked for its address; the one not asked for longest makes room. */
export function watch({ settings, volatile }: Context, account: Account, script: Uint8Array): void {
  if (!settings.autoMint) return
  const { watched } = volatile
  watched.delete(accountKey(account))
  watched.set(accountKey(account), { account, script })
  for (const oldest of watched.keys()) {
    if (watched.size <= settings.watchedAccountsMax) return
    watched.delete(oldest)
  }
}

/** A block came: every watched account is looked at again, those still waiting first. */
export function mintAllWatched(context: Context): void {
  const { watched, toMint } = context.volatile
  for (const key of watched.keys()) toMint.add(key)
  mintWatched(context)
}

/**
 * Credits watched accounts that have a coin deep enough, as if their owners had asked.
 *
 * A slot that has worked off its share begins no other account: the next slot goes on.
 */
export function mintWatched(context: Context): void {
  const { settings, volatile, now } = context
  if (!settings.autoMint || volatile.root === undefined) return
  if (lookGoesOn(context) !== undefined) return // Its end calls again.
  let deposits = 0
  for (const key of volatile.toMint) {
    if (deposits >= settings.depositsPerCallMax) {
      schedule(context, 'mintWatched', now + 1n)
      return
    }
    volatile.toMint.delete(key)
    const watched = volatile.watched.get(key)
    if (watched !== undefined) deposits += mintFor(context, watched)
  }
}

/** How many deposits were worked off. An account that has more comes again after the others. */
function mintFor(context: Context, { account, script }: Watched): number {
  const { ports, state, settings, volatile } = context
  const { minConfirmations } = state.config
  const answer = ports.bitcoin.utxos({ script, minConfirmations })
  if (answer.type !== 'utxos') return 0
  observeUtxos(context, 'minter', answer.utxos.length)
  const { processable } = sortUtxos(context, account, answer)
  if (processable.length === 0) return 0
  const updated = creditUnasked(context, account)
  if (updated.type === 'err') return 0
  const statuses = updated.value
  // What the ledger refuses now it would refuse again: such coins wait for the next block.
  const isDone = statuses.some(({ type }) => type === 'checked')
  if (!isDone && statuses.length >= settings.depositsPerCallMax)
    volatile.toMint.add(accountKey(account))
  return statuses.length
}
