/**
 * Bitcoin as a replicated machine: what it accepts and how that changes it. Source:
 * `docs/spec/bitcoin.md` §5–§7, §10.5.
 */
import { present } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Block, BlockHeader } from './block.ts'
import { checkBlock, HEADER_SIZE, headerHash, txidsOf } from './block.ts'
import { checkSpends } from './block-spends.ts'
import type { CheckedBlock } from './block-tree.ts'
import { branchOutput, mainChain, nextAnchor } from './block-tree.ts'
import {
  acceptHeader,
  advanceAnchor,
  attach,
  findMissing,
  isHeld,
  restoreAnchor,
} from './chain-changes.ts'
import { tip } from './chain-queries.ts'
import type { Decision, Event, Orphan, Reply, Request, State } from './chain-state.ts'
import { ORPHAN_BYTES_MAX, ORPHANS_MAX } from './chain-state.ts'
import { collectFeeRates, percentilesOf } from './fees.ts'
import type { HeaderNode } from './header-tree.ts'
import {
  ancestorAt,
  bestHeader,
  findHeader,
  judgeHeader,
  markInvalid,
  medianTimeOf,
} from './header-tree.ts'
import { isExpired, isSettled, readOutgoing, roomFor, SETTLED_CONFIRMATIONS } from './outgoing.ts'
import { totalSize } from './transaction.ts'

const refuse = (reply: Reply): Decision => ({ events: [], reply })
const accept = (...events: readonly Event[]): Decision => ({ events, reply: { type: 'accepted' } })

/** `now` is slot time. */
export function decide(state: View<State>, request: Request, now: TimestampNs): Decision {
  switch (request.type) {
    case 'header':
      return decideHeader(state, request.header, now)
    case 'block':
      return decideBlock(state, request.block)
    case 'sendTransaction':
      return decideSend(state, request, now)
    case 'setFeeLevel':
      return accept({ type: 'feeLevelSet', rateMsatPerVb: request.rateMsatPerVb })
    case 'setStabilityThreshold':
      return accept({
        type: 'stabilityThresholdSet',
        stabilityThreshold: request.stabilityThreshold,
      })
  }
}

function decideHeader(state: View<State>, header: BlockHeader, now: TimestampNs): Decision {
  const verdict = judgeHeader(state.headers, header, Number(now / NS_PER_SECOND))
  switch (verdict.type) {
    case 'valid':
      return accept({ type: 'headerAccepted', node: verdict.node })
    case 'known':
      return refuse({ type: 'known' })
    case 'unknownParent':
    case 'early':
    case 'full':
    case 'invalid':
      return refuse(verdict)
  }
}

function decideBlock(state: View<State>, block: Block): Decision {
  const node = findHeader(state.headers, headerHash(block.header))
  if (node === undefined) return refuse({ type: 'unknownHeader' })
  if (state.headers.invalid.has(node.key)) return refuse({ type: 'invalid', reason: 'bad-prevblk' })
  if (isHeld(state, node.key)) return refuse({ type: 'known' })
  if (!state.missing.has(node.key)) return refuse({ type: 'stale' })
  const txids = txidsOf(block)
  const flaw = checkBlock(block, { network: state.config.network, height: node.height, txids })
  if (flaw?.kind === 'mutated') return refuse({ type: 'mutated', reason: flaw.reason })
  if (flaw !== undefined) return condemn(node, flaw.reason)
  const orphan = { node, block, txids, sizeBytes: sizeOf(block) }
  return state.tree.blocks.has(node.parent?.key ?? '')
    ? decideAttach(state, orphan)
    : decideOrphan(state, orphan)
}

/** Bytes of a block but for the count of its transactions: what holding it costs. */
const sizeOf = ({ transactions }: Block): number =>
  transactions.reduce((sum, tx) => sum + totalSize(tx), HEADER_SIZE)

const condemn = (
  node: HeaderNode,
  reason: Extract<Reply, { type: 'invalid' }>['reason'],
): Decision => ({
  events: [{ type: 'blockInvalid', node }],
  reply: { type: 'invalid', reason },
})

