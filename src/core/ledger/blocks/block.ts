/** Blocks as typed data. Implements `docs/spec/ledger.md` §9.1. */
import type { Hash32 } from '../../base/bytes.ts'
import type { TimestampNs, Tokens } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { BlockIndex } from '../types.ts'

type Common = {
  readonly amount: Tokens
  /** Kept as the caller gave it: an empty memo is not an absent one. */
  readonly memo?: Uint8Array | undefined
  readonly createdAtTime?: TimestampNs | undefined
}

/** What the caller asked for, in the caller's own form. `fee` only if the caller gave it. */
export type Transaction =
  | (Common & { readonly type: 'mint'; readonly to: Account })
  | (Common & {
      readonly type: 'burn'
      readonly from: Account
      readonly spender?: Account | undefined
    })
  | (Common & {
      readonly type: 'transfer'
      readonly from: Account
      readonly to: Account
      readonly spender?: Account | undefined
      readonly fee?: Tokens | undefined
    })
  | (Common & {
      readonly type: 'approve'
      readonly from: Account
      readonly spender: Account
      readonly fee?: Tokens | undefined
      readonly expectedAllowance?: Tokens | undefined
      readonly expiresAt?: TimestampNs | undefined
    })
  | FeeCollectorSetting

/** What moves tokens, or allows somebody to move them. */
export type Movement = Exclude<Transaction, FeeCollectorSetting>

/** ICRC-107: from its block on fees go to this account, or are burnt where it names none. */
export type FeeCollectorSetting = {
  readonly type: 'feeCollector'
  readonly feeCollector?: Account | undefined
  /** Absent, as are the next two, in a block that no call asked for. */
  readonly caller?: Principal | undefined
  readonly createdAtTime?: TimestampNs | undefined
  /** Name of the method that was called. */
  readonly method?: string | undefined
}

export type Block = {
  /** Hash of the block before; absent in block 0 only. */
  readonly parentHash?: Hash32 | undefined
  /** Ledger time of the call. */
  readonly timestamp: TimestampNs
  readonly transaction: Transaction
  /** The fee charged, where the caller named none. */
  readonly fee?: Tokens | undefined
  /** The first block after a collector is set names it, the later ones point to that block. */
  readonly feeCollector?: Account | undefined
  readonly feeCollectorBlock?: BlockIndex | undefined
}

export type Operation = 'mint' | 'burn' | 'xfer' | 'approve'

/** The `op` of a transaction as blocks store it. */
export const operationOf = ({ type }: Movement): Operation => (type === 'transfer' ? 'xfer' : type)
