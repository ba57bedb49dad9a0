/** Keys, scripts and addresses of accounts; destinations. Source: minter §3. */
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import type { ExtendedKey } from '../base/derivation.ts'
import { derivePublicKey } from '../base/derivation.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import { hash160, sha256 } from '../base/hash.ts'
import { addressOfScript } from '../btc/address.ts'
import { p2pkhScript, p2shScript, p2trScript, p2wpkhScript, p2wshScript } from '../btc/script.ts'
import type { Account } from '../ic/account.ts'
import { effectiveSubaccount, SUBACCOUNT_BYTES } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'
import { networkOf, readDestination } from './destination.ts'
import type { Root } from './state/state.ts'
import type { BitcoinAddress, BitcoinNetwork } from './types.ts'

const SCHEMA_V1 = Uint8Array.of(1)
const WITHDRAWAL_DOMAIN = utf8('ckbtc')
/** Always 0: one withdrawal account for each principal. */
const WITHDRAWAL_NONCE = new Uint8Array(8)
const FEE_COLLECTOR = [0x0f, 0xee] as const

/** Below the minter's root (§3.1). */
export const pathOf = (account: Account): readonly Uint8Array[] => [
  SCHEMA_V1,
  account.owner,
  effectiveSubaccount(account),
]

/** 33 bytes. */
export const publicKeyOf = (root: ExtendedKey, account: Account): Uint8Array =>
  derivePublicKey(root, pathOf(account)).publicKey

export const scriptOfKey = (publicKey: Uint8Array): Uint8Array => p2wpkhScript(hash160(publicKey))

export const scriptOf = (root: ExtendedKey, account: Account): Uint8Array =>
  scriptOfKey(publicKeyOf(root, account))

/** The text of a script that has an address, as each of ours has. */
export const addressText = (script: Uint8Array, network: BitcoinNetwork): string =>
  present(addressOfScript(script, networkOf[network]), 'the minter pays only to addresses')

/** 30 zero bytes, then `0f ee`. */
export function feeCollectorSubaccount(): Uint8Array {
  const subaccount = new Uint8Array(SUBACCOUNT_BYTES)
  subaccount.set(FEE_COLLECTOR, SUBACCOUNT_BYTES - FEE_COLLECTOR.length)
  return subaccount
}

/** Where the ledger's fees go, and what consolidations are paid from (§16). */
export const feeCollectorOf = ({ self }: { readonly self: Principal }): Account => ({
  owner: self,
  subaccount: feeCollectorSubaccount(),
})

/** Where a caller deposits ckBTC before `retrieve_btc` (§3.4). */
export function withdrawalSubaccount(caller: Principal): Uint8Array {
  const length = Uint8Array.of(WITHDRAWAL_DOMAIN.length)
  return sha256(concat(length, WITHDRAWAL_DOMAIN, caller, WITHDRAWAL_NONCE))
}

export const withdrawalAccount = (self: Principal, caller: Principal): Account => ({
  owner: self,
  subaccount: withdrawalSubaccount(caller),
})

/** What every step needs of the root, derived once. */
export function rootOfKey(key: ExtendedKey, self: Principal): Root {
  return {
    key,
    mainScript: scriptOf(key, { owner: self }),
    feeCollectorScript: scriptOf(key, feeCollectorOf({ self })),
  }
}

/** The minter's own: main, fee collector, and the caller's withdrawal account [H 3]. */
export function isOwnScript(
  { key, mainScript, feeCollectorScript }: Root,
  {
    script,
    self,
    caller,
  }: {
    readonly script: Uint8Array
    readonly self: Principal
    readonly caller: Principal
  },
): boolean {
  return (
    equalBytes(script, mainScript) ||
    equalBytes(script, feeCollectorScript) ||
    equalBytes(script, scriptOf(key, withdrawalAccount(self, caller)))
  )
}

export type Destination =
  | { readonly type: 'destination'; readonly address: BitcoinAddress; readonly script: Uint8Array }
  | { readonly type: 'malformed'; readonly message: string }

/** Reads a destination by the rules of §3.5: five kinds of address, on the minter's network. */
export function parseDestination(text: string, network: BitcoinNetwork): Destination {
  const address = attempt(() => readDestination(text, network))
  if (address instanceof BadEncoding) return { type: 'malformed', message: address.message }
  return { type: 'destination', address, script: scriptOfAddress(address) }
}

export function scriptOfAddress({ type, bytes }: BitcoinAddress): Uint8Array {
  switch (type) {
    case 'p2wpkhV0':
      return p2wpkhScript(bytes)
    case 'p2wshV0':
      return p2wshScript(bytes)
    case 'p2trV1':
      return p2trScript(bytes)
    case 'p2pkh':
      return p2pkhScript(bytes)
    case 'p2sh':
      return p2shScript(bytes)
  }
}
