/**
 * A Bitcoin network for histories of the minter: blocks that can be left again, a mempool with a
 * minimum rate and replacement (BIP125), inputs of the minter checked as a node checks them. Source:
 * minter §18.7; bitcoin §§5, 9. For tests only.
 */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js'
import { toHex } from '../../../src/core/base/bytes.ts'
import { assert } from '../../../src/core/base/errors.ts'
import { hash160 } from '../../../src/core/base/hash.ts'
import type { Sat } from '../../../src/core/base/units.ts'
import { sat } from '../../../src/core/base/units.ts'
import { p2wpkhScript } from '../../../src/core/btc/script.ts'
import { scriptCodeOfKeyHash, segwitSighash } from '../../../src/core/btc/sighash.ts'
import { compactOfDer, isLowS } from '../../../src/core/btc/signature.ts'
import type { OutPoint, Transaction } from '../../../src/core/btc/transaction.ts'
import { outpointKey, txid as txidOf, vsize } from '../../../src/core/btc/transaction.ts'

export type ChainCoin = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly height: number
  /** Hexadecimal. */
  readonly script: string
}

/** A transaction with what is asked of it again and again. */
export type Known = {
  readonly id: string
  readonly transaction: Transaction
  /** Outpoint keys. */
  readonly spends: readonly string[]
  readonly vsize: bigint
}

/** A block with the state that it leads to. */
export type Tip = {
  readonly parent: Tip | undefined
  readonly height: number
  readonly transactions: readonly Known[]
  readonly coins: ReadonlyMap<string, ChainCoin>
  /** Heights by txid. */
  readonly confirmed: ReadonlyMap<string, number>
}

/** Anyone can spend it: the wallets of users are of this script. */
export const WALLET_SCRIPT = Uint8Array.of(0x51)
const WALLET = toHex(WALLET_SCRIPT)
const WITNESS_KEY_HASH = '0014'
/** Nodes relay nothing below, msat/vB; a replacement pays as much for itself. */
const RELAY_RATE = 1_000n

export function known(transaction: Transaction): Known {
  return {
    id: toHex(txidOf(transaction)),
    transaction,
    spends: transaction.inputs.map(({ outpoint }) => outpointKey(outpoint)),
    vsize: BigInt(vsize(transaction)),
  }
}

const sumOf = (values: Iterable<{ readonly value: bigint }>): bigint => {
  let sum = 0n
  for (const { value } of values) sum += value
  return sum
}

/** The block so far below a tip; the first one where there are not as many. */
export function ancestor(tip: Tip, depth: number): Tip {
  let block = tip
  for (let i = 0; i < depth; i++) block = block.parent ?? block
  return block
}

export const isBelow = (tip: Tip, other: Tip): boolean =>
  tip.height <= other.height && ancestor(other, other.height - tip.height) === tip

type Waiting = { readonly known: Known; readonly fee: bigint }

export class HistoryChain {
  tip: Tip
  readonly mempool = new Map<string, Waiting>()
  /** Below it the mempool takes nothing now, msat/vB. */
  mempoolRate = RELAY_RATE
  /** Miners take nothing below it, msat/vB. */
  minedRate = 0n
  /** Never mined: it would undo what is final for the minter. */
  isBarred: (transaction: Known) => boolean = () => false
  readonly #valid = new Map<string, boolean>()
  /** Of the wallets, in the order made. */
  readonly payments: Known[] = []
  /** Coins of the wallets that a payment was made of, whatever became of it. */
  readonly #used = new Set<string>()

  constructor(coins: readonly bigint[]) {
    const grants = coins.map((value, i) => {
      const outpoint = { txid: txidOf(grant(i)), vout: 0 }
      return [outpointKey(outpoint), { outpoint, value: sat(value), height: 1, script: WALLET }]
    }) as (readonly [string, ChainCoin])[]
    this.tip = {
      parent: undefined,
      height: 1,
      transactions: [],
      coins: new Map(grants),
      confirmed: new Map(),
    }
    for (let i = 0; i < 100; i++) this.#append([])
  }

  get height(): number {
    return this.tip.height
  }

