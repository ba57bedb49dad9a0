/** Every error class of the program, and the stable codes of `docs/spec/cli.md` §6. */

/** What a caller may do after a failure; the words of `docs/spec/cli.md` §3.6. */
export type Retry = 'fix-input' | 'safe' | 'resume' | 'check-first' | 'never'

/** Codes that exist so far; each has a row in `docs/errors.md` and a test that reaches it. */
export const errorCatalogue = {
  ACCOUNT_INVALID: { exit: 2, retry: 'fix-input' },
  AMOUNT_FORMAT: { exit: 2, retry: 'fix-input' },
  AMOUNT_NO_UNIT: { exit: 2, retry: 'fix-input' },
  AMOUNT_PRECISION: { exit: 2, retry: 'fix-input' },
  AMOUNT_RANGE: { exit: 2, retry: 'fix-input' },
  BTC_BAD_ADDRESS: { exit: 2, retry: 'fix-input' },
  BTC_REFUSED: { exit: 7, retry: 'fix-input' },
  BTC_SOURCE_FALSE: { exit: 5, retry: 'never' },
  BTC_SOURCE_UNUSABLE: { exit: 11, retry: 'fix-input' },
  BTC_WRONG_NETWORK: { exit: 2, retry: 'fix-input' },
  BUG: { exit: 70, retry: 'never' },
  CHECK_FAILED: { exit: 8, retry: 'never' },
  CONFIG_INVALID: { exit: 11, retry: 'fix-input' },
  CONSENT_DECLINED: { exit: 3, retry: 'safe' },
  CONSENT_DUPLICATE: { exit: 3, retry: 'check-first' },
  CONSENT_REQUIRED: { exit: 3, retry: 'fix-input' },
  DEST_IS_ACCOUNT: { exit: 2, retry: 'fix-input' },
  DEST_IS_BITCOIN: { exit: 2, retry: 'fix-input' },
  HOST_CLOCK: { exit: 11, retry: 'safe' },
  HOST_DISK: { exit: 11, retry: 'safe' },
  HOST_NODE_VERSION: { exit: 11, retry: 'safe' },
  HOST_PORT_BUSY: { exit: 11, retry: 'safe' },
  HOST_STATE_LOCKED: { exit: 11, retry: 'safe' },
  INTERRUPTED: { exit: 130, retry: 'safe' },
  KEY_BAD_PHRASE: { exit: 4, retry: 'fix-input' },
  KEY_CORRUPT: { exit: 4, retry: 'fix-input' },
  KEY_EXISTS: { exit: 11, retry: 'fix-input' },
  KEY_LOCKED: { exit: 4, retry: 'fix-input' },
  KEY_NONE: { exit: 4, retry: 'fix-input' },
  KEY_NOT_FOUND: { exit: 4, retry: 'fix-input' },
  KEY_WRONG_PASSPHRASE: { exit: 4, retry: 'fix-input' },
  LEDGER_ALLOWANCE_CHANGED: { exit: 7, retry: 'fix-input' },
  LEDGER_INSUFFICIENT_FUNDS: { exit: 7, retry: 'fix-input' },
  LEDGER_REFUSED: { exit: 7, retry: 'fix-input' },
  MINTER_ALREADY_PROCESSING: { exit: 7, retry: 'safe' },
  MINTER_BELOW_MINIMUM: { exit: 7, retry: 'fix-input' },
  MINTER_BUSY: { exit: 7, retry: 'safe' },
  MINTER_COIN_FLAGGED: { exit: 7, retry: 'never' },
  MINTER_COIN_TOO_SMALL: { exit: 7, retry: 'never' },
  MINTER_DEST_FLAGGED: { exit: 7, retry: 'fix-input' },
  MINTER_REFUSED: { exit: 7, retry: 'fix-input' },
  MINTER_RESTRICTED: { exit: 7, retry: 'never' },
  NETWORK_BAD_CERTIFICATE: { exit: 5, retry: 'never' },
  NETWORK_TIMEOUT: { exit: 5, retry: 'safe' },
  NETWORK_UNREACHABLE: { exit: 5, retry: 'safe' },
  OPERATION_OPEN: { exit: 6, retry: 'check-first' },
  OPERATION_UNKNOWN: { exit: 9, retry: 'check-first' },
  RAIL_ADDRESS_MISMATCH: { exit: 10, retry: 'never' },
  RAIL_CANISTER_MISMATCH: { exit: 10, retry: 'never' },
  RAIL_FEE_CAP: { exit: 10, retry: 'fix-input' },
  RAIL_LOCAL_ONLY: { exit: 10, retry: 'fix-input' },
  RAIL_NO_ROOT_KEY: { exit: 10, retry: 'fix-input' },
  RAIL_PLAINTEXT_KEY: { exit: 10, retry: 'fix-input' },
  RAIL_SECRET_IN_ENV: { exit: 10, retry: 'fix-input' },
  RAIL_SPEND_LIMIT: { exit: 10, retry: 'fix-input' },
  RAIL_TEST_KEY: { exit: 10, retry: 'fix-input' },
  REPORT_DAMAGED: { exit: 8, retry: 'never' },
  RESERVES_INCONCLUSIVE: { exit: 5, retry: 'safe' },
  RESERVES_MISMATCH: { exit: 8, retry: 'never' },
  RESERVES_SHORT: { exit: 8, retry: 'never' },
  SIGNATURE_INVALID: { exit: 8, retry: 'never' },
  SUBNET_DOWN: { exit: 11, retry: 'safe' },
  SUBNET_SIGNING_STALLED: { exit: 6, retry: 'safe' },
  USAGE_IDEMPOTENCY_MISMATCH: { exit: 2, retry: 'fix-input' },
  USAGE_INVALID: { exit: 2, retry: 'fix-input' },
  USAGE_UNKNOWN_COMMAND: { exit: 2, retry: 'fix-input' },
  USAGE_UNKNOWN_OPTION: { exit: 2, retry: 'fix-input' },
} as const satisfies Readonly<Record<string, { readonly exit: number; readonly retry: Retry }>>

