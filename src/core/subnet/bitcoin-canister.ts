/**
 * The Bitcoin canister: the chain view fed by the log, and what the minter sees of it. Source:
 * bitcoin §§1.2, 9.
 */
import type { BlockHash } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { BlockHeader } from '../btc/block.ts'
import { decodeBlock, decodeHeader, HEADER_SIZE, headerHash } from '../btc/block.ts'
import { COINBASE_MATURITY } from '../btc/block-spends.ts'
import {
  confirmationsOf,
  feePercentiles,
  headerAtHeight,
  isDiverged,
  isSynced,
  missingBlocks,
  missingOutputs,
  tip,
  utxosOfScript,
} from '../btc/chain-queries.ts'
import type { Reply, State } from '../btc/chain-state.ts'
import { newState, STABILITY_THRESHOLD } from '../btc/chain-state.ts'
import { execute, violations } from '../btc/chain-view.ts'
import { findHeader } from '../btc/header-tree.ts'
import type { Network } from '../btc/network.ts'
import { regtest } from '../btc/network.ts'
import type { Posted } from '../btc/standing.ts'
import { Standings } from '../btc/standing.ts'
import type { Utxo } from '../btc/utxo-set.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import { managementCanister } from '../ic/principal.ts'
import type { Bitcoin } from '../minter/ports.ts'
import { chainHandlers, interfaceNetwork } from './bitcoin-api.ts'
import type { BitcoinConfig, BitcoinConfigChange } from './bitcoin-interface.ts'
import { bitcoinInterface, successorCalls } from './bitcoin-interface.ts'
import type { BitcoinSettings } from './bitcoin-settings.ts'
import {
  changeAnswers,
  changeSettings,
  initialSettings,
  isApiAccessAlone,
} from './bitcoin-settings.ts'
import { getSuccessors } from './bitcoin-successors.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import type { HeaderCandidates } from './header-votes.ts'
import { HeaderVotes } from './header-votes.ts'

/** Blocks; more are as good as never. */
const STABILITY_THRESHOLD_MAX = 1_000_000n

/** What the node's adapter is asked to do. */
export type AdapterWork = {
  readonly wanted: readonly BlockHash[]
  readonly announce: readonly Posted[]
}

/** What the canister remembers: parts of the replica's state. */
export type BitcoinState = {
  readonly chain: State
  readonly headers: HeaderCandidates
  readonly bitcoin: BitcoinSettings
  /** Parts of a large block that a canister still asks for, by its id in hexadecimal (§9.9). */
  readonly followUps: Map<string, readonly Uint8Array[]>
}

export class BitcoinCanister implements Canister {
  readonly name = 'bitcoin'
  readonly service = candidText(bitcoinInterface)
  readonly id: Principal
  readonly #operator: Principal
  readonly #state: State
  readonly #settings: BitcoinSettings
  readonly #followUps: BitcoinState['followUps']
  readonly #votes: HeaderVotes
  readonly #standings = new Standings()

  constructor(
    id: Principal,
    { chain, headers, bitcoin, followUps }: BitcoinState,
    { operator, nodes }: { readonly operator: Principal; readonly nodes: number },
  ) {
    this.id = id
    this.#operator = operator
    this.#state = chain
    this.#settings = bitcoin
    this.#followUps = followUps
    this.#votes = new HeaderVotes(nodes, headers)
  }

  /** A view of the chain that begins at its genesis. */
  static initialState(network: Network = regtest): Omit<BitcoinState, 'headers'> {
    const chain = newState({ network, stabilityThreshold: STABILITY_THRESHOLD })
    return { chain, bitcoin: initialSettings(), followUps: new Map() }
  }

  certifiedData(): undefined {
    return undefined
  }

