/** Coins of the minter that are gone for good, or that it is to take in. Source: minter §18.8. */
import { BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader } from '../../core/base/json.ts'
import { integer, list, object, oneOf } from '../../core/base/json.ts'

const COINS_MAX = 1_000
const VOUT_MAX = 2 ** 32 - 1
const TXID = /^[0-9a-f]{64}$/

/** As explorers show it. */
const txid: JsonReader<string> = (value, where) => {
  if (typeof value === 'string' && TXID.test(value)) return value
  throw new BadEncoding(`${where} is not 64 hexadecimal digits`)
}

export const losses = object({
  action: oneOf('write-off', 'adopt'),
  coins: list(object({ txid, vout: integer(0, VOUT_MAX) }), COINS_MAX),
})
