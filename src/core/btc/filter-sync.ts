/**
 * Filter headers of several peers, walked along one chain; where they part, the block decides.
 * Source: `docs/spec/bitcoin.md` §8.5 CF-1; BIP157.
 *
 * One peer extends the chain, every other walks along it on its own word. What is searched lies
 * below the height up to which all of them agree, so one honest peer is enough to be heard.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import type { Block } from './block.ts'
import { BASIC_FILTER, filterHash, filterHeader } from './compact-filter.ts'
import type { FilterChain } from './filter-chain.ts'
import type { KnownScript } from './filter-judge.ts'
import { flawOfFilter } from './filter-judge.ts'
import type { FilterMessage } from './filter-message.ts'
import { CHECKPOINT_INTERVAL, FILTER_HEADERS_MAX } from './filter-message.ts'
import type { HeaderNode, HeaderTree } from './header-tree.ts'

/** As for headers (HD-7). */
export const FILTERS_WITHIN_MS = 30_000
/** Heights of which it cannot be said who is right; beyond, the peers are of no use together. */
export const UNDECIDED_MAX = 100

export type Question =
  | { readonly type: 'headers'; readonly from: number; readonly stop: View<HeaderNode> }
  | { readonly type: 'checkpoints'; readonly stop: View<HeaderNode> }
  /** One filter, for a dispute. */
  | { readonly type: 'filter'; readonly node: View<HeaderNode> }
  /** Filters to be searched. */
  | {
      readonly type: 'filters'
      readonly first: View<HeaderNode>
      readonly last: View<HeaderNode>
    }

export type FilterPeer = {
  readonly index: number
  /** Its word agrees with the chain up to here. */
  at: number
  /** Its own filter header there; another than the chain's once a dispute was left open. */
  own: Hash32
  isForked: boolean
  hasCheckpoints: boolean
  question: (Question & { readonly deadlineMs: number }) | undefined
}

/** Two peers that stand for different filters of one block. */
type Dispute = {
  readonly node: View<HeaderNode>
  readonly challenger: FilterPeer
  /** Hash that the challenger stands for. */
  readonly hash: Hash32
  challenged: Uint8Array | undefined
  defended: Uint8Array | undefined
  block: Block | undefined
}

export type SyncAction =
  | { readonly type: 'ask'; readonly peer: number; readonly message: FilterMessage }
  | {
      readonly type: 'accuse'
      readonly peer: number
      readonly reason: string
      readonly lie: boolean
    }
  /** The chain was false above this height. */
  | { readonly type: 'rewind'; readonly height: number }

export class FilterSync {
  readonly #chain: FilterChain
  readonly #knownScript: KnownScript
  readonly #peers = new Map<number, FilterPeer>()
  /** Peers that were proven to lie: never asked again. */
  readonly #liars = new Set<number>()
  /** Heights whose blocks are searched whatever their filters say. */
  readonly #undecided = new Set<number>()
  #dispute: Dispute | undefined

  constructor(chain: FilterChain, knownScript: KnownScript) {
    this.#chain = chain
    this.#knownScript = knownScript
  }

