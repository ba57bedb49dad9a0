/**
 * What every command that moves value does before it sends: key and account, limits, the earlier
 * operation it may repeat, the summary, consent. Implements `docs/spec/cli.md` §§3.10 to 3.13.
 */
import { parseAmount, parsePercent, parseSubaccount } from '../core/base/amounts.ts'
import { Problem, UsageInvalid } from '../core/base/errors.ts'
import type { Warning } from '../terminal/json.ts'
import type { PromptFacts } from '../terminal/prompt.ts'
import { canAsk, consent, typedConsent } from '../terminal/prompt.ts'
import { printPairs } from '../terminal/table.ts'
import type { Account } from '../wallet/account-text.ts'
import { limitsOf } from '../wallet/config.ts'
import { requireCanistersAgree } from '../wallet/network-check.ts'
import type { Journal } from '../wallet/operations/journal.ts'
import type { Operating } from '../wallet/operations/operating.ts'
import { repeated } from '../wallet/operations/operating.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { textFact } from '../wallet/operations/operation.ts'
import type { FeeCap } from '../wallet/rails.ts'
import { isLarge, requireWithinLimits } from '../wallet/rails.ts'
import type { Token } from '../wallet/token.ts'
import { parseTokenAmount, tokenText } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Options } from './definitions/command.ts'
import { journalOf } from './journal.ts'
import { selectKey, selectUser } from './keys.ts'
import type { Session } from './session.ts'

export type Spender = {
  readonly session: Session
  readonly journal: Journal
  /** Name of the key. */
  readonly key: string
  readonly account: Account
  readonly warnings: readonly Warning[]
  /** Reads only: nothing is unlocked for a plan. */
  readonly reading: Operating
  /** Unlocks the key. */
  readonly unlock: () => Promise<Operating>
}

/** From here on a message may have left that cannot be called back. */
export const SPENDING_STOPPED = [
  'Stopped waiting. Nothing is lost; what was sent goes on without this window.',
  '  ckbtc status   see where it is',
].join('\n')

/** The account that a command spends from, and how to sign for it. */
export function openSpender(
  session: Session,
  context: Context,
  fromSubaccount: string | undefined,
): Spender {
  const { network, client, signal } = session
  const { chosen, warnings } = selectKey(context, network)
  const owner = chosen.principal
  const account =
    fromSubaccount === undefined
      ? { owner }
      : { owner, subaccount: parseSubaccount(fromSubaccount) }
  const journal = journalOf(context)
  const reading = { client, journal, key: chosen.name, account, signal }
  return {
    session,
    journal,
    key: chosen.name,
    account,
    warnings,
    reading,
    unlock: async () => {
      const { user } = await selectUser(context, network)
      context.whenStopped({ line: SPENDING_STOPPED })
      const signing = client.signedBy(user)
      if (network.kind === 'custom') await requireCanistersAgree(signing)
      return { ...reading, client: signing }
    },
  }
}

export type Proposal = {
  /** What makes it the same as another one. */
  readonly same: Pick<Operation, 'kind' | 'facts'>
  readonly amountSat: bigint
  readonly feesSat: bigint
  /** What is about to happen, a line each. */
  readonly summary: readonly (readonly [name: string, value: string])[]
  /** Ends the summary. */
  readonly note?: string
}

export type Agreement = {
  readonly options: Options
  /** It goes on with an operation instead of making a new one. */
  readonly goesOn?: boolean
  /** Who is asked in tests; the person at the terminal. */
  readonly answer?: ((message: string) => Promise<boolean>) | undefined
}

/**
 * Returns when it may be sent. Throws `RAIL_FEE_CAP`, `RAIL_SPEND_LIMIT`, `CONSENT_DUPLICATE`,
 * `CONSENT_REQUIRED` and `CONSENT_DECLINED`.
 */
