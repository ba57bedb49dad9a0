/**
 * A long valid history of a minter as its events: deposits, withdrawals in batches, replacements,
 * consolidations, cancellations, reimbursements. Source: minter §18.2, performance specification §7
 * G3.
 *
 * Every run gives the same events. Signatures are not real: no replay looks at them.
 */
import type { Txid } from '../../src/core/base/bytes.ts'
import { bigEndian, hash32, u32be } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { sat, timestampNs } from '../../src/core/base/units.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'
import {
  encodeStripped,
  encodeTransaction,
  transactionFromParts,
  txid as txidOf,
} from '../../src/core/btc/transaction.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { principal, principalOfText } from '../../src/core/ic/principal.ts'
import { EMBEDDED_INIT } from '../../src/core/minter/constants.ts'
import type { Event, Payload } from '../../src/core/minter/events/events.ts'
import { withWitnesses } from '../../src/core/minter/transactions/signed-transaction.ts'
import type { BitcoinAddress, Utxo } from '../../src/core/minter/types.ts'

export const MINTER = principalOfText('mqygn-kiaaa-aaaar-qaadq-cai')
const LEDGER = principalOfText('mxzaz-hqaaa-aaaar-qaada-cai')

const START_NS = 1_800_000_000_000_000_000n
const STEP_NS = 1_000_000n
const FEES = { minterFee: 1_000n, bitcoinFee: 2_000n }
const RECIPIENTS = 10
const INPUTS = 4
/** Withdrawals between two events of the rarer kinds. */
const REPLACED_EVERY = 7
const RETURNED_EVERY = 11
const CONSOLIDATED_EVERY = 50

export type HistoryOptions = {
  readonly accounts: number
  /** Deposits before the first withdrawal. */
  readonly coins: number
  /** Rounds between two consolidations. */
  readonly consolidatedEvery?: number
}

type Request = { readonly blockIndex: bigint; readonly amount: bigint; readonly account: Account }

/** A linear congruence: chance is not the point here, and bytes must come fast. */
class Numbers {
  #state = 12_345

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return this.#state % limit
  }
}

