/**
 * Headers of a server, each held to the rules of §4 by ourselves. Source: `docs/spec/bitcoin.md`
 * §8.1 (`headers`), RPC-4, ES-2.
 */
import type { BlockHash } from '../../core/base/bytes.ts'
import { equalBytes, toDisplayHex } from '../../core/base/bytes.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { headerHash } from '../../core/btc/block.ts'
import type { HeaderNode, HeaderTree } from '../../core/btc/header-tree.ts'
import {
  addHeader,
  ancestorAt,
  bestHeader,
  findHeader,
  judgeHeader,
  newHeaderTree,
} from '../../core/btc/header-tree.ts'
import type { SourcePorts } from '../bitcoin-source.ts'
import { falseAnswer, unusable } from './failures.ts'

/** A server that is asked for headers by their heights. */
export interface HeaderServer {
  readonly name: string
  /** Headers asked for at once. */
  readonly batch: number
  /** More are not asked of it one by one. */
  readonly headersMax: number
  tip(): Promise<{ readonly hash: BlockHash; readonly height: number }>
  /** Undefined above its tip. */
  hashAt(height: number): Promise<BlockHash | undefined>
  headersAt(heights: readonly number[]): Promise<readonly BlockHeader[]>
}

/** Blocks between the server's tip moving and our asking again. */
const MOVES_MAX = 5
/** Blocks that a server may be behind what was seen of the chain before (RPC-4). */
const LAG_MAX = 6

export class HeaderChain {
  readonly #ports: SourcePorts
  readonly #tree: HeaderTree
  #known = 0

  constructor(ports: SourcePorts) {
    this.#ports = ports
    this.#tree = newHeaderTree(ports.network)
    for (const part of ports.headerStore?.load().parts ?? []) if (!this.#recall(part)) break
    this.#known = bestHeader(this.#tree).height
  }

  /** False at the first header that breaks the rules. */
  #recall(headers: readonly BlockHeader[]): boolean {
    return headers.every((header) => {
      const verdict = judgeHeader(this.#tree, header, this.#ports.nowSeconds())
      if (verdict.type === 'valid') addHeader(this.#tree, verdict.node)
      return verdict.type === 'valid'
    })
  }

  find(hash: BlockHash): HeaderNode | undefined {
    return findHeader(this.#tree, hash)
  }

  /** The header at a height of the branch that ends in `tip`. */
  at(tip: HeaderNode, height: number): HeaderNode | undefined {
    return ancestorAt(this.#tree, tip, height)
  }

  /** The server's tip, with a chain of headers that leads to it. */
  async follow(server: HeaderServer): Promise<HeaderNode> {
    for (let move = 0; move < MOVES_MAX; move++) {
      const tip = await server.tip()
      const known = findHeader(this.#tree, tip.hash)
      if (known !== undefined) return this.#checked(known, tip.height, server)
      await this.#fetch(server, tip.height)
      const found = findHeader(this.#tree, tip.hash)
      if (found !== undefined) return this.#checked(found, tip.height, server)
    }
    throw falseAnswer(server.name, 'its headers do not lead to the tip that it names')
  }

  #checked(node: HeaderNode, height: number, { name }: HeaderServer): HeaderNode {
    if (node.height !== height)
      throw falseAnswer(name, `it names height ${height} for the block at height ${node.height}`)
    const { minimumWork, name: network } = this.#ports.network
    if (node.work < minimumWork)
      throw unusable(
        name,
        `its chain has less work than ${network} has had for long`,
        'let it catch up, or ask another source',
      )
    const best = bestHeader(this.#tree)
    if (node.work < best.work && best.height - node.height > LAG_MAX)
      throw unusable(
        name,
        `its tip is ${best.height - node.height} blocks behind one that was seen before`,
        'let it catch up, or ask another source',
      )
    if (node.height > this.#known) {
      const chain = this.#tree.best.slice(1).map(({ header }) => header)
      this.#ports.headerStore?.save(chain)
      this.#known = node.height
    }
    return node
  }

  /** Everything above the highest block that both know. */
  async #fetch(server: HeaderServer, tipHeight: number): Promise<void> {
    const common = await this.#commonHeight(server, tipHeight)
    if (tipHeight - common > server.headersMax)
      throw unusable(
        server.name,
        `${tipHeight - common} headers are missing, and it gives them one at a time`,
        'ask a bitcoind or p2p once: its headers are kept and serve every source',
      )
    for (let from = common + 1; from <= tipHeight; from += server.batch) {
      const size = Math.min(server.batch, tipHeight - from + 1)
      const heights = Array.from({ length: size }, (_, i) => from + i)
      this.#ports.onStep?.(`${from} of ${tipHeight} headers read`)
      for (const header of await server.headersAt(heights)) this.#add(header, server)
    }
  }

  async #commonHeight(server: HeaderServer, tipHeight: number): Promise<number> {
    let step = 1
    for (let height = Math.min(bestHeader(this.#tree).height, tipHeight); height > 0; ) {
      const hash = await server.hashAt(height)
      const own = this.#tree.best[height]
      if (hash !== undefined && own !== undefined && equalBytes(hash, own.hash)) return height
      height = Math.max(0, height - step)
      step *= 2
    }
    const genesis = await server.hashAt(0)
    const { hash, name } = {
      hash: this.#ports.network.genesis.hash,
      name: this.#ports.network.name,
    }
    if (genesis === undefined || !equalBytes(genesis, hash))
      throw unusable(server.name, `it is not on ${name}`, 'give the address of another server')
    return 0
  }

  #add(header: BlockHeader, { name }: HeaderServer): void {
    const verdict = judgeHeader(this.#tree, header, this.#ports.nowSeconds())
    switch (verdict.type) {
      case 'valid':
        addHeader(this.#tree, verdict.node)
        return
      case 'known':
        return
      case 'early':
        throw unusable(
          name,
          `block ${toDisplayHex(headerHash(header))} is from the future`,
          'compare the clock of this computer with another',
        )
      case 'unknownParent': // The chain has moved meanwhile, or it is none: told by its tip.
        return
      case 'invalid':
        throw falseAnswer(name, `a header breaks the rules: ${verdict.reason}`)
      case 'full':
        throw falseAnswer(name, 'it shows more branches than there are')
    }
  }
}
