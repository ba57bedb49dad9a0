/** How a person names a source of Bitcoin. Implements `docs/spec/cli.md` §5.13, §3.14. */
import { UsageInvalid } from '../core/base/errors.ts'
import type { PeerAddress } from '../core/btc/adapter-port.ts'
import { isLoopback } from '../core/btc/network-address.ts'
import { serverUrl } from './sources/http.ts'

export type SourceSpec =
  | { readonly kind: 'embedded' | 'canister'; readonly name: string }
  /** No peers: those that the network has. */
  | { readonly kind: 'p2p'; readonly name: string; readonly peers: readonly PeerAddress[] }
  | { readonly kind: 'esplora'; readonly name: string; readonly url: URL }
  | {
      readonly kind: 'bitcoind'
      readonly name: string
      readonly url: URL
      /** File that holds `<user>:<password>`. */
      readonly cookieFile: string | undefined
    }

export const SOURCE_FORMS =
  'embedded, canister, p2p, p2p=<host:port>,…, esplora=<url> or bitcoind=<url>[?cookie=<file>]'
const PEERS_MAX = 16
const PORT_MAX = 65_535

/** Throws `USAGE_INVALID`, and `BTC_SOURCE_UNUSABLE` for plain HTTP to a public address. */
export function parseSourceSpec(text: string): SourceSpec {
  const [kind = '', ...rest] = text.split('=')
  const value = rest.join('=')
  if ((kind === 'embedded' || kind === 'canister') && rest.length === 0) return { kind, name: kind }
  if (kind === 'p2p') {
    const peers = rest.length === 0 ? [] : value.split(',').map(peerOf)
    if (peers.length > PEERS_MAX) throw refused(`${peers.length} peers, at most ${PEERS_MAX}`)
    const double = peers.find((peer, i) => peers.slice(0, i).some((one) => isSame(one, peer)))
    if (double !== undefined) throw refused(`${double.host} is named twice, and agrees with itself`)
    return { kind, name: kind, peers }
  }
  if (kind === 'esplora' && value !== '') {
    const url = serverUrl(value, kind)
    return { kind, name: `esplora ${url.host}`, url }
  }
  if (kind === 'bitcoind' && value !== '') {
    const url = serverUrl(value, kind)
    const cookieFile = url.searchParams.get('cookie') ?? undefined
    return { kind, name: `bitcoind ${url.host}`, url, cookieFile }
  }
  throw refused(`"${text}" is not a source of Bitcoin`)
}

/** IPv6 addresses stand in brackets, as in any address with a port. */
function peerOf(text: string): PeerAddress {
  const [, host = '', digits = ''] = /^(\[[0-9a-fA-F:]+\]|[^:\s[\]]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === '' || port < 1 || port > PORT_MAX) throw refused(`"${text}" is not host:port`)
  return { host: host.replace(/^\[|\]$/g, ''), port }
}

/** One machine is one peer (CF-1); on loopback there may be several nodes for a test. */
const isSame = (a: PeerAddress, b: PeerAddress): boolean =>
  a.host.toLowerCase() === b.host.toLowerCase() && (a.port === b.port || !isLoopback(a.host))

const refused = (what: string): UsageInvalid =>
  new UsageInvalid(what, {
    fix: `give ${SOURCE_FORMS}`,
    command: 'ckbtc verify-reserves --help',
  })
