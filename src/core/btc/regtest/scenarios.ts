/**
 * What can happen to a chain, as functions for tests: double spends and fee pressure, beside what
 * the node offers itself. The same seed and calls give the same chain. Source: RN-16, RN-17, RN-19.
 */
import type { BlockHash, Txid } from '../../base/bytes.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { Seed } from '../../base/seed.ts'
import { sat } from '../../base/units.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { transactionFromParts, vsize } from '../transaction.ts'
import type { CongestionOptions, Funds } from './congestion.ts'
import { Congestion } from './congestion.ts'
import { feeAt, rateOf, SATS_PER_KVB } from './fee-rate.ts'
import type { Refused, RegtestNode } from './node.ts'
import { INCREMENTAL_RATE_SAT_PER_KVB } from './replacement.ts'

export type ScenarioOptions = {
  readonly node: RegtestNode
  readonly funds: Funds
  readonly seed: Seed
  /** Unix seconds. */
  readonly now: () => number
}

export type DoubleSpent =
  | {
      readonly type: 'doubleSpent'
      readonly txid: Txid
      /** Blocks that were replaced for it; it is confirmed then. */
      readonly depth: number
    }
  | Refused

const RATE_SAT_PER_VB = 2n
/** A signature may come out longer than the one of the draft. */
const SIGNATURE_SPARE_BYTES = 2

const refused = (reason: string): Refused => ({ type: 'refused', reason })

export class Scenarios {
  readonly #options: ScenarioOptions
  readonly #congestion: Congestion

  constructor(options: ScenarioOptions) {
    this.#options = options
    this.#congestion = new Congestion(options.node, options.funds, options.seed)
  }

  /** As the node mines; fee pressure goes on from block to block. */
  mine(count: number): readonly BlockHash[] {
    const { node, funds, now } = this.#options
    return Array.from({ length: count }, () => {
      const hashes = node.mine(1, funds.script, now())
      this.#congestion.blockCame(now())
      return hashes
    }).flat()
  }

  /** RN-17. */
  congest(options: CongestionOptions): Refused | undefined {
    return this.#congestion.start(options, this.#options.now())
  }
  uncongest(): void {
    this.#congestion.end()
  }

  /**
   * Spends the coins of a transaction otherwise (RN-16): in its place if it waits, else in a chain
   * that replaces the one it is confirmed in. All its coins must be ours.
   */
  doubleSpend(
    id: Txid,
    {
      to = this.#options.funds.script,
      rateSatPerVb = RATE_SAT_PER_VB,
    }: { readonly to?: Uint8Array; readonly rateSatPerVb?: bigint } = {},
  ): DoubleSpent {
    const { node, funds, now } = this.#options
    const found = node.transaction(id)
    if (found === undefined) return refused('the transaction is not known')
    const spent = found.transaction.inputs.flatMap(({ outpoint }) => {
      const source = node.transaction(outpoint.txid)?.transaction
      return source?.outputs[outpoint.vout] ?? []
    })
    const isOurs = ({ script }: TxOut): boolean => equalBytes(script, funds.script)
    if (spent.length < found.transaction.inputs.length || !spent.every(isOurs))
      return refused('the transaction spends coins of others')
    const rival = this.#rivalOf(found.transaction, spent, { to, rateSatPerVb })
    if (rival === undefined) return refused('its coins do not pay for another transaction')
    const depth = found.confirmations
    if (depth > 0) {
      const job = { dropTransactions: false, payToScript: funds.script, nowSeconds: now() }
      const reply = node.reorganise(depth, { ...job, drop: [id] })
      if (reply.type === 'refused') return reply
    }
    const reply = node.submit(rival, now())
    if (reply.type === 'refused') return reply
    if (depth > 0) this.mine(1)
    return { type: 'doubleSpent', txid: reply.txid, depth }
  }

  /** Spends the same coins into one output, for more than the mempool would lose. */
  #rivalOf(
    { inputs }: Transaction,
    spent: readonly TxOut[],
    { to, rateSatPerVb }: { readonly to: Uint8Array; readonly rateSatPerVb: bigint },
  ): Transaction | undefined {
    const { node, funds } = this.#options
    const total = spent.reduce((sum, { value }) => sum + value, 0n)
    const spend = (value: bigint): Transaction => {
      const outputs = [{ value: sat(value), script: to }]
      const coins = inputs.map(({ outpoint }) => ({ outpoint }))
      return funds.sign(transactionFromParts({ inputs: coins, outputs }), spent)
    }
    const size = vsize(spend(0n)) + SIGNATURE_SPARE_BYTES * inputs.length
    const conflicts = node.mempool().filter(({ transaction }) => sharesCoin(transaction, inputs))
    const lost = conflicts.reduce((sum, entry) => sum + node.family(entry).descendants.fee, 0n)
    const least = conflicts.length === 0 ? 0n : lost + feeAt(INCREMENTAL_RATE_SAT_PER_KVB, size)
    const above = conflicts.map((entry) => feeAt(rateOf(entry) + SATS_PER_KVB, size))
    const fee = [rateSatPerVb * BigInt(size), least, ...above].reduce((a, b) => (a > b ? a : b))
    return fee < total ? spend(total - fee) : undefined
  }
}

const sharesCoin = (transaction: Transaction, inputs: Transaction['inputs']): boolean =>
  transaction.inputs.some(({ outpoint: a }) =>
    inputs.some(({ outpoint: b }) => a.vout === b.vout && equalBytes(a.txid, b.txid)),
  )
