/**
 * The miner's purse: every block of the embedded chain pays it, and the faucet pays from it. Its
 * secret is public and worthless. Implements `docs/spec/bitcoin.md` RN-13.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, equalBytes, utf8 } from '../../core/base/bytes.ts'
import { hash160, sha256 } from '../../core/base/hash.ts'
import type { Sat } from '../../core/base/units.ts'
import { divCeil, sat } from '../../core/base/units.ts'
import { COINBASE_MATURITY } from '../../core/btc/block-spends.ts'
import type { Funds } from '../../core/btc/regtest/congestion.ts'
import { SATS_PER_KVB } from '../../core/btc/regtest/fee-rate.ts'
import { dustThreshold, p2wpkhScript } from '../../core/btc/script.ts'
import {
  scriptCodeOfKeyHash,
  segwitSighash,
  sighashMidstate,
  sighashType,
} from '../../core/btc/sighash.ts'
import type { OutPoint, Transaction, TxOut } from '../../core/btc/transaction.ts'
import {
  encodeTransaction,
  isCoinbase,
  outpointKey,
  transactionFromParts,
  txid,
  vsize,
} from '../../core/btc/transaction.ts'
import type { EmbeddedBitcoin } from '../bitcoin/embedded-node.ts'

const secretKey = sha256(concat(utf8('ckbtc regtest key '), utf8('miner')))
const publicKey = secp256k1.getPublicKey(secretKey, true)
const keyHash = hash160(publicKey)
/** Output script of the purse. */
export const purseScript = p2wpkhScript(keyHash)

/** Inputs of one payment: as many as fit a standard transaction with room to spare. */
const INPUTS_MAX = 1_000
const FEE_SAT_PER_VB = 5n
const CHANGE_VSIZE = 31

type Coin = { readonly outpoint: OutPoint; readonly value: Sat; readonly coinbaseAt?: number }
type Chain = Pick<EmbeddedBitcoin, 'height' | 'waiting' | 'blockAt' | 'output' | 'minimumRate'>

export type Payment =
  | { readonly type: 'paid'; readonly bytes: Uint8Array }
  | { readonly type: 'tooLow'; readonly available: bigint; readonly needed: bigint }

