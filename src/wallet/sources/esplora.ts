/**
 * An Esplora server as a source: that an output exists is proved, that it is unspent is the
 * server's word. Source: `docs/spec/bitcoin.md` §8.7, §5.1 BLK-17.
 */
import type { BlockHash, Txid } from '../../core/base/bytes.ts'
import { equalBytes, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { addressOfScript } from '../../core/btc/address.ts'
import type { Block, BlockHeader } from '../../core/btc/block.ts'
import { checkBlock, decodeBlock, headerHash } from '../../core/btc/block.ts'
import type { HeaderNode } from '../../core/btc/header-tree.ts'
import type { MerkleBranch } from '../../core/btc/merkle-proof.ts'
import { checkInclusion } from '../../core/btc/merkle-proof.ts'
import type { Transaction } from '../../core/btc/transaction.ts'
import { decodeTransaction, outpointKey, txid } from '../../core/btc/transaction.ts'
import type {
  BitcoinSource,
  BroadcastOutcome,
  ChainOutput,
  Claim,
  SourceInfo,
  SourcePorts,
  SourceUtxo,
  SpendStatus,
  TxEvidence,
  Unsupported,
  UtxoSnapshot,
} from '../bitcoin-source.ts'
import { outcomeOf } from './broadcast-reply.ts'
import { EsploraClient } from './esplora-client.ts'
import { falseAnswer, unusable } from './failures.ts'
import { HeaderChain } from './header-chain.ts'
import { HttpEndpoint } from './http.ts'
import { poll } from './polling.ts'
import { atOneTip, tipOf } from './tips.ts'

/** A transaction with the block that provably holds it. */
type Proven = { readonly transaction: Transaction; readonly node: HeaderNode }
type CoinbaseProof = { readonly transaction: Transaction; readonly branch: MerkleBranch }

export class EsploraSource implements BitcoinSource {
  readonly kind = 'esplora'
  readonly #ports: SourcePorts
  readonly #client: EsploraClient
  readonly #headers: HeaderChain
  /** Proofs of this run: many outputs share a transaction, many transactions a block. */
  readonly #coinbases = new Map<string, Promise<CoinbaseProof>>()

  constructor(url: URL, ports: SourcePorts, withinMs?: number) {
    this.#ports = ports
    const options = withinMs === undefined ? { ports } : { ports, withinMs }
    this.#client = new EsploraClient(new HttpEndpoint(url, options))
    this.#headers = new HeaderChain(ports)
  }

  get #name(): string {
    return this.#client.name
  }

  #tip = (): Promise<HeaderNode> => this.#headers.follow(this.#client)

  async info(): Promise<SourceInfo> {
    return {
      network: this.#ports.network.name,
      kind: this.kind,
      label: 'server-said',
      capabilities: ['headers', 'block', 'utxos', 'broadcast', 'evidence'],
      tip: tipOf(await this.#tip()),
      synced: true,
      endpoint: this.#name,
      notes: ['the server learns every address that it is asked for'], // ES-4
    }
  }

  async headers(fromHeight: number, count: number): Promise<readonly BlockHeader[]> {
    const tip = await this.#tip()
    const heights = Array.from({ length: count }, (_, i) => fromHeight + i)
    return heights.flatMap((height) => this.#headers.at(tip, height)?.header ?? [])
  }

  async block(hash: BlockHash): Promise<Block> {
    await this.#tip()
    const node = this.#headers.find(hash)
    const bytes = node && (await this.#client.blockBytes(hash))
    if (node === undefined || bytes === undefined)
      throw unusable(this.#name, `it has no block ${toDisplayHex(hash)}`, 'ask another source')
    const block = attempt(() => decodeBlock(bytes))
    const { network } = this.#ports
    if (
      block instanceof BadEncoding ||
      !equalBytes(headerHash(block.header), hash) ||
      checkBlock(block, { network, height: node.height }) !== undefined
    )
      throw falseAnswer(this.#name, `its block ${toDisplayHex(hash)} is another one`)
    return block
  }

  /** ES-2. Undefined where the server knows no such transaction, or has it in no block. */
  async #prove(id: Txid, tip: HeaderNode): Promise<Proven | undefined> {
    const [transaction, proof] = await Promise.all([
      this.#client.transaction(id),
      this.#client.merkleProof(id),
    ])
    if (transaction === undefined || proof === undefined) return undefined
    const name = `transaction ${toDisplayHex(id)}`
    if (!equalBytes(txid(transaction), id))
      throw falseAnswer(this.#name, `it gives another transaction for ${name}`)
    if (proof.block_height > tip.height) return undefined // Came after the tip that we look at.
    const node = this.#headers.at(tip, proof.block_height)
    if (node === undefined) return undefined
    const branch = { position: proof.pos, siblings: proof.merkle }
    const [coinbase, transactionCount] = await Promise.all([
      this.#coinbase(node),
      this.#client.transactionCount(node.hash),
    ])
    const flaw = checkInclusion({ transaction, branch, coinbase, transactionCount }, node.header)
    if (flaw === undefined) return { transaction, node }
    // A proof for the chain of a moment ago is no lie; what rests on the old tip is asked again.
    if ((await this.#tip()).key !== tip.key) return undefined
    throw falseAnswer(this.#name, `its proof of ${name} does not hold: ${flaw}`)
  }

  #coinbase(node: HeaderNode): Promise<CoinbaseProof> {
    const known = this.#coinbases.get(node.key)
    if (known !== undefined) return known
    const fetched = this.#fetchCoinbase(node)
    this.#coinbases.set(node.key, fetched)
    return fetched
  }

  async #fetchCoinbase(node: HeaderNode): Promise<CoinbaseProof> {
    const id = await this.#client.coinbaseId(node.hash)
    const [transaction, proof] = await Promise.all([
      this.#client.transaction(id),
      this.#client.merkleProof(id),
    ])
    if (transaction === undefined || proof === undefined)
      throw falseAnswer(this.#name, `it shows no coinbase of block ${toDisplayHex(node.hash)}`)
    return { transaction, branch: { position: proof.pos, siblings: proof.merkle } }
  }

  async spendStatus(claims: readonly Claim[]): Promise<SpendStatus> {
    const { tip, value } = await atOneTip(this.#name, this.#tip, async (at) => {
      const proofs = new Map<string, Promise<Proven | undefined>>()
      const proven = (id: Txid): Promise<Proven | undefined> => {
        const key = toHex(id)
        const found = proofs.get(key) ?? this.#prove(id, at)
        proofs.set(key, found)
        return found
      }
      let done = 0
      const judge = async (claim: Claim): Promise<ChainOutput> => {
        const output = await this.#judge(claim, at, proven)
        this.#ports.onStep?.(`${++done} of ${claims.length} coins asked for at ${this.#name}`)
        return output
      }
      return inSteps(claims, judge)
    })
    return { at: tipOf(tip), outputs: value, exists: 'proved', unspent: 'server-said' }
  }

  async #judge(
    { outpoint }: Claim,
    tip: HeaderNode,
    proven: (id: Txid) => Promise<Proven | undefined>,
  ): Promise<ChainOutput> {
    const found = await proven(outpoint.txid)
    const output = found?.transaction.outputs[outpoint.vout]
    if (found === undefined || output === undefined) return { type: 'unknown' }
    const spend = await this.#client.outspend(outpoint.txid, outpoint.vout)
    // What waits in a mempool has not happened on the chain.
    if (spend?.spent === true && spend.status?.confirmed !== false) {
      const spender = spend.txid === undefined ? undefined : await proven(spend.txid)
      if (spender !== undefined) {
        const key = outpointKey(outpoint)
        if (spender.transaction.inputs.some((input) => outpointKey(input.outpoint) === key))
          return { type: 'spent' }
        throw falseAnswer(this.#name, `the transaction that it names does not spend ${key}`)
      }
      if ((spend.status?.block_height ?? 0) <= tip.height) return { type: 'spent' }
    }
    return { type: 'unspent', ...output, height: found.node.height }
  }

  /** That none is left out is the server's word. */
  async stableUtxos(scripts: readonly Uint8Array[]): Promise<UtxoSnapshot> {
    const { network } = this.#ports
    const { tip, value } = await atOneTip(this.#name, this.#tip, async (at) => {
      const lists = await inSteps(scripts, async (script) => {
        const address = addressOfScript(script, network)
        if (address === undefined)
          throw unusable(
            this.#name,
            'it finds nothing by a script without an address',
            'ask another',
          )
        const said = await this.#client.utxosOf(address)
        return inSteps(
          said.filter(({ status }) => status.confirmed),
          (utxo) => this.#proveUtxo({ ...utxo, script }, at),
        )
      })
      return lists.flat(2)
    })
    return { at: tipOf(tip), utxos: value, label: 'server-said' }
  }

  async #proveUtxo(
    {
      txid: id,
      vout,
      value,
      script,
    }: { txid: Txid; vout: number; value: bigint; script: Uint8Array },
    tip: HeaderNode,
  ): Promise<readonly SourceUtxo[]> {
    const found = await this.#prove(id, tip)
    if (found === undefined) return []
    const output = found.transaction.outputs[vout]
    if (output?.value !== value || !equalBytes(output.script, script))
      throw falseAnswer(this.#name, `output ${toDisplayHex(id)}:${vout} is not what it says`)
    return [{ ...output, outpoint: { txid: id, vout }, height: found.node.height }]
  }

  async broadcast(transaction: Uint8Array): Promise<BroadcastOutcome> {
    const id = txid(decodeTransaction(transaction))
    const refusal = await this.#client.send(toHex(transaction))
    return refusal === undefined ? { type: 'accepted', txid: id } : outcomeOf(refusal, id)
  }

  async txEvidence(id: Txid): Promise<TxEvidence> {
    const tip = await this.#tip()
    const found = await this.#prove(id, tip)
    if (found !== undefined) {
      const { height } = found.node
      const confirmations = tip.height - height + 1
      return { type: 'inBlock', height, confirmations, label: 'proved' }
    }
    const seen = await this.#client.transaction(id)
    return seen === undefined
      ? { type: 'unknown' }
      : { type: 'echoed', count: 1, label: 'server-said' }
  }

  subscribe(listener: Parameters<BitcoinSource['subscribe']>[0]): () => void {
    return poll(() => this.info(), this.#ports, listener)
  }
  async watch(): Promise<void> {}
  async prevouts(): Promise<Unsupported> {
    return 'unsupported'
  }
  async close(): Promise<void> {}
}

/** As many at once as the endpoint lets through; results in the order of the items. */
const inSteps = <T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> =>
  Promise.all(items.map(run))