  handlers(context: CallContext): Handlers {
    const methods = bitcoinInterface
    const { caller, now } = context
    const chain = this.#state
    return {
      x_set_fee_level: handler(methods.x_set_fee_level, ({ rateMsatPerVb }) =>
        operatorOnly(caller, this.#operator, () => {
          this.setFeeLevel(rateMsatPerVb, now)
          return true
        }),
      ),
      x_set_answers: handler(methods.x_set_answers, (change) =>
        operatorOnly(caller, this.#operator, () => changeAnswers(this.#settings, change)),
      ),
      x_tip: getter(methods.x_tip, () => {
        const { height, hash } = tip(chain)
        return { height, blockHash: hash }
      }),
      ...chainHandlers({ chain, settings: this.#settings, context }),
      get_config: getter(methods.get_config, () => this.#config()),
      set_config: handler(methods.set_config, (change) => this.#setConfig(change, context)),
    }
  }

  /** What canisters find under the management canister's name and not under this one's. */
  internalHandlers({ caller }: Pick<CallContext, 'caller'>): Handlers {
    return {
      bitcoin_get_successors: handler(successorCalls.bitcoin_get_successors, (request) =>
        getSuccessors(this.#state, this.#followUps, { caller, request }),
      ),
    }
  }

  #config(): BitcoinConfig {
    const { network, stabilityThreshold } = this.#state.config
    return {
      ...this.#settings,
      stabilityThreshold: BigInt(stabilityThreshold),
      network: interfaceNetwork(network.name),
      blocksSource: managementCanister,
    }
  }

  /** The operator's, but for what the watchdog may do. A change is taken whole or not at all. */
  #setConfig(change: BitcoinConfigChange, { caller, now }: CallContext): Outcome<undefined> {
    const { watchdogCanister } = this.#settings
    const isWatchdog = watchdogCanister !== undefined && equalBytes(caller, watchdogCanister)
    if (!equalBytes(caller, this.#operator) && !(isWatchdog && isApiAccessAlone(change)))
      return operatorOnly(caller, this.#operator, () => undefined)
    const { stabilityThreshold } = change
    if (stabilityThreshold !== undefined) {
      if (stabilityThreshold < 1n || stabilityThreshold > STABILITY_THRESHOLD_MAX)
        return { type: 'trap', message: `a stability threshold of ${stabilityThreshold}` }
      const request = { stabilityThreshold: Number(stabilityThreshold) }
      execute(this.#state, { type: 'setStabilityThreshold', ...request }, now)
    }
    changeSettings(this.#settings, change)
    return { type: 'result', value: undefined }
  }

  get state(): View<State> {
    return this.#state
  }

  /** Names the block that ends the main chain. */
  get tipKey(): string {
    return tip(this.#state).key
  }

  /** Whether the block of this key is the tip or below it; what is not known any more is not. */
  isOnMainChain(key: string | undefined): boolean {
    const node = key === undefined ? undefined : this.#state.headers.nodes.get(key)
    return node !== undefined && headerAtHeight(this.#state, node.height) === node
  }

  get tipHeight(): number {
    return tip(this.#state).height
  }

  /** An item of `node` proposes headers (80 bytes each, any number of them malformed). */
  propose(node: NodeIndex, headers: readonly Uint8Array[], now: TimestampNs): void {
    for (const bytes of headers) {
      const header = attempt(() => decodeHeader(bytes))
      if (!(header instanceof BadEncoding) && !this.knows(header)) this.#votes.add(node, header)
    }
    this.#admit(now)
  }

  knows(header: BlockHeader): boolean {
    return findHeader(this.#state.headers, headerHash(header)) !== undefined
  }

  /**
   * Judges what enough nodes have proposed; a parent frees the children that wait for it. No
   * header is judged more than twice, whatever the order in which liars named them first.
   */
  #admit(now: TimestampNs): void {
    const due = [...this.#votes.agreed()]
    const children = new Map<string, BlockHeader[]>()
    for (const header of due) {
      const siblings = children.get(toHex(header.previous)) ?? []
      siblings.push(header)
      children.set(toHex(header.previous), siblings)
    }
    for (const header of due) {
      const { reply } = execute(this.#state, { type: 'header', header }, now)
      if (isTooSoon(reply)) continue
      this.#votes.drop(header)
      if (reply.type === 'accepted') due.push(...(children.get(toHex(headerHash(header))) ?? []))
    }
  }

  /** Whether a block's header has been accepted and its body is missing. */
  wants(block: Uint8Array): boolean {
    const header = attempt(() => decodeHeader(block.slice(0, HEADER_SIZE)))
    return !(header instanceof BadEncoding) && this.#state.missing.has(toHex(headerHash(header)))
  }

  /** An item carries a block: it proves itself, whoever brought it. */
  block(bytes: Uint8Array, now: TimestampNs): void {
    const block = attempt(() => decodeBlock(bytes))
    if (!(block instanceof BadEncoding)) execute(this.#state, { type: 'block', block }, now)
  }

  /** The operator's fee level in msat/vB, or none. */
  setFeeLevel(rateMsatPerVb: bigint | undefined, now: TimestampNs): void {
    execute(this.#state, { type: 'setFeeLevel', rateMsatPerVb }, now)
  }

  adapterWork(): AdapterWork {
    const wanted = this.#settings.syncing ? missingBlocks(this.#state) : []
    return { wanted, announce: this.#standings.look(this.#state) }
  }

  violations(): readonly string[] {
    return violations(this.#state)
  }

  /** The minter's port, answered inside the slot of time `now`. */
  port(now: TimestampNs): Bitcoin {
    const state = this.#state
    return {
      utxos: ({ script, minConfirmations }) => {
        if (!isSynced(state) || isDiverged(state))
          return { type: 'temporarilyUnavailable', message: 'the Bitcoin view is not synced' }
        const answer = utxosOfScript(state, script, minConfirmations)
        const tipHeight = tip(state).height
        // A chain shorter than the depth asked for holds nothing of that depth.
        const utxos = answer.type === 'utxos' ? answer.utxos : []
        return {
          type: 'utxos',
          utxos: utxos.filter((utxo) => isMature(utxo, tipHeight)),
          tipHeight,
        }
      },
      feePercentiles: () => {
        const { percentiles, source } = feePercentiles(state)
        return { type: 'percentiles', rates: percentiles, isSet: source === 'operator' }
      },
      missing: (outpoints) =>
        isSynced(state) && !isDiverged(state) ? missingOutputs(state, outpoints) : undefined,
      confirmations: (txid) => confirmationsOf(state, txid),
      send: (bytes) => {
        const { reply } = execute(state, { type: 'sendTransaction', bytes, keep: true }, now)
        return reply.type === 'accepted'
          ? { type: 'ok' }
          : { type: 'temporarilyUnavailable', message: `Bitcoin says ${reply.type}` }
      },
    }
  }
}

/** The header may be judged otherwise later: nothing is held against it. */
const isTooSoon = ({ type }: Reply): boolean =>
  type === 'unknownParent' || type === 'early' || type === 'full'

/** Nobody can spend a coinbase before it is so deep (BLK-11), so it backs nothing until then. */
const isMature = ({ coinbase, height }: View<Utxo>, tipHeight: number): boolean =>
  !coinbase || tipHeight - height + 1 >= COINBASE_MATURITY
