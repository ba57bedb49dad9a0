/**
 * Bitcoin's own network through compact filters: proved by work, and by peers that agree. Source:
 * bitcoin.md §8.5, §8.8; §13.44, §13.45.
 */
import type { BlockHash, Txid } from '../../core/base/bytes.ts'
import { equalBytes, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import type { Problem } from '../../core/base/errors.ts'
import type { Block, BlockHeader } from '../../core/btc/block.ts'
import type { FilterClient } from '../../core/btc/filter-client.ts'
import type { FilterStatus } from '../../core/btc/filter-port.ts'
import { coinAsOf, WATCHED_MAX } from '../../core/btc/filter-scan.ts'
import { UNDECIDED_MAX } from '../../core/btc/filter-sync.ts'
import { clockDoubt } from '../../core/btc/header.ts'
import type { TxOut } from '../../core/btc/transaction.ts'
import { decodeTransaction, txid, wtxid } from '../../core/btc/transaction.ts'
import type { Announcement, Evidence } from '../../core/btc/transaction-relay.ts'
import type {
  BitcoinSource,
  BroadcastOutcome,
  ChainOutput,
  Claim,
  SourceEvent,
  SourceInfo,
  SourcePorts,
  SpendStatus,
  Tip,
  TxEvidence,
  Unsupported,
  UtxoSnapshot,
} from '../bitcoin-source.ts'
import { unreachable, unusable } from './failures.ts'

/** Connections to peers, made by whoever has sockets. */
export interface PeerConnector {
  readonly client: Pick<FilterClient, 'tree' | 'scan' | 'peers' | 'search'> & {
    readonly status: FilterStatus
  }
  watch(scripts: readonly Uint8Array[], birth: number): void
  announce(transactions: readonly Announcement[]): void
  fetch(hash: BlockHash, receive: (block: Block | undefined) => void): void
  evidence(): readonly Evidence[]
  onChange(listener: () => void): () => void
  close(): void
}

/** How long peers are waited for that do not come: from then on what there is must do. */
export const PATIENCE_MS = 20_000

/** Without any progress for so long, nothing more is to be hoped for. */
export const STALLED_MS = 180_000

/** Nobody was reached for so long, whoever was called. */
export const UNREACHED_MS = 60_000

/** Peers that must stand for the filters before an answer counts as proved (CF-1). */
export const vouchersMin = (network: string): number => (network === 'mainnet' ? 3 : 2)

export class PeerSource implements BitcoinSource {
  readonly kind = 'p2p'
  readonly #connector: PeerConnector
  readonly #ports: SourcePorts
  readonly #onClose: () => void
  readonly #patienceMs: number
  #isPatient = true
  /** Some peer has stood for the filters: one that went away may come back. */
  #wasHeard = false

  constructor(
    connector: PeerConnector,
    ports: SourcePorts,
    {
      onClose = () => undefined,
      patienceMs = PATIENCE_MS,
    }: { readonly onClose?: () => void; readonly patienceMs?: number } = {},
  ) {
    this.#connector = connector
    this.#ports = ports
    this.#onClose = onClose
    this.#patienceMs = patienceMs
  }

  get #status(): FilterStatus {
    return this.#connector.client.status
  }

  /** Settles when `holds`; gives up when nobody is there, or nothing goes on any more. */
  async #until(holds: (status: FilterStatus) => boolean): Promise<FilterStatus> {
    const { signal } = this.#ports
    const over = new AbortController()
    let stop = (): void => undefined
    const happened = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const status = this.#status
        if (status.undecided > UNDECIDED_MAX) reject(disagreement(status))
        this.#wasHeard ||= status.vouchers > 0
        if (!this.#wasHeard && this.#isAlone(status)) reject(this.#noPeers())
        if (holds(status)) resolve()
      }
      stop = this.#connector.onChange(look)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      if (signal?.aborted === true) reject(signal.reason)
      void this.#keepTime({ over: over.signal, look, giveUp: reject })
      look()
    })
    try {
      await happened
      return this.#status
    } finally {
      over.abort()
      stop()
    }
  }

  /** Patience ends one spell after the first peer stood for the filters. */
  async #keepTime({
    over,
    look,
    giveUp,
  }: {
    readonly over: AbortSignal
    readonly look: () => void
    readonly giveUp: (problem: Error) => void
  }): Promise<void> {
    let wasHeard = false
    for (let quietMs = 0; quietMs < STALLED_MS; ) {
      const before = progressOf(this.#status)
      await this.#ports.wait(this.#patienceMs, over)
      if (over.aborted) return
      const { vouchers, hopeful } = this.#status
      if (vouchers === 0 && hopeful === 0) giveUp(this.#noPeers())
      if (vouchers > 0 && wasHeard) this.#isPatient = false
      wasHeard = vouchers > 0
      look()
      quietMs = progressOf(this.#status) === before ? quietMs + this.#patienceMs : 0
      if (quietMs >= UNREACHED_MS && !this.#wasHeard && !this.#isReached) giveUp(this.#noPeers())
    }
    giveUp(unreachable('p2p', `its peers have served nothing for ${STALLED_MS / 60_000} minutes`))
  }

  /** Every connection has failed. */
  #isAlone({ hopeful }: FilterStatus): boolean {
    return hopeful === 0 && this.#connector.client.peers.every(({ state }) => state === 'waiting')
  }

  get #isReached(): boolean {
    return this.#connector.client.peers.some(({ state }) => state === 'ready')
  }

  #noPeers() {
    const { search } = this.#connector.client
    if (search !== undefined) return nobodyFound(search, this.#ports.network.name)
    const reasons = this.#connector.client.peers.flatMap(({ lastOffence }) =>
      lastOffence === undefined ? [] : [lastOffence.reason],
    )
    const { length } = this.#connector.client.peers
    return unreachable('p2p', reasons[0] ?? `none of ${length} peers can be reached`)
  }

  /** Enough peers stand for all filters up to the tip, or no more will come. */
  #isReady = ({ synced, vouchers, hopeful }: FilterStatus): boolean =>
    synced &&
    (vouchers >= vouchersMin(this.#ports.network.name) || hopeful === 0 || !this.#isPatient)

  /** The status once everything that is watched has been searched for. */
  #ready(): Promise<FilterStatus> {
    return this.#until((status) => {
      const { tip, searched } = status
      if (searched < tip.height && status.synced)
        this.#ports.onStep?.(`${searched} of ${tip.height} blocks searched`)
      return this.#isReady(status) && searched >= tip.height
    })
  }

  #label({ vouchers }: FilterStatus): 'proved' | 'server-said' {
    return vouchers >= vouchersMin(this.#ports.network.name) ? 'proved' : 'server-said'
  }

  async info(): Promise<SourceInfo> {
    const status = await this.#until(this.#isReady)
    const { vouchers, liars, undecided } = status
    const enough = vouchersMin(this.#ports.network.name)
    return {
      network: this.#ports.network.name,
      kind: this.kind,
      label: this.#label(status),
      capabilities: ['headers', 'block', 'utxos', 'broadcast', 'evidence'],
      tip: tipIn(status),
      synced: status.synced,
      endpoint: `${vouchers} peer${vouchers === 1 ? '' : 's'}`,
      notes: [
        ...(vouchers < enough ? [`${vouchers} filter peer, ${enough} make a proof`] : []),
        ...(status.aheadSeconds === undefined ? [] : [clockDoubt(status.aheadSeconds)]),
        ...(liars > 0 ? [`${liars} peers were proven to lie, and are not heard`] : []),
        ...(undecided > 0 ? [`filters of ${undecided} blocks differ; the blocks were read`] : []),
      ],
    }
  }

  async headers(fromHeight: number, count: number): Promise<readonly BlockHeader[]> {
    await this.#until(this.#isReady)
    const { best } = this.#connector.client.tree
    return best.slice(fromHeight, fromHeight + count).map(({ header }) => header)
  }

  async block(hash: BlockHash): Promise<Block> {
    await this.#until(this.#isReady)
    let answer: { readonly block: Block | undefined } | undefined
    this.#connector.fetch(hash, (block) => {
      answer = { block }
    })
    await this.#until(() => answer !== undefined)
    if (answer?.block !== undefined) return answer.block
    throw unusable('p2p', `it has no block ${toDisplayHex(hash)}`, 'ask another source')
  }

  async watch(scripts: readonly Uint8Array[], birthHeight: number): Promise<void> {
    if (this.#connector.client.scan.count + scripts.length > WATCHED_MAX)
      throw unusable('p2p', `more than ${WATCHED_MAX} scripts are watched`, 'ask for fewer at once')
    this.#connector.watch(scripts, birthHeight)
  }

  /** Scripts that are not watched are searched for from the first block on (CF-4). */
  async stableUtxos(scripts: readonly Uint8Array[]): Promise<UtxoSnapshot> {
    await this.watch(scripts, 1)
    const status = await this.#ready()
    const keys = new Set(scripts.map(toHex))
    const utxos = this.#connector.client.scan.coins.flatMap((coin) => {
      if (!keys.has(toHex(coin.script))) return []
      const found = coinAsOf(coin, status.tip.height)
      if (found === undefined || found.spent !== undefined) return []
      const { outpoint, value, script, height } = found
      return [{ outpoint, value, script, height }]
    })
    return { at: tipIn(status), utxos, label: this.#label(status) }
  }

  /** One pass over the filters for all of them (RV-5), from the lowest height that the books name. */
  async spendStatus(claims: readonly Claim[]): Promise<SpendStatus> {
    const heights = claims.flatMap(({ height }) => height ?? [])
    const birth = heights.length === 0 ? 1 : Math.max(1, Math.min(...heights))
    const scripts = new Map(claims.map(({ script }) => [toHex(script), script]))
    await this.watch([...scripts.values()], birth)
    const status = await this.#ready()
    const { scan } = this.#connector.client
    const outputs = claims.map(({ outpoint }): ChainOutput => {
      const coin = coinAsOf(scan.coin(outpoint), status.tip.height)
      if (coin === undefined) return { type: 'unknown' }
      if (coin.spent !== undefined) return { type: 'spent' }
      const { value, script, height } = coin
      return { type: 'unspent', value, script, height }
    })
    // A coin that was found lay in a block; that none was spent since is what the filters say.
    return { at: tipIn(status), outputs, exists: 'proved', unspent: this.#label(status) }
  }

  async broadcast(transaction: Uint8Array): Promise<BroadcastOutcome> {
    const decoded = decodeTransaction(transaction)
    const id = txid(decoded)
    await this.#until(({ vouchers }) => vouchers > 0)
    const announced = { txid: id, wtxid: wtxid(decoded), transaction: decoded, bytes: transaction }
    this.#connector.announce([announced])
    return { type: 'unknown', txid: id }
  }

  /** In a block only if it paid or spent what is watched: no other block is read. */
  async txEvidence(id: Txid): Promise<TxEvidence> {
    const status = await this.#ready()
    const { scan, tree } = this.#connector.client
    const places = scan.coins.flatMap(({ outpoint, height, spent }) => [
      ...(equalBytes(outpoint.txid, id) ? [height] : []),
      ...(spent !== undefined && equalBytes(spent.by, id) ? [spent.height] : []),
    ])
    const node = places[0] === undefined ? undefined : tree.best[places[0]]
    if (node !== undefined) {
      const { height } = node
      const confirmations = status.tip.height - height + 1
      return { type: 'inBlock', height, confirmations, label: 'proved' }
    }
    const heard = this.#connector.evidence().filter((one) => equalBytes(one.txid, id))
    const count = (kind: Evidence['kind']): number =>
      heard.filter((one) => one.kind === kind).length
    if (count('echoed') > 0) return { type: 'echoed', count: count('echoed'), label: 'server-said' }
    if (count('requested') > 0) return { type: 'requested', count: count('requested') }
    return { type: 'unknown' }
  }

  subscribe(listener: (event: SourceEvent) => void): () => void {
    let known = ''
    let wasSynced: boolean | undefined
    let wasUndecided = 0
    const look = (): void => {
      const { tip, synced, undecided } = this.#status
      if (undecided > wasUndecided) listener({ type: 'alarm', reason: 'filter peers disagree' })
      if (synced !== wasSynced) listener({ type: synced ? 'synced' : 'syncing' })
      if (synced && known !== toHex(tip.hash)) {
        known = toHex(tip.hash)
        listener({ type: 'tipChanged', tip })
      }
      wasSynced = synced
      wasUndecided = undecided
    }
    look()
    return this.#connector.onChange(look)
  }

  async prevouts(): Promise<readonly TxOut[] | Unsupported> {
    return 'unsupported'
  }

  async close(): Promise<void> {
    this.#onClose()
    this.#connector.close()
  }
}

const progressOf = (status: FilterStatus): string => {
  const { tip, filters, searched, vouchers, headersRead } = status
  return [tip.height, filters, searched, vouchers, headersRead].join()
}

const tipIn = ({ tip: { hash, height, time } }: FilterStatus): Tip => ({ hash, height, time })

function nobodyFound(
  { calls, trouble }: NonNullable<FilterClient['search']>,
  network: string,
): Problem {
  if (calls === 0)
    return unusable(
      'p2p',
      `no peer of ${network} with compact filters was found`,
      'name peers: p2p=<host:port>,<host:port>',
    )
  const last = trouble === undefined ? '' : `; of the last: ${trouble}`
  return unreachable('p2p', `none of the peers that were found can be used${last}`)
}

const disagreement = ({ undecided }: FilterStatus) =>
  unusable(
    'p2p',
    `its peers disagree about ${undecided} blocks, and nobody can tell who is right`,
    'name other peers: p2p=<host:port>,<host:port>',
  )
