/** Why the key store says no. Implements `docs/spec/cli.md` §§5.11, 6. */
import { Problem } from '../../core/base/errors.ts'
import { systemCode } from '../private-files.ts'
import { nearestWords } from './nearest-words.ts'

/** Says which operations of a key are not finished; their ids. */
export type OpenOperationsOf = (name: string) => readonly string[]

/** Whoever would lose the key could not finish them. */
export function requireNoneOpen(name: string, openOperationsOf: OpenOperationsOf): void {
  const open = openOperationsOf(name)
  const [first] = open
  if (first === undefined) return
  throw new Problem('OPERATION_OPEN', `key ${name} has open operations: ${open.join(', ')}`, {
    fix: 'let them end first:',
    command: `ckbtc status ${first} --wait`,
    details: { key: name, operations: open },
  })
}

export const taken = (name: string): Problem =>
  new Problem('KEY_EXISTS', `there is a key "${name}" already`, {
    fix: 'choose another name, or give that key another one:',
    command: `ckbtc key rename ${name} ${name}-old`,
    details: { key: name },
  })

/** Runs what makes the file of a key; a file in its place is `KEY_EXISTS`. */
export function refuseTaken(name: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? taken(name) : error
  }
}

export function noSuchKey(name: string, names: readonly string[]): Problem {
  const [nearest] = nearestWords(name, names, 1)
  return new Problem('KEY_NOT_FOUND', `there is no key "${name}"`, {
    fix: nearest === undefined ? 'the keys are listed by' : `the nearest name is ${nearest}`,
    command: 'ckbtc key list',
    details: { key: name, nearest: nearest ?? null },
  })
}

/** The key file of that name does not hold what it claims. */
export const corrupt = (name: string, reason: string): Problem =>
  new Problem('KEY_CORRUPT', `the file of key ${name} cannot be used: ${reason}`, {
    fix: 'take the file from a backup, or import the key again under another name',
    details: { key: name },
  })
