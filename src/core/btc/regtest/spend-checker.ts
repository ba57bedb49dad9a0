/**
 * Answers what scripts ask about the transaction that spends: signatures and lock times. Source:
 * BIP65, 68, 112, 143, 341.
 */
import { assert } from '../../base/errors.ts'
import { verifyBip340, verifyEcdsa } from '../../base/verification.ts'
import type { SighashMidstate, TaprootMidstate } from '../sighash.ts'
import {
  legacySighash,
  segwitSighash,
  sighashMidstate,
  taprootMidstate,
  taprootSighash,
} from '../sighash.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { SEQUENCE_FINAL } from '../transaction.ts'
import type { SpendChecker } from './machine.ts'
import type { ScriptResult } from './script-rules.ts'
import { compactSignature, withoutHybrid } from './signature-encoding.ts'

/** Lock times below are heights, others are Unix seconds. */
export const LOCK_TIME_THRESHOLD = 500_000_000
/** Fields of a sequence number (BIP68). */
export const sequence = {
  disabled: 0x8000_0000,
  time: 0x0040_0000,
  mask: 0x0000_ffff,
} as const

const SCHNORR_SIZE = 64

/**
 * A checker for each input of `tx`, whose inputs spend `spent`, in order. Hashes are shared among
 * them.
 */
export function spendChecker(
  tx: Transaction,
  spent: readonly TxOut[],
): (index: number) => SpendChecker {
  assert(spent.length === tx.inputs.length, 'every input has its spent output')
  let segwit: SighashMidstate | undefined
  let taproot: TaprootMidstate | undefined
  const segwitState = () => {
    segwit ??= sighashMidstate(tx)
    return segwit
  }
  const taprootState = () => {
    taproot ??= taprootMidstate(tx, spent)
    return taproot
  }
  return (index) => ({
    checkEcdsa: (question) => {
      const digest = ecdsaDigest({ tx, spent, index, segwitState }, question)
      const signature = compactSignature(question.signature)
      if (signature === undefined) return false
      const publicKey = withoutHybrid(question.publicKey)
      return verifyEcdsa({ publicKey, digest, signature }, { lowS: false })
    },
    checkTaprootKey: (signature, outputKey, annex) =>
      checkTaprootKey({ tx, spent, index, annex, midstate: taprootState() }, signature, outputKey),
    checkLockTime: (lockTime) => checkLockTime(tx, index, lockTime),
    checkSequence: (wanted) => checkSequence(tx, index, wanted),
  })
}

type Place = { readonly tx: Transaction; readonly spent: readonly TxOut[]; readonly index: number }

function ecdsaDigest(
  { tx, spent, index, segwitState }: Place & { readonly segwitState: () => SighashMidstate },
  { signature, scriptCode, version }: Parameters<SpendChecker['checkEcdsa']>[0],
): Uint8Array {
  const hashType = signature.at(-1) ?? 0
  const output = spent[index]
  if (version === 'base' || output === undefined)
    return legacySighash({ tx, index, scriptCode, hashType })
  const { value } = output
  return segwitSighash({ tx, index, scriptCode, value, hashType, midstate: segwitState() })
}

function checkTaprootKey(
  place: Place & { readonly annex: Uint8Array | undefined; readonly midstate: TaprootMidstate },
  signature: Uint8Array,
  outputKey: Uint8Array,
): ScriptResult {
  const { length } = signature
  if (length !== SCHNORR_SIZE && length !== SCHNORR_SIZE + 1) return 'SCHNORR_SIG_SIZE'
  const hashType = signature[SCHNORR_SIZE] ?? 0
  // The default type is said by leaving it out.
  if (length > SCHNORR_SIZE && hashType === 0) return 'SCHNORR_SIG_HASHTYPE'
  const digest = taprootSighash({ ...place, hashType })
  if (digest === undefined) return 'SCHNORR_SIG_HASHTYPE'
  return verifyBip340(outputKey, digest, signature.subarray(0, SCHNORR_SIZE))
    ? undefined
    : 'SCHNORR_SIG'
}

/**
 * BIP65: the script's lock time is of the transaction's kind, not later, and the input lets it
 * count.
 */
function checkLockTime(tx: Transaction, index: number, lockTime: number): boolean {
  const sameKind = lockTime < LOCK_TIME_THRESHOLD === tx.lockTime < LOCK_TIME_THRESHOLD
  return sameKind && lockTime <= tx.lockTime && tx.inputs[index]?.sequence !== SEQUENCE_FINAL
}

/** BIP112: the same for the input's relative lock. */
function checkSequence(tx: Transaction, index: number, wanted: number): boolean {
  const own = tx.inputs[index]?.sequence ?? SEQUENCE_FINAL
  if (tx.version < 2 || (own & sequence.disabled) !== 0) return false
  if ((own & sequence.time) !== (wanted & sequence.time)) return false
  return (wanted & sequence.mask) <= (own & sequence.mask)
}
