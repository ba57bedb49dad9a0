/**
 * Fee pressure for tests: keeps the mempool filled with transactions of chosen rates and the blocks
 * small, so that low fees wait and percentiles move. Source: RN-17, RN-19.
 */
import type { Txid } from '../../base/bytes.ts'
import type { Generator, Seed } from '../../base/seed.ts'
import { sat } from '../../base/units.ts'
import { dustThreshold, opReturnScript, p2aScript } from '../script.ts'
import type { OutPoint, Transaction, TxOut } from '../transaction.ts'
import { transactionFromParts, txid, vsize, WITNESS_SCALE } from '../transaction.ts'
import type { Refused, RegtestNode } from './node.ts'
import { WEIGHT_RESERVED } from './template.ts'

export type OwnCoin = { readonly outpoint: OutPoint; readonly value: bigint }

/** Somebody who has coins, and signs for them. */
export interface Funds {
  readonly script: Uint8Array
  /** Those that can be spent in the next block. */
  coins(): readonly OwnCoin[]
  /** `spent` are the outputs of the inputs, all of them to `script`. */
  sign(transaction: Transaction, spent: readonly TxOut[]): Transaction
}

export type CongestionOptions = {
  /** Whole satoshi per virtual byte: fillers pay rates from the first to the second. */
  readonly rates: readonly [min: number, max: number]
  /** After so many blocks it ends by itself. */
  readonly blocks: number
  /** 1, the default: as much waits as two blocks hold, and every block is full; 0.25: half full. */
  readonly fill?: number
  readonly blockWeightMax?: number
}

const BLOCK_WEIGHT = 40_000
/** Blocks' worth of fillers that wait at fill 1. */
const BLOCKS_WAITING = 2
const FUNDING_RATE = 5n
/** Anybody may spend it, so fillers need no signature. */
const FILLER_SCRIPT = p2aScript()
const FILLER_DATA = new Uint8Array(80)
const FILLERS_MAX = 5_000

export class Congestion {
  readonly #node: RegtestNode
  readonly #funds: Funds
  readonly #generator: Generator
  #options: CongestionOptions | undefined
  #blocksLeft = 0
  /** Coins that fillers may spend. */
  #free: OwnCoin[] = []
  /** Fillers on their way, and the coin that each makes. */
  #waiting: OwnCoin[] = []

  constructor(node: RegtestNode, funds: Funds, seed: Seed) {
    this.#node = node
    this.#funds = funds
    this.#generator = seed.derive('fillers').generator()
  }

  /** Mines one block, which makes the coins that fillers spend. */
  start(options: CongestionOptions, nowSeconds: number): Refused | undefined {
    this.end()
    const { rates, blocks, fill = 1, blockWeightMax = BLOCK_WEIGHT } = options
    const room = blockWeightMax - WEIGHT_RESERVED
    const perBlock = Math.floor(room / (fillerVsize() * WITNESS_SCALE))
    const count = Math.ceil(BLOCKS_WAITING * fill * perBlock)
    const [min, max] = rates
    if (!(count >= 1 && count <= FILLERS_MAX && min >= 1 && min <= max && blocks >= 1))
      return { type: 'refused', reason: `no congestion of ${count} fillers at ${min} to ${max}` }
    const value = dustThreshold(FILLER_SCRIPT) + BigInt(blocks + 1) * BigInt(max * fillerVsize())
    const funding = this.#fund(count, value)
    if (funding === undefined) return { type: 'refused', reason: 'the funds are too low' }
    const reply = this.#node.submit(funding, nowSeconds)
    if (reply.type === 'refused') return reply
    this.#node.mine(1, this.#funds.script, nowSeconds)
    this.#free = Array.from({ length: count }, (_, vout) => ({
      outpoint: { txid: reply.txid, vout },
      value,
    }))
    this.#node.blockWeightMax = blockWeightMax
    this.#options = options
    this.#blocksLeft = blocks
    this.#refill(options, nowSeconds)
    return undefined
  }

  /** To be told after every block: fills up what it has taken. */
  blockCame(nowSeconds: number): void {
    if (this.#options === undefined) return
    this.#blocksLeft -= 1
    if (this.#blocksLeft <= 0) {
      this.end()
      return
    }
    const mined = new Set(this.#waiting.filter(({ outpoint }) => this.#isMined(outpoint.txid)))
    this.#free.push(...mined)
    this.#waiting = this.#waiting.filter((coin) => !mined.has(coin))
    this.#refill(this.#options, nowSeconds)
  }

  /** Fillers leave the mempool, and blocks are as large as they may be. */
  end(): void {
    if (this.#options === undefined) return
    this.#options = undefined
    this.#node.blockWeightMax = undefined
    this.#node.forgetTransactions(this.#waiting.map(({ outpoint }) => outpoint.txid))
    this.#free = []
    this.#waiting = []
  }

  #isMined(id: Txid): boolean {
    return this.#node.transaction(id)?.height !== undefined
  }

  #refill({ rates: [min, max] }: CongestionOptions, nowSeconds: number): void {
    for (const coin of this.#free) {
      const [word = 0] = this.#generator.words(1)
      const rate = min + (word % (max - min + 1))
      const filler = fillerOf(coin, coin.value - BigInt(rate * fillerVsize()))
      if (this.#node.submit(filler, nowSeconds).type === 'refused') continue // Spent by somebody.
      const value = filler.outputs[0]?.value ?? 0n
      this.#waiting.push({ outpoint: { txid: txid(filler), vout: 0 }, value })
    }
    this.#free = []
  }

  /** Pays `count` coins of `value` that anybody may spend, with change. */
  #fund(count: number, value: bigint): Transaction | undefined {
    const wanted = BigInt(count) * value
    const outputs = Array.from({ length: count }, () => ({
      value: sat(value),
      script: FILLER_SCRIPT,
    }))
    const coins: OwnCoin[] = []
    let available = 0n
    for (const coin of this.#funds.coins()) {
      coins.push(coin)
      available += coin.value
      if (available < wanted) continue
      const pay = (change: bigint): Transaction =>
        this.#spend(coins, [...outputs, this.#own(change)])
      const fee = FUNDING_RATE * BigInt(vsize(pay(available - wanted)))
      const change = available - wanted - fee
      if (change >= dustThreshold(this.#funds.script)) return pay(change)
    }
    return undefined
  }

  #own(value: bigint): TxOut {
    return { value: sat(value), script: this.#funds.script }
  }

  #spend(coins: readonly OwnCoin[], outputs: readonly TxOut[]): Transaction {
    const draft = transactionFromParts({
      inputs: coins.map(({ outpoint }) => ({ outpoint })),
      outputs,
    })
    return this.#funds.sign(
      draft,
      coins.map(({ value }) => this.#own(value)),
    )
  }
}

const fillerOf = ({ outpoint }: OwnCoin, value: bigint): Transaction =>
  transactionFromParts({
    inputs: [{ outpoint }],
    outputs: [
      { value: sat(value), script: FILLER_SCRIPT },
      { value: sat(0n), script: opReturnScript(FILLER_DATA) },
    ],
  })

/** All fillers are of one size. */
const fillerVsize = (): number =>
  vsize(fillerOf({ outpoint: { txid: txid(EMPTY), vout: 0 }, value: 0n }, 0n))

const EMPTY = transactionFromParts({ inputs: [], outputs: [] })
