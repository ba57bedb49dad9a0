/**
 * Answers what scripts ask about the transaction that spends: signatures and lock times. Source:
 * BIP65, 68, 112, 143, 341, 342.
 */
import { equalBytes } from '../../base/bytes.ts'
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
  return (index) => {
    const digestOf = rememberingDigests((question) =>
      ecdsaDigest({ tx, spent, index, segwitState }, question),
    )
    return {
      checkEcdsa: (question) => {
        const signature = compactSignature(question.signature)
        if (signature === undefined) return false
        const publicKey = withoutHybrid(question.publicKey)
        return verifyEcdsa({ publicKey, digest: digestOf(question), signature }, { lowS: false })
      },
      checkSchnorr: (question) =>
        checkSchnorr({ tx, spent, index, midstate: taprootState() }, question),
      checkLockTime: (lockTime) => checkLockTime(tx, index, lockTime),
      checkSequence: (wanted) => checkSequence(tx, index, wanted),
    }
  }
}

type Place = { readonly tx: Transaction; readonly spent: readonly TxOut[]; readonly index: number }
type EcdsaQuestion = Parameters<SpendChecker['checkEcdsa']>[0]
type Digest = (question: EcdsaQuestion) => Uint8Array

/** A legacy digest hashes the whole transaction: once for all keys that a signature is tried on. */
function rememberingDigests(compute: Digest): Digest {
  let last: Pick<EcdsaQuestion, 'scriptCode' | 'version'> | undefined
  const digests = new Map<number, Uint8Array>()
  return (question) => {
    const { scriptCode, version, signature } = question
    if (last?.version !== version || !equalBytes(last.scriptCode, scriptCode)) digests.clear()
    last = question
    const hashType = signature.at(-1) ?? 0
    const digest = digests.get(hashType) ?? compute(question)
    digests.set(hashType, digest)
    return digest
  }
}

function ecdsaDigest(
  { tx, spent, index, segwitState }: Place & { readonly segwitState: () => SighashMidstate },
  { signature, scriptCode, version }: EcdsaQuestion,
): Uint8Array {
  const hashType = signature.at(-1) ?? 0
  const output = spent[index]
  if (version === 'base' || output === undefined)
    return legacySighash({ tx, index, scriptCode, hashType })
  const { value } = output
  return segwitSighash({ tx, index, scriptCode, value, hashType, midstate: segwitState() })
}

function checkSchnorr(
  place: Place & { readonly midstate: TaprootMidstate },
  { signature, publicKey, annexHash, tapscript }: Parameters<SpendChecker['checkSchnorr']>[0],
): ScriptResult {
  const { length } = signature
  if (length !== SCHNORR_SIZE && length !== SCHNORR_SIZE + 1) return 'SCHNORR_SIG_SIZE'
  const hashType = signature[SCHNORR_SIZE] ?? 0
  // The default type is said by leaving it out.
  if (length > SCHNORR_SIZE && hashType === 0) return 'SCHNORR_SIG_HASHTYPE'
  const digest = taprootSighash({ ...place, hashType, annexHash, tapscript })
  if (digest === undefined) return 'SCHNORR_SIG_HASHTYPE'
  return verifyBip340(publicKey, digest, signature.subarray(0, SCHNORR_SIZE))
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
