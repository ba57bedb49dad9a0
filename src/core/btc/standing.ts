/**
 * How each of our transactions stands to the chain and to the others: what may be announced, and what
 * became of the rest. Source: `docs/spec/bitcoin.md` §10.1, §10.2, §10.6.
 */
import type { Txid } from '../base/bytes.ts'
import { toDisplayHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import { branchOutput, mainChain } from './block-tree.ts'
import { confirmationsOf, outgoing, tip } from './chain-queries.ts'
import type { State } from './chain-state.ts'
import { ancestorAt, medianTimeOf } from './header-tree.ts'
import type { Outgoing } from './outgoing.ts'
import type { Member } from './outgoing-family.ts'
import { OutgoingFamily } from './outgoing-family.ts'
import { Precheck } from './precheck.ts'
import { rateOf } from './regtest/fee-rate.ts'
import { outpointKey, txid } from './transaction.ts'
import type { Utxo } from './utxo-set.ts'

/** Unconfirmed transactions in one chain, and their size together (§10.6). */
export const CHAIN_COUNT_MAX = 24
export const CHAIN_VSIZE_MAX = 100_000

export type Standing =
  /** The peers may have it; the rate where it is known. */
  | { readonly type: 'waiting'; readonly rateSatPerKvb?: bigint }
  /** Nobody is told, for the network would not take it (yet). */
  | { readonly type: 'held'; readonly reason: string }
  | { readonly type: 'inBlock'; readonly height: number; readonly confirmations: number }
  /** Another one in the chain spends one of its inputs. */
  | { readonly type: 'conflicted'; readonly by: Txid; readonly confirmations: number }
  /** A newer one of ours spends one of its inputs; either may confirm (BMP-3). */
  | { readonly type: 'replaced'; readonly by: Txid }

export type Posted = View<Outgoing> & { readonly standing: Standing }

/** Looks again when the chain or the list has changed. */
export class Standings {
  readonly #precheck = new Precheck()
  #seen = ''
  #last: readonly Posted[] = []

  look(state: View<State>): readonly Posted[] {
    if (state.outgoing.size === 0) return []
    const seen = [tip(state).key, ...state.outgoing.keys()].join()
    if (seen !== this.#seen) this.#last = standings(state, this.#precheck)
    this.#seen = seen
    return this.#last
  }
}

function standings(state: View<State>, precheck: Precheck): readonly Posted[] {
  const list = outgoing(state)
  const found = new Map<string, Standing>()
  const family = new OutgoingFamily()
  const context = contextOf(state)
  const newestFirst = mainChain(state.tree).toReversed()
  for (const own of list) {
    const settled = inChain(own, { state, newestFirst })
    if (settled !== undefined) {
      found.set(own.key, settled)
      continue
    }
    const judged = judge(own, { family, precheck, context })
    if ('reason' in judged) found.set(own.key, { type: 'held', reason: judged.reason })
    else family.add(judged)
  }
  for (const { own, place, ...paid } of family.members) {
    const newer = family.rivals(own).filter((other) => other.place > place)
    const newest = newer.toSorted((one, other) => other.place - one.place)[0]
    found.set(
      own.key,
      newest === undefined
        ? { type: 'waiting', rateSatPerKvb: rateOf(paid) }
        : { type: 'replaced', by: newest.own.txid },
    )
  }
  return list.map((own) => ({
    ...own,
    standing: present(found.get(own.key), 'each of the list was judged'),
  }))
}

/** The transaction itself in the main chain, or one that spends what it would. */
function inChain(
  own: View<Outgoing>,
  { state, newestFirst }: { readonly state: View<State>; readonly newestFirst: Chain },
): Standing | undefined {
  const confirmations = confirmationsOf(state, own.txid)
  const height = newestFirst[0]?.node.height ?? 0
  if (confirmations > 0)
    return { type: 'inBlock', height: height - confirmations + 1, confirmations }
  const inputs = new Set(own.transaction.inputs.map(({ outpoint }) => outpointKey(outpoint)))
  for (const { node, transactions, changes } of newestFirst) {
    const isSpent = [...inputs].some((key) => changes.spent.has(key) || changes.passing.has(key))
    if (!isSpent) continue
    const rival = transactions.find((tx) =>
      tx.inputs.some(({ outpoint }) => inputs.has(outpointKey(outpoint))),
    )
    if (rival !== undefined)
      return { type: 'conflicted', by: txid(rival), confirmations: height - node.height + 1 }
  }
  return undefined
}

type Chain = ReturnType<typeof mainChain>

type Context = {
  readonly height: number
  readonly medianTimePast: number
  readonly medianTimeAt: (height: number) => number
  readonly output: (key: string) => Utxo | undefined
}

/** The next block of the main chain. */
function contextOf({ tree, headers, utxos }: View<State>): Context {
  const end = present(mainChain(tree).at(-1), 'the anchor is on the main chain')
  const medianTimeAt = (height: number): number =>
    medianTimeOf(headers, ancestorAt(headers, end.node, height) ?? end.node)
  return {
    height: end.node.height + 1,
    medianTimePast: medianTimeOf(headers, end.node),
    medianTimeAt,
    output: branchOutput(tree, end, (key) => utxos.outputs.get(key)),
  }
}

function judge(
  own: View<Outgoing>,
  {
    family,
    precheck,
    context,
  }: {
    readonly family: OutgoingFamily
    readonly precheck: Precheck
    readonly context: Context
  },
): Omit<Member, 'place'> | { readonly reason: string } {
  const { transaction } = own
  const parents = family.parents(own)
  const created = new Map(parents.flatMap((parent) => outputsOf(parent.own, context.height)))
  const replaces = family.wouldReplace(own)
  const verdict = precheck.judge(transaction, {
    ...context,
    output: (key) => context.output(key) ?? created.get(key),
    replaces,
  })
  if (verdict.type === 'refused') return { reason: verdict.reason }
  const ancestors = new Set(parents.flatMap((parent) => [parent, ...parent.ancestors]))
  const size = [...ancestors].reduce((sum, { vsize }) => sum + vsize, verdict.vsize)
  if (ancestors.size + 1 > CHAIN_COUNT_MAX || size > CHAIN_VSIZE_MAX)
    return { reason: `too-long-mempool-chain: ${ancestors.size} wait before it` }
  return { ...verdict, own, ancestors }
}

const outputsOf = (
  { txid: id, transaction }: View<Outgoing>,
  height: number,
): readonly (readonly [string, Utxo])[] =>
  transaction.outputs.map(({ value, script }, vout) => {
    const outpoint = { txid: id, vout }
    return [outpointKey(outpoint), { outpoint, value, script, height, coinbase: false }]
  })

/** For people: what holds a transaction back, or what became of it. */
export function standingWords(standing: Standing): string | undefined {
  switch (standing.type) {
    case 'held':
      return standing.reason
    case 'conflicted':
    case 'replaced':
      return `by ${toDisplayHex(standing.by)}`
    case 'waiting':
    case 'inBlock':
      return undefined
  }
}
