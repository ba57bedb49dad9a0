/**
 * The JSON documents of `--json`: one line, success or failure. Implements `docs/spec/cli.md` §3.6.
 */
export type Warning = { readonly code: string; readonly message: string }

/**
 * What one run has to say, before it is JSON; `data` has names in camel case and bigint amounts.
 */
export type Answer = {
  /** `demo` becomes `ckbtc.demo.v1`. */
  readonly schema: string
  readonly network: string
  readonly data: unknown
  readonly warnings: readonly Warning[]
}

export function answerDocument({ schema, network, data, warnings }: Answer): string {
  return JSON.stringify({
    schema: `ckbtc.${schema}.v1`,
    ok: true,
    network,
    data: toWire(data),
    warnings,
  })
}

export type Failure = {
  readonly network: string
  /** The operation it is about. */
  readonly op: string | null
  readonly warnings: readonly Warning[]
  readonly code: string
  readonly exit: number
  readonly message: string
  readonly hint: string
  readonly retry: string
  readonly details: unknown
}

export function failureDocument({ network, warnings, ...failure }: Failure): string {
  const { code, exit, message, hint, retry, op, details } = failure
  return JSON.stringify({
    schema: 'ckbtc.error.v1',
    ok: false,
    network,
    error: { code, exit, message, hint, retry, op, details: toWire(details) },
    warnings,
  })
}

/** JSON that another text defines: its names stay as they are. */
export class Verbatim {
  readonly json: unknown

  constructor(json: unknown) {
    this.json = json
  }
}

/**
 * Values as JSON has them: keys in snake case, bigints as numbers, `undefined` as null.
 *
 * A bigint under a key that ends in `Ns` or `Units` becomes a string: these exceed 2^53.
 */
export function toWire(value: unknown, key = ''): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return /(?:Ns|Units)$/.test(key) ? `${value}` : safeNumber(value)
  if (value instanceof Verbatim) return value.json
  if (Array.isArray(value)) return value.map((item) => toWire(item))
  if (typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [snakeCase(name), toWire(field, name)]),
  )
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER)

/** More than all bitcoin is an allowance without bound, or a lie: the largest safe number says so. */
function safeNumber(value: bigint): number {
  if (value > SAFE_MAX) return Number.MAX_SAFE_INTEGER
  return value < -SAFE_MAX ? Number.MIN_SAFE_INTEGER : Number(value)
}

const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
