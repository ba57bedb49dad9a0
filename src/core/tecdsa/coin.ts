/**
 * The common coin of the log, from the tape key, and the one of slots before there is such a key.
 * Source: threshold §§16.3, 17.3 step 5, 17.5.
 */
import { concat, u64be } from '../base/bytes.ts'
import { Reader } from '../base/codec.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { integerInput, oracleBytes } from '../base/random-oracle.ts'
import { BLS_SHARE_SIZE, blsContent } from './bls.ts'
import type { BlsKey, BlsShares } from './bls-lane.ts'

/** Which coin. All of them are u64 where they are signed or hashed. */
export type CoinContent = {
  readonly slot: bigint
  /** Index of the proposer. */
  readonly instance: NodeIndex
  readonly round: number
}

export type CoinValue = 0 | 1

/** Id of the transcript that it is a share of (u64), then the share. */
export const COIN_SHARE_SIZE = 8 + BLS_SHARE_SIZE

/** The bytes signed. */
export const coinMessage = (
  incarnation: bigint,
  { slot, instance, round }: CoinContent,
): Uint8Array => blsContent('ckbtc-coin-domain', incarnation, slot, BigInt(instance), BigInt(round))

/** For slots before which no tape key is final: `Coin.finalFrom` says where that ends. */
export function genesisCoin(
  incarnation: bigint,
  { slot, instance, round }: CoinContent,
): CoinValue {
  const inputs = {
    incarnation: integerInput(incarnation),
    slot: integerInput(slot),
    instance: integerInput(BigInt(instance)),
    round: integerInput(BigInt(round)),
  }
  return lowestBit(oracleBytes('ckbtc-genesis-coin', inputs, 32))
}

const lowestBit = (bytes: Uint8Array): CoinValue => (((bytes.at(-1) ?? 0) & 1) === 0 ? 0 : 1)

/** The coin as one node of one time line tosses it. */
export class Coin {
  readonly #key: BlsKey
  readonly #incarnation: bigint

  constructor(key: BlsKey, incarnation: bigint) {
    this.#key = key
    this.#incarnation = incarnation
  }

  /**
   * Number of the first slot that uses this coin instead of `genesisCoin`; undefined while that is
   * open. It can become known only by executing a slot, as a number above that slot's: so it never
   * changes inside a slot, and is equal at all nodes.
   */
  get finalFrom(): bigint | undefined {
    return this.#key.finalFrom
  }

  /** Own share; undefined while it cannot be made. */
  share(content: CoinContent): Uint8Array | undefined {
    const id = this.#key.transcriptId
    const share = this.#key.share(coinMessage(this.#incarnation, content))
    return id === undefined || share === undefined ? undefined : concat(u64be(id), share)
  }

  /**
   * The coin of f + 1 good shares, the same whichever they are; undefined while they are fewer.
   * Shares of another transcript are not counted; `blamed` gave false ones, which are to be dropped.
   */
  combine(
    content: CoinContent,
    shares: BlsShares,
  ): { readonly value: CoinValue | undefined; readonly blamed: readonly NodeIndex[] } {
    const id = this.#key.transcriptId
    const own = new Map<NodeIndex, Uint8Array>()
    const malformed: NodeIndex[] = []
    for (const [node, bytes] of shares) {
      const named = attempt(() => decodeCoinShare(bytes))
      if (named instanceof BadEncoding) malformed.push(node)
      else if (named.transcriptId === id) own.set(node, named.share)
    }
    const message = coinMessage(this.#incarnation, content)
    const { signature, blamed } = this.#key.combine(message, own)
    const value = signature === undefined ? undefined : lowestBit(sha256(signature))
    return { value, blamed: [...malformed, ...blamed].toSorted((a, b) => a - b) }
  }
}

function decodeCoinShare(bytes: Uint8Array): {
  readonly transcriptId: bigint
  readonly share: Uint8Array
} {
  const reader = new Reader(bytes)
  return reader.end({ transcriptId: reader.u64(), share: reader.raw(BLS_SHARE_SIZE) })
}
