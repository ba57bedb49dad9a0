/**
 * Accounts and Bitcoin addresses as people type them: each recognised where the other belongs.
 * Implements `docs/spec/cli.md` §3.3.
 */
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import { parseAddress } from '../core/btc/address.ts'
import type { Network as BitcoinNetwork } from '../core/btc/network.ts'
import { mainnet, regtest, testnet4 } from '../core/btc/network.ts'
import type { Account } from '../core/ic/account.ts'
import { accountOfText } from '../core/ic/account.ts'
import { devUser } from './identity.ts'

/** Networks whose addresses are told apart; testnets share theirs. */
const bitcoinNetworks: readonly { readonly name: string; readonly network: BitcoinNetwork }[] = [
  { name: 'mainnet', network: mainnet },
  { name: 'testnet', network: testnet4 },
  { name: 'regtest', network: regtest },
]

const networkOfAddress = (text: string): string | undefined =>
  bitcoinNetworks.find(({ network }) => parseAddress(text, network).type !== 'refused')?.name

/**
 * An account: ICRC-1 text, a principal, or on a local network `dev0` … `dev4`. `command`: what would
 * be right if it is a Bitcoin address. Throws `DEST_IS_BITCOIN` or `ACCOUNT_INVALID`.
 */
export function parseAccount(
  text: string,
  { isLocal, command }: { readonly isLocal: boolean; readonly command?: string },
): Account {
  const typed = text.trim()
  const dev = /^dev([0-4])$/.exec(typed)?.[1]
  if (isLocal && dev !== undefined) return { owner: devUser(Number(dev)).principal }
  const account = attempt(() => accountOfText(typed))
  if (!(account instanceof BadEncoding)) return account
  if (networkOfAddress(typed) !== undefined)
    throw new Problem(
      'DEST_IS_BITCOIN',
      'that is a Bitcoin address; ckBTC moves between accounts',
      {
        fix: 'to send BTC to this address, turn ckBTC back into BTC; or ask for the receiver’s principal',
        command: command ?? `ckbtc redeem <amount> --to ${typed}`,
      },
    )
  throw new Problem('ACCOUNT_INVALID', `"${typed}" is no account: ${account.message}`, {
    fix: 'expected a principal (like aaaaa-aa), or one with a checksum and subaccount',
    command: 'ckbtc principal',
  })
}

export type ParsedBitcoinAddress = { readonly address: string; readonly script: Uint8Array }

/**
 * A Bitcoin address of this network. `command`: what would be right if it is an account. Throws
 * `DEST_IS_ACCOUNT`, `BTC_WRONG_NETWORK` or `BTC_BAD_ADDRESS`.
 */
export function parseBitcoinAddress(
  text: string,
  {
    network,
    command,
  }: { readonly network: 'mainnet' | 'testnet4' | 'regtest'; readonly command?: string },
): ParsedBitcoinAddress {
  const typed = text.trim()
  const wanted = { mainnet, testnet4, regtest }[network]
  const parsed = parseAddress(typed, wanted)
  if (parsed.type !== 'refused') return { address: typed, script: parsed.script }
  const other = networkOfAddress(typed)
  if (other !== undefined)
    throw new Problem(
      'BTC_WRONG_NETWORK',
      `"${typed}" is a ${other} address, not one of ${network}`,
      {
        fix: `give an address of ${network}`,
      },
    )
  const account =
    /^dev[0-4]$/.test(typed) || !(attempt(() => accountOfText(typed)) instanceof BadEncoding)
  if (account)
    throw new Problem('DEST_IS_ACCOUNT', 'that is an account; bitcoin goes to addresses', {
      fix: 'to pay in ckBTC, transfer',
      command: command ?? `ckbtc transfer <amount> --to ${typed}`,
    })
  throw new Problem('BTC_BAD_ADDRESS', `"${typed}" is no Bitcoin address: ${parsed.detail}`, {
    fix: 'copy the whole address again',
  })
}
