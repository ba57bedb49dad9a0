/**
 * Runs one script: legacy, witness version 0 or tapscript. Source: Bitcoin Core 28, EvalScript;
 * BIP141, BIP342.
 */

import type { ScriptOp } from '../script.ts'
import { op, pushData, readOp, scriptNumber } from '../script.ts'
import { Conditions } from './conditions.ts'
import type { Machine, Operation, ScriptContext } from './machine.ts'
import { PLAIN_OPERATIONS } from './plain-operations.ts'
import { isTrue } from './script-number.ts'
import type { ScriptResult } from './script-rules.ts'
import {
  ELEMENT_BYTES_MAX,
  OPERATIONS_MAX,
  SCRIPT_BYTES_MAX,
  STACK_ITEMS_MAX,
} from './script-rules.ts'
import { SIGNATURE_OPERATIONS } from './signature-operations.ts'
import { TAPSCRIPT_OPERATIONS } from './tapscript-operations.ts'

const OP_IF = 0x63
const OP_NOTIF = 0x64
const OP_ELSE = 0x67
const OP_ENDIF = 0x68
const OP_NOP1 = 0xb0
const OP_NOP10 = 0xb9

/** Disabled since 2010; a script that only contains one of them fails. */
const DISABLED: ReadonlySet<number> = new Set([
  0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x8d, 0x8e, 0x95, 0x96, 0x97, 0x98, 0x99,
])

/**
 * Runs `script` on `stack`, which is changed in place; undefined when the script came to its end.
 */
export function runScript(
  script: Uint8Array,
  stack: Uint8Array[],
  context: ScriptContext,
): ScriptResult {
  const isBounded = context.version !== 'tapscript' // There the weight of the block is the limit.
  if (isBounded && script.length > SCRIPT_BYTES_MAX) return 'SCRIPT_SIZE'
  const machine: Machine = {
    ...context,
    script,
    stack,
    alternative: [],
    conditions: new Conditions(),
    codeStart: 0,
    codeSeparator: undefined,
    operations: 0,
  }
  for (let offset = 0, position = 0; offset < script.length; position++) {
    const read = readOp(script, offset)
    if (read === undefined) return 'BAD_OPCODE'
    const fault = step(machine, { ...read, position })
    if (fault !== undefined) return fault
    if (stack.length + machine.alternative.length > STACK_ITEMS_MAX) return 'STACK_SIZE'
    offset = read.next
  }
  return machine.conditions.depth > 0 ? 'UNBALANCED_CONDITIONAL' : undefined
}

/** One operation, which one of the script it is, and the offset of the one after it. */
type Read = { readonly op: ScriptOp; readonly next: number; readonly position: number }

function step(machine: Machine, read: Read): ScriptResult {
  const { version, flags, conditions } = machine
  const { opcode, data } = read.op
  if (data !== undefined && data.length > ELEMENT_BYTES_MAX) return 'PUSH_SIZE'
  if (opcode > op.sixteen && version !== 'tapscript') {
    machine.operations += 1
    if (machine.operations > OPERATIONS_MAX) return 'OP_COUNT'
  }
  if (DISABLED.has(opcode)) return 'DISABLED_OPCODE'
  if (opcode === op.codeSeparator && version === 'base' && flags.has('CONST_SCRIPTCODE'))
    return 'OP_CODESEPARATOR'
  // Conditionals, and the reserved VERIF and VERNOTIF among them, are seen in dead branches too.
  if (opcode >= OP_IF && opcode <= OP_ENDIF) return conditional(machine, opcode)
  if (!conditions.running) return undefined
  return data === undefined ? perform(machine, read) : push(machine, { opcode, data })
}

type Push = { readonly opcode: number; readonly data: Uint8Array }

function push({ stack, flags }: Machine, { opcode, data }: Push): ScriptResult {
  if (flags.has('MINIMALDATA') && !isMinimalPush({ opcode, data })) return 'MINIMALDATA'
  stack.push(data)
  return undefined
}

/** Each value has one shortest push. */
function isMinimalPush({ opcode, data }: Push): boolean {
  const [first] = data
  if (first === undefined) return opcode === op.zero
  if (data.length === 1 && ((first >= 1 && first <= 16) || first === 0x81)) return false
  return opcode === pushData(data)[0]
}

function perform(machine: Machine, { op: { opcode }, next, position }: Read): ScriptResult {
  if (opcode === op.negate1 || (opcode >= op.one && opcode <= op.sixteen)) {
    machine.stack.push(scriptNumber(opcode - op.one + 1))
    return undefined
  }
  if (opcode === op.codeSeparator) {
    machine.codeStart = next
    machine.codeSeparator = position
    return undefined
  }
  const operation = operationOf(machine, opcode)
  if (operation !== undefined) return operation(machine)
  if (opcode < OP_NOP1 || opcode > OP_NOP10) return 'BAD_OPCODE'
  return machine.flags.has('DISCOURAGE_UPGRADABLE_NOPS') ? 'DISCOURAGE_UPGRADABLE_NOPS' : undefined
}

const operationOf = ({ version }: Machine, opcode: number): Operation | undefined =>
  (version === 'tapscript' ? TAPSCRIPT_OPERATIONS.get(opcode) : undefined) ??
  PLAIN_OPERATIONS.get(opcode) ??
  SIGNATURE_OPERATIONS.get(opcode)

function conditional(machine: Machine, opcode: number): ScriptResult {
  const { conditions } = machine
  if (opcode === OP_IF || opcode === OP_NOTIF) {
    if (conditions.running) return openConditional(machine, opcode === OP_IF)
    conditions.open(false)
    return undefined
  }
  if (opcode !== OP_ELSE && opcode !== OP_ENDIF) return 'BAD_OPCODE'
  if (conditions.depth === 0) return 'UNBALANCED_CONDITIONAL'
  if (opcode === OP_ELSE) conditions.toggle()
  else conditions.close()
  return undefined
}

function openConditional(machine: Machine, wanted: boolean): ScriptResult {
  const { stack, version, flags, conditions } = machine
  const item = stack.pop()
  if (item === undefined) return 'UNBALANCED_CONDITIONAL'
  const minimal = item.length === 0 || (item.length === 1 && item[0] === 1)
  if (version === 'tapscript' && !minimal) return 'TAPSCRIPT_MINIMALIF'
  if (version === 'v0' && flags.has('MINIMALIF') && !minimal) return 'MINIMALIF'
  conditions.open(isTrue(item) === wanted)
  return undefined
}
