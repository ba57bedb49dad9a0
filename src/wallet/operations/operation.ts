/**
 * An operation: something that moves value, from its plan to its end. Implements `docs/spec/cli.md`
 * §3.10.
 */

export type OperationKind = 'transfer' | 'approve' | 'deposit' | 'redeem'

export const operationKinds: readonly OperationKind[] = ['transfer', 'approve', 'deposit', 'redeem']

export const operationStates = [
  /** Written down, nothing sent. */
  'planned',
  /** Sent, or about to be; the answer is not there yet. */
  'submitting',
  /** Accepted, and others are at work on it. */
  'waiting',
  'done',
  /** The network said no; nothing moved. */
  'refused',
  /** Funds were given back. */
  'returned',
  /** Sent, and nobody knows what became of it. */
  'unknown',
  /** Ended before anything was executed. */
  'cancelled',
] as const
export type OperationState = (typeof operationStates)[number]

/** Facts of an operation: amounts in decimal, bytes in hexadecimal, times in RFC 3339 or ns. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>

export type Operation = {
  /** `op_` and ten letters. */
  readonly id: string
  readonly kind: OperationKind
  readonly network: string
  /** Name of the key that signs; null where none is needed. */
  readonly key: string | null
  /** ICRC-1 text of the account it is about. */
  readonly account: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly updatedAt: string
  readonly state: OperationState
  readonly facts: Facts
}

/** States from which nothing further happens by itself or by waiting. */
const final: readonly OperationState[] = ['done', 'refused', 'returned', 'cancelled']

export const isOpen = ({ state }: Pick<Operation, 'state'>): boolean => !final.includes(state)

/** A fact that is text; undefined when it is not there. */
export function textFact({ facts }: Pick<Operation, 'facts'>, name: string): string | undefined {
  const value = facts[name]
  return typeof value === 'string' ? value : undefined
}

/** A fact that is a whole number in decimal. */
export function bigintFact(operation: Pick<Operation, 'facts'>, name: string): bigint | undefined {
  const text = textFact(operation, name)
  return text !== undefined && /^\d{1,78}$/.test(text) ? BigInt(text) : undefined
}
