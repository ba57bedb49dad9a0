/**
 * Known differences of newer releases, by rule: the table of RECORDINGS.md, and hardening rules of
 * the minter's specification (§19).
 *
 * An adjustment says what the recorded answer would be today, where that can be computed; the
 * comparison stays exact. A difference says of an answer that cannot be computed why it differs.
 */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { decodeMemo, encodeBurnMemo } from '../../../src/core/minter/memo.ts'
import type { Fields, Readable, Step } from './format.ts'
import { field, fieldsOf, listOf } from './format.ts'
import type { OurCall } from './our-calls.ts'
import type { Outcome } from './outcome.ts'
import { canonical, caseOf } from './readable.ts'

/** What a rule may look at besides the answers. */
export type Facts = {
  readonly minterId: string
  readonly mainAddress: string
  readonly checkFee: bigint
  readonly network: string
  /** Transactions cannot be sent now. */
  readonly isSendingDown: boolean
  /** By which recorded difference the two minters hold other requests or coins since. */
  readonly diverged: string | undefined
}

export type Compared = {
  readonly step: Step
  readonly recorded: Outcome
  readonly ours: Outcome
  readonly facts: Facts
}

type Adjustment = {
  readonly reason: string
  /** The recorded reply as today's, or undefined where the rule says nothing of it. */
  readonly adjust: (
    recorded: Readable,
    ours: Readable | undefined,
    compared: Compared,
  ) => Readable | undefined
}

export type Difference = {
  readonly reason: string
  /** The minters hold other requests from then on. */
  readonly diverges?: true
  readonly applies: (compared: Compared) => boolean
}

/** What a failed send leaves behind. */
export const KEPT = 'what could not be sent stays submitted today [H 2]'

const HELD = 'what fees eat is held, then returned, today [H 6]'

const ANONYMOUS = '2vxsx-fae'
const isMinter = ({ step }: Compared, ...methods: readonly string[]): boolean =>
  step.c === 'minter' && methods.includes(step.m ?? '')
const isRejected = (outcome: Outcome): boolean => 'code' in outcome
const replyOf = (outcome: Outcome): Readable | undefined =>
  'code' in outcome ? undefined : outcome.reply

/** The error of a result, as its case and what it carries. */
function errorOf(reply: Readable | undefined): readonly [string, Readable] {
  const [name, error] = caseOf(reply)
  return name === 'Err' ? caseOf(error) : ['', null]
}

const valueOfUtxo = (status: Readable): string => {
  const [name, content] = caseOf(status)
  return String(field(name === 'Minted' ? field(content, 'utxo') : content, 'value'))
}

/** Where both sides fail because a call of theirs did, each says so in its own words. */
const OWN_WORDS: readonly RegExp[] = [
  /^management call '/,
  /^Failed to call KYT/,
  /^The KYT provider/,
  /^[Cc]annot enqueue/,
  /^KYT /,
  /reject_code/,
  /^Destination address is tainted/,
  /^busy$/,
]