export class Purse {
  readonly #chain: Chain
  /** Outputs of the blocks read so far that pay the purse, spent ones among them. */
  readonly #coins = new Map<string, Coin>()
  #height = 0
  #lastRead: Uint8Array | undefined

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** A signed transaction with these outputs, and change when there is some worth keeping. */
  pay(outputs: readonly TxOut[]): Payment {
    const amount = outputs.reduce((sum, { value }) => sum + value, 0n)
    const inputs: Coin[] = []
    let available = 0n
    let needed = amount
    const minimum = divCeil(this.#chain.minimumRate, SATS_PER_KVB)
    const rate = minimum > FEE_SAT_PER_VB ? minimum : FEE_SAT_PER_VB
    for (const coin of this.#spendable().slice(0, INPUTS_MAX)) {
      inputs.push(coin)
      available += coin.value
      const fee = feeOf(inputs, outputs, rate)
      needed = amount + fee
      if (available < needed) continue
      const rest = available - needed - BigInt(CHANGE_VSIZE) * rate
      const change = rest < dustThreshold(purseScript) ? [] : [ownOutput(sat(rest))]
      return { type: 'paid', bytes: encodeTransaction(signed(inputs, [...outputs, ...change])) }
    }
    return { type: 'tooLow', available, needed }
  }

  /** In blocks, unspent, and ripe for the next one. */
  confirmed(): readonly Coin[] {
    this.#read()
    for (const [key, { outpoint }] of this.#coins)
      if (this.#chain.output(outpoint).type !== 'unspent') this.#coins.delete(key)
    return [...this.#coins.values()].filter(
      ({ coinbaseAt }) =>
        coinbaseAt === undefined || coinbaseAt + COINBASE_MATURITY <= this.#chain.height + 1,
    )
  }

  /** Those and what waits, but for what a waiting transaction takes. */
  #spendable(): readonly Coin[] {
    const ripe = this.confirmed()
    const taken = new Set(
      this.#chain.waiting.flatMap(({ transaction }) =>
        transaction.inputs.map(({ outpoint }) => outpointKey(outpoint)),
      ),
    )
    const fresh = this.#chain.waiting.flatMap(({ transaction }) => coinsOf(transaction))
    // Mined ones first: chains of waiting transactions have a limit.
    return [...ripe.toSorted(byValue), ...fresh.toSorted(byValue)].filter(
      ({ outpoint }) => !taken.has(outpointKey(outpoint)),
    )
  }

  /** Reads the blocks that are new, or all of them when the chain has been reorganised. */
  #read(): void {
    const read = this.#chain.blockAt(this.#height)
    if (this.#lastRead === undefined || !equalBytes(headerOf(read), this.#lastRead)) {
      this.#coins.clear()
      this.#height = 0
    }
    while (this.#height < this.#chain.height) {
      this.#height++
      for (const transaction of this.#chain.blockAt(this.#height)?.transactions ?? [])
        for (const coin of coinsOf(transaction, this.#height))
          this.#coins.set(outpointKey(coin.outpoint), coin)
    }
    this.#lastRead = headerOf(this.#chain.blockAt(this.#height))
  }
}

/** Names a block: its merkle root names the coinbase, and that its height. */
const headerOf = (block: ReturnType<Chain['blockAt']>): Uint8Array =>
  block === undefined ? new Uint8Array() : concat(block.header.previous, block.header.merkleRoot)

const byValue = (a: Coin, b: Coin): number => Number(b.value - a.value)

const ownOutput = (value: Sat): TxOut => ({ value, script: purseScript })

/** Outputs that pay the purse; `height` of the block, undefined for one in the mempool. */
function coinsOf(transaction: Transaction, height?: number): readonly Coin[] {
  const own = transaction.outputs.flatMap(({ script, value }, vout) =>
    equalBytes(script, purseScript) ? [{ vout, value }] : [],
  )
  if (own.length === 0) return []
  const id = txid(transaction)
  const coinbase = height !== undefined && isCoinbase(transaction)
  return own.map(({ vout, value }) => ({
    outpoint: { txid: id, vout },
    value,
    ...(coinbase ? { coinbaseAt: height } : {}),
  }))
}

function feeOf(inputs: readonly Coin[], outputs: readonly TxOut[], rate: bigint): bigint {
  const draft = withWitness(unsigned(inputs, outputs), () => new Uint8Array(72))
  return BigInt(vsize(draft)) * rate
}

const unsigned = (inputs: readonly Coin[], outputs: readonly TxOut[]): Transaction =>
  transactionFromParts({ inputs: inputs.map(({ outpoint }) => ({ outpoint })), outputs })

const withWitness = (
  transaction: Transaction,
  signature: (index: number) => Uint8Array,
): Transaction => ({
  ...transaction,
  inputs: transaction.inputs.map((input, index) => ({
    ...input,
    witness: [signature(index), publicKey],
  })),
})

const signed = (coins: readonly Coin[], outputs: readonly TxOut[]): Transaction =>
  signInputs(
    unsigned(coins, outputs),
    coins.map(({ value }) => ownOutput(value)),
  )

/** Every input spends an output of the purse, in the order of `spent`. */
function signInputs(transaction: Transaction, spent: readonly TxOut[]): Transaction {
  const midstate = sighashMidstate(transaction)
  return withWitness(transaction, (index) => {
    const hash = segwitSighash({
      tx: transaction,
      index,
      scriptCode: scriptCodeOfKeyHash(keyHash),
      value: spent[index]?.value ?? sat(0n),
      hashType: sighashType.all,
      midstate,
    })
    const der = secp256k1.sign(hash, secretKey, { prehash: false, lowS: true, format: 'der' })
    return concat(der, Uint8Array.of(sighashType.all))
  })
}

/** The purse for scenarios of the test interface (RN-16, RN-17). */
export function purseFunds(chain: Chain): Funds {
  const purse = new Purse(chain)
  return { script: purseScript, coins: () => purse.confirmed(), sign: signInputs }
}
