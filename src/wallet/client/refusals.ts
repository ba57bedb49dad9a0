/**
 * Refusals of ledger and minter as errors with a code. Implements the mapping rule of cli §6: every
 * variant of every error type of the interfaces has exactly one code.
 */
import type { ErrorCode } from '../../core/base/errors.ts'
import { Problem } from '../../core/base/errors.ts'
import { formatBtc } from '../../core/base/units.ts'
import type { ApproveError, TransferFromError } from '../../core/ledger/types.ts'
import type {
  RetrieveBtcWithApprovalError,
  SuspendedReason,
  UpdateBalanceError,
} from '../../core/minter/types.ts'
import type { Token } from '../token.ts'
import { inUnits, smallText, tokenDocument, tokenOption, tokenText } from '../token.ts'

/** Code of the generic error of a redemption whose destination is flagged (minter §7.2 step 9). */
const FLAGGED_DESTINATION = 1n

export type LedgerError = TransferFromError | ApproveError
export type MinterError = RetrieveBtcWithApprovalError | UpdateBalanceError

/** A duplicate is a success for whoever sent the first one; only others are told of a refusal. */
export const ledgerCodes: Readonly<Record<LedgerError['type'], ErrorCode>> = {
  allowanceChanged: 'LEDGER_ALLOWANCE_CHANGED',
  badBurn: 'LEDGER_REFUSED',
  badFee: 'LEDGER_REFUSED',
  createdInFuture: 'HOST_CLOCK',
  duplicate: 'LEDGER_REFUSED',
  expired: 'LEDGER_REFUSED',
  genericError: 'LEDGER_REFUSED',
  insufficientAllowance: 'LEDGER_ALLOWANCE_CHANGED',
  insufficientFunds: 'LEDGER_INSUFFICIENT_FUNDS',
  temporarilyUnavailable: 'LEDGER_REFUSED',
  tooOld: 'HOST_CLOCK',
}

/**
 * `temporarilyUnavailable` by a mode of the minter is `MINTER_RESTRICTED`, and `genericError` for a
 * flagged destination `MINTER_DEST_FLAGGED`: their words and numbers tell.
 */
export const minterCodes: Readonly<Record<MinterError['type'], ErrorCode>> = {
  alreadyProcessing: 'MINTER_ALREADY_PROCESSING',
  amountTooLow: 'MINTER_BELOW_MINIMUM',
  genericError: 'MINTER_REFUSED',
  insufficientAllowance: 'LEDGER_ALLOWANCE_CHANGED',
  insufficientFunds: 'LEDGER_INSUFFICIENT_FUNDS',
  malformedAddress: 'BTC_BAD_ADDRESS',
  noNewUtxos: 'MINTER_REFUSED',
  temporarilyUnavailable: 'MINTER_BUSY',
}

/** Error types of methods that the wallet does not call yet: whatever they say is kept verbatim. */
export const uncalledCodes = {
  ledger: {
    accessDenied: 'LEDGER_REFUSED',
    consentMessageUnavailable: 'LEDGER_REFUSED',
    indexPrincipalNotSet: 'LEDGER_REFUSED',
    insufficientPayment: 'LEDGER_REFUSED',
    unsupportedCanisterCall: 'LEDGER_REFUSED',
  },
  minter: { invalidMemo: 'MINTER_REFUSED', too_many_inputs: 'MINTER_REFUSED' },
} as const

/** Of coins that the minter has seen and does not credit. */
export const suspensionCodes: Readonly<Record<SuspendedReason, ErrorCode>> = {
  quarantined: 'MINTER_COIN_FLAGGED',
  valueTooSmall: 'MINTER_COIN_TOO_SMALL',
}

/** What was asked for, so that a message can hold it against what there is. */
export type Asked = {
  readonly what: 'transfer' | 'approval' | 'redemption' | 'deposit'
  readonly token: Token
  readonly amount: bigint
  /** Of the ledger, for this call; 0 for a burn. */
  readonly fee: bigint
}

export function ledgerRefusal(error: LedgerError, asked: Asked): Problem {
  const code = ledgerCodes[error.type]
  const details = { ...error, refusal: error.type, ...factsOf(asked) }
  switch (error.type) {
    case 'insufficientFunds':
      return insufficientFunds(error.balance, asked)
    case 'allowanceChanged':
      return new Problem(code, `the allowance is ${money(error.currentAllowance, asked)} by now`, {
        fix: 'look at it, and decide again',
        command: `ckbtc allowance${tokenOption(asked.token)}`,
        details,
      })
    case 'insufficientAllowance':
      return allowanceSpent(error.allowance, asked)
    case 'tooOld':
    case 'createdInFuture': {
      const side = error.type === 'tooOld' ? 'behind' : 'ahead of'
      return new Problem(code, `the clock of this computer is ${side} the ledger's by too much`, {
        fix: 'set the clock, then run the command again; nothing was done',
        command: 'ckbtc doctor',
        details,
      })
    }
    case 'badFee':
      return said(code, `the fee is ${smallText(error.expectedFee, asked.token)} now`, {
        asked,
        details,
      })
    case 'badBurn':
      return said(code, `a burn takes at least ${smallText(error.minBurnAmount, asked.token)}`, {
        asked,
        details,
      })
    case 'duplicate':
      return said(code, `block ${error.duplicateOf} holds the same one already`, { asked, details })
    case 'expired':
      return said(code, 'it would have ended before it began', { asked, details })
    case 'temporarilyUnavailable':
      return said(code, 'the ledger is busy; try again in a moment', { asked, details })
    case 'genericError':
      return said(code, error.message, { asked, details })
  }
}

