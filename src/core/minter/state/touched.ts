/**
 * What an event may change, by name: coins, burns and transactions. Source: minter §18.5.
 *
 * Taken from the state before the event: afterwards some of it is gone.
 */
import type { View } from '../../base/view.ts'
import { decodeTransaction, txid } from '../../btc/transaction.ts'
import { accountKey } from '../../ic/account.ts'
import type { Payload } from '../events/events.ts'
import type { Utxo } from '../types.ts'
import { chainOf, liveTransaction } from './replacement-chain.ts'
import type { AccountKey, BurnIndex, OutpointKey, State, TxidKey } from './state.ts'
import { burnsOf, keyOfTxid, keyOfUtxo } from './state.ts'

export type Touched = {
  readonly coins: readonly OutpointKey[]
  /** Where coins may wait that are touched. */
  readonly account?: AccountKey | undefined
  readonly burns: readonly BurnIndex[]
  readonly transactions: readonly TxidKey[]
}

const NOTHING: Touched = { coins: [], burns: [], transactions: [] }

const coins = (utxos: readonly View<Utxo>[]): Touched => ({
  ...NOTHING,
  coins: utxos.map(keyOfUtxo),
})
const burns = (...indices: readonly BurnIndex[]): Touched => ({ ...NOTHING, burns: indices })

export function touchedBy(state: View<State>, payload: Payload): Touched {
  switch (payload.type) {
    case 'receivedUtxos':
      return { ...coins(payload.utxos), account: accountKey(payload.toAccount) }
    case 'checkedUtxo':
    case 'ignoredUtxo':
    case 'xDonation':
      return coins([payload.utxo])
    case 'checkedUtxoV2':
    case 'checkedUtxoMintUnknown':
    case 'suspendedUtxo':
      return { ...coins([payload.utxo]), account: accountKey(payload.account) }
    case 'acceptedRetrieveBtcRequest':
    case 'createdConsolidateUtxosRequest':
    case 'removedRetrieveBtcRequest':
    case 'xHeldRequest':
    case 'xConsolidationBurned':
      return burns(payload.blockIndex)
    case 'scheduleWithdrawalReimbursement':
    case 'xScheduleReimbursement':
    case 'quarantinedWithdrawalReimbursement':
    case 'reimbursedWithdrawal':
    case 'xResolvedUnknown':
      return burns(payload.burnBlockIndex)
    case 'xSigningStarted':
      return {
        ...coins(payload.utxos),
        burns: payload.requests,
        transactions: replacementIn(payload),
      }
    case 'sentTransaction':
      return {
        ...coins(payload.utxos),
        burns: payload.requests,
        transactions: [keyOfTxid(payload.txid)],
      }
    case 'replacedTransaction': {
      const [before, after] = [keyOfTxid(payload.oldTxid), keyOfTxid(payload.newTxid)]
      return { ...ofTransactions(state, [before]), transactions: [before, after] }
    }
    case 'xWrittenOff':
      return ofLosses(state, payload.utxos)
    case 'xAdoptedCoin':
      return { ...coins([payload.utxo]), account: accountKey(payload.account) }
    case 'xAbortedConsolidation':
      return ofBurn(state, payload.blockIndex)
    case 'confirmedTransaction':
      return ofTransactions(state, chainOf(state, keyOfTxid(payload.txid)))
    case 'init':
    case 'upgrade':
    case 'distributedKytFee':
    case 'retrieveBtcKytFailed':
    case 'scheduleDepositReimbursement':
    case 'reimbursedFailedDeposit':
    case 'xInputSigned':
    case 'xSignatureFailed':
    case 'xLedgerCall':
    case 'xLedgerCallEnded':
      return NOTHING
  }
}

/** The transaction that is to replace another, and that other; new ones are found by their burns. */
function replacementIn({
  replaces,
  unsignedTransaction,
}: Payload<'xSigningStarted'>): readonly TxidKey[] {
  if (replaces === undefined) return []
  return [keyOfTxid(replaces.oldTxid), keyOfTxid(txid(decodeTransaction(unsignedTransaction)))]
}

/** Of a burn whose transaction may be signed now. */
function ofBurn({ burnPlaces, signing }: View<State>, burn: BurnIndex): Touched {
  const place = burnPlaces.get(burn)
  const key = place?.type === 'signing' ? place.txid : undefined
  const utxos = (key === undefined ? undefined : signing.get(key)?.utxos) ?? []
  return { ...coins(utxos), burns: [burn], transactions: key === undefined ? [] : [key] }
}

/** Of whatever spends one of these coins. */
function ofLosses(state: View<State>, utxos: readonly View<Utxo>[]): Touched {
  const keys = new Set(utxos.map(keyOfUtxo))
  const all: Touched[] = [coins(utxos)]
  for (const [key, { utxos: inputs, purpose }] of state.signing)
    if (purpose.type !== 'toReplace' && inputs.some((utxo) => keys.has(keyOfUtxo(utxo))))
      all.push({ ...coins(inputs), burns: burnsOf(purpose), transactions: [key] })
  for (const newest of state.submitted.keys()) {
    const chain = ofTransactions(state, chainOf(state, newest))
    if (chain.coins.some((key) => keys.has(key))) all.push(chain)
  }
  return {
    coins: all.flatMap((touched) => touched.coins),
    burns: all.flatMap((touched) => touched.burns),
    transactions: all.flatMap((touched) => touched.transactions),
  }
}

/** Of one chain: its members spend the same coins for the same burns, the first one all of them. */
function ofTransactions(state: View<State>, transactions: readonly TxidKey[]): Touched {
  const [first] = transactions
  const oldest = first === undefined ? undefined : liveTransaction(state, first)
  return {
    coins: oldest?.utxos.map(keyOfUtxo) ?? [],
    burns: oldest === undefined ? [] : burnsOf(oldest.purpose),
    transactions,
  }
}
