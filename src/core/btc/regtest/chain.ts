/**
 * The regtest chain: every block ever accepted, the best branch connected, with undo data. Source:
 * RN-1, RN-6.
 */
import type { BlockHash, Txid } from '../../base/bytes.ts'
import { toHex } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { Block } from '../block.ts'
import { blockSize, checkBlock, txidsOf } from '../block.ts'
import { genesisBlock } from '../genesis.ts'
import type { HeaderNode, HeaderTree, HeaderVerdict } from '../header-tree.ts'
import {
  addHeader,
  ancestorAt,
  bestHeader,
  findHeader,
  isOnBestChain,
  judgeHeader,
  markInvalid,
  medianTimeOf,
  newHeaderTree,
  pruneSides,
  subtreeOf,
  unmarkInvalid,
} from '../header-tree.ts'
import type { Network } from '../network.ts'
import type { ConnectContext } from './block-validation.ts'
import { connectBlock } from './block-validation.ts'
import type { Coin, CoinChanges, CoinView } from './coins.ts'
import { applyChanges } from './coins.ts'
import type { ScriptVerifier } from './script-verifier.ts'
import type { SpendContext } from './spending.ts'

/** Bytes of the bodies off the best chain together. */
export const SIDE_BYTES_MAX = 128 * 2 ** 20

type StoredBlock = {
  readonly block: Block
  readonly txids: readonly Txid[]
  readonly bytes: number
}

/** How the best branch moved; blocks in the order of their heights. */
export type Move = {
  readonly disconnected: readonly Block[]
  readonly connected: readonly Block[]
}

export type Added =
  /** `move` is undefined when the block lies on a branch that is not the best. */
  | { readonly type: 'accepted'; readonly hash: BlockHash; readonly move: Move | undefined }
  | { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string) => ({ type: 'refused', reason }) as const

/** Header tree, bodies and coins as one. Every valid header of the tree has its body. */
export class Chain {
  readonly #network: Network
  readonly #tree: HeaderTree
  #scripts: ConnectContext['scripts']
  readonly #sideBytesMax: number
  readonly #blocks = new Map<string, StoredBlock>()
  /** Of the blocks that are not connected. */
  #sideBytes = 0
  readonly #coins = new Map<string, Coin>()
  /** Connected nodes by height; `#undo[h]` takes back the block at height h. */
  readonly #active: HeaderNode[]
  readonly #undo: CoinChanges[] = [new Map()]
  /** Height of each transaction of the active branch. */
  readonly #heights = new Map<string, number>()

