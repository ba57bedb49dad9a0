/**
 * Every transaction that may exist because its signatures were asked for, and what it pays. Source:
 * minter §§10.3, 11, 15, 18.7. For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { decodeTransaction } from '../../../src/core/btc/transaction.ts'
import type { Payload } from '../../../src/core/minter/events/events.ts'
import type { Known } from './chain.ts'
import { known } from './chain.ts'
import type { LedgerBooks } from './ledger-books.ts'

export type Payment = {
  readonly known: Known
  /** That it pays; none: a cancellation or a consolidation. */
  readonly burns: readonly bigint[]
  /** That it gives back a part of when it is final. */
  readonly cancels: readonly bigint[]
  readonly minterFee: bigint
  readonly bitcoinFee: bigint
}

const total = (values: readonly bigint[]): bigint => values.reduce((sum, each) => sum + each, 0n)

export class Payments {
  readonly all = new Map<string, Payment>()
  /** Those that the minter takes for final. */
  readonly final = new Set<string>()
  readonly problems: string[] = []
  readonly #ledger: LedgerBooks
  readonly #mainScript: string

  constructor(ledger: LedgerBooks, mainScript: string) {
    this.#ledger = ledger
    this.#mainScript = mainScript
  }

  /** Signatures are asked for. */
  start(payload: Payload<'xSigningStarted'>): void {
    const each = known(decodeTransaction(payload.unsignedTransaction))
    const { requests, replaces, utxos } = payload
    const old = replaces && this.all.get(toHex(replaces.oldTxid))
    if (replaces !== undefined && old === undefined)
      this.problems.push(`${each.id} replaces what was not sent`)
    const isCancelling = replaces?.reason.type === 'toCancel'
    const isKnownBurn = requests.every((burn) => this.#ledger.burns.has(burn))
    const asked = old === undefined ? (isKnownBurn ? requests : []) : isCancelling ? [] : old.burns
    const cancels = isCancelling ? (old?.burns ?? []) : (old?.cancels ?? [])
    const inputs = total(utxos.map(({ value }) => value))
    const bitcoinFee = inputs - total(each.transaction.outputs.map(({ value }) => value))
    const outputs = BigInt(each.transaction.outputs.length)
    const formula = 146n * BigInt(utxos.length) + 4n * outputs + 26n
    const minterFee = formula > 300n ? formula : 300n
    const payment = { known: each, burns: asked, cancels, minterFee, bitcoinFee }
    this.#checkOutputs(payment)
    for (const burn of [...asked, ...cancels]) this.#checkRivals(burn, each)
    this.all.set(each.id, payment)
  }

  /** Whom it pays, in the order of the batch; then the change. */
  #checkOutputs({ known: { id, transaction }, burns, minterFee, bitcoinFee }: Payment): void {
    const { outputs } = transaction
    const change = outputs.at(-1)
    if (change === undefined || toHex(change.script) !== this.#mainScript)
      this.problems.push(`${id} has no change at its end`)
    if (burns.length === 0) return
    if (outputs.length !== burns.length + 1) this.problems.push(`${id} pays somebody else`)
    const fees = minterFee + bitcoinFee
    const count = BigInt(burns.length)
    for (const [i, burn] of burns.entries()) {
      const share = fees / count + (BigInt(i) < fees % count ? 1n : 0n)
      const { amount = 0n, script } = this.#ledger.burns.get(burn) ?? {}
      const output = outputs[i]
      if (output === undefined || toHex(output.script) !== script)
        this.problems.push(`${id} pays burn ${burn} to another address`)
      else if (output.value !== amount - share)
        this.problems.push(`${id} pays ${output.value} for burn ${burn} of ${amount} less ${share}`)
      else if (output.value <= 546n) this.problems.push(`${id} pays dust for burn ${burn}`)
    }
  }

  /** Of two that pay one burn at most one can ever confirm. */
  #checkRivals(burn: bigint, { id, spends }: Known): void {
    for (const [other, payment] of this.all) {
      if (!payment.burns.includes(burn) || this.isDead(payment)) continue
      if (!payment.known.spends.some((key) => spends.includes(key)))
        this.problems.push(`burn ${burn} can be paid by ${other} and by ${id}`)
    }
  }

  /** Something final spends one of its inputs. */
  isDead({ known: { id, spends } }: Payment): boolean {
    return [...this.final].some(
      (done) => done !== id && this.all.get(done)?.known.spends.some((key) => spends.includes(key)),
    )
  }

  isBarred(each: Known): boolean {
    for (const done of this.final)
      if (done !== each.id && this.all.get(done)?.known.spends.some((k) => each.spends.includes(k)))
        return true
    return false
  }

  /** A burn is to be given back: nothing that pays it may ever confirm. */
  giveBack(burn: bigint, amount: bigint): void {
    for (const [id, payment] of this.all) {
      if (payment.burns.includes(burn) && !this.isDead(payment))
        this.problems.push(`burn ${burn} is given back and ${id} can pay it`)
    }
    const burned = this.#ledger.burns.get(burn)?.amount ?? 0n
    const cancelling = [...this.all.values()].find(
      ({ known: { id }, cancels }) => this.final.has(id) && cancels.includes(burn),
    )
    const charge = cancelling === undefined ? [10n] : sharesOf(cancelling)
    if (!charge.some((share) => amount === (burned > share ? burned - share : 0n)))
      this.problems.push(`burn ${burn} of ${burned} is given back as ${amount}`)
  }

  /** Burns by what has paid them in a chain. */
  paidIn(confirmed: ReadonlyMap<string, number>): ReadonlyMap<bigint, readonly string[]> {
    const paid = new Map<bigint, string[]>()
    for (const [id, { burns }] of this.all)
      if (confirmed.has(id))
        for (const burn of burns) paid.set(burn, [...(paid.get(burn) ?? []), id])
    return paid
  }
}

/** What each may have to bear of a cancellation. */
export function sharesOf({ minterFee, bitcoinFee, cancels }: Payment): readonly bigint[] {
  const fees = minterFee + bitcoinFee
  const count = BigInt(cancels.length)
  return [fees / count, fees / count + (fees % count > 0n ? 1n : 0n)]
}
