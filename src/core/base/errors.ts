/** Every error class of the program, and the stable codes of `docs/spec/cli.md` §6. */

/** Codes that exist so far; each has a row in `docs/errors.md` and a test that reaches it. */
export type ErrorCode =
  | 'BUG'
  | 'CHECK_FAILED'
  | 'HOST_DISK'
  | 'HOST_NODE_VERSION'
  | 'HOST_PORT_BUSY'
  | 'INTERRUPTED'
  | 'RESERVES_MISMATCH'
  | 'RESERVES_SHORT'
  | 'SUBNET_SIGNING_STALLED'
  | 'USAGE_INVALID'
  | 'USAGE_UNKNOWN_COMMAND'
  | 'USAGE_UNKNOWN_OPTION'

/** What the user or the environment got wrong: the message says what was found, `fix` what to do. */
export abstract class CkbtcError extends Error {
  abstract readonly code: ErrorCode
  /** What to do next, one sentence. */
  abstract readonly fix: string
  /** A command that helps, ready to paste. */
  readonly command: string | undefined = undefined
  override get name(): string {
    return this.code
  }
}

/** An invariant of ours does not hold. The process stops and says that it is a bug. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** Bytes that are not what they claim to be. Decoders throw it; parties and servers catch it at their border. */
export class BadEncoding extends Error {
  override readonly name = 'BadEncoding'
}

/** States an invariant. One condition a call. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Bug(invariant)
}

/** The value, which must be there. */
export function present<T>(value: T | undefined, invariant: string): T {
  if (value === undefined) throw new Bug(invariant)
  return value
}

/** Runs a decoder over bytes of others: the value, or the reason as data. Everything else passes through. */
export function attempt<T>(decode: () => T): T | BadEncoding {
  try {
    return decode()
  } catch (error) {
    if (error instanceof BadEncoding) return error
    throw error
  }
}
