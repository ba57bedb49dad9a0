/**
 * Which endpoints and keys may be used together, since a signature names no network. Implements IC
 * interface §21.4.
 */
import { equalBytes } from '../core/base/bytes.ts'
import { Problem } from '../core/base/errors.ts'
import type { Principal } from '../core/ic/principal.ts'
import { devUser } from './identity.ts'
import type { Network } from './network.ts'
import { MAINNET_ROOT_KEY, sharesDeployedIds } from './network.ts'

const TEST_KEY_COUNT = 5

/** Whether `principal` is one of `dev0` … `dev4`, whose secrets are public. */
export const isTestPrincipal = (principal: Principal): boolean =>
  Array.from({ length: TEST_KEY_COUNT }, (_, index) => devUser(index).principal).some((known) =>
    equalBytes(known, principal),
  )

const isInternetComputer = ({ url, rootKey }: Network): boolean =>
  url.startsWith('https://') && equalBytes(rootKey, MAINNET_ROOT_KEY)

/**
 * Refuses to sign what somebody could carry to the Internet Computer, and to use a test key where
 * there is something to lose. Nothing has been sent yet.
 */
export function requireKeyMayBeUsed(network: Network, signer: Principal | undefined): void {
  if (signer === undefined) return // Without a signature there is nothing to carry.
  const test = isTestPrincipal(signer)
  if (test && network.kind !== 'local')
    throw new Problem('RAIL_TEST_KEY', `a test key is refused on the network ${network.name}`, {
      fix: 'its secret is public: use a key of your own',
      command: 'ckbtc key list',
    })
  if (test || !sharesDeployedIds(network) || isInternetComputer(network)) return
  throw new Problem(
    'RAIL_TEST_KEY',
    `the network ${network.name} has canister ids of the Internet Computer: only test keys may sign here`,
    {
      fix: 'whoever sees a request could send it to the Internet Computer; use a test key, or a subnet with ids of its own',
      command: 'ckbtc subnet start',
    },
  )
}
