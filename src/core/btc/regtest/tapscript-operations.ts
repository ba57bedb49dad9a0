/** Signature opcodes as they are in tapscript. Source: BIP342, "Rules for signature opcodes". */
import { assert } from '../../base/errors.ts'
import { scriptNumber } from '../script.ts'
import type { Machine, Operation } from './machine.ts'
import { asNumber, take } from './machine.ts'
import { thenVerify } from './plain-operations.ts'
import { FALSE, TRUE } from './script-number.ts'
import type { ScriptError } from './script-rules.ts'

const KEY_SIZE = 32
/** What a signature that is not empty takes from the weight of its witness. */
const WEIGHT_OF_SIGNATURE = 50

/** Whether it is signed, or why the script fails: a signature is good, or it is empty. */
function checkKey(
  machine: Machine,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean | ScriptError {
  assert(machine.version === 'tapscript', 'these operations are those of tapscript')
  const { leaf, codeSeparator, flags, checker } = machine
  const signed = signature.length > 0
  if (signed) {
    leaf.weightLeft -= WEIGHT_OF_SIGNATURE
    if (leaf.weightLeft < 0) return 'TAPSCRIPT_VALIDATION_WEIGHT'
  }
  if (publicKey.length === 0) return 'PUBKEYTYPE'
  if (publicKey.length !== KEY_SIZE)
    // Keys of other sizes are left to the future, and good until then.
    return flags.has('DISCOURAGE_UPGRADABLE_PUBKEYTYPE')
      ? 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE'
      : signed
  if (!signed) return false
  const { hash: leafHash, annexHash } = leaf
  const tapscript = { leafHash, codeSeparator }
  return checker.checkSchnorr({ signature, publicKey, annexHash, tapscript }) ?? true
}

const checkSignature: Operation = (machine) => {
  const [signature, publicKey] = take(machine, 2) ?? []
  if (signature === undefined || publicKey === undefined) return 'INVALID_STACK_OPERATION'
  const signed = checkKey(machine, signature, publicKey)
  if (typeof signed === 'string') return signed
  machine.stack.push(signed ? TRUE : FALSE)
  return undefined
}

/** Counts up under a number: `signature number key → number or number + 1`. */
const checkSignatureAdd: Operation = (machine) => {
  const [signature, item, publicKey] = take(machine, 3) ?? []
  if (signature === undefined || item === undefined || publicKey === undefined)
    return 'INVALID_STACK_OPERATION'
  const count = asNumber(machine, item)
  if (count === undefined) return 'UNKNOWN_ERROR'
  const signed = checkKey(machine, signature, publicKey)
  if (typeof signed === 'string') return signed
  machine.stack.push(scriptNumber(count + (signed ? 1 : 0)))
  return undefined
}

const noMultisig: Operation = () => 'TAPSCRIPT_CHECKMULTISIG'

/** They stand before the operations of the same code in older scripts. */
export const TAPSCRIPT_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0xac, checkSignature],
  [0xad, thenVerify(checkSignature, 'CHECKSIGVERIFY')],
  [0xae, noMultisig],
  [0xaf, noMultisig],
  [0xba, checkSignatureAdd],
])
