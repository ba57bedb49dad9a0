/**
 * Opcodes that ask about the spending transaction: signatures and lock times (BIP65, 66, 112, 143,
 * 146, 147).
 */
import { concat, equalBytes } from '../../base/bytes.ts'
import { assert } from '../../base/errors.ts'
import { pushData, readOp } from '../script.ts'
import type { EcdsaVersion, Machine, Operation } from './machine.ts'
import { asNumber, take } from './machine.ts'
import { thenVerify } from './plain-operations.ts'
import { FALSE, LOCK_TIME_BYTES_MAX, TRUE } from './script-number.ts'
import type { ScriptResult } from './script-rules.ts'
import { MULTISIG_KEYS_MAX, OPERATIONS_MAX } from './script-rules.ts'
import {
  hasLowS,
  isCompressedKey,
  isDefinedHashType,
  isPlainKey,
  isStrictSignature,
} from './signature-encoding.ts'

/** Set in a sequence number: no relative lock. */
const SEQUENCE_DISABLED = 2 ** 31

/** Removes `pattern` wherever an instruction could begin. Core: FindAndDelete. */
export function findAndDelete(script: Uint8Array, pattern: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  for (let offset = 0; offset < script.length; ) {
    if (equalBytes(script.subarray(offset, offset + pattern.length), pattern)) {
      offset += pattern.length
      continue
    }
    // Bytes that are no whole instruction end the search, not the script.
    const next = readOp(script, offset)?.next ?? script.length
    kept.push(script.subarray(offset, next))
    offset = next
  }
  return concat(...kept)
}

function ecdsaVersion({ version }: Machine): EcdsaVersion {
  assert(version !== 'tapscript', 'tapscript has signature operations of its own')
  return version
}

/** The code that a signature commits to; old scripts lose the signatures themselves. */
function scriptCodeFor(
  { script, codeStart, version, flags }: Machine,
  signatures: readonly Uint8Array[],
): Uint8Array | 'SIG_FINDANDDELETE' {
  const code = script.subarray(codeStart)
  if (version !== 'base') return code
  const rest = signatures.reduce(
    (left, signature) => findAndDelete(left, pushData(signature)),
    code,
  )
  return rest.length !== code.length && flags.has('CONST_SCRIPTCODE') ? 'SIG_FINDANDDELETE' : rest
}

function signatureFault({ flags }: Machine, signature: Uint8Array): ScriptResult {
  if (signature.length === 0) return undefined
  const strict = flags.has('STRICTENC')
  if ((strict || flags.has('DERSIG') || flags.has('LOW_S')) && !isStrictSignature(signature))
    return 'SIG_DER'
  if (flags.has('LOW_S') && !hasLowS(signature)) return 'SIG_HIGH_S'
  if (strict && !isDefinedHashType(signature.at(-1) ?? 0)) return 'SIG_HASHTYPE'
  return undefined
}

function keyFault({ flags, version }: Machine, key: Uint8Array): ScriptResult {
  if (flags.has('STRICTENC') && !isPlainKey(key)) return 'PUBKEYTYPE'
  if (flags.has('WITNESS_PUBKEYTYPE') && version === 'v0' && !isCompressedKey(key))
    return 'WITNESS_PUBKEYTYPE'
  return undefined
}

const checkSignature: Operation = (machine) => {
  const [signature, publicKey] = take(machine, 2) ?? []
  if (signature === undefined || publicKey === undefined) return 'INVALID_STACK_OPERATION'
  const scriptCode = scriptCodeFor(machine, [signature])
  if (scriptCode === 'SIG_FINDANDDELETE') return scriptCode
  const fault = signatureFault(machine, signature) ?? keyFault(machine, publicKey)
  if (fault !== undefined) return fault
  const version = ecdsaVersion(machine)
  const good = machine.checker.checkEcdsa({ signature, publicKey, scriptCode, version })
  if (!good && machine.flags.has('NULLFAIL') && signature.length > 0) return 'NULLFAIL'
  machine.stack.push(good ? TRUE : FALSE)
  return undefined
}

/** Keys and signatures of CHECKMULTISIG, in script order. */
type Multisig = { readonly keys: readonly Uint8Array[]; readonly signatures: readonly Uint8Array[] }

