/** Amounts as commands print them. Implements cli §3.1 (printing). */
import { formatBtc } from '../core/base/units.ts'
import type { Token } from '../wallet/token.ts'
import { smallText, tokenText } from '../wallet/token.ts'
import type { Context } from './context.ts'

export type Unit = 'btc' | 'sat'

/** Of tables: `--unit` or the configuration's. */
export const unitOf = ({ globals }: Pick<Context, 'globals'>): Unit =>
  globals.unit === 'sat' ? 'sat' : 'btc'

/** `0.00100000 ckBTC`. */
export const coins = (amount: bigint, symbol: string): string => `${formatBtc(amount)} ${symbol}`

/** `100000 sat`. */
export const sats = (amount: bigint): string => `${amount} sat`

/** In the unit of the table. */
export const amountIn = (unit: Unit, amount: bigint, symbol: string): string =>
  unit === 'sat' ? sats(amount) : coins(amount, symbol)

/** The same of any token; what has no satoshis has one unit. */
export const tokensIn = (unit: Unit, amount: bigint, token: Token): string =>
  unit === 'sat' ? smallText(amount, token) : tokenText(amount, token)
