/** What an inconsistent event log is: data of others that cannot be. Source: minter §18.1. */
import { BadEncoding } from '../../base/errors.ts'

/** States what a log must satisfy for its next event to follow. */
export function consistent(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new BadEncoding(`inconsistent event log: ${rule}`)
}

/** The value that an earlier event must have brought. */
export function brought<T>(value: T | undefined, rule: string): T {
  consistent(value !== undefined, rule)
  return value
}
