/**
 * What a person is asked to agree to before signing a call. Implements `docs/spec/ledger.md` §15
 * (ICRC-21).
 */
import { equalBytes } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'
import { NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { textOfAccount } from '../../ic/account.ts'
import { decodeArgs } from '../../ic/candid.ts'
import type {
  ConsentError,
  ConsentMessage,
  ConsentRequest,
  ConsentResult,
  FieldValue,
} from '../../ic/consent-interface.ts'
import type { Principal } from '../../ic/principal.ts'
import { anonymous } from '../../ic/principal.ts'
import type { Config } from '../config.ts'
import type { Call } from '../types.ts'
import { amountText, dateText, memoMarkdown, memoText } from './consent-text.ts'
import { ledgerInterface } from './ledger-interface.ts'

/** One thing to know about the call. */
type Item =
  | { readonly type: 'account'; readonly label: string; readonly account: Account }
  | {
      readonly type: 'amount'
      readonly label: string
      readonly amount: bigint
      readonly note?: string | undefined
    }
  | { readonly type: 'expiry'; readonly label: string; readonly seconds: bigint | undefined }
  | { readonly type: 'memo'; readonly label: string; readonly memo: Uint8Array }

type Story = {
  readonly intent: string
  /** What the call does, for those who get sentences. */
  readonly sentence: string
  readonly items: readonly Item[]
}

const NEVER_EXPIRES = 'This approval does not expire.'
const AMOUNT_MAX = 2n ** 64n - 1n
const TOO_LARGE: ConsentError = {
  type: 'genericError',
  errorCode: 500n,
  description: 'an amount is too large to be shown',
}

const unsupported = (description: string): ConsentError => ({
  type: 'unsupportedCanisterCall',
  description,
})

/** `icrc21_canister_call_consent_message`: the same for everybody but for the caller's account. */
export function consent(
  config: View<Config>,
  caller: Principal,
  { method, arg, userPreferences }: ConsentRequest,
): ConsentResult {
  const call = readCall(config, method, arg)
  if (!('arg' in call)) return { type: 'err', error: call }
  const story = tell(config, caller, call)
  const { deviceSpec, metadata } = userPreferences
  const { utcOffsetMinutes } = metadata
  const consentMessage =
    deviceSpec === 'fieldsDisplay'
      ? fieldsMessage(config, story)
      : genericMessage(config, story, utcOffsetMinutes ?? 0)
  return consentMessage === undefined
    ? { type: 'err', error: TOO_LARGE }
    : { type: 'ok', consentMessage, metadata: { language: 'en', utcOffsetMinutes } }
}

function readCall(config: View<Config>, method: string, arg: Uint8Array): Call | ConsentError {
  const bytesMax = config.limits.consentMessageArgBytesMax
  if (arg.length > bytesMax)
    return unsupported(`the argument has ${arg.length} bytes, at most ${bytesMax} are read`)
  const call = attempt(() => decodeCall(method, arg))
  if (call === undefined)
    return unsupported('only icrc1_transfer, icrc2_approve and icrc2_transfer_from are explained')
  if (call instanceof BadEncoding)
    return unsupported(`the argument does not decode: ${call.message}`)
  const { fee } = call.arg
  if (fee !== undefined && fee !== config.transferFee)
    return unsupported(`the call states a fee of ${fee}, the ledger takes ${config.transferFee}`)
  return call
}

function decodeCall(type: string, arg: Uint8Array): Call | undefined {
  const { icrc1_transfer, icrc2_approve, icrc2_transfer_from } = ledgerInterface
  switch (type) {
    case 'icrc1_transfer':
      return { type, arg: decodeArgs(icrc1_transfer.args, arg)[0] }
    case 'icrc2_approve':
      return { type, arg: decodeArgs(icrc2_approve.args, arg)[0] }
    case 'icrc2_transfer_from':
      return { type, arg: decodeArgs(icrc2_transfer_from.args, arg)[0] }
  }
  return undefined
}

function tell({ tokenName, transferFee }: View<Config>, caller: Principal, call: Call): Story {
  const own = (label: string, subaccount: Uint8Array | undefined): readonly Item[] =>
    equalBytes(caller, anonymous)
      ? []
      : [{ type: 'account', label, account: { owner: caller, subaccount } }]
  const account = (label: string, of: Account): Item => ({ type: 'account', label, account: of })
  const amount = (label: string, of: bigint, note?: string): Item => ({
    type: 'amount',
    label,
    amount: of,
    note,
  })
  const memo: readonly Item[] =
    call.arg.memo === undefined ? [] : [{ type: 'memo', label: 'Memo', memo: call.arg.memo }]
  const fees = amount('Fees', transferFee, 'Charged for the transfer.')
  switch (call.type) {
    case 'icrc1_transfer': {
      const { arg } = call
      const from = own('From', arg.fromSubaccount)
      return {
        intent: `Send ${tokenName}`,
        sentence: 'You are about to transfer tokens from your account.',
        items: [...from, amount('Amount', arg.amount), account('To', arg.to), fees, ...memo],
      }
    }
    case 'icrc2_transfer_from': {
      const { arg } = call
      return {
        intent: `Spend ${tokenName}`,
        sentence: 'You are about to transfer tokens from an account that lets you spend them.',
        items: [
          account('From', arg.from),
          amount('Amount', arg.amount),
          ...own('Spender', arg.spenderSubaccount),
          account('To', arg.to),
          fees,
          ...memo,
        ],
      }
    }
    case 'icrc2_approve':
      return approval(call.arg, { own, account, amount, memo, transferFee })
  }
}

type Words = {
  readonly own: (label: string, subaccount: Uint8Array | undefined) => readonly Item[]
  readonly account: (label: string, of: Account) => Item
  readonly amount: (label: string, of: bigint, note: string) => Item
  readonly memo: readonly Item[]
  readonly transferFee: bigint
}

function approval(
  arg: Extract<Call, { readonly type: 'icrc2_approve' }>['arg'],
  { own, account, amount, memo, transferFee }: Words,
): Story {
  const { fromSubaccount, spender, expectedAllowance, expiresAt } = arg
  const limit = 'From now on no more than this may be withdrawn.'
  const existing: readonly Item[] =
    expectedAllowance === undefined
      ? []
      : [amount('Existing allowance', expectedAllowance, 'Holds until you approve the new one.')]
  const seconds = expiresAt === undefined ? undefined : expiresAt / NS_PER_SECOND
  return {
    intent: 'Approve spending',
    sentence: 'You are about to let somebody else withdraw tokens from your account.',
    items: [
      ...own('From', fromSubaccount),
      account('Approve to spender', spender),
      amount('Requested allowance', arg.amount, limit),
      ...existing,
      { type: 'expiry', label: 'Approval expiration', seconds },
      amount('Approval fees', transferFee, 'Charged for the approval.'),
      ...own('Fees paid by', fromSubaccount),
      ...memo,
    ],
  }
}

/** Undefined when an amount cannot be shown. */
function fieldsMessage(
  { decimals, tokenSymbol: symbol }: View<Config>,
  { intent, items }: Story,
): ConsentMessage | undefined {
  if (items.some((item) => item.type === 'amount' && item.amount > AMOUNT_MAX)) return undefined
  const value = (item: Item): FieldValue => {
    switch (item.type) {
      case 'account':
        return { type: 'text', content: textOfAccount(item.account) }
      case 'amount':
        return { type: 'tokenAmount', decimals, amount: item.amount, symbol }
      case 'expiry':
        return item.seconds === undefined
          ? { type: 'text', content: NEVER_EXPIRES }
          : { type: 'timestampSeconds', amount: item.seconds }
      case 'memo':
        return { type: 'text', content: memoText(item.memo) }
    }
  }
  const fields = items.map((item) => [item.label, value(item)] as const)
  return { type: 'fieldsDisplayMessage', intent, fields }
}

/** Undefined when an amount cannot be shown. */
function genericMessage(
  { decimals, tokenSymbol }: View<Config>,
  { intent, sentence, items }: Story,
  utcOffsetMinutes: number,
): ConsentMessage | undefined {
  const paragraph = (item: Item): string | undefined => {
    const label = `**${item.label}:**`
    switch (item.type) {
      case 'account':
        return `${label}\n\`${textOfAccount(item.account)}\``
      case 'amount': {
        const number = amountText(item.amount, decimals)
        const note = item.note === undefined ? '' : `\n${item.note}`
        return number && `${label} \`${number} ${tokenSymbol}\`${note}`
      }
      case 'expiry':
        return item.seconds === undefined
          ? `${label}\n${NEVER_EXPIRES}`
          : `${label}\n${dateText(item.seconds, utcOffsetMinutes)}`
      case 'memo':
        return `${label}\n\`${memoMarkdown(item.memo)}\``
    }
  }
  const paragraphs = items.map(paragraph)
  if (paragraphs.includes(undefined)) return undefined
  const markdown = [`# ${intent}`, sentence, ...paragraphs].join('\n\n')
  return { type: 'genericDisplayMessage', markdown }
}
