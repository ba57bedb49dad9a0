/**
 * The chain of the local subnet, embedded or of a node that it is attached to, over its control port: no node of the subnet has a part
 * in it. Source: bitcoin.md §8.1; cli §5.13.
 */
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import type { OutPoint, TxOut } from '../../core/btc/transaction.ts'
import { decodeTransaction, txid } from '../../core/btc/transaction.ts'
import type {
  BitcoinSource,
  BroadcastOutcome,
  ChainOutput,
  Claim,
  SourceInfo,
  SourcePorts,
  SpendStatus,
  Tip,
  TxEvidence,
  Unsupported,
} from '../bitcoin-source.ts'
import { outcomeOf } from './broadcast-reply.ts'
import { unusable } from './failures.ts'
import { poll } from './polling.ts'

/** The control port, as far as it shows the chain. */
export interface EmbeddedChain {
  /** The node of the user's that it is read from; undefined where the subnet has one of its own. */
  readonly attachedTo?: string | undefined
  tip(): Promise<Tip>
  output(outpoint: OutPoint): Promise<ChainOutput>
  /** Throws `BTC_REFUSED`. */
  /** Whether the node has taken it; if not, nobody has said anything. */
  send(transaction: Uint8Array): Promise<boolean>
  /** Confirmations, zero in the mempool; undefined where it is not known. */
  transaction(
    txid: Txid,
  ): Promise<{ readonly confirmations: number; readonly height: number | undefined } | undefined>
}

const NAME = 'the embedded chain'
const ATTEMPTS_MAX = 4

export class EmbeddedSource implements BitcoinSource {
  readonly kind = 'embedded'
  readonly #chain: EmbeddedChain
  readonly #ports: SourcePorts

  constructor(chain: EmbeddedChain, ports: SourcePorts) {
    this.#chain = chain
    this.#ports = ports
  }

  async info(): Promise<SourceInfo> {
    return {
      network: this.#ports.network.name,
      kind: this.kind,
      label: 'own-node',
      capabilities: ['broadcast', 'evidence'],
      tip: await this.#chain.tip(),
      synced: true,
      endpoint: NAME,
      notes: this.#chain.attachedTo === undefined ? [] : [`read from ${this.#chain.attachedTo}`],
    }
  }

  async spendStatus(claims: readonly Claim[]): Promise<SpendStatus> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const at = await this.#chain.tip()
      const outputs: ChainOutput[] = []
      for (const { outpoint } of claims) outputs.push(await this.#chain.output(outpoint))
      const after = await this.#chain.tip()
      if (equalBytes(after.hash, at.hash))
        return { at, outputs, exists: 'own-node', unspent: 'own-node' }
    }
    throw unusable(NAME, 'blocks come faster than it answers', 'run the command again')
  }

  async broadcast(transaction: Uint8Array): Promise<BroadcastOutcome> {
    const id = txid(decodeTransaction(transaction))
    try {
      const isTaken = await this.#chain.send(transaction)
      return { type: isTaken ? 'accepted' : 'unknown', txid: id }
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'BTC_REFUSED') throw error
      const { reason } = error.details
      return outcomeOf(typeof reason === 'string' ? reason : error.message, id)
    }
  }

  async txEvidence(id: Txid): Promise<TxEvidence> {
    const found = await this.#chain.transaction(id)
    if (found === undefined) return { type: 'unknown' }
    const { height, confirmations } = found
    if (height === undefined) return { type: 'echoed', count: 1, label: 'own-node' }
    return { type: 'inBlock', height, confirmations, label: 'own-node' }
  }

  subscribe(listener: Parameters<BitcoinSource['subscribe']>[0]): () => void {
    return poll(() => this.info(), this.#ports, listener)
  }
  async watch(): Promise<void> {}
  async headers(): Promise<Unsupported> {
    return 'unsupported'
  }
  async block(): Promise<Unsupported> {
    return 'unsupported'
  }
  async stableUtxos(): Promise<Unsupported> {
    return 'unsupported'
  }
  async prevouts(): Promise<readonly TxOut[] | Unsupported> {
    return 'unsupported'
  }
  async close(): Promise<void> {}
}
