/**
 * Questions to the Bitcoin machine: outputs, balances, fees, confirmations. Source:
 * `docs/spec/bitcoin.md` §9.2–§9.5.
 */
import type { BlockHash, Txid } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { Sat } from '../base/units.ts'
import { sat } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { CheckedBlock, TreeBlock } from './block-tree.ts'
import { branchOutput, branchTo, mainChain, stabilityCount } from './block-tree.ts'
import type { State } from './chain-state.ts'
import { ORPHANS_MAX } from './chain-state.ts'
import { levelPercentiles } from './fees.ts'
import { difficulty } from './header.ts'
import type { HeaderNode } from './header-tree.ts'
import { ancestorAt, bestHeader, isOnBestChain, worthwhileWork } from './header-tree.ts'
import type { Outgoing } from './outgoing.ts'
import type { OutPoint, Transaction } from './transaction.ts'
import { outpointKey } from './transaction.ts'
import type { Utxo } from './utxo-set.ts'
import { compareUtxos, outputsOf } from './utxo-set.ts'

/** Blocks asked for at once: as many as wait for their parents without being dropped. */
export const BLOCKS_WANTED_MAX = ORPHANS_MAX
/** Main chain height + this ≥ highest header: synced (§9.1). */
const SYNC_LAG_MAX = 2

export type MinConfirmationsTooLarge = {
  readonly type: 'minConfirmationsTooLarge'
  readonly given: number
  readonly max: number
}

export type ScriptUtxos = {
  readonly type: 'utxos'
  /** Height descending, then txid, then index (UT-4). */
  readonly utxos: readonly Utxo[]
  readonly tipHash: BlockHash
  readonly tipHeight: number
}

/** The block that ends the main chain. */
export function tip(state: View<State>): HeaderNode {
  return (mainChain(state.tree).at(-1) ?? state.tree.anchor).node
}

/** Header of the main chain at a height. */
export const headerAtHeight = (state: View<State>, height: number): HeaderNode | undefined =>
  ancestorAt(state.headers, tip(state), height)

/** Whether answers may be given (§9.1, precondition 3). */
export const isSynced = (state: View<State>): boolean =>
  tip(state).height + SYNC_LAG_MAX >= bestHeader(state.headers).height

/** A header chain with more work forks below the anchor: answers must stop (TREE-7). */
export function isDiverged({ headers, tree }: View<State>): boolean {
  const { node } = tree.anchor
  return ancestorAt(headers, bestHeader(headers), node.height) !== node
}

/** Outputs of a script that are at least so stable (§9.2 without page). */
export function utxosOfScript(
  state: View<State>,
  script: Uint8Array,
  minConfirmations: number,
): ScriptUtxos | MinConfirmationsTooLarge {
  const chain = mainChain(state.tree)
  return chain.length < minConfirmations
    ? { type: 'minConfirmationsTooLarge', given: minConfirmations, max: chain.length }
    : collectUtxos(state, { script, chain, minConfirmations })
}

/**
 * The same as of a block of the tree, for the later pages of an answer; undefined if it is gone.
 */
export function utxosAtBlock(
  state: View<State>,
  script: Uint8Array,
  hash: BlockHash,
): ScriptUtxos | undefined {
  const block = state.tree.blocks.get(toHex(hash))
  if (block === undefined) return undefined
  return collectUtxos(state, { script, chain: branchTo(state.tree, block), minConfirmations: 0 })
}

/** §9.2 steps 3 to 5; `chain` begins with the anchor. */
function collectUtxos(
  state: View<State>,
  {
    script,
    chain,
    minConfirmations,
  }: {
    readonly script: Uint8Array
    readonly chain: readonly View<TreeBlock>[]
    readonly minConfirmations: number
  },
): ScriptUtxos {
  const unstable = chain.findIndex((block) => stabilityCount(state.tree, block) < minConfirmations)
  const applied = unstable === -1 ? chain : chain.slice(0, unstable)
  const { hash: tipHash, height: tipHeight } = (applied.at(-1) ?? state.tree.anchor).node
  const utxos = outputsAfter(state, script, applied).toSorted(compareUtxos)
  return { type: 'utxos', utxos, tipHash, tipHeight }
}

/** The script's outputs in the set below the anchor, changed by the blocks of `applied` in turn. */
function outputsAfter(
  state: View<State>,
  script: Uint8Array,
  applied: readonly View<TreeBlock>[],
): readonly Utxo[] {
  const scriptHex = toHex(script)
  const outputs = outputsOf(state.utxos, scriptHex)
  for (const { changes } of applied) {
    const own = changes.byScript.get(scriptHex)
    for (const { outpoint } of own?.spent ?? []) outputs.delete(outpointKey(outpoint))
    for (const utxo of own?.created ?? []) outputs.set(outpointKey(utxo.outpoint), utxo)
  }
  return [...outputs.values()]
}

