/** From a confirmed coin to minted ckBTC. Source: minter §5, §6 (mapping) [H 1, H 4]. */

import { equalBytes } from '../../base/bytes.ts'
import { addNs } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import { anonymous } from '../../ic/principal.ts'
import { scriptOf } from '../addresses.ts'
import { callLedger, isInTransit, resolveCalls } from '../call-journal.ts'
import { CHECK_TRANSACTION_TRIES_MAX } from '../constants.ts'
import type { Context } from '../context.ts'
import { err, ok, reply, rootOf, schedule, trap, unavailable } from '../context.ts'
import { guarded, refusedNow } from '../guards.ts'
import { lookAgain, lookGoesOn, mintingStopped } from '../losses/lost-coins.ts'
import { encodeMintMemo } from '../memo.ts'
import { note, observeCache, observeUpdateCall, observeUtxos } from '../observed.ts'
import { compareAsListed } from '../state/coin-set.ts'
import type { OutpointKey } from '../state/state.ts'
import { keyOfUtxo, sumOf } from '../state/state.ts'
import { stoppedAsBroken } from '../state/stopped.ts'
import type {
  AccountArgs,
  Answer,
  GenericError,
  SuspendedReason,
  SuspendedUtxo,
  TemporarilyUnavailable,
  UpdateBalanceError,
  UpdateBalanceResult,
  Utxo,
  UtxoStatus,
} from '../types.ts'
import type { UtxosAnswer } from './utxo-cache.ts'
import { expirationNs, keep, lookUp } from './utxo-cache.ts'

const CODE_REJECTED = 1n
const CODE_CHECKER = 2n

export function updateBalance(
  context: Context,
  caller: Principal,
  args: AccountArgs,
): Answer<UpdateBalanceResult> {
  const { state, volatile, settings } = context
  if (equalBytes(caller, anonymous)) return trap('anonymous caller not allowed')
  const account = { owner: args.owner ?? caller, subaccount: args.subaccount }
  if (equalBytes(account.owner, state.self)) return trap("cannot update minter's balance")
  if (equalBytes(account.owner, anonymous)) return trap('anonymous owner not allowed') // [H 4]
  const refusal = refusedNow(context, { caller, direction: 'deposit' })
  if (refusal !== undefined) return reply(err(refusal))
  if (volatile.root === undefined) return reply(err(unavailable('the key is not made yet')))
  const { callsOverlap } = context
  const guard = { account, concurrentMax: settings.concurrentMax, callsOverlap }
  const result = guarded(volatile.updating, guard, (waits) => {
    waits()
    return creditAccount(context, account, cachedUtxosOf)
  })
  if (result.type === 'ok') observeUpdateCall(context, result.value.length)
  else if (result.type === 'err') observeUpdateCall(context, 0)
  return reply(result.type === 'ok' || result.type === 'err' ? result : err(result))
}

/** The same for an owner who did not ask (§22): no call is inside, and none is kept out. */
export function creditUnasked(context: Context, account: Account): UpdateBalanceResult {
  const asCaller = { caller: account.owner, direction: 'deposit' } as const
  const refusal = refusedNow(context, asCaller)
  return refusal === undefined ? creditAccount(context, account, utxosOf) : err(refusal)
}

/** Steps 5 to 9 of §5, once the account may come in. */
function creditAccount(context: Context, account: Account, ask: Ask): UpdateBalanceResult {
  resolveCalls(context, account)
  lookAgain(context)
  const stopped = mintingStopped(context) ?? lookGoesOn(context)
  if (stopped !== undefined) return err(stopped)
  const found = ask(context, account, context.state.config.minConfirmations)
  if (found.type !== 'utxos') return err(found)
  const { processable, suspended } = sortUtxos(context, account, found)
  if (sumOf(processable) === 0n) return noNewUtxos(context, ask(context, account, 0), suspended)
  const statuses: UtxoStatus[] = []
  for (const utxo of processable) {
    if (statuses.length >= context.settings.depositsPerCallMax) break // The next call goes on.
    const broken = stoppedAsBroken(context.volatile)
    if (broken !== undefined) return err(broken)
    const status = processUtxo(context, account, utxo)
    if (status?.type === 'stopped') return err(status.error)
    if (status !== undefined) statuses.push(status)
  }
  schedule(context, 'process', context.now)
  return ok(statuses)
}

type Found = UtxosAnswer | GenericError | TemporarilyUnavailable
type Ask = (context: Context, account: Account, minConfirmations: number) => Found