class History {
  readonly #numbers = new Numbers()
  readonly #options: HistoryOptions
  readonly #coins: Utxo[] = []
  #ledger = 0n
  #now = START_NS
  #deposits = 0
  #height = 100

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  *events(): Generator<Event> {
    const init = { ...EMBEDDED_INIT, ledgerId: LEDGER, checkerId: LEDGER }
    yield this.#event({ type: 'init', args: init })
    for (let i = 0; i < this.#options.coins; i++) yield* this.#deposit()
    for (let round = 1; ; round++) yield* this.#round(round)
  }

  *#round(round: number): Generator<Event> {
    for (let i = 0; i < RECIPIENTS; i++) yield* this.#deposit()
    const requests: Request[] = []
    for (let i = 0; i < RECIPIENTS; i++) {
      const request = { blockIndex: this.#ledger++, amount: 60_000n, account: this.#account() }
      requests.push(request)
      yield this.#accepted(request)
    }
    if (round % RETURNED_EVERY === 0) yield* this.#returned(present(requests.pop(), 'a request'))
    const isReplaced = round % REPLACED_EVERY === 0
    yield* this.#paid(requests, isReplaced)
    const { consolidatedEvery = CONSOLIDATED_EVERY } = this.#options
    if (round % consolidatedEvery === 0) yield* this.#consolidated()
  }

  #event(payload: Payload): Event {
    this.#now += STEP_NS
    return { timestamp: timestampNs(this.#now), payload }
  }

  #account(): Account {
    const number = this.#numbers.below(this.#options.accounts)
    return { owner: principal(Uint8Array.of(...u32be(number), 7, 1)) }
  }

  *#deposit(): Generator<Event> {
    const account = this.#account()
    const value = sat(50_000n + BigInt(this.#numbers.below(1_000_000)))
    const txid: Txid = hash32(sha256(bigEndian(BigInt(this.#deposits++), 8))) as Txid
    const utxo = { outpoint: { txid, vout: 0 }, value, height: this.#height }
    yield this.#event({ type: 'checkedUtxoV2', utxo, account })
    const mintTxid = this.#ledger++
    yield this.#event({ type: 'receivedUtxos', mintTxid, toAccount: account, utxos: [utxo] })
    this.#coins.push(utxo)
  }

  #accepted({ blockIndex, amount, account }: Request): Event {
    const receivedAt = this.#now
    const address = addressOf(this.#numbers.below(1_000_000))
    return this.#event({
      type: 'acceptedRetrieveBtcRequest',
      amount,
      address,
      blockIndex,
      receivedAt,
      reimbursementAccount: account,
    })
  }

  *#returned({ blockIndex, amount, account }: Request): Generator<Event> {
    const burnBlockIndex = blockIndex
    yield this.#event({ type: 'xHeldRequest', blockIndex, heldSince: this.#now })
    const returned = amount - 10n
    yield this.#event({ type: 'xScheduleReimbursement', account, burnBlockIndex, amount: returned })
    const mintBlockIndex = this.#ledger++
    yield this.#event({ type: 'reimbursedWithdrawal', burnBlockIndex, mintBlockIndex })
  }

  /** Coins from anywhere, so many that they reach. */
  #take(target: bigint, least: number): readonly Utxo[] {
    const taken: Utxo[] = []
    for (let sum = 0n; sum < target || taken.length < least; ) {
      const index = this.#numbers.below(this.#coins.length)
      const last = present(this.#coins.pop(), 'there are always coins')
      const coin = this.#coins[index] ?? last
      if (index < this.#coins.length) this.#coins[index] = last
      taken.push(coin)
      sum += coin.value
    }
    return taken
  }

  *#paid(requests: readonly Request[], isReplaced: boolean): Generator<Event> {
    const burns = requests.map(({ blockIndex }) => blockIndex)
    const amount = requests.reduce((sum, each) => sum + each.amount, 0n)
    const utxos = this.#take(amount, INPUTS)
    const outputs = { utxos, amounts: requests.map((each) => each.amount - 1_000n) }
    const first = yield* this.#sent(burns, outputs)
    const last = isReplaced ? yield* this.#replaced(first, outputs) : first
    yield* this.#final(last)
  }

  *#consolidated(): Generator<Event> {
    const blockIndex = this.#ledger++
    const utxos = this.#take(0n, RECIPIENTS)
    yield this.#event({
      type: 'createdConsolidateUtxosRequest',
      amount: 3_000n,
      address: addressOf(0),
      blockIndex,
      receivedAt: this.#now,
    })
    yield* this.#final(yield* this.#sent([blockIndex], { utxos, amounts: [20_000n] }))
  }

  *#sent(requests: readonly bigint[], outputs: Outputs): Generator<Event, Signed> {
    const signed = signedOf(outputs, 0n)
    yield* this.#signed(requests, signed, undefined)
    yield this.#event({
      type: 'sentTransaction',
      requests,
      ...shown(signed),
      utxos: signed.utxos,
      txid: signed.txid,
      signedTransaction: signed.bytes,
      submittedAt: this.#now,
    })
    return signed
  }

  *#replaced(old: Signed, outputs: Outputs): Generator<Event, Signed> {
    const signed = signedOf(outputs, 500n)
    const reason = { type: 'toRetry' } as const
    yield* this.#signed([], signed, { oldTxid: old.txid, reason })
    yield this.#event({
      type: 'replacedTransaction',
      oldTxid: old.txid,
      newTxid: signed.txid,
      ...shown(signed),
      submittedAt: this.#now,
      reason,
    })
    return signed
  }

  *#signed(
    requests: readonly bigint[],
    signed: Signed,
    replaces: Payload<'xSigningStarted'>['replaces'],
  ): Generator<Event> {
    const { unsigned, utxos, changeOutput, txid } = signed
    const unsignedTransaction = encodeStripped(unsigned)
    yield this.#event({
      type: 'xSigningStarted',
      requests,
      ...(replaces && { replaces }),
      unsignedTransaction,
      utxos,
      changeOutput,
      withdrawalFee: FEES,
    })
    for (const [input, one] of signed.signed)
      yield this.#event({ type: 'xInputSigned', txid, input, ...one })
  }

  /** A block: the change arrives. */
  *#final({ txid, changeOutput: { vout, value } }: Signed): Generator<Event> {
    const utxo = { outpoint: { txid, vout }, value: sat(value), height: ++this.#height }
    yield this.#event({ type: 'receivedUtxos', toAccount: { owner: MINTER }, utxos: [utxo] })
    yield this.#event({ type: 'confirmedTransaction', txid })
    this.#coins.push(utxo)
  }
}

type Outputs = { readonly utxos: readonly Utxo[]; readonly amounts: readonly bigint[] }

type SignedInputs = Map<number, { readonly publicKey: Uint8Array; readonly signature: Uint8Array }>

type Signed = {
  readonly unsigned: Transaction
  readonly txid: Txid
  readonly bytes: Uint8Array
  readonly utxos: readonly Utxo[]
  readonly changeOutput: { readonly vout: number; readonly value: bigint }
  readonly signed: SignedInputs
}

const shown = ({ changeOutput }: Signed) => ({ changeOutput, fee: 5_000n, withdrawalFee: FEES })

const addressOf = (number: number): BitcoinAddress => ({
  type: 'p2wpkhV0',
  bytes: Uint8Array.of(...u32be(number), ...new Uint8Array(16)),
})

/** `extra`: fee beyond that of another transaction that spends the same. */
function signedOf({ utxos, amounts }: Outputs, extra: bigint): Signed {
  const paid = amounts.reduce((sum, amount) => sum + amount, 0n)
  const coins = utxos.reduce((sum, { value }) => sum + value, 0n)
  const change = coins - paid - FEES.bitcoinFee - extra
  const script = Uint8Array.of(0, 20, ...new Uint8Array(20))
  const unsigned = transactionFromParts({
    inputs: utxos.map(({ outpoint }) => ({ outpoint })),
    outputs: [...amounts, change].map((value) => ({ value: sat(value), script })),
  })
  const txid = txidOf(unsigned)
  const one = { publicKey: new Uint8Array(33).fill(2), signature: new Uint8Array(64).fill(0x11) }
  const signed: SignedInputs = new Map(utxos.map((_, input) => [input, one]))
  const bytes = encodeTransaction(withWitnesses({ transaction: unsigned, signed }))
  const changeOutput = { vout: amounts.length, value: change }
  return { unsigned, txid, bytes, utxos, changeOutput, signed }
}

/** Events without end; whoever reads them stops. */
export const history = (options: HistoryOptions): Generator<Event> => new History(options).events()
