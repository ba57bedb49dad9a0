/**
 * Following the chains of peers, headers first: the part of the regtest node that all its links
 * share. Source: `docs/spec/bitcoin.md` §3.5, §3.6, RN-20.
 */
import type { BlockHash } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { Block, BlockHeader } from '../block.ts'
import { blockSize, headerHash } from '../block.ts'
import { BlockDownload } from '../block-download.ts'
import type { HeadersOutcome } from '../header-sync.ts'
import { HeaderSync } from '../header-sync.ts'
import type { HeaderNode, HeaderTree } from '../header-tree.ts'
import {
  addHeader,
  ancestorAt,
  findHeader,
  judgeHeader,
  markInvalid,
  newHeaderTree,
  subtreeOf,
} from '../header-tree.ts'
import type { Message } from '../message.ts'
import { HEADERS_MAX, inventory } from '../message.ts'
import { regtest } from '../network.ts'
import type { RegtestNode } from './node.ts'
import type { ChainTalk, DropReason } from './peer-link-port.ts'

/** Blocks that are on their way or wait for their parents: 64 MB of the largest (BD-2). */
export const WINDOW_MAX = 16

/** Headers above the tip whose blocks have not come: more are asked for when these have shrunk. */
export const HEADERS_AHEAD_MAX = 20_000

export type SyncOutput =
  | { readonly type: 'tell'; readonly peer: number; readonly message: Message }
  | { readonly type: 'strike'; readonly peer: number; readonly detail: string }
  | {
      readonly type: 'blame'
      readonly peer: number
      readonly reason: DropReason
      readonly detail: string
    }

/** Chains that are fetched at a time: one whose blocks nobody sends must not hold up another. */
const BRANCHES_MAX = 4

/** What the node lacked of a chain, parents first; it has what is before `next`. */
type Branch = { readonly headers: readonly HeaderNode[]; next: number }
type Arrived = { readonly header: HeaderNode; readonly block: Block; readonly peer: number }

/** Total for whatever peers say. Outputs are taken after every call. */
export class BlockSync {
  readonly #node: RegtestNode
  readonly #aheadMax: number
  /** Made when the first peer serves blocks: a node that only serves needs none. */
  #tree: HeaderTree | undefined
  readonly #headers = new Map<number, HeaderSync>()
  /** The header of most work that each peer has shown: what it has, and what is below. */
  readonly #shown = new Map<number, HeaderNode>()
  /** Peers with more headers than are of use now. */
  readonly #paused = new Set<number>()
  readonly #download = new BlockDownload()
  /** Of the best chains that peers have shown, the best first. */
  #branches: readonly Branch[] = []
  /** What peers have shown, or what the node has, is not what `#branches` were made of. */
  #isOld = false
  /**
   * Peers that have shown the header of a wanted block, or one above it: others may say nothing at
   * all. Of the window, as long as nobody shows more.
   */
  readonly #owners = new Map<string, readonly number[]>()
  /** Blocks that came before their parents. */
  readonly #arrived = new Map<string, Arrived>()
  #out: SyncOutput[] = []

  constructor(node: RegtestNode, headersAheadMax = HEADERS_AHEAD_MAX) {
    this.#node = node
    this.#aheadMax = headersAheadMax
  }

  /** What a peer said. */
  hear(peer: number, talk: ChainTalk, nowMs: number): readonly SyncOutput[] {
    switch (talk.type) {
      case 'ready':
        this.#headers.set(peer, new HeaderSync(this.#know(nowMs)))
        this.#ask(peer, nowMs)
        break
      case 'headers':
        this.#hearHeaders(peer, talk.headers, nowMs)
        break
      case 'inv':
        for (const item of talk.items)
          if (item.kind === inventory.block) this.#hearHash(peer, item.hash, nowMs)
        break
      case 'notfound':
        for (const { hash } of talk.items) this.#download.refused(hash, peer, nowMs)
        break
      case 'block':
        this.#hearBlock(peer, talk.block, nowMs)
        break
    }
    return this.#finish(nowMs)
  }

