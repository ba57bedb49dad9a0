/**
 * What was sent for a redemption, and why it waits: the minter's view of it, where it has one.
 * Implements `docs/spec/cli.md` §§5.5, 5.6; minter §20.6.
 */
import { toDisplayHex } from '../../core/base/bytes.ts'
import { NS_PER_MS } from '../../core/base/units.ts'
import type { Wait } from '../../core/minter/views/waits.ts'
import type { Withdrawal } from '../../core/minter/views/withdrawals.ts'
import type { Facts } from './operation.ts'

/** Replacements that are told of: more than a minter makes. */
export const REPLACED_MAX = 20

/** What the journal keeps of it: the newest transaction, those before it, and what it costs. */
export function chainFacts({ transactions }: Withdrawal): Facts {
  const payments = transactions.filter(({ isCancellation }) => !isCancellation)
  // Whichever is in a block is the one that pays; else the newest.
  const paying = payments.find(({ confirmations }) => confirmations > 0) ?? payments.at(-1)
  const cancelling = transactions.findLast(({ isCancellation }) => isCancellation)
  if (paying === undefined) return {}
  const others = payments.filter((payment) => payment !== paying)
  const { feeRate, receives } = paying
  return {
    txid: toDisplayHex(paying.txid),
    ...(others.length > 0 && {
      replacedTxids: others
        .slice(-REPLACED_MAX)
        .map(({ txid }) => toDisplayHex(txid))
        .join(' '),
    }),
    ...(cancelling && { cancelledByTxid: toDisplayHex(cancelling.txid) }),
    ...(feeRate !== undefined && { feeRateMsatPerVb: String(feeRate) }),
    ...(receives !== undefined && { receivesSat: String(receives) }),
  }
}

/** Why it has not gone on, in words; undefined when nothing is waited for. */
export function waitWords({ wait, transactions }: Withdrawal): string | undefined {
  if (wait === undefined) return undefined
  const replaced = transactions.filter(({ isCancellation }) => !isCancellation).length - 1
  const words = wordsOf(wait)
  const isUnseen = wait.type === 'confirmations' && wait.have === 0
  if (!isUnseen || replaced < 1) return words
  const times = replaced === 1 ? 'once' : `${replaced} times`
  return `${words}; replaced ${times} with more fee`
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

const clock = (ns: bigint): string => new Date(Number(ns / NS_PER_MS)).toISOString()

function wordsOf(wait: Wait): string {
  switch (wait.type) {
    case 'stopped':
      return 'the minter has stopped itself: its books are broken, and a person has to look'
    case 'key':
      return 'the subnet is making the minter’s key'
    case 'view':
      return 'the minter’s view of Bitcoin is behind'
    case 'queue':
      return `sent with others by ${clock(wait.until)}, ${wait.ahead} before it`
    case 'funds':
      return wait.passedOverSince === undefined
        ? `the minter has ${wait.available} sat at hand now`
        : `the minter has ${wait.available} sat at hand now; it goes first as soon as that is enough`
    case 'fees':
      return `fees are too high for it now; given back if they stay so until ${clock(wait.until)}`
    case 'lostCoins':
      return `a reorganisation took back coins of ${wait.amount} sat`
    case 'signatures':
      return wait.failed === 0
        ? `${wait.signed} of ${counted(wait.inputs, 'signature')}`
        : `${wait.signed} of ${counted(wait.inputs, 'signature')}, ${wait.failed} asked for again`
    case 'announcement':
      return 'no Bitcoin node has asked for the transaction yet'
    case 'confirmations':
      return wait.have === 0
        ? `no block has the transaction yet${replacementWords(wait)}`
        : `${wait.have} of ${counted(wait.required, 'confirmation')}`
    case 'cancellation':
      return `cancelled; given back after ${wait.have} of ${counted(wait.required, 'confirmation')}`
    case 'return':
      return 'given back with the next round of the minter'
    case 'unknownReturn':
      return 'whether it was given back is looked up on the ledger'
  }
}

type Unseen = Extract<Wait, { readonly type: 'confirmations' }>

/** Why a transaction that is due for a higher fee has the old one (minter §14.2). */
const delays: Readonly<Record<NonNullable<Unseen['delay']>, string>> = {
  rateAboveMax: 'the fee would be above the limit of the minter',
  noEstimate: 'no fee estimate is known',
  lostCoins: 'a reorganisation took back coins that it spends',
  notEnoughFunds: 'its coins are not enough for it',
  tooManyInputs: 'it has too many inputs',
  amountTooLow: 'fees are too high for its amount',
  dustOutput: 'so little would be left that nodes do not relay it',
  unchanged: 'it would be the same transaction',
}

function replacementWords({ replacedAt, delay }: Unseen): string {
  if (delay !== undefined) return `; not replaced with more fee now: ${delays[delay]}`
  return replacedAt === undefined ? '' : `; replaced with more fee from ${clock(replacedAt)} on`
}
