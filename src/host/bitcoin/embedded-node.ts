/**
 * The embedded regtest node with its P2P listener, as the rest of the program uses it. Source:
 * bitcoin §12.
 */
import type { BlockHash, Txid } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { assert, HostPortBusy, present } from '../../core/base/errors.ts'
import type { Sat } from '../../core/base/units.ts'
import { NS_PER_SECOND } from '../../core/base/units.ts'
import type { Block } from '../../core/btc/block.ts'
import { COINBASE_MATURITY } from '../../core/btc/block-spends.ts'
import { ChainClock } from '../../core/btc/regtest/chain-clock.ts'
import type { MempoolOptions } from '../../core/btc/regtest/mempool.ts'
import type {
  FoundTransaction,
  NodeEvent,
  OutputStatus,
  ReorganisedReply,
  Tip,
  TransactionReply,
} from '../../core/btc/regtest/node.ts'
import { RegtestNode } from '../../core/btc/regtest/node.ts'
import type { MempoolEntry } from '../../core/btc/regtest/pool.ts'
import type { AddedNodes } from '../../core/btc/regtest/rpc/method.ts'
import type { OutPoint } from '../../core/btc/transaction.ts'
import { txid } from '../../core/btc/transaction.ts'
import { systemClock } from '../clock.ts'
import { problemOf } from '../ic/listen.ts'
import type { Store } from '../store/store.ts'
import { durableRegtestNode } from './chain-store.ts'
import type { RegtestServer } from './regtest-server.ts'
import { startRegtestServer } from './regtest-server.ts'
import type { RegtestPeer } from './regtest-sockets.ts'
import type { RpcServer } from './rpc-server.ts'
import { startRpcServer } from './rpc-server.ts'

const systemSeconds = (): number => Number(systemClock() / NS_PER_SECOND)

export type EmbeddedBitcoinOptions = {
  /** Where the chain lies: it goes on there, and every block is there before a peer hears of it. */
  readonly store?: Store | undefined
  readonly mempool?: MempoolOptions | undefined
}

/** Where JSON-RPC is served, and the file with the line that it asks for. */
export type RpcPlace = { readonly port: number; readonly cookieFile: string }

export class EmbeddedBitcoin {
  readonly #node: RegtestNode
  readonly #server: RegtestServer
  readonly #store: Store | undefined
  readonly #firstRate: bigint
  /** Time of blocks and of the mempool; tests move it (RN-11). */
  readonly clock: ChainClock
  #rpc: RpcServer | undefined

  private constructor(parts: {
    readonly node: RegtestNode
    readonly server: RegtestServer
    readonly store: Store | undefined
    readonly clock: ChainClock
  }) {
    this.clock = parts.clock
    this.#node = parts.node
    this.#firstRate = parts.node.relayRateSatPerKvb
    this.#server = parts.server
    this.#store = parts.store
  }

  /**
   * Listens on a free port of the loopback interface. Throws `HostPortBusy` when there is none, and
   * the problem of a damaged store. The store is closed with the node.
   */
  static async start({
    store,
    mempool = {},
  }: EmbeddedBitcoinOptions = {}): Promise<EmbeddedBitcoin> {
    try {
      const node =
        store === undefined ? new RegtestNode({ mempool }) : durableRegtestNode(store, { mempool })
      const clock = new ChainClock(systemSeconds)
      const nowSeconds = (): number => clock.now()
      const server = await startRegtestServer({ node, nowSeconds }).catch((error: unknown) => {
        throw new HostPortBusy({ host: '127.0.0.1', port: 0 }, error)
      })
      return new EmbeddedBitcoin({ node, server, store, clock })
    } catch (error) {
      store?.close()
      throw error
    }
  }

  /** The test interface (RN-12 to RN-18). */
  get node(): RegtestNode {
    return this.#node
  }