export type ErrorCode = keyof typeof errorCatalogue

/**
 * What the user or the environment got wrong: the message says what was found, `fix` what to do.
 */
export abstract class CkbtcError extends Error {
  abstract readonly code: ErrorCode
  /** What to do next, one sentence. */
  abstract readonly fix: string
  /** A command that helps, ready to paste. */
  readonly command: string | undefined = undefined
  /** Facts for programs; names in camel case, amounts end in `Sat`. */
  readonly details: Readonly<Record<string, unknown>> = {}
  override get name(): string {
    return this.code
  }
  /** Exit status of `docs/spec/cli.md` §3.7. */
  get exit(): number {
    return errorCatalogue[this.code].exit
  }
}

/**
 * A failure that needs no class of its own: nothing but its code tells it from others. `message`:
 * what was found and what was expected, one line.
 */
export class Problem extends CkbtcError {
  readonly code: ErrorCode
  readonly fix: string
  override readonly command: string | undefined
  override readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    help: {
      readonly fix: string
      readonly command?: string | undefined
      readonly details?: Readonly<Record<string, unknown>> | undefined
      readonly cause?: unknown
    },
  ) {
    super(message, help.cause === undefined ? undefined : { cause: help.cause })
    this.code = code
    this.fix = help.fix
    this.command = help.command
    this.details = help.details ?? {}
  }
}

/** A value, a flag or a combination that the command does not take. */
export class UsageInvalid extends CkbtcError {
  readonly code = 'USAGE_INVALID'
  readonly fix: string
  override readonly command: string

  constructor(
    message: string,
    { fix, command }: { readonly fix: string; readonly command: string },
  ) {
    super(message)
    this.fix = fix
    this.command = command
  }
}

export class UnknownCommand extends CkbtcError {
  readonly code = 'USAGE_UNKNOWN_COMMAND'
  readonly fix: string
  override readonly command: string

  constructor(name: string, nearest: string | undefined) {
    super(`there is no command "${name}"`)
    this.fix =
      nearest === undefined ? 'the commands are listed by' : `the nearest command is ${nearest}`
    this.command = nearest === undefined ? 'ckbtc --help' : `ckbtc ${nearest} --help`
  }
}

export class UnknownOption extends CkbtcError {
  readonly code = 'USAGE_UNKNOWN_OPTION'
  readonly fix: string
  override readonly command: string

  /** `command`: the command it was given to, `ckbtc demo`. */
  constructor(
    flag: string,
    { command, nearest }: { readonly command: string; readonly nearest: string | undefined },
  ) {
    super(`${command} has no option "${flag}"`)
    this.fix =
      nearest === undefined ? 'the options are listed by' : `the nearest option is ${nearest}`
    this.command = `${command} --help`
  }
}

export class HostNodeVersion extends CkbtcError {
  readonly code = 'HOST_NODE_VERSION'
  readonly fix: string

  constructor(found: string, required: string) {
    super(`this is Node ${found}, ckbtc needs Node ${required} or newer`)
    this.fix = `install Node ${required} or newer`
  }
}

export class HostPortBusy extends CkbtcError {
  readonly code = 'HOST_PORT_BUSY'
  readonly fix: string
  override readonly details: Readonly<Record<string, unknown>>

  /**
   * `port` 0: any port was asked for and there was none. `holder`: who has it, where the system
   * tells.
   */
  constructor(
    {
      host,
      port,
      holder,
    }: {
      readonly host: string
      readonly port: number
      readonly holder?: { readonly pid: number; readonly name: string } | undefined
    },
    cause: unknown,
  ) {
    const by = holder === undefined ? '' : ` by ${holder.name} (process ${holder.pid})`
    const message = port === 0 ? `no free port on ${host}` : `port ${port} of ${host} is taken${by}`
    super(message, { cause })
    this.fix =
      port === 0
        ? 'stop a program that holds ports, then run the command again'
        : 'stop that program or choose another port, then run the command again'
    this.details = port === 0 ? {} : { host, port, holder: holder ?? null }
  }
}