  constructor(network: Network, scripts: ScriptVerifier, sideBytesMax = SIDE_BYTES_MAX) {
    this.#network = network
    this.#tree = newHeaderTree(network)
    this.#scripts = scripts
    this.#sideBytesMax = sideBytesMax
    const genesis = bestHeader(this.#tree)
    const block = genesisBlock(network)
    // Its output never enters the coins: no rule lets anyone spend it.
    this.#active = [genesis]
    this.#blocks.set(genesis.key, { block, txids: txidsOf(block), bytes: 0 })
  }

  get tree(): HeaderTree {
    return this.#tree
  }
  get tip(): HeaderNode {
    return present(this.#active.at(-1), 'a chain has a genesis')
  }
  get coins(): CoinView {
    return this.#coins
  }
  nodeAt(height: number): HeaderNode | undefined {
    return this.#active[height]
  }
  block(hash: BlockHash): Block | undefined {
    return this.#blocks.get(toHex(hash))?.block
  }
  /** Of a block of any branch, in the order of its transactions. */
  txids(hash: BlockHash): readonly Txid[] {
    return this.#blocks.get(toHex(hash))?.txids ?? []
  }
  /** A block of any branch, invalid or not. */
  find(hash: BlockHash): HeaderNode | undefined {
    return findHeader(this.#tree, hash)
  }
  /** Height of a block of the active branch. */
  activeHeight(hash: BlockHash): number | undefined {
    const node = findHeader(this.#tree, hash)
    return node !== undefined && this.#active[node.height] === node ? node.height : undefined
  }
  /** Height of a transaction of the active branch. */
  heightOf(txid: Txid): number | undefined {
    return this.#heights.get(toHex(txid))
  }
  /** What the active block at a height has spent that was there before it. */
  spentAt(height: number): CoinView {
    return this.#undo[height] ?? new Map()
  }
  /** Every coin with its `outpointKey`. */
  allCoins(): Iterable<readonly [string, Coin]> {
    return this.#coins
  }
  /** Scripts of the outputs that the active block at a height spends; of its own, not all. */
  spentScripts(height: number): readonly Uint8Array[] {
    const before = [...(this.#undo[height]?.values() ?? [])]
    return before.flatMap((coin) => coin?.script ?? [])
  }
  /** What binds the block that follows the tip. */
  nextContext(): SpendContext {
    return this.#contextAfter(this.tip)
  }

  add(block: Block, nowSeconds: number): Added {
    const verdict = judgeHeader(this.#tree, block.header, nowSeconds)
    if (verdict.type !== 'valid') return refused(headerReason(verdict))
    const { node } = verdict
    const txids = txidsOf(block)
    const flaw = checkBlock(block, { network: this.#network, height: node.height, txids })
    // A mutated body says nothing about its header: the true block may still come.
    if (flaw?.kind === 'mutated') return refused(flaw.reason)
    const bytes = blockSize(block).total
    if (flaw === undefined && !this.#makeRoom(node, bytes)) return refused('too-many-side-blocks')
    const before = this.tip
    const isPruned = this.#grow(node)
    if (flaw !== undefined) markInvalid(this.#tree, node)
    else {
      this.#blocks.set(node.key, { block, txids, bytes })
      this.#sideBytes += bytes
    }
    const { move, reasons } = this.#follow()
    if (isPruned) this.#dropUnknown()
    if (flaw !== undefined) return refused(flaw.reason)
    if (this.#tree.invalid.has(node.key)) return refused(reasons.get(node.key) ?? 'bad-prevblk')
    return { type: 'accepted', hash: node.hash, move: this.tip === before ? undefined : move }
  }

  /**
   * Whether a block that stays off the best chain has room, if need be in the place of other
   * branches.
   */
  #makeRoom({ parent, work }: HeaderNode, bytes: number): boolean {
    const hasRoom = (): boolean => this.#sideBytes + bytes <= this.#sideBytesMax
    if (parent === undefined || work > this.tip.work || hasRoom()) return true
    pruneSides(this.#tree, { keptMax: 0, needed: [parent.key] })
    this.#dropUnknown()
    return hasRoom()
  }

  /** Whether other headers have left the tree for this one. */
  #grow(node: HeaderNode): boolean {
    const { size } = this.#tree.nodes
    addHeader(this.#tree, node, [node.key, this.tip.key])
    return this.#tree.nodes.size <= size
  }

  /** Bodies go with their headers. */
  #dropUnknown(): void {
    for (const key of this.#blocks.keys()) if (!this.#tree.nodes.has(key)) this.#drop(key)
  }

  /** Forgets the body of a block that is not connected. */
  #drop(key: string): void {
    this.#sideBytes -= this.#blocks.get(key)?.bytes ?? 0
    this.#blocks.delete(key)
  }

  /**
   * Builds the chain again from blocks that were accepted before, so their scripts are not run.
   * Returns what is wrong with the first one that does not follow the tip.
   */
  load(blocks: Iterable<Block>): string | undefined {
    const scripts = this.#scripts
    this.#scripts = { consensusFault: () => undefined }
    try {
      for (const block of blocks) {
        const height = this.tip.height + 1
        // No clock: they were not too early when they were accepted.
        const added = this.add(block, block.header.time)
        if (added.type === 'refused') return `block ${height}: ${added.reason}`
        if (added.move === undefined) return `block ${height}: not on the best chain`
      }
      return undefined
    } finally {
      this.#scripts = scripts
    }
  }

  /** Declares a block and all above it invalid (RN-15). */
  invalidate(node: HeaderNode): Move {
    markInvalid(this.#tree, node)
    return this.#follow().move
  }

  /**
   * Takes that back for a block, those above it and those below it (RN-15). What was refused for
   * itself has no body here, and stays invalid.
   */
  reconsider(node: HeaderNode): Move {
    const below: HeaderNode[] = []
    for (let at = node.parent; at !== undefined; at = at.parent) below.push(at)
    const nodes = [...below.reverse(), ...subtreeOf(this.#tree, node)]
    unmarkInvalid(
      this.#tree,
      nodes.filter(({ key }) => this.#blocks.has(key)),
    )
    return this.#follow().move
  }

  /**
   * Takes the best branch back to a height, whatever else the tree has. `restore` lets what was
   * there count again; the branch that has grown meanwhile must have more work.
   */
  cut(height: number): { readonly move: Move; readonly restore: () => void } {
    const tree = this.#tree
    const fork = present(this.#active[height], 'a branch is cut at one of its blocks')
    const before = new Set(tree.invalid)
    while (bestHeader(tree) !== fork) {
      let below = fork
      while (!isOnBestChain(tree, below)) below = present(below.parent, 'genesis is on every chain')
      markInvalid(tree, present(tree.best[below.height + 1], 'the best branch goes on'))
    }
    const restore = (): void => {
      for (const key of tree.invalid) if (!before.has(key)) tree.invalid.delete(key)
    }
    return { move: this.#follow().move, restore }
  }

  /**
   * Makes the active branch the best one of the tree; what proves invalid leaves the tree's best.
   */
  #follow(): { readonly move: Move; readonly reasons: ReadonlyMap<string, string> } {
    const disconnected: Block[] = []
    const connected: Block[] = []
    const reasons = new Map<string, string>()
    while (this.tip !== bestHeader(this.#tree)) {
      if (!isOnBestChain(this.#tree, this.tip)) {
        const block = this.#disconnectTip()
        if (connected.at(-1) === block) connected.pop()
        else disconnected.push(block)
        continue
      }
      const node = present(this.#tree.best[this.tip.height + 1], 'the best branch goes on')
      const result = this.#connect(node)
      if (typeof result === 'string') {
        reasons.set(node.key, result)
        markInvalid(this.#tree, node)
        this.#drop(node.key)
      } else connected.push(result)
    }
    return { move: { disconnected: disconnected.toReversed(), connected }, reasons }
  }

  /** The block, or why it cannot follow the tip. */
  #connect(node: HeaderNode): Block | string {
    const { block, txids, bytes } = present(this.#blocks.get(node.key), 'a header has its body')
    const result = connectBlock(block, {
      ...this.#contextAfter(this.tip),
      network: this.#network,
      coins: this.#coins,
      scripts: this.#scripts,
      txids,
    })
    if (result.type === 'refused') return result.reason
    this.#undo[node.height] = applyChanges(this.#coins, result.changes)
    for (const txid of txids) this.#heights.set(toHex(txid), node.height)
    this.#active.push(node)
    this.#sideBytes -= bytes
    return block
  }

  #disconnectTip(): Block {
    const node = present(this.#active.pop(), 'a block is disconnected')
    applyChanges(this.#coins, present(this.#undo.pop(), 'a connected block has undo data'))
    const stored = present(this.#blocks.get(node.key), 'a connected block has its body')
    const { block, txids, bytes } = stored
    this.#sideBytes += bytes
    for (const txid of txids) this.#heights.delete(toHex(txid))
    return block
  }

  #contextAfter(parent: HeaderNode): SpendContext {
    const medianTimeAt = (height: number) => {
      const node = ancestorAt(this.#tree, parent, height)
      return medianTimeOf(this.#tree, present(node, 'a coin is below the block that spends it'))
    }
    const medianTimePast = medianTimeOf(this.#tree, parent)
    return { height: parent.height + 1, medianTimePast, medianTimeAt }
  }
}

function headerReason(verdict: Exclude<HeaderVerdict, { readonly type: 'valid' }>): string {
  switch (verdict.type) {
    case 'known':
      return 'duplicate'
    case 'unknownParent':
      return 'prev-blk-not-found'
    case 'invalid':
      return verdict.reason
    case 'early':
      return 'time-too-new'
    case 'full':
      return 'too-many-side-headers'
  }
}