  #append(transactions: readonly Known[]): void {
    const parent = this.tip
    const height = parent.height + 1
    if (transactions.length === 0) {
      this.tip = { ...parent, parent, height, transactions }
      return
    }
    const coins = new Map(parent.coins)
    const confirmed = new Map(parent.confirmed)
    for (const { id, transaction, spends } of transactions) {
      for (const key of spends) assert(coins.delete(key), 'a block spends what is there')
      confirmed.set(id, height)
      const txid = transaction.inputs.length > 0 ? txidOf(transaction) : undefined
      transaction.outputs.forEach(({ value, script }, vout) => {
        if (txid === undefined) return
        const outpoint = { txid, vout }
        coins.set(outpointKey(outpoint), { outpoint, value, height, script: toHex(script) })
      })
    }
    this.tip = { parent, height, transactions, coins, confirmed }
  }

  /** Fee of a transaction on top of these coins; undefined where it is not valid there. */
  #feeOn(
    coins: (key: string) => Pick<ChainCoin, 'value' | 'script'> | undefined,
    each: Known,
  ): bigint | undefined {
    const spent = each.spends.map(coins)
    let total = 0n
    for (const [index, coin] of spent.entries()) {
      if (coin === undefined || !this.#isUnlocked(each, index, coin)) return undefined
      total += coin.value
    }
    const fee = total - sumOf(each.transaction.outputs)
    return fee < 0n || new Set(each.spends).size < each.spends.length ? undefined : fee
  }

  #isUnlocked(each: Known, index: number, coin: Pick<ChainCoin, 'value' | 'script'>): boolean {
    if (coin.script === WALLET) return true
    if (!coin.script.startsWith(WITNESS_KEY_HASH)) return false
    const { witness } = each.transaction.inputs[index] ?? { witness: [] }
    const name = `${each.id}:${index}:${witness.map(toHex).join()}`
    const before = this.#valid.get(name)
    const isValid = before ?? isSignedFor(each.transaction, index, coin)
    this.#valid.set(name, isValid)
    return isValid
  }

  #pending(key: string): Pick<ChainCoin, 'value' | 'script'> | undefined {
    const [txid = '', vout = ''] = key.split(':')
    const output = this.mempool.get(txid)?.known.transaction.outputs[Number(vout)]
    return output && { value: output.value, script: toHex(output.script) }
  }

  /** Why a node would not relay it; undefined: it is in the mempool now, or in the chain. */
  offer(each: Known): string | undefined {
    if (this.mempool.has(each.id) || this.tip.confirmed.has(each.id)) return undefined
    if (this.isBarred(each)) return 'barred'
    const fee = this.#feeOn((key) => this.tip.coins.get(key) ?? this.#pending(key), each)
    if (fee === undefined) return 'not valid'
    const rate = (fee * 1_000n) / each.vsize
    if (rate < this.mempoolRate) return 'fee below the minimum of the mempool'
    const rivals = [...this.mempool.values()].filter(({ known }) =>
      known.spends.some((key) => each.spends.includes(key)),
    )
    const gone = new Map(rivals.flatMap(({ known: { id } }) => this.#withChildren(id)))
    const replaced = [...gone.values()].reduce((sum, waiting) => sum + waiting.fee, 0n)
    const isPaid = (fee - replaced) * 1_000n >= RELAY_RATE * each.vsize
    const isBetter = rivals.every((rival) => fee * rival.known.vsize > rival.fee * each.vsize)
    if (rivals.length > 0 && !(isPaid && isBetter)) return 'pays too little to replace'
    for (const id of gone.keys()) this.mempool.delete(id)
    this.mempool.set(each.id, { known: each, fee })
    return undefined
  }

  #withChildren(id: string): (readonly [string, Waiting])[] {
    const waiting = this.mempool.get(id)
    if (waiting === undefined) return []
    const children = [...this.mempool.keys()].filter((other) =>
      this.mempool.get(other)?.known.spends.some((key) => key.startsWith(`${id}:`)),
    )
    return [[id, waiting], ...children.flatMap((child) => this.#withChildren(child))]
  }

  /** Nodes restart with a higher minimum, or forget: what pays less is gone. */
  evict(isKept: (waiting: Waiting) => boolean): void {
    for (const [id, waiting] of [...this.mempool])
      if (!isKept(waiting)) for (const [gone] of this.#withChildren(id)) this.mempool.delete(gone)
  }

  /** A block with what miners choose of the mempool, and before that what `first` names. */
  mine(isChosen: (each: Known) => boolean = () => true, first: readonly Known[] = []): void {
    const block: Known[] = []
    const made = new Map<string, Pick<ChainCoin, 'value' | 'script'>>()
    const spent = new Set<string>()
    const coins = (key: string) =>
      spent.has(key) ? undefined : (made.get(key) ?? this.tip.coins.get(key))
    const take = (each: Known): void => {
      if (this.tip.confirmed.has(each.id) || this.isBarred(each)) return
      if (block.some(({ id }) => id === each.id)) return
      if (this.#feeOn(coins, each) === undefined) return
      block.push(each)
      for (const key of each.spends) spent.add(key)
      each.transaction.outputs.forEach(({ value, script }, vout) => {
        made.set(`${each.id}:${vout}`, { value, script: toHex(script) })
      })
    }
    first.forEach(take)
    for (const { known: each, fee } of this.mempool.values())
      if (fee * 1_000n >= this.minedRate * each.vsize && isChosen(each)) take(each)
    this.#append(block)
    this.#tidy()
  }

  /** Out of the mempool: what is in the chain, and what can never be there any more. */
  #tidy(): void {
    const { coins, confirmed } = this.tip
    this.evict(
      ({ known: { id, spends } }) =>
        !confirmed.has(id) && spends.every((key) => coins.has(key) || this.#pending(key)),
    )
    for (const id of confirmed.keys()) this.mempool.delete(id)
  }

  /**
   * `depth` blocks leave the chain for one block more: `first` is in the first of them; of what they
   * held the mempool takes back what `isKept` says.
   */
  reorganise(
    depth: number,
    {
      first = [],
      isKept = () => true,
      blocks = depth + 1,
    }: {
      readonly first?: readonly Known[]
      readonly isKept?: (each: Known) => boolean
      readonly blocks?: number
    } = {},
  ): void {
    const left: Known[] = []
    for (let block = this.tip, i = 0; i < depth; i++, block = block.parent ?? block)
      left.unshift(...block.transactions)
    this.tip = ancestor(this.tip, depth)
    const waiting = [...this.mempool.values()].map((each) => each.known)
    this.mempool.clear()
    this.mine(() => false, first)
    for (const each of left.filter(isKept)) this.#take(each)
    for (const each of waiting) this.#take(each)
    for (let i = 1; i < blocks; i++) this.mine()
  }

  /** As a node takes back what a block held: without looking at rates. */
  #take(each: Known): void {
    const before = this.mempoolRate
    this.mempoolRate = 0n
    this.offer(each)
    this.mempoolRate = before
  }

  /** A payment out of the wallets; undefined where they have not as much. */
  pay(
    outputs: readonly { readonly script: Uint8Array; readonly value: bigint }[],
    {
      rate = 20_000n,
      spending,
    }: { readonly rate?: bigint; readonly spending?: readonly string[] } = {},
  ): Known | undefined {
    const total = sumOf(outputs)
    const fee = (rate * BigInt(200 + 43 * outputs.length)) / 1_000n
    const coins = [...this.tip.coins.values()].filter(
      ({ outpoint, script }) => script === WALLET && !this.#used.has(outpointKey(outpoint)),
    )
    const coin =
      spending === undefined
        ? coins.find(({ value }) => value >= total + fee)
        : this.tip.coins.get(spending[0] ?? '')
    if (coin === undefined || coin.value < total + fee) return undefined
    const payment = known({
      version: 2,
      inputs: [
        {
          outpoint: coin.outpoint,
          scriptSig: new Uint8Array(0),
          sequence: 0xffff_fffd,
          witness: [],
        },
      ],
      outputs: [
        ...outputs.map(({ script, value }) => ({ script, value: sat(value) })),
        { script: WALLET_SCRIPT, value: sat(coin.value - total - fee) },
      ],
      lockTime: this.#used.size,
    })
    this.#used.add(outpointKey(coin.outpoint))
    if (spending === undefined) this.payments.push(payment)
    return payment
  }
}

const grant = (index: number): Transaction => ({
  version: 1,
  inputs: [],
  outputs: [],
  lockTime: index,
})

/** Pay to witness public key hash, as a node checks it (BIP143, BIP146). */
function isSignedFor(
  tx: Transaction,
  index: number,
  { value, script }: Pick<ChainCoin, 'value' | 'script'>,
): boolean {
  const [der, publicKey, ...more] = tx.inputs[index]?.witness ?? []
  if (der === undefined || publicKey === undefined || more.length > 0) return false
  if (toHex(p2wpkhScript(hash160(publicKey))) !== script || der.at(-1) !== 1) return false
  const signature = compactOfDer(der.subarray(0, -1))
  const scriptCode = scriptCodeOfKeyHash(hash160(publicKey))
  const digest = segwitSighash({ tx, index, scriptCode, value, hashType: 1 })
  return isLowS(signature) && curve.verify(signature, digest, publicKey, { prehash: false })
}
