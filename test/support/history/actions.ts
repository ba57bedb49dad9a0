/**
 * What happens in histories of the minter, each with its weight. An action takes its choices from
 * words of its own, so that a history makes sense without some of its actions. For tests only.
 */
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import {
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
} from '../../../src/core/btc/script.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { balanceOf } from '../../../src/core/ledger/queries.ts'
import { feeCollectorOf, scriptOf, withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import { networkOf } from '../../../src/core/minter/destination.ts'
import type { SettingsChange } from '../../../src/core/minter/settings-change.ts'
import type { Mode, UpgradeArgs } from '../../../src/core/minter/types.ts'
import { MINTER, ROOT, user } from '../minter-world.ts'
import type { Known } from './chain.ts'
import { ancestor } from './chain.ts'
import type { Draw } from './draw.ts'
import { leak } from './leak.ts'
import { LEDGER_MOODS } from './ports.ts'
import type { History } from './world.ts'

type Action = (history: History, draw: Draw) => void

const SECOND = NS_PER_SECOND
const HOUR = 3_600n * SECOND

const amountOf = (draw: Draw): bigint => {
  const small = BigInt(draw.below(1_000))
  switch (draw.below(8)) {
    case 0:
      return small + 1n
    case 1:
      return 50_000n + small
    case 2:
      return 1_000_000n + small * 1_000n
    default:
      return 60_000n + small * 400n
  }
}

const accountIn = (history: History, draw: Draw): Account => draw.pick(history.accounts)

function deposit(history: History, draw: Draw): void {
  const outputs = Array.from({ length: 1 + draw.below(3) }, () => ({
    script: history.scriptOf(accountIn(history, draw)),
    value: amountOf(draw),
  }))
  const paid = history.chain.pay(outputs)
  history.story.push(`deposit ${outputs.map(({ value }) => value)}`)
  if (paid !== undefined) history.chain.offer(paid)
}

/** Someone pays an address of the minter's own. */
function donate(history: History, draw: Draw): void {
  const script = draw.oneIn(3)
    ? scriptOf(ROOT, feeCollectorOf({ self: MINTER }))
    : history.mainScript
  const paid = history.chain.pay([{ script, value: amountOf(draw) }])
  history.story.push('donation')
  if (paid !== undefined) history.chain.offer(paid)
}

function update(history: History, draw: Draw): void {
  const accounts = draw.oneIn(3) ? history.accounts : [accountIn(history, draw)]
  for (const { owner, subaccount } of accounts)
    history.call('update_balance', draw.pick(history.users), { owner, subaccount })
}

function addressAsked(history: History, draw: Draw): void {
  const { owner, subaccount } = accountIn(history, draw)
  history.call('get_btc_address', owner, { owner, subaccount })
}

function destinationIn(history: History, draw: Draw): string {
  const hash = Uint8Array.from({ length: 32 }, () => draw.below(256))
  const short = hash.subarray(0, 20)
  const scripts = [
    p2wpkhScript(short),
    p2wpkhScript(short),
    p2wpkhScript(short),
    p2wshScript(hash),
    p2trScript(hash),
    p2pkhScript(short),
    p2shScript(short),
    history.scriptOf(accountIn(history, draw)),
    history.scriptOf(accountIn(history, draw)),
    ...(draw.oneIn(6) ? [history.mainScript] : []),
  ]
  return addressOfScript(draw.pick(scripts), networkOf[history.network]) ?? ''
}

function withdraw(history: History, draw: Draw): void {
  const account = accountIn(history, draw)
  const { owner, subaccount: fromSubaccount } = account
  const balance = balanceOf(history.ledger.state, account)
  const wanted = draw.oneIn(3) ? balance - 10n : 50_000n + BigInt(draw.below(250_000))
  const amount = wanted > 0n ? wanted : 50_000n
  if (!draw.oneIn(12)) history.approve(account, amount)
  const args = { address: destinationIn(history, draw), amount, fromSubaccount }
  history.story.push(`withdraw ${amount} of ${balance}`)
  history.call('retrieve_btc_with_approval', owner, args)
}

function withdrawFromAccount(history: History, draw: Draw): void {
  const owner = draw.pick(history.users)
  const amount = 50_000n + BigInt(draw.below(200_000))
  const to = withdrawalAccount(MINTER, owner)
  if (!draw.oneIn(8)) history.transfer(owner, to, amount)
  history.story.push(`retrieve ${amount}`)
  history.call('retrieve_btc', owner, { address: destinationIn(history, draw), amount })
}

function transfer(history: History, draw: Draw): void {
  const from = accountIn(history, draw)
  const to = draw.oneIn(3) ? feeCollectorOf({ self: MINTER }) : accountIn(history, draw)
  const balance = balanceOf(history.ledger.state, from)
  const amount = balance / BigInt(1 + draw.below(5))
  history.story.push(`transfer ${amount}`)
  history.transfer(from.owner, to, amount, from.subaccount)
}

/** What miners choose, by chance: everything, nothing, or half. */
function choice(draw: Draw): (each: Known) => boolean {
  const [kind, salt] = [draw.below(5), draw.below(16)]
  if (kind === 0) return () => false
  return kind > 2 ? () => true : ({ id }) => Number.parseInt(id.slice(0, 1), 16) !== salt
}

function mine(history: History, draw: Draw): void {
  const { chain, view } = history
  const blocks = 1 + draw.below(draw.oneIn(3) ? 7 : 2)
  for (let i = 0; i < blocks; i++) {
    view.relay(history.state.config.minConfirmations)
    chain.mine(choice(draw), older(history, draw))
    if (!draw.oneIn(6)) history.sync()
  }
  history.story.push(`mined to ${chain.height}`)
}

/** A miner that still has what was replaced elsewhere. */
function older(history: History, draw: Draw): readonly Known[] {
  const sent = [...history.view.sent.values()]
  return draw.oneIn(4) && sent.length > 0 ? [draw.pick(sent)] : []
}

function reorganise(history: History, draw: Draw): void {
  const { chain, state } = history
  const { minConfirmations } = state.config
  const depth = draw.oneIn(5)
    ? 1 + draw.below(3 * minConfirmations)
    : 1 + draw.below(minConfirmations)
  const salt = draw.below(16)
  const isKept = draw.oneIn(2)
    ? () => true
    : ({ id }: Known) => Number.parseInt(id[0] ?? '', 16) !== salt
  chain.reorganise(depth, {
    isKept,
    first: older(history, draw),
    blocks: depth + 1 + draw.below(2),
  })
  history.story.push(`reorganisation of ${depth} blocks`)
  if (!draw.oneIn(5)) history.sync()
}

/** The payer of a deposit spends the coin elsewhere, in a branch that wins. */
function steal(history: History, draw: Draw): void {
  const { chain } = history
  const depth = 1 + draw.below(2 * history.state.config.minConfirmations)
  const base = ancestor(chain.tip, depth)
  const left: Known[] = []
  for (let block = chain.tip; block !== base && block.parent !== undefined; block = block.parent)
    left.push(...block.transactions)
  const victims = left.filter(
    ({ spends }) =>
      spends.every((key) => base.coins.get(key)?.script === '51') && spends.length === 1,
  )
  if (victims.length === 0) return
  const victim = draw.pick(victims)
  const [output] = victim.transaction.outputs.slice(-1)
  const before = chain.tip
  chain.tip = base
  const theft = output && chain.pay([{ ...output, value: 1_000n }], { spending: victim.spends })
  chain.tip = before
  if (theft === undefined) return
  history.thefts.push({ victim, theft, height: base.height })
  chain.reorganise(depth, { first: [theft], isKept: ({ id }) => id !== victim.id })
  history.story.push(`${victim.id} is spent otherwise, ${depth} blocks deep`)
  history.sync()
}

const LEVELS = [1_000n, 2_000n, 5_000n, 20_000n, 100_000n, 400_000n, 3_000_000n]

export function setLevel(history: History, level: bigint, isSet = false): void {
  const { view, network } = history
  view.isSet = isSet
  view.rates =
    isSet || network === 'regtest'
      ? Array.from({ length: 101 }, () => level)
      : Array.from({ length: 100 }, (_, i) => (level * BigInt(50 + i)) / 100n)
}

function feeJump(history: History, draw: Draw): void {
  const level = draw.pick(LEVELS)
  setLevel(history, level, draw.oneIn(history.network === 'regtest' ? 1 : 3))
  history.story.push(`fees of ${level}`)
}

/** Operators of nodes say so, and it is believed at once. */
function feeShock(history: History): void {
  setLevel(history, 3_000_000n, true)
  history.story.push('fees of 3000000, set')
}

function congest(history: History, draw: Draw): void {
  const { chain } = history
  chain.mempoolRate = draw.oneIn(2) ? 1_000n : draw.pick(LEVELS.slice(0, 5))
  chain.minedRate = draw.oneIn(2) ? 0n : draw.pick(LEVELS.slice(0, 5))
  const min = chain.mempoolRate
  chain.evict(({ known, fee }) => fee * 1_000n >= min * known.vsize && !draw.oneIn(4))
  history.story.push(`mempool from ${min}, blocks from ${chain.minedRate}`)
}

/** Nothing that pays a common rate is mined until it clears. */
function jam({ chain, story }: History, draw: Draw): void {
  chain.minedRate = draw.pick([50_000n, 200_000n, 4_000_000n])
  story.push(`blocks from ${chain.minedRate}`)
}

function sign(history: History, draw: Draw): void {
  const count = draw.oneIn(3) ? 20 : 1 + draw.below(4)
  for (let i = 0; i < count; i++) {
    const request = history.signer.take(draw.below(64))
    if (request === undefined) return
    const { key } = request
    if (draw.oneIn(10)) history.notify({ type: 'signatureFailed', key })
    if (draw.oneIn(20))
      history.notify({ type: 'signatureReady', key, signature: new Uint8Array(64).fill(7) })
    const signature = history.signer.sign(request)
    if (!draw.oneIn(12)) history.notify({ type: 'signatureReady', key, signature })
    else history.notify({ type: 'signatureFailed', key })
  }
}

function unjam({ chain }: History): void {
  chain.minedRate = 0n
  chain.mempoolRate = 1_000n
}

function signAll(history: History): void {
  for (let left = 40; left > 0; left--) {
    const request = history.signer.take(0)
    if (request === undefined) return
    const { key } = request
    history.notify({ type: 'signatureReady', key, signature: history.signer.sign(request) })
  }
}

/** What was answered before is answered again. */
function signAgain(history: History, draw: Draw): void {
  const { signer } = history
  if (signer.done.length === 0) return
  const request = draw.pick(signer.done)
  const { key } = request
  if (draw.oneIn(2)) history.notify({ type: 'signatureFailed', key })
  history.notify({ type: 'signatureReady', key, signature: signer.sign(request) })
}

function pass(history: History, draw: Draw): void {
  const spans = [SECOND, 11n * SECOND, 60n * SECOND, 600n * SECOND, HOUR, 5n * HOUR]
  const long = [25n * HOUR, 25n * HOUR, 73n * HOUR]
  history.wait(draw.oneIn(5) ? draw.pick(long) : draw.pick(spans))
}

const passDay = (history: History): void => history.wait(25n * HOUR)
const passHold = (history: History): void => history.wait(73n * HOUR)

/** Answers lack coins from now on. */
function leaveOut({ view, story }: History, draw: Draw): void {
  view.leavesOut = 2 + draw.below(2)
  story.push(`the view leaves out each coin of ${view.leavesOut}`)
}

function ledgerMood(history: History, draw: Draw): void {
  const { ledger } = history
  const usable = ledger.answersInStep ? LEDGER_MOODS.slice(0, 5) : LEDGER_MOODS
  ledger.moods = Array.from({ length: 1 + draw.below(3) }, () => draw.pick(usable))
  ledger.isBlind = draw.oneIn(4)
  history.story.push(`the ledger ${ledger.moods}${ledger.isBlind ? ' and is blind' : ''}`)
}

function viewMood(history: History, draw: Draw): void {
  const { view } = history
  view.isDown = draw.oneIn(5)
  view.refusesToSend = draw.oneIn(5)
  view.blocksOld = draw.oneIn(3) ? draw.below(8) : 0
  view.leavesOut = draw.oneIn(4) ? 2 + draw.below(2) : 0
  view.repeats = draw.oneIn(3)
  if (draw.oneIn(4)) view.outbox.clear()
  const { isDown, refusesToSend, blocksOld, leavesOut } = view
  history.story.push(`view ${isDown} ${refusesToSend} ${blocksOld} ${leavesOut}`)
}

function checkerMood({ checker, story }: History, draw: Draw): void {
  const moods = ['failed', 'notEnoughCycles', 'retriable', 'error', 'callFailed'] as const
  checker.mood = draw.oneIn(2) ? 'passed' : draw.pick(moods)
  story.push(`the checker ${checker.mood}`)
}

const MODES: readonly Mode[] = [
  { type: 'readOnly' },
  { type: 'restrictedTo', principals: [user(1), user(2)] },
  { type: 'depositsRestrictedTo', principals: [user(1)] },
  { type: 'generalAvailability' },
  { type: 'generalAvailability' },
]

function upgrade(history: History, draw: Draw): void {
  const all: readonly UpgradeArgs[] = [
    {},
    { mode: draw.pick(MODES) },
    { checkFee: BigInt(draw.below(3_000)) },
    { inputsMax: BigInt(1 + draw.below(4)) },
    { consolidationThreshold: 10_000n, inputsMax: 1_000n },
    { minConfirmations: 1 },
    { inputsMax: BigInt(2 + draw.below(3)), consolidationThreshold: BigInt(5 + draw.below(4)) },
    { minConfirmations: 1 + draw.below(6) },
    { maxTimeInQueueNs: BigInt(draw.below(100)) * SECOND },
    { retrieveMinAmount: draw.pick([10_000n, 50_000n, 90_000n]) },
    { depositMinAmount: draw.pick([300n, 1_000n, 70_000n]) },
  ]
  const changes: readonly SettingsChange[] = [
    {},
    {},
    { requestsPerBatchMax: 1 + draw.below(4) },
    { autoMint: draw.oneIn(2) },
    { utxosCountThreshold: draw.pick([2, 1_000]) },
    { depositsPerCallMax: draw.pick([1, 1_000]) },
    { pendingRequestsMin: 1 + draw.below(5) },
  ]
  history.upgrade({ type: 'upgrade', args: draw.pick(all) }, draw.pick(changes))
}

/** From now on, or not any more, something may come between an input and its rounds. */
function beLazy(history: History, draw: Draw): void {
  history.isLazy = draw.oneIn(2)
}

/** What was sent may have more inputs than this, and could not be replaced. */
function lowerInputs(history: History, draw: Draw): void {
  history.upgrade({ type: 'upgrade', args: { inputsMax: BigInt(1 + draw.below(2)) } })
}

/** Everything that a user has, after the others gave what they have. */
function withdrawAll(history: History, draw: Draw): void {
  const { ledger, users } = history
  const account: Account = { owner: draw.pick(users) }
  for (const { owner, subaccount } of history.accounts) {
    const amount = balanceOf(ledger.state, { owner, subaccount }) - 10n
    if (amount > 0n && owner !== account.owner && draw.oneIn(2))
      history.transfer(owner, account, amount, subaccount)
  }
  const balance = balanceOf(ledger.state, account)
  const amount = balance > 50_010n ? balance - 10n : 50_000n
  history.approve(account, amount)
  history.story.push(`withdraw ${amount} of ${balance}`)
  const address = destinationIn(history, draw)
  history.call('retrieve_btc_with_approval', account.owner, { address, amount })
}

function restart(history: History, draw: Draw): void {
  history.restart(!history.ledger.answersInStep && draw.oneIn(2))
}

export const ACTIONS: Readonly<Record<string, { readonly weight: number; readonly run: Action }>> =
  {
    deposit: { weight: 14, run: deposit },
    donate: { weight: 1, run: donate },
    update: { weight: 12, run: update },
    addressAsked: { weight: 3, run: addressAsked },
    withdraw: { weight: 16, run: withdraw },
    withdrawFromAccount: { weight: 5, run: withdrawFromAccount },
    withdrawAll: { weight: 2, run: withdrawAll },
    transfer: { weight: 3, run: transfer },
    mine: { weight: 18, run: mine },
    reorganise: { weight: 4, run: reorganise },
    steal: { weight: 1, run: steal },
    feeJump: { weight: 3, run: feeJump },
    congest: { weight: 3, run: congest },
    jam: { weight: 1, run: jam },
    sign: { weight: 16, run: sign },
    unjam: { weight: 1, run: unjam },
    signAll: { weight: 2, run: signAll },
    leak: { weight: 2, run: leak },
    signAgain: { weight: 2, run: signAgain },
    pass: { weight: 12, run: pass },
    passDay: { weight: 1, run: passDay },
    ledgerMood: { weight: 4, run: ledgerMood },
    landHeldCall: { weight: 2, run: (history) => history.landHeldCall() },
    passHold: { weight: 1, run: passHold },
    feeShock: { weight: 1, run: feeShock },
    leaveOut: { weight: 1, run: leaveOut },
    viewMood: { weight: 3, run: viewMood },
    moodsHeal: { weight: 8, run: healMoods },
    checkerMood: { weight: 2, run: checkerMood },
    upgrade: { weight: 4, run: upgrade },
    lowerInputs: { weight: 1, run: lowerInputs },
    restart: { weight: 3, run: restart },
    lazy: { weight: 2, run: beLazy },
  }

function healMoods(history: History, draw: Draw): void {
  history.checker.mood = 'passed'
  history.ledger.isBlind = false
  if (draw.oneIn(2)) history.chain.minedRate = 0n
  healView(history)
  if (draw.oneIn(4)) setLevel(history, 5_000n)
}

export function healView(history: History): void {
  Object.assign(history.view, {
    isDown: false,
    refusesToSend: false,
    blocksOld: 0,
    leavesOut: 0,
    repeats: false,
  })
  history.sync()
}