function takeMultisig(machine: Machine): Multisig | Exclude<ScriptResult, undefined> {
  const keys = takeCounted(machine, MULTISIG_KEYS_MAX, 'PUBKEY_COUNT')
  if (typeof keys === 'string') return keys
  const signatures = takeCounted(machine, keys.length, 'SIG_COUNT')
  return typeof signatures === 'string' ? signatures : { keys, signatures }
}

function takeCounted(
  machine: Machine,
  countMax: number,
  tooMany: 'PUBKEY_COUNT' | 'SIG_COUNT',
): readonly Uint8Array[] | Exclude<ScriptResult, undefined> {
  const [item] = take(machine, 1) ?? []
  if (item === undefined) return 'INVALID_STACK_OPERATION'
  const count = asNumber(machine, item)
  if (count === undefined) return 'UNKNOWN_ERROR'
  if (count < 0 || count > countMax) return tooMany
  if (tooMany === 'PUBKEY_COUNT') {
    machine.operations += count
    if (machine.operations > OPERATIONS_MAX) return 'OP_COUNT'
  }
  return take(machine, count) ?? 'INVALID_STACK_OPERATION'
}

/** Signatures must stand in the order of their keys; matched from the last one, as Core does. */
function matchSignatures(machine: Machine, multisig: Multisig): boolean | ScriptResult {
  const scriptCode = scriptCodeFor(machine, multisig.signatures.toReversed())
  if (scriptCode === 'SIG_FINDANDDELETE') return scriptCode
  const keys = [...multisig.keys]
  const signatures = [...multisig.signatures]
  const version = ecdsaVersion(machine)
  while (signatures.length > 0) {
    if (signatures.length > keys.length) return false
    const signature = signatures.at(-1) ?? FALSE
    const publicKey = keys.pop() ?? FALSE
    const fault = signatureFault(machine, signature) ?? keyFault(machine, publicKey)
    if (fault !== undefined) return fault
    if (machine.checker.checkEcdsa({ signature, publicKey, scriptCode, version })) signatures.pop()
  }
  return true
}

const checkMultisig: Operation = (machine) => {
  const multisig = takeMultisig(machine)
  if (typeof multisig === 'string') return multisig
  // The dummy below must be there before anything is verified.
  if (machine.stack.length < 1) return 'INVALID_STACK_OPERATION'
  const good = matchSignatures(machine, multisig)
  if (typeof good === 'string') return good
  const signed = multisig.signatures.some(({ length }) => length > 0)
  if (!good && machine.flags.has('NULLFAIL') && signed) return 'NULLFAIL'
  const dummy = machine.stack.pop()
  if (machine.flags.has('NULLDUMMY') && dummy?.length !== 0) return 'SIG_NULLDUMMY'
  machine.stack.push(good === true ? TRUE : FALSE)
  return undefined
}

/** NOP2 and NOP3 once; they look at the top number and leave it. */
const lockTime =
  (flag: 'CHECKLOCKTIMEVERIFY' | 'CHECKSEQUENCEVERIFY'): Operation =>
  (machine) => {
    if (!machine.flags.has(flag)) return undefined
    const top = machine.stack.at(-1)
    if (top === undefined) return 'INVALID_STACK_OPERATION'
    const value = asNumber(machine, top, LOCK_TIME_BYTES_MAX)
    if (value === undefined) return 'UNKNOWN_ERROR'
    if (value < 0) return 'NEGATIVE_LOCKTIME'
    if (flag === 'CHECKLOCKTIMEVERIFY')
      return machine.checker.checkLockTime(value) ? undefined : 'UNSATISFIED_LOCKTIME'
    if (Math.floor(value / SEQUENCE_DISABLED) % 2 === 1) return undefined
    return machine.checker.checkSequence(value) ? undefined : 'UNSATISFIED_LOCKTIME'
  }

export const SIGNATURE_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0xac, checkSignature],
  [0xad, thenVerify(checkSignature, 'CHECKSIGVERIFY')],
  [0xae, checkMultisig],
  [0xaf, thenVerify(checkMultisig, 'CHECKMULTISIGVERIFY')],
  [0xb1, lockTime('CHECKLOCKTIMEVERIFY')],
  [0xb2, lockTime('CHECKSEQUENCEVERIFY')],
])
