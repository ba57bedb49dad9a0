/**
 * The mempool: which unconfirmed transactions are kept, and which replace others. Source: RN-7,
 * RN-8, `docs/spec/bitcoin.md` §10.6; checks and words of Bitcoin Core 28.
 */
import type { Hash32, Txid } from '../../base/bytes.ts'
import { equalBytes, toDisplayHex, toHex } from '../../base/bytes.ts'
import type { Block } from '../block.ts'
import type { Transaction } from '../transaction.ts'
import {
  checkTransaction,
  isCoinbase,
  outpointKey,
  strippedSize,
  txid,
  wtxid,
} from '../transaction.ts'
import type { Chain } from './chain.ts'
import { ancestorsWithinLimits } from './chain-limits.ts'
import type { Coin } from './coins.ts'
import { feeAt, paysMore, rateOf, SATS_PER_KVB } from './fee-rate.ts'
import { MinimumRate } from './minimum-rate.ts'
import {
  checkStandard,
  checkStandardInputs,
  policyVsize,
  RELAY_RATE_MIN_SAT_PER_VB,
  SIGOPS_COST_STANDARD_MAX,
  STRIPPED_SIZE_MIN,
} from './policy.ts'
import type { MempoolEntry } from './pool.ts'
import { Pool } from './pool.ts'
import { replacementFault } from './replacement.ts'
import type { ScriptVerifier } from './script-verifier.ts'
import { sigopCost } from './sigops.ts'
import type { SpendContext } from './spending.ts'
import { checkInputs, isFinal, sequenceLocksHold } from './spending.ts'
import { trucFault } from './truc.ts'

export const MEMPOOL_VSIZE_MAX = 50_000_000
/** Each takes some four kilobytes of memory beside its bytes. */
export const MEMPOOL_ENTRIES_MAX = 50_000
export const MEMPOOL_EXPIRY_S = 14 * 86_400
/** Between two searches for entries that have expired. */
const EXPIRY_STEP_S = 600

export type MempoolOptions = {
  /** What is below is not relayed; 1,000 by default. */
  readonly relayRateSatPerKvb?: bigint
  /** Entries together; 50,000,000 by default. */
  readonly vsizeMax?: number
  readonly entriesMax?: number
  /** Takes whatever a block may hold, as far as the script flags of policy let it. */
  readonly acceptNonstandard?: boolean
}

export type Judged =
  | {
      readonly type: 'acceptable'
      readonly entry: MempoolEntry
      /** Entries that the new one takes the place of, descendants included. */
      readonly replaced: ReadonlySet<MempoolEntry>
    }
  | {
      readonly type: 'refused'
      /** Core's reason, and after a comma its detail, as its RPC tells them. */
      readonly reason: string
      /** Transactions that nobody knows here and that would make it acceptable: an orphan's. */
      readonly missing?: readonly Txid[]
    }

type Offer = { readonly tx: Transaction; readonly id: Txid; readonly witnessId: Hash32 }
/** `returning`: a block held it, so nobody asks for its fee. */
type Rules = { readonly returning: boolean }

const refused = (reason: string) => ({ type: 'refused', reason }) as const

export class Mempool {
  readonly #chain: Chain
  readonly #scripts: ScriptVerifier
  #options: Required<MempoolOptions>
  readonly #minimum = new MinimumRate()
  #pool = new Pool()
  #expiryDue = 0

