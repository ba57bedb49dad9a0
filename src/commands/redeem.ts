/** `ckbtc redeem`: ckBTC to BTC. Implements `docs/spec/cli.md` §5.5. */
import { toDisplayHex } from '../core/base/bytes.ts'
import { CkbtcError, Problem, UsageInvalid } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Progress } from '../terminal/progress.ts'
import { parseBitcoinAddress } from '../wallet/destinations.ts'
import { rateOf } from '../wallet/fees.ts'
import type { Operating } from '../wallet/operations/operating.ts'
import { earlierWithKey, lookAgain } from '../wallet/operations/operating.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { bigintFact, isOpen, textFact } from '../wallet/operations/operation.ts'
import type { RedeemPlan } from '../wallet/operations/redeem.ts'
import {
  planRedemption,
  resumeRedemption,
  sameRedemption,
  redeem as send,
} from '../wallet/operations/redeem.ts'
import { refreshRedemption } from '../wallet/operations/redemption-status.ts'
import { refresh } from '../wallet/operations/status.ts'
import type { Context } from './context.ts'
import { continuationOf } from './continuation.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { coins, sats } from './money-words.ts'
import { feeRateOf, replacedIds } from './operation-words.ts'
import { reached, stageTeller } from './redemption-lines.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'
import type { Spender } from './spending.ts'
import {
  agree,
  compareLine,
  openSpender,
  requiredOption,
  spentAmount,
  wasPaidBefore,
} from './spending.ts'
import { waiting } from './waiting.ts'

/** How far a wait goes, in their order; a stage of the minter belongs to one of them. */
const milestones = ['queued', 'signed', 'broadcast', 'confirmed'] as const
export type Milestone = (typeof milestones)[number]

