/** The ledger as a machine (ICRC-1, 2 and 3). Implements `docs/spec/ledger.md` §§4–9. */
import { assert } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { tokens } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { pruneAllowances } from './accounts/allowances.ts'
import { collectorKeys, noteCollector } from './accounts/fee-collector.ts'
import { applyArchiving } from './archive/archiving-state.ts'
import type { Block } from './blocks/block.ts'
import { hashBlock, hashTransaction } from './blocks/block-hash.ts'
import type { Config } from './config.ts'
import { configProblem, withSettings } from './settings.ts'
import type { Decision, Event, State } from './state.ts'
import { emptyState, logLength } from './state.ts'
import { decideApprove } from './transactions/approve.ts'
import { applyEffect } from './transactions/effect.ts'
import { dequeue, enqueue } from './transactions/remembered.ts'
import { decideTransfer, decideTransferFrom } from './transactions/transfer.ts'
import type { ApproveError, Request, TransferFromError } from './types.ts'

/** A ledger as installed at `now`, with a block for each initial balance; see `configProblem`. */
export function initial(config: Config, now: TimestampNs): State {
  const problem = configProblem(config)
  assert(problem === undefined, `a ledger is installed with a sound configuration: ${problem}`)
  const state = emptyState(config)
  state.time = now
  for (const { account, amount } of config.initialBalances) {
    const block: Block = {
      parentHash: state.chain.tipHash,
      timestamp: now,
      transaction: { type: 'mint', to: account, amount: tokens(amount), createdAtTime: now },
      ...collectorKeys(state.feeCollection, config.feeCollector),
    }
    const transactionHash = hashTransaction(block.transaction)
    apply(state, { type: 'appendedBlock', block, transactionHash })
  }
  return state
}

/** May say no; writes nothing. */
export function decide(
  state: View<State>,
  { caller, call }: Request,
  now: TimestampNs,
): Decision<TransferFromError | ApproveError> {
  switch (call.type) {
    case 'icrc1_transfer':
      return decideTransfer(state, caller, call.arg, now)
    case 'icrc2_approve':
      return decideApprove(state, caller, call.arg, now)
    case 'icrc2_transfer_from':
      return decideTransferFrom(state, caller, call.arg, now)
  }
}

/** Cannot say no; the only writer of state, live and on replay alike. */
export function apply(state: State, event: Event): void {
  switch (event.type) {
    case 'purgedTransactions':
      dequeue(state.deduplication, event.count)
      state.time = event.at
      return
    case 'prunedAllowances':
      pruneAllowances(state.allowances, event.at, event.countMax)
      state.time = event.at
      return
    case 'appendedBlock':
      append(state, event)
      return
    case 'upgraded':
      state.config = withSettings(state.config, event.settings)
      // Setting a collector, even the same one again, makes the next block name it (§7).
      if (event.settings.feeCollector !== undefined) state.feeCollection.namedIn = undefined
      return
    case 'startedArchiving':
    case 'createdArchive':
    case 'archivedBlocks':
    case 'failedArchiving':
      applyArchiving(state, event)
      return
  }
}

type Appended = Extract<Event, { readonly type: 'appendedBlock' }>

function append(state: State, { block, transactionHash }: Appended): void {
  const index = logLength(state)
  noteCollector(state.feeCollection, block, index)
  applyEffect(state, block)
  if (block.transaction.createdAtTime !== undefined)
    enqueue(state.deduplication, { hash: transactionHash, index, at: block.timestamp })
  state.chain.blocks.push(block)
  state.chain.tipHash = hashBlock(block, transactionHash)
  state.time = block.timestamp
}

/** The ledger calls for no work: it answers every call at once. */
export const outstanding = (_state: View<State>): readonly never[] => []