export async function agree(
  { session: { network, token }, reading }: Spender,
  context: Context,
  { same, amountSat, feesSat, summary, note }: Proposal,
  { options, answer, goesOn = false }: Agreement,
): Promise<void> {
  const limits = limitsOf(context.configuration, network.name)
  const cap = capOf(options.text('maxFee'), token)
  requireWithinLimits(network, limits, { amountSat, feesSat, cap })
  const { terminal, environment, globals } = context
  const facts = { environment, input: globals.input }
  if (!goesOn && !options.isOn('allowDuplicate'))
    await consentToRepetition(reading, same, { facts, options, answer })
  const isLocal = network.kind === 'local'
  const isTyped = isLarge(network, limits, amountSat)
  const isAnswered = isTyped ? options.text('confirmAmount') !== undefined : globals.yes
  const isAsked = !isLocal && !isAnswered && (answer !== undefined || canAsk(facts))
  const { json, plain, quiet } = terminal.settings
  // Nobody says yes to what was not shown, whatever else is left out.
  if (isAsked || !(json || plain || quiet)) {
    printPairs({ ...terminal, answer: terminal.warn }, summary)
    if (note !== undefined) terminal.warn(note)
  }
  if (isLocal) return
  if (isTyped) {
    const given = options.text('confirmAmount')
    const matches = (typed: string): boolean => parseTokenAmount(typed, token) === amountSat
    await typedConsent(`Type the amount to send it (${amountSat} sat)`, {
      facts,
      flag: '--confirm-amount',
      given,
      matches,
    })
    return
  }
  const asking = { facts, yes: globals.yes, hasDryRun: true }
  await consent('Send it?', answer === undefined ? asking : { ...asking, answer })
}

/**
 * A person is asked, a script is stopped; `--yes` says nothing about a repetition. On `local` only
 * what may still happen is in the way: repeating is what tests do.
 */
async function consentToRepetition(
  reading: Operating,
  same: Proposal['same'],
  {
    facts,
    options,
    answer,
  }: Pick<Agreement, 'options' | 'answer'> & { readonly facts: PromptFacts },
): Promise<void> {
  const idempotencyKey = options.text('idempotencyKey')
  const earlier = repeated(reading, same, { nowMs: Date.now(), idempotencyKey })
  if (earlier === undefined) return
  const isUnresolved = earlier.state === 'unknown' || earlier.state === 'submitting'
  if (reading.client.network.kind === 'local' && !isUnresolved) return
  const when = isUnresolved ? 'and its outcome is not known' : `at ${earlier.startedAt}`
  const message = `the same ${earlier.kind} was made before, ${when}`
  if (answer !== undefined || canAsk(facts)) {
    const question = `${earlier.id}: ${message}. Make another one?`
    return consent(
      question,
      answer === undefined ? { facts, yes: false } : { facts, yes: false, answer },
    )
  }
  throw new Problem('CONSENT_DUPLICATE', message, {
    fix: 'look at it first; if you want another one, add --allow-duplicate',
    command: `ckbtc status ${earlier.id}`,
    details: { op: earlier.id, state: earlier.state, startedAt: earlier.startedAt },
  })
}

/** `5000sat` or `5%`. */
function capOf(text: string | undefined, token: Token): FeeCap | undefined {
  if (text === undefined) return undefined
  return text.trim().endsWith('%')
    ? { type: 'share', hundredthsPercent: parsePercent(text) }
    : { type: 'sat', sat: parseTokenAmount(text, token) }
}

/** `0.1btc`, `0.1 btc` or `all`; more than nothing. */
export function spentAmount(
  args: readonly string[],
  command: string,
  token?: Token,
): bigint | 'all' {
  const typed = args.join(' ')
  if (typed === 'all') return 'all'
  const amount = token === undefined ? parseAmount(typed) : parseTokenAmount(typed, token)
  if (amount > 0n) return amount
  const example = token?.isFurther === true ? tokenText(1n, token) : '0.001ckbtc'
  throw new UsageInvalid('the amount is zero', {
    fix: `give an amount like ${example}, or all`,
    command: `ckbtc ${command} --help`,
  })
}

export function requiredOption(options: Options, name: string, command: string): string {
  const value = options.text(name)
  if (value !== undefined) return value
  throw new UsageInvalid(`--${name} is missing`, {
    fix: 'the help of the command has examples',
    command: `ckbtc ${command} --help`,
  })
}

/** Whether the journal knows of something that went to this receiver, on this network. */
export const wasPaidBefore = (
  { journal, session: { network } }: Pick<Spender, 'journal' | 'session'>,
  to: string,
): boolean =>
  journal
    .all()
    .some(
      (operation) =>
        operation.network === network.name &&
        textFact(operation, 'to') === to &&
        (operation.state === 'done' || operation.state === 'waiting'),
    )

/** A program that exchanges addresses in the clipboard seldom gets both ends right. */
export const compareLine = (destination: string): readonly [name: string, value: string] => [
  '  Compare',
  `first and last characters: ${destination.slice(0, 6)} … ${destination.slice(-6)}`,
]
