/**
 * How two nodes come to share keys, each sure of who the other is: signed Diffie-Hellman (SIG-DH of
 * Canetti and Krawczyk) with Ed25519 and X25519. Implements threshold §2.1 "Channels". Sans-IO.
 *
 * hello:    magic ‖ subnet id ‖ u64(incarnation) ‖ u16(from) ‖ u16(to) ‖ X25519 key ‖ nonce
 * dialer:   hello A
 * listener: hello B ‖ signature of B over (1, hello A, hello B)
 * dialer:   signature of A over (0, hello A, hello B)
 */
import type { KeyObject } from 'node:crypto'
import {
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { concat, equalBytes, fromHex, utf8 } from '../../core/base/bytes.ts'
import { Reader, Writer } from '../../core/base/codec.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'

const MAGIC = utf8('ckbtc-link-1')
const KEY_SIZE = 32
const NONCE_SIZE = 32
const SIGNATURE_SIZE = 64
const PREFIX_SIZE = 32 + 8
const HELLO_SIZE = MAGIC.length + PREFIX_SIZE + 2 + 2 + KEY_SIZE + NONCE_SIZE
/** Of X25519 public keys as DER (RFC 8410). */
const DER_PREFIX = fromHex('302a300506032b656e032100')

export const HANDSHAKE_FRAME_MAX = HELLO_SIZE + SIGNATURE_SIZE

/** What a node proves itself with, and knows others by. */
export type LinkIdentity = {
  readonly me: NodeIndex
  readonly nodes: number
  /** Subnet id and incarnation: a link is of one time line. */
  readonly prefix: Uint8Array
  /** Ed25519 over content under a domain of its own. */
  readonly sign: (content: Uint8Array) => Uint8Array
  readonly verify: (node: NodeIndex, content: Uint8Array, signature: Uint8Array) => boolean
}

/** Why a link ended, or never was. */
export type LinkRefusal =
  | 'bad-frame'
  | 'other-version'
  | 'other-subnet'
  | 'unknown-node'
  | 'other-node'
  /** Of two nodes the one with the lower index dials. */
  | 'wrong-way'
  | 'bad-key'
  | 'bad-signature'
  | 'bad-code'
  | 'too-slow'
  | 'replaced'
  | 'closed'

/** One for each direction. */
export type LinkKeys = { readonly send: Uint8Array; readonly receive: Uint8Array }

export type HandshakeStep =
  | { readonly type: 'send'; readonly body: Uint8Array }
  /** `send`: before anything else, if there is something to say. */
  | {
      readonly type: 'done'
      readonly peer: NodeIndex
      readonly keys: LinkKeys
      readonly send: Uint8Array | undefined
    }
  | { readonly type: 'refused'; readonly reason: LinkRefusal }

type Hello = {
  readonly from: NodeIndex
  readonly to: NodeIndex
  readonly key: Uint8Array
  readonly bytes: Uint8Array
}

const refused = (reason: LinkRefusal): HandshakeStep => ({ type: 'refused', reason })
const ROLES = { dialer: 0, listener: 1 } as const

export class Handshake {
  readonly #identity: LinkIdentity
  readonly #dials: NodeIndex | undefined
  readonly #secret: KeyObject
  readonly #public: Uint8Array
  readonly #nonce: Uint8Array = new Uint8Array(randomBytes(NONCE_SIZE))
  #dialer: Hello | undefined
  #listener: Hello | undefined
  #isOver = false

  /** `dials`: the node that is called; undefined for who is called. */
  constructor(identity: LinkIdentity, dials: NodeIndex | undefined) {
    this.#identity = identity
    this.#dials = dials
    const { privateKey, publicKey } = generateKeyPairSync('x25519')
    this.#secret = privateKey
    const der = publicKey.export({ format: 'der', type: 'spki' })
    this.#public = new Uint8Array(der.subarray(DER_PREFIX.length))
  }

  /** What the dialer says first. */
  begin(to: NodeIndex): Uint8Array {
    this.#dialer = this.#hello(to)
    return this.#dialer.bytes
  }

  /** One frame of the other side. Total. */
  receive(body: Uint8Array): HandshakeStep {
    if (this.#isOver) return refused('bad-frame')
    const step = this.#step(body)
    if (step.type === 'refused') this.#isOver = true
    return step
  }

  #step(body: Uint8Array): HandshakeStep {
    if (this.#dials !== undefined) return this.#answered(body, this.#dials)
    return this.#dialer === undefined ? this.#called(body) : this.#proven(body)
  }

  /** Listener: hello of a dialer. */
  #called(body: Uint8Array): HandshakeStep {
    const hello = this.#readHello(body)
    if (typeof hello === 'string') return refused(hello)
    if (hello.from > this.#identity.me) return refused('wrong-way')
    this.#dialer = hello
    this.#listener = this.#hello(hello.from)
    const signature = this.#identity.sign(this.#content('listener'))
    return { type: 'send', body: concat(this.#listener.bytes, signature) }
  }

  /** Dialer: hello and proof of the listener. */
  #answered(body: Uint8Array, peer: NodeIndex): HandshakeStep {
    if (body.length !== HELLO_SIZE + SIGNATURE_SIZE) return refused('bad-frame')
    const hello = this.#readHello(body.subarray(0, HELLO_SIZE))
    if (typeof hello === 'string') return refused(hello)
    if (hello.from !== peer) return refused('other-node')
    this.#listener = hello
    if (!this.#identity.verify(peer, this.#content('listener'), body.subarray(HELLO_SIZE)))
      return refused('bad-signature')
    return this.#done(hello, this.#identity.sign(this.#content('dialer')))
  }

  /** Listener: proof of the dialer. */
  #proven(body: Uint8Array): HandshakeStep {
    const dialer = this.#dialer
    if (dialer === undefined || body.length !== SIGNATURE_SIZE) return refused('bad-frame')
    if (!this.#identity.verify(dialer.from, this.#content('dialer'), body))
      return refused('bad-signature')
    return this.#done(dialer, undefined)
  }

  #done(peer: Hello, send: Uint8Array | undefined): HandshakeStep {
    this.#isOver = true
    const shared = agreed(this.#secret, peer.key)
    if (shared === undefined) return refused('bad-key')
    const salt = createHash('sha256').update(this.#hellos).digest()
    const key = (label: string): Uint8Array =>
      new Uint8Array(hkdfSync('sha256', shared, salt, label, KEY_SIZE))
    const [dialer, listener] = [key('ckbtc-link-dialer'), key('ckbtc-link-listener')]
    const keys =
      this.#dials === undefined
        ? { send: listener, receive: dialer }
        : { send: dialer, receive: listener }
    return { type: 'done', peer: peer.from, keys, send }
  }

  get #hellos(): Uint8Array {
    return concat(
      this.#dialer?.bytes ?? new Uint8Array(),
      this.#listener?.bytes ?? new Uint8Array(),
    )
  }

  #content(role: keyof typeof ROLES): Uint8Array {
    return concat(this.#identity.prefix, Uint8Array.of(ROLES[role]), this.#hellos)
  }

  #hello(to: NodeIndex): Hello {
    const { me, prefix } = this.#identity
    const bytes = new Writer()
      .raw(MAGIC)
      .raw(prefix)
      .u16(me)
      .u16(to)
      .raw(this.#public)
      .raw(this.#nonce)
      .done()
    return { from: me, to, key: this.#public, bytes }
  }

  /** Of the other side, meant for this node. */
  #readHello(bytes: Uint8Array): Hello | LinkRefusal {
    const { me, nodes, prefix } = this.#identity
    const read = attempt(() => {
      const reader = new Reader(bytes)
      return {
        magic: reader.raw(MAGIC.length),
        prefix: reader.raw(PREFIX_SIZE),
        from: reader.u16(),
        to: reader.u16(),
        key: reader.raw(KEY_SIZE),
        nonce: reader.end(reader.raw(NONCE_SIZE)),
      }
    })
    if (read instanceof BadEncoding) return 'bad-frame'
    if (!equalBytes(read.magic, MAGIC)) return 'other-version'
    if (!equalBytes(read.prefix, prefix)) return 'other-subnet'
    if (read.from >= nodes || read.from === me) return 'unknown-node'
    if (read.to !== me) return 'other-node'
    return { from: read.from, to: read.to, key: read.key, bytes: bytes.slice() }
  }
}

/** Undefined for a key that leads to no secret (RFC 7748 §6.1). */
function agreed(privateKey: KeyObject, peer: Uint8Array): Uint8Array | undefined {
  try {
    const der = Buffer.from(concat(DER_PREFIX, peer))
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return new Uint8Array(diffieHellman({ privateKey, publicKey }))
  } catch {
    return undefined
  }
}