  /** Answers JSON-RPC on a port of loopback until the node closes. Throws `HostPortBusy`. */
  async serveRpc({ port, cookieFile }: RpcPlace): Promise<number> {
    assert(this.#rpc === undefined, 'the RPC is served once')
    const peers = (): readonly RegtestPeer[] => this.#server.peers().filter(({ ready }) => ready)
    const nowSeconds = (): number => this.clock.now()
    const nodes = addedNodes(this.#server)
    const options = { node: this.#node, port, cookieFile, nowSeconds, peers, nodes }
    this.#rpc = await startRpcServer(options).catch(async (error: unknown) => {
      throw await problemOf(error, { host: '127.0.0.1', port })
    })
    return this.#rpc.port
  }

  /** The only way for the subnet to reach the chain. */
  get port(): number {
    return this.#server.port
  }

  get height(): number {
    return this.#node.tip().height
  }

  get tip(): Tip {
    return this.#node.tip()
  }

  /** Transactions that wait for a block, in the order of their arrival. */
  get waiting(): readonly MempoolEntry[] {
    return this.#node.mempool()
  }

  /** What the mempool asks for now, in satoshi per 1,000 virtual bytes. */
  get minimumRate(): bigint {
    return this.#node.mempoolInfo(this.clock.now()).minimumRateSatPerKvb
  }

  /**
   * What is cheaper is not taken, nor mined, until the node ends or this is asked again; undefined:
   * as it was started. Gives the transactions that have left the mempool for it.
   */
  setMinimumRate(satPerKvb: bigint | undefined): readonly Txid[] {
    return this.#node.setRelayRate(satPerKvb ?? this.#firstRate)
  }

  /** The block of the best chain at a height. */
  blockAt(height: number): Block | undefined {
    return this.#node.blockAt(height)
  }

  /**
   * Calls `listener` when the tip moves or a transaction comes; gives how to end that. It is inside
   * the call that brought it: what is done about it belongs into a later turn.
   */
  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#node.subscribe(listener)
  }

  mine(
    count: number,
    payToScript: Uint8Array,
    options: { readonly empty?: boolean } = {},
  ): readonly BlockHash[] {
    return this.#node.mine(count, payToScript, this.clock.now(), options)
  }

  /** Replaces the last `depth` blocks by `depth + 1` new ones. */
  reorganise(
    depth: number,
    options: { readonly dropTransactions: boolean; readonly payToScript: Uint8Array },
  ): ReorganisedReply {
    return this.#node.reorganise(depth, { ...options, nowSeconds: this.clock.now() })
  }

  submit(transaction: Uint8Array): TransactionReply {
    return this.#node.submit(transaction, this.clock.now())
  }

  transaction(txid: Txid): FoundTransaction | undefined {
    return this.#node.transaction(txid)
  }

  output(outpoint: OutPoint): OutputStatus {
    return this.#node.utxo(outpoint)
  }

  /**
   * Coinbase outputs of the best chain that pay to a script and may be spent in the next block,
   * oldest first.
   */
  matureCoins(script: Uint8Array): readonly { readonly outpoint: OutPoint; readonly value: Sat }[] {
    const coins: { readonly outpoint: OutPoint; readonly value: Sat }[] = []
    for (let height = 1; height + COINBASE_MATURITY <= this.height + 1; height++) {
      const coinbase = present(
        this.#node.blockAt(height)?.transactions[0],
        'a block has a coinbase',
      )
      const outpoint = { txid: txid(coinbase), vout: 0 }
      const output = this.#node.utxo(outpoint)
      if (output.type === 'unspent' && equalBytes(output.script, script))
        coins.push({ outpoint, value: output.value })
    }
    return coins
  }

  async close(): Promise<void> {
    await this.#rpc?.close()
    await this.#server.close()
    this.#store?.close()
  }
}

/** What `addnode` has been told, until the node ends. */
function addedNodes(server: RegtestServer): AddedNodes {
  const added = new Map<string, () => void>()
  return {
    add: (host, port, isOnce) => {
      const name = `${host} ${port}`
      if (added.has(name)) return false
      const stop = server.connect(host, port, { isOnce })
      if (!isOnce) added.set(name, stop)
      return true
    },
    remove: (host, port) => {
      const name = `${host} ${port}`
      added.get(name)?.()
      return added.delete(name)
    },
  }
}
