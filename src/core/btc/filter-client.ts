/**
 * Bitcoin seen through compact filters, without I/O: the adapter's connections and headers, filters
 * that peers agree on, and the blocks that they point at. Source: `docs/spec/bitcoin.md` §8.5.
 */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_MS } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { BitcoinAdapter } from './adapter.ts'
import type { AdapterInput, AdapterOutput, PeerStatus } from './adapter-port.ts'
import type { KnownPeers } from './address-book-file.ts'
import type { Block } from './block.ts'
import { decodeFilter, filterHash } from './compact-filter.ts'
import { FilterChain } from './filter-chain.ts'
import type { FilterMessage } from './filter-message.ts'
import type {
  FilterConfig,
  FilterInput,
  FilterMemory,
  FilterOutput,
  FilterStatus,
} from './filter-port.ts'
import { FILTER_ALARM } from './filter-port.ts'
import { FilterScan } from './filter-scan.ts'
import type { FilterPeer, SyncAction } from './filter-sync.ts'
import { FilterSync, UNDECIDED_MAX } from './filter-sync.ts'
import type { HeaderNode, HeaderTree } from './header-tree.ts'
import { bestHeader, findHeader, isOnBestChain } from './header-tree.ts'
import type { Offence } from './peer-session.ts'

/** Filters asked for at once: some 4 MB on mainnet. */
const BATCH_MAX = 200
/** The newest blocks are read in full (CF-6). */
export const FULL_BLOCKS = 12

/** A range of heights under search; one at a time. */
type Batch = {
  readonly from: number
  readonly to: number
  readonly nodes: readonly View<HeaderNode>[]
  /** Heights that are still to be judged by their filters. */
  readonly unjudged: Set<number>
  /** Blocks to be read, and those that have come. */
  readonly blocks: Map<number, Block | undefined>
}

/** One input at a time; total for whatever peers send. */
export class FilterClient {
  readonly #adapter: BitcoinAdapter
  readonly #chain: FilterChain
  readonly #scan: FilterScan
  readonly #sync: FilterSync
  #batch: Batch | undefined
  /** Blocks that are wanted for themselves. */
  readonly #fetching = new Map<string, BlockHash>()
  #wanted = ''
  #alarmMs = Number.POSITIVE_INFINITY
  #said = ''
  #nowMs = 0
  #now: TimestampNs
  #out: FilterOutput[] = []
  #isStarted = false
  /** Filter headers of an earlier life, until their headers are here. */
  #remembered: readonly Hash32[]
  #trouble: Offence | undefined

  constructor({ memory, ...config }: FilterConfig, now: TimestampNs) {
    this.#now = now
    this.#remembered = memory?.filterHeaders ?? []
    this.#adapter = new BitcoinAdapter({ ...config, filters: true })
    this.#chain = new FilterChain(config.network)
    this.#scan = new FilterScan({ groups: memory?.groups ?? [], coins: memory?.coins ?? [] })
    this.#sync = new FilterSync(this.#chain, (outpoint) => this.#scan.coin(outpoint)?.script)
  }

