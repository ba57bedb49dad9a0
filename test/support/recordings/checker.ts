/** The checker of a recording: it answers as the recorded one did, or as the world says. */
import { toHex } from '../../../src/core/base/bytes.ts'
import type {
  CheckAddressResult,
  Checker,
  CheckTransactionResult,
} from '../../../src/core/minter/ports.ts'
import type { Mood, RecordedCall, Step } from './format.ts'
import { field, fieldsOf, listOf, moodOf, NotUnderstood } from './format.ts'
import type { OurCalls } from './our-calls.ts'

type Verdict =
  | { readonly type: 'passed' }
  | { readonly type: 'failed' }
  | { readonly type: 'retriable' | 'callFailed'; readonly message: string }

const NORMAL: Mood = { type: 'normal' }

export class RecordedChecker implements Checker {
  readonly #calls: OurCalls
  #heard: readonly RecordedCall[] = []
  #mood = NORMAL
  readonly #bad = new Set<string>()
  isStopped = false
  tainted: ReadonlySet<string> = new Set()

  constructor(calls: OurCalls) {
    this.#calls = calls
  }

  reset(): void {
    this.#mood = NORMAL
    this.#bad.clear()
    this.isStopped = false
    this.tainted = new Set()
  }

  /** How it answers from now on, or which address or transaction is bad. */
  change(step: Step): void {
    const { answer, address, txid, tainted } = fieldsOf(step)
    const named = [address, txid, ...(Array.isArray(tainted) ? tainted : [tainted])]
    const bad = tainted === false ? [] : named.filter((name) => typeof name === 'string')
    if (answer === undefined && bad.length === 0 && tainted !== false)
      throw new NotUnderstood(`a checker step: ${JSON.stringify(step)}`)
    if (answer !== undefined) this.#mood = moodOf(answer)
    for (const name of bad) this.#bad.add(name)
    if (tainted === false) this.#bad.delete(String(address ?? txid))
  }

  /** What the recorded checker was asked in the step that begins, and said. */
  listen(calls: readonly RecordedCall[]): void {
    this.#heard = calls
  }

  #verdict(m: string, name: string, what: string): Verdict {
    this.#calls.add({ m, in: what, out: '' })
    const heard = this.#heard.find((call) => call.m === m && field(call.in, name) === what)
    if (heard?.x !== undefined) return { type: 'callFailed', message: heard.x.message }
    if (heard?.out !== undefined) {
      const ok = field(heard.out, 'Ok')
      if (ok === undefined) return { type: 'retriable', message: JSON.stringify(heard.out) }
      return { type: listOf(field(ok, 'alerts')).length === 0 ? 'passed' : 'failed' }
    }
    if (this.isStopped) return { type: 'callFailed', message: 'stopped' }
    if (this.#mood.type === 'reject') return { type: 'callFailed', message: 'rejected' }
    if (this.#mood.type === 'error') return { type: 'retriable', message: this.#mood.text }
    return { type: this.tainted.has(what) || this.#bad.has(what) ? 'failed' : 'passed' }
  }

  checkTransaction(txid: Uint8Array): CheckTransactionResult {
    const verdict = this.#verdict('fetch_utxo_alerts', 'txid', toHex(txid))
    if (verdict.type === 'failed') return { type: 'failed', addresses: [] }
    return verdict.type === 'passed' ? { type: 'passed' } : verdict
  }

  checkAddress(address: string): CheckAddressResult {
    const verdict = this.#verdict('fetch_withdrawal_alerts', 'address', address)
    if (verdict.type === 'passed' || verdict.type === 'failed') return { type: verdict.type }
    return { type: 'callFailed', message: verdict.message }
  }
}
