/** What the log for people says of each change of state. Source: minter §20.4. */
import { toDisplayHex } from '../../base/bytes.ts'
import type { Account } from '../../ic/account.ts'
import { textOfAccount } from '../../ic/account.ts'
import type { Priority } from '../observed.ts'
import type { Utxo } from '../types.ts'
import type { Payload } from './events.ts'
import { EVENT_NAMES } from './events.ts'

export type Noted = {
  readonly file: string
  readonly message: string
  readonly priority: Priority
}

const outpoint = ({ outpoint: { txid, vout } }: Utxo): string => `${toDisplayHex(txid)}:${vout}`
const coins = (utxos: readonly Utxo[]): string =>
  utxos.length === 1 && utxos[0] !== undefined ? outpoint(utxos[0]) : `${utxos.length} outputs`
const owner = (account: Account): string => textOfAccount(account)

const info = (file: string, message: string): Noted => ({ file, message, priority: 'Info' })
const debug = (file: string, message: string): Noted => ({ file, message, priority: 'Debug' })

/** Kinds without a line of their own are told by name. */
export function notedOf(payload: Payload): Noted {
  switch (payload.type) {
    case 'receivedUtxos':
    case 'checkedUtxoV2':
    case 'checkedUtxoMintUnknown':
    case 'suspendedUtxo':
    case 'xDonation':
      return ofDeposits(payload)
    case 'acceptedRetrieveBtcRequest': {
      const { blockIndex, amount } = payload
      return info('withdrawals/withdrawal.ts', `burn ${blockIndex}: ${amount} to be paid out`)
    }
    case 'xHeldRequest':
      return info('withdrawals/batch.ts', `burn ${payload.blockIndex} waits for lower fees`)
    case 'scheduleWithdrawalReimbursement':
    case 'xScheduleReimbursement':
      return info(
        'withdrawals/batch.ts',
        `burn ${payload.burnBlockIndex}: ${payload.amount} go back to ${owner(payload.account)}`,
      )
    case 'reimbursedWithdrawal':
      return info(
        'withdrawals/reimbursement.ts',
        `burn ${payload.burnBlockIndex} was given back in block ${payload.mintBlockIndex}`,
      )
    case 'quarantinedWithdrawalReimbursement':
      return info(
        'call-journal.ts',
        `burn ${payload.burnBlockIndex}: whether it was given back is not known`,
      )
    case 'createdConsolidateUtxosRequest':
    case 'xConsolidationBurned':
    case 'xAbortedConsolidation':
    case 'xResolvedUnknown':
    case 'xWrittenOff':
    case 'xAdoptedCoin':
      return ofOperation(payload)
    case 'xSigningStarted':
    case 'xInputSigned':
    case 'xSignatureFailed':
    case 'sentTransaction':
    case 'replacedTransaction':
    case 'confirmedTransaction':
      return ofTransactions(payload)
    default:
      return debug('events/events.ts', EVENT_NAMES[payload.type])
  }
}

type OfDeposits = Payload<
  'receivedUtxos' | 'checkedUtxoV2' | 'checkedUtxoMintUnknown' | 'suspendedUtxo' | 'xDonation'
>

function ofDeposits(payload: OfDeposits): Noted {
  switch (payload.type) {
    case 'receivedUtxos': {
      const { mintTxid, toAccount, utxos } = payload
      return mintTxid === undefined
        ? info('transactions/confirmation.ts', `change: ${coins(utxos)}`)
        : info(
            'deposits/deposit.ts',
            `${coins(utxos)} minted to ${owner(toAccount)} in block ${mintTxid}`,
          )
    }
    case 'checkedUtxoV2':
      return debug('deposits/deposit.ts', `${outpoint(payload.utxo)} passed the checker`)
    case 'checkedUtxoMintUnknown':
      return info(
        'call-journal.ts',
        `${outpoint(payload.utxo)}: whether it was minted is not known`,
      )
    case 'suspendedUtxo': {
      const { utxo, reason, account } = payload
      const why = reason === 'quarantined' ? 'quarantined' : 'too small'
      return info('deposits/deposit.ts', `${outpoint(utxo)} of ${owner(account)} is ${why}`)
    }
    case 'xDonation':
      return info('transactions/confirmation.ts', `${outpoint(payload.utxo)} is a donation`)
  }
}

type OfOperation = Payload<
  | 'createdConsolidateUtxosRequest'
  | 'xConsolidationBurned'
  | 'xAbortedConsolidation'
  | 'xResolvedUnknown'
  | 'xWrittenOff'
  | 'xAdoptedCoin'
>

function ofOperation(payload: OfOperation): Noted {
  switch (payload.type) {
    case 'createdConsolidateUtxosRequest':
      return info(
        'transactions/consolidation.ts',
        `coins of ${payload.amount} are being consolidated`,
      )
    case 'xConsolidationBurned':
      return info(
        'transactions/consolidation.ts',
        `burn ${payload.blockIndex} of ${payload.amount} pays for a consolidation`,
      )
    case 'xAbortedConsolidation':
      return info(
        'transactions/consolidation.ts',
        `consolidation ${payload.blockIndex} is given up`,
      )
    case 'xResolvedUnknown': {
      const { burnBlockIndex: burn, mintBlockIndex: mint } = payload
      const found = mint === undefined ? 'was not given back' : `was given back in block ${mint}`
      return info('call-journal.ts', `burn ${burn} ${found}, the ledger says`)
    }
    case 'xWrittenOff':
      return info('losses/losses.ts', `the operator wrote off ${coins(payload.utxos)}`)
    case 'xAdoptedCoin':
      return info('losses/losses.ts', `the operator took in ${outpoint(payload.utxo)}`)
  }
}

type OfTransactions = Payload<
  | 'xSigningStarted'
  | 'xInputSigned'
  | 'xSignatureFailed'
  | 'sentTransaction'
  | 'replacedTransaction'
  | 'confirmedTransaction'
>

function ofTransactions(payload: OfTransactions): Noted {
  switch (payload.type) {
    case 'xSigningStarted': {
      const { requests, utxos, replaces } = payload
      const what =
        replaces === undefined
          ? `a transaction for ${requests.length} requests`
          : `a replacement of ${toDisplayHex(replaces.oldTxid)}`
      return info('transactions/signing.ts', `${what} with ${utxos.length} inputs is being signed`)
    }
    case 'xInputSigned':
      return debug(
        'transactions/signing.ts',
        `input ${payload.input} of ${toDisplayHex(payload.txid)} is signed`,
      )
    case 'xSignatureFailed':
      return info(
        'transactions/signing.ts',
        `no signature came for input ${payload.input} of ${toDisplayHex(payload.txid)}`,
      )
    case 'sentTransaction':
      return info(
        'transactions/signing.ts',
        `${toDisplayHex(payload.txid)} is complete and sent for ${payload.requests.length} requests`,
      )
    case 'replacedTransaction':
      return info(
        'transactions/signing.ts',
        `${toDisplayHex(payload.newTxid)} replaces ${toDisplayHex(payload.oldTxid)} at ${payload.fee} msat/vB`,
      )
    case 'confirmedTransaction':
      return info('transactions/confirmation.ts', `${toDisplayHex(payload.txid)} is final`)
  }
}
