/**
 * Under which names and addresses the server is asked. Implements `docs/spec/ic-interface.md` §19:
 * loopback, DNS rebinding.
 */
import { isIP } from 'node:net'

/** Where `host` is to be listened on: a loopback name stands for both loopback addresses. */
export const addressesOf = (host: string): readonly [string, ...string[]] =>
  host === 'localhost' || host === '127.0.0.1' ? ['127.0.0.1', '::1'] : [host]

/** As it stands in a URL. */
export const hostInUrl = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)

/**
 * Whether a `Host` header is an address or one of our names. A page of another origin whose name
 * was made to lead here is not served.
 */
export function isOwnName(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return false
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return (
    isIP(name) !== 0 ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    names.some((own) => own.toLowerCase() === name)
  )
}
