/**
 * Speaking to a SOCKS5 proxy until it has connected to a host. The proxy resolves the name; each
 * connection has a user of its own, so that Tor gives it a circuit of its own. Source: RFC 1928,
 * RFC 1929; `docs/spec/bitcoin.md` §3.11.
 */
import { concat, toHex, utf8 } from '../../core/base/bytes.ts'
import type { PeerAddress } from '../../core/btc/adapter-port.ts'

const VERSION = 5
const AUTH_VERSION = 1
const NO_AUTH = 0
const USER_PASSWORD = 2
const CONNECT = 1
const NAME = 3
const HOST_MAX = 255
/** Bytes of the address that a reply names, by its kind; a name says its length itself. */
const REPLY_ADDRESS_SIZES: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [4, 16],
])
const REFUSALS: readonly string[] = [
  'no error',
  'it failed',
  'its rules forbid it',
  'the network is unreachable',
  'the host is unreachable',
  'the connection was refused',
  'it took too long',
  'it does not know the command',
  'it does not know the kind of address',
]

export type SocksStep =
  /** Send this; more bytes will come. */
  | { readonly type: 'more'; readonly send: Uint8Array }
  /** From here on the bytes are the host's; the first of them may be there already. */
  | { readonly type: 'connected'; readonly rest: Uint8Array }
  /** No connection, and none without the proxy (PX-2). */
  | { readonly type: 'refused'; readonly reason: string }

type Phase = 'method' | 'auth' | 'reply'

/** One connection. `secret`: bytes that no other connection has. */
export class SocksHandshake {
  readonly #target: PeerAddress
  readonly #secret: Uint8Array
  #phase: Phase = 'method'
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(target: PeerAddress, secret: Uint8Array) {
    this.#target = target
    this.#secret = secret
  }

  /** Without authentication, or with a user: Tor takes the second, and keeps users apart. */
  start(): Uint8Array {
    return Uint8Array.of(VERSION, 2, NO_AUTH, USER_PASSWORD)
  }

  /** Answers come one at a time: what follows one before it is asked for is kept for the next. */
  push(bytes: Uint8Array): SocksStep {
    this.#bytes = concat(this.#bytes, bytes)
    switch (this.#phase) {
      case 'method':
        return this.#method()
      case 'auth':
        return this.#authenticated()
      case 'reply':
        return this.#replied()
    }
  }

  #method(): SocksStep {
    const [version, method] = this.#bytes
    if (version !== undefined && version !== VERSION) return refused('it does not speak SOCKS 5')
    if (method === undefined) return WAIT
    this.#bytes = this.#bytes.slice(2)
    if (method === NO_AUTH) return this.#request()
    if (method !== USER_PASSWORD) return refused('it wants another authentication')
    this.#phase = 'auth'
    const name = utf8(toHex(this.#secret))
    const parts = [Uint8Array.of(AUTH_VERSION, name.length), name, Uint8Array.of(name.length), name]
    return { type: 'more', send: concat(...parts) }
  }

  #authenticated(): SocksStep {
    const [version, status] = this.#bytes
    if (version === undefined || status === undefined) return WAIT
    this.#bytes = this.#bytes.slice(2)
    if (version !== AUTH_VERSION || status !== 0) return refused('it refuses the user')
    return this.#request()
  }

  #request(): SocksStep {
    const { host, port } = this.#target
    const name = utf8(host)
    if (name.length === 0 || name.length > HOST_MAX) return refused('the name is too long for it')
    this.#phase = 'reply'
    const head = Uint8Array.of(VERSION, CONNECT, 0, NAME, name.length)
    return { type: 'more', send: concat(head, name, Uint8Array.of(port >> 8, port & 0xff)) }
  }

  #replied(): SocksStep {
    const [version, status, , kind, first] = this.#bytes
    if (version !== undefined && version !== VERSION) return refused('it does not speak SOCKS 5')
    if (status !== undefined && status !== 0)
      return refused(REFUSALS[status] ?? `it says ${status}`)
    if (kind === undefined || first === undefined) return WAIT
    const size = kind === NAME ? 1 + first : REPLY_ADDRESS_SIZES.get(kind)
    if (size === undefined) return refused('its answer has an unknown address')
    const end = 4 + size + 2
    if (this.#bytes.length < end) return WAIT
    return { type: 'connected', rest: this.#bytes.slice(end) }
  }
}

const WAIT: SocksStep = { type: 'more', send: new Uint8Array(0) }
const refused = (reason: string): SocksStep => ({ type: 'refused', reason })

/** The place of a proxy as the environment names it; undefined for another kind of proxy. */
export function proxyOfText(text: string): PeerAddress | undefined {
  const [, host = '', digits = ''] =
    /^socks5h?:\/\/(\[[0-9a-fA-F:]+\]|[^:/\s[\]@]+):(\d{1,5})\/?$/.exec(text) ?? []
  const port = Number(digits)
  if (host === '' || port < 1 || port > 65_535) return undefined
  return { host: host.replace(/^\[|\]$/g, ''), port }
}