export class HostDisk extends CkbtcError {
  readonly code = 'HOST_DISK'
  readonly fix = 'free some space or allow writing; TMPDIR names another temporary directory'

  constructor(path: string, reason: string, cause: unknown) {
    super(`cannot write ${path}: ${reason}`, { cause })
  }
}

/** The user or the system ended the run. */
export class Interrupted extends CkbtcError {
  readonly code = 'INTERRUPTED'
  readonly fix = 'run the same command again'
  readonly signal: 'SIGINT' | 'SIGTERM'

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.signal = signal
  }

  override get exit(): number {
    return this.signal === 'SIGTERM' ? 143 : 130
  }
}

/** Not a failure of ours: another program was run for the user, and this is how it ended. */
export class ProgramEnded extends Error {
  override readonly name = 'ProgramEnded'
  /** Exit status; 128 and the signal's number when a signal ended it. */
  readonly status: number

  constructor(status: number) {
    super(`the program ended with status ${status}`)
    this.status = status
  }
}

/** Too few nodes are up to sign, and the wait has ended. */
export class SigningStalled extends CkbtcError {
  readonly code = 'SUBNET_SIGNING_STALLED'
  readonly fix = 'bring a stopped node back; nothing is lost'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(counts: {
    readonly nodes: number
    readonly nodesUp: number
    readonly nodesNeeded: number
  }) {
    super(`${counts.nodesUp} of ${counts.nodes} nodes up, signing needs ${counts.nodesNeeded}`)
    this.details = counts
  }
}

/** A check of what the subnet did ran, and the answer is no. */
export class CheckFailed extends CkbtcError {
  readonly code = 'CHECK_FAILED'
  readonly fix = 'this should not happen: please report it with the line above'

  /** `found` and `expected`: what was compared, ready to read. */
  constructor(
    check: string,
    { found, expected }: { readonly found: string; readonly expected: string },
  ) {
    super(`${check}: found ${found}, expected ${expected}`)
  }
}

export class ReservesShort extends CkbtcError {
  readonly code = 'RESERVES_SHORT'
  readonly fix = 'do not rely on this subnet: less bitcoin is held than ckBTC exists'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(surplusSat: bigint, details: Readonly<Record<string, unknown>> = {}) {
    super(`the reserves are ${-surplusSat} sat short`)
    this.details = { ...details, surplusSat }
  }
}

export class ReservesInconclusive extends CkbtcError {
  readonly code = 'RESERVES_INCONCLUSIVE'
  readonly fix: string
  override readonly command: string | undefined

  constructor(
    reason: string,
    {
      fix = 'run the command again while less is going on',
      command,
    }: { readonly fix?: string; readonly command?: string } = {},
  ) {
    super(`the reserves could not be judged: ${reason}`)
    this.fix = fix
    this.command = command
  }
}

export class ReservesMismatch extends CkbtcError {
  readonly code = 'RESERVES_MISMATCH'
  readonly fix = 'do not rely on this subnet: its books and the chain say different things'
  override readonly details: Readonly<Record<string, unknown>>

  constructor(contradiction: string, details: Readonly<Record<string, unknown>> = {}) {
    super(`the reserves contradict each other: ${contradiction}`)
    this.details = details
  }
}

/**
 * The ledger or the minter said no. `reason`: the variant of its interface, or the text of a
 * reject.
 */
export class CanisterRefused extends CkbtcError {
  readonly code: 'LEDGER_REFUSED' | 'MINTER_REFUSED'
  readonly fix = 'change what was asked for; nothing was moved by this call'
  readonly reason: string
  override readonly details: Readonly<Record<string, unknown>>

  /** `rejectCode`: of the IC interface, when the call was rejected as a whole. */
  constructor(
    canister: 'ledger' | 'minter',
    refusal: {
      readonly methodName: string
      readonly reason: string
      readonly rejectCode?: number | undefined
    },
  ) {
    super(`${refusal.methodName}: the ${canister} refused: ${refusal.reason}`)
    this.code = canister === 'ledger' ? 'LEDGER_REFUSED' : 'MINTER_REFUSED'
    this.reason = refusal.reason
    this.details = { ...refusal, rejectCode: refusal.rejectCode ?? null }
  }
}

/** The local subnet is not there (any more). */
export class SubnetDown extends CkbtcError {
  readonly code = 'SUBNET_DOWN'
  readonly fix = 'start a subnet and ask again'

  constructor() {
    super('the subnet has been stopped')
  }
}

/** An invariant of ours does not hold. The process stops and says that it is a bug. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/**
 * Bytes that are not what they claim to be. Decoders throw it; parties and servers catch it at
 * their border.
 */
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

/**
 * Runs a decoder over bytes of others: the value, or the reason as data. Everything else passes
 * through.
 */
export function attempt<T>(decode: () => T): T | BadEncoding {
  try {
    return decode()
  } catch (error) {
    if (error instanceof BadEncoding) return error
    throw error
  }
}
