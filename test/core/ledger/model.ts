/**
 * A second ledger, as simple as can be: plain maps, lists that are searched, text as names, blocks as
 * objects whose hash the SDK computes. Written from `docs/spec/ledger.md` §§5–9, without code of the
 * ledger, so that the two can be compared.
 */
import { requestIdOf } from '@icp-sdk/core/agent'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { Config, Settings } from '../../../src/core/ledger/config.ts'
import type { Call, Reply } from '../../../src/core/ledger/types.ts'

type Fields = { readonly [key: string]: unknown }
type Said = { readonly error: Fields } | { readonly trap: true }
type Remembered = { readonly name: string; readonly at: bigint; readonly index: bigint }
type Granted = { readonly amount: bigint; readonly expiresAt: bigint }
type Approval = Extract<Call, { type: 'icrc2_approve' }>['arg']

const FOREVER = 2n ** 70n
const SECOND = 1_000_000_000n
function least(a: bigint, b: bigint): bigint {
  if (a < b) return a
  return b
}
const hex = (bytes: Uint8Array): string => [...bytes].join(',')
const idOf = ({ owner, subaccount }: Account): string =>
  `${hex(owner)};${hex(subaccount ?? new Uint8Array(32))}`
/** An account as blocks have it: in the form given. */
const asGiven = ({ owner, subaccount }: Account): readonly Uint8Array[] =>
  subaccount === undefined ? [owner] : [owner, subaccount]
/** A map of a block: what is absent has no key. */
const mapOf = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

export class ModelLedger {
  readonly balances = new Map<string, bigint>()
  readonly allowances = new Map<string, Granted>()
  supply = 0n
  /** Hash of the newest block. */
  tip: Uint8Array | undefined
  #config: Config
  readonly #max: bigint
  #remembered: readonly Remembered[] = []
  #blocks = 0n
  /** The block that names the collector now set. */
  #namedIn: bigint | undefined

  constructor(config: Config) {
    this.#config = config
    this.#max = 2n ** BigInt(config.tokenWidth) - 1n
  }

  balance = (account: Account): bigint => this.balances.get(idOf(account)) ?? 0n

  allowance(from: Account, spender: Account, now: bigint): bigint {
    const granted = this.allowances.get(`${idOf(from)}>${idOf(spender)}`)
    return granted === undefined || granted.expiresAt <= now ? 0n : granted.amount
  }

