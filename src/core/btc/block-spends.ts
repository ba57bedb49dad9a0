/**
 * What a block may spend and create, given its branch: BLK-10 to BLK-14. Source:
 * `docs/spec/bitcoin.md` §5.1, §7.4.
 */
import type { Txid } from '../base/bytes.ts'
import { toDisplayHex, toHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { Sat } from '../base/units.ts'
import { sat } from '../base/units.ts'
import type { Block } from './block.ts'
import { subsidy } from './block.ts'
import type { Network } from './network.ts'
import type { Transaction } from './transaction.ts'
import { isCoinbase, outpointKey, SEQUENCE_FINAL, vsize } from './transaction.ts'
import type { BlockChanges, Utxo } from './utxo-set.ts'
import { indexChanges, isStorable } from './utxo-set.ts'

/** Blocks from a coinbase to the first that may spend it (BLK-11). */
export const COINBASE_MATURITY = 100
/** Lock times below are heights, from here on Unix seconds. */
const LOCKTIME_THRESHOLD = 500_000_000
const SEQUENCE_DISABLED = 0x8000_0000
const SEQUENCE_IN_TIME = 0x0040_0000
const SEQUENCE_VALUE = 0xffff
const SEQUENCE_TIME_UNIT_S = 512
const MSAT_PER_SAT = 1000n

/** Display ids of the two coinbases that once overwrote their equals on mainnet (§7.4). */
const OVERWRITING_COINBASES: ReadonlySet<string> = new Set([
  'd5d27987d2a3dfc724e359870c6644b40e497bdc0589a033220fe15429d88599',
  'e3bf3d07d4b0375638d5f1db5255fe07ba2c4cb067cd81b84ee974b6585fb468',
])

export type SpendReject =
  | 'bad-txns-BIP30'
  | 'bad-txns-inputs-missingorspent'
  | 'bad-txns-premature-spend-of-coinbase'
  | 'bad-txns-in-belowout'
  | 'bad-txns-nonfinal'
  | 'bad-cb-amount'

export type SpendContext = {
  readonly network: Network
  readonly height: number
  /** In the order of the block's transactions. */
  readonly txids: readonly Txid[]
  /** Unspent output of the branch that the block extends, by `outpointKey`. */
  readonly output: (key: string) => Utxo | undefined
  /** Median time past of the branch's block at a height below the block's own. */
  readonly medianTime: (height: number) => number
}

export type BlockSpends = {
  readonly type: 'valid'
  readonly changes: BlockChanges
  /**
   * Millisatoshi per virtual byte of each transaction after the coinbase, in block order (FEE-2).
   */
  readonly feeRates: readonly bigint[]
}

export type SpendVerdict = BlockSpends | { readonly type: 'invalid'; readonly reason: SpendReject }

/** Judges a block that `checkBlock` found without flaw. Scripts are not run (BLK-16). */
export function checkSpends(block: Block, context: SpendContext): SpendVerdict {
  const ledger = new BranchLedger(context.output)
  const feeRates: bigint[] = []
  let allowed = subsidy(context.height, context.network) as bigint
  for (const [i, tx] of block.transactions.entries()) {
    if (!isFinal(tx, block, context)) return reject('bad-txns-nonfinal')
    const txid = present(context.txids[i], 'each transaction has its id')
    if (!isCoinbase(tx)) {
      const fee = spendInputs(tx, ledger, context)
      if (typeof fee === 'string') return reject(fee)
      allowed += fee
      feeRates.push((MSAT_PER_SAT * fee) / BigInt(vsize(tx)))
    }
    if (!createOutputs(tx, txid, ledger, context)) return reject('bad-txns-BIP30')
  }
  const coinbase = present(block.transactions[0], 'a checked block has a coinbase')
  if (totalOut(coinbase) > allowed) return reject('bad-cb-amount')
  return { type: 'valid', changes: indexChanges(ledger), feeRates }
}

const reject = (reason: SpendReject): SpendVerdict => ({ type: 'invalid', reason })

const totalOut = (tx: Transaction): bigint => tx.outputs.reduce((sum, { value }) => sum + value, 0n)

/** The branch's outputs, with the changes that the block has made so far (UT-5). */
class BranchLedger {
  readonly created = new Map<string, Utxo>()
  readonly spent = new Map<string, Utxo>()
  readonly passing = new Set<string>()
  readonly #output: (key: string) => Utxo | undefined

  constructor(output: (key: string) => Utxo | undefined) {
    this.#output = output
  }
  find(key: string): Utxo | undefined {
    return this.created.get(key) ?? (this.spent.has(key) ? undefined : this.#output(key))
  }
  spend(key: string, utxo: Utxo): void {
    if (this.created.delete(key)) this.passing.add(key)
    else this.spent.set(key, utxo)
  }
}

/** The fee, or why the inputs may not be spent (BLK-10, 11, 12, 14). */
function spendInputs(
  tx: Transaction,
  ledger: BranchLedger,
  context: SpendContext,
): Sat | SpendReject {
  const spent: Utxo[] = []
  for (const { outpoint } of tx.inputs) {
    const key = outpointKey(outpoint)
    const utxo = ledger.find(key)
    if (utxo === undefined) return 'bad-txns-inputs-missingorspent'
    if (utxo.coinbase && context.height - utxo.height < COINBASE_MATURITY)
      return 'bad-txns-premature-spend-of-coinbase'
    ledger.spend(key, utxo)
    spent.push(utxo)
  }
  const fee = spent.reduce((sum, { value }) => sum + value, 0n) - totalOut(tx)
  if (fee < 0n) return 'bad-txns-in-belowout'
  return sequenceLocksHold(tx, spent, context) ? sat(fee) : 'bad-txns-nonfinal'
}

/** False if an output overwrites an unspent one (BLK-13). */
function createOutputs(
  tx: Transaction,
  txid: Txid,
  ledger: BranchLedger,
  { height, network }: SpendContext,
): boolean {
  const coinbase = isCoinbase(tx)
  const id = toHex(txid) // Once for all outputs: with thousands of them it is what takes time.
  for (const [vout, { value, script }] of tx.outputs.entries()) {
    if (!isStorable(script)) continue
    const outpoint = { txid, vout }
    const key = `${id}:${vout}`
    const old = ledger.find(key)
    if (old !== undefined) {
      if (network.name !== 'mainnet' || !OVERWRITING_COINBASES.has(toDisplayHex(txid))) return false
      ledger.spend(key, old)
    }
    ledger.created.set(key, { outpoint, value, script, height, coinbase })
  }
  return true
}

/** nLockTime, since BIP113 against the median time past of the parent. */
function isFinal(
  tx: Transaction,
  { header }: Block,
  { network, height, medianTime }: SpendContext,
): boolean {
  if (tx.lockTime === 0) return true
  const time = (): number => (height >= network.forks.csv ? medianTime(height - 1) : header.time)
  if (tx.lockTime < (tx.lockTime < LOCKTIME_THRESHOLD ? height : time())) return true
  return tx.inputs.every(({ sequence }) => sequence === SEQUENCE_FINAL)
}

/**
 * BIP68: relative locks of a transaction of version 2 or more; `spent` in the order of its inputs.
 */
function sequenceLocksHold(
  tx: Transaction,
  spent: readonly Utxo[],
  { network, height, medianTime }: SpendContext,
): boolean {
  if (tx.version < 2 || height < network.forks.csv) return true
  return tx.inputs.every(({ sequence }, i) => {
    if (sequence >= SEQUENCE_DISABLED) return true
    const made = present(spent[i], 'each input spends an output').height
    const value = sequence & SEQUENCE_VALUE
    if ((sequence & SEQUENCE_IN_TIME) === 0) return made + value <= height
    const since = medianTime(Math.max(made - 1, 0))
    return since + value * SEQUENCE_TIME_UNIT_S <= medianTime(height - 1)
  })
}