export const adjustments: readonly Adjustment[] = [
  {
    reason: 'newer replies name the minimum deposit',
    adjust: (recorded, ours, compared) =>
      isMinter(compared, 'get_minter_info') && field(ours, 'deposit_btc_min_amount') !== undefined
        ? {
            ...fieldsOf(recorded),
            deposit_btc_min_amount: field(ours, 'deposit_btc_min_amount') ?? null,
          }
        : undefined,
  },
  {
    reason: 'newer replies list what is suspended',
    adjust(recorded, ours, compared) {
      if (!isMinter(compared, 'update_balance')) return undefined
      const [[name, error], [, our]] = [errorOf(recorded), errorOf(ours)]
      const suspended = field(name === 'NoNewUtxos' ? our : null, 'suspended_utxos')
      return suspended === undefined
        ? undefined
        : { Err: { NoNewUtxos: { ...fieldsOf(error), suspended_utxos: suspended } } }
    },
  },
  {
    reason: 'a coin of value 0 is in no list today',
    adjust(recorded, _, compared) {
      const [name, statuses] = caseOf(recorded)
      if (!isMinter(compared, 'update_balance') || name !== 'Ok') return undefined
      const rest = listOf(statuses).filter((status) => valueOfUtxo(status) !== '0')
      return rest.length === listOf(statuses).length ? undefined : { Ok: rest }
    },
  },
  {
    reason: 'estimates are without the KYT fee today',
    adjust(recorded, _, compared) {
      if (!isMinter(compared, 'estimate_withdrawal_fee')) return undefined
      const fee = BigInt(String(field(recorded, 'minter_fee')))
      return { ...fieldsOf(recorded), minter_fee: String(fee - compared.facts.checkFee) }
    },
  },
  {
    reason: 'known coins come in any order',
    adjust(recorded, ours, compared) {
      if (!isMinter(compared, 'get_known_utxos')) return undefined
      const forms = (list: Readable | undefined) => listOf(list).map(canonical).sort()
      return JSON.stringify(forms(recorded)) === JSON.stringify(forms(ours)) ? ours : undefined
    },
  },
  {
    reason: 'texts of calls that failed are each program’s own',
    adjust(recorded, ours, compared) {
      if (compared.step.c !== 'minter') return undefined
      const [[name, content], [ourName, our]] = [errorOf(recorded), errorOf(ours)]
      if (name !== ourName) return undefined
      if (name === 'TemporarilyUnavailable')
        return OWN_WORDS.some((words) => words.test(String(content)))
          ? { Err: { [name]: our } }
          : undefined
      if (name !== 'GenericError') return undefined
      const error_message = field(our, 'error_message') ?? null
      return { Err: { [name]: { ...fieldsOf(content), error_message } } }
    },
  },
  {
    reason: 'events have a time, the account of a coin, and no KYT provider',
    adjust: (recorded, ours, compared) =>
      isMinter(compared, 'get_events')
        ? listOf(recorded)
            .flatMap((event) => eventOfToday(fieldsOf(event)) ?? [])
            .map((payload, at) => mergedEvent(payload, listOf(ours)[at]))
        : undefined,
  },
]

/** Ours, where it says the same as the recorded event. */
function mergedEvent(payload: Readable, ours: Readable | undefined): Readable {
  const our = fieldsOf(field(ours, 'payload'))
  return JSON.stringify(plainEvent(our)) === JSON.stringify(plainEvent(fieldsOf(payload)))
    ? (ours ?? null)
    : payload
}

const isGetAddressOfAnonymous = ({ step }: Compared): boolean =>
  step.as === 'anonymous' && field(step.in, 'owner') !== undefined

