/** Minting without being asked: addresses handed out are watched. Source: minter §22, 1. */
import type { Account } from '../ic/account.ts'
import { accountKey } from '../ic/account.ts'
import type { Context } from './context.ts'
import { sortUtxos, updateBalance } from './deposit.ts'
import { sumOf } from './state.ts'

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

/** Credits every watched account that has a coin deep enough, as if its owner had asked. */
export function mintWatched(context: Context): void {
  const { settings, volatile, state, ports } = context
  if (!settings.autoMint || volatile.root === undefined) return
  const { minConfirmations } = state.config
  for (const { account, script } of [...volatile.watched.values()]) {
    const answer = ports.bitcoin.utxos({ script, minConfirmations })
    if (answer.type !== 'utxos') continue
    const { processable } = sortUtxos(context, account, answer.utxos)
    if (sumOf(processable) > 0n) updateBalance(context, account.owner, account)
  }
}
