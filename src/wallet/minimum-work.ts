/**
 * Age of the table that says how much work a Bitcoin chain must have to be believed. Source:
 * `docs/spec/bitcoin.md` §2.2 NET-1.
 */
import { minimumWorkOrigin } from '../core/btc/network.ts'

/** Beyond this age a chain of a few days' mining comes close to what the table asks for. */
export const TABLE_MONTHS_MAX = 18

export type TableAge = { readonly release: string; readonly isOld: boolean }

export function minimumWorkAge(now: Date): TableAge {
  const { release, year, month } = minimumWorkOrigin
  const months = 12 * (now.getUTCFullYear() - year) + now.getUTCMonth() + 1 - month
  return { release, isOld: months > TABLE_MONTHS_MAX }
}
