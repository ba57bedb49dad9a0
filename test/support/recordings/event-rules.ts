/** Events of the minter: what today's release records of the same, and what is not compared. */
import type { Fields, Readable } from './format.ts'
import { field, fieldsOf } from './format.ts'
import { caseOf } from './readable.ts'

/** The payload as today's release records it; undefined: it records none. */
export function eventOfToday(payload: Fields): Fields | undefined {
  const [name, content] = caseOf(payload)
  const utxo = field(content, 'utxo')
  switch (name) {
    case 'checked_utxo':
      return field(content, 'clean') === true
        ? { checked_utxo_v2: { utxo: utxo ?? null } }
        : { suspended_utxo: { utxo: utxo ?? null, reason: { Quarantined: null } } }
    case 'ignored_utxo':
      return field(utxo, 'value') === '0'
        ? undefined
        : { suspended_utxo: { utxo: utxo ?? null, reason: { ValueTooSmall: null } } }
    case 'accepted_retrieve_btc_request': {
      const { kyt_provider: _, ...rest } = fieldsOf(content)
      return { [name]: rest }
    }
    case 'removed_retrieve_btc_request':
    case 'distributed_kyt_fee':
    case 'retrieve_btc_kyt_failed':
    case 'schedule_deposit_reimbursement':
    case 'reimbursed_failed_deposit':
      return undefined
    default:
      return payload
  }
}

/** Fields that a release has of its own: rates, times of timers, the account of a coin. */
const OWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  checked_utxo_v2: ['account'],
  suspended_utxo: ['account'],
  sent_transaction: ['fee', 'submitted_at', 'withdrawal_fee', 'signed_tx'],
  replaced_transaction: ['fee', 'submitted_at', 'withdrawal_fee', 'reason', 'new_utxos'],
}

/** What is compared of an event, with fields in one order. */
export function plainEvent(payload: Fields): Readable {
  const [name, content] = caseOf(payload)
  const own = OWN_FIELDS[name] ?? []
  const sort = (value: Readable): Readable =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, each]): [string, Readable] => [key, sort(each)]),
        )
      : Array.isArray(value)
        ? value.map(sort)
        : value
  const rest = Object.entries(fieldsOf(content)).filter(([key]) => !own.includes(key))
  return sort({ [name]: Object.fromEntries(rest) })
}
