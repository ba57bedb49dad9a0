/** How the dashboard says things. Source: minter §20.3. */
import { toDisplayHex } from '../../base/bytes.ts'
import { formatBtc, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { textOfAccount } from '../../ic/account.ts'
import { addressText, scriptOfAddress } from '../addresses.ts'
import type { BitcoinAddress, BitcoinNetwork, Utxo } from '../types.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'

/** Days of the months before a month, March first: leap days come last. */
const daysBefore = (monthFromMarch: number): number => Math.floor((153 * monthFromMarch + 2) / 5)

/** UTC, to the second; core has no calendar of its own. Gregorian, from 1970 on. */
export function timeText(at: bigint): string {
  const seconds = Number(at / NS_PER_SECOND)
  const days = Math.floor(seconds / 86_400)
  // Eras of 400 years that begin on the first of March.
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  const year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  const date = `${year}-${two(month < 10 ? month + 3 : month - 9)}-${two(dayOfYear - daysBefore(month) + 1)}`
  const [h, m, s] = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  return `${date} ${two(h)}:${two(m)}:${two(s)}`
}

export const amountText = (amount: bigint): string => formatBtc(amount)

export const txidCell = (txid: Uint8Array): Html => html`<code>${toDisplayHex(txid)}</code>`

export const outpointCell = ({ outpoint }: View<Utxo>): Html =>
  html`<code>${toDisplayHex(outpoint.txid)}:${outpoint.vout}</code>`

export const accountCell = (account: View<Account> | undefined): Html =>
  account === undefined ? html`–` : html`<code>${textOfAccount(account)}</code>`

export const addressCell = (address: View<BitcoinAddress>, network: BitcoinNetwork): Html =>
  html`<code>${addressText(scriptOfAddress(address), network)}</code>`

/** One under the other, as far as there is room. */
const LINES_MAX = 20
export function lines<T>(items: readonly T[], cell: (item: T) => Html): Html {
  const shown = items
    .slice(0, LINES_MAX)
    .map((item, i) => (i === 0 ? cell(item) : html`<br>${cell(item)}`))
  const more = items.length - LINES_MAX
  return html`${shown}${more > 0 ? html`<br>and ${more} more` : ''}`
}
