/** `ckbtc deposit`: BTC to ckBTC, from the address to the mint. Implements `docs/spec/cli.md` §5.2. */
import { parseAmount, parseSubaccount } from '../core/base/amounts.ts'
import { Problem, UsageInvalid } from '../core/base/errors.ts'
import { formatBtc } from '../core/base/units.ts'
import { openControl } from '../host/daemon.ts'
import { printAnswer } from '../terminal/answer.ts'
import { localClock } from '../terminal/local-time.ts'
import type { Progress } from '../terminal/progress.ts'
import { printQr } from '../terminal/qr.ts'
import type { Coin } from '../wallet/operations/coins.ts'
import { coinName } from '../wallet/operations/coins.ts'
import type { DepositPlan, Sightings } from '../wallet/operations/deposit.ts'
import {
  beginDeposit,
  DepositWatch,
  planDeposit,
  watchDeposit,
} from '../wallet/operations/deposit.ts'
import type { Operating } from '../wallet/operations/operating.ts'
import { askingClient } from './asker.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { journalOf } from './journal.ts'
import { controlOf } from './local-network.ts'
import { coins } from './money-words.ts'
import type { NamedAccount } from './reading-account.ts'
import { readingAccount } from './reading-account.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'
import { waiting } from './waiting.ts'

