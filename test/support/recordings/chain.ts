/** The Bitcoin side of a recording: coins put where it says, and what our minter sends. */
import type { Txid } from '../../../src/core/base/bytes.ts'
import { fromHex, hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import type { OutPoint, Transaction } from '../../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  outpointKey,
  txid as txidOf,
} from '../../../src/core/btc/transaction.ts'
import { addressText, parseDestination } from '../../../src/core/minter/addresses.ts'
import { networkOf } from '../../../src/core/minter/destination.ts'
import type { Bitcoin, BitcoinUtxo, UtxosResult } from '../../../src/core/minter/ports.ts'
import type { BitcoinNetwork } from '../../../src/core/minter/types.ts'
import type { Mood, Readable, Step } from './format.ts'
import { field, fieldsOf, moodOf, NotUnderstood } from './format.ts'
import type { OurCalls } from './our-calls.ts'

/** Where the recorded chain stands before anything is said of it. */
const FIRST_TIP = 850_000
const PAGE_UTXOS = 1_000

type Coin = BitcoinUtxo & { readonly script: Uint8Array }

const NORMAL: Mood = { type: 'normal' }

function numberOf(step: unknown, name: string): number {
  const value = field(step, name)
  if (typeof value !== 'number') throw new NotUnderstood(`no ${name}: ${JSON.stringify(step)}`)
  return value
}

function outpointOf(readable: unknown): { readonly txid: string; readonly vout: number } {
  const { txid, vout } = fieldsOf(readable)
  return { txid: String(txid), vout: Number(vout) }
}

/** What a call says that the recorded side rejected. */
export const failureOf = (mood: Mood): string =>
  mood.type === 'reject' ? `rejected with code ${mood.code}` : 'failed'

export class RecordedChain implements Bitcoin {
  readonly #calls: OurCalls
  readonly #coins = new Map<string, Coin>()
  readonly #aliases = new Map<string, string>()
  readonly tainted = new Set<string>()
  /** Sent and not mined, by txid. */
  readonly mempool = new Map<string, Transaction>()
  /** Heights of our transactions. */
  readonly #minedAt = new Map<string, number>()
  tip = FIRST_TIP
  /** What the canister knows now, and what the minter was told when it asked last. */
  rates: readonly bigint[] = []
  told: readonly bigint[] = []
  /** Whether a question is answered with what is known now. */
  isAsked = true
  network: BitcoinNetwork = 'mainnet'
  getUtxos: Mood = NORMAL
  sendTransaction: Mood = NORMAL
  percentiles: Mood = NORMAL

  constructor(calls: OurCalls) {
    this.#calls = calls
  }

  scriptOf(address: string): Uint8Array {
    for (const network of ['mainnet', 'testnet', 'regtest'] as const) {
      const parsed = parseDestination(address, network)
      if (parsed.type === 'destination') return parsed.script
    }
    throw new NotUnderstood(`an address: ${address}`)
  }

  addressOf(script: Uint8Array): string {
    return addressOfScript(script, networkOf[this.network]) ?? toHex(script)
  }

  /** `world` steps of Bitcoin; false for one of another kind. */
  change(step: Step): boolean {
    switch (step.what) {
      case 'coin':
        this.#addCoin(step, outpointOf(step))
        return true
      case 'coins':
        this.#addCoins(step)
        return true
      case 'tip':
        this.tip = numberOf(step, field(step, 'tip') === undefined ? 'height' : 'tip')
        return true
      case 'mine':
        this.#mine(step)
        return true
      case 'fee_percentiles':
        this.#setPercentiles(step)
        return true
      case 'bitcoin_get_utxos':
        this.getUtxos = moodOf(field(step, 'answer'))
        return true
      case 'bitcoin_send_transaction':
        this.sendTransaction = moodOf(field(step, 'answer'))
        return true
      default:
        return false
    }
  }