export function minterRefusal(error: MinterError, asked: Asked): Problem {
  const code = minterCodes[error.type]
  const details = { ...error, refusal: error.type, ...factsOf(asked) }
  switch (error.type) {
    case 'insufficientFunds':
      return insufficientFunds(error.balance, asked)
    case 'insufficientAllowance':
      return allowanceSpent(error.allowance, asked)
    case 'amountTooLow':
      return new Problem(
        code,
        `${money(asked.amount, asked)} is below the minimum of ${formatBtc(error.min)} for redeeming`,
        {
          fix: 'redeem at least that (it moves with the fees of Bitcoin), or transfer the ckBTC instead',
          command: 'ckbtc fees',
          details: { ...factsOf(asked), minimumSat: error.min },
        },
      )
    case 'alreadyProcessing':
      return new Problem(code, 'the minter is at work on this account', {
        fix: 'wait a minute, then run the command again',
        details,
      })
    case 'temporarilyUnavailable':
      return unavailable(error.message, details)
    case 'malformedAddress':
      return new Problem(code, `the minter does not pay to this address: ${error.message}`, {
        fix: 'check the address; nothing was burned',
        details,
      })
    case 'noNewUtxos':
      return said(code, 'there is no coin to mint for', { asked, details })
    case 'genericError':
      return asked.what === 'redemption' && error.code === FLAGGED_DESTINATION
        ? new Problem('MINTER_DEST_FLAGGED', 'the checker flagged the destination', {
            fix: 'nothing was burned; redeem to another address',
            details,
          })
        : said(code, error.message, { asked, details })
  }
}

const money = (amount: bigint, { token }: Asked): string => tokenText(amount, token)

const factsOf = ({ amount, fee, token }: Asked) =>
  tokenDocument(token, { amountSat: amount, feeSat: fee })

const said = (
  code: ErrorCode,
  words: string,
  { asked: { what }, details }: { asked: Asked; details: Readonly<Record<string, unknown>> },
): Problem =>
  new Problem(code, `the ${what} was refused: ${words}`, {
    fix: 'nothing was done; change what was asked for',
    details,
  })

function insufficientFunds(balance: bigint, asked: Asked): Problem {
  const { amount, fee, what, token } = asked
  const needed = amount + fee
  const most = balance > fee ? balance - fee : 0n
  const [more, first, command] = token.isFurther
    ? ['receive more', 'receive some first', `ckbtc balance${tokenOption(token)}`]
    : ['deposit more', 'deposit first', 'ckbtc deposit']
  const fix = most > 0n ? `at most ${money(most, asked)} can be moved; or ${more}` : first
  return new Problem(
    'LEDGER_INSUFFICIENT_FUNDS',
    `balance is ${money(balance, asked)}, the ${what} needs ${money(needed, asked)}`,
    {
      fix,
      command,
      details: tokenDocument(token, {
        balanceSat: balance,
        neededSat: needed,
        missingSat: needed - balance,
      }),
    },
  )
}

const allowanceSpent = (allowance: bigint, asked: Asked): Problem =>
  new Problem(
    'LEDGER_ALLOWANCE_CHANGED',
    `the allowance is ${money(allowance, asked)}, the ${asked.what} needs ${money(asked.amount, asked)}`,
    {
      fix: 'something else has used or changed it; nothing was burned',
      command: `ckbtc allowance${tokenOption(asked.token)}`,
      details: { ...inUnits(asked.token, { allowanceSat: allowance }), ...factsOf(asked) },
    },
  )

/** Words of the deployed minter for its modes (minter §2.2). */
const RESTRICTED = /read-only mode|temporarily restricted/

function unavailable(words: string, details: Readonly<Record<string, unknown>>): Problem {
  const restricted = RESTRICTED.test(words)
  return new Problem(
    restricted ? 'MINTER_RESTRICTED' : 'MINTER_BUSY',
    `the minter is not available: ${words}`,
    {
      fix: restricted ? 'nothing was done; look at its mode' : 'nothing was done; try again later',
      command: restricted ? 'ckbtc info' : undefined,
      details,
    },
  )
}
