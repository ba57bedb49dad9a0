/** Runs the script of a witness on the items before it. Source: Bitcoin Core ExecuteWitnessScript. */
import { runScript } from './interpreter.ts'
import type { ScriptContext } from './machine.ts'
import { isTrue } from './script-number.ts'
import type { ScriptResult } from './script-rules.ts'
import { ELEMENT_BYTES_MAX } from './script-rules.ts'

/** BIP141: one true item must remain, by consensus. */
export function runWitnessScript(
  script: Uint8Array,
  items: readonly Uint8Array[],
  context: ScriptContext,
): ScriptResult {
  if (items.some(({ length }) => length > ELEMENT_BYTES_MAX)) return 'PUSH_SIZE'
  const stack = [...items]
  const fault = runScript(script, stack, context)
  if (fault !== undefined) return fault
  return stack.length === 1 ? mustBeTrue(stack) : 'CLEANSTACK'
}

export const mustBeTrue = (stack: readonly Uint8Array[]): ScriptResult => {
  const top = stack.at(-1)
  return top !== undefined && isTrue(top) ? undefined : 'EVAL_FALSE'
}
