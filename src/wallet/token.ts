/**
 * The token that a command is about: ckBTC, or a further one of a local subnet. What differs between
 * them is here, and nowhere else. Implements cli §3.1 (`--token`).
 */
import { parseAmount, parseUnits } from '../core/base/amounts.ts'
import { equalBytes } from '../core/base/bytes.ts'
import { Problem } from '../core/base/errors.ts'
import { formatDecimal } from '../core/base/units.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { LedgerClient } from './client/ledger.ts'
import type { Network } from './network.ts'
import { symbolsOf } from './network.ts'

export type Token = {
  readonly symbol: string
  readonly decimals: number
  readonly ledger: Principal
  readonly index: Principal | undefined
  /** No bitcoin stands behind it: its smallest unit is no satoshi, and no minter of ours knows it. */
  readonly isFurther: boolean
}

const BTC_DECIMALS = 8

const ownToken = (network: Network): Token => ({
  symbol: symbolsOf(network).token,
  decimals: BTC_DECIMALS,
  ledger: network.ids.ledger,
  index: network.ids.index,
  isFurther: false,
})

/** The token that the network was opened for: `ids` names its ledger. */
export const tokenOf = (network: Network): Token => network.token ?? ownToken(network)

/** All that the network is known to have, its own first. */
export const tokensOf = (network: Network): readonly Token[] =>
  network.tokens ?? [ownToken(network)]

/** `further`: what the descriptor of a local subnet says. */
export function withFurtherTokens(
  network: Network,
  further: readonly Omit<Token, 'isFurther'>[],
): Network {
  if (further.length === 0) return network
  const others = further.map(({ symbol, decimals, ledger, index }) => {
    return { symbol, decimals, ledger, index, isFurther: true }
  })
  return { ...network, tokens: [ownToken(network), ...others] }
}

/** The token of this symbol, in letters of either size. Throws `USAGE_INVALID`. */
export function tokenNamed(network: Network, symbol: string): Token {
  const tokens = tokensOf(network)
  const found = tokens.find((token) => token.symbol.toLowerCase() === symbol.toLowerCase())
  if (found !== undefined) return found
  const known = tokens.map((token) => token.symbol).join(', ')
  throw new Problem('USAGE_INVALID', `${network.name} has no token "${symbol.slice(0, 40)}"`, {
    fix: `its tokens are: ${known}`,
    command: 'ckbtc subnet status',
  })
}

/** The token of this ledger; undefined where the network has none. */
export const tokenOfLedger = (network: Network, ledger: Principal): Token | undefined =>
  tokensOf(network).find((token) => equalBytes(token.ledger, ledger))

/** The same network, opened for a token of its own: every call goes to the ledger of that. */
export const inToken = (network: Network, token: Token): Network => ({
  ...network,
  tokens: tokensOf(network),
  token,
  ids: { ...network.ids, ledger: token.ledger, index: token.index },
})

/** A ledger that is not what the descriptor says of it would be read and paid in wrong amounts. */
export async function requireTokenAgrees({
  network,
  ledger,
}: {
  readonly network: Network
  readonly ledger: Pick<LedgerClient, 'token'>
}): Promise<void> {
  const token = tokenOf(network)
  if (!token.isFurther) return
  const found = await ledger.token()
  if (found.symbol === token.symbol && found.decimals === token.decimals) return
  const [said, is] = [token, found].map((one) => `${one.symbol}, ${one.decimals} decimals`)
  throw new Problem('RAIL_CANISTER_MISMATCH', `the ledger of ${said} says that it is ${is}`, {
    fix: 'nothing was sent; start the subnet again, which describes it anew',
    command: 'ckbtc subnet status',
  })
}

/** `0.00100000 ckBTC`, `1.500000 XYZ`. */
export const tokenText = (amount: bigint, { decimals, symbol }: Token): string =>
  `${formatDecimal(amount, decimals)} ${symbol}`

/** Small sums: `10 sat`. What has no satoshis has one form only. */
export const smallText = (amount: bigint, token: Token): string =>
  token.isFurther ? tokenText(amount, token) : `${amount} sat`

/** Both forms of a sum, where there are two. */
export const bothTexts = (amount: bigint, token: Token): string =>
  token.isFurther ? tokenText(amount, token) : `${tokenText(amount, token)}   ${amount} sat`

/** Behind a command that is about this token. */
export const tokenOption = ({ isFurther, symbol }: Token): string =>
  isFurther ? ` --token ${symbol}` : ''

/** In smallest units. Throws `AMOUNT_…`. */
export const parseTokenAmount = (text: string, token: Token): bigint =>
  token.isFurther ? parseUnits(text, token) : parseAmount(text)

type Fields = Readonly<Record<string, unknown>>

/** What is named `…Sat` is named `…Units` where the smallest unit is no satoshi; whole trees of it. */
export const inUnits = <T extends Fields>(token: Token, fields: T): Fields =>
  token.isFurther ? (renamed(fields) as Fields) : fields

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name.replace(/Sat$/, 'Units'), renamed(part)]),
  )
}

/** `data` of a document about amounts: of a further token, which it is stands first. */
export function tokenDocument(token: Token, data: Fields): Fields {
  if (!token.isFurther) return data
  const { symbol, decimals } = token
  return { token: { symbol, decimals }, ...inUnits(token, data) }
}
