/**
 * Sets of script flags as Bitcoin Core's test programs make them, and a runner that asks for each
 * signature once, however often a spend is verified.
 */
import { toHex } from '../../../../src/core/base/bytes.ts'
import type { SpendChecker } from '../../../../src/core/btc/regtest/machine.ts'
import type {
  ScriptError,
  ScriptFlag,
  ScriptFlags,
} from '../../../../src/core/btc/regtest/script-rules.ts'
import { STANDARD_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import { spendChecker } from '../../../../src/core/btc/regtest/spend-checker.ts'
import { verifyScript } from '../../../../src/core/btc/regtest/verify-script.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'

/** Every flag there is; policy leaves one out, which push-only scriptSigs imply. */
export const ALL_FLAGS: readonly ScriptFlag[] = [...STANDARD_FLAGS, 'SIGPUSHONLY']

export const isFlag = (name: string): name is ScriptFlag => ALL_FLAGS.some((flag) => flag === name)

/** Names of a row; `NONE` and the empty text are no flag. */
export const flagNames = (text: string): readonly string[] =>
  text.split(',').filter((name) => name !== '' && name !== 'NONE')

/** Adds what the flags imply: CLEANSTACK needs WITNESS, and that P2SH. */
export function filled(flags: Iterable<ScriptFlag>): ScriptFlags {
  const all = new Set(flags)
  if (all.has('CLEANSTACK')) all.add('WITNESS')
  if (all.has('WITNESS')) all.add('P2SH')
  return all
}

/** Removes what has lost the flag that it needs. */
export function trimmed(flags: Iterable<ScriptFlag>): ScriptFlags {
  const all = new Set(flags)
  if (!all.has('P2SH')) all.delete('WITNESS')
  if (!all.has('WITNESS')) all.delete('CLEANSTACK')
  return all
}

export const without = (flags: ScriptFlags, removed: ScriptFlags): readonly ScriptFlag[] =>
  [...flags].filter((flag) => !removed.has(flag))

export const complement = (flags: ScriptFlags): ScriptFlags =>
  new Set(ALL_FLAGS.filter((flag) => !flags.has(flag)))

/** Core's ExcludeIndividualFlags: the set less one flag and what needs that one. */
export const withoutEach = (flags: ScriptFlags): readonly ScriptFlags[] =>
  [...flags].map((flag) => trimmed(without(flags, new Set([flag]))))

/** Some flags, by the bits of `seed`. */
export const someFlags = (seed: number): ScriptFlags =>
  new Set(ALL_FLAGS.filter((_, i) => ((Math.imul(seed, 0x9e37_79b1) >>> i) & 1) === 1))

/** Verifies all inputs under one set of flags after another: the first error, or `OK`. */
export function scriptRunner(
  tx: Transaction,
  spent: readonly TxOut[],
): (flags: ScriptFlags) => ScriptError | 'OK' {
  const checkerOf = spendChecker(tx, spent)
  const inputs = tx.inputs.map(({ scriptSig, witness }, index) => ({
    scriptSig,
    witness,
    scriptPubKey: spent[index]?.script ?? new Uint8Array(0),
    checker: remembering(checkerOf(index)),
  }))
  return (flags) => {
    for (const input of inputs) {
      const error = verifyScript({ ...input, flags })
      if (error !== undefined) return error
    }
    return 'OK'
  }
}

function remembering(checker: SpendChecker): SpendChecker {
  const known = new Map<string, boolean>()
  return {
    ...checker,
    checkEcdsa: (question) => {
      const { signature, publicKey, scriptCode, version } = question
      const key = [version, ...[signature, publicKey, scriptCode].map(toHex)].join()
      const good = known.get(key) ?? checker.checkEcdsa(question)
      known.set(key, good)
      return good
    },
  }
}
