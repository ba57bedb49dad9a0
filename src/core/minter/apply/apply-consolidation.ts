/** Events of consolidations: paid for, begun, given up, final. Source: minter §16, §18.2 [H 11]. */
import type { View } from '../../base/view.ts'
import { SIGNATURES_OPEN_MAX } from '../constants.ts'
import type { Payload } from '../events/events.ts'
import { giveUpSigning } from '../losses/given-up.ts'
import { settleBurns } from '../state/burn-places.ts'
import type { SigningTransaction, State } from '../state/state.ts'
import { settleCall } from './apply-calls.ts'
import { isKnownBurn } from './apply-withdrawals.ts'
import { consistent } from './consistency.ts'

/** The collector has paid for a consolidation, which need not begin at once. */
export function payConsolidation(state: State, payload: Payload<'xConsolidationBurned'>): void {
  const { blockIndex, amount } = payload
  consistent(!isKnownBurn(state, blockIndex), `burn ${blockIndex} pays for two things`)
  settleCall(state, { type: 'consolidation' })
  const { unusedBurn, joined } = state.consolidationFees
  if (unusedBurn !== undefined) joined.set(unusedBurn, blockIndex)
  state.consolidationFees.burned += amount
  state.consolidationFees.unusedBurn = blockIndex
}

export function createConsolidation(
  state: State,
  payload: Payload<'createdConsolidateUtxosRequest'>,
): void {
  const { amount, address, blockIndex, receivedAt } = payload
  const { consolidationFees, consolidation } = state
  // The published events leave out `xAbortedConsolidation`: what never got to be sent was given up.
  consistent(!isUnderWay(state), 'a consolidation begins before the last one ended')
  const isReused = [consolidation?.blockIndex, consolidationFees.unusedBurn].includes(blockIndex)
  consistent(isReused || !isKnownBurn(state, blockIndex), `burn ${blockIndex} pays for two things`)
  consolidationFees.unusedBurn = undefined
  state.consolidation = { amount, address, blockIndex, receivedAt }
  state.lastConsolidationAt = receivedAt
}

function isUnderWay({ signing, submitted, stuck }: State): boolean {
  const all = [...signing.values(), ...submitted.values(), ...stuck.values()]
  return all.some(({ purpose }) => purpose.type === 'toConsolidate')
}

/**
 * True while the signature of some input has never been asked for, so that the transaction cannot
 * exist.
 *
 * Inputs are asked for in their order, ten at most at a time, also anew after an upgrade: of those
 * that have neither a signature nor a failure on record, all but the first ten are untouched.
 */
export function hasUntouchedInput({
  utxos,
  signed,
  failures,
}: View<Pick<SigningTransaction, 'utxos' | 'signed' | 'failures'>>): boolean {
  const silent = utxos.filter((_, input) => !signed.has(input) && !failures.has(input))
  return silent.length > SIGNATURES_OPEN_MAX
}

/** It was never complete and never will be: its coins are free, and its burn pays for the next. */
export function abortConsolidation(
  state: State,
  { blockIndex }: Payload<'xAbortedConsolidation'>,
): void {
  const isCurrent = state.consolidation?.blockIndex === blockIndex
  consistent(isCurrent, `consolidation ${blockIndex} is given up and not current`)
  for (const [key, signing] of state.signing) {
    if (signing.purpose.type !== 'toConsolidate') continue
    consistent(hasUntouchedInput(signing), 'a transaction is given up that may be complete')
    giveUpSigning(state, key, signing)
  }
  consistent(!isUnderWay(state), `consolidation ${blockIndex} is given up and was sent`)
  settleBurns(state, [blockIndex])
  state.consolidation = undefined
  state.consolidationFees.unusedBurn = blockIndex
}

export function finishConsolidation(state: State, fee: bigint): void {
  state.consolidationFees.spent += fee
  state.consolidation = undefined
}
