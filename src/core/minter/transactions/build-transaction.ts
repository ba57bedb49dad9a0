/** From coins and recipients to an unsigned transaction. Source: minter §§9.3, 10.2, 10.3, 11. */
import { assert } from '../../base/errors.ts'
import { divCeil, divFloor, sat } from '../../base/units.ts'
import type { Transaction } from '../../btc/transaction.ts'
import { transactionFromParts } from '../../btc/transaction.ts'
import { lengthSize } from '../../btc/wire.ts'
import { scriptOfAddress } from '../addresses.ts'
import { DUST_LIMIT } from '../constants.ts'
import type { Dialect } from '../dialect.ts'
import { PRESENT } from '../dialect.ts'
import type { ChangeOutput } from '../events/events.ts'
import type { Spendable } from '../state/coin-set.ts'
import { sumOf } from '../state/state.ts'
import type { BitcoinAddress, Utxo, WithdrawalFee } from '../types.ts'
import { selectCoins } from './coin-selection.ts'

export type Recipient = { readonly address: BitcoinAddress; readonly amount: bigint }

export type BuiltTransaction = {
  readonly type: 'built'
  readonly transaction: Transaction
  readonly utxos: readonly Utxo[]
  readonly changeOutput: ChangeOutput
  readonly withdrawalFee: WithdrawalFee
}

export type BuildError =
  | { readonly type: 'notEnoughFunds' }
  | { readonly type: 'tooManyInputs'; readonly inputs: bigint; readonly inputsMax: bigint }
  /** The fees are above all amounts together. */
  | { readonly type: 'amountTooLow'; readonly fees: bigint }
  /** What is left for this recipient is dust. */
  | { readonly type: 'dustOutput'; readonly recipient: Recipient; readonly share: bigint }

export type BuildRequest = {
  readonly utxos: readonly Utxo[]
  readonly recipients: readonly Recipient[]
  readonly mainScript: Uint8Array
  /** msat/vB. */
  readonly rate: bigint
  readonly inputsMax: bigint
  /** Absent: the present one. */
  readonly dialect?: Dialect | undefined
}

// A worst-case input: 41 bytes without its witness, and a stack of a 73-byte signature and a
// 33-byte key.
const INPUT_BYTES = 41
const INPUT_WITNESS_BYTES = 1 + 1 + 73 + 1 + 33
const OUTPUT_BYTES = 8
const VERSION_AND_LOCK_TIME_BYTES = 8
const SEGWIT_MARKER_BYTES = 2
const WITNESS_SCALE = 4

/** Size in vB with the longest signature that each input can have (§10.2). */
export function worstCaseVsize(inputs: number, scriptSizes: readonly number[]): bigint {
  const outputBytes = scriptSizes.reduce(
    (sum, size) => sum + OUTPUT_BYTES + lengthSize(size) + size,
    0,
  )
  const base =
    VERSION_AND_LOCK_TIME_BYTES +
    lengthSize(inputs) +
    INPUT_BYTES * inputs +
    lengthSize(scriptSizes.length) +
    outputBytes
  const witness = SEGWIT_MARKER_BYTES + INPUT_WITNESS_BYTES * inputs
  return divCeil(BigInt(WITNESS_SCALE * base + witness), BigInt(WITNESS_SCALE))
}

/** `amount` in `count` parts as even as can be; the first parts carry the remainder. */
export function distribute(amount: bigint, count: number): readonly bigint[] {
  const parts = BigInt(count)
  return Array.from(
    { length: count },
    (_, i) => divFloor(amount, parts) + (BigInt(i) < amount % parts ? 1n : 0n),
  )
}

/** Recipients in the order given, then always the change. The fees come out of the amounts. */
export function buildTransaction(request: BuildRequest): BuiltTransaction | BuildError {
  const { utxos, recipients, mainScript, rate, inputsMax, dialect = PRESENT } = request
  if (utxos.length === 0) return { type: 'notEnoughFunds' }
  const inputs = BigInt(utxos.length)
  if (dialect.isInputCountLimited && inputs > inputsMax)
    return { type: 'tooManyInputs', inputs, inputsMax }
  const minterFee = dialect.minterFee(utxos.length, recipients.length + 1)
  const scripts = recipients.map(({ address }) => scriptOfAddress(address))
  const sizes = [...scripts, mainScript].map((script) => script.length)
  const bitcoinFee = dialect.bitcoinFee(worstCaseVsize(utxos.length, sizes), rate)
  const fees = bitcoinFee + minterFee
  const amounts = recipients.reduce((sum, { amount }) => sum + amount, 0n)
  if (fees > amounts) return { type: 'amountTooLow', fees }
  const shares = distribute(fees, recipients.length)
  const dust = recipients.findIndex(({ amount }, i) => amount <= (shares[i] ?? 0n) + DUST_LIMIT)
  const [recipient, share] = [recipients[dust], shares[dust]]
  if (recipient !== undefined && share !== undefined)
    return { type: 'dustOutput', recipient, share }
  const change = sumOf(utxos) - amounts + minterFee
  if (change < minterFee) return { type: 'notEnoughFunds' }
  const paid = recipients.map(({ amount }, i) => amount - (shares[i] ?? 0n))
  const outputs = [...paid, change].map((value, i) => ({
    value: sat(value),
    script: scripts[i] ?? mainScript,
  }))
  assert(sumOf(utxos) === bitcoinFee + sumOf(outputs), 'inputs are the outputs and the fee')
  return {
    type: 'built',
    transaction: transactionFromParts({
      inputs: utxos.map(({ outpoint }) => ({ outpoint })),
      outputs,
    }),
    utxos,
    changeOutput: { vout: recipients.length, value: change },
    withdrawalFee: { minterFee, bitcoinFee },
  }
}

export type Plan = Omit<BuildRequest, 'utxos'> & {
  readonly available: Spendable
  readonly countThreshold: number
}

/** Selects coins and builds; what is available stays as it is. */
export function planTransaction(plan: Plan): BuiltTransaction | BuildError {
  const { available, recipients, countThreshold, inputsMax } = plan
  const target = recipients.reduce((sum, { amount }) => sum + amount, 0n)
  const selection = { target, recipients: recipients.length, countThreshold, inputsMax }
  const utxos = selectCoins(available, selection)
  return utxos === undefined ? { type: 'notEnoughFunds' } : buildTransaction({ ...plan, utxos })
}
