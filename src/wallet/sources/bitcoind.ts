/**
 * The user's own Bitcoin Core over JSON-RPC. What it says is its owner's word; its headers and the
 * bodies of its blocks are checked all the same. Source: `docs/spec/bitcoin.md` §8.6.
 */
import type { BlockHash, Txid } from '../../core/base/bytes.ts'
import { equalBytes, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { flag, integer, list, text } from '../../core/base/json.ts'
import type { Block, BlockHeader } from '../../core/btc/block.ts'
import { checkBlock, decodeBlock, headerHash } from '../../core/btc/block.ts'
import type { HeaderNode } from '../../core/btc/header-tree.ts'
import type { NetworkName } from '../../core/btc/network.ts'
import type { TxOut } from '../../core/btc/transaction.ts'
import { decodeTransaction, txid } from '../../core/btc/transaction.ts'
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
  UtxoSnapshot,
} from '../bitcoin-source.ts'
import { BitcoindClient, BLOCK_ANSWER_MAX, rpcCode } from './bitcoind-client.ts'
import { outcomeOf } from './broadcast-reply.ts'
import { falseAnswer, unusable } from './failures.ts'
import { HeaderChain } from './header-chain.ts'
import { HttpEndpoint } from './http.ts'
import { bitcoinAmount, displayHash, fields, longHex, maybe } from './loose-json.ts'
import { poll } from './polling.ts'
import { atOneTip, tipOf } from './tips.ts'

/** RPC-2. */
const VERSION_MIN = 240_000
/** Scripts in one scan (RPC-3). */
const SCAN_MAX = 1_000
/** A scan of mainnet takes minutes. */
const SCAN_WITHIN_MS = 1_800_000

/** What Core calls the chains. */
const chains: Readonly<Record<string, NetworkName>> = {
  main: 'mainnet',
  test: 'testnet3',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
}

const height = integer(0, 2 ** 31)
const chainInfo = fields({
  chain: text,
  initialblockdownload: flag,
  pruned: flag,
  pruneheight: maybe(height),
})
const unspentOutput = maybe(
  fields({
    confirmations: height,
    value: bitcoinAmount,
    scriptPubKey: fields({ hex: longHex }),
  }),
)
const scanned = maybe(
  fields({
    success: flag,
    unspents: list(
      fields({
        txid: displayHash,
        vout: integer(0, 2 ** 32 - 1),
        scriptPubKey: longHex,
        amount: bitcoinAmount,
        height,
      }),
      1_000_000,
    ),
  }),
)
const output = fields({ value: bitcoinAmount, scriptPubKey: fields({ hex: longHex }) })
const spentOutputs = fields({
  tx: list(fields({ vin: list(fields({ prevout: maybe(output) }), 100_000) }), 100_000),
})
const placed = fields({ blockhash: maybe(displayHash), confirmations: maybe(height) })

type Facts = { readonly notes: readonly string[]; readonly hasTxIndex: boolean }

export type BitcoindOptions = {
  readonly url: URL
  /** `user:password`, as a cookie file has it. */
  readonly authority: () => string | undefined
  readonly withinMs?: number
}

export class BitcoindSource implements BitcoinSource {
  readonly kind = 'bitcoind'
  readonly #ports: SourcePorts
  readonly #client: BitcoindClient
  /** For answers that take long. */
  readonly #patient: BitcoindClient
  readonly #headers: HeaderChain
  #facts: Promise<Facts> | undefined

  constructor({ url, authority, withinMs }: BitcoindOptions, ports: SourcePorts) {
    this.#ports = ports
    const options = withinMs === undefined ? { ports } : { ports, withinMs }
    this.#client = new BitcoindClient(new HttpEndpoint(url, options), ports, authority)
    const patient = { ports, withinMs: withinMs ?? SCAN_WITHIN_MS }
    this.#patient = new BitcoindClient(new HttpEndpoint(url, patient), ports, authority)
    this.#headers = new HeaderChain(ports)
  }

