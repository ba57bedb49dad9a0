/**
 * The coins of a deposit and what has become of each: on Bitcoin, with the minter, on the ledger.
 * Implements `docs/spec/cli.md` §5.2.
 */
import { toDisplayHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { Account } from '../../core/ic/account.ts'
import { sameAccount } from '../../core/ic/account.ts'
import type { Block } from '../../core/ledger/blocks/block.ts'
import { decodeMintMemo } from '../../core/minter/memo.ts'
import type { UpdateBalanceResult, Utxo } from '../../core/minter/types.ts'

export type CoinState =
  | 'unseen'
  | 'awaiting-confirmations'
  | 'checked'
  | 'minted'
  | 'too-small'
  | 'quarantined'

export type Coin = {
  /** As explorers show it. */
  readonly txid: string
  readonly vout: number
  readonly amountSat: bigint
  readonly confirmations: number
  readonly state: CoinState
  readonly mintedSat: bigint | null
  readonly blockIndex: bigint | null
}

/** States after which nothing more happens to a coin by itself. */
export const isSettled = ({ state }: Coin): boolean =>
  state === 'minted' || state === 'too-small' || state === 'quarantined'

export const coinName = ({ txid, vout }: Pick<Coin, 'txid' | 'vout'>): string => `${txid}:${vout}`

/** Coins of one deposit, by name. What is known of one only grows. */
export class Coins {
  readonly #coins = new Map<string, Coin>()
  #heldUp: string | undefined

  /** Why the minter takes no coin now, in its own words, if it said so last. */
  get heldUp(): string | undefined {
    return this.#heldUp
  }

  get all(): readonly Coin[] {
    return [...this.#coins.values()]
  }

  get mintedSat(): bigint {
    return this.all.reduce((sum, { mintedSat }) => sum + (mintedSat ?? 0n), 0n)
  }

  #learn(coin: Coin): void {
    const known = this.#coins.get(coinName(coin))
    if (known?.state === 'minted') return
    const confirmations = Math.max(coin.confirmations, known?.confirmations ?? 0)
    this.#coins.set(coinName(coin), { ...coin, confirmations })
  }

  /** Unspent outputs at the address, as a Bitcoin view shows them. */
  seen(utxos: readonly Utxo[], tipHeight: number): void {
    for (const { outpoint, value, height } of utxos) {
      const coin = { txid: toDisplayHex(outpoint.txid), vout: outpoint.vout }
      const known = this.#coins.get(coinName(coin))
      this.#learn({
        ...coin,
        amountSat: value,
        confirmations: Math.max(0, tipHeight - height + 1),
        state: known?.state ?? 'awaiting-confirmations',
        mintedSat: known?.mintedSat ?? null,
        blockIndex: known?.blockIndex ?? null,
      })
    }
  }

  /** What the minter says of the account's coins. */
  told(result: UpdateBalanceResult): void {
    const isHeldUp = result.type === 'err' && result.error.type === 'temporarilyUnavailable'
    this.#heldUp = isHeldUp ? result.error.message : undefined
    if (result.type === 'err') {
      if (result.error.type !== 'noNewUtxos') return
      for (const { outpoint, value, confirmations } of result.error.pendingUtxos)
        this.#note({ outpoint, value }, { state: 'awaiting-confirmations', confirmations })
      for (const { utxo, reason } of result.error.suspendedUtxos)
        this.#note(utxo, { state: reason === 'quarantined' ? 'quarantined' : 'too-small' })
      return
    }
    for (const status of result.value)
      switch (status.type) {
        case 'minted':
          this.#note(status.utxo, {
            state: 'minted',
            mintedSat: status.mintedAmount,
            blockIndex: status.blockIndex,
          })
          break
        case 'checked':
          this.#note(status.utxo, { state: 'checked' })
          break
        case 'valueTooSmall':
          this.#note(status.utxo, { state: 'too-small' })
          break
        case 'tainted':
          this.#note(status.utxo, { state: 'quarantined' })
      }
  }

  #note({ outpoint, value }: Pick<Utxo, 'outpoint' | 'value'>, news: Partial<Coin>): void {
    const coin = { txid: toDisplayHex(outpoint.txid), vout: outpoint.vout }
    const known = this.#coins.get(coinName(coin))
    this.#learn({
      ...coin,
      amountSat: value,
      confirmations: known?.confirmations ?? 0,
      state: known?.state ?? 'awaiting-confirmations',
      mintedSat: known?.mintedSat ?? null,
      blockIndex: known?.blockIndex ?? null,
      ...news,
    })
  }

  /** The proof that a coin was credited: a mint for the account that names it. */
  minted({ transaction }: Block, index: bigint, account: Account): void {
    if (transaction.type !== 'mint' || !sameAccount(transaction.to, account)) return
    const bytes = transaction.memo
    const memo = bytes === undefined ? undefined : attempt(() => decodeMintMemo(bytes))
    if (memo === undefined || memo instanceof BadEncoding || memo.type !== 'convert') return
    if (memo.txid === undefined || memo.vout === undefined) return
    const coin = { txid: toDisplayHex(memo.txid), vout: memo.vout }
    const known = this.#coins.get(coinName(coin))
    this.#learn({
      ...coin,
      amountSat: transaction.amount + (memo.fee ?? 0n),
      confirmations: known?.confirmations ?? 0,
      state: 'minted',
      mintedSat: transaction.amount,
      blockIndex: index,
    })
  }
}