function utxosOf(context: Context, account: Account, minConfirmations: number): Found {
  const script = scriptOf(rootOf(context).key, account)
  const answer = context.ports.bitcoin.utxos({ script, minConfirmations })
  if (answer.type === 'utxos') observeUtxos(context, 'client', answer.utxos.length)
  return answer.type === 'rejected'
    ? { type: 'genericError', code: CODE_REJECTED, message: answer.message }
    : answer
}

/** From the cache, where it is on (§5.4). */
function cachedUtxosOf(context: Context, account: Account, minConfirmations: number): Found {
  const expiration = expirationNs(context.state.config)
  if (expiration === undefined) return utxosOf(context, account, minConfirmations)
  const { utxoCache } = context.volatile
  const asked = { account, minConfirmations, now: context.now }
  const known = lookUp(utxoCache, asked, expiration)
  observeCache(context, known !== undefined)
  if (known !== undefined) return known
  const found = utxosOf(context, account, minConfirmations)
  if (found.type === 'utxos') keep(utxoCache, asked, found)
  return found
}

type Sorted = {
  /** New ones, then once too small, then once quarantined; each group as listed. */
  readonly processable: readonly Utxo[]
  readonly suspended: readonly SuspendedUtxo[]
}

/**
 * Which coins are looked at now (§5.1). A view that contradicts itself credits nothing by it: a coin
 * with two values is passed over, and so is one that is not as deep as was asked for.
 */
export function sortUtxos(context: Context, account: Account, answer: UtxosAnswer): Sorted {
  const groups = { fresh: [] as Utxo[], valueTooSmall: [] as Utxo[], quarantined: [] as Utxo[] }
  const suspended: SuspendedUtxo[] = []
  for (const [key, utxo] of coinsIn(answer, context.state.config.minConfirmations)) {
    const { mintedOutpoints, donations } = context.state
    if (utxo.value === 0n || mintedOutpoints.has(key) || donations.has(key)) continue // [H 1]
    const reason = suspensionOf(context, account, key)
    const checkedAt = context.volatile.lastChecked.get(key)
    const earliestRetry = addNs(checkedAt ?? 0n, context.settings.suspensionNs)
    if (reason === undefined) groups.fresh.push(utxo)
    else if (checkedAt !== undefined && context.now < earliestRetry)
      suspended.push({ utxo, reason, earliestRetry })
    else groups[reason].push(utxo)
  }
  const processable = [...groups.fresh, ...groups.valueTooSmall, ...groups.quarantined]
  return { processable, suspended }
}

/** Each outpoint once, as listed. */
function coinsIn(
  { utxos, tipHeight }: UtxosAnswer,
  minConfirmations: number,
): readonly (readonly [OutpointKey, Utxo])[] {
  const coins = new Map<OutpointKey, Utxo>()
  const values = new Map<OutpointKey, bigint>() // At whatever depth.
  const contradictory = new Set<OutpointKey>()
  const depth = Math.max(1, minConfirmations)
  for (const utxo of utxos) {
    const key = keyOfUtxo(utxo)
    if ((values.get(key) ?? utxo.value) !== utxo.value) contradictory.add(key)
    values.set(key, utxo.value)
    if (tipHeight - utxo.height + 1 >= depth) coins.set(key, utxo)
  }
  return [...coins]
    .filter(([key]) => !contradictory.has(key))
    .sort(([, a], [, b]) => compareAsListed(a, b))
}

function suspensionOf(
  { state }: Context,
  account: Account,
  key: OutpointKey,
): SuspendedReason | undefined {
  const own = state.suspendedUtxos.get(accountKey(account))?.get(key)
  return (own ?? state.legacySuspendedUtxos.get(key))?.reason
}

/**
 * Step 7: nothing is remembered of an account that has nothing, or callers could fill memory for
 * free.
 */
function noNewUtxos(
  { state }: Context,
  all: Found,
  suspendedUtxos: readonly SuspendedUtxo[],
): UpdateBalanceResult {
  const requiredConfirmations = state.config.minConfirmations
  if (all.type !== 'utxos') return err(all)
  const distinct = new Map(all.utxos.map((utxo) => [keyOfUtxo(utxo), utxo]))
  const pendingUtxos = [...distinct.values()]
    .map(({ outpoint, value, height }) => ({
      outpoint,
      value,
      confirmations: Math.max(0, all.tipHeight - height + 1),
    }))
    .filter(({ confirmations }) => confirmations < requiredConfirmations)
  const most = pendingUtxos.reduce((max, { confirmations }) => Math.max(max, confirmations), 0)
  const currentConfirmations = pendingUtxos.length === 0 ? undefined : most
  return err({
    type: 'noNewUtxos',
    currentConfirmations,
    requiredConfirmations,
    pendingUtxos,
    suspendedUtxos,
  })
}