  /** Whether the upgrade is taken. */
  upgrade({ transferFee, memoLengthMax, feeCollector: change }: Settings): boolean {
    const { mintingAccount, ...old } = this.#config
    if ((memoLengthMax ?? old.memoLengthMax) < old.memoLengthMax) return false
    const set = change?.type === 'setTo' ? change.account : undefined
    if (set !== undefined && idOf(set) === idOf(mintingAccount)) return false
    this.#config = {
      ...this.#config,
      transferFee: transferFee ?? old.transferFee,
      memoLengthMax: memoLengthMax ?? old.memoLengthMax,
      feeCollector: change === undefined ? old.feeCollector : set,
    }
    if (change !== undefined) this.#namedIn = undefined
    return true
  }

  call(caller: Principal, call: Call, now: bigint): Reply {
    const said =
      call.type === 'icrc2_approve'
        ? this.#approve(caller, call.arg, now)
        : this.#move(caller, call, now)
    if (said === undefined) return { type: 'ok', blockIndex: this.#blocks - 1n }
    if ('trap' in said) return { type: 'trap', message: '' }
    return { type: 'err', error: said.error } as Reply
  }

  #approve(caller: Principal, arg: Approval, now: bigint): Said | undefined {
    const { transferFee: fee, memoLengthMax, mintingAccount } = this.#config
    const from = { owner: caller, subaccount: arg.fromSubaccount }
    if (hex(arg.spender.owner) === hex(caller)) return { trap: true }
    if (idOf(from) === idOf(mintingAccount)) return { trap: true }
    if ((arg.memo?.length ?? 0) > memoLengthMax) return { trap: true }
    const current = this.allowance(from, arg.spender, now)
    const changed = { error: { type: 'allowanceChanged', currentAllowance: current } }
    if ((arg.expectedAllowance ?? 0n) > this.#max) return changed
    if ((arg.fee ?? fee) !== fee) return { error: { type: 'badFee', expectedFee: fee } }
    const amount = least(arg.amount, this.#max)
    const tx = mapOf({
      ...{ op: 'approve', amt: amount, from: asGiven(from), spender: asGiven(arg.spender) },
      ...{ fee: arg.fee, expected_allowance: arg.expectedAllowance, expires_at: arg.expiresAt },
      ...{ memo: arg.memo, ts: arg.createdAtTime },
    })
    const early = this.#timing(tx, arg.createdAtTime, now)
    if (early !== undefined) return early
    if (this.#poor(from, fee)) return this.#insufficient(from)
    if ((arg.expiresAt ?? FOREVER) <= now) return { error: { type: 'expired', ledgerTime: now } }
    if ((arg.expectedAllowance ?? current) !== current) return changed
    this.#add(from, -fee)
    this.supply -= fee
    const key = `${idOf(from)}>${idOf(arg.spender)}`
    if (amount === 0n) this.allowances.delete(key)
    else this.allowances.set(key, { amount, expiresAt: arg.expiresAt ?? FOREVER })
    this.#append(tx, { now, fee: arg.fee === undefined ? fee : undefined })
    return undefined
  }

  #move(
    caller: Principal,
    call: Exclude<Call, { type: 'icrc2_approve' }>,
    now: bigint,
  ): Said | undefined {
    const { arg } = call
    const { transferFee, memoLengthMax, mintingAccount, feeCollector } = this.#config
    const delegated = call.type === 'icrc2_transfer_from'
    const from = delegated ? call.arg.from : { owner: caller, subaccount: call.arg.fromSubaccount }
    const spender = delegated
      ? { owner: caller, subaccount: call.arg.spenderSubaccount }
      : undefined
    if ((arg.memo?.length ?? 0) > memoLengthMax) return { trap: true }
    if (arg.amount > this.#max) return this.#insufficient(from)
    const burns = idOf(arg.to) === idOf(mintingAccount)
    const mints = !burns && idOf(from) === idOf(mintingAccount)
    if (mints && delegated) return { trap: true }
    const moves = !burns && !mints
    const fee = moves ? transferFee : 0n
    if ((arg.fee ?? fee) !== fee) return { error: { type: 'badFee', expectedFee: fee } }
    if (burns) {
      const minBurnAmount = least(this.balance(from), transferFee)
      if (arg.amount < minBurnAmount) return { error: { type: 'badBurn', minBurnAmount } }
      if (arg.amount === 0n) return { error: { type: 'badBurn', minBurnAmount: transferFee } }
    }
    const { memo, createdAtTime, amount, to } = arg
    const tx = mapOf({
      ...{ op: mints ? 'mint' : burns ? 'burn' : 'xfer', amt: amount, memo, ts: createdAtTime },
      ...(!mints && { from: asGiven(from), spender: spender && asGiven(spender) }),
      ...(!burns && { to: asGiven(to) }),
      ...(moves && { fee: arg.fee }),
    })
    const early = this.#timing(tx, createdAtTime, now)
    if (early !== undefined) return early
    if (mints) {
      if (this.supply + amount > this.#max) return { trap: true }
    } else {
      const needs = spender !== undefined && idOf(spender) !== idOf(from)
      const allowance = needs ? this.allowance(from, spender, now) : FOREVER ** 9n
      if (allowance < amount + fee) return { error: { type: 'insufficientAllowance', allowance } }
      if (this.#poor(from, amount + fee)) return this.#insufficient(from)
      if (needs) this.#spend(`${idOf(from)}>${idOf(spender)}`, amount + fee)
      this.#add(from, -amount - fee)
    }
    if (!burns) this.#add(to, amount)
    const collects = feeCollector !== undefined && moves
    if (collects) this.#add(feeCollector, fee)
    this.supply += mints ? amount : burns ? -amount : collects ? 0n : -fee
    this.#append(tx, { now, fee: moves && arg.fee === undefined ? fee : undefined })
    return undefined
  }

  /** §5 steps 1, 2 and 4. */
  #timing(tx: Fields, c: bigint | undefined, now: bigint): Said | undefined {
    const { transactionWindowNs, permittedDriftNs, transactionsInWindowMax } = this.#config.limits
    const kept = this.#remembered.filter(
      ({ at }) => at + transactionWindowNs + permittedDriftNs >= now,
    )
    const purged = kept.length < this.#remembered.length
    const half = transactionsInWindowMax / 2
    const perSecond = Math.ceil(half / Number(transactionWindowNs / SECOND))
    const judged = kept[Math.max(0, kept.length - perSecond)]
    if (!purged && kept.length >= half && judged !== undefined && judged.at + SECOND > now)
      return { error: { type: 'temporarilyUnavailable' } }
    this.#remembered = kept
    if (c === undefined) return undefined
    if (c + transactionWindowNs < now) return { error: { type: 'tooOld' } }
    if (c > now + permittedDriftNs) return { error: { type: 'createdInFuture', ledgerTime: now } }
    const name = hex(requestIdOf(tx))
    const first = kept.find((entry) => entry.name === name)
    return first && { error: { type: 'duplicate', duplicateOf: first.index } }
  }

  /** §5 steps 6 and 7, and the marks of §7. */
  #append(
    tx: Fields,
    { now, fee }: { readonly now: bigint; readonly fee: bigint | undefined },
  ): void {
    const index = this.#blocks++
    const { feeCollector } = this.#config
    const names = feeCollector !== undefined && this.#namedIn === undefined
    const marks =
      feeCollector === undefined
        ? {}
        : { fee_col: names ? asGiven(feeCollector) : undefined, fee_col_block: this.#namedIn }
    this.tip = requestIdOf(mapOf({ phash: this.tip, ts: now, tx, fee, ...marks }))
    if (names) this.#namedIn = index
    if ('ts' in tx)
      this.#remembered = [...this.#remembered, { name: hex(requestIdOf(tx)), at: now, index }]
  }

  #poor = (account: Account, cost: bigint): boolean =>
    !this.balances.has(idOf(account)) || this.balance(account) < cost

  #insufficient = (account: Account): Said => ({
    error: { type: 'insufficientFunds', balance: this.balance(account) },
  })

  #add(account: Account, amount: bigint): void {
    const balance = this.balance(account) + amount
    if (balance === 0n) this.balances.delete(idOf(account))
    else this.balances.set(idOf(account), balance)
  }

  #spend(key: string, cost: bigint): void {
    const granted = this.allowances.get(key)
    if (granted === undefined) return
    if (granted.amount === cost) this.allowances.delete(key)
    else this.allowances.set(key, { ...granted, amount: granted.amount - cost })
  }
}
