/**
 * Known differences of newer releases, by rule: the table of RECORDINGS.md, and hardening rules of
 * the minter's specification (§19).
 *
 * An adjustment says what the recorded answer would be today, where that can be computed; the
 * comparison stays exact. A difference says of an answer that cannot be computed why it differs.
 */

import { eventOfToday, plainEvent } from './event-rules.ts'
import type { Readable, Step } from './format.ts'
import { field, fieldsOf, listOf } from './format.ts'
import { ledgerAdjustments, ledgerDifferences } from './ledger-rules.ts'
import type { Outcome } from './outcome.ts'
import { canonical, caseOf } from './readable.ts'

/** What a rule may look at besides the answers. */
export type Facts = {
  readonly minterId: string
  readonly mainAddress: string
  readonly checkFee: bigint
  readonly network: string
  /** Why the ledger is not as the recorded one. */
  readonly ledgerApart: string | undefined
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

export type Adjustment = {
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
  /** The ledger does it all the same, so that its blocks stay in step. */
  readonly isCarriedOut?: true
  readonly applies: (compared: Compared) => boolean
}

/** What a failed send leaves behind. */
export const KEPT = 'what could not be sent stays submitted today [H 2]'

export const DONATION = 'what others pay to the main address is not spent today [H 10]'
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
  ...ledgerAdjustments,
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
    reason: 'certificates are unsigned in the recordings',
    adjust(recorded, ours, { step }) {
      const certificate = field(recorded, 'certificate') ?? field(ours, 'certificate')
      if (step.c !== 'ledger' || certificate === undefined) return undefined
      const { certificate: _, ...rest } = fieldsOf(recorded)
      const our = field(ours, 'certificate')
      return our === undefined ? rest : { ...rest, certificate: our }
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

/** A subaccount that is longer than one can be, anywhere in the arguments. */
const hasLongSubaccount = ({ step }: Compared): boolean =>
  /"subaccount":"[0-9a-f]{65,}"/.test(JSON.stringify(step.in ?? null))

export const differences: readonly Difference[] = [
  ...ledgerDifferences,
  {
    reason: 'of a subaccount of 33 bytes the last was read as the next field: a defect',
    isCarriedOut: true,
    applies: (compared) =>
      compared.step.c === 'ledger' && hasLongSubaccount(compared) && isRejected(compared.ours),
  },
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
    reason: 'the pages show what the minters hold since they differ',
    applies: (compared) =>
      isMinter(compared, 'http_request') && compared.facts.diverged !== undefined,
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
  ['get_data_certificate', 'certificates are unsigned in the recordings'],
  ['icrc3_get_tip_certificate', 'certificates are unsigned in the recordings'],
])