  /** The node has a block that no peer brought. */
  learn(header: BlockHeader, nowMs: number): void {
    if (this.#tree === undefined) return
    // What came from peers is in the lists already.
    if (findHeader(this.#tree, headerHash(header)) !== undefined) return
    learn(this.#tree, header, nowMs)
    this.#isOld = true
  }

  forget(peer: number, nowMs: number): readonly SyncOutput[] {
    this.#leave(peer)
    return this.#finish(nowMs)
  }

  expire(nowMs: number): readonly SyncOutput[] {
    for (const [peer, sync] of this.#headers) {
      const { offence, ask } = sync.expire(nowMs)
      if (offence !== undefined) this.#blame(peer, 'timeout', offence.reason)
      if (ask) this.#ask(peer, nowMs)
    }
    for (const { peer, reason } of this.#download.expire(nowMs))
      this.#blame(peer, 'timeout', reason)
    return this.#finish(nowMs)
  }

  get deadlineMs(): number {
    const headers = [...this.#headers.values()].map((sync) => sync.deadlineMs)
    return Math.min(this.#download.deadlineMs, ...headers)
  }

  /** The tree of what peers have shown, and of what the node has. */
  #know(nowMs: number): HeaderTree {
    if (this.#tree !== undefined) return this.#tree
    const tree = newHeaderTree(regtest)
    const tip = this.#node.tip().height
    for (let height = 1; height <= tip; height++) {
      const block = this.#node.blockAt(height)
      if (block !== undefined) learn(tree, block.header, nowMs)
    }
    this.#tree = tree
    return tree
  }

  /**
   * Asks from the node's own chain on, not from headers that others have shown: so each peer tells
   * what it has of what the node lacks.
   */
  #ask(peer: number, nowMs: number): void {
    const question = this.#headers.get(peer)?.ask(nowMs)
    if (question?.type !== 'getheaders') return
    const shown = this.#shown.get(peer)?.hash ?? []
    const locator = [shown, this.#node.locator()].flat()
    this.#out.push({ type: 'tell', peer, message: { ...question, locator } })
  }

  /** Whether the peer has shown more than before; what is no news costs nothing. */
  #show(peer: number, header: HeaderNode): boolean {
    const before = this.#shown.get(peer)
    const isLess = before !== undefined && before.work >= header.work
    if (isLess && this.#tree?.invalid.has(before.key) !== true) return false
    this.#shown.set(peer, header)
    this.#isOld = true
    return !isLess
  }

  /** HD-6: headers first. */
  #hearHash(peer: number, hash: BlockHash, nowMs: number): void {
    const header = this.#tree === undefined ? undefined : findHeader(this.#tree, hash)
    if (header === undefined) this.#ask(peer, nowMs)
    else if (this.#headers.has(peer)) this.#show(peer, header)
  }

  #hearHeaders(peer: number, headers: readonly BlockHeader[], nowMs: number): void {
    if (this.#tree !== undefined) this.#reconsider(this.#tree)
    const outcome: HeadersOutcome | undefined = this.#headers.get(peer)?.receive(headers, nowMs)
    if (outcome === undefined || this.#tree === undefined) return
    const { offence, strike, ask } = outcome
    if (offence !== undefined) {
      this.#blame(peer, 'bad-headers', offence.reason)
      return
    }
    if (strike !== undefined) this.#out.push({ type: 'strike', peer, detail: strike })
    const last = headers.at(-1)
    const header = last === undefined ? undefined : findHeader(this.#tree, headerHash(last))
    const isMore = header !== undefined && this.#show(peer, header)
    const ahead = (header?.height ?? 0) - this.#node.tip().height
    if (ahead > this.#aheadMax + HEADERS_MAX)
      this.#blame(peer, 'bad-headers', `${ahead} headers without their blocks`)
    // Others may have shown them before, so that they are no news.
    else if (ask || (isMore && headers.length === HEADERS_MAX)) {
      if (ahead < this.#aheadMax) this.#ask(peer, nowMs)
      else this.#paused.add(peer)
    }
  }

  /** Goes on with those who have more headers, once the blocks have come. */
  #resume(nowMs: number): void {
    for (const peer of this.#paused) {
      const ahead = (this.#shown.get(peer)?.height ?? 0) - this.#node.tip().height
      if (ahead > this.#aheadMax / 2) continue
      this.#paused.delete(peer)
      this.#ask(peer, nowMs)
    }
  }

  #hearBlock(peer: number, block: Block, nowMs: number): void {
    if (this.#tree === undefined) return
    const hash = headerHash(block.header)
    const header = findHeader(this.#tree, hash)
    if (header === undefined) {
      this.#ask(peer, nowMs) // HD-6
      return
    }
    if (!this.#download.answered(hash, peer)) return // BD-5
    this.#download.delivered(hash, blockSize(block).total, nowMs)
    this.#arrived.set(header.key, { header, block, peer })
    this.#hand(nowMs)
  }

  /** Gives the node what it can connect now, in the order of the heights. */
  #hand(nowMs: number): void {
    for (let at = 0; at < this.#branches.length; at++) {
      const branch = present(this.#branches[at], 'a branch of the list')
      for (let header = branch.headers[branch.next]; header; header = branch.headers[branch.next]) {
        if (this.#node.blockByHash(header.hash) === undefined && !this.#give(header, nowMs)) break
        branch.next += 1
      }
      // Without an invalid header the lists are others.
      if (this.#isOld) {
        this.#review()
        at = -1
      }
    }
  }

  /** Whether the node has taken the block, if it has arrived. */
  #give(header: HeaderNode, nowMs: number): boolean {
    const arrived = this.#arrived.get(header.key)
    if (arrived === undefined) return false
    this.#arrived.delete(header.key)
    const reply = this.#node.submitBlock(arrived.block, Math.floor(nowMs / 1_000))
    if (reply.type === 'accepted') return true
    if (reply.reason === 'prev-blk-not-found') {
      this.#download.retract(header.hash)
      this.#isOld = true // Another branch has taken the room of this one: it is fetched again.
      return false
    }
    const isInvalid = this.#node.isInvalid(header.hash)
    this.#blame(arrived.peer, isInvalid ? 'invalid-block' : 'mutated-block', reply.reason)
    if (!isInvalid)
      this.#download.retract(header.hash) // The true body may come from another.
    else if (this.#tree !== undefined) markInvalid(this.#tree, header)
    return false
  }

  #blame(peer: number, reason: DropReason, detail: string): void {
    this.#leave(peer)
    this.#out.push({ type: 'blame', peer, reason, detail })
  }

  #leave(peer: number): void {
    this.#headers.delete(peer)
    this.#shown.delete(peer)
    this.#paused.delete(peer)
    this.#download.forget(peer)
    this.#isOld = true
  }

  #finish(nowMs: number): readonly SyncOutput[] {
    if (this.#paused.size > 0) this.#resume(nowMs)
    if (this.#isOld) this.#review()
    this.#request(nowMs)
    const out = this.#out
    this.#out = []
    return out
  }

  /** Lists anew what the node lacks of the best chains that peers have. */
  #review(): void {
    this.#isOld = false
    this.#owners.clear()
    this.#branches = this.#tree === undefined ? [] : this.#lacking(this.#tree)
    const isListed = (header: HeaderNode): boolean =>
      this.#branches.some(
        ({ headers }) => headers[header.height - (headers[0]?.height ?? 0)] === header,
      )
    for (const [key, { header }] of this.#arrived) if (!isListed(header)) this.#arrived.delete(key)
  }

  #lacking(tree: HeaderTree): readonly Branch[] {
    const branches: Branch[] = []
    const tips: HeaderNode[] = []
    const before = new Map(this.#branches.map((branch) => [branch.headers.at(-1)?.key, branch]))
    const own = findHeader(tree, this.#node.tip().hash)?.work ?? 0n
    for (const tip of [...this.#shown.values()].toSorted((a, b) => (a.work < b.work ? 1 : -1))) {
      if (tip.work <= own || branches.length === BRANCHES_MAX) break
      if (tips.some((better) => ancestorAt(tree, better, tip.height) === tip)) continue
      const above: HeaderNode[] = []
      let below: readonly HeaderNode[] = []
      let at = tip
      while (at.parent !== undefined && !this.#isJudged(at.hash)) {
        const known = before.get(at.key) // A long list is not made again for one header more.
        below = known?.headers.slice(known.next) ?? []
        at = below[0] ?? at
        if (below.length === 0) above.push(at)
        at = at.parent ?? at
        if (below.length > 0) break
      }
      if (this.#node.isInvalid(at.hash)) markInvalid(tree, at)
      else if (!tree.invalid.has(tip.key)) {
        tips.push(tip)
        branches.push({ headers: [...below, ...above.toReversed()], next: 0 })
      }
    }
    return branches
  }

  /** What the node has been told to take again is no offence any more. */
  #reconsider(tree: HeaderTree): void {
    for (const key of tree.invalid) {
      const root = tree.nodes.get(key)
      if (root?.parent === undefined || tree.invalid.has(root.parent.key)) continue
      if (this.#node.isInvalid(root.hash)) continue
      for (const node of subtreeOf(tree, root)) tree.invalid.delete(node.key)
    }
  }

  #isJudged(hash: BlockHash): boolean {
    return this.#node.blockByHash(hash) !== undefined || this.#node.isInvalid(hash)
  }

  #request(nowMs: number): void {
    const share = Math.ceil(WINDOW_MAX / Math.max(1, this.#branches.length))
    const window = this.#branches.flatMap(({ headers, next }) => headers.slice(next, next + share))
    const byKey = new Map(window.map((header) => [header.key, header]))
    this.#download.want([...byKey.values()].map(({ hash }) => hash))
    this.#findOwners([...byKey.values()])
    const peers = [...this.#shown.keys()].map((peer) => ({
      peer,
      has: (hash: BlockHash) => this.#owners.get(toHex(hash))?.includes(peer) === true,
    }))
    const canAsk = (hash: BlockHash): boolean => {
      const key = toHex(hash)
      return !this.#arrived.has(key) && (this.#owners.get(key) ?? []).length > 0
    }
    for (const { peer, hashes } of this.#download.assign(peers, nowMs, canAsk)) {
      const items = hashes.map((hash) => ({ kind: inventory.witnessBlock, hash })) // BD-4
      this.#out.push({ type: 'tell', peer, message: { type: 'getdata', items } })
    }
  }

  /** Goes down from what each peer has shown once for all headers that are new in the window. */
  #findOwners(window: readonly HeaderNode[]): void {
    const tree = this.#tree
    const fresh = window.filter(({ key }) => !this.#owners.has(key))
    const keys = new Set(window.map(({ key }) => key))
    for (const key of this.#owners.keys()) if (!keys.has(key)) this.#owners.delete(key)
    if (tree === undefined || fresh.length === 0) return
    const owners = fresh
      .toSorted((a, b) => b.height - a.height)
      .map((header) => ({ header, peers: [] as number[] }))
    for (const [peer, shown] of this.#shown) {
      let place: HeaderNode | undefined = shown
      for (const { header, peers } of owners) {
        if (header.height > shown.height) continue
        place = place && ancestorAt(tree, place, header.height)
        if (place === header) peers.push(peer)
      }
    }
    for (const { header, peers } of owners) this.#owners.set(header.key, peers)
  }
}

function learn(tree: HeaderTree, header: BlockHeader, nowMs: number): void {
  // The node has accepted it, perhaps by a clock that runs ahead of ours.
  const nowSeconds = Math.max(header.time, Math.floor(nowMs / 1_000))
  const verdict = judgeHeader(tree, header, nowSeconds)
  if (verdict.type === 'valid') addHeader(tree, verdict.node)
}
