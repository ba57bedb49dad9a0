/** The common coin of the log, from the tape key. Source: threshold §§16.3, 17.3 step 5. */
import { concat, u64be } from '../base/bytes.ts'
import { Reader } from '../base/codec.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
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
   * Number of the first slot that uses this coin instead of the one of the start of the world;
   * undefined while that is open. It becomes known by executing a slot, and is above that slot: so
   * nothing changes inside a slot, and all nodes have the same.
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
