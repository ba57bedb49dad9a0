/**
 * What a search through compact filters has found, as bytes to be kept: a later one goes on from
 * there. Version 1; the last four bytes are a checksum. Source: bitcoin.md §8.5 CF-2, CF-4.
 */
import { concat, equalBytes, hash32 } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import { sat } from '../base/units.ts'
import type { FilterFindings } from './filter-port.ts'
import type { WatchedCoin, WatchGroup } from './filter-scan.ts'
import type { ByteCursor } from './wire.ts'
import { ByteSink, decodeExactly } from './wire.ts'

const VERSION = 1
const CHECKSUM_SIZE = 4
const HASH_SIZE = 32
const GROUP_SIZE_MIN = 9
const COIN_SIZE_MIN = 51

export function encodeFindings({ filterHeaders, groups, coins }: FilterFindings): Uint8Array {
  const sink = new ByteSink()
  sink.u8(VERSION)
  sink.list(filterHeaders, (to, header) => to.raw(header))
  sink.list(groups, writeGroup).list(coins, writeCoin)
  const content = sink.done()
  return concat(content, sha256d(content).subarray(0, CHECKSUM_SIZE))
}

/** `BadEncoding` for everything that `encodeFindings` has not written. */
export function decodeFindings(bytes: Uint8Array): FilterFindings {
  const content = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_SIZE))
  const checksum = sha256d(content).subarray(0, CHECKSUM_SIZE)
  if (!equalBytes(bytes.subarray(content.length), checksum))
    throw new BadEncoding('the checksum of the findings is wrong')
  return decodeExactly(content, (cursor) => {
    const version = cursor.u8()
    if (version !== VERSION) throw new BadEncoding(`findings of version ${version}`)
    return {
      filterHeaders: cursor.list(HASH_SIZE, (from) => hash32(from.raw(HASH_SIZE))),
      groups: cursor.list(GROUP_SIZE_MIN, readGroup),
      coins: cursor.list(COIN_SIZE_MIN, readCoin),
    }
  })
}

function writeGroup(sink: ByteSink, { birth, at, scripts }: WatchGroup): void {
  sink
    .u32(birth)
    .u32(at)
    .list(scripts, (to, script) => to.bytes(script))
}

const readGroup = (cursor: ByteCursor): WatchGroup => ({
  birth: cursor.u32(),
  at: cursor.u32(),
  scripts: cursor.list(1, (from) => from.bytes()),
})

function writeCoin(sink: ByteSink, coin: WatchedCoin): void {
  const { outpoint, value, script, height, coinbase, spent } = coin
  sink.raw(outpoint.txid).u32(outpoint.vout).u64(value).bytes(script).u32(height)
  sink.u8((coinbase ? 1 : 0) | (spent === undefined ? 0 : 2))
  if (spent !== undefined) sink.u32(spent.height).raw(spent.by)
}

function readCoin(cursor: ByteCursor): WatchedCoin {
  const outpoint = { txid: hash32(cursor.raw(HASH_SIZE)), vout: cursor.u32() }
  const value = cursor.u64()
  if (value > 2_100_000_000_000_000n) throw new BadEncoding('a coin of more than there is')
  const script = cursor.bytes()
  const height = cursor.u32()
  const flags = cursor.u8()
  if (flags > 3) throw new BadEncoding(`a coin with flags ${flags}`)
  const spent = flags < 2 ? undefined : { height: cursor.u32(), by: hash32(cursor.raw(HASH_SIZE)) }
  return { outpoint, value: sat(value), script, height, coinbase: (flags & 1) === 1, spent }
}
