/**
 * Deposits of an account from the first block that has them to the mint. Source: minter §§5, 22, 3,
 * 4 [H 17].
 *
 * What no block has yet no canister knows: such sightings are a hint of whoever looks at a mempool.
 */

import { equalBytes } from '../../base/bytes.ts'
import { addNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import { scriptOf } from '../addresses.ts'
import type { Context } from '../context.ts'
import { eventAt } from '../events/event-log.ts'
import { checkFeeAt } from '../events/history.ts'
import type { BitcoinUtxo } from '../ports.ts'
import type { Suspension } from '../state/state.ts'
import { keyOfUtxo } from '../state/state.ts'
import type { SuspendedReason } from '../types.ts'
import type { PageArgs } from './pages.ts'
import { newestFirst, rangeOf } from './pages.ts'

export type DepositState =
  | { readonly type: 'confirming'; readonly confirmations: number; readonly required: number }
  /** Deep enough; credited when the account is updated next. */
  | { readonly type: 'due'; readonly confirmations: number }
  | {
      readonly type: 'suspended'
      readonly reason: SuspendedReason
      /** Absent: it may be tried now. */
      readonly earliestRetry?: bigint | undefined
      /** Smallest deposit that is credited now. */
      readonly min: bigint
    }
  /** Checked, and the ledger did not mint: a later update tries again. */
  | { readonly type: 'checked' }
  /** Whether it was minted is not known (§5.3). */
  | { readonly type: 'mintUnknown' }
  | {
      readonly type: 'minted'
      readonly blockIndex: bigint
      readonly amount: bigint
      readonly at?: bigint | undefined
    }

export type Deposit = {
  readonly outpoint: OutPoint
  readonly value: bigint
  readonly height: number
  readonly state: DepositState
}

export type DepositsPage = {
  readonly total: bigint
  readonly requiredConfirmations: number
  /** Height of the chain as the minter sees it; absent while it does not. */
  readonly tipHeight?: number | undefined
  readonly deposits: readonly Deposit[]
}

/** What is not minted yet first, then what was, newest first. */
export function depositsOf(context: Context, account: Account, page: PageArgs): DepositsPage {
  const { state } = context
  const required = state.config.minConfirmations
  const { open, tipHeight } = openDeposits(context, account)
  const credits = context.log.history.credits.get(accountKey(account)) ?? []
  const total = open.length + credits.length
  const { from, to } = rangeOf(page, { total })
  const older = [from, to].map((at) => Math.max(0, at - open.length))
  const minted = newestFirst(credits, older[0] ?? 0, older[1] ?? 0)
  return {
    total: BigInt(total),
    requiredConfirmations: required,
    ...(tipHeight !== undefined && { tipHeight }),
    deposits: [...open.slice(from, to), ...minted.flatMap((at) => mintedBy(context, at))],
  }
}

/** One event credits one coin; of several in an old one each is shown. */
function mintedBy({ log }: Context, position: number): readonly Deposit[] {
  const { payload, timestamp } = eventAt(log, position) ?? {}
  if (payload?.type !== 'receivedUtxos' || payload.mintTxid === undefined) return []
  const { mintTxid: blockIndex, utxos } = payload
  const fee = checkFeeAt(log.history, position)
  return utxos.map(({ outpoint, value, height }) => {
    const amount = value > fee ? value - fee : 0n
    const at = timestamp === undefined ? {} : { at: timestamp }
    return { outpoint, value, height, state: { type: 'minted', blockIndex, amount, ...at } }
  })
}

type Open = { readonly open: readonly Deposit[]; readonly tipHeight: number | undefined }

/** Coins on the chain that were not credited. */
function openDeposits(context: Context, account: Account): Open {
  const { state, volatile, ports } = context
  if (volatile.root === undefined || equalBytes(account.owner, state.self))
    return { open: [], tipHeight: undefined }
  const script = scriptOf(volatile.root.key, account)
  const answer = ports.bitcoin.utxos({ script, minConfirmations: 0 })
  if (answer.type !== 'utxos') return { open: [], tipHeight: undefined }
  const { utxos, tipHeight } = answer
  const open = utxos
    .filter((utxo) => utxo.value > 0n && !state.mintedOutpoints.has(keyOfUtxo(utxo)))
    .map((utxo) => {
      const { outpoint, value, height } = utxo
      return { outpoint, value, height, state: stateOf(context, account, { utxo, tipHeight }) }
    })
  return { open, tipHeight }
}

function stateOf(
  context: Context,
  account: Account,
  { utxo, tipHeight }: { readonly utxo: BitcoinUtxo; readonly tipHeight: number },
): DepositState {
  const { state, volatile, settings } = context
  const key = keyOfUtxo(utxo)
  const confirmations = tipHeight - utxo.height + 1
  const required = state.config.minConfirmations
  const checked = state.checkedUtxos.get(key)?.status
  if (checked === 'cleanButMintUnknown') return { type: 'mintUnknown' }
  const suspension: View<Suspension> | undefined =
    state.suspendedUtxos.get(accountKey(account))?.get(key) ?? state.legacySuspendedUtxos.get(key)
  if (suspension !== undefined) {
    const checkedAt = volatile.lastChecked.get(key)
    const earliestRetry =
      checkedAt === undefined ? undefined : addNs(checkedAt, settings.suspensionNs)
    const isLater = earliestRetry !== undefined && earliestRetry > context.now
    const { depositMinAmount = 0n, checkFee } = state.config
    const min = depositMinAmount > checkFee ? depositMinAmount : checkFee + 1n
    const { reason } = suspension
    return { type: 'suspended', reason, min, ...(isLater && { earliestRetry }) }
  }
  if (checked === 'clean') return { type: 'checked' }
  return confirmations < required
    ? { type: 'confirming', confirmations, required }
    : { type: 'due', confirmations }
}
