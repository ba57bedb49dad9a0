/** Random events of every kind, for the codecs. For tests only. */
import fc from 'fast-check'
import type { Txid } from '../../src/core/base/bytes.ts'
import { hash32 } from '../../src/core/base/bytes.ts'
import { sat, timestampNs } from '../../src/core/base/units.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { principal } from '../../src/core/ic/principal.ts'
import type { Event, Payload, Payloads, PayloadType } from '../../src/core/minter/events/events.ts'
import type {
  BitcoinAddress,
  InvalidTransaction,
  Mode,
  ReplacedReason,
  UpgradeArgs,
  Utxo,
} from '../../src/core/minter/types.ts'

const nat64 = fc.bigInt(0n, 2n ** 64n - 1n)
const nat32 = fc.nat({ max: 2 ** 32 - 1 })
const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const txid = bytes(32).map((value) => hash32(value) as Txid)
const principals = fc.uint8Array({ maxLength: 29 }).map(principal)
const text = fc.string({ maxLength: 20 })
/** A field that may be left out. */
type Maybe<T> = { readonly [K in keyof T]?: T[K] }
const maybe = <T>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T, never>(fields, { requiredKeys: [] }) as fc.Arbitrary<Maybe<T>>

const account: fc.Arbitrary<Account> = fc
  .tuple(fc.record({ owner: principals }), maybe({ subaccount: bytes(32) }))
  .map(([owner, subaccount]) => ({ ...owner, ...subaccount }))
const utxo: fc.Arbitrary<Utxo> = fc.record({
  outpoint: fc.record({ txid, vout: nat32 }),
  value: fc.bigInt(0n, 2_100_000_000_000_000n).map(sat),
  height: nat32,
})
const utxos = fc.array(utxo, { maxLength: 3 })
const address: fc.Arbitrary<BitcoinAddress> = fc.oneof(
  fc.record({
    type: fc.constantFrom('p2wpkhV0' as const, 'p2pkh' as const, 'p2sh' as const),
    bytes: bytes(20),
  }),
  fc.record({ type: fc.constantFrom('p2wshV0' as const, 'p2trV1' as const), bytes: bytes(32) }),
)
const mode: fc.Arbitrary<Mode> = fc.oneof(
  fc.record({ type: fc.constantFrom('readOnly' as const, 'generalAvailability' as const) }),
  fc.record({
    type: fc.constantFrom('restrictedTo' as const, 'depositsRestrictedTo' as const),
    principals: fc.array(principals, { maxLength: 3 }),
  }),
)
const later: fc.Arbitrary<UpgradeArgs> = maybe({
  depositMinAmount: nat64,
  minConfirmations: nat32,
  checkFee: nat64,
  kytFee: nat64,
  checkerId: principals,
  kytId: principals,
  utxosCacheExpirationSeconds: nat64,
  consolidationThreshold: nat64,
  inputsMax: nat64,
})
const changeOutput = fc.record({ vout: nat32, value: nat64 })
const withdrawalFee = fc.record({ minterFee: nat64, bitcoinFee: nat64 })
const error: fc.Arbitrary<InvalidTransaction> = fc.record({
  type: fc.constant('tooManyInputs' as const),
  inputs: nat64,
  inputsMax: nat64,
})
const replacedReason: fc.Arbitrary<ReplacedReason> = fc.oneof(
  fc.constant({ type: 'toRetry' as const }),
  fc.record({ type: fc.constant('toCancel' as const), error }),
)
const both = <A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> =>
  fc.tuple(a, b).map(([left, right]) => ({ ...left, ...right }))

const indices = fc.record({ burnBlockIndex: nat64, mintBlockIndex: nat64 })
const request = { amount: nat64, address, blockIndex: nat64, receivedAt: nat64 }
const checked = fc.record({ utxo, account })