  #setPercentiles(step: Step): void {
    const { list, answer } = fieldsOf(step)
    if (answer !== undefined) this.percentiles = moodOf(answer)
    if (Array.isArray(list)) this.rates = list.map((rate) => BigInt(rate))
    else if (answer === undefined) throw new NotUnderstood('fee percentiles without a list')
  }

  #addCoin(step: unknown, { txid, vout }: { readonly txid: string; readonly vout: number }): void {
    const { address, value, tainted } = fieldsOf(step)
    const outpoint: OutPoint = { txid: hash32(fromHex(txid)) as Txid, vout }
    const script = this.scriptOf(String(address))
    this.#coins.set(outpointKey(outpoint), {
      outpoint,
      script,
      value: sat(BigInt(String(value))),
      height: numberOf(step, 'height'),
    })
    if (tainted === true) this.tainted.add(txid)
  }

  /** Listed, or by a formula: the hash of seed and number. The certified ledger confirms it. */
  #addCoins(step: Step): void {
    const { formula, list, coins = list } = fieldsOf(step)
    if (Array.isArray(coins)) {
      for (const coin of coins) {
        const each = { ...fieldsOf(step), ...fieldsOf(coin) }
        this.#addCoin(each, outpointOf(each))
      }
      return
    }
    const { seed, count, value, vout = 0 } = fieldsOf(formula)
    if (count === undefined) throw new NotUnderstood(`coins: ${JSON.stringify(step)}`)
    for (let number = 0; number < Number(count); number++) {
      const txid = toHex(sha256(utf8(`${seed} ${number}`)))
      this.#addCoin({ ...fieldsOf(step), value }, { txid, vout: Number(vout) })
    }
  }

  /** The transaction is in the next block. */
  /** From now on the recorded txid stands for ours. */
  alias(recorded: string, ours: string): void {
    this.#aliases.set(recorded, ours)
  }

  /** With our txids in place of recorded ones. */
  translated<T>(value: T): T {
    if (this.#aliases.size === 0) return value
    let text = JSON.stringify(value)
    for (const [recorded, ours] of this.#aliases) text = text.replaceAll(recorded, ours)
    return JSON.parse(text) as T
  }

  #mine(step: Step): void {
    const { txid: said, height, tip } = fieldsOf(step)
    const txid = this.#aliases.get(String(said)) ?? said
    if (typeof txid !== 'string') throw new NotUnderstood('mine without a txid')
    const transaction = this.mempool.get(txid)
    if (transaction === undefined) throw new NotUnderstood(`${txid} was never sent by our minter`)
    this.mempool.delete(txid)
    const at = Number(height ?? this.tip + 1)
    this.tip = Number(tip ?? (height === undefined ? at : this.tip))
    this.#minedAt.set(txid, at)
    for (const { outpoint } of transaction.inputs) this.#coins.delete(outpointKey(outpoint))
    transaction.outputs.forEach(({ value, script }, vout) => {
      const outpoint = { txid: txidOf(transaction), vout }
      this.#coins.set(outpointKey(outpoint), { outpoint, script, value: sat(value), height: at })
    })
  }

  utxos({
    script,
    minConfirmations,
  }: {
    readonly script: Uint8Array
    readonly minConfirmations: number
  }): UtxosResult {
    const address = this.addressOf(script)
    const request = { address, minConfirmations }
    if (this.getUtxos.type !== 'normal') {
      this.#calls.add({ m: 'bitcoin_get_utxos', in: request, out: 'failed' })
      return { type: 'temporarilyUnavailable', message: failureOf(this.getUtxos) }
    }
    const utxos = [...this.#coins.values()]
      .filter((coin) => toHex(coin.script) === toHex(script))
      .filter(({ height }) => height <= this.tip && this.tip - height + 1 >= minConfirmations)
      .map(({ outpoint, value, height }) => ({ outpoint, value, height }))
    for (let from = 0; from === 0 || from < utxos.length; from += PAGE_UTXOS) {
      const out = Math.min(PAGE_UTXOS, utxos.length - from)
      const page = from === 0 ? request : { address, page: true }
      this.#calls.add({ m: 'bitcoin_get_utxos', in: page, out })
    }
    return { type: 'utxos', utxos, tipHeight: this.tip }
  }

  feePercentiles() {
    if (this.percentiles.type !== 'normal')
      return {
        type: 'temporarilyUnavailable',
        message: failureOf(this.percentiles),
      } as const
    if (this.isAsked) this.told = this.rates
    return { type: 'percentiles', rates: this.told, isSet: false } as const
  }

  missing(outpoints: readonly OutPoint[]): readonly OutPoint[] {
    return outpoints.filter((outpoint) => !this.#coins.has(outpointKey(outpoint)))
  }

  confirmations(txid: Txid): number {
    const height = this.#minedAt.get(toHex(txid))
    return height === undefined || height > this.tip ? 0 : this.tip - height + 1
  }

  send(bytes: Uint8Array) {
    const transaction = decodeTransaction(bytes)
    const out = this.sendTransaction.type === 'normal' ? 'sent' : 'failed'
    this.#calls.add({ m: 'bitcoin_send_transaction', in: this.describe(transaction), out })
    if (this.sendTransaction.type !== 'normal')
      return { type: 'temporarilyUnavailable', message: failureOf(this.sendTransaction) } as const
    this.mempool.set(toHex(txidOf(transaction)), transaction)
    return { type: 'ok' } as const
  }

  /** The form of a recorded `tx`. */
  describe(transaction: Transaction): Readable {
    return {
      txid: toHex(txidOf(transaction)),
      inputs: transaction.inputs.map(({ outpoint }) => ({
        txid: toHex(outpoint.txid),
        vout: outpoint.vout,
      })),
      outputs: transaction.outputs.map(({ value, script }) => ({
        address: addressText(script, this.network),
        value: String(value),
      })),
    }
  }
}
