/** Addresses that have a name on the local network. Source: `docs/spec/cli.md` §5.17. */
import type { Directories } from '../../core/base/directories.ts'
import { derivations } from '../../wallet/deposit-address.ts'
import { DEV_USERS, devUser } from '../../wallet/identity.ts'
import { resolveNetwork } from '../../wallet/networks.ts'
import { LOCAL } from '../local-network.ts'

export type WhoIsWho = ReadonlyMap<string, string>

/** The minter's main address and the deposit addresses of `dev0` … `dev4`. */
export async function whoIsWho(directories: Directories): Promise<WhoIsWho> {
  const network = await resolveNetwork(LOCAL, { directories })
  const addressOf = (owner: Parameters<typeof derivations>[1]['owner']): string =>
    derivations(network, { owner })[0]?.address ?? ''
  return new Map([
    [addressOf(network.ids.minter), 'minter'],
    ...Array.from(
      { length: DEV_USERS },
      (_, index) => [addressOf(devUser(index).principal), `deposit of dev${index}`] as const,
    ),
  ])
}
