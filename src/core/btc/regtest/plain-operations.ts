/**
 * Opcodes that only look at the stack: order, sizes, numbers, hashes. Source: Bitcoin Core
 * EvalScript.
 */
import { ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { equalBytes } from '../../base/bytes.ts'
import { hash160, sha256, sha256d } from '../../base/hash.ts'
import { scriptNumber } from '../script.ts'
import type { Operation } from './machine.ts'
import { asNumber, take } from './machine.ts'
import { FALSE, isTrue, TRUE } from './script-number.ts'
import type { ScriptError } from './script-rules.ts'

const bool = (value: boolean): Uint8Array => (value ? TRUE : FALSE)

/** Takes `count` items, indexed from the deepest, and puts back those named. */
const rearrange =
  (count: number, order: readonly number[]): Operation =>
  (machine) => {
    const items = take(machine, count)
    if (items === undefined) return 'INVALID_STACK_OPERATION'
    machine.stack.push(...order.flatMap((i) => items.slice(i, i + 1)))
    return undefined
  }

/** Replaces `count` numbers by one item. */
const arithmetic =
  (count: number, compute: (a: number, b: number, c: number) => number | boolean): Operation =>
  (machine) => {
    const items = take(machine, count)
    if (items === undefined) return 'INVALID_STACK_OPERATION'
    const numbers = items.map((item) => asNumber(machine, item))
    if (numbers.includes(undefined)) return 'UNKNOWN_ERROR'
    const [a = 0, b = 0, c = 0] = numbers
    const result = compute(a, b, c)
    machine.stack.push(typeof result === 'boolean' ? bool(result) : scriptNumber(result))
    return undefined
  }

const hashing =
  (hash: (data: Uint8Array) => Uint8Array): Operation =>
  (machine) => {
    const [item] = take(machine, 1) ?? []
    if (item === undefined) return 'INVALID_STACK_OPERATION'
    machine.stack.push(hash(item))
    return undefined
  }

const equal: Operation = (machine) => {
  const [a, b] = take(machine, 2) ?? []
  if (a === undefined || b === undefined) return 'INVALID_STACK_OPERATION'
  machine.stack.push(bool(equalBytes(a, b)))
  return undefined
}

const verify: Operation = (machine) => {
  const top = machine.stack.at(-1)
  if (top === undefined) return 'INVALID_STACK_OPERATION'
  if (!isTrue(top)) return 'VERIFY'
  machine.stack.pop()
  return undefined
}

/**
 * Runs `operation`, then takes its answer, which must be true; `failure` is the error when it is
 * not.
 */
export const thenVerify =
  (operation: Operation, failure: ScriptError): Operation =>
  (machine) => {
    const fault = operation(machine)
    if (fault !== undefined) return fault
    return verify(machine) === undefined ? undefined : failure
  }

/** PICK copies and ROLL moves the item that the top number names. */
const reach =
  ({ remove }: { readonly remove: boolean }): Operation =>
  (machine) => {
    const { stack } = machine
    if (stack.length < 2) return 'INVALID_STACK_OPERATION'
    const depth = asNumber(machine, stack.pop() ?? FALSE)
    if (depth === undefined) return 'UNKNOWN_ERROR'
    if (depth < 0 || depth >= stack.length) return 'INVALID_STACK_OPERATION'
    const index = stack.length - 1 - depth
    stack.push(...(remove ? stack.splice(index, 1) : stack.slice(index, index + 1)))
    return undefined
  }

const toAlternative: Operation = ({ stack, alternative }) => {
  const item = stack.pop()
  if (item === undefined) return 'INVALID_STACK_OPERATION'
  alternative.push(item)
  return undefined
}

const fromAlternative: Operation = ({ stack, alternative }) => {
  const item = alternative.pop()
  if (item === undefined) return 'INVALID_ALTSTACK_OPERATION'
  stack.push(item)
  return undefined
}

const duplicateIfTrue: Operation = ({ stack }) => {
  const top = stack.at(-1)
  if (top === undefined) return 'INVALID_STACK_OPERATION'
  if (isTrue(top)) stack.push(top)
  return undefined
}

const size: Operation = ({ stack }) => {
  const top = stack.at(-1)
  if (top === undefined) return 'INVALID_STACK_OPERATION'
  stack.push(scriptNumber(top.length))
  return undefined
}

const numberEqual = arithmetic(2, (a, b) => a === b)

export const PLAIN_OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x61, () => undefined], // NOP
  [0x69, verify],
  [0x6a, () => 'OP_RETURN'],
  [0x6b, toAlternative],
  [0x6c, fromAlternative],
  [0x6d, rearrange(2, [])], // 2DROP
  [0x6e, rearrange(2, [0, 1, 0, 1])], // 2DUP
  [0x6f, rearrange(3, [0, 1, 2, 0, 1, 2])], // 3DUP
  [0x70, rearrange(4, [0, 1, 2, 3, 0, 1])], // 2OVER
  [0x71, rearrange(6, [2, 3, 4, 5, 0, 1])], // 2ROT
  [0x72, rearrange(4, [2, 3, 0, 1])], // 2SWAP
  [0x73, duplicateIfTrue], // IFDUP
  [0x74, ({ stack }) => void stack.push(scriptNumber(stack.length))], // DEPTH
  [0x75, rearrange(1, [])], // DROP
  [0x76, rearrange(1, [0, 0])], // DUP
  [0x77, rearrange(2, [1])], // NIP
  [0x78, rearrange(2, [0, 1, 0])], // OVER
  [0x79, reach({ remove: false })], // PICK
  [0x7a, reach({ remove: true })], // ROLL
  [0x7b, rearrange(3, [1, 2, 0])], // ROT
  [0x7c, rearrange(2, [1, 0])], // SWAP
  [0x7d, rearrange(2, [1, 0, 1])], // TUCK
  [0x82, size],
  [0x87, equal],
  [0x88, thenVerify(equal, 'EQUALVERIFY')],
  [0x8b, arithmetic(1, (a) => a + 1)],
  [0x8c, arithmetic(1, (a) => a - 1)],
  [0x8f, arithmetic(1, (a) => -a)], // NEGATE
  [0x90, arithmetic(1, (a) => Math.abs(a))], // ABS
  [0x91, arithmetic(1, (a) => a === 0)], // NOT
  [0x92, arithmetic(1, (a) => a !== 0)], // 0NOTEQUAL
  [0x93, arithmetic(2, (a, b) => a + b)],
  [0x94, arithmetic(2, (a, b) => a - b)],
  [0x9a, arithmetic(2, (a, b) => a !== 0 && b !== 0)], // BOOLAND
  [0x9b, arithmetic(2, (a, b) => a !== 0 || b !== 0)], // BOOLOR
  [0x9c, numberEqual],
  [0x9d, thenVerify(numberEqual, 'NUMEQUALVERIFY')],
  [0x9e, arithmetic(2, (a, b) => a !== b)],
  [0x9f, arithmetic(2, (a, b) => a < b)],
  [0xa0, arithmetic(2, (a, b) => a > b)],
  [0xa1, arithmetic(2, (a, b) => a <= b)],
  [0xa2, arithmetic(2, (a, b) => a >= b)],
  [0xa3, arithmetic(2, (a, b) => Math.min(a, b))], // MIN
  [0xa4, arithmetic(2, (a, b) => Math.max(a, b))], // MAX
  [0xa5, arithmetic(3, (value, low, high) => low <= value && value < high)], // WITHIN
  [0xa6, hashing(ripemd160)],
  [0xa7, hashing(sha1)],
  [0xa8, hashing(sha256)],
  [0xa9, hashing(hash160)],
  [0xaa, hashing(sha256d)],
])