/** The checks that need the branch: its outputs and its times (BLK-10 to BLK-14). */
function decideAttach(state: View<State>, orphan: View<Orphan>): Decision {
  const { node, block, txids, sizeBytes } = orphan
  const parent = present(state.tree.blocks.get(node.parent?.key ?? ''), 'the parent is in the tree')
  const verdict = checkSpends(block, {
    network: state.config.network,
    height: node.height,
    txids,
    output: branchOutput(state.tree, parent, (key) => state.utxos.outputs.get(key)),
    medianTime: (height) =>
      medianTimeOf(
        state.headers,
        present(ancestorAt(state.headers, node, height), 'the branch has the height'),
      ),
  })
  if (verdict.type === 'invalid') return condemn(node, verdict.reason)
  const { changes, feeRates } = verdict
  const { transactions } = block
  return accept({
    type: 'blockAttached',
    block: { node, transactions, txids, sizeBytes, changes, feeRates },
  })
}

/**
 * Room is made by dropping what lies further from the anchor, so that nobody can fill the store for
 * good.
 */
function decideOrphan(state: View<State>, orphan: Orphan): Decision {
  const rivals = [...state.orphans.values()].toSorted((a, b) => b.node.height - a.node.height)
  const dropped: Event[] = []
  let count = rivals.length + 1
  let bytes = rivals.reduce((sum, { sizeBytes }) => sum + sizeBytes, orphan.sizeBytes)
  for (const { node, sizeBytes } of rivals) {
    if (count <= ORPHANS_MAX && bytes <= ORPHAN_BYTES_MAX) break
    if (node.height <= orphan.node.height) return refuse({ type: 'full' })
    dropped.push({ type: 'orphanDropped', key: node.key })
    count--
    bytes -= sizeBytes
  }
  return { events: [...dropped, { type: 'orphanKept', orphan }], reply: { type: 'orphan' } }
}

function decideSend(
  state: View<State>,
  { bytes, keep }: Extract<Request, { type: 'sendTransaction' }>,
  now: TimestampNs,
): Decision {
  const outgoing = readOutgoing(bytes, { keep, since: now })
  if (outgoing === undefined) return refuse({ type: 'malformedTransaction' })
  const listed = state.outgoing.get(outgoing.key)
  if (listed !== undefined && (listed.keep || !keep)) return accept() // Sent twice, listed once.
  const displaced = roomFor(state.outgoing, outgoing)
  if (displaced === undefined) return refuse({ type: 'queueFull' })
  const drops = displaced.map((key) => dropped(key, 'displaced'))
  return accept(...drops, { type: 'transactionQueued', outgoing })
}

const dropped = (
  key: string,
  reason: Extract<Event, { type: 'transactionDropped' }>['reason'],
): Event => ({ type: 'transactionDropped', key, reason })

/** Decides, applies, and goes on until the state calls for nothing more. */
export function execute(state: State, request: Request, now: TimestampNs): Decision {
  const { events, reply } = decide(state, request, now)
  const done: Event[] = []
  for (let due = events; due.length > 0; due = settle(state)) {
    for (const event of due) apply(state, event)
    done.push(...due)
  }
  const last = done.some(({ type }) => type === 'blockAttached' || type === 'anchorRetreated')
    ? [...newsOfTip(state), ...settleOutgoing(state, now)]
    : []
  for (const event of last) apply(state, event)
  return { events: [...done, ...last], reply }
}

/**
 * The main chain's fee percentiles, if it has transactions: the last that were not empty stay
 * (FEE-4, FEE-5).
 */
function observeFees(state: View<State>): readonly Event[] {
  const percentiles = percentilesOf(collectFeeRates(mainChain(state.tree)))
  return percentiles.length === 0 ? [] : [{ type: 'feesObserved', percentiles }]
}

/** What the state itself calls for next: attach an orphan, or move the anchor. */
export function settle(state: View<State>): readonly Event[] {
  for (const orphan of state.orphans.values())
    if (state.tree.blocks.has(orphan.node.parent?.key ?? ''))
      return decideAttach(state, orphan).events
  return moveOfAnchor(state)
}

function moveOfAnchor({ tree, headers, config, stable }: View<State>): readonly Event[] {
  const best = bestHeader(headers)
  const follows = (node: HeaderNode): boolean => ancestorAt(headers, best, node.height) === node
  if (!follows(tree.anchor.node)) {
    if (config.network.name !== 'regtest') return [] // TREE-7: only the operator may go back.
    const fork = [...stable.values()].findLast(({ node }) => follows(node))
    return fork === undefined ? [] : [{ type: 'anchorRetreated', key: fork.node.key }]
  }
  const next = nextAnchor(tree, config.stabilityThreshold)
  // Never onto a branch that the header chain has left: that would make a deep reorganisation.
  return next !== undefined && follows(next.node)
    ? [{ type: 'anchorAdvanced', key: next.node.key }]
    : []
}

