/**
 * The Bitcoin side of simulated nodes: one regtest chain, which the nodes hear of sooner or later,
 * and to which what they announce comes, or is lost for a while.
 */
import { equalBytes, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader } from '../../src/core/btc/block.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { NodeOutput } from '../../src/core/subnet/node-io.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { NodeNet } from './node-net.ts'

type Asked = Extract<NodeOutput, { readonly type: 'adapter' }>

/** A block that is still wanted after this is handed over again. */
const AGAIN_MS = 10_000
/** Headers that a node hears of again with a new block. */
const DEPTH = 8
/** After how long a node hears of a block, at most. */
const LATE_MS = 2_000
const CALM_LATE_MS = 50

export const payer = regtestWallet('payer')

export class NodeBitcoin {
  readonly chain: RegtestNode
  /** Whether what nodes announce gets through. */
  isRelaying = true
  lateMs = LATE_MS
  readonly #net: NodeNet
  readonly #wanted = new Map<NodeIndex, Asked['wanted']>()
  readonly #onTheWay = new Set<string>()
  /** By wtxid in hexadecimal. */
  readonly announced = new Map<string, Uint8Array>()

  constructor(net: NodeNet, blocks: readonly Block[]) {
    this.#net = net
    this.chain = new RegtestNode({ blocks })
  }

  get height(): number {
    return this.chain.tip().height
  }

  /** A block that pays the payer, which every node that is up hears of. */
  mine(count = 1): void {
    this.chain.mine(count, payer.script, this.#net.nowSeconds)
    for (const node of this.#net.nodes.keys()) this.#show(node, Math.max(count, DEPTH))
  }

  /** The newest blocks are replaced; what was in them may be forgotten by the Bitcoin node. */
  reorganise(depth: number, dropTransactions: boolean): void {
    const { nowSeconds } = this.#net
    this.chain.reorganise(depth, { dropTransactions, payToScript: payer.script, nowSeconds })
    for (const node of this.#net.nodes.keys()) this.#show(node, DEPTH)
  }

  started(node: NodeIndex): void {
    this.#wanted.delete(node)
    this.#show(node, this.height)
  }

  calm(): void {
    this.isRelaying = true
    this.lateMs = CALM_LATE_MS
    this.relay()
  }

  #show(node: NodeIndex, depth: number): void {
    const first = Math.max(1, this.height - depth + 1)
    const headers = Array.from({ length: this.height - first + 1 }, (_, i) =>
      encodeHeader(present(this.chain.blockAt(first + i), 'a block of the chain').header),
    )
    if (headers.length === 0) return
    this.#net.inputLater(this.#delay(), node, { type: 'headers', headers })
  }

  #delay(): number {
    return this.lateMs === 0 ? 0 : this.#net.random.below(this.lateMs)
  }

  asked(node: NodeIndex, { wanted, announce }: Asked): void {
    this.#wanted.set(node, wanted)
    for (const hash of wanted) this.#hand(node, hash)
    for (const { wtxid, bytes } of announce) this.announced.set(toHex(wtxid), bytes)
    if (announce.length > 0) this.relay()
  }

  /** What was announced gets to the Bitcoin node, if anything does. */
  relay(): void {
    if (!this.isRelaying) return
    for (const bytes of this.announced.values()) this.chain.submit(bytes, this.#net.nowSeconds)
  }

  #hand(node: NodeIndex, hash: Asked['wanted'][number]): void {
    const { life } = this.#net.node(node)
    const name = `${node}/${life}/${toHex(hash)}`
    const block = this.chain.blockByHash(hash)
    if (block === undefined || this.#onTheWay.has(name)) return
    this.#onTheWay.add(name)
    this.#net.inputLater(this.#delay(), node, { type: 'block', block: encodeBlock(block) })
    this.#net.later(AGAIN_MS, () => {
      this.#onTheWay.delete(name)
      const isWanted = this.#wanted.get(node)?.some((one) => equalBytes(one, hash))
      if (isWanted === true && this.#net.node(node).life === life) this.#hand(node, hash)
    })
  }
}
