/** The views under the names of their methods. Source: `docs/spec/minter.md` §20.6. */
import type { Principal } from '../ic/principal.ts'
import type { World } from './context.ts'
import { contextOf } from './context.ts'
import type { Minter } from './machine.ts'
import type { AccountArgs } from './types.ts'
import { coinsOf } from './views/coins.ts'
import { depositsOf } from './views/deposits.ts'
import { feesOf } from './views/fees.ts'
import { infoOf } from './views/info.ts'
import type { PageArgs } from './views/pages.ts'
import { withdrawalOf, withdrawalsOf } from './views/withdrawals.ts'

type AccountPage = AccountArgs & PageArgs

/** Questions alone: nothing is written, and none reads all of a list that grows. */
export function viewsOf(minter: Minter, world: World, caller: Principal) {
  const context = contextOf(minter, world)
  const accountOf = ({ owner = caller, subaccount }: AccountArgs) => ({ owner, subaccount })
  return {
    withdrawals: (args: AccountPage) => withdrawalsOf(context, accountOf(args), args),
    withdrawal: ({ blockIndex }: { readonly blockIndex: bigint }) =>
      withdrawalOf(context, blockIndex),
    deposits: (args: AccountPage) => depositsOf(context, accountOf(args), args),
    utxos: (args: Parameters<typeof coinsOf>[1]) => coinsOf(context, args),
    info: () => infoOf(context),
    fees: () => feesOf(context),
  }
}