const fieldsOf: { readonly [T in PayloadType]: fc.Arbitrary<Payloads[T]> } = {
  init: both(
    fc.record({
      network: fc.constantFrom('mainnet' as const, 'testnet' as const, 'regtest' as const),
      ledgerId: principals,
      ecdsaKeyName: text,
      retrieveMinAmount: nat64,
      maxTimeInQueueNs: nat64,
      mode,
    }),
    later,
  ).map((args) => ({ args })),
  upgrade: both(maybe({ retrieveMinAmount: nat64, maxTimeInQueueNs: nat64, mode }), later).map(
    (args) => ({ args }),
  ),
  receivedUtxos: both(fc.record({ toAccount: account, utxos }), maybe({ mintTxid: nat64 })),
  acceptedRetrieveBtcRequest: both(
    fc.record(request),
    maybe({ kytProvider: principals, reimbursementAccount: account }),
  ),
  createdConsolidateUtxosRequest: fc.record(request),
  removedRetrieveBtcRequest: fc.record({ blockIndex: nat64 }),
  sentTransaction: both(
    fc.record({ requests: fc.array(nat64, { maxLength: 3 }), txid, utxos, submittedAt: nat64 }),
    maybe({ changeOutput, fee: nat64, withdrawalFee, signedTransaction: fc.uint8Array() }),
  ),
  replacedTransaction: both(
    fc.record({ newTxid: txid, oldTxid: txid, changeOutput, submittedAt: nat64, fee: nat64 }),
    maybe({
      withdrawalFee,
      reason: replacedReason,
      newUtxos: utxos,
    }),
  ),
  confirmedTransaction: fc.record({ txid }),
  checkedUtxo: both(
    fc.record({ utxo, uuid: text, clean: fc.boolean() }),
    maybe({ kytProvider: principals }),
  ),
  checkedUtxoV2: checked,
  checkedUtxoMintUnknown: checked,
  ignoredUtxo: fc.record({ utxo }),
  suspendedUtxo: both(
    checked,
    fc.record({ reason: fc.constantFrom('valueTooSmall' as const, 'quarantined' as const) }),
  ),
  distributedKytFee: fc.record({ kytProvider: principals, amount: nat64, blockIndex: nat64 }),
  retrieveBtcKytFailed: fc.record({
    address: text,
    amount: nat64,
    owner: principals,
    kytProvider: principals,
    uuid: text,
    blockIndex: nat64,
  }),
  scheduleDepositReimbursement: fc.record({
    account,
    burnBlockIndex: nat64,
    amount: nat64,
    reason: fc.oneof(
      fc.constant({ type: 'callFailed' as const }),
      fc.record({
        type: fc.constant('taintedDestination' as const),
        kytFee: nat64,
        kytProvider: principals,
      }),
    ),
  }),
  reimbursedFailedDeposit: indices,
  scheduleWithdrawalReimbursement: fc.record({
    account,
    burnBlockIndex: nat64,
    amount: nat64,
    error,
  }),
  quarantinedWithdrawalReimbursement: fc.record({ burnBlockIndex: nat64 }),
  reimbursedWithdrawal: indices,
  xSigningStarted: both(
    fc.record({
      requests: fc.array(nat64, { maxLength: 3 }),
      unsignedTransaction: fc.uint8Array(),
      utxos,
      changeOutput,
      withdrawalFee,
    }),
    maybe({ replaces: fc.record({ oldTxid: txid, reason: replacedReason }) }),
  ),
  xInputSigned: fc.record({ txid, input: nat32, publicKey: bytes(33), signature: bytes(64) }),
  xSignatureFailed: fc.record({ txid, input: nat32 }),
  xHeldRequest: fc.record({ blockIndex: nat64, heldSince: nat64 }),
  xScheduleReimbursement: fc.record({ account, burnBlockIndex: nat64, amount: nat64 }),
  xLedgerCall: fc.record({
    createdAtTime: nat64,
    amount: nat64,
    memo: fc.uint8Array({ maxLength: 80 }),
    purpose: fc.oneof(
      fc.record({ type: fc.constant('deposit' as const), account, utxo }),
      fc.record({
        type: fc.constant('withdrawal' as const),
        account,
        address,
        from: account,
        byAllowance: fc.boolean(),
      }),
      fc.record({ type: fc.constant('reimbursement' as const), account, burnBlockIndex: nat64 }),
      fc.constant({ type: 'consolidation' as const }),
    ),
  }),
  xLedgerCallEnded: fc.record({ createdAtTime: nat64 }),
  xResolvedUnknown: both(fc.record({ burnBlockIndex: nat64 }), maybe({ mintBlockIndex: nat64 })),
  xConsolidationBurned: fc.record({ blockIndex: nat64, amount: nat64 }),
  xAbortedConsolidation: fc.record({ blockIndex: nat64 }),
  xWrittenOff: fc.record({ utxos }),
  xAdoptedCoin: checked,
  xDonation: fc.record({ utxo }),
}

export const PAYLOAD_TYPES = Object.keys(fieldsOf) as PayloadType[]

/** Events of one kind, with a time and without. */
export function eventsOf(type: PayloadType): fc.Arbitrary<Event> {
  const payload = fieldsOf[type].map((fields) => ({ type, ...fields }) as Payload)
  const timestamp = nat64.map(timestampNs)
  return both(fc.record({ payload }), maybe({ timestamp }))
}

export const anyEvent: fc.Arbitrary<Event> = fc.oneof(...PAYLOAD_TYPES.map(eventsOf))
