/**
 * Ledger against minter: every mint and burn has its event, and says the same as it. Source: cli
 * §5.13, minter §5.2.
 */
import { equalBytes } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import { sameAccount } from '../core/ic/account.ts'
import type { Block, Movement, Transaction } from '../core/ledger/blocks/block.ts'
import type { Event, Payload } from '../core/minter/events/events.ts'
import { decodeBurnMemo, decodeMintMemo } from '../core/minter/memo.ts'

export type Books = { readonly blocks: readonly Block[]; readonly events: readonly Event[] }

type Received = Extract<Payload, { type: 'receivedUtxos' }>
type Mint = Extract<Transaction, { type: 'mint' }>

/** Adds what contradicts what. */
export function compareBooks({ blocks, events }: Books, found: string[]): void {
  const open = new Map(
    blocks.flatMap(({ transaction }, index) =>
      transaction.type === 'mint' || transaction.type === 'burn'
        ? ([[BigInt(index), transaction]] as const)
        : [],
    ),
  )
  const due = new Map<bigint, bigint>()
  for (const { payload } of events) compareEvent(payload, { open, due, found })
  for (const [index, { type }] of open) found.push(`${type} block ${index} has no event`)
}

type Comparison = {
  /** Mints and burns that no event has named yet. */
  readonly open: Map<bigint, Transaction>
  /** Amounts to be given back, by burn index. */
  readonly due: Map<bigint, bigint>
  readonly found: string[]
}

/** Events of other kinds say nothing that the ledger knows of. */
function compareEvent(payload: Payload, comparison: Comparison): void {
  const { type } = payload
  if (type === 'receivedUtxos') compareMint(payload, comparison)
  if (type === 'acceptedRetrieveBtcRequest') compareBurn(payload, comparison)
  if (type === 'scheduleWithdrawalReimbursement' || type === 'xScheduleReimbursement')
    comparison.due.set(payload.burnBlockIndex, payload.amount)
  if (type === 'reimbursedWithdrawal') compareReimbursement(payload, comparison)
  if (type === 'xResolvedUnknown' && payload.mintBlockIndex !== undefined) {
    const { burnBlockIndex, mintBlockIndex } = payload
    compareReimbursement({ burnBlockIndex, mintBlockIndex }, comparison)
  }
  if (type === 'xConsolidationBurned') compareConsolidation(payload, comparison)
  if (type === 'createdConsolidateUtxosRequest') compareOldConsolidation(payload, comparison)
}

/** The block that an event names, once; anything else is a contradiction. */
function take<T extends 'mint' | 'burn'>(
  index: bigint,
  type: T,
  { open, found }: Comparison,
): Extract<Transaction, { type: T }> | undefined {
  const transaction = open.get(index)
  if (transaction === undefined || !isOf(transaction, type)) {
    found.push(`an event names ${type} block ${index}, which is none or is named twice`)
    return undefined
  }
  open.delete(index)
  return transaction
}

const isOf = <T extends Transaction['type']>(
  transaction: Transaction,
  type: T,
): transaction is Extract<Transaction, { type: T }> => transaction.type === type

function compareMint(
  { utxos, toAccount, mintTxid: index }: Received,
  comparison: Comparison,
): void {
  if (index === undefined) return // The minter's own change.
  const mint = take(index, 'mint', comparison)
  if (mint === undefined) return
  const [coin, ...others] = utxos
  const fee = coin === undefined || others.length > 0 ? undefined : feeOfMint(mint, coin.outpoint)
  if (fee === undefined || coin === undefined)
    comparison.found.push(`mint block ${index} does not name the coin of its event`)
  else if (mint.amount !== coin.value - fee)
    comparison.found.push(`mint block ${index} mints ${mint.amount} for a coin of ${coin.value}`)
  if (!sameAccount(mint.to, toAccount))
    comparison.found.push(`mint block ${index} pays another account than its event`)
}

/** The check fee that the memo of a mint states, if it names this coin. */
function feeOfMint(mint: Mint, coin: { readonly txid: Uint8Array; readonly vout: number }) {
  const bytes = mint.memo
  const memo = bytes === undefined ? undefined : attempt(() => decodeMintMemo(bytes))
  if (memo === undefined || memo instanceof BadEncoding || memo.type !== 'convert') return undefined
  const named = memo.txid !== undefined && equalBytes(memo.txid, coin.txid)
  return named && memo.vout === coin.vout ? (memo.fee ?? 0n) : undefined
}

function compareBurn(
  { blockIndex, amount }: Extract<Payload, { type: 'acceptedRetrieveBtcRequest' }>,
  comparison: Comparison,
): void {
  const burn = take(blockIndex, 'burn', comparison)
  if (burn !== undefined && burn.amount !== amount)
    comparison.found.push(`burn block ${blockIndex} burns ${burn.amount}, its event says ${amount}`)
}

function compareConsolidation(
  { blockIndex, amount }: Pick<Payload<'xConsolidationBurned'>, 'blockIndex' | 'amount'>,
  comparison: Comparison,
): void {
  const burn = take(blockIndex, 'burn', comparison)
  if (burn === undefined) return
  if (burn.amount !== amount)
    comparison.found.push(`burn block ${blockIndex} burns ${burn.amount}, its event says ${amount}`)
  if (!paysConsolidation(burn))
    comparison.found.push(`burn block ${blockIndex} does not say that it pays a consolidation`)
}

/** Logs of the deployed minter tell of no burn: what names the consolidation was one. */
function compareOldConsolidation(
  { blockIndex }: Pick<Payload<'createdConsolidateUtxosRequest'>, 'blockIndex'>,
  { open }: Comparison,
): void {
  const burn = open.get(blockIndex)
  if (burn?.type === 'burn' && paysConsolidation(burn)) open.delete(blockIndex)
}

function paysConsolidation({ memo: bytes }: Movement): boolean {
  const memo = bytes === undefined ? undefined : attempt(() => decodeBurnMemo(bytes))
  return memo !== undefined && !(memo instanceof BadEncoding) && memo.type === 'consolidate'
}

function compareReimbursement(
  {
    burnBlockIndex,
    mintBlockIndex,
  }: Pick<Payload<'reimbursedWithdrawal'>, 'burnBlockIndex' | 'mintBlockIndex'>,
  comparison: Comparison,
): void {
  const mint = take(mintBlockIndex, 'mint', comparison)
  const amount = comparison.due.get(burnBlockIndex)
  if (mint !== undefined && mint.amount !== amount)
    comparison.found.push(`mint block ${mintBlockIndex} gives back ${mint.amount}, not ${amount}`)
}