  get #name(): string {
    return this.#client.name
  }

  /** RPC-2, once. */
  #begin(): Promise<Facts> {
    this.#facts ??= this.#look()
    return this.#facts
  }

  async #look(): Promise<Facts> {
    const { name } = this.#ports.network
    const info = await this.#client.call('getblockchaininfo', [], chainInfo)
    const chain = chains[info.chain] ?? 'another network'
    if (chain !== name)
      throw unusable(this.#name, `it is on ${chain}, not on ${name}`, `start one for ${name}`)
    const version = await this.#client.call('getnetworkinfo', [], fields({ version: height }))
    if (version.version < VERSION_MIN)
      throw unusable(
        this.#name,
        `it is version ${version.version}, at least ${VERSION_MIN} is needed`,
        'bring it up to date',
      )
    const hasIndex = maybe(fields({ synced: flag }))
    const indexes = await this.#client.call('getindexinfo', [], fields({ txindex: hasIndex }))
    if (info.initialblockdownload && name !== 'regtest')
      throw unusable(this.#name, 'it is still downloading the chain', 'wait until it is done')
    const notes = [
      // RPC-6, §13.58.
      ...(info.initialblockdownload
        ? ['it takes no transactions until it has a block of today: mine one']
        : []),
      ...(info.pruned ? [`it is pruned below height ${info.pruneheight ?? 'unknown'}`] : []),
    ]
    return { notes, hasTxIndex: indexes.txindex?.synced === true }
  }

  async #tip(): Promise<HeaderNode> {
    await this.#begin()
    return this.#headers.follow(this.#client)
  }

  async info(): Promise<SourceInfo> {
    const { notes } = await this.#begin()
    return {
      network: this.#ports.network.name,
      kind: this.kind,
      label: 'own-node',
      capabilities: ['headers', 'block', 'utxos', 'broadcast', 'evidence', 'prevouts'],
      tip: tipOf(await this.#tip()),
      synced: true,
      endpoint: this.#name,
      notes,
    }
  }

  async headers(fromHeight: number, count: number): Promise<readonly BlockHeader[]> {
    const tip = await this.#tip()
    const heights = Array.from({ length: count }, (_, i) => fromHeight + i)
    return heights.flatMap((at) => this.#headers.at(tip, at)?.header ?? [])
  }

  async block(hash: BlockHash): Promise<Block> {
    await this.#tip()
    const node = this.#headers.find(hash)
    const name = toDisplayHex(hash)
    if (node === undefined) throw unusable(this.#name, `it has no block ${name}`, 'ask another')
    const call = { method: 'getblock', params: [name, 0] }
    const [answer] = await this.#client.calls([call], longHex, BLOCK_ANSWER_MAX)
    if (answer?.type !== 'result') throw this.#client.failed('getblock', answer?.error)
    const block = attempt(() => decodeBlock(answer.value))
    const { network } = this.#ports
    if (
      block instanceof BadEncoding ||
      !equalBytes(headerHash(block.header), hash) ||
      checkBlock(block, { network, height: node.height }) !== undefined
    )
      throw falseAnswer(this.#name, `its block ${name} is another one`)
    return block
  }

  async spendStatus(claims: readonly Claim[]): Promise<SpendStatus> {
    const { hasTxIndex } = await this.#begin()
    const { tip, value } = await atOneTip(
      this.#name,
      () => this.#tip(),
      async (at) => {
        const answers = await this.#client.calls(
          claims.map(({ outpoint: { txid: id, vout } }) => ({
            method: 'gettxout',
            params: [toDisplayHex(id), vout, false],
          })),
          unspentOutput,
        )
        const outputs: ChainOutput[] = []
        for (const [i, answer] of answers.entries()) {
          if (answer.type === 'error') throw this.#client.failed('gettxout', answer.error)
          const found = answer.value
          if (found === undefined) outputs.push(await this.#missing(claims[i], hasTxIndex))
          else {
            const { value: sats, scriptPubKey, confirmations } = found
            const height = at.height - confirmations + 1
            outputs.push({ type: 'unspent', value: sats, script: scriptPubKey.hex, height })
          }
        }
        return outputs
      },
    )
    return { at: tipOf(tip), outputs: value, exists: 'own-node', unspent: 'own-node' }
  }

  /** What is not in the set of unspent outputs was spent, or never was. */
  async #missing(claim: Claim | undefined, hasTxIndex: boolean): Promise<ChainOutput> {
    if (claim === undefined || !hasTxIndex) return { type: 'unknown' }
    const { txid: id, vout } = claim.outpoint
    const call = { method: 'getrawtransaction', params: [toDisplayHex(id), false] }
    const [answer] = await this.#client.calls([call], longHex)
    if (answer?.type !== 'result') return { type: 'unknown' }
    const transaction = attempt(() => decodeTransaction(answer.value))
    const isThere = !(transaction instanceof BadEncoding) && vout < transaction.outputs.length
    return { type: isThere ? 'spent' : 'unknown' }
  }

  /** RPC-3: one scan at a time, at most a thousand scripts in each. */
  async stableUtxos(scripts: readonly Uint8Array[]): Promise<UtxoSnapshot> {
    await this.#begin()
    const { tip, value } = await atOneTip(
      this.#name,
      () => this.#tip(),
      async () => {
        const utxos: SourceUtxo[] = []
        for (let at = 0; at < scripts.length; at += SCAN_MAX)
          utxos.push(...(await this.#scan(scripts.slice(at, at + SCAN_MAX))))
        return utxos
      },
    )
    return { at: tipOf(tip), utxos: value, label: 'own-node' }
  }

  async #scan(scripts: readonly Uint8Array[]): Promise<readonly SourceUtxo[]> {
    const wanted = new Set(scripts.map(toHex))
    const objects = [...wanted].map((hex) => ({ desc: `raw(${hex})` }))
    this.#ports.onStep?.(`${this.#name} searches its coins for ${wanted.size} scripts`)
    const params = ['start', objects]
    const found = await this.#patient.call('scantxoutset', params, scanned, BLOCK_ANSWER_MAX)
    if (found?.success !== true)
      throw unusable(this.#name, 'its scan did not finish', 'another may be under way; try again')
    return found.unspents.map(({ txid: id, vout, amount, scriptPubKey: script, height: at }) => {
      if (!wanted.has(toHex(script)))
        throw falseAnswer(this.#name, 'its scan finds a script that was not asked for')
      return { outpoint: { txid: id, vout }, value: amount, script, height: at }
    })
  }

  async broadcast(transaction: Uint8Array): Promise<BroadcastOutcome> {
    await this.#begin()
    const id = txid(decodeTransaction(transaction))
    const call = { method: 'sendrawtransaction', params: [toHex(transaction)] }
    const [answer] = await this.#client.calls([call], displayHash)
    if (answer?.type === 'result') return { type: 'accepted', txid: id }
    if (answer?.error.code === rpcCode.alreadyInChain) return { type: 'accepted', txid: id }
    return outcomeOf(answer?.error.message ?? '', id)
  }

  /** Without an index of transactions a node knows its mempool alone. */
  async txEvidence(id: Txid): Promise<TxEvidence> {
    const tip = await this.#tip()
    const call = { method: 'getrawtransaction', params: [toDisplayHex(id), true] }
    const [answer] = await this.#client.calls([call], placed)
    if (answer?.type !== 'result') return { type: 'unknown' }
    const { blockhash } = answer.value
    const node = blockhash && this.#headers.find(blockhash)
    if (node === undefined) return { type: 'echoed', count: 1, label: 'own-node' }
    const { height: at } = node
    const confirmations = tip.height - at + 1
    return { type: 'inBlock', height: at, confirmations, label: 'own-node' }
  }

  /** Verbosity 3: what each input of the block spends. */
  async prevouts(hash: BlockHash): Promise<readonly TxOut[]> {
    const params = [toDisplayHex(hash), 3]
    const { tx } = await this.#client.call('getblock', params, spentOutputs, BLOCK_ANSWER_MAX)
    return tx.flatMap(({ vin }) =>
      vin.flatMap(({ prevout }) =>
        prevout === undefined ? [] : [{ value: prevout.value, script: prevout.scriptPubKey.hex }],
      ),
    )
  }

  subscribe(listener: Parameters<BitcoinSource['subscribe']>[0]): () => void {
    return poll(() => this.info(), this.#ports, listener)
  }
  /** It finds outputs of any script by itself. */
  async watch(): Promise<void> {}
  async close(): Promise<void> {}
}
