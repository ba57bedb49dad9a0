/**
 * Compares what the two minters wrote elsewhere, blocks of the ledger and transactions, and keeps
 * our world in step with the recorded one where a rule lets them differ.
 */
import type { TimestampNs } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { reasonOfMissingWrite } from './call-rules.ts'
import type { RecordedChain } from './chain.ts'
import type { Readable } from './format.ts'
import { field, listOf, timeOf } from './format.ts'
import type { Judged } from './judge.ts'
import type { LedgerSide } from './ledger-side.ts'
import type { OurCall } from './our-calls.ts'
import { isSame } from './readable.ts'
import { KEPT } from './rules.ts'

const LEDGER_WRITES: ReadonlySet<string> = new Set(['icrc1_transfer', 'icrc2_transfer_from'])
/** Nodes may have dropped it. */
const SENT_AGAIN = 'a transaction is sent again unchanged, each hour, today [H 2]'
const SEND = 'bitcoin_send_transaction'

export const isLedgerWrite = ({ m, out }: OurCall): boolean =>
  LEDGER_WRITES.has(m) && out !== 'refused'
export const isWriting = ({ m }: OurCall): boolean => LEDGER_WRITES.has(m) || m === SEND

type Both = { readonly recorded: readonly OurCall[]; readonly ours: readonly OurCall[] }
type Judge = (what: string, judged: Judged) => void

export class InStep {
  readonly #minter: Principal
  readonly #ledger: LedgerSide
  readonly #judge: Judge
  readonly #sent = new Set<string>()
  /** Why the minters hold other requests or coins from now on. */
  diverged: string | undefined

  constructor(minter: Principal, ledger: LedgerSide, judge: Judge) {
    this.#minter = minter
    this.#ledger = ledger
    this.#judge = judge
  }

  compareLedger({ recorded, ours }: Both, isStepDifferent: boolean, now: TimestampNs): void {
    const left = ours.filter(isLedgerWrite)
    for (const call of recorded.filter(isLedgerWrite)) {
      const what = `${call.m} ${JSON.stringify(call.in).slice(0, 80)}`
      const found = takeFirst(left, (our) => our.m === call.m && isSame(our.in, call.in))
      if (found !== undefined) {
        const kind = isSame(found.out, call.out) ? 'equal' : 'unexplained'
        this.#judge(what, { kind, recorded: call.out, ours: found.out })
        continue
      }
      const reason = reasonOfMissingWrite(call, isStepDifferent) ?? this.diverged
      if (reason === undefined) {
        this.#judge(what, { kind: 'unexplained', recorded: call, ours: left })
        continue
      }
      const at = call.t === undefined ? now : timeOf(call.t)
      const index = this.#ledger.instead(call.m, call.in, this.#minter, at)
      const kind = isSame({ Ok: index }, call.out) ? 'different' : 'unexplained'
      this.#judge(what, { kind, reason, recorded: call.out, ours: index })
    }
    for (const call of left) this.#more(call, recorded)
  }

  /** A transaction of ours, and one recorded for the same recipients, are known to be the same. */
  compareSent({ recorded, ours }: Both, chain: RecordedChain): void {
    const left = ours.filter(({ m }) => m === SEND)
    const unmatched: OurCall[] = []
    for (const call of recorded.filter(({ m }) => m === SEND)) {
      const txid = txidOf(call)
      if (call.out === 'failed') this.diverged ??= KEPT
      const found = takeFirst(left, (our) => txidOf(our) === txid && our.out === call.out)
      if (found !== undefined) this.#judge(`transaction ${txid}`, { kind: 'equal' })
      else if (this.#sent.has(txid) || call.out === 'failed')
        this.#judge(`transaction ${txid} again`, { kind: 'different', reason: KEPT })
      else unmatched.push(call)
      this.#sent.add(txid)
    }
    for (const call of unmatched) {
      const pair = takeFirst(left, (our) => recipientsOf(our) === recipientsOf(call))
      if (pair !== undefined) chain.alias(txidOf(call), txidOf(pair))
      this.#judge(`transaction ${txidOf(call)}`, {
        kind: this.diverged === undefined ? 'unexplained' : 'different',
        reason: this.diverged,
        recorded: call.in,
        ours: pair?.in,
      })
    }
    for (const call of left) {
      const isAgain = this.#sent.has(txidOf(call)) || call.out === 'failed'
      this.#sent.add(txidOf(call))
      if (isAgain) this.#judge('a transaction again', { kind: 'different', reason: SENT_AGAIN })
      else this.#more(call, recorded)
    }
  }

  #more(call: OurCall, recorded: readonly OurCall[]): void {
    this.#judge(`${call.m} of ours`, {
      kind: this.diverged === undefined ? 'unexplained' : 'different',
      reason: this.diverged,
      recorded,
      ours: call,
    })
  }
}

function takeFirst<T>(list: T[], isWanted: (each: T) => boolean): T | undefined {
  const at = list.findIndex(isWanted)
  return at < 0 ? undefined : list.splice(at, 1)[0]
}

const txidOf = ({ in: said }: OurCall): string => String(field(said, 'txid'))

/** Addresses of all outputs but the change. */
const recipientsOf = ({ in: said }: OurCall): string => {
  const outputs: readonly Readable[] = listOf(field(said, 'outputs'))
  return outputs
    .slice(0, -1)
    .map((output) => String(field(output, 'address')))
    .sort()
    .join()
}