export async function redeem(
  { args, options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const amount = spentAmount(args, 'redeem')
  const typed = requiredOption(options, 'to', 'redeem')
  const until = untilOf(options)
  const session = await open(context)
  const { network } = session
  const command = `ckbtc transfer ${args.join('')} --to ${typed}`
  const { address: to } = parseBitcoinAddress(typed, { network: network.bitcoin, command })
  const spender = openSpender(session, context, options.text('fromSubaccount'))
  const key = options.text('idempotencyKey')
  const receive = options.isOn('receive')
  const { amountSat, ...others } = sameRedemption({
    from: spender.account,
    to,
    amount: amount === 'all' ? 0n : amount,
  })
  // What `all` and `--receive` burn depends on the moment: only the others can be compared.
  const facts = amount === 'all' || receive ? others : { ...others, amountSat: amountSat ?? null }
  const same = { kind: 'redeem', facts } as const
  const earlier = earlierWithKey({ journal: spender.journal, network: network.name }, key, same)
  const isDry = options.isOn('dryRun')
  if (earlier?.state === 'done' || (earlier !== undefined && isOpen(earlier) && !isDry))
    return goOn(await refresh(spender.reading, earlier), spender, context, { until, options })
  const plan = await planRedemption(session.client, { from: spender.account, to, amount, receive })
  if (isDry) return printPlan(plan, spender, context)
  await agree(spender, context, proposal(plan, spender), { options })
  const signing = await spender.unlock()
  const operation = await send(signing, plan, key)
  await conclude({ operation, session, signing, until, spender }, context)
}

function untilOf(options: Options): Milestone {
  if (!options.isOn('wait')) return 'queued'
  const text = options.text('until') ?? 'confirmed'
  const found = milestones.find((name) => name === text)
  if (found !== undefined) return found
  throw new UsageInvalid(`--until takes ${milestones.join(', ')}, found "${text}"`, {
    fix: 'name one of them',
    command: 'ckbtc redeem --help',
  })
}

/** An operation that was begun before: a burn that is certain is followed, another one made. */
export async function goOn(
  operation: Operation,
  spender: Spender,
  context: Context,
  { until, options }: { readonly until: Milestone; readonly options: Options },
): Promise<void> {
  const { session } = spender
  const isBurned = bigintFact(operation, 'burnBlockIndex') !== undefined
  if (!isBurned)
    await agree(spender, context, await continuationOf(operation, spender), {
      options,
      goesOn: true,
    })
  const signing = isBurned ? spender.reading : await spender.unlock()
  const burned = isBurned ? operation : await resumeRedemption(signing, operation)
  await conclude({ operation: burned, session, signing, until, spender }, context)
}

/** What the rails and the user are shown. */
export function proposal(plan: RedeemPlan, spender: Spender) {
  const { symbols, network } = spender.session
  const isFirst = network.kind !== 'local' && !wasPaidBefore(spender, plan.to)
  const rate = rateOf(plan)
  return {
    same: { kind: 'redeem', facts: sameRedemption(plan) },
    amountSat: plan.amount,
    feesSat: plan.bitcoinFee + plan.minterFee + plan.ledgerFee,
    summary: [
      ['  Burn', `${coins(plan.amount, symbols.token)}   ${sats(plan.amount)}`],
      ['  Bitcoin fee', `about ${sats(plan.bitcoinFee)}  (${rate} sat/vB)   taken from the amount`],
      ['  Minter fee', `${sats(plan.minterFee)}   taken from the amount`],
      ['  Ledger fee', `${sats(plan.ledgerFee)}  (approval)   on top`],
      ['  Arrives', `about ${coins(plan.arrives, symbols.bitcoin)}  at  ${plan.to}`],
      ...(network.kind === 'local' ? [] : [compareLine(plan.to)]),
      ...(isFirst ? [['  ', 'first time you send to this address'] as const] : []),
      ['  You keep', coins(plan.keeps, symbols.token)],
    ],
    note: '  Fees can change until the transaction is built. Once the ckBTC is burned, this cannot be undone.',
  } as const
}

function printPlan(plan: RedeemPlan, spender: Spender, context: Context): void {
  const { session, warnings } = spender
  printAnswer(context.terminal, {
    schema: 'redeem-plan',
    network: session.network.name,
    data: {
      dryRun: true,
      amountSat: plan.amount,
      to: plan.to,
      bitcoinFeeSat: plan.bitcoinFee,
      minterFeeSat: plan.minterFee,
      ledgerFeeSat: plan.ledgerFee,
      arrivesSat: plan.arrives,
      balanceAfterSat: plan.keeps,
    },
    warnings: [...session.warnings, ...warnings],
    essential: String(plan.arrives),
    print: ({ answer }) => {
      const { summary } = proposal(plan, spender)
      for (const [name, value] of summary) answer(`${name.padEnd(15)}${value}`)
      answer('Nothing was sent.')
    },
  })
}

type Concluding = {
  readonly operation: Operation
  readonly session: Session
  readonly signing: Operating
  readonly until: Milestone
  readonly spender: Spender
}

/** Waits as far as was asked, and prints what came of it. */
async function conclude(
  { operation, session, signing, until, spender }: Concluding,
  context: Context,
): Promise<void> {
  const { terminal } = context
  const shown = !terminal.settings.json && !terminal.settings.quiet
  const { token } = session.symbols
  const amount = bigintFact(operation, 'amountSat') ?? 0n
  const block = textFact(operation, 'burnBlockIndex')
  if (shown && block !== undefined)
    terminal.answer(
      `${terminal.paint.good('✓')} Burned ${coins(amount, token)}   ledger block ${block}   ${operation.id}`,
    )
  const wait = { op: operation.id, what: 'redemption' }
  const last = await waiting(context, wait, (progress) =>
    follow(signing, operation, { until, progress, tell: stageTeller(context) }),
  )
  const received = await receivedOf(session, last)
  if (last.state === 'returned' || last.state === 'refused') throw notPaid(last, session)
  printAnswer(terminal, {
    schema: 'redeem',
    network: session.network.name,
    data: documentOf(last, received),
    warnings: [...session.warnings, ...spender.warnings],
    essential: textFact(last, 'txid') ?? last.id,
    print: ({ answer, paint }) => {
      if (textFact(last, 'stage') === 'confirmed')
        answer(
          `${paint.good('✓')} ${received === undefined ? 'Arrived' : `${coins(received.value, session.symbols.bitcoin)} arrived`} at ${textFact(last, 'to')}`,
        )
      else terminal.note(`Follow it: ckbtc status ${last.id} --wait`)
    },
  })
}

export async function follow(
  operating: Operating,
  begun: Operation,
  {
    until,
    progress,
    tell,
  }: {
    readonly until: Milestone
    readonly progress: Progress
    readonly tell: (operation: Operation) => void
  },
): Promise<Operation> {
  let operation = begun
  const goal = milestones.indexOf(until)
  for (;;) {
    tell(operation)
    const stage = textFact(operation, 'stage') ?? 'queued'
    if (!isOpen(operation) || (reached[stage] ?? -1) >= goal) return operation
    const text = textFact(operation, 'waits') ?? stageWords[stage] ?? stage
    progress.show({ label: 'Redemption', text, facts: { stage } })
    await lookAgain(operating)
    operation = await refreshRedemption(operating, operation)
  }
}

const stageWords: Readonly<Record<string, string>> = {
  queued: 'in the queue of the minter',
  signing: 'the nodes sign together',
  sending: 'signed, on its way to the Bitcoin network',
  broadcast: 'waits for confirmations',
  returning: 'is being given back',
}

type Received = { readonly value: bigint; readonly confirmations: number }

/**
 * What the payment was worth, where the chain can be asked. Several of one transaction may go to one
 * address: it is the one that comes nearest to what was expected.
 */
async function receivedOf(
  { client }: Session,
  operation: Operation,
): Promise<Received | undefined> {
  const [to, txid] = [textFact(operation, 'to'), textFact(operation, 'txid')]
  if (textFact(operation, 'stage') !== 'confirmed' || to === undefined) return undefined
  const view = await client.bitcoin?.utxosOf(to).catch((error: unknown) => {
    // The payment was made, whether or not it can be looked at.
    if (error instanceof CkbtcError && error.code !== 'INTERRUPTED') return undefined
    throw error
  })
  const { arrivesSat } = documentOf(operation, undefined)
  const off = ({ value }: { readonly value: bigint }): bigint =>
    value > arrivesSat ? value - arrivesSat : arrivesSat - value
  const [nearest] = (view?.utxos ?? [])
    .filter(({ outpoint }) => toDisplayHex(outpoint.txid) === txid)
    .sort((one, other) => (off(one) < off(other) ? -1 : 1))
  if (view === undefined || nearest === undefined) return undefined
  const { value, height } = nearest
  return { value, confirmations: Math.max(0, view.tipHeight - height + 1) }
}

export function documentOf(operation: Operation, received: Received | undefined) {
  const number = (name: string): bigint | null => bigintFact(operation, name) ?? null
  const [amount, minterFee] = [number('amountSat') ?? 0n, number('minterFeeSat') ?? 0n]
  const estimated = number('bitcoinFeeSat') ?? 0n
  return {
    op: operation.id,
    state: operation.state,
    stage: textFact(operation, 'stage') ?? null,
    burnBlockIndex: number('burnBlockIndex'),
    amountSat: amount,
    to: textFact(operation, 'to'),
    bitcoinFeeSat: received === undefined ? estimated : amount - minterFee - received.value,
    minterFeeSat: minterFee,
    ledgerFeeSat: number('ledgerFeeSat') ?? 0n,
    arrivesSat: amount - minterFee - estimated,
    receivedSat: received?.value ?? null,
    txid: textFact(operation, 'txid') ?? null,
    replacedTxids: replacedIds(operation),
    cancelledByTxid: textFact(operation, 'cancelledByTxid') ?? null,
    feeRateSatPerVb: feeRateOf(operation) ?? rateOf({ minterFee, bitcoinFee: estimated }),
    waits: textFact(operation, 'waits') ?? null,
    confirmations: received?.confirmations ?? null,
    slow: isSlow(operation),
  }
}

const SLOW_MS = 86_400_000

/** Broadcast for more than a day: the minter sends it again with a higher fee by itself. */
export const isSlow = (operation: Operation, nowMs = Date.now()): boolean =>
  textFact(operation, 'stage') === 'broadcast' && nowMs - Date.parse(operation.updatedAt) > SLOW_MS

export function notPaid(operation: Operation, { symbols }: Session): Problem {
  const details = { ...documentOf(operation, undefined), op: operation.id }
  const returned = bigintFact(operation, 'returnedSat')
  if (operation.state !== 'returned')
    return new Problem('MINTER_REFUSED', 'the minter did not accept the redemption', {
      fix: 'nothing can be done about this one; see the details',
      command: `ckbtc status ${operation.id} --json`,
      details,
    })
  const amount = returned === undefined ? 'the amount' : coins(returned, symbols.token)
  const reason =
    textFact(operation, 'cancelledByTxid') === undefined
      ? (textFact(operation, 'reason') ?? 'no reason given')
      : 'its transaction could not be relayed, and was cancelled'
  return new Problem('MINTER_REFUSED', `${amount} was given back: ${reason}`, {
    fix: 'the ckBTC is in the account again; redeem another time or to another address',
    command: `ckbtc status ${operation.id} --json`,
    details: { ...details, returnedSat: returned ?? null, reason },
  })
}