  /** What was known once, as far as the headers go that were kept with it. */
  #recall(): void {
    this.#isStarted = true
    for (const [i, header] of this.#remembered.entries()) {
      const node = this.tree.best[i + 1]
      if (node === undefined) break
      this.#chain.push(node.hash, header)
    }
    this.#remembered = []
    this.#scan.rewind(this.#chain.height)
  }

  get tree(): View<HeaderTree> {
    return this.#adapter.headers
  }
  get scan(): Pick<FilterScan, 'coin' | 'coins' | 'rescanning' | 'count'> {
    return this.#scan
  }
  get peers(): readonly PeerStatus[] {
    return this.#adapter.peers
  }
  /** Of peers that nobody named: how often they were called, and what was wrong with the last. */
  get search(): { readonly calls: number; readonly trouble: string | undefined } | undefined {
    const { search } = this.#adapter
    return search && { calls: search.calls, trouble: this.#trouble?.reason }
  }
  /** Peers that a later life may begin with. */
  get knownPeers(): KnownPeers {
    return this.#adapter.toKeep()
  }

  get status(): FilterStatus {
    const { hash, height, header, work } = bestHeader(this.tree)
    const vouchers = this.#sync.vouchersAt(height)
    const ready = this.#sync.peers
    const isShown = ready.every(({ index }) => this.#adapter.shownBy(index).isAll)
    const hasWork = work >= this.tree.network.minimumWork
    const agreed = this.#agreedHeight()
    return {
      tip: { hash, height, time: header.time },
      synced: vouchers > 0 && isShown && hasWork && agreed >= height,
      filters: this.#chain.height,
      searched: this.#searched(height),
      vouchers,
      hopeful: this.#hopeful(height),
      liars: this.#sync.liarCount,
      headersRead: this.#adapter.headersRead,
      aheadSeconds: this.#adapter.aheadSeconds,
      undecided: this.#sync.undecided.size,
    }
  }

  #searched(height: number): number {
    return Math.min(height, ...this.#scan.groups.map(({ at }) => at))
  }

  /** Connections that are made or looked for, and peers that are on their way to the tip. */
  #hopeful(height: number): number {
    if (!this.#isStarted) return 1
    const connecting = this.#adapter.peers.filter(({ state }) => state === 'connecting').length
    const walking = this.#sync.peers.filter(({ index, at }) => {
      const shown = this.#adapter.shownBy(index)
      return !shown.isAll || (at < height && at < shown.height)
    })
    return connecting + walking.length + (this.#adapter.search?.isHopeful === true ? 1 : 0)
  }

  #agreedHeight(): number {
    return this.#sync.agreedHeight((peer) => this.#adapter.shownBy(peer).height)
  }

  /** What a later life may begin with, once it has started. */
  toKeep(): FilterMemory {
    return {
      headers: this.tree.best.slice(1).map(({ header }) => header),
      filterHeaders: this.#chain.toKeep(),
      groups: this.#scan.groups,
      coins: this.#scan.coins,
    }
  }

  step(input: FilterInput, now: TimestampNs): readonly FilterOutput[] {
    this.#now = now
    this.#nowMs = Number(now / NS_PER_MS)
    this.#out = []
    if (input.type === 'watch') this.#scan.watch(input.scripts, input.birth)
    else if (input.type === 'fetch') this.#fetching.set(toHex(input.hash), input.hash)
    else {
      if (input.type === 'start' && !this.#isStarted) this.#recall()
      if (input.type === 'disconnected') this.#leave(input.peer)
      const isOurs = input.type === 'alarm' && input.name === FILTER_ALARM
      if (isOurs) this.#expire()
      else this.#drive(input)
    }
    this.#advance()
    return this.#out
  }

  #expire(): void {
    this.#alarmMs = Number.POSITIVE_INFINITY
    this.#perform(this.#sync.expire(this.#nowMs))
  }

  #drive(input: AdapterInput): void {
    for (const output of this.#adapter.step(input, this.#now)) this.#take(output)
  }

  #take(output: AdapterOutput): void {
    switch (output.type) {
      case 'connect':
      case 'send':
      case 'alarm':
      case 'evidence':
      case 'lookUp':
        this.#out.push(output)
        break
      case 'disconnect':
        this.#leave(output.peer)
        if (output.offence.kind !== 'unneeded') this.#trouble = output.offence
        this.#out.push(output)
        break
      case 'peerReady':
        this.#sync.add(output.peer)
        break
      case 'filterMessage':
        this.#receive(output.peer, output.message)
        break
      case 'block':
        this.#takeBlock(output.hash, output.block)
        break
      case 'headers': // They are in the tree.
        break
    }
  }

  /** What was asked of it is asked of another. */
  #leave(peer: number): void {
    this.#sync.remove(peer)
  }

  #receive(index: number, message: FilterMessage): void {
    const peer = this.#sync.peers.find((candidate) => candidate.index === index)
    if (message.type === 'cfilter' && peer?.question?.type === 'filters')
      this.#takeFilter(peer, message.block, message.filter)
    else this.#perform(this.#sync.receive(index, message))
  }

  #perform(actions: readonly SyncAction[]): void {
    for (const action of actions)
      switch (action.type) {
        case 'ask':
          this.#drive(action)
          break
        case 'accuse': {
          const { peer, reason, lie } = action
          this.#sync.banish(peer, lie)
          const offence = { kind: lie ? 'filterLie' : 'timeout', reason } as const
          this.#drive({ type: 'accuse', peer, offence })
          break
        }
        case 'rewind':
          this.#rewind(action.height)
          break
      }
  }

  #rewind(height: number): void {
    if (this.#batch !== undefined && this.#batch.to > height) this.#batch = undefined
    this.#scan.rewind(height)
  }

  /** Everything that can go on by itself. */
  #advance(): void {
    const common = this.#chain.commonHeight(this.tree)
    if (common < this.#chain.height) {
      this.#sync.truncate(common)
      this.#rewind(common)
    }
    if (this.#sync.undecided.size <= UNDECIDED_MAX) {
      const { tree } = this
      const canAsk = this.#sync.next(tree, (peer) => this.#askableHeight(peer), this.#nowMs)
      this.#perform(canAsk)
      this.#search()
    }
    this.#requestBlocks()
    this.#setAlarm()
    this.#tell()
  }

  /** A peer is asked once it has shown its headers: it does not know others. */
  #askableHeight(peer: number): number {
    const { isAll, height } = this.#adapter.shownBy(peer)
    return isAll ? height : 0
  }

  #search(): void {
    for (;;) {
      if (this.#batch === undefined) this.#begin()
      const batch = this.#batch
      if (batch === undefined) return
      if (batch.unjudged.size > 0) {
        this.#askForFilters(batch)
        return
      }
      if ([...batch.blocks.values()].some((block) => block === undefined)) return
      for (const [height, block] of [...batch.blocks].toSorted(([a], [b]) => a - b))
        this.#scan.apply(present(block, 'all blocks have come'), height)
      this.#scan.searched(batch.from, batch.to)
      this.#batch = undefined
    }
  }

  #begin(): void {
    // Before that the tip is none, and its newest blocks are not the newest.
    if (!this.status.synced) return
    const range = this.#scan.next(this.#agreedHeight(), BATCH_MAX)
    if (range === undefined) return
    const { from, to } = range
    const nodes = this.tree.best.slice(from, to + 1)
    const heights = nodes.map(({ height }) => height)
    const tip = bestHeader(this.tree).height
    const isRead = (height: number): boolean =>
      height > tip - FULL_BLOCKS || this.#sync.undecided.has(height)
    const blocks = new Map(heights.filter(isRead).map((height) => [height, undefined] as const))
    const unjudged = new Set(heights.filter((height) => !isRead(height)))
    this.#batch = { from, to, nodes, unjudged, blocks }
  }

  #askForFilters(batch: Batch): void {
    const { peers } = this.#sync
    if (peers.some(({ question }) => question?.type === 'filters')) return
    const able = peers.filter(({ at, question }) => question === undefined && at >= batch.to)
    const peer = able[batch.from % Math.max(1, able.length)]
    const heights = [...batch.unjudged]
    const first = this.tree.best[Math.min(...heights)]
    const last = this.tree.best[Math.max(...heights)]
    if (peer === undefined || first === undefined || last === undefined) return
    this.#perform(this.#sync.ask(peer, { type: 'filters', first, last }, this.#nowMs))
  }

  /** Whoever sends it: a filter is the right one by its hash. */
  #takeFilter(peer: FilterPeer, block: BlockHash, filter: Uint8Array): void {
    const { question } = peer
    const node = findHeader(this.tree, block)
    if (question?.type !== 'filters' || node === undefined) return
    if (node.height < question.first.height || node.height > question.last.height) return
    if (node.key === question.last.key) peer.question = undefined
    const batch = this.#batch
    if (batch === undefined || !batch.unjudged.has(node.height)) return
    if (!batch.nodes.some(({ key }) => key === node.key)) return
    const decoded = attempt(() => decodeFilter(filter))
    const isTrue = this.#chain.hasHash(node.height, filterHash(filter))
    if (!isTrue || decoded instanceof BadEncoding) {
      const reason = isTrue ? 'its filter does not decode' : 'its filter is not the agreed one'
      this.#perform([{ type: 'accuse', peer: peer.index, reason, lie: !isTrue }])
      // Agreed by all, and not to be read: the block itself is.
      if (isTrue) batch.blocks.set(node.height, undefined)
    } else if (this.#scan.matches(decoded, node.hash, batch.from))
      batch.blocks.set(node.height, undefined)
    if (isTrue) batch.unjudged.delete(node.height)
  }

  /** The adapter has checked that the body belongs to its header, and BLK-2 to BLK-9. */
  #takeBlock(hash: BlockHash, block: Block): void {
    const node = findHeader(this.tree, hash)
    if (node === undefined || !isOnBestChain(this.tree, node)) return
    if (this.#fetching.delete(node.key)) this.#out.push({ type: 'fetched', hash, block })
    this.#perform(this.#sync.block(node, block))
    const batch = this.#batch
    if (batch?.blocks.has(node.height) && batch.nodes.some(({ key }) => key === node.key))
      batch.blocks.set(node.height, block)
  }

  #requestBlocks(): void {
    const disputed = this.#sync.wanted
    const waiting = [...(this.#batch?.blocks ?? [])].flatMap(([height, block]) =>
      block === undefined ? (this.tree.best[height]?.hash ?? []) : [],
    )
    const hashes = [
      ...(disputed === undefined ? [] : [disputed.hash]),
      ...waiting,
      ...this.#fetchable(),
    ]
    const key = hashes.map(toHex).join()
    if (key === this.#wanted) return
    this.#wanted = key
    this.#drive({ type: 'want', hashes })
  }

  /** Those that have left the best chain are told so. */
  #fetchable(): readonly BlockHash[] {
    for (const [key, hash] of this.#fetching) {
      const node = findHeader(this.tree, hash)
      if (node !== undefined && isOnBestChain(this.tree, node)) continue
      this.#fetching.delete(key)
      this.#out.push({ type: 'fetched', hash, block: undefined })
    }
    return [...this.#fetching.values()]
  }

  #setAlarm(): void {
    const { deadlineMs } = this.#sync
    if (deadlineMs === this.#alarmMs || deadlineMs === Number.POSITIVE_INFINITY) return
    this.#alarmMs = deadlineMs
    const afterMs = Math.max(0, Math.ceil(deadlineMs - this.#nowMs))
    this.#out.push({ type: 'alarm', name: FILTER_ALARM, afterMs })
  }

  #tell(): void {
    const { tip, ...rest } = this.status
    const said = `${toHex(tip.hash)} ${Object.values(rest).join()}`
    if (said === this.#said) return
    this.#said = said
    this.#out.push({ type: 'changed' })
  }
}
