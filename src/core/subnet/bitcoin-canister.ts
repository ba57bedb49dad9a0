/**
 * The Bitcoin canister: the chain view fed by the log, and what the minter sees of it. Source:
 * bitcoin §§1.2, 9.
 */
import type { BlockHash } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { parseAddress } from '../btc/address.ts'
import type { BlockHeader } from '../btc/block.ts'
import { decodeBlock, decodeHeader, HEADER_SIZE, headerHash } from '../btc/block.ts'
import { COINBASE_MATURITY } from '../btc/block-spends.ts'
import {
  feePercentiles,
  isDiverged,
  isSynced,
  missingBlocks,
  outgoing,
  tip,
  utxosAtBlock,
  utxosOfScript,
} from '../btc/chain-queries.ts'
import type { Reply, State } from '../btc/chain-state.ts'
import { newState, STABILITY_THRESHOLD } from '../btc/chain-state.ts'
import { execute, violations } from '../btc/chain-view.ts'
import { findHeader } from '../btc/header-tree.ts'
import type { Network } from '../btc/network.ts'
import { regtest } from '../btc/network.ts'
import type { Outgoing } from '../btc/outgoing.ts'
import { decodePage, pageOf } from '../btc/utxo-page.ts'
import type { Utxo } from '../btc/utxo-set.ts'
import { blob, bool, nat32, nat64, opt, query, update } from '../ic/candid.ts'
import { record } from '../ic/candid-records.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import type { GetUtxosRequest, GetUtxosResponse } from '../minter/bitcoin-interface.ts'
import { bitcoinQueries } from '../minter/bitcoin-interface.ts'
import type { Bitcoin } from '../minter/ports.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import type { HeaderCandidates } from './header-votes.ts'
import { HeaderVotes } from './header-votes.ts'

/** What the node's adapter is asked to do. */
export type AdapterWork = {
  readonly wanted: readonly BlockHash[]
  readonly announce: readonly View<Outgoing>[]
}

export const bitcoinInterface = {
  /** Of the operator: the fee level that estimates see, or none (FEE-5). */
  x_set_fee_level: update([record({ rate_msat_per_vb: opt(nat64) })], bool),
  /** The block that ends the main chain. */
  x_tip: query([], record({ height: nat32, block_hash: blob })),
  ...bitcoinQueries,
}

export class BitcoinCanister implements Canister {
  readonly name = 'bitcoin'
  readonly service = candidText(bitcoinInterface)
  readonly id: Principal
  readonly #operator: Principal
  readonly #state: State
  readonly #votes: HeaderVotes

  constructor(
    id: Principal,
    { chain, headers }: { readonly chain: State; readonly headers: HeaderCandidates },
    { operator, nodes }: { readonly operator: Principal; readonly nodes: number },
  ) {
    this.id = id
    this.#operator = operator
    this.#state = chain
    this.#votes = new HeaderVotes(nodes, headers)
  }

  /** A view of the chain that begins at its genesis. */
  static initialState(network: Network = regtest): State {
    return newState({ network, stabilityThreshold: STABILITY_THRESHOLD })
  }

  certifiedData(): undefined {
    return undefined
  }

  handlers({ caller, now }: CallContext): Handlers {
    const methods = bitcoinInterface
    return {
      x_set_fee_level: handler(methods.x_set_fee_level, ({ rateMsatPerVb }) =>
        operatorOnly(caller, this.#operator, () => {
          this.setFeeLevel(rateMsatPerVb, now)
          return true
        }),
      ),
      x_tip: getter(methods.x_tip, () => {
        const { height, hash } = tip(this.#state)
        return { height, blockHash: hash }
      }),
      bitcoin_get_utxos_query: handler(methods.bitcoin_get_utxos_query, (request) =>
        utxosPage(this.#state, request),
      ),
    }
  }

  get state(): View<State> {
    return this.#state
  }

  /** Names the block that ends the main chain. */
  get tipKey(): string {
    return tip(this.#state).key
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
    return { wanted: missingBlocks(this.#state), announce: outgoing(this.#state) }
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

const trap = (message: string): Outcome<never> => ({ type: 'trap', message })

/** One page of the outputs at an address (§9.2). */
function utxosPage(state: View<State>, request: GetUtxosRequest): Outcome<GetUtxosResponse> {
  const { network, address, filter } = request
  const { network: own } = state.config
  // Every test network is `testnet` to canisters (§2).
  const name = own.name === 'regtest' || own.name === 'mainnet' ? own.name : 'testnet'
  if (network !== name) return trap(`this is ${name}, not ${network}`)
  const parsed = parseAddress(address, own)
  if (parsed.type === 'refused') return trap(`malformed address: ${parsed.detail}`)
  const page = filter?.type === 'page' ? attempt(() => decodePage(filter.page)) : undefined
  if (page instanceof BadEncoding) return trap(page.message)
  const minConfirmations = filter?.type === 'minConfirmations' ? filter.count : 0
  const found =
    page === undefined
      ? utxosOfScript(state, parsed.script, minConfirmations)
      : utxosAtBlock(state, parsed.script, page.tipHash)
  if (found === undefined) return trap('the block of this page is no longer known')
  if (found.type !== 'utxos') return trap(`at most ${found.max} confirmations can be asked for`)
  const { tipHash: tipBlockHash, tipHeight } = found
  return { type: 'result', value: { ...pageOf(found, page), tipBlockHash, tipHeight } }
}
