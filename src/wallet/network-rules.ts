/**
 * Which endpoints and keys may be used together, since a signature names no network. Implements IC
 * interface §21.4.
 */
import { equalBytes } from '../core/base/bytes.ts'
import { Problem } from '../core/base/errors.ts'
import type { Principal } from '../core/ic/principal.ts'
import { publishedKeyName } from './keys/test-keys.ts'
import type { Network } from './network.ts'
import { MAINNET_ROOT_KEY, sharesDeployedIds } from './network.ts'

/** Whether the secret of this principal is public: `dev0` … `dev4`, and keys of other projects. */
export const isTestPrincipal = (principal: Principal): boolean =>
  publishedKeyName(principal) !== undefined

const isInternetComputer = ({ url, rootKey }: Pick<Network, 'url' | 'rootKey'>): boolean =>
  url.startsWith('https://') && equalBytes(rootKey, MAINNET_ROOT_KEY)

/** Whether a request that is signed for this network could be carried to the Internet Computer. */
export const isCarriable = (network: Pick<Network, 'url' | 'rootKey' | 'ids'>): boolean =>
  sharesDeployedIds(network) && !isInternetComputer(network)

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
  if (test || !isCarriable(network)) return
  throw new Problem(
    'RAIL_TEST_KEY',
    `the network ${network.name} has canister ids of the Internet Computer: only test keys may sign here`,
    {
      fix: 'whoever sees a request could send it to the Internet Computer; use a test key, or a subnet with ids of its own',
      command: 'ckbtc subnet start',
    },
  )
}
