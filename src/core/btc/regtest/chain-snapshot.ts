/**
 * The best chain of a regtest node as bytes, to be put back elsewhere at once. Source: RN-23.
 *
 * Mark, version, hash of the genesis block, number of blocks, each block with its length, then the
 * SHA-256 of all that. Integers are big-endian.
 */
import { concat, concatAll, equalBytes, fromBigEndian, u32be, utf8 } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import type { Block } from '../block.ts'
import { decodeBlock, encodeBlock } from '../block.ts'
import type { Network } from '../network.ts'
import { networks, regtest } from '../network.ts'

const MARK = utf8('ckbtc-chain')
export const CHAIN_FORMAT = 1
const HASH_SIZE = 32
const INTEGER_SIZE = 4

/** What a chain is of, before its blocks: what keeps one checks this first. */
export const chainHead = (network: Network = regtest, format: number = CHAIN_FORMAT): Uint8Array =>
  concat(MARK, u32be(format), network.genesis.hash)

export const CHAIN_HEAD_SIZE = chainHead().length

export type HeadFlaw =
  | { readonly type: 'otherFormat'; readonly found: number }
  /** `found`: its name, or `unknown`. */
  | { readonly type: 'otherNetwork'; readonly found: string }

/** Throws `BadEncoding` for what is no head at all. */
export function headFlaw(head: Uint8Array): HeadFlaw | undefined {
  const format = MARK.length + INTEGER_SIZE
  if (head.length !== CHAIN_HEAD_SIZE || !equalBytes(head.subarray(0, MARK.length), MARK))
    throw new BadEncoding('this is no chain of ckbtc')
  const found = Number(fromBigEndian(head.subarray(MARK.length, format)))
  if (found !== CHAIN_FORMAT) return { type: 'otherFormat', found }
  const genesis = head.subarray(format)
  if (equalBytes(genesis, regtest.genesis.hash)) return undefined
  const other = Object.entries(networks).find(([, { genesis: own }]) =>
    equalBytes(own.hash, genesis),
  )
  return { type: 'otherNetwork', found: other?.[0] ?? 'unknown' }
}

/** `blocks`: from height 1 to the tip. */
export function encodeChain(blocks: readonly Block[]): Uint8Array {
  const bodies = blocks.map(encodeBlock).flatMap((body) => [u32be(body.length), body])
  const content = concatAll([chainHead(), u32be(blocks.length), ...bodies])
  return concat(content, sha256(content))
}

/**
 * The blocks; whether they make a chain is the node's to say. Throws `BadEncoding` for what is cut,
 * altered, of another network, or of another format.
 */
export function decodeChain(bytes: Uint8Array): readonly Block[] {
  const end = bytes.length - HASH_SIZE
  if (end < CHAIN_HEAD_SIZE + INTEGER_SIZE) throw new BadEncoding('a chain is cut short')
  const flaw = headFlaw(bytes.subarray(0, CHAIN_HEAD_SIZE))
  if (flaw?.type === 'otherFormat')
    throw new BadEncoding(`a chain of format ${flaw.found}, not ${CHAIN_FORMAT}`)
  if (flaw?.type === 'otherNetwork')
    throw new BadEncoding(`a chain of ${flaw.found}, not of ${regtest.name}`)
  if (!equalBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end)))
    throw new BadEncoding('a chain is altered, or cut short')
  let offset = CHAIN_HEAD_SIZE
  const integer = (): number => {
    const value = fromBigEndian(bytes.subarray(offset, Math.min(offset + INTEGER_SIZE, end)))
    offset += INTEGER_SIZE
    return Number(value)
  }
  const count = integer()
  const blocks: Block[] = []
  while (offset < end) {
    const size = integer()
    blocks.push(decodeBlock(bytes.subarray(offset, Math.min(offset + size, end))))
    offset += size
  }
  if (blocks.length !== count || offset !== end) throw new BadEncoding('a chain of another length')
  return blocks
}