  constructor(chain: Chain, scripts: ScriptVerifier, options: MempoolOptions = {}) {
    this.#chain = chain
    this.#scripts = scripts
    this.#options = {
      relayRateSatPerKvb: RELAY_RATE_MIN_SAT_PER_VB * SATS_PER_KVB,
      vsizeMax: MEMPOOL_VSIZE_MAX,
      entriesMax: MEMPOOL_ENTRIES_MAX,
      acceptNonstandard: false,
      ...options,
    }
  }
  get pool(): Pool {
    return this.#pool
  }
  get vsizeMax(): number {
    return this.#options.vsizeMax
  }
  get relayRateSatPerKvb(): bigint {
    return this.#options.relayRateSatPerKvb
  }

  /** What a transaction has to pay now, in satoshi per 1,000 virtual bytes. */
  minimumRate(nowSeconds: number): bigint {
    const { relayRateSatPerKvb } = this.#options
    const dynamic = this.#dynamicRate(nowSeconds)
    return dynamic > relayRateSatPerKvb ? dynamic : relayRateSatPerKvb
  }

  /**
   * What would become of the transaction; changes nothing (RN-8). Checks in Core's order,
   * signatures last.
   */
  judge(tx: Transaction, nowSeconds: number, rules: Rules = { returning: false }): Judged {
    const offer = { tx, id: txid(tx), witnessId: wtxid(tx) }
    const flaw = this.#contextFree(offer)
    if (flaw !== undefined) return refused(flaw)
    const context = this.#chain.nextContext()
    const coins = this.#coinsOf(tx, context)
    if (coins.size < tx.inputs.length) return this.#unspendable(offer, coins)
    if (!sequenceLocksHold(tx, [...coins.values()], context)) return refused('non-BIP68-final')
    const spent = checkInputs(tx, coins, context.height)
    if (spent.type === 'refused') return spent
    const sigopsCost = sigopCost(tx, spent.coins)
    const entry: MempoolEntry = {
      transaction: tx,
      txid: offer.id,
      wtxid: offer.witnessId,
      fee: spent.fee,
      vsize: policyVsize(tx, sigopsCost),
      sigopsCost,
      time: nowSeconds,
    }
    const reason =
      (this.#options.acceptNonstandard ? undefined : checkStandardInputs(tx, spent.coins)) ??
      checkSigops(sigopsCost) ??
      (rules.returning ? undefined : this.#checkFee(entry, nowSeconds))
    if (reason !== undefined) return refused(reason)
    const place = this.#place(entry)
    if (place.type === 'refused') return place
    const fault = this.#scripts.standardFault(tx, spent.coins)
    return fault === undefined ? place : refused(fault)
  }

  /** Takes the transaction, unless it is refused. */
  add(tx: Transaction, nowSeconds: number, rules?: Rules): Judged {
    const judged = this.judge(tx, nowSeconds, rules)
    if (judged.type === 'refused') return judged
    this.#pool.remove(judged.replaced)
    this.#pool.add(judged.entry)
    this.#expire(nowSeconds)
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
      if (entry !== undefined) this.#pool.confirm(entry)
      this.#pool.remove(this.#conflicts(tx))
    }
    if (blocks.length > 0) {
      this.#dynamicRate(nowSeconds) // It has declined until now, whether anybody asked or not.
      this.#minimum.blockCame(nowSeconds)
    }
    this.#expiryDue = 0
    this.#expire(nowSeconds)
  }

  /**
   * After blocks left the chain: what they held comes back, whatever it pays, and every entry is
   * judged anew.
   */
  rebuild(returned: readonly Transaction[], nowSeconds: number): void {
    const before = this.#pool.entries()
    const rules = { returning: true }
    this.#pool = new Pool()
    for (const tx of returned) if (!isCoinbase(tx)) this.add(tx, nowSeconds, rules)
    const context = this.#chain.nextContext()
    for (const entry of before) this.#readmit(entry, context)
    this.#trim()
  }

  /** What the chain has no part in was judged when the entry came. */
  #readmit(entry: MempoolEntry, context: SpendContext): void {
    const { transaction: tx } = entry
    const spent = checkInputs(tx, this.#coinsOf(tx, context), context.height)
    if (spent.type === 'refused' || !isFinal(tx, context)) return
    if (!sequenceLocksHold(tx, spent.coins, context)) return
    const place = this.#place(entry)
    if (place.type === 'refused') return
    this.#pool.remove(place.replaced)
    this.#pool.add(entry)
  }

  /** Takes out entries by their txids, with all that build on them. */
  drop(ids: readonly Txid[]): void {
    this.#pool.remove(ids.flatMap((id) => this.#pool.byTxid(id) ?? []))
  }

  /**
   * From now on nothing cheaper is taken; what pays less leaves, with all that builds on it, as it
   * does where a node of Core is started anew with a higher minimum. Gives what has left.
   */
  setRelayRate(relayRateSatPerKvb: bigint): readonly Txid[] {
    this.#options = { ...this.#options, relayRateSatPerKvb }
    const before = this.#pool.entries()
    this.#pool.remove(before.filter(({ fee, vsize }) => fee < feeAt(relayRateSatPerKvb, vsize)))
    return before.map(({ txid: id }) => id).filter((id) => this.#pool.byTxid(id) === undefined)
  }

  /** Rules that need no coins. */
  #contextFree({ tx, id, witnessId }: Offer): string | undefined {
    const flaw = checkTransaction(tx)
    if (flaw !== undefined) return flaw
    if (isCoinbase(tx)) return 'coinbase'
    const nonstandard = this.#options.acceptNonstandard ? undefined : checkStandard(tx)
    if (nonstandard !== undefined) return nonstandard
    if (isTooSmall(tx)) return 'tx-size-small'
    if (!isFinal(tx, this.#chain.nextContext())) return 'non-final'
    const same = this.#pool.byTxid(id)
    if (same === undefined) return undefined
    return equalBytes(same.wtxid, witnessId)
      ? 'txn-already-in-mempool'
      : 'txn-same-nonwitness-data-in-mempool'
  }

  /**
   * By `outpointKey`, in the order of the inputs: outputs of the chain and of entries, spent by
   * another entry or not: that is a replacement. What nobody here knows is left out.
   */
  #coinsOf(tx: Transaction, { height }: SpendContext): ReadonlyMap<string, Coin> {
    const found = new Map<string, Coin>()
    for (const { outpoint } of tx.inputs) {
      const key = outpointKey(outpoint)
      const confirmed = this.#chain.coins.get(key)
      const parent = confirmed === undefined ? this.#pool.byTxid(outpoint.txid) : undefined
      const output = parent?.transaction.outputs[outpoint.vout]
      const coin = confirmed ?? (output && { ...output, height, coinbase: false })
      if (coin !== undefined) found.set(key, coin)
    }
    return found
  }

  /** It may be in the chain already, or wait for transactions that are still to come. */
  #unspendable({ tx, id }: Offer, coins: ReadonlyMap<string, Coin>): Judged {
    const reason = 'bad-txns-inputs-missingorspent'
    const isUnspent = (vout: number): boolean =>
      this.#chain.coins.get(outpointKey({ txid: id, vout })) !== undefined
    if (tx.outputs.some((_, vout) => isUnspent(vout))) return refused('txn-already-known')
    const lacking = tx.inputs
      .map(({ outpoint }) => outpoint)
      .filter((outpoint) => !coins.has(outpointKey(outpoint)))
    const missing = new Map(lacking.map((outpoint) => [toHex(outpoint.txid), outpoint.txid]))
    // What a known transaction does not have, or has no more, never comes.
    const isHopeless = [...missing.values()].some(
      (parent) =>
        this.#chain.heightOf(parent) !== undefined || this.#pool.byTxid(parent) !== undefined,
    )
    return isHopeless ? refused(reason) : { ...refused(reason), missing: [...missing.values()] }
  }

  #conflicts(tx: Transaction): readonly MempoolEntry[] {
    const found = tx.inputs.map(({ outpoint }) => this.#pool.spender(outpoint))
    return [...new Set(found)].filter((entry) => entry !== undefined)
  }

  /** Whether there is room for it beside its family, or in the place of others. */
  #place(entry: MempoolEntry): Judged {
    const direct = this.#conflicts(entry.transaction)
    const found = ancestorsWithinLimits(this.#pool, entry, direct)
    if (found.type === 'exceeded') return refused(`too-long-mempool-chain, ${found.detail}`)
    const { ancestors } = found
    const truc = trucFault(this.#pool, { entry, ancestors, conflicts: direct })
    if (truc !== undefined && truc.sibling === undefined)
      return refused(`TRUC-violation, ${truc.detail}`)
    const conflicts = truc?.sibling === undefined ? direct : [...direct, truc.sibling]
    for (const ancestor of ancestors)
      if (conflicts.includes(ancestor))
        return refused(
          `bad-txns-spends-conflicting-tx, ${toDisplayHex(entry.txid)} spends conflicting ` +
            `transaction ${toDisplayHex(ancestor.txid)}`,
        )
    const isSiblingEviction = truc !== undefined
    const fault = replacementFault(this.#pool, { entry, conflicts, isSiblingEviction })
    if (fault !== undefined) return refused(fault)
    return { type: 'acceptable', entry, replaced: this.#pool.withDescendants(conflicts) }
  }

  #checkFee({ fee, vsize }: MempoolEntry, nowSeconds: number): string | undefined {
    const dynamic = feeAt(this.#dynamicRate(nowSeconds), vsize)
    if (fee < dynamic) return `mempool min fee not met, ${fee} < ${dynamic}`
    const needed = feeAt(this.#options.relayRateSatPerKvb, vsize)
    return fee < needed ? `min relay fee not met, ${fee} < ${needed}` : undefined
  }

  #dynamicRate(nowSeconds: number): bigint {
    return this.#minimum.at(nowSeconds, this.#usage)
  }

  /** How full it is: 1 at the limit that is nearer. */
  get #usage(): number {
    const { vsizeMax, entriesMax } = this.#options
    return Math.max(this.#pool.vsize / vsizeMax, this.#pool.size / entriesMax)
  }

  #expire(nowSeconds: number): void {
    if (nowSeconds < this.#expiryDue) return
    this.#expiryDue = nowSeconds + EXPIRY_STEP_S
    const oldest = nowSeconds - MEMPOOL_EXPIRY_S
    this.#pool.remove(this.#pool.entries().filter(({ time }) => time < oldest))
  }

  /** Drops what pays least, with all that builds on it, until the rest fits. */
  #trim(): void {
    while (this.#usage > 1) {
      const worst = worstOf(this.#pool)
      if (worst === undefined) return
      this.#minimum.raise(rateOf(this.#pool.family(worst).descendants))
      this.#pool.remove([worst])
    }
  }
}

const isTooSmall = (tx: Transaction): boolean => strippedSize(tx) < STRIPPED_SIZE_MIN

const checkSigops = (cost: number): string | undefined =>
  cost > SIGOPS_COST_STANDARD_MAX ? `bad-txns-too-many-sigops, ${cost}` : undefined

/** By its own rate or that of its descendants, whichever is higher; of equals the younger. */
function worstOf(pool: Pool): MempoolEntry | undefined {
  let worst: { readonly entry: MempoolEntry; readonly score: Paid } | undefined
  for (const { entry, descendants } of pool.members()) {
    const score = paysMore(descendants, entry) ? descendants : entry
    if (worst === undefined || !paysMore(score, worst.score)) worst = { entry, score }
  }
  return worst?.entry
}

type Paid = Parameters<typeof rateOf>[0]
