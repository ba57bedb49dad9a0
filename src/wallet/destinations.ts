/**
 * Accounts and Bitcoin addresses as people type them: each recognised where the other belongs.
 * Implements `docs/spec/cli.md` §3.3.
 */
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import { parseAddress } from '../core/btc/address.ts'
import type { Network as BitcoinNetwork } from '../core/btc/network.ts'
import { mainnet, networks, regtest, testnet4 } from '../core/btc/network.ts'
import type { Account } from '../core/ic/account.ts'
import { accountOfText } from '../core/ic/account.ts'
import { devUser } from './identity.ts'
import type { BitcoinKind } from './network.ts'
import type { Token } from './token.ts'

/** Networks whose addresses are told apart; testnets share theirs. */
const bitcoinNetworks: readonly { readonly name: string; readonly network: BitcoinNetwork }[] = [
  { name: 'mainnet', network: mainnet },
  { name: 'testnet', network: testnet4 },
  { name: 'regtest', network: regtest },
]

const networkOfAddress = (text: string): string | undefined =>
  bitcoinNetworks.find(({ network }) => parseAddress(text, network).type !== 'refused')?.name

/** Bitcoin addresses of the kinds in use begin so, and no account does. */
const looksLikeAddress = (text: string): boolean =>
  /^(?:bc|tb|bcrt)1[a-z0-9]{20,}$/i.test(text) || networkOfAddress(text) !== undefined

/** Groups of letters and digits, as principals have them. */
const looksLikeAccount = (text: string): boolean =>
  /^dev[0-4]$/.test(text) ||
  /^[a-z2-7]{5}(?:-[a-z2-7]{1,5})+/.test(text) ||
  !(attempt(() => accountOfText(text)) instanceof BadEncoding)

const QUOTED_MAX = 120

/** What was typed, or its beginning. */
const quoted = (text: string): string =>
  `"${text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text}"`

/**
 * An account: ICRC-1 text, a principal, or on a local network `dev0` … `dev4`. `command`: what would
 * be right if it is a Bitcoin address. Throws `DEST_IS_BITCOIN` or `ACCOUNT_INVALID`.
 */
export function parseAccount(
  text: string,
  {
    isLocal,
    command,
    token,
  }: { readonly isLocal: boolean; readonly command?: string; readonly token?: Token },
): Account {
  const typed = text.trim()
  const dev = /^dev([0-4])$/.exec(typed)?.[1]
  if (isLocal && dev !== undefined) return { owner: devUser(Number(dev)).principal }
  const account = attempt(() => accountOfText(typed))
  if (!(account instanceof BadEncoding)) return account
  if (looksLikeAddress(typed) && token?.isFurther === true)
    throw new Problem(
      'DEST_IS_BITCOIN',
      `that is a Bitcoin address; ${token.symbol} moves between accounts`,
      {
        fix: 'ask for the principal of the receiver; yours is shown by',
        command: 'ckbtc principal',
      },
    )
  if (looksLikeAddress(typed))
    throw new Problem(
      'DEST_IS_BITCOIN',
      'that is a Bitcoin address; ckBTC moves between accounts',
      {
        fix: 'turn ckBTC back into BTC to send it there, or ask for the principal of the receiver',
        command: command ?? `ckbtc redeem <amount> --to ${typed}`,
      },
    )
  throw new Problem(
    'ACCOUNT_INVALID',
    `${quoted(typed)} is no account: ${wrongWith(typed, account)}`,
    {
      fix: 'expected a principal (like aaaaa-aa), or one with a checksum and subaccount',
      command: 'ckbtc help accounts',
    },
  )
}

/** The decoder's reason without what stands before it already. */
function wrongWith(typed: string, { message }: BadEncoding): string {
  if (/^dev\d*$/.test(typed)) return 'dev0 to dev4 are accounts of the local network'
  if (typed === '') return 'it is empty'
  return message.replace(
    /^(?:invalid principal: )?"[^"]*" is (?:not an? (?:account|principal): )?/,
    '',
  )
}

export type ParsedBitcoinAddress = { readonly address: string; readonly script: Uint8Array }

/**
 * A Bitcoin address of this network. `command`: what would be right if it is an account. Throws
 * `DEST_IS_ACCOUNT`, `BTC_WRONG_NETWORK` or `BTC_BAD_ADDRESS`.
 */
export function parseBitcoinAddress(
  text: string,
  { network, command }: { readonly network: BitcoinKind; readonly command?: string },
): ParsedBitcoinAddress {
  const typed = text.trim()
  const wanted = networks[network]
  const parsed = parseAddress(typed, wanted)
  if (parsed.type !== 'refused') return { address: typed, script: parsed.script }
  const other = networkOfAddress(typed)
  if (other !== undefined)
    throw new Problem(
      'BTC_WRONG_NETWORK',
      `${quoted(typed)} is a ${other} address, not one of ${network}`,
      { fix: `give an address of ${network}, or name the other network with -n` },
    )
  if (looksLikeAccount(typed))
    throw new Problem('DEST_IS_ACCOUNT', 'that is an account; bitcoin goes to addresses', {
      fix: 'to pay in ckBTC, transfer',
      command: command ?? `ckbtc transfer <amount> --to ${typed}`,
    })
  const reason = typed === '' ? 'it is empty' : (foreignLetter(typed) ?? parsed.detail)
  throw new Problem('BTC_BAD_ADDRESS', `${quoted(typed)} is no Bitcoin address: ${reason}`, {
    fix: 'copy the whole address again',
  })
}

/** The first letter that addresses of this form never have, and its place from 1. */
function foreignLetter(typed: string): string | undefined {
  const prefix = /^(?:bc|tb|bcrt)1/i.exec(typed)?.[0]
  const allowed = prefix === undefined ? /^[1-9A-HJ-NP-Za-km-z]$/ : /^[02-9ac-hj-np-z]$/i
  const letters = [...typed]
  const place = letters.findIndex(
    (letter, index) => index >= (prefix?.length ?? 0) && !allowed.test(letter),
  )
  return place < 0 ? undefined : `character ${place + 1} is "${letters[place]}", which none has`
}
