/**
 * Many small coins become two, paid by the fees that the ledger collected. Source: minter §16 [H 11,
 * H 16].
 */
import type { View } from '../../base/view.ts'
import { feeCollectorSubaccount } from '../addresses.ts'
import { hasUntouchedInput } from '../apply/apply-consolidation.ts'
import { callLedger, isInTransit, resolveCalls } from '../call-journal.ts'
import { consolidationFrom } from '../config.ts'
import { LEDGER_BURN_MIN } from '../constants.ts'
import type { Context } from '../context.ts'
import { rootOf } from '../context.ts'
import { coinsToSpend, hasLost } from '../losses/lost-coins.ts'
import { encodeBurnMemo } from '../memo.ts'
import { ascending, canBeSpent, countOf } from '../state/coin-set.ts'
import { unspentFees } from '../state/consolidation-fees.ts'
import type { SigningTransaction } from '../state/state.ts'
import { sumOf } from '../state/state.ts'
import { isBroken } from '../state/stopped.ts'
import type { BitcoinAddress, Utxo } from '../types.ts'
import type { BuiltTransaction } from './build-transaction.ts'
import { buildTransaction } from './build-transaction.ts'
import { consolidationRate } from './fees.ts'
import { startSigning } from './signing.ts'

/** The hourly check. Whatever fails takes nothing, or gives back all but the burn. */
export function consolidate(context: Context): void {
  resolveCalls(context)
  abortUnfinished(context)
  if (!isDue(context)) return
  const built = build(context)
  const burn = built && payFee(context, built)
  if (built === undefined || burn === undefined) return
  context.record({
    type: 'createdConsolidateUtxosRequest',
    amount: sumOf(built.utxos),
    address: mainAddress(context),
    blockIndex: burn,
    receivedAt: context.now,
  })
  startSigning(context, built, { requests: [burn] })
}

function isDue(context: Context): boolean {
  const { state, volatile, settings, now } = context
  if (volatile.root === undefined || volatile.mustLook || isBroken(volatile)) return false
  if (state.consolidation !== undefined || isInTransit(context, { type: 'consolidation' }))
    return false
  const { lastConsolidationAt: last } = state
  const isTime = last === undefined || now - last >= settings.consolidationIntervalNs
  return isTime && BigInt(countOf(coinsToSpend(context))) >= consolidationFrom(state.config)
}

/** The smallest coins in two outputs of ours; nothing is taken yet. */
function build(context: Context): BuiltTransaction | undefined {
  const rate = consolidationRate(context)
  if (rate === undefined) return undefined
  const { inputsMax } = context.state.config
  const utxos = smallest(context, Number(inputsMax))
  const recipient = { address: mainAddress(context), amount: sumOf(utxos) / 2n }
  const { mainScript } = rootOf(context)
  const built = buildTransaction({ utxos, recipients: [recipient], mainScript, rate, inputsMax })
  return built.type === 'built' ? built : undefined
}

function smallest(context: Context, count: number): readonly Utxo[] {
  const spendable = coinsToSpend(context)
  const utxos: View<Utxo>[] = []
  for (const coin of ascending(spendable.coins)) {
    if (utxos.length >= count) break
    if (canBeSpent(spendable, coin)) utxos.push(coin)
  }
  return utxos
}

const HASH_OFFSET = 2

/** P2WPKH, as every script of ours is. */
const mainAddress = (context: Pick<Context, 'volatile'>): BitcoinAddress => ({
  type: 'p2wpkhV0',
  bytes: rootOf(context).mainScript.slice(HASH_OFFSET),
})

/** The burn that pays, reused or new; undefined where the collector cannot pay. */
function payFee(context: Context, built: BuiltTransaction): bigint | undefined {
  const { state, ports, record } = context
  const missing = built.withdrawalFee.bitcoinFee - unspentFees(state.consolidationFees)
  const { unusedBurn } = state.consolidationFees
  if (unusedBurn !== undefined && missing <= 0n) return unusedBurn
  const amount = missing > LEDGER_BURN_MIN ? missing : LEDGER_BURN_MIN
  const [value, inputs] = [sumOf(built.utxos), BigInt(built.utxos.length)]
  const memo = encodeBurnMemo({ type: 'consolidate', value, inputs })
  const asked = { amount, memo, purpose: { type: 'consolidation' } } as const
  const burned = callLedger(context, asked, (call) =>
    ports.ledger.burn({ ...call, subaccount: feeCollectorSubaccount() }),
  )
  if (burned.type !== 'ok') return undefined
  const { blockIndex } = burned
  record({ type: 'xConsolidationBurned', blockIndex, amount })
  return blockIndex
}

/**
 * One that cannot be signed does not keep the next one away [H 11]: a coin of it is missing, or its
 * time is over; only while it is certain that it is not complete [H 2].
 */
function abortUnfinished(context: Context): void {
  const { state, settings, now } = context
  const { consolidation } = state
  if (consolidation === undefined) return
  const isTimeOver = now - consolidation.receivedAt >= settings.consolidationIntervalNs
  const signing = currentSigning(context)
  if (signing === undefined) {
    const isSent = [...state.submitted.values()].some(
      ({ purpose }) => purpose.type === 'toConsolidate',
    )
    if (isSent) return
  } else if (!hasUntouchedInput(signing) || !(isTimeOver || hasLost(context, signing.utxos))) return
  context.record({ type: 'xAbortedConsolidation', blockIndex: consolidation.blockIndex })
}

const currentSigning = ({ state }: Pick<Context, 'state'>): View<SigningTransaction> | undefined =>
  [...state.signing.values()].find(({ purpose }) => purpose.type === 'toConsolidate')
