/**
 * One presignature, one request, one ω, for ever: as records, and as an assertion. Source: threshold
 * §§18.3 rule 2, 18.4.
 *
 * The log pairs each presignature once, so nothing is ever refused here. Were it wrong, a second
 * share would give the key away (§18.3 rule 4); so the node stops first.
 */
import { concat, equalBytes } from '../base/bytes.ts'
import { assert } from '../base/errors.ts'
import type { LaneContext, SignerOutput } from './signer-context.ts'

/** Uses of this life that are remembered, the newest ones; a presignature is paired soon or never. */
const USES_MAX = 4_096

export class SingleUse {
  readonly #records: LaneContext['records']
  readonly #prefix: string
  /** In this life, by key of the record, oldest first. */
  readonly #uses = new Map<string, Uint8Array>()

  constructor({ records, recordPrefix }: Pick<LaneContext<unknown>, 'records' | 'recordPrefix'>) {
    this.#records = records
    this.#prefix = `${recordPrefix}pairing/`
  }

  /**
   * The record that has to be on disk before the share leaves. `omega`: ω of the pairing slot. A use
   * that is another than one before, in this life or an earlier one, stops the node.
   */
  use(
    presignatureId: bigint,
    { requestId, omega }: { readonly requestId: Uint8Array; readonly omega: Uint8Array },
  ): SignerOutput {
    const key = `${this.#prefix}${presignatureId}`
    const value = concat(requestId, omega)
    for (const before of [this.#records.get(key), this.#uses.get(key)])
      assert(
        before === undefined || equalBytes(before, value),
        'a presignature serves one request under one nonce',
      )
    this.#uses.set(key, value)
    const [oldest] = this.#uses.keys()
    if (this.#uses.size > USES_MAX && oldest !== undefined) this.#uses.delete(oldest)
    return { type: 'record', key, value }
  }
}
