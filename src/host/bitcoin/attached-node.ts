/**
 * The chain of a node of the user's, as the subnet's process sees it over P2P: a view of its own,
 * in which no node of the subnet has a part. Source: `docs/spec/bitcoin.md` §8.1, §8.4 (BS-1).
 */
import type { BlockHash, Txid } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { Seed } from '../../core/base/seed.ts'
import { NS_PER_SECOND } from '../../core/base/units.ts'
import type { PeerStatus } from '../../core/btc/adapter-port.ts'
import { branchOutput } from '../../core/btc/block-tree.ts'
import {
  confirmationsOf,
  missingBlocks,
  outgoing,
  tip,
  transactionOf,
} from '../../core/btc/chain-queries.ts'
import type { Request, State } from '../../core/btc/chain-state.ts'
import { newState, STABILITY_THRESHOLD } from '../../core/btc/chain-state.ts'
import { apply, execute } from '../../core/btc/chain-view.ts'
import { networks } from '../../core/btc/network.ts'
import { isLoopback } from '../../core/btc/network-address.ts'
import type { FoundTransaction, OutputStatus } from '../../core/btc/regtest/node.ts'
import { Standings } from '../../core/btc/standing.ts'
import type { OutPoint } from '../../core/btc/transaction.ts'
import { decodeTransaction, outpointKey, txid, wtxid } from '../../core/btc/transaction.ts'
import type { TransactionReport } from '../../core/btc/transaction-relay.ts'
import type { AttachedPlace } from '../bitcoin-place.ts'
import { systemClock } from '../clock.ts'
import { entropy } from '../entropy.ts'
import type { BitcoinConnection } from './connection.ts'
import { startBitcoinConnection } from './connection.ts'

const SEED_SIZE = 32
/**
 * Older than this, Core takes itself to be in initial download, and ignores transactions; blocks of
 * signet come every ten minutes, as on mainnet (§13.10).
 */
const FRESH_SECONDS = { regtest: 86_400n, signet: 21_600n } as const

export class AttachedBitcoin {
  readonly place: AttachedPlace
  readonly #state: State
  readonly #connection: BitcoinConnection
  readonly #standings = new Standings()

  constructor(place: AttachedPlace, userAgent: string) {
    const network = networks[place.network]
    this.place = place
    this.#state = newState({ network, stabilityThreshold: STABILITY_THRESHOLD })
    this.#connection = startBitcoinConnection({
      network,
      peers: [place],
      seed: Seed.fromBytes(entropy(SEED_SIZE)),
      userAgent,
      push: isLoopback(place.host),
      clock: systemClock,
      onHeaders: (headers) => {
        for (const header of headers) this.#execute({ type: 'header', header })
        this.#instruct()
      },
      onBlock: (_, block) => {
        this.#execute({ type: 'block', block })
        this.#instruct()
      },
    })
  }

  #execute(request: Request): ReturnType<typeof execute>['reply'] {
    return execute(this.#state, request, systemClock()).reply
  }

  #instruct(): void {
    this.#connection.want(missingBlocks(this.#state))
    this.#connection.announce(this.#standings.look(this.#state))
  }

  /** Of the chain whose blocks are here. */
  get tip(): { readonly height: number; readonly hash: BlockHash; readonly time: number } {
    const { height, hash, header } = tip(this.#state)
    return { height, hash, time: header.time }
  }

  get height(): number {
    return tip(this.#state).height
  }

  /** Of the best header that the node has shown, or says it has. */
  get shownHeight(): number {
    return this.#connection.shownHeight()
  }

  /** Where the node's chain ends, if that is below what it has shown before: it lost its chain. */
  get wentBackTo(): number | undefined {
    const height = this.#connection.peerHeight()
    return height !== undefined && height < this.height ? height : undefined
  }

  /** How far a header that the node shows lies before our clock, if that is too far. */
  get aheadSeconds(): number | undefined {
    return this.#connection.aheadSeconds()
  }

  get peer(): PeerStatus | undefined {
    return this.#connection.peers()[0]
  }

  /** Whether Core would take the node's chain to be out of date. */
  get isStale(): boolean {
    return (
      systemClock() > (BigInt(this.tip.time) + FRESH_SECONDS[this.place.network]) * NS_PER_SECOND
    )
  }

  /** Own transactions that no block has. */
  get waiting(): number {
    return outgoing(this.#state).filter(({ txid: id }) => confirmationsOf(this.#state, id) === 0)
      .length
  }

  /** Announces a transaction: nobody says whether it is taken (§10.3). */
  submit(
    bytes: Uint8Array,
  ):
    | { readonly type: 'accepted'; readonly txid: Txid }
    | { readonly type: 'refused'; readonly reason: string } {
    const before = new Set(outgoing(this.#state).map(({ key }) => key))
    const reply = this.#execute({ type: 'sendTransaction', bytes, keep: false })
    if (reply.type !== 'accepted' && reply.type !== 'known')
      return { type: 'refused', reason: reply.type }
    const own = txid(decodeTransaction(bytes))
    const posted = this.#standings.look(this.#state).find(({ txid: id }) => equalBytes(id, own))
    if (posted?.standing.type === 'held') {
      // Whoever was refused must not find it sent when a later block makes it good.
      const { key } = posted
      if (!before.has(key))
        apply(this.#state, { type: 'transactionDropped', key, reason: 'displaced' })
      return { type: 'refused', reason: posted.standing.reason }
    }
    this.#instruct()
    return { type: 'accepted', txid: own }
  }

  transaction(id: Txid): FoundTransaction | undefined {
    const confirmations = confirmationsOf(this.#state, id)
    const waiting = outgoing(this.#state).find(({ txid: own }) => equalBytes(own, id))
    const transaction = confirmations > 0 ? transactionOf(this.#state, id) : waiting?.transaction
    if (transaction === undefined) return undefined
    if (confirmations === 0) return { transaction, confirmations }
    return { transaction, confirmations, height: this.height - confirmations + 1 }
  }

  output(outpoint: OutPoint): OutputStatus {
    const { tree, utxos } = this.#state
    const end = tree.blocks.get(tip(this.#state).key) ?? tree.anchor
    const found = branchOutput(tree, end, (key) => utxos.outputs.get(key))(outpointKey(outpoint))
    if (found !== undefined) return { type: 'unspent', ...found }
    // Of transactions in blocks that are no longer kept it is not known.
    const made = confirmationsOf(this.#state, outpoint.txid) > 0
    return made && this.#made(outpoint) ? { type: 'spent' } : { type: 'unknown' }
  }

  #made({ txid: id, vout }: OutPoint): boolean {
    return transactionOf(this.#state, id)?.outputs[vout] !== undefined
  }

  /** How long ago it announced a transaction here, where it was told of none: it has taken it. */
  takenAgeMs(bytes: Uint8Array): number | undefined {
    const transaction = decodeTransaction(bytes)
    return this.#connection.heardAgeMs({ txid: txid(transaction), wtxid: wtxid(transaction) })
  }

  /** Of what was submitted here. */
  report(): readonly TransactionReport[] {
    return this.#connection.report()
  }

  /** Where the subnet's nodes find it. */
  get port(): number {
    return this.place.port
  }

  close(): void {
    this.#connection.close()
  }
}