/** Fees are made anew with the tip, not with every block beside the main chain (FEE-5). */
function newsOfTip(state: View<State>): readonly Event[] {
  const change = changeOfTip(state)
  return change === undefined ? [] : [change, ...observeFees(state)]
}

/** What is to be told of the main chain, if it ends elsewhere than was told last (TREE-8). */
function changeOfTip(state: View<State>): Event | undefined {
  const { tipTold: old } = state
  const next = tip(state)
  if (next === old) return undefined
  const disconnected: HeaderNode[] = []
  const connected: HeaderNode[] = []
  let [left, right] = [old, next]
  while (left !== right) {
    const isLeft = left.height >= right.height
    if (isLeft) disconnected.push(left)
    else connected.push(right)
    const { parent } = isLeft ? left : right
    if (isLeft) left = present(parent, 'two chains meet at genesis')
    else right = present(parent, 'two chains meet at genesis')
  }
  connected.reverse()
  return { type: 'tipChanged', old, new: next, commonAncestor: left, disconnected, connected }
}

/** Transactions that leave the list, asked after each new block (RB-1). */
export function settleOutgoing(state: View<State>, now: TimestampNs): readonly Event[] {
  if (state.outgoing.size === 0) return []
  const settled = settledBlocks(state)
  return [...state.outgoing.values()].flatMap((outgoing) => {
    if (isSettled(outgoing, settled)) return [dropped(outgoing.key, 'settled')]
    return isExpired(outgoing, now) ? [dropped(outgoing.key, 'expired')] : []
  })
}

/** Blocks deep enough to settle a transaction; older ones did so when they were as new as these. */
function settledBlocks(state: View<State>): readonly View<CheckedBlock>[] {
  const { height } = state.tree.anchor.node
  const below = Array.from({ length: SETTLED_CONFIRMATIONS }, (_, i) =>
    state.stable.get(height - 1 - i),
  )
  const held = [...below.toReversed().flatMap((block) => block ?? []), ...mainChain(state.tree)]
  return held.slice(0, Math.max(0, held.length + 1 - SETTLED_CONFIRMATIONS))
}

/** The only writer of state. */
export function apply(state: State, event: Event): void {
  switch (event.type) {
    case 'headerAccepted':
      acceptHeader(state, event.node)
      return
    case 'blockAttached':
      attach(state, event.block)
      return
    case 'orphanKept':
      state.orphans.set(event.orphan.node.key, event.orphan)
      state.missing.delete(event.orphan.node.key)
      return
    case 'orphanDropped':
      state.orphans.delete(event.key)
      findMissing(state)
      return
    case 'blockInvalid':
      markInvalid(state.headers, event.node)
      findMissing(state)
      return
    case 'anchorAdvanced':
      advanceAnchor(state, event.key)
      return
    case 'anchorRetreated':
      restoreAnchor(state, event.key)
      return
    case 'feesObserved':
      state.feePercentiles = event.percentiles
      return
    case 'transactionQueued':
      state.outgoing.set(event.outgoing.key, event.outgoing)
      return
    case 'transactionDropped':
      state.outgoing.delete(event.key)
      return
    case 'feeLevelSet':
      state.feeLevel = event.rateMsatPerVb
      return
    case 'stabilityThresholdSet':
      state.config = { ...state.config, stabilityThreshold: event.stabilityThreshold }
      return
    case 'tipChanged':
      state.tipTold = event.new
      return
  }
}

/** Names of the invariants that do not hold; empty in every reachable state. */
export function violations(state: View<State>): readonly string[] {
  const { tree, headers, missing, orphans, utxos } = state
  const found: string[] = []
  for (const [key, block] of tree.blocks) {
    if (block !== tree.anchor && !tree.blocks.has(block.node.parent?.key ?? ''))
      found.push(`block ${key} hangs in the air`)
    if (missing.has(key) || orphans.has(key)) found.push(`block ${key} is held and missing`)
    if (headers.invalid.has(key)) found.push(`block ${key} is held and invalid`)
  }
  for (const node of missing.values())
    if (node.height <= tree.anchor.node.height)
      found.push(`${node.key} is missing below the anchor`)
  if (orphans.size > ORPHANS_MAX) found.push(`${orphans.size} orphans`)
  const indexed = [...utxos.byScript.values()].reduce((sum, keys) => sum + keys.size, 0)
  if (indexed > utxos.outputs.size) found.push('the address index names outputs that are not there')
  return found
}
