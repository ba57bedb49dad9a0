/**
 * The headers of all peers of the Bitcoin adapter, in one tree. Source: `docs/spec/bitcoin.md` §3.5.
 */
import type { BlockHash } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { AdapterLinks, Link, OpenLink } from './adapter-links.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import type { BlockHeader } from './block.ts'
import { HeaderRace, isCatchingUp } from './header-race.ts'
import { HeaderSync } from './header-sync.ts'
import type { HeaderNode, HeaderTree } from './header-tree.ts'
import {
  addHeader,
  bestHeader,
  findHeader,
  judgeHeader,
  markInvalid,
  newHeaderTree,
} from './header-tree.ts'
import type { InventoryItem, Message } from './message.ts'
import { inventory } from './message.ts'
import type { Network } from './network.ts'

/** Bytes that tell a peer nothing of which of its headers are remembered. */
const SALT_SIZE = 16

type Parts = {
  readonly network: Network
  readonly turn: AdapterTurn
  readonly links: AdapterLinks
  /** Hears of new blocks that a peer shows, a few at a time. */
  readonly announced: (peer: number, headers: readonly BlockHeader[]) => void
}

/** More headers at once are the past, not an announcement (HD-4). */
const ANNOUNCED_MAX = 8

export class AdapterHeaders {
  readonly #turn: AdapterTurn
  readonly #links: AdapterLinks
  readonly #tree: HeaderTree
  /** One for each connection. */
  readonly #syncs = new Map<number, HeaderSync>()
  readonly #race = new HeaderRace()
  /** Height of the highest block that a peer has announced by its hash. */
  readonly #heard = new Map<number, number>()
  readonly #announced: (peer: number, headers: readonly BlockHeader[]) => void

  constructor({ network, turn, links, announced }: Parts) {
    this.#turn = turn
    this.#links = links
    this.#announced = announced
    this.#tree = newHeaderTree(network)
  }

  get tree(): View<HeaderTree> {
    return this.#tree
  }
  get bestHeight(): number {
    return bestHeader(this.#tree).height
  }

  find(hash: BlockHash): HeaderNode | undefined {
    return findHeader(this.#tree, hash)
  }

  /** A header that is good as far as we know (BD-1). */
  isGood(hash: BlockHash): boolean {
    const node = findHeader(this.#tree, hash)
    return node !== undefined && !this.#tree.invalid.has(node.key)
  }

  condemn(node: HeaderNode): void {
    markInvalid(this.#tree, node)
  }

  /** Headers of the chain view, or kept by ourselves; what does not fit our rules is left out. */
  learn(headers: readonly BlockHeader[]): void {
    for (const header of headers) {
      const verdict = judgeHeader(this.#tree, header, Math.floor(this.#turn.nowMs / 1000))
      if (verdict.type === 'valid') addHeader(this.#tree, verdict.node)
    }
  }

  /** How far the newest header that a peer shows lies before our clock, if that is too far. */
  get aheadSeconds(): number | undefined {
    const times = this.#links.ready.flatMap(({ peer }) => this.#syncs.get(peer)?.earlySeconds ?? [])
    if (times.length === 0) return undefined
    return Math.round(Math.max(...times) - this.#turn.nowMs / 1000)
  }

  /** Of the peers that are connected now. */
  get headersRead(): number {
    return this.#links.ready.reduce(
      (sum, { peer }) => sum + (this.#syncs.get(peer)?.progress ?? 0),
      0,
    )
  }

  /** A connection is being made: what the one before it showed does not count. */
  begin(peer: number): void {
    this.#syncs.set(peer, new HeaderSync(this.#tree, this.#turn.bytes(SALT_SIZE)))
  }

  /** The connection is gone: another peer takes its turn. */
  forget(peer: number): void {
    this.#syncs.delete(peer)
    this.#heard.delete(peer)
    this.#race.leave(peer)
    this.#goOn()
  }

  /** Of a peer's chain, by its own word (HS-6). */
  heightOf({ peer, session }: OpenLink): number {
    const shown = this.#syncs.get(peer)?.shownHeight ?? 0
    return Math.max(session.startHeight, shown, this.#heard.get(peer) ?? 0)
  }

  syncOf(peer: number): HeaderSync | undefined {
    return this.#syncs.get(peer)
  }

  /** Now, or when it is the peer's turn (HD-7). */
  ask({ peer, session }: Link): void {
    const { nowMs } = this.#turn
    if (session?.isReady !== true) return
    if (this.#race.mayAsk(peer, nowMs, isCatchingUp(this.#tree, nowMs)))
      this.#send(peer, this.#syncs.get(peer)?.ask(nowMs))
  }

  #send(peer: number, question: Message | undefined): void {
    if (question !== undefined) this.#turn.send(peer, question)
  }

  receive(link: Link, headers: readonly BlockHeader[]): void {
    const sync = this.#syncs.get(link.peer)
    if (sync === undefined) return
    const { accepted, offence, strike, ask, differs } = sync.receive(headers, this.#turn.nowMs)
    if (accepted.length > 0) this.#turn.emit({ type: 'headers', headers: accepted })
    if (accepted.length <= ANNOUNCED_MAX) this.#announced(link.peer, accepted)
    if (offence !== undefined) this.#links.end(link, offence)
    if (strike !== undefined) this.#links.strike(link, strike)
    if (differs === true) this.#race.differs(link.peer, this.#turn.nowMs)
    if (ask || differs !== undefined) this.ask(link)
    this.#compare(link.peer, sync)
    if (sync.isSettled) this.#race.leave(link.peer)
    this.#goOn()
  }

  /** Whether a second peer has the chain that this one shows. */
  #compare(peer: number, sync: HeaderSync): void {
    const { nowMs } = this.#turn
    const other = this.#race.advanced(peer, sync.progress, nowMs)
    if (other === undefined || this.#links.find(other)?.session.isReady !== true) return
    this.#send(other, this.#syncs.get(other)?.compare(sync.last, nowMs))
  }

  /** Peers whose turn has come are asked. */
  #goOn(): void {
    const { nowMs } = this.#turn
    for (const peer of this.#race.next(nowMs, isCatchingUp(this.#tree, nowMs))) {
      const link = this.#links.find(peer)
      if (link === undefined) this.#race.leave(peer)
      else this.ask(link)
    }
  }

  /** HD-6. */
  heard(link: Link, items: readonly InventoryItem[]): void {
    let isKnown = true
    for (const { kind, hash } of items) {
      if (kind !== inventory.block) continue
      const height = findHeader(this.#tree, hash)?.height
      if (height === undefined) isKnown = false
      else this.#heard.set(link.peer, Math.max(height, this.#heard.get(link.peer) ?? 0))
    }
    if (!isKnown) this.ask(link)
  }

  expire(link: Link): void {
    const sync = this.#syncs.get(link.peer)
    if (sync === undefined) return
    const { offence, ask } = sync.expire(this.#turn.nowMs)
    if (offence !== undefined) this.#links.end(link, offence)
    if (ask) this.ask(link)
  }

  /** After the peers: whoever stands still gives way. */
  expireRace(): void {
    this.#race.expire(this.#turn.nowMs)
    this.#goOn()
  }

  get deadlineMs(): number {
    return this.#race.deadlineMs
  }
}
