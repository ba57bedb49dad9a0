/**
 * Deposit addresses, derived here from the network's key and compared with the minter's answer.
 * Implements cli §3.12 (address check), minter §3.
 */
import type { ExtendedKey } from '../core/base/derivation.ts'
import { derivePublicKey, masterKey } from '../core/base/derivation.ts'
import { Problem } from '../core/base/errors.ts'
import { parseAddress } from '../core/btc/address.ts'
import { networks } from '../core/btc/network.ts'
import type { Account } from '../core/ic/account.ts'
import { addressText, publicKeyOf, scriptOfKey } from '../core/minter/addresses.ts'
import type { Client } from './client.ts'
import type { Network } from './network.ts'
import { minterNetworkOf } from './network.ts'

/** Longer ones there are none (BIP-173); of what a liar says no more is shown. */
const ADDRESS_LENGTH_MAX = 90

/** How an address follows from a key, with the values in between. */
export type Derivation = {
  readonly masterKey: Uint8Array
  readonly minterKey: ExtendedKey
  readonly publicKey: Uint8Array
  readonly address: string
}

export type DepositAddress = {
  readonly address: string
  /** Undefined where the network's key is not known: the address is the minter's word. */
  readonly derivation: Derivation | undefined
  /** Whether the minter was asked. */
  readonly asked: boolean
}

/** The minter's root key: its principal is the first step from the master key. */
export const minterKeyOf = (
  { ids: { minter } }: Pick<Network, 'ids'>,
  master: Uint8Array,
): ExtendedKey => derivePublicKey(masterKey(master), [minter])

/** What the address of an account is under each key that the network may have. */
export function derivations(network: Network, account: Account): readonly Derivation[] {
  return network.masterKeys.map((master) => {
    const minterKey = minterKeyOf(network, master)
    const publicKey = publicKeyOf(minterKey, account)
    const address = addressText(scriptOfKey(publicKey), minterNetworkOf(network))
    return { masterKey: master, minterKey, publicKey, address }
  })
}

/** Asks the minter, and believes it only as far as the key says the same. */
export async function depositAddress(client: Client, account: Account): Promise<DepositAddress> {
  const { network } = client
  const [only, ...others] = derivations(network, account)
  const answer = await client.minter.address(account).catch((error: unknown) => {
    // With one key there is nothing that only the minter could say.
    if (only !== undefined && others.length === 0 && isUnreachable(error)) return only
    throw error
  })
  if (typeof answer !== 'string')
    return { address: answer.address, derivation: answer, asked: false }
  return { address: answer, derivation: checkAddress(network, account, answer), asked: true }
}

/**
 * The derivation that gives what the minter says; undefined where no key is known. Throws
 * `RAIL_ADDRESS_MISMATCH`.
 */
export function checkAddress(
  network: Network,
  account: Account,
  address: string,
): Derivation | undefined {
  const expected = derivations(network, account)
  const derivation = expected.find((derived) => derived.address === address)
  if (derivation !== undefined) return derivation
  // Its words go to the terminal and the journal: they are an address, whoever made it.
  if (expected.length === 0 && isAddressOf(network, address)) return undefined
  const wanted = expected[0]?.address ?? `an address of Bitcoin ${network.bitcoin}`
  const named = address.slice(0, ADDRESS_LENGTH_MAX)
  throw new Problem('RAIL_ADDRESS_MISMATCH', `the minter names ${named}, ${wanted} is expected`, {
    fix: 'do not deposit: one of the two is wrong',
    command: 'ckbtc doctor --report',
    details: { minter: named, derived: expected.map((derived) => derived.address) },
  })
}

const isAddressOf = ({ bitcoin }: Network, text: string): boolean =>
  parseAddress(text, networks[bitcoin]).type === 'address'

const isUnreachable = (error: unknown): boolean =>
  error instanceof Problem &&
  (error.code === 'NETWORK_UNREACHABLE' || error.code === 'NETWORK_TIMEOUT')
