/**
 * The mempool: which unconfirmed transactions are kept, and which replace others. Source: RN-7,
 * `docs/spec/bitcoin.md` §10.6.
 */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { toDisplayHex } from '../../base/bytes.ts'
import { formatBtc } from '../../base/units.ts'
import type { Block } from '../block.ts'
import type { Transaction } from '../transaction.ts'
import { checkTransaction, isCoinbase, outpointKey, txid, wtxid } from '../transaction.ts'
import type { Chain } from './chain.ts'
import type { Coin } from './coins.ts'
import {
  checkStandard,
  checkStandardInputs,
  paysMore,
  policyVsize,
  relayFeeMin,
  SIGOPS_COST_STANDARD_MAX,
} from './policy.ts'
import type { MempoolEntry } from './pool.ts'
import { Pool } from './pool.ts'
import type { ScriptVerifier } from './script-verifier.ts'
import { sigopCost } from './sigops.ts'
import { checkInputs, isFinal, sequenceLocksHold } from './spending.ts'

/** A chain of unconfirmed transactions: count and size limits, the new one included. */
export const CHAIN_COUNT_MAX = 25
export const CHAIN_VSIZE_MAX = 101_000
export const REPLACED_MAX = 100
export const MEMPOOL_VSIZE_MAX = 50_000_000
export const MEMPOOL_EXPIRY_S = 14 * 86_400

export type Judged =
  | {
      readonly type: 'acceptable'
      readonly entry: MempoolEntry
      /** Entries that the new one takes the place of, descendants included. */
      readonly replaced: ReadonlySet<MempoolEntry>
    }
  | { readonly type: 'refused'; readonly reason: string }

type Offer = { readonly tx: Transaction; readonly id: Txid; readonly witnessId: Hash32 }

const refused = (reason: string) => ({ type: 'refused', reason }) as const

export class Mempool {
  readonly #chain: Chain
  readonly #scripts: ScriptVerifier
  #pool = new Pool()

  constructor(chain: Chain, scripts: ScriptVerifier) {
    this.#chain = chain
    this.#scripts = scripts
  }
  get pool(): Pool {
    return this.#pool
  }

