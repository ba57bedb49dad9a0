/**
 * The links of one node to all others on this machine: of two nodes the one with the lower index
 * dials, again and again. Implements threshold §2.1, architecture §3.
 */
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { HostPortBusy } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { Backoff } from './backoff.ts'
import type { LinkIdentity, LinkRefusal } from './handshake.ts'
import type { LinkEars } from './link.ts'
import { Link } from './link.ts'

const LOOPBACK = '127.0.0.1'
/** Of strangers that have not proven who they are; the oldest makes room for one more. */
const HANDSHAKES_MAX = 128
/** Links of strangers of one second whose end is told of: a flood drowns nothing else. */
const STRANGERS_TOLD_MAX = 20
const SECOND_MS = 1_000

export type LinksEars = {
  readonly hear: (peer: NodeIndex, message: Uint8Array) => void
  /** The link to a peer is there, or there again: what was sent before may be lost. */
  readonly linked: (peer: NodeIndex) => void
  /** A link ended; of many strangers some are told. `peer`: of one that was up, or was dialled. */
  readonly ended: (reason: LinkRefusal, peer: NodeIndex | undefined) => void
}

/** Port of each node by its index; undefined while it is down. */
export type PeerPorts = readonly (number | undefined)[]

type Dial = {
  readonly port: number | undefined
  readonly backoff: Backoff
  /** Of `performance.now()`; of a link that is or was up. */
  upAtMs: number | undefined
  timer: NodeJS.Timeout | undefined
  /** Dialled, and not ended yet. */
  link: Link | undefined
}

export class PeerLinks {
  readonly #server: Server
  #identity: LinkIdentity | undefined
  #ears: LinksEars | undefined
  readonly #up = new Map<NodeIndex, Link>()
  readonly #open = new Set<Link>()
  /** Those of them that were accepted and are not up yet, oldest first. */
  readonly #unproven = new Set<Link>()
  readonly #dials = new Map<NodeIndex, Dial>()
  #closed = false
  #told = { sinceMs: 0, count: 0 }

  private constructor(server: Server) {
    this.#server = server
    server.on('error', () => undefined) // One that could not be accepted dials again.
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** Listens on a free port of the loopback interface. Throws `HostPortBusy`. */
  static listen(): Promise<PeerLinks> {
    const server = createServer()
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => reject(new HostPortBusy({ host: LOOPBACK, port: 0 }, cause)))
      server.listen(0, LOOPBACK, () => resolve(new PeerLinks(server)))
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  /** From now on links are accepted. */
  begin(identity: LinkIdentity, ears: LinksEars): void {
    this.#identity = identity
    this.#ears = ears
  }

  /** Where the others are now; who has moved is dialled at once. */
  peers(ports: PeerPorts): void {
    const me = this.#identity?.me
    if (me === undefined) return
    for (const [peer, port] of ports.entries()) {
      if (peer <= me) continue
      const known = this.#dials.get(peer)
      if (known !== undefined && known.port === port) continue
      clearTimeout(known?.timer)
      const fresh = { upAtMs: undefined, timer: undefined, link: undefined }
      this.#dials.set(peer, { port, backoff: new Backoff(), ...fresh })
      known?.link?.end('replaced') // Nobody dials again for that one.
      this.#dial(peer)
    }
  }

  /** What cannot leave is lost, as with any link that breaks. */
  send(to: NodeIndex | 'all', message: Uint8Array): void {
    if (to !== 'all') this.#up.get(to)?.send(message)
    else for (const link of this.#up.values()) link.send(message)
  }

  close(): void {
    this.#closed = true
    for (const { timer } of this.#dials.values()) clearTimeout(timer)
    for (const link of [...this.#open]) link.end('closed')
    this.#server.close()
  }

  #dial(peer: NodeIndex): void {
    const dial = this.#dials.get(peer)
    const identity = this.#identity
    if (this.#closed || dial === undefined || identity === undefined) return
    if (dial.port === undefined) return // Told when it is back.
    const socket = connect({ host: LOOPBACK, port: dial.port })
    dial.link = this.#join(socket, identity, peer)
  }

  /** One that was replaced by a newer one is not dialled again. */
  #dialLater(peer: NodeIndex, link: Link): void {
    const dial = this.#dials.get(peer)
    if (dial === undefined || dial.link !== link) return
    const livedMs = dial.upAtMs === undefined ? 0 : performance.now() - dial.upAtMs
    dial.link = undefined
    dial.upAtMs = undefined
    dial.timer = setTimeout(() => this.#dial(peer), dial.backoff.next(livedMs))
  }

  #accept(socket: Socket): void {
    if (this.#closed || this.#identity === undefined) {
      socket.on('error', () => undefined)
      socket.destroy()
      return
    }
    const [oldest] = this.#unproven
    if (this.#unproven.size >= HANDSHAKES_MAX) oldest?.end('too-slow')
    this.#unproven.add(this.#join(socket, this.#identity))
  }

  #join(socket: Socket, identity: LinkIdentity, dials?: NodeIndex): Link {
    const ears: LinkEars = {
      up: (peer) => this.#linked(peer, link),
      hear: (peer, message) => {
        if (this.#up.get(peer) === link) this.#ears?.hear(peer, message)
      },
      ended: (reason, peer) => {
        this.#open.delete(link)
        this.#unproven.delete(link)
        if (peer !== undefined && this.#up.get(peer) === link) this.#up.delete(peer)
        if (this.#closed) return
        const known = peer ?? dials
        if (known !== undefined || this.#isTold()) this.#ears?.ended(reason, known)
        if (dials !== undefined) this.#dialLater(dials, link)
      },
    }
    const link = new Link(socket, { identity, ...(dials === undefined ? {} : { dials }) }, ears)
    this.#open.add(link)
    return link
  }

  /** Of one more stranger. */
  #isTold(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#told.sinceMs >= SECOND_MS) this.#told = { sinceMs: nowMs, count: 0 }
    this.#told.count++
    return this.#told.count <= STRANGERS_TOLD_MAX
  }

  /** A node that links anew has lost the link before, even if this side has not noticed. */
  #linked(peer: NodeIndex, link: Link): void {
    this.#unproven.delete(link)
    const before = this.#up.get(peer)
    this.#up.set(peer, link)
    before?.end('replaced')
    const dial = this.#dials.get(peer)
    if (dial?.link === link) dial.upAtMs = performance.now()
    this.#ears?.linked(peer)
  }
}
