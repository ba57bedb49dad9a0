/**
 * The minter as a deterministic machine: its face to the subnet. Implements `docs/spec/minter.md`.
 *
 * The subnet passes one input at a time. After each, `tick` while `nextTimer` is not after slot
 * time, and work off `outstanding`.
 */
import { equalBytes } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import type { Account } from '../ic/account.ts'
import type { Principal } from '../ic/principal.ts'
import { anonymous } from '../ic/principal.ts'
import { addressText, rootOfKey, scriptOf, withdrawalAccount } from './addresses.ts'
import type { Call, Method, Notice, Reply, SignatureRequest } from './calls.ts'
import { configOfInit, invalidity } from './config.ts'
import { DEFAULT_SETTINGS } from './constants.ts'
import type { Context, World } from './context.ts'
import { contextOf, reply, schedule, trap, unavailable } from './context.ts'
import { mintAllWatched, watch } from './deposits/auto-mint.ts'
import { updateBalance } from './deposits/deposit.ts'
import type { Ruled } from './dialect.ts'
import type { EventLog } from './events/event-log.ts'
import { appendEvent, copyOfLog, emptyLog, eventsOf } from './events/event-log.ts'
import type { Payload } from './events/events.ts'
import { replay } from './events/replay.ts'
import { releaseGuards } from './guards.ts'
import { estimateWithdrawalFee, eventsPage, knownUtxos, minterInfo } from './interface/queries.ts'
import { lookForLost, mustLookAnew } from './losses/lost-coins.ts'
import { decodeMemo } from './memo.ts'
import type { SettingsChange } from './settings-change.ts'
import { changedSettings } from './settings-change.ts'
import type { State, Volatile } from './state/state.ts'
import { isMainAccount } from './state/state.ts'
import { isBroken } from './state/stopped.ts'
import { invariantViolations } from './state/violations.ts'
import * as timers from './timers.ts'
import { openRequests, signatureFailed, signatureReady } from './transactions/signing.ts'
import type { AccountArgs, Answer, MinterArg } from './types.ts'
import { statusesOf, statusOf, statusV1 } from './withdrawals/status.ts'
import { retrieveBtc, retrieveBtcWithApproval } from './withdrawals/withdrawal.ts'

/** The minter of one subnet. Whoever holds it only passes it on. */
export type Minter = {
  readonly state: State
  readonly log: EventLog
  readonly settings: Ruled
}

export type Installed =
  | { readonly type: 'installed'; readonly minter: Minter }
  | { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string): Installed => ({ type: 'refused', reason })

/** A new minter. Its root key comes later, as a notice. */
export function install(
  arg: MinterArg,
  {
    self,
    now,
    settings = DEFAULT_SETTINGS,
  }: { readonly self: Principal; readonly now: TimestampNs; readonly settings?: Ruled },
): Installed {
  if (arg.type === 'upgrade') return refused('upgrade arguments given to an install')
  const problem = invalidity(configOfInit(arg.args))
  if (problem !== undefined) return refused(problem)
  const log = emptyLog()
  appendEvent(log, { timestamp: now, payload: { type: 'init', args: arg.args } })
  return started({ state: replay(eventsOf(log), self), log, settings }, now)
}

/**
 * The minter after an upgrade; refused, the old one stands as it was. The root key is given anew.
 */
export function upgrade(
  { state, log, settings }: Minter,
  arg: MinterArg | undefined,
  { now, change = {} }: { readonly now: TimestampNs; readonly change?: SettingsChange },
): Installed {
  if (arg?.type === 'init') return refused('init arguments given to an upgrade')
  const next = copyOfLog(log)
  if (arg?.args !== undefined) {
    const payload: Payload = { type: 'upgrade', args: arg.args }
    appendEvent(next, { timestamp: now, payload })
  }
  const replayed = attempt(() => replay(eventsOf(next), state.self))
  if (replayed instanceof BadEncoding) return refused(replayed.message)
  const problem = invalidity(replayed.config)
  if (problem !== undefined) return refused(problem)
  carryOver(state.volatile, replayed.volatile)
  const changed = changedSettings(settings, change)
  return started({ state: replayed, log: next, settings: changed }, now)
}

/** What an upgrade does not drop although no event tells it (§18.4). */
function carryOver(from: Volatile, to: Volatile): void {
  to.lastCreatedAt = from.lastCreatedAt // Two ledger calls must not bear one time (§18.6).
  to.mustLook = true
  for (const [key, watched] of from.watched) {
    to.watched.set(key, watched)
    to.toMint.add(key)
  }
}