type Stopped = { readonly type: 'stopped'; readonly error: UpdateBalanceError }

/** Step 8 for one coin. Undefined: skipped without a word. */
function processUtxo(
  context: Context,
  account: Account,
  utxo: Utxo,
): UtxoStatus | Stopped | undefined {
  const { state, record } = context
  const { depositMinAmount = 0n, checkFee } = state.config
  if (utxo.value < depositMinAmount || utxo.value <= checkFee) {
    suspend(context, { account, utxo, reason: 'valueTooSmall' })
    return { type: 'valueTooSmall', utxo }
  }
  const key = keyOfUtxo(utxo)
  const checked = state.checkedUtxos.get(key)?.status
  const isUnknown = checked === 'cleanButMintUnknown'
  if (isUnknown || isInTransit(context, { type: 'deposit', account, utxo })) return undefined // §5.3
  const verdict = checked === 'clean' ? CLEAN : checkUtxo(context, utxo)
  if (verdict.type === 'stopped') return verdict
  if (verdict.type === 'tainted') {
    suspend(context, { account, utxo, reason: 'quarantined' })
    return { type: 'tainted', utxo }
  }
  // [H 1] The last moment before the mint: whatever the filter let through, or others did
  // meanwhile.
  if (state.mintedOutpoints.has(key)) return undefined
  if (checked === undefined) record({ type: 'checkedUtxoV2', utxo, account })
  return mintUtxo(context, account, utxo)
}

/** The same outcome again is no event: only the time of the check moves (§5.1). */
function suspend(
  context: Context,
  {
    account,
    utxo,
    reason,
  }: { readonly account: Account; readonly utxo: Utxo; readonly reason: SuspendedReason },
): void {
  const key = keyOfUtxo(utxo)
  if (suspensionOf(context, account, key) !== reason)
    context.record({ type: 'suspendedUtxo', utxo, account, reason })
  context.volatile.lastChecked.set(key, context.now)
}

type Verdict = { readonly type: 'clean' } | { readonly type: 'tainted' } | Stopped

const CLEAN: Verdict = { type: 'clean' }

const stopped = (error: UpdateBalanceError): Stopped => ({ type: 'stopped', error })

/** §6, mapping. */
function checkUtxo({ ports }: Context, utxo: Utxo): Verdict {
  for (let attempt = 0; attempt < CHECK_TRANSACTION_TRIES_MAX; attempt++) {
    const answer = ports.checker.checkTransaction(utxo.outpoint.txid)
    switch (answer.type) {
      case 'passed':
        return CLEAN
      case 'failed':
        return { type: 'tainted' }
      case 'notEnoughCycles':
        continue
      case 'retriable':
      case 'callFailed':
        return stopped(unavailable(answer.message))
      case 'error':
        return stopped({ type: 'genericError', code: CODE_CHECKER, message: answer.message })
    }
  }
  const message = 'the checker asks for more cycles than it is given'
  return stopped({ type: 'genericError', code: CODE_CHECKER, message })
}

function mintUtxo(context: Context, account: Account, utxo: Utxo): UtxoStatus {
  const { state, ports, record } = context
  const mintedAmount = utxo.value - state.config.checkFee
  const { txid, vout } = utxo.outpoint
  const memo = encodeMintMemo({ type: 'convert', txid, vout, fee: state.config.checkFee })
  const purpose = { type: 'deposit', account, utxo } as const
  const minted = callLedger(context, { amount: mintedAmount, memo, purpose }, (call) =>
    ports.ledger.mint({ ...call, to: account }),
  )
  if (minted.type !== 'ok') {
    note(context, 'deposits/deposit.ts', `the ledger did not mint: ${minted.type}`)
    return { type: 'checked', utxo }
  }
  const { blockIndex } = minted
  record({ type: 'receivedUtxos', mintTxid: blockIndex, toAccount: account, utxos: [utxo] })
  return { type: 'minted', blockIndex, mintedAmount, utxo }
}
