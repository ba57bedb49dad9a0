/** Verifies the scripts of whole transactions and remembers the good ones. Source: RN-2, RN-7. */
import { toHex } from '../../base/bytes.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { wtxid } from '../transaction.ts'
import type { ScriptError, ScriptFlags } from './script-rules.ts'
import { CONSENSUS_FLAGS, SCRIPT_ERROR_TEXT, STANDARD_FLAGS } from './script-rules.ts'
import { spendChecker } from './spend-checker.ts'
import { verifyScript } from './verify-script.ts'

const REMEMBERED_MAX = 50_000

/** The scripts of every input under `flags`. */
export function verifyInputs(
  tx: Transaction,
  spent: readonly TxOut[],
  flags: ScriptFlags,
): ScriptError | undefined {
  const checkerOf = spendChecker(tx, spent)
  for (const [index, { scriptSig, witness }] of tx.inputs.entries()) {
    const scriptPubKey = spent[index]?.script ?? new Uint8Array(0)
    const checker = checkerOf(index)
    const fault = verifyScript({ scriptSig, scriptPubKey, witness, flags, checker })
    if (fault !== undefined) return fault
  }
  return undefined
}

/**
 * A signature costs about a millisecond, so a block does not verify its mempool again.
 *
 * The wtxid names all that is verified: it fixes the outpoints, and these the scripts and amounts.
 */
export class ScriptVerifier {
  readonly #standard = new Set<string>()
  readonly #consensus = new Set<string>()

  /** Core's reason, or undefined. */
  consensusFault(tx: Transaction, spent: readonly TxOut[]): string | undefined {
    const key = toHex(wtxid(tx))
    // Policy only adds rules, so what passed it passes here.
    if (this.#standard.has(key) || this.#consensus.has(key)) return undefined
    const error = verifyInputs(tx, spent, CONSENSUS_FLAGS)
    if (error !== undefined) return `mandatory-script-verify-flag-failed${bracketed(error)}`
    remember(this.#consensus, key)
    return undefined
  }

  /** Consensus and policy; says which of the two was broken. */
  standardFault(tx: Transaction, spent: readonly TxOut[]): string | undefined {
    const key = toHex(wtxid(tx))
    if (this.#standard.has(key)) return undefined
    const error = verifyInputs(tx, spent, STANDARD_FLAGS)
    if (error !== undefined)
      return this.consensusFault(tx, spent) ?? `non-mandatory-script-verify-flag${bracketed(error)}`
    remember(this.#standard, key)
    return undefined
  }
}

const bracketed = (error: ScriptError): string => ` (${SCRIPT_ERROR_TEXT[error]})`

function remember(keys: Set<string>, key: string): void {
  keys.add(key)
  const [oldest] = keys
  if (keys.size > REMEMBERED_MAX && oldest !== undefined) keys.delete(oldest)
}
