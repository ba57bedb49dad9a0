/**
 * What a person is asked to agree to before a withdrawal is signed, and which standards the minter
 * has. Implements `docs/spec/minter.md` §20.5 (ICRC-10, ICRC-21).
 */
import { toHex } from '../../base/bytes.ts'
import { attempt, BadEncoding } from '../../base/errors.ts'
import { decodeArgs, query, text, update, vec } from '../../ic/candid.ts'
import { record } from '../../ic/candid-records.ts'
import type {
  ConsentMessage,
  ConsentRequest,
  ConsentResult,
  FieldValue,
} from '../../ic/consent-interface.ts'
import { consentRequest, consentResult } from '../../ic/consent-interface.ts'
import type { BitcoinNetwork, RetrieveBtcArgs } from '../types.ts'
import { minterInterface } from './interface.ts'

export const standardsInterface = {
  icrc10_supported_standards: query([], vec(record({ name: text, url: text }))),
  icrc21_canister_call_consent_message: update([consentRequest], consentResult),
}

export const SUPPORTED_STANDARDS: readonly { readonly name: string; readonly url: string }[] = [
  {
    name: 'ICRC-10',
    url: 'https://github.com/dfinity/ICRC/blob/main/ICRCs/ICRC-10/ICRC-10.md',
  },
  {
    name: 'ICRC-21',
    url: 'https://github.com/dfinity/wg-identity-authentication/blob/main/topics/ICRC-21/icrc_21_consent_msg.md',
  },
]

/** Longer arguments are not looked at. */
const ARG_BYTES_MAX = 500
const DECIMALS = 8
/** Characters that a small device shows of one text. */
const PIECE_LENGTH = 18
/** Others could end the code that the address stands in, or pose as another line of the message. */
const ADDRESS = /^[!-_a-~]+$/

type Symbols = { readonly token: string; readonly coin: string }

const symbolsOf = (network: BitcoinNetwork): Symbols =>
  network === 'mainnet' ? { token: 'ckBTC', coin: 'BTC' } : { token: 'ckTESTBTC', coin: 'TESTBTC' }

/** A withdrawal that is about to be signed. */
type Withdrawal = RetrieveBtcArgs & {
  readonly fromSubaccount?: Uint8Array | undefined
  /** False: the tokens were deposited with the minter before. */
  readonly isApproved: boolean
}

const unsupported = (description: string): ConsentResult => ({
  type: 'err',
  error: { type: 'unsupportedCanisterCall', description },
})

/** `icrc21_canister_call_consent_message`: the same for everybody. */
export function consent(
  network: BitcoinNetwork,
  { method, arg, userPreferences }: ConsentRequest,
): ConsentResult {
  if (arg.length > ARG_BYTES_MAX)
    return unsupported(`the argument has ${arg.length} bytes, at most ${ARG_BYTES_MAX} are read`)
  const withdrawal = attempt(() => readWithdrawal(method, arg))
  if (withdrawal === undefined)
    return unsupported('only retrieve_btc and retrieve_btc_with_approval are explained')
  if (withdrawal instanceof BadEncoding)
    return unsupported(`the argument does not decode: ${withdrawal.message}`)
  if (!ADDRESS.test(withdrawal.address))
    return unsupported('the argument names no address that could be shown')
  const { deviceSpec, metadata } = userPreferences
  const { utcOffsetMinutes } = metadata
  const symbols = symbolsOf(network)
  const consentMessage =
    deviceSpec === 'fieldsDisplay'
      ? fieldsMessage(withdrawal, symbols)
      : genericMessage(withdrawal, symbols)
  return { type: 'ok', consentMessage, metadata: { language: 'en', utcOffsetMinutes } }
}

function readWithdrawal(method: string, arg: Uint8Array): Withdrawal | undefined {
  const { retrieve_btc, retrieve_btc_with_approval } = minterInterface
  if (method === 'retrieve_btc')
    return { ...decodeArgs(retrieve_btc.args, arg)[0], isApproved: false }
  if (method === 'retrieve_btc_with_approval')
    return { ...decodeArgs(retrieve_btc_with_approval.args, arg)[0], isApproved: true }
  return undefined
}

/** Markdown. */
function genericMessage(withdrawal: Withdrawal, { token, coin }: Symbols): ConsentMessage {
  const { address, amount, fromSubaccount, isApproved } = withdrawal
  const source = isApproved
    ? `from your account`
    : `that you deposited to your withdrawal account before`
  const paragraphs = [
    `# Convert ${token} to ${coin}`,
    `The ${token} minter burns ${token} ${source} and sends the same amount in ${coin}, minus ` +
      'network and minter fees, to the Bitcoin address below.',
    `**Amount to convert:** \`${amountText(amount)} ${token}\``,
    `**Bitcoin destination address:**\n\`${address}\``,
  ]
  if (fromSubaccount !== undefined)
    paragraphs.push(`**${token} source subaccount:**\n\`${toHex(fromSubaccount)}\``)
  return { type: 'genericDisplayMessage', markdown: paragraphs.join('\n\n') }
}

type Field = readonly [label: string, value: FieldValue]

function fieldsMessage(withdrawal: Withdrawal, { token, coin }: Symbols): ConsentMessage {
  const { address, amount, fromSubaccount } = withdrawal
  const fields: readonly Field[] = [
    ['Amount', { type: 'tokenAmount', decimals: DECIMALS, amount, symbol: token }],
    ...inPieces(`${coin} address`, address),
    ...(fromSubaccount === undefined ? [] : inPieces('From subaccount', toHex(fromSubaccount))),
  ]
  return { type: 'fieldsDisplayMessage', intent: `${token} to ${coin}`, fields }
}

/** A text that is too long for one screen is cut, and each piece says which it is. */
function inPieces(label: string, content: string): readonly Field[] {
  const count = Math.ceil(content.length / PIECE_LENGTH)
  return Array.from({ length: count }, (_, i): Field => {
    const piece = content.slice(i * PIECE_LENGTH, (i + 1) * PIECE_LENGTH)
    return [count === 1 ? label : `${label} (${i + 1}/${count})`, { type: 'text', content: piece }]
  })
}

/** Exact; no zeros at the end, no point after whole coins. */
function amountText(amount: bigint): string {
  const unit = 10n ** BigInt(DECIMALS)
  const fraction = (amount % unit).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  return fraction === '' ? `${amount / unit}` : `${amount / unit}.${fraction}`
}