  get peers(): readonly FilterPeer[] {
    return [...this.#peers.values()]
  }
  get liarCount(): number {
    return this.#liars.size
  }
  get undecided(): ReadonlySet<number> {
    return this.#undecided
  }
  /** The block that a dispute is about. */
  get wanted(): View<HeaderNode> | undefined {
    return this.#dispute !== undefined && this.#dispute.block === undefined
      ? this.#dispute.node
      : undefined
  }
  /**
   * Height up to which every peer agrees, as far as it has blocks; −1 without peers. `heightOf`: the
   * height of a peer's chain.
   */
  agreedHeight(heightOf: (peer: number) => number): number {
    const behind = this.peers.filter(({ index, at }) => at < heightOf(index))
    return this.#peers.size === 0 ? -1 : Math.min(this.#chain.height, ...behind.map(({ at }) => at))
  }
  /** How many peers stand for all filters up to a height. */
  vouchersAt(height: number): number {
    return this.peers.filter(({ at }) => at >= height).length
  }
  isLiar(peer: number): boolean {
    return this.#liars.has(peer)
  }

  add(index: number): void {
    if (this.#liars.has(index)) return
    const peer = { index, at: 0, own: this.#chain.headerAt(0), isForked: false }
    this.#peers.set(index, { ...peer, hasCheckpoints: false, question: undefined })
  }

  remove(index: number): void {
    if (this.#dispute?.challenger.index === index) this.#dispute = undefined
    this.#peers.delete(index)
  }

  /** The best chain has changed above this height. */
  truncate(height: number): void {
    this.#chain.truncate(height)
    for (const at of this.#undecided) if (at > height) this.#undecided.delete(at)
    if (this.#dispute !== undefined && this.#dispute.node.height > height) this.#dispute = undefined
    for (const peer of this.#peers.values()) {
      if (peer.at <= height) continue
      // Where an open dispute has parted it from the chain, it walks again from genesis.
      peer.at = peer.isForked ? 0 : height
      peer.own = this.#chain.headerAt(peer.at)
      peer.isForked = false
    }
  }

  /** What to ask next of peers that owe no answer. */
  next(
    tree: View<HeaderTree>,
    heightOf: (peer: number) => number,
    nowMs: number,
  ): readonly SyncAction[] {
    if (this.#dispute !== undefined) return this.#askOfDispute(this.#dispute, nowMs)
    return this.peers.flatMap((peer) => {
      if (peer.question !== undefined) return []
      const tip = Math.min(tree.best.length - 1, heightOf(peer.index))
      const question = this.#questionFor(peer, tree, tip)
      return question === undefined ? [] : this.ask(peer, question, nowMs)
    })
  }

  /** Puts a question, whoever has it. */
  ask(peer: FilterPeer, question: Question, nowMs: number): readonly SyncAction[] {
    peer.question = { ...question, deadlineMs: nowMs + FILTERS_WITHIN_MS }
    return [{ type: 'ask', peer: peer.index, message: messageOf(question) }]
  }

  #questionFor(peer: FilterPeer, tree: View<HeaderTree>, tip: number): Question | undefined {
    const { height } = this.#chain
    if (peer.at >= tip) return undefined
    const end = Math.min(height, tip)
    const leads = this.peers.some(({ at, index }) => at === height && index !== peer.index)
    if (height < tip && peer.at < height && leads) return undefined
    if (peer.at < end - FILTER_HEADERS_MAX && !peer.hasCheckpoints && !peer.isForked) {
      const stop = tree.best[end]
      return stop && { type: 'checkpoints', stop }
    }
    const isLeader = peer.at === height
    // One extends; the others wait for the end of it, and walk along what it said.
    if (this.peers.some(({ question }) => isExtension(question, height))) return undefined
    const stop = tree.best[Math.min(isLeader ? tip : end, peer.at + FILTER_HEADERS_MAX)]
    return stop && { type: 'headers', from: peer.at + 1, stop }
  }

  #askOfDispute(dispute: Dispute, nowMs: number): readonly SyncAction[] {
    const { node, challenger } = dispute
    const actions: SyncAction[] = []
    if (dispute.challenged === undefined && challenger.question === undefined)
      actions.push(...this.ask(challenger, { type: 'filter', node }, nowMs))
    if (dispute.defended !== undefined) return actions
    const defenders = this.#defenders(dispute)
    if (defenders.length === 0) {
      // Nobody stands for the chain any more.
      this.#dispute = undefined
      return [...actions, ...this.#rewind(node.height - 1)]
    }
    const isAsked = defenders.some(({ question }) => question?.type === 'filter')
    const idle = defenders.find(({ question }) => question === undefined)
    if (!isAsked && idle !== undefined)
      actions.push(...this.ask(idle, { type: 'filter', node }, nowMs))
    return actions
  }

  #defenders({ node, challenger }: Dispute): readonly FilterPeer[] {
    return this.peers.filter((peer) => peer !== challenger && peer.at >= node.height)
  }

  #rewind(height: number): readonly SyncAction[] {
    this.truncate(height)
    return [{ type: 'rewind', height }]
  }

  /** `cfheaders` and `cfcheckpt`; whether it was asked is looked at here. */
  receive(index: number, message: FilterMessage): readonly SyncAction[] {
    const peer = this.#peers.get(index)
    const question = peer?.question
    if (peer === undefined || question === undefined) return []
    if (message.type === 'cfcheckpt' && question.type === 'checkpoints') {
      if (!equalBytes(message.stop, question.stop.hash)) return []
      peer.question = undefined
      return this.#takeCheckpoints(peer, message.headers, question.stop.height)
    }
    if (message.type === 'cfheaders' && question.type === 'headers') {
      if (!equalBytes(message.stop, question.stop.hash)) return []
      peer.question = undefined
      return this.#takeHeaders(peer, message, question)
    }
    if (message.type === 'cfilter' && question.type === 'filter') {
      if (!equalBytes(message.block, question.node.hash)) return []
      peer.question = undefined
      return this.#takeDisputed(peer, message.filter)
    }
    return []
  }

  /** Up to the first checkpoint that differs the peer agrees; beyond, it is asked for each hash. */
  #takeCheckpoints(
    peer: FilterPeer,
    headers: readonly Hash32[],
    height: number,
  ): readonly SyncAction[] {
    if (headers.length !== Math.floor(height / CHECKPOINT_INTERVAL))
      return [accusation(peer, `${headers.length} checkpoints up to height ${height}`)]
    peer.hasCheckpoints = true
    for (const [i, header] of headers.entries()) {
      const at = (i + 1) * CHECKPOINT_INTERVAL
      if (at > this.#chain.height || !equalBytes(header, this.#chain.headerAt(at))) break
      if (at > peer.at) [peer.at, peer.own] = [at, header]
    }
    return []
  }

  #takeHeaders(
    peer: FilterPeer,
    message: Extract<FilterMessage, { readonly type: 'cfheaders' }>,
    { from, stop }: Extract<Question, { readonly type: 'headers' }>,
  ): readonly SyncAction[] {
    const count = stop.height - from + 1
    if (message.hashes.length !== count)
      return [accusation(peer, `${message.hashes.length} filter hashes, ${count} asked for`)]
    if (peer.at !== from - 1) return [] // The chain was cut meanwhile.
    if (!equalBytes(message.previous, peer.own))
      return [accusation(peer, 'its filter headers do not chain', true)]
    const nodes = lastOf(stop, count)
    for (const [i, node] of nodes.entries()) {
      const { height } = node
      const hash = present(message.hashes[i], 'a hash for each height')
      const own = filterHeader(hash, peer.own)
      if (height > this.#chain.height) {
        this.#chain.push(node.hash, peer.isForked ? this.#chain.headerWith(height, hash) : own)
      } else if (!this.#chain.hasHash(height, hash) && !this.#undecided.has(height)) {
        this.#open(peer, node, hash)
        return []
      }
      peer.at = height
      peer.own = own
      peer.isForked = !equalBytes(own, this.#chain.headerAt(height))
    }
    return []
  }

  #open(challenger: FilterPeer, node: View<HeaderNode>, hash: Hash32): void {
    if (this.#dispute !== undefined) return // Asked for again when that is over.
    const nothing = { challenged: undefined, defended: undefined, block: undefined }
    this.#dispute = { node, challenger, hash, ...nothing }
  }

  #takeDisputed(peer: FilterPeer, filter: Uint8Array): readonly SyncAction[] {
    const dispute = this.#dispute
    if (dispute === undefined) return []
    const hash = filterHash(filter)
    if (peer === dispute.challenger) {
      if (!equalBytes(hash, dispute.hash))
        return [accusation(peer, 'its filter is not the one it stands for', true)]
      dispute.challenged = filter
    } else {
      if (!this.#chain.hasHash(dispute.node.height, hash))
        return [accusation(peer, 'its filter is not the one it stands for', true)]
      dispute.defended = filter
    }
    return this.#settle()
  }

  /** The block of a dispute has come. */
  block(node: View<HeaderNode>, block: Block): readonly SyncAction[] {
    if (this.#dispute === undefined || this.#dispute.node.key !== node.key) return []
    this.#dispute.block = block
    return this.#settle()
  }

  #settle(): readonly SyncAction[] {
    const dispute = this.#dispute
    if (dispute === undefined) return []
    const { node, challenger, challenged, defended, block } = dispute
    if (challenged === undefined || defended === undefined || block === undefined) return []
    const against = flawOfFilter(challenged, block, this.#knownScript)
    const flaw = flawOfFilter(defended, block, this.#knownScript)
    const liars = [
      ...(against === undefined ? [] : [accusation(challenger, against, true)]),
      ...(flaw === undefined
        ? []
        : this.#defenders(dispute).map((peer) => accusation(peer, flaw, true))),
    ]
    this.#dispute = undefined
    if (flaw !== undefined) return [...liars, ...this.#rewind(node.height - 1)]
    if (against === undefined) this.#undecided.add(node.height)
    return liars
  }

  /** Called for every accusation that was carried out. */
  banish(index: number, lie: boolean): void {
    if (lie) this.#liars.add(index)
    this.remove(index)
  }

  get deadlineMs(): number {
    const due = this.peers.map(({ question }) => question?.deadlineMs ?? Number.POSITIVE_INFINITY)
    return Math.min(Number.POSITIVE_INFINITY, ...due)
  }

  expire(nowMs: number): readonly SyncAction[] {
    return this.peers
      .filter(({ question }) => question !== undefined && question.deadlineMs <= nowMs)
      .map((peer) => accusation(peer, 'no answer to a question for filters'))
  }
}

function accusation(peer: FilterPeer, reason: string, lie = false): SyncAction {
  return { type: 'accuse', peer: peer.index, reason, lie }
}

const isExtension = (question: Question | undefined, height: number): boolean =>
  question?.type === 'headers' && question.from > height

/** The last `count` blocks of the branch that ends in `stop`, in the order of their heights. */
function lastOf(stop: View<HeaderNode>, count: number): readonly View<HeaderNode>[] {
  const nodes: View<HeaderNode>[] = []
  let at: View<HeaderNode> | undefined = stop
  for (; at !== undefined && nodes.length < count; at = at.parent) nodes.push(at)
  return nodes.toReversed()
}

function messageOf(question: Question): FilterMessage {
  const filterType = BASIC_FILTER
  switch (question.type) {
    case 'headers':
      return {
        type: 'getcfheaders',
        filterType,
        startHeight: question.from,
        stop: question.stop.hash,
      }
    case 'checkpoints':
      return { type: 'getcfcheckpt', filterType, stop: question.stop.hash }
    case 'filter': {
      const { height, hash } = question.node
      return { type: 'getcfilters', filterType, startHeight: height, stop: hash }
    }
    case 'filters': {
      const { first, last } = question
      return { type: 'getcfilters', filterType, startHeight: first.height, stop: last.hash }
    }
  }
}
