/** Options that the signer's commands share. Source: `docs/spec/cli.md` §5.18. */
import { UsageInvalid } from '../../core/base/errors.ts'
import type { RequestOf } from '../../host/control/protocol.ts'
import { writeAccount } from '../../host/control/protocol.ts'
import { parseAccount } from '../../wallet/destinations.ts'
import type { Options } from '../definitions/command.ts'

const SCHEMES: readonly string[] = ['ecdsa', 'bip340', 'ed25519']

/** Throws `USAGE_INVALID` for everything but ECDSA. */
export function requireEcdsa(options: Options, command: string): void {
  const scheme = options.text('scheme') ?? 'ecdsa'
  if (scheme === 'ecdsa') return
  const isKnown = SCHEMES.includes(scheme)
  throw new UsageInvalid(
    isKnown ? `this version signs with ecdsa only, not with ${scheme}` : `"${scheme}" is no scheme`,
    { fix: 'leave --scheme out', command: `${command} --help` },
  )
}

/** Hexadecimal of one of these lengths. Throws `USAGE_INVALID`. */
export function requireHex(
  text: string | undefined,
  { option, sizes, command }: { option: string; sizes: readonly number[]; command: string },
): string {
  const digits = (text ?? '').toLowerCase()
  const isHex = /^(?:[0-9a-f]{2})*$/.test(digits) && sizes.includes(digits.length / 2)
  if (isHex) return digits
  const found = text === undefined ? `${option} is missing` : `${option} does not take "${text}"`
  throw new UsageInvalid(found, {
    fix: `give ${sizes.join(' or ')} bytes in hexadecimal`,
    command: `${command} --help`,
  })
}

/** Throws `ACCOUNT_INVALID` or `DEST_IS_BITCOIN`. */
export function accountOption(options: Options): RequestOf<'signer-sign'>['account'] {
  const text = options.text('account')
  if (text === undefined) return undefined
  return writeAccount(parseAccount(text, { isLocal: true }))
}