export const differences: readonly Difference[] = [
  {
    reason: 'anonymous callers of get_btc_address are served today',
    applies: (compared) =>
      isMinter(compared, 'get_btc_address') &&
      isGetAddressOfAnonymous(compared) &&
      isRejected(compared.recorded),
  },
  {
    reason: 'the anonymous owner is refused today [H 4]',
    applies: (compared) =>
      isMinter(compared, 'get_btc_address', 'update_balance') &&
      field(compared.step.in, 'owner') === ANONYMOUS &&
      isRejected(compared.ours),
  },
  {
    reason: 'nobody is credited at a subaccount of the minter [H 3]',
    applies: (compared) =>
      isMinter(compared, 'get_btc_address') &&
      field(compared.step.in, 'owner') === compared.facts.minterId &&
      field(compared.step.in, 'subaccount') !== undefined &&
      isRejected(compared.ours),
  },
  {
    reason: 'the main address is known in upper case too [H 3]',
    applies: (compared) =>
      isMinter(compared, 'retrieve_btc', 'retrieve_btc_with_approval') &&
      String(field(compared.step.in, 'address')).toLowerCase() === compared.facts.mainAddress &&
      isRejected(compared.ours),
  },
  {
    reason: HELD,
    diverges: true,
    applies: (compared) =>
      isMinter(compared, 'retrieve_btc_status', 'retrieve_btc_status_v2') &&
      caseOf(replyOf(compared.recorded))[0] === 'AmountTooLow',
  },
  {
    reason: 'an impossible estimate is rejected today',
    applies: (compared) =>
      isMinter(compared, 'estimate_withdrawal_fee') && isRejected(compared.ours),
  },
  {
    reason: 'an estimate without an amount was for two inputs',
    applies: (compared) =>
      isMinter(compared, 'estimate_withdrawal_fee') &&
      field(compared.step.in, 'amount') === undefined,
  },
  {
    reason: KEPT,
    applies: (compared) =>
      isMinter(compared, 'retrieve_btc_status', 'retrieve_btc_status_v2') &&
      compared.facts.isSendingDown &&
      ['Pending', 'Signing', 'Sending'].includes(caseOf(replyOf(compared.recorded))[0]) &&
      ['Sending', 'Submitted'].includes(caseOf(replyOf(compared.ours))[0]),
  },
  {
    reason: 'a destination is checked before the burn today',
    applies: (compared) =>
      isMinter(compared, 'retrieve_btc', 'retrieve_btc_with_approval') &&
      errorOf(replyOf(compared.recorded))[0] === 'GenericError',
  },
  {
    reason: 'status of what was burned before its check: nothing is burned today',
    applies: ({ step, recorded }) =>
      step.c === 'minter' &&
      /^retrieve_btc_status/.test(step.m ?? '') &&
      /WillReimburse|Reimbursed/.test(JSON.stringify(recorded)),
  },
  {
    reason: 'suspended deposits are looked at again each day, and after an upgrade, today',
    applies: (compared) =>
      isMinter(compared, 'update_balance') &&
      errorOf(replyOf(compared.recorded))[0] === 'NoNewUtxos' &&
      /^\{"Ok":\[\{"(ValueTooSmall|Tainted)"/.test(JSON.stringify(replyOf(compared.ours))),
  },
]

/** Methods whose answers are not a matter of the minter's state. */
export const UNCOMPARED: ReadonlyMap<string, string> = new Map([
  ['get_canister_status', 'the subnet answers: cycles, memory, module hash'],
  ['get_blocks', 'certificates are unsigned in the recordings'],
  ['get_data_certificate', 'certificates are unsigned in the recordings'],
  ['icrc3_get_tip_certificate', 'certificates are unsigned in the recordings'],
])

// ---- Calls ----

/** Asked by the recorded release of others, by ours of nobody. */
export const NOT_OURS: ReadonlyMap<string, string> = new Map([
  ['ecdsa_public_key', 'the root key is told by the subnet'],
  ['sign_with_ecdsa', 'signatures are outstanding work'],
  ['bitcoin_get_current_fee_percentiles', 'read in the slot'],
])

/** Burn memos bear no KYT fee today. */
export function memoOfToday(hex: string): string {
  const decoded = decodeMemo({ memoType: 'burn', memo: fromHex(hex) })
  if (decoded.type === 'err' || decoded.value.type !== 'burn') return hex
  const { memo } = decoded.value
  if (memo.type !== 'convert' || memo.address === undefined) return hex
  const { fee: _, ...rest } = memo
  return toHex(encodeBurnMemo(rest))
}

const KYT_MEMO = '820180'
const KYT_FAIL_MEMO = /^8202/

function isRejectedBurn(hex: string): boolean {
  const decoded = decodeMemo({ memoType: 'burn', memo: fromHex(hex) })
  if (decoded.type === 'err' || decoded.value.type !== 'burn') return false
  const { memo } = decoded.value
  return memo.type === 'convert' && memo.status === 'rejected'
}

/** Why a recorded write of the ledger is none of ours; undefined: no reason is known. */
export function reasonOfMissingWrite(
  { m, in: call }: OurCall,
  isStepDifferent: boolean,
): string | undefined {
  const memo = String(field(call, 'memo'))
  if (memo === KYT_MEMO) return 'KYT fees are not distributed today'
  if (isRejectedBurn(memo)) return 'a tainted destination costs nothing today'
  if (KYT_FAIL_MEMO.test(memo)) return 'what was burned before its check is returned later'
  if (m === 'icrc2_transfer_from' || isStepDifferent) return 'burned first, then checked'
  return undefined
}

/** Why ours asks where the recorded minter did not; undefined: no reason is known. */
export function reasonOfMoreCalls(step: Step, m: string): string | undefined {
  if (m === 'fetch_withdrawal_alerts') return 'a destination is checked before the burn today'
  if (step.op === 'together' && step.calls === undefined) return 'the calls were not kept'
  return undefined
}

// ---- Events ----

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