  /**
   * What would become of the transaction; changes nothing (RN-8). Checks in Core's order,
   * signatures last.
   */
  judge(tx: Transaction, nowSeconds: number): Judged {
    const offer = { tx, id: txid(tx), witnessId: wtxid(tx) }
    const flaw = this.#contextFree(offer)
    if (flaw !== undefined) return refused(flaw)
    const context = this.#chain.nextContext()
    const spent = checkInputs(
      tx,
      { get: (key) => this.#coin(key, tx, context.height) },
      context.height,
    )
    if (spent.type === 'refused')
      return this.#known(offer.id) ? refused('txn-already-known') : spent
    if (!sequenceLocksHold(tx, spent.coins, context)) return refused('non-BIP68-final')
    const sigopsCost = sigopCost(tx, spent.coins)
    const vsize = policyVsize(tx, sigopsCost)
    const entry: MempoolEntry = {
      transaction: tx,
      txid: offer.id,
      wtxid: offer.witnessId,
      fee: spent.fee,
      vsize,
      sigopsCost,
      time: nowSeconds,
    }
    const conflicts = this.#conflicts(tx)
    const replaced = this.#pool.withDescendants(conflicts)
    const reason =
      checkStandardInputs(tx, spent.coins) ??
      (sigopsCost > SIGOPS_COST_STANDARD_MAX ? 'bad-txns-too-many-sigops' : undefined) ??
      checkRelayFee(entry) ??
      this.#chainFault(entry, replaced) ??
      this.#replacementFault(entry, conflicts, replaced) ??
      this.#scripts.standardFault(tx, spent.coins)
    return reason === undefined ? { type: 'acceptable', entry, replaced } : refused(reason)
  }

  add(tx: Transaction, nowSeconds: number): Judged {
    const judged = this.judge(tx, nowSeconds)
    if (judged.type === 'refused') return judged
    for (const entry of judged.replaced) this.#pool.remove(entry)
    this.#pool.add(judged.entry)
    this.#trim()
    return this.#pool.byTxid(judged.entry.txid) === undefined ? refused('mempool full') : judged
  }

  /**
   * The blocks joined the chain: what they confirm leaves, and what they contradict with all its
   * children.
   */
  confirm(blocks: readonly Block[], nowSeconds: number): void {
    for (const tx of blocks.flatMap(({ transactions }) => transactions)) {
      const entry = this.#pool.byTxid(txid(tx))
      if (entry !== undefined) this.#pool.remove(entry)
      this.#removeAll(this.#conflicts(tx))
    }
    const old = this.#pool.entries().filter(({ time }) => time < nowSeconds - MEMPOOL_EXPIRY_S)
    this.#removeAll(old)
  }

  /**
   * After blocks left the chain: every entry is judged anew, after the transactions that come back.
   */
  rebuild(returned: readonly Transaction[], nowSeconds: number): void {
    const before = this.#pool.entries()
    this.#pool = new Pool()
    for (const tx of returned) if (!isCoinbase(tx)) this.add(tx, nowSeconds)
    for (const { transaction, time } of before) this.add(transaction, time)
  }

  #removeAll(entries: readonly MempoolEntry[]): void {
    for (const entry of this.#pool.withDescendants(entries)) this.#pool.remove(entry)
  }

  /** Rules that need no coins. */
  #contextFree({ tx, id, witnessId }: Offer): string | undefined {
    const flaw = checkTransaction(tx)
    if (flaw !== undefined) return flaw
    if (isCoinbase(tx)) return 'coinbase'
    const nonstandard = checkStandard(tx)
    if (nonstandard !== undefined) return nonstandard
    if (!isFinal(tx, this.#chain.nextContext())) return 'non-final'
    if (this.#pool.find(witnessId) !== undefined) return 'txn-already-in-mempool'
    return this.#pool.byTxid(id) === undefined ? undefined : 'txn-same-nonwitness-data-in-mempool'
  }

  /**
   * An output of the chain or of an entry, spent by another entry or not: that is a replacement.
   */
  #coin(key: string, tx: Transaction, height: number): Coin | undefined {
    const confirmed = this.#chain.coins.get(key)
    if (confirmed !== undefined) return confirmed
    const outpoint = tx.inputs.find((input) => outpointKey(input.outpoint) === key)?.outpoint
    const parent = outpoint === undefined ? undefined : this.#pool.byTxid(outpoint.txid)
    const output = parent?.transaction.outputs[outpoint?.vout ?? 0]
    return output === undefined ? undefined : { ...output, height, coinbase: false }
  }

  #known(id: Txid): boolean {
    return this.#chain.heightOf(id) !== undefined
  }

  #conflicts(tx: Transaction): readonly MempoolEntry[] {
    const found = tx.inputs.map(({ outpoint }) => this.#pool.spender(outpoint))
    return [...new Set(found)].filter((entry) => entry !== undefined)
  }

  /** Limits on ancestors, and on the descendants of each of them. */
  #chainFault(entry: MempoolEntry, replaced: ReadonlySet<MempoolEntry>): string | undefined {
    const ancestors = this.#pool.ancestors(entry.transaction)
    for (const ancestor of ancestors)
      if (replaced.has(ancestor)) return 'bad-txns-spends-conflicting-tx'
    if (isTooLong([entry, ...ancestors])) return 'too-long-mempool-chain'
    for (const ancestor of ancestors) {
      const family = [...this.#pool.withDescendants([ancestor])].filter((e) => !replaced.has(e))
      if (isTooLong([entry, ...family])) return 'too-long-mempool-chain'
    }
    return undefined
  }

  /** §10.6: full replacement; signalling is not asked for. */
  #replacementFault(
    entry: MempoolEntry,
    conflicts: readonly MempoolEntry[],
    replaced: ReadonlySet<MempoolEntry>,
  ): string | undefined {
    if (conflicts.length === 0) return undefined
    const rejecting = `insufficient fee, rejecting replacement ${toDisplayHex(entry.txid)}`
    if (conflicts.some((conflict) => !paysMore(entry, conflict)))
      return `${rejecting}; new feerate is not higher than that of every conflict`
    if (replaced.size > REPLACED_MAX) return 'too many potential replacements'
    const ownBefore = new Set(
      conflicts.flatMap((conflict) => this.#pool.parents(conflict.transaction)),
    )
    if (this.#pool.parents(entry.transaction).some((parent) => !ownBefore.has(parent)))
      return 'replacement-adds-unconfirmed'
    const fees = [...replaced].reduce((sum, { fee }) => sum + fee, 0n)
    if (entry.fee < fees)
      return `${rejecting}, less fees than conflicting txs; ${compare(entry.fee, fees)}`
    const extra = entry.fee - fees
    const needed = relayFeeMin(entry.vsize)
    return extra < needed
      ? `${rejecting}, not enough additional fees to relay; ${compare(extra, needed)}`
      : undefined
  }

  /** Drops what pays least, with all that builds on it, until the rest fits. */
  #trim(): void {
    while (this.#pool.vsize > MEMPOOL_VSIZE_MAX) {
      const [first, ...others] = this.#pool.entries()
      if (first === undefined) return
      this.#removeAll([others.reduce((low, entry) => (paysMore(low, entry) ? entry : low), first)])
    }
  }
}

const compare = (found: bigint, needed: bigint): string =>
  `${formatBtc(found)} < ${formatBtc(needed)}`

function checkRelayFee({ fee, vsize }: MempoolEntry): string | undefined {
  const needed = relayFeeMin(vsize)
  return fee < needed ? `min relay fee not met, ${fee} < ${needed}` : undefined
}

const isTooLong = (entries: readonly MempoolEntry[]): boolean =>
  entries.length > CHAIN_COUNT_MAX ||
  entries.reduce((sum, { vsize }) => sum + vsize, 0) > CHAIN_VSIZE_MAX
