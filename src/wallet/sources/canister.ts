/**
 * The Bitcoin canister of the network: what one of its nodes says of an address. Source: bitcoin.md
 * §8.1, §9.2.
 */
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes, toHex } from '../../core/base/bytes.ts'
import { addressOfScript } from '../../core/btc/address.ts'
import type { TxOut } from '../../core/btc/transaction.ts'
import { outpointKey } from '../../core/btc/transaction.ts'
import type {
  BitcoinSource,
  ChainOutput,
  Claim,
  SourceInfo,
  SourcePorts,
  SourceUtxo,
  SpendStatus,
  Tip,
  TxEvidence,
  Unsupported,
  UtxoSnapshot,
} from '../bitcoin-source.ts'
import type { AddressView, BitcoinClient } from '../client/bitcoin.ts'
import { unusable } from './failures.ts'
import { poll } from './polling.ts'

const NAME = 'the Bitcoin canister'
/** Blocks that may come while addresses are looked through. */
const ATTEMPTS_MAX = 4

export class CanisterSource implements BitcoinSource {
  readonly kind = 'canister'
  readonly #client: Pick<BitcoinClient, 'utxosOf'>
  readonly #ports: SourcePorts
  /** An address to ask the tip with. */
  readonly #probe: string

  constructor(client: Pick<BitcoinClient, 'utxosOf'>, ports: SourcePorts, probe: string) {
    this.#client = client
    this.#ports = ports
    this.#probe = probe
  }

  async #view(address: string): Promise<AddressView> {
    const view = await this.#client.utxosOf(address)
    if (view !== undefined) return view
    throw unusable(
      NAME,
      'it does not answer, or has more outputs than can be looked through',
      'ask another source',
    )
  }

  async info(): Promise<SourceInfo> {
    return {
      network: this.#ports.network.name,
      kind: this.kind,
      label: 'server-said',
      capabilities: ['utxos'],
      tip: tipIn(await this.#view(this.#probe)),
      synced: true,
      endpoint: NAME,
      notes: ['one node of the network answers, and signs what it says'],
    }
  }

  async stableUtxos(scripts: readonly Uint8Array[]): Promise<UtxoSnapshot> {
    const { network } = this.#ports
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      let at = tipIn(await this.#view(this.#probe))
      let isSame = true
      const utxos: SourceUtxo[] = []
      for (const script of scripts) {
        const address = addressOfScript(script, network)
        if (address === undefined)
          throw unusable(NAME, 'it finds nothing by a script without an address', 'ask another')
        const view = await this.#view(address)
        isSame &&= equalBytes(view.tipHash, at.hash)
        at = tipIn(view)
        for (const { outpoint, value, height } of view.utxos)
          utxos.push({ outpoint, value, script, height })
        if (!isSame) break
      }
      if (isSame) return { at, utxos, label: 'server-said' }
    }
    throw unusable(NAME, 'blocks come faster than it answers', 'run the command again')
  }

  async spendStatus(claims: readonly Claim[]): Promise<SpendStatus> {
    const scripts = new Map(claims.map(({ script }) => [toHex(script), script]))
    const { at, utxos } = await this.stableUtxos([...scripts.values()])
    const found = new Map(utxos.map((utxo) => [outpointKey(utxo.outpoint), utxo]))
    const outputs = claims.map(({ outpoint }): ChainOutput => {
      const utxo = found.get(outpointKey(outpoint))
      if (utxo === undefined) return { type: 'unknown' }
      const { value, script, height } = utxo
      return { type: 'unspent', value, script, height }
    })
    return { at, outputs, exists: 'server-said', unspent: 'server-said' }
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
  /** A canister pays for a transaction that it sends; a person cannot. */
  async broadcast(): Promise<Unsupported> {
    return 'unsupported'
  }
  async txEvidence(_txid: Txid): Promise<TxEvidence | Unsupported> {
    return 'unsupported'
  }
  async prevouts(): Promise<readonly TxOut[] | Unsupported> {
    return 'unsupported'
  }
  async close(): Promise<void> {}
}

const tipIn = ({ tipHash: hash, tipHeight: height }: AddressView): Tip => ({
  hash,
  height,
  time: 0,
})
