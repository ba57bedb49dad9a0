/**
 * No presignature may sign twice: two signatures with one r give the key away. Source: threshold
 * specification §18.3.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'

const DER_SEQUENCE = 0x30

export class Nonces {
  /** r of every signature ever seen, and the signature with its place. */
  readonly #uses = new Map<string, string>()
  readonly #seen = new Set<string>()

  get size(): number {
    return this.#uses.size
  }

  has(txid: string): boolean {
    return this.#seen.has(txid)
  }

  /** Takes the signatures of a transaction; what is signed with a presignature of another. */
  take(txid: string, { inputs }: Pick<Transaction, 'inputs'>): readonly string[] {
    this.#seen.add(txid)
    return inputs.flatMap(({ witness: [signature] }, index) => {
      const place = `${txid}:${index}`
      const r = signature && nonceOf(signature)
      if (signature === undefined || r === undefined) return [`${place} bears no signature`]
      const use = `${place} ${toHex(signature)}`
      const before = this.#uses.get(r) ?? use
      this.#uses.set(r, use)
      return before === use ? [] : [`${place} is signed with the presignature of ${before}`]
    })
  }
}

/** r of a DER signature, without leading zeros. */
function nonceOf(signature: Uint8Array): string | undefined {
  const size = signature[3] ?? 0
  const r = signature.subarray(4, 4 + size)
  if (signature[0] !== DER_SEQUENCE || size === 0 || r.length < size) return undefined
  return toHex(r).replace(/^(?:00)+/, '')
}
