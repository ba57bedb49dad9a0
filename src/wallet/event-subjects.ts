/** Whom and what an event is about: amount, transaction, block, account. Implements cli §5.14. */
import { toHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import { decodeTransaction, txid as txidOf } from '../core/btc/transaction.ts'
import type { Account } from '../core/ic/account.ts'
import { sameAccount } from '../core/ic/account.ts'
import type { Payload, PayloadType } from '../core/minter/events/events.ts'
import type { Utxo } from '../core/minter/types.ts'

export type Subject = {
  readonly amountSat?: bigint | undefined
  /** The transaction that it is about; of a deposit the one that pays. */
  readonly txids: readonly Uint8Array[]
  /** Burns that it is about. */
  readonly burns: readonly bigint[]
  /** The mint that it tells of. */
  readonly mint?: bigint | undefined
  readonly accounts: readonly Account[]
}

const nothing: Subject = { txids: [], burns: [], accounts: [] }

const ofCoin = ({ outpoint, value }: Utxo, ...accounts: readonly Account[]): Subject => ({
  ...nothing,
  amountSat: value,
  txids: [outpoint.txid],
  accounts,
})

const sum = (utxos: readonly Utxo[]): bigint =>
  utxos.reduce((total, { value }) => total + value, 0n)

/** Of a signing, the transaction that is being signed. */
function unsignedTxid(bytes: Uint8Array): readonly Uint8Array[] {
  const transaction = attempt(() => decodeTransaction(bytes))
  return transaction instanceof BadEncoding ? [] : [txidOf(transaction)]
}

const ofBurn = (burn: bigint, more: Partial<Subject> = {}): Subject => ({
  ...nothing,
  burns: [burn],
  ...more,
})

type Returned = Pick<Payload<'xScheduleReimbursement'>, 'account' | 'amount' | 'burnBlockIndex'>
const toReturn = ({ account, amount, burnBlockIndex }: Returned): Subject =>
  ofBurn(burnBlockIndex, { amountSat: amount, accounts: [account] })

const ofTransaction = (...txids: readonly Uint8Array[]): Subject => ({ ...nothing, txids })

/** One line for each kind: one that is missing here does not compile. */
const subjects: { readonly [T in PayloadType]: (payload: Payload<T>) => Subject } = {
  init: () => nothing,
  upgrade: () => nothing,
  receivedUtxos: ({ utxos, mintTxid: mint, toAccount }) => ({
    ...ofTransaction(...utxos.map(({ outpoint }) => outpoint.txid)),
    amountSat: sum(utxos),
    mint,
    accounts: [toAccount],
  }),
  acceptedRetrieveBtcRequest: ({ amount: amountSat, blockIndex, reimbursementAccount: account }) =>
    ofBurn(blockIndex, { amountSat, accounts: account ? [account] : [] }),
  createdConsolidateUtxosRequest: ({ amount: amountSat, blockIndex }) =>
    ofBurn(blockIndex, { amountSat }),
  removedRetrieveBtcRequest: ({ blockIndex }) => ofBurn(blockIndex),
  sentTransaction: ({ txid, utxos, requests: burns }) => ({
    ...ofTransaction(txid),
    amountSat: sum(utxos),
    burns,
  }),
  replacedTransaction: ({ newTxid, oldTxid }) => ofTransaction(newTxid, oldTxid),
  confirmedTransaction: ({ txid }) => ofTransaction(txid),
  checkedUtxoV2: ({ utxo, account }) => ofCoin(utxo, account),
  checkedUtxoMintUnknown: ({ utxo, account }) => ofCoin(utxo, account),
  suspendedUtxo: ({ utxo, account }) => ofCoin(utxo, account),
  scheduleWithdrawalReimbursement: toReturn,
  quarantinedWithdrawalReimbursement: ({ burnBlockIndex }) => ofBurn(burnBlockIndex),
  reimbursedWithdrawal: ({ burnBlockIndex, mintBlockIndex: mint }) =>
    ofBurn(burnBlockIndex, { mint }),
  checkedUtxo: ({ utxo }) => ofCoin(utxo),
  ignoredUtxo: ({ utxo }) => ofCoin(utxo),
  distributedKytFee: ({ amount: amountSat, blockIndex: mint }) => ({ ...nothing, amountSat, mint }),
  retrieveBtcKytFailed: ({ amount: amountSat, blockIndex, owner }) =>
    ofBurn(blockIndex, { amountSat, accounts: [{ owner }] }),
  scheduleDepositReimbursement: toReturn,
  reimbursedFailedDeposit: ({ burnBlockIndex, mintBlockIndex: mint }) =>
    ofBurn(burnBlockIndex, { mint }),
  xSigningStarted: ({ requests: burns, replaces, unsignedTransaction }) => ({
    ...ofTransaction(
      ...unsignedTxid(unsignedTransaction),
      ...(replaces === undefined ? [] : [replaces.oldTxid]),
    ),
    burns,
  }),
  xInputSigned: ({ txid }) => ofTransaction(txid),
  xSignatureFailed: ({ txid }) => ofTransaction(txid),
  xHeldRequest: ({ blockIndex }) => ofBurn(blockIndex),
  xScheduleReimbursement: toReturn,
  xLedgerCall: ofCall,
  xLedgerCallEnded: () => nothing,
  xResolvedUnknown: ({ burnBlockIndex, mintBlockIndex: mint }) => ofBurn(burnBlockIndex, { mint }),
  xConsolidationBurned: ({ amount: amountSat, blockIndex }) => ofBurn(blockIndex, { amountSat }),
  xAbortedConsolidation: ({ blockIndex }) => ofBurn(blockIndex),
  xWrittenOff: ({ utxos }) => ({
    ...ofTransaction(...utxos.map(({ outpoint }) => outpoint.txid)),
    amountSat: sum(utxos),
  }),
  xAdoptedCoin: ({ utxo, account }) => ofCoin(utxo, account),
  xDonation: ({ utxo }) => ofCoin(utxo),
}

export const subjectOf = <T extends PayloadType>(payload: Payload<T>): Subject =>
  subjects[payload.type](payload)

function ofCall({ amount: amountSat, purpose }: Payload<'xLedgerCall'>): Subject {
  switch (purpose.type) {
    case 'deposit':
      return { ...ofCoin(purpose.utxo, purpose.account), amountSat }
    case 'withdrawal':
      return { ...nothing, amountSat, accounts: [purpose.account, purpose.from] }
    case 'reimbursement':
      return ofBurn(purpose.burnBlockIndex, { amountSat, accounts: [purpose.account] })
    case 'consolidation':
      return { ...nothing, amountSat }
  }
}

/** Finds what concerns one account, told every event in order: later ones name only burns and txids. */
export class AccountTrail {
  readonly #account: Account
  readonly #burns = new Set<bigint>()
  readonly #txids = new Set<string>()

  constructor(account: Account) {
    this.#account = account
  }

  concerns(payload: Payload): boolean {
    const { accounts, burns, txids } = subjectOf(payload)
    const isIts =
      accounts.some((account) => sameAccount(account, this.#account)) ||
      burns.some((burn) => this.#burns.has(burn)) ||
      (isOfTransaction(payload) && txids.some((txid) => this.#txids.has(toHex(txid))))
    if (!isIts) return false
    if (payload.type === 'acceptedRetrieveBtcRequest') this.#burns.add(payload.blockIndex)
    if (isOfTransaction(payload)) for (const txid of txids) this.#txids.add(toHex(txid))
    return true
  }
}

/** Kinds whose transactions the minter makes; of the others they pay it. */
const isOfTransaction = ({ type }: Payload): boolean =>
  type === 'xSigningStarted' ||
  type === 'xInputSigned' ||
  type === 'xSignatureFailed' ||
  type === 'sentTransaction' ||
  type === 'replacedTransaction' ||
  type === 'confirmedTransaction'
