/** Known differences of newer ledgers, by rule: the table of RECORDINGS.md. */
import type { Readable } from './format.ts'
import { field, listOf } from './format.ts'
import type { Outcome } from './outcome.ts'
import { isSame } from './readable.ts'
import type { Adjustment, Compared, Difference } from './rules.ts'

/** Of the ledger or one of its archives. */
export const isOfLedger = ({ step }: Compared): boolean => step.c !== 'minter' && step.c !== 'kyt'

/** What the ledger refuses today of an installation or an upgrade. */
const refusedToday = (words: RegExp, reason: string): Difference => ({
  reason,
  applies: ({ step, recorded, ours }) =>
    (step.op === 'install' || step.op === 'upgrade') &&
    step.c === 'ledger' &&
    !isRejected(recorded) &&
    'code' in ours &&
    words.test(ours.message ?? ''),
})

const NEW_METHODS =
  /^(?:icrc10_|icrc21_|icrc103_|icrc106_|icrc3_|is_ledger_ready$|get_data_certificate$|http_request$)/

const isRejected = (outcome: Outcome): boolean => 'code' in outcome

const isAsked = (compared: Compared, method: string): boolean =>
  isOfLedger(compared) && compared.step.m === method

/** ICRC-103, behind what was recorded. */
const NEW_METADATA: readonly Readable[] = [
  ['icrc103:public_allowances', { Text: 'true' }],
  ['icrc103:max_take_value', { Nat: '500' }],
]
const NEW_STANDARDS: readonly Readable[] = ['ICRC-10', 'ICRC-21', 'ICRC-103', 'ICRC-106']
const NEW_BLOCK_TYPES: readonly Readable[] = ['1xfer', '107feecol']

const without = (list: Readable | undefined, name: string, newer: readonly Readable[]) =>
  listOf(list).filter((row) => !newer.includes(field(row, name) ?? null))

export const ledgerAdjustments: readonly Adjustment[] = [
  {
    reason: 'newer ledgers show keys of ICRC-103',
    adjust: (recorded, _, compared) =>
      isAsked(compared, 'icrc1_metadata') ? [...listOf(recorded), ...NEW_METADATA] : undefined,
  },
  {
    reason: 'newer ledgers know ICRC-10, 21, 103 and 106',
    adjust: (recorded, ours, compared) =>
      isAsked(compared, 'icrc1_supported_standards') &&
      isSame(without(ours, 'name', NEW_STANDARDS), recorded)
        ? ours
        : undefined,
  },
  {
    reason: 'newer ledgers list 1xfer',
    adjust: (recorded, ours, compared) =>
      isAsked(compared, 'icrc3_supported_block_types') &&
      isSame(without(ours, 'block_type', NEW_BLOCK_TYPES), recorded)
        ? ours
        : undefined,
  },
]

export const ledgerDifferences: readonly Difference[] = [
  {
    reason: 'the pages of a ledger are each program’s own',
    applies: (compared) => isAsked(compared, 'http_request'),
  },
  refusedToday(/metadata key/, 'reserved and repeated keys of metadata are refused today'),
  refusedToday(/cannot be the minting account/, 'the minting account is no collector today'),
  refusedToday(/can hold no tokens/, 'an initial balance of the minting account is refused today'),
  {
    reason: 'newer ledgers and archives have more methods',
    applies: (compared) =>
      isOfLedger(compared) &&
      NEW_METHODS.test(compared.step.m ?? '') &&
      'code' in compared.recorded &&
      /has no (?:query|update) method/.test(compared.recorded.message ?? ''),
  },
]
