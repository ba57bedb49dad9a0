/** The common coin of binary agreement, and its substitute at genesis. Source: threshold §§16.3, 17.3, 17.5. */
import { present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { integerInput, oracleBytes } from '../base/random-oracle.ts'

export type Bit = 0 | 1

/** Which coin. `instance`: index of the proposer; rounds 0 and 1 have fixed coins. */
export type Toss = { readonly slot: bigint; readonly instance: NodeIndex; readonly round: number }

export type Combined = {
  /** Undefined while shares are missing. */
  readonly value: Bit | undefined
  /** Whose shares were false. */
  readonly blamed: readonly NodeIndex[]
}

/** The log takes its coin through this port, which `core/subnet` joins to the tape key. */
export interface Coin {
  /**
   * Whether the tape key was final in the slots before this one: a function of the log, asked once
   * when the slot begins, because two nodes with two coins disagree.
   */
  isShared(slot: bigint): boolean
  /** Own share, `COIN_SHARE_SIZE` opaque bytes; undefined while it cannot be made. */
  share(toss: Toss): Uint8Array | undefined
  /** Called with f + 1 shares of distinct nodes or more. */
  combine(toss: Toss, shares: ReadonlyMap<NodeIndex, Uint8Array>): Combined
}

/** Rounds 0 and 1 end the common case without a share. Step 5 of §17.3. */
export const FIXED_COINS: readonly Bit[] = [1, 0]

/** The coin of a slot before which no tape key is final: known to everybody in advance. */
export function genesisCoin(incarnation: bigint, { slot, instance, round }: Toss): Bit {
  const bytes = oracleBytes(
    'ckbtc-genesis-coin',
    {
      incarnation: integerInput(incarnation),
      slot: integerInput(slot),
      instance: integerInput(BigInt(instance)),
      round: integerInput(BigInt(round)),
    },
    32,
  )
  return lowestBit(bytes)
}

/** The lowest bit of the last byte. */
export const lowestBit = (bytes: Uint8Array): Bit =>
  (present(bytes.at(-1), 'a hash has a last byte') & 1) === 1 ? 1 : 0
