/**
 * Requests for consent messages in Candid. Implements ICRC-21 as written down in
 * `docs/spec/ledger.md` §15 and `docs/spec/minter.md` §20.5.
 */
import type { Codec } from './candid.ts'
import { blob, int16, nat, nat8, nat64, opt, text, vec } from './candid.ts'
import { enumeration, named, pair, record, variant } from './candid-records.ts'

/** `utcOffsetMinutes`: where the reader's clock stands. */
export type Language = {
  readonly language: string
  readonly utcOffsetMinutes?: number | undefined
}

export type ConsentRequest = {
  readonly method: string
  /** Candid of the method's arguments. */
  readonly arg: Uint8Array
  readonly userPreferences: {
    readonly metadata: Language
    readonly deviceSpec?: 'genericDisplay' | 'fieldsDisplay' | undefined
  }
}

export type FieldValue =
  | {
      readonly type: 'tokenAmount'
      readonly decimals: number
      /** Below 2^64. */
      readonly amount: bigint
      readonly symbol: string
    }
  | { readonly type: 'timestampSeconds'; readonly amount: bigint }
  | { readonly type: 'durationSeconds'; readonly amount: bigint }
  | { readonly type: 'text'; readonly content: string }

export type ConsentMessage =
  /** Markdown. */
  | { readonly type: 'genericDisplayMessage'; readonly markdown: string }
  | {
      readonly type: 'fieldsDisplayMessage'
      readonly intent: string
      readonly fields: readonly (readonly [label: string, value: FieldValue])[]
    }

/** The second and the third are never produced. */
export type ConsentError =
  | { readonly type: 'unsupportedCanisterCall'; readonly description: string }
  | { readonly type: 'consentMessageUnavailable'; readonly description: string }
  | { readonly type: 'insufficientPayment'; readonly description: string }
  | { readonly type: 'genericError'; readonly errorCode: bigint; readonly description: string }

export type ConsentResult =
  | { readonly type: 'ok'; readonly consentMessage: ConsentMessage; readonly metadata: Language }
  | { readonly type: 'err'; readonly error: ConsentError }

const language: Codec<Language> = record({ language: text, utc_offset_minutes: opt(int16) })

export const consentRequest: Codec<ConsentRequest> = record({
  method: text,
  arg: blob,
  user_preferences: record({
    metadata: language,
    device_spec: opt(enumeration('GenericDisplay', 'FieldsDisplay')),
  }),
})

const fieldValue: Codec<FieldValue> = variant({
  TokenAmount: record({ decimals: nat8, amount: nat64, symbol: text }),
  TimestampSeconds: record({ amount: nat64 }),
  DurationSeconds: record({ amount: nat64 }),
  Text: record({ content: text }),
})

const consentMessage: Codec<ConsentMessage> = variant({
  GenericDisplayMessage: named('markdown', text),
  FieldsDisplayMessage: record({ intent: text, fields: vec(pair(text, fieldValue)) }),
})

const described = record({ description: text })
const consentError: Codec<ConsentError> = variant({
  UnsupportedCanisterCall: described,
  ConsentMessageUnavailable: described,
  InsufficientPayment: described,
  GenericError: record({ error_code: nat, description: text }),
})

export const consentResult: Codec<ConsentResult> = variant({
  Ok: record({ consent_message: consentMessage, metadata: language }),
  Err: named('error', consentError),
})