/** Of these outputs, those that are not unspent at the end of the main chain. */
export function missingOutputs(
  state: View<State>,
  outpoints: readonly OutPoint[],
): readonly OutPoint[] {
  const end = mainChain(state.tree).at(-1) ?? state.tree.anchor
  const output = branchOutput(state.tree, end, (key) => state.utxos.outputs.get(key))
  return outpoints.filter((outpoint) => output(outpointKey(outpoint)) === undefined)
}

/** Sum of a script's outputs, by plain depth on the main chain (§9.3, D6). */
export function balanceOfScript(
  state: View<State>,
  script: Uint8Array,
  minConfirmations: number,
): { readonly type: 'balance'; readonly balance: Sat } | MinConfirmationsTooLarge {
  const chain = mainChain(state.tree)
  if (chain.length < minConfirmations)
    return { type: 'minConfirmationsTooLarge', given: minConfirmations, max: chain.length }
  const applied = chain.slice(0, chain.length - Math.max(0, minConfirmations - 1))
  const outputs = outputsAfter(state, script, applied)
  return { type: 'balance', balance: sat(outputs.reduce((sum, { value }) => sum + value, 0n)) }
}

/**
 * 101 numbers in millisatoshi per virtual byte, or none; the operator's level goes before (FEE-4,
 * FEE-5).
 */
export function feePercentiles(state: View<State>): {
  readonly percentiles: readonly bigint[]
  readonly source: 'chain' | 'operator'
} {
  return state.feeLevel === undefined
    ? { percentiles: state.feePercentiles, source: 'chain' }
    : { percentiles: levelPercentiles(state.feeLevel), source: 'operator' }
}

export type BlockchainInfo = {
  readonly height: number
  readonly blockHash: BlockHash
  /** Unix seconds of the tip's header. */
  readonly timestamp: number
  readonly difficulty: bigint
  readonly utxosLength: bigint
}

/**
 * The tip, and how many outputs there are: those below the anchor, and what the blocks from there
 * on make, OP_RETURN included, less what they spend (§9.7).
 */
export function blockchainInfo(state: View<State>): BlockchainInfo {
  const { height, hash, header } = tip(state)
  const { network } = state.config
  let outputs = state.utxos.outputs.size
  for (const { transactions } of mainChain(state.tree))
    for (const [i, tx] of transactions.entries())
      outputs += tx.outputs.length - (i === 0 ? 0 : tx.inputs.length)
  return {
    height,
    blockHash: hash,
    timestamp: header.time,
    difficulty: difficulty(header.bits, network),
    utxosLength: BigInt(outputs),
  }
}

/** Transactions that every node announces, oldest first. */
export const outgoing = (state: View<State>): readonly View<Outgoing>[] => [
  ...state.outgoing.values(),
]

/** Blocks of the main chain and below it that hold a transaction; 0 confirmations if none does. */
export function confirmationsOf(state: View<State>, txid: Txid): number {
  const end = tip(state)
  const block = state.byTxid
    .get(toHex(txid))
    ?.find(({ node }) => ancestorAt(state.headers, end, node.height) === node)
  return block === undefined ? 0 : end.height - block.node.height + 1
}

/** A transaction of any block held, the main chain's or another branch's. */
export function transactionOf(state: View<State>, txid: Txid): Transaction | undefined {
  const key = toHex(txid)
  const block: View<CheckedBlock> | undefined = state.byTxid.get(key)?.[0]
  const index = block?.txids.findIndex((id) => toHex(id) === key) ?? -1
  return block?.transactions[index]
}

/** Blocks to download: of accepted headers, on chains that may win, lowest first (BD-1, HDR-12). */
export function missingBlocks(
  state: View<State>,
  countMax: number = BLOCKS_WANTED_MAX,
): readonly BlockHash[] {
  const enough = worthwhileWork(state.headers)
  const useful = new Set<string>() // Parents of blocks that are worth having.
  const wanted = [...state.missing.values()].toReversed().filter((node) => {
    if (!isOnBestChain(state.headers, node) && node.work < enough && !useful.has(node.key))
      return false
    if (node.parent !== undefined) useful.add(node.parent.key)
    return true
  })
  const lowestFirst = wanted.toSorted((a, b) => a.height - b.height)
  return lowestFirst.slice(0, countMax).map(({ hash }) => hash)
}