function started(minter: Minter, now: TimestampNs): Installed {
  const { volatile } = minter.state
  timers.scheduleAll({ volatile, now })
  if (volatile.toMint.size > 0) schedule({ volatile }, 'mintWatched', now)
  return { type: 'installed', minter }
}

/** How each method is answered. */
const methods: {
  readonly [M in Method]: (context: Context, call: Call<M>) => Reply<M>
} = {
  get_btc_address: (context, { caller, args }) => getBtcAddress(context, caller, args),
  get_known_utxos: (context, { caller, args }) =>
    reply(knownUtxos(context, accountOf(caller, args))),
  update_balance: (context, { caller, args }) => updateBalance(context, caller, args),
  estimate_withdrawal_fee: (context, { args }) => estimateWithdrawalFee(context, args.amount),
  get_deposit_fee: ({ state }) => reply(state.config.checkFee),
  get_withdrawal_account: ({ state }, { caller }) =>
    equalBytes(caller, anonymous)
      ? trap('anonymous caller not allowed')
      : reply(withdrawalAccount(state.self, caller)),
  retrieve_btc: (context, { caller, args }) => retrieveBtc(context, caller, args),
  retrieve_btc_with_approval: (context, { caller, args }) =>
    retrieveBtcWithApproval(context, caller, args),
  retrieve_btc_status: (context, { args }) => reply(statusV1(context, args.blockIndex)),
  retrieve_btc_status_v2: (context, { args }) => reply(statusOf(context, args.blockIndex)),
  retrieve_btc_status_v2_by_account: (context, { caller, args }) =>
    reply(statusesOf(context, args ?? { owner: caller })),
  get_minter_info: (context) => reply(minterInfo(context)),
  get_events: ({ log }, { args }) => reply(eventsPage(log, args)),
  decode_ledger_memo: (_, { args }) => reply(decodeMemo(args)),
}

/** Answers one call, to its end. */
export function handle<M extends Method>(minter: Minter, world: World, call: Call<M>): Reply<M> {
  return methods[call.method](contextOf(minter, world), call)
}

const accountOf = (caller: Principal, { owner, subaccount }: AccountArgs): Account => ({
  owner: owner ?? caller,
  subaccount,
})

function getBtcAddress(context: Context, caller: Principal, args: AccountArgs): Answer<string> {
  const { state, volatile } = context
  const account = accountOf(caller, args)
  if (equalBytes(account.owner, anonymous)) return trap('anonymous owner not allowed')
  if (volatile.root === undefined) return trap(unavailable('the key is not made yet').message)
  const script = scriptOf(volatile.root.key, account)
  const isOwn = equalBytes(account.owner, state.self)
  // [H 3] `update_balance` credits nobody there; of the main address everybody may know.
  if (isOwn && !isMainAccount(state, account)) return trap('nobody is credited at this address')
  if (!isOwn) watch(context, account, script)
  return reply(addressText(script, state.config.network))
}

/** Takes in what the subnet has to tell. */
export function notify(minter: Minter, world: World, notice: Notice): void {
  const context = contextOf(minter, world)
  switch (notice.type) {
    case 'rootKey':
      context.volatile.root = rootOfKey(notice.key, context.state.self)
      schedule(context, 'process', context.now)
      openRequests(context)
      return
    case 'signatureReady':
      signatureReady(context, notice.key, notice.signature)
      return
    case 'signatureFailed':
      signatureFailed(context, notice.key)
      return
    case 'blocksLeft':
      mustLookAnew(context.volatile) // The next call looks, or the end of the slot [H 15].
      context.volatile.utxoCache.answers.clear()
      return
    case 'bitcoinChanged':
      if (notice.isReorganised) context.volatile.utxoCache.answers.clear()
      lookForLost(context, notice.isReorganised)
      openRequests(context)
      mintAllWatched(context)
      schedule(context, 'process', context.now)
      return
  }
}

/** The calls of the slot are over, those that counted as in flight together as well (§17). */
export function endSlot({ state }: Minter): void {
  releaseGuards(state.volatile)
}

/** Runs the tasks that are due at slot time. */
export function tick(minter: Minter, world: World): void {
  timers.runDueTasks(contextOf(minter, world))
}

/** When `tick` is due next; undefined while nothing waits for time. */
export const nextTimer = ({ state }: Minter): TimestampNs | undefined => timers.nextTimer(state)

/**
 * Signatures that are wanted now, at most 10. Each key is served once, however often it is seen
 * here.
 */
export const outstanding = ({ state }: Minter): readonly SignatureRequest[] =>
  isBroken(state.volatile) ? [] : [...state.volatile.open.values()]

/** Invariants that do not hold (§18.5): none, in every state that can be reached. */
export const violations = ({ state }: Minter): readonly string[] => invariantViolations(state)
