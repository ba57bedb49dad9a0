/** Operations as people and programs read them. Implements `docs/spec/cli.md` §§3.10, 5.5, 5.6. */
import { Problem } from '../core/base/errors.ts'
import { formatDecimal } from '../core/base/units.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { bigintFact, isOpen, textFact } from '../wallet/operations/operation.ts'
import { amountFact, denominationOf } from '../wallet/operations/operation-token.ts'
import { nextStep } from '../wallet/operations/status.ts'
import { coins } from './money-words.ts'

type Symbols = { readonly bitcoin: string; readonly token: string }

/** What it moves; of a deposit what has been minted so far. */
const amountOf = (operation: Operation): bigint | undefined =>
  amountFact(operation, operation.kind === 'deposit' ? 'minted' : 'amount')

/** Of a further token the journal says how its amounts are written: it need not be there any more. */
export function amountWords(operation: Operation, { token }: Symbols): string {
  const amount = amountOf(operation)
  if (amount === undefined || amount === 0n) return '-'
  const further = denominationOf(operation)
  if (further === undefined) return coins(amount, token)
  return `${formatDecimal(amount, further.decimals)} ${further.symbol}`
}

const depositWords: Readonly<Record<string, string>> = {
  'awaiting-confirmations': 'waits for confirmations',
  checked: 'checked, about to be minted',
  minted: 'minted',
  quarantined: 'in quarantine',
  'too-small': 'too small',
  unseen: 'not seen yet',
}

export function stateWords(operation: Operation): string {
  const { kind, state } = operation
  if (kind === 'deposit' && isOpen(operation)) {
    const states = (textFact(operation, 'coins') ?? '').split(', ').filter(Boolean)
    if (states.length === 0) return 'waits for a payment'
    const words = states.map((coin) => depositWords[coin.split(' ').at(-1) ?? ''] ?? 'seen')
    return [...new Set(words)].join(', ')
  }
  const stage = textFact(operation, 'stage')
  if (kind === 'redeem' && stage === 'approved' && isOpen(operation)) return 'approved, not burned'
  const waits = textFact(operation, 'waits')
  if (kind === 'redeem' && stage !== undefined && state === 'waiting')
    return waits === undefined ? stage : `${stage} — ${waits}`
  return state
}

/** Transactions of a redemption that another has taken the place of. */
export const replacedIds = (operation: Operation): readonly string[] =>
  (textFact(operation, 'replacedTxids') ?? '').split(' ').filter(Boolean)

/** `25 sat/vB`; what the newest transaction really pays. */
export function feeRateOf(operation: Operation): number | undefined {
  const rate = bigintFact(operation, 'feeRateMsatPerVb')
  return rate === undefined ? undefined : Math.round(Number(rate) / 10) / 100
}

export function feeRateWords(operation: Operation): string | undefined {
  const rate = feeRateOf(operation)
  return rate === undefined ? undefined : `${rate} sat/vB`
}

/** `3 min`. */
export function sinceWords({ startedAt }: Operation, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(startedAt)) / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Of the list of `status`. */
export function operationDocument(operation: Operation) {
  const { next, needsAction } = nextStep(operation)
  const further = denominationOf(operation)
  const amount = amountOf(operation) ?? null
  return {
    ...(further === undefined ? {} : { token: further }),
    op: operation.id,
    kind: operation.kind,
    state: operation.state,
    stage: textFact(operation, 'stage') ?? null,
    ...(further === undefined ? { amountSat: amount } : { amountUnits: amount }),
    startedAt: operation.startedAt,
    updatedAt: operation.updatedAt,
    needsAction,
    next,
    // As the journal has them: names and values are the user's to read, and not a promise.
    detail: { account: operation.account, key: operation.key, ...operation.facts },
  }
}

/** One network knows nothing of what happens on another. Throws `USAGE_INVALID`. */
export function requireNetwork(
  { id, network }: Pick<Operation, 'id' | 'network'>,
  { command, selected }: { readonly command: string; readonly selected: string },
): void {
  if (network === selected) return
  throw new Problem('USAGE_INVALID', `${id} is on ${network}, and ${selected} is selected`, {
    fix: 'name its network',
    command: `ckbtc ${command} ${id} -n ${network}`,
  })
}

/** How to come back to something that goes on without this window. */
export const stoppedLine = (what: string, id: string): string =>
  [
    `Stopped waiting. Nothing is lost; the ${what} continues without this window.`,
    `  ckbtc status ${id}          see where it is`,
    `  ckbtc status ${id} --wait   keep watching`,
  ].join('\n')