export async function deposit(
  { options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
  look: typeof sightingsOf = sightingsOf,
): Promise<void> {
  const [amountText, faucetText] = [options.text('amount'), options.text('faucet')]
  const amount = amountText === undefined ? undefined : parseAmount(amountText)
  const faucet = faucetText === undefined ? undefined : parseAmount(faucetText)
  // Before anything is written down: the faucet is there on the local subnet only.
  const control = faucet === undefined ? undefined : await controlOf(context)
  const session = await open(context)
  const named = accountOf(session, context, options)
  const operating: Operating = {
    client: askingClient(session.client),
    journal: journalOf(context),
    key: named.key,
    account: named.account,
    signal: session.signal,
  }
  const plan = await planDeposit(session.client, named.account)
  const operation = await beginDeposit(operating, plan)
  const sightings = session.network.kind === 'local' ? await look(context) : undefined
  const watch = new DepositWatch(operating, operation, { account: named.account, sightings })
  const view = { plan, watch, named, session }
  await showTarget(view, context, { amount, qr: options.isOn('qr') })
  if (control !== undefined && faucet !== undefined) await payTestCoins(control, plan, faucet)
  if (options.isOn('wait')) await follow(operating, view, context, options.isOn('follow'))
  finish(view, context, options.isOn('wait'))
}

/** The mempool of the local chain; none where no subnet runs here. */
async function sightingsOf(context: Context): Promise<Sightings | undefined> {
  const control = await openControl(context.directories).catch(() => undefined)
  if (control === undefined) return undefined
  return async (address) => {
    // A hint: that there is none now is no reason to stop.
    const found = await control.ask('sightings', { address }).catch(() => ({ outputs: [] }))
    return found.outputs.map(({ amountSat, ...rest }) => ({
      ...rest,
      amountSat: BigInt(amountSat),
    }))
  }
}

/** Where no blocks come by themselves, those that the deposit needs are mined, too. */
async function payTestCoins(
  control: Awaited<ReturnType<typeof controlOf>>,
  { address, requiredConfirmations }: DepositPlan,
  amount: bigint,
): Promise<void> {
  const to = address.address
  await control.ask('faucet', { amountSat: Number(amount), to, outputs: 1, mine: true })
  const { mining } = await control.ask('status', {})
  const count = requiredConfirmations - 1
  if (mining === 'manual' && count > 0)
    await control.ask('mine', { count, to: undefined, empty: false })
}

type View = {
  readonly plan: DepositPlan
  readonly watch: DepositWatch
  readonly named: NamedAccount
  readonly session: Session
}

function accountOf(session: Session, context: Context, options: Options): NamedAccount {
  const named = readingAccount(options.text('account'), session, context)
  const text = options.text('fromSubaccount')
  if (text === undefined) return named
  if (named.account.subaccount !== undefined)
    throw new UsageInvalid('the account names a subaccount already', {
      fix: 'leave --from-subaccount out',
      command: 'ckbtc deposit --help',
    })
  const account = { owner: named.account.owner, subaccount: parseSubaccount(text) }
  return { ...named, account }
}

/** Where to send it, and under which conditions it counts. */
async function showTarget(
  { plan, named, session }: View,
  { terminal }: Context,
  { amount, qr }: { readonly amount: bigint | undefined; readonly qr: boolean },
): Promise<void> {
  const { json, quiet } = terminal.settings
  if (json || quiet) return
  const { network, symbols } = session
  const { address, derivation } = plan.address
  const verified = derivation === undefined ? '   not verified: the network’s key is not known' : ''
  const query = amount === undefined ? '' : `?amount=${formatBtc(amount)}`
  terminal.note(`Send ${symbols.bitcoin} (${network.name}) to:`)
  terminal.note('')
  terminal.note(`  ${address}${verified}`)
  terminal.note('')
  if (qr) await printQr(terminal, `bitcoin:${address}${query}`)
  terminal.note(`  becomes   ${symbols.token}, minus ${plan.checkFee} sat check fee`)
  terminal.note(`  account   ${named.text}`)
  terminal.note(
    `  at least  ${coins(plan.minimum, symbols.bitcoin)} in one payment; smaller coins are not credited`,
  )
  const minutes =
    network.kind === 'local' ? '' : `, about ${plan.requiredConfirmations * 10} minutes`
  terminal.note(`  needs     ${plan.requiredConfirmations} confirmations${minutes}`)
  terminal.note('  this address is yours for good; several payments are fine')
  terminal.note('')
}

async function follow(
  operating: Operating,
  view: View,
  context: Context,
  isEndless: boolean,
): Promise<void> {
  const { watch, session } = view
  const op = watch.operation.id
  const told = new Map<string, string>()
  await waiting(context, { op, what: 'deposit' }, async (progress) => {
    progress.show({
      label: 'Deposit',
      text: `waiting for a payment; leaving is safe: ckbtc status ${op}`,
      facts: { op, address: view.plan.address.address },
    })
    const observe = (): void => tellNews(view, progress, told, session)
    await watchDeposit(operating, watch, { observe, follow: isEndless })
  })
}

/** Among the names of coins. */
const HELD_UP = 'held up'

/** A line for each coin that is new, or further than before, and for what holds the minter up. */
function tellNews(
  { watch, plan }: View,
  progress: Progress,
  told: Map<string, string>,
  { symbols }: Session,
): void {
  const { heldUp = '' } = watch
  if (heldUp !== (told.get(HELD_UP) ?? '')) {
    told.set(HELD_UP, heldUp)
    const words = heldUp === '' ? 'the minter goes on' : `the minter waits: ${heldUp}`
    progress.tell(`→ ${localClock(new Date())}  ${words}`, { heldUp })
  }
  for (const payment of watch.sighted) {
    const name = `sighted ${coinName(payment)}`
    if (told.has(name)) continue
    told.set(name, 'sighted')
    const amount = coins(payment.amountSat, symbols.bitcoin)
    progress.tell(
      `→ ${localClock(new Date())}  ${'in no block'.padEnd(11)} ${amount}  tx ${coinName(payment)}`,
      { coin: coinName(payment), state: 'in-no-block', amountSat: payment.amountSat },
    )
  }
  for (const coin of watch.coins) {
    const needed = plan.requiredConfirmations
    const isDeep = coin.confirmations >= needed
    const key = coin.state === 'awaiting-confirmations' && isDeep ? 'confirmed' : coin.state
    const isNew = !told.has(coinName(coin))
    if (told.get(coinName(coin)) !== key) {
      told.set(coinName(coin), key)
      const word = key === 'awaiting-confirmations' ? 'seen' : key
      const where = isNew ? `  tx ${coinName(coin)}` : ''
      const line = `→ ${localClock(new Date())}  ${word.padEnd(11)} ${coins(coin.amountSat, symbols.bitcoin)}${where}`
      progress.tell(line, { coin: coinName(coin), state: word, amountSat: coin.amountSat })
    }
    if (key === 'awaiting-confirmations')
      progress.show({
        label: 'Deposit',
        text: `${coins(coin.amountSat, symbols.bitcoin)}, ${coin.confirmations}/${needed} confirmations`,
        facts: { confirmations: coin.confirmations, needed },
      })
  }
}

const documentOf = ({ watch, plan, named }: View) => ({
  op: watch.operation.id,
  state: watch.operation.state,
  address: plan.address.address,
  verified: plan.address.derivation !== undefined,
  account: named.text,
  requiredConfirmations: plan.requiredConfirmations,
  checkFeeSat: plan.checkFee,
  minimumSat: plan.minimum,
  coins: watch.coins,
  mintedSat: watch.mintedSat,
})

/** Throws when coins came and none of them is credited. */
function finish(view: View, context: Context, hasWaited: boolean): void {
  const { watch, session, named, plan } = view
  const { symbols, network } = session
  const { terminal } = context
  if (hasWaited && watch.operation.state === 'refused') throw refusal(view)
  const minted = watch.coins.filter(({ state }) => state === 'minted')
  printAnswer(terminal, {
    schema: 'deposit',
    network: network.name,
    data: documentOf(view),
    warnings: [...session.warnings, ...named.warnings],
    essential: hasWaited ? coins(watch.mintedSat, symbols.token) : plan.address.address,
    print: ({ answer, paint }) => {
      if (!hasWaited) {
        answer(plan.address.address)
        terminal.note(`Follow it: ckbtc status ${watch.operation.id} --wait`)
        return
      }
      for (const { mintedSat, amountSat, blockIndex } of minted)
        answer(
          `${paint.good('✓')} Minted ${coins(mintedSat ?? 0n, symbols.token)}  (fee ${amountSat - (mintedSat ?? 0n)} sat)  ledger block ${blockIndex}   ${watch.operation.id}`,
        )
      for (const coin of watch.coins.filter(({ state }) => state !== 'minted'))
        answer(`${paint.bad('✗')} ${coinName(coin)} ${notMinted(coin)}`)
    },
  })
}

const notMinted = ({ state }: Coin): string =>
  state === 'quarantined'
    ? 'was flagged by the checker; it stays with the minter'
    : 'is too small to be credited; it stays with the minter'

function refusal(view: View): Problem {
  const { watch } = view
  const isFlagged = watch.coins.some(({ state }) => state === 'quarantined')
  const details = { ...documentOf(view), op: watch.operation.id }
  return isFlagged
    ? new Problem('MINTER_COIN_FLAGGED', 'the checker of the minter has flagged the payment', {
        fix: 'it is in quarantine and can be looked at again later; nothing is lost on the ledger',
        command: `ckbtc status ${watch.operation.id}`,
        details,
      })
    : new Problem('MINTER_COIN_TOO_SMALL', 'the payment is too small to be credited', {
        fix: `send at least ${view.plan.minimum} sat in one payment; what came stays with the minter`,
        command: 'ckbtc fees',
        details,
      })
}
