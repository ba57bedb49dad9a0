/** The ledger against its own blocks. Source: ledger §4 (I3, I8), §20.138. */
import type { Account } from '../../src/core/ic/account.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import type { Block } from '../../src/core/ledger/blocks/block.ts'
import { ckbtcConfig } from '../../src/core/ledger/config.ts'
import { balanceOf } from '../../src/core/ledger/queries.ts'
import { replay } from '../../src/core/ledger/replay.ts'
import { devUser } from '../../src/wallet/identity.ts'

/** Readings until no block came meanwhile. */
const READINGS_MAX = 20
const USERS = [0, 1]

export type LedgerView = {
  blocks(): Promise<readonly Block[]>
  balanceOf(account: Account): Promise<bigint>
  readonly client: { readonly network: { readonly ids: { readonly minter: Principal } } }
}

const configOf = (minter: Principal) => ckbtcConfig({ minter, archiveController: minter })

export const feeCollectorOf = (minter: Principal): Account | undefined =>
  configOf(minter).feeCollector

/** What is wrong, in words: blocks that do not follow, balances that are not what they lead to. */
export async function compareBalances(view: LedgerView): Promise<readonly string[]> {
  const { minter } = view.client.network.ids
  const accounts = USERS.map((user): Account => ({ owner: devUser(user).principal }))
  for (let i = 0; i < READINGS_MAX; i++) {
    const blocks = await view.blocks()
    const balances = await Promise.all(accounts.map((account) => view.balanceOf(account)))
    if ((await view.blocks()).length !== blocks.length) continue
    const replayed = replay(configOf(minter), blocks)
    if (replayed.type === 'broken') return [`block ${replayed.blockIndex}: ${replayed.reason}`]
    return accounts.flatMap((account, user) => {
      const [is, should] = [balances[user], balanceOf(replayed.state, account)]
      return is === should ? [] : [`the balance of dev${user} is ${is}, not ${should}`]
    })
  }
  return ['the ledger never stood still']
}
