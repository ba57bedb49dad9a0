/**
 * A small ledger, chain and signer around one minter: what its ports answer, kept in memory. For
 * tests only.
 */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js'
import type { Txid } from '../../src/core/base/bytes.ts'
import { bigEndian, equalBytes, fromHex, hash32 } from '../../src/core/base/bytes.ts'
import type { ExtendedKey } from '../../src/core/base/derivation.ts'
import { derivePublicKey } from '../../src/core/base/derivation.ts'
import { hash160, sha256 } from '../../src/core/base/hash.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { NS_PER_SECOND, sat, timestampNs } from '../../src/core/base/units.ts'
import { scriptCodeOfKeyHash, segwitSighash } from '../../src/core/btc/sighash.ts'
import { compactOfDer, isLowS } from '../../src/core/btc/signature.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  outpointKey,
  txid as txidOf,
  vsize,
} from '../../src/core/btc/transaction.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { accountKey } from '../../src/core/ic/account.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import { principal, principalOfText } from '../../src/core/ic/principal.ts'
import { scriptOf, scriptOfKey } from '../../src/core/minter/addresses.ts'
import type { Call, Method, Methods, Reply, SignatureRequest } from '../../src/core/minter/calls.ts'
import type { Settings } from '../../src/core/minter/constants.ts'
import { DEFAULT_SETTINGS, EMBEDDED_INIT } from '../../src/core/minter/constants.ts'
import type { World } from '../../src/core/minter/context.ts'
import { eventsOf } from '../../src/core/minter/events/event-log.ts'
import type { Event, PayloadType } from '../../src/core/minter/events/events.ts'
import type { Minter } from '../../src/core/minter/machine.ts'
import * as machine from '../../src/core/minter/machine.ts'
import type {
  Bitcoin,
  BitcoinUtxo,
  BlockSought,
  BurnFromResult,
  BurnResult,
  Checker,
  FindResult,
  Ledger,
  LedgerCall,
  LedgerFailure,
} from '../../src/core/minter/ports.ts'
import { acceptAll } from '../../src/core/minter/ports.ts'
import type { SettingsChange } from '../../src/core/minter/settings-change.ts'
import type { InitArgs } from '../../src/core/minter/types.ts'

export const MINTER = principalOfText('mqygn-kiaaa-aaaar-qaadq-cai')
export const LEDGER = principalOfText('mxzaz-hqaaa-aaaar-qaada-cai')
export const CHECKER = principalOfText('oltsj-fqaaa-aaaar-qal5q-cai')
const SECRET = 0x11ad92ebff29cd80fa14b3c1e5c080246d69ff6af285da3c01378410cd31f2c5n
export const ROOT: ExtendedKey = {
  publicKey: curve.getPublicKey(bigEndian(SECRET, 32)),
  chainCode: sha256(fromHex('00')),
}
const START = timestampNs(1_719_792_000n * NS_PER_SECOND)

/** A user: ten bytes that are nobody's key. */
export const user = (number: number): Principal =>
  principal(Uint8Array.from([number >> 8, number & 0xff, 0, 0, 0, 0, 0, 0, 1, 1]))

type Block = {
  readonly type: 'mint' | 'burn'
  readonly account: Account
  readonly amount: bigint
  readonly memo: Uint8Array
  readonly createdAtTime: bigint
}

/** The minter's process is gone. */
export class Crash extends Error {}

export class FakeLedger implements Ledger {
  readonly balances = new Map<string, bigint>()
  readonly allowances = new Map<string, bigint>()
  readonly blocks: Block[] = []
  /** What it answers instead of doing anything. */
  failure: LedgerFailure | undefined
  answersInStep = true
  /** What gets lost of the next calls: the answer, or the call itself before the ledger acts. */
  loses: 'answer' | 'call' | undefined
  /** The minter stops in the middle of a call, after the ledger acted. */
  crashes = false
  /** Its time, which blocks and lookups tell. */
  time: () => TimestampNs = () => timestampNs(0n)
  /** Lookups so far. */
  finds = 0
  /** Runs in the middle of a mint. */
  duringMint: () => void = () => undefined

  #write(type: Block['type'], account: Account, { amount, memo, createdAtTime }: LedgerCall) {
    const isSame = (b: Block) => b.createdAtTime === createdAtTime && b.type === type
    if (this.blocks.some(isSame)) throw new Error('a time for ledger calls was used twice')
    const key = accountKey(account)
    const change = type === 'mint' ? amount : -amount
    this.balances.set(key, (this.balances.get(key) ?? 0n) + change)
    this.blocks.push({ type, account, amount, memo, createdAtTime })
    if (this.crashes) throw new Crash()
    if (this.loses === 'answer') return { type: 'unknown' } as const
    return { type: 'ok', blockIndex: BigInt(this.blocks.length - 1) } as const
  }

  /** What it answers without doing anything. */
  get #refusal() {
    return this.failure ?? (this.loses === 'call' ? ({ type: 'unknown' } as const) : undefined)
  }

  find({ operation, account, memo, amount, createdAtTime }: BlockSought): FindResult {
    this.finds += 1
    if (this.failure?.type === 'temporarilyUnavailable') return this.failure
    const index = this.blocks.findIndex(
      (block) =>
        block.type === operation &&
        accountKey(block.account) === accountKey(account) &&
        equalBytes(block.memo, memo) &&
        block.amount === amount &&
        block.createdAtTime === createdAtTime,
    )
    return index < 0
      ? { type: 'absent', ledgerTime: this.time() }
      : { type: 'found', blockIndex: BigInt(index) }
  }

  balance(account: Account): bigint {
    return this.balances.get(accountKey(account)) ?? 0n
  }

  get supply(): bigint {
    return [...this.balances.values()].reduce((sum, balance) => sum + balance, 0n)
  }

  /** Moves without a fee: who holds what is not what these tests are about. */
  move(from: Account, to: Account, amount: bigint): void {
    this.balances.set(accountKey(from), this.balance(from) - amount)
    this.balances.set(accountKey(to), this.balance(to) + amount)
  }

  mint({ to, ...call }: LedgerCall & { readonly to: Account }) {
    this.duringMint()
    return this.#refusal ?? this.#write('mint', to, call)
  }

  burn({ subaccount, ...call }: LedgerCall & { readonly subaccount: Uint8Array }): BurnResult {
    if (this.#refusal !== undefined) return this.#refusal
    const account = { owner: MINTER, subaccount }
    const balance = this.balance(account)
    if (balance < call.amount) return { type: 'insufficientFunds', balance } as const
    return this.#write('burn', account, call)
  }

  burnFrom({ from, ...call }: LedgerCall & { readonly from: Account }): BurnFromResult {
    if (this.#refusal !== undefined) return this.#refusal
    const allowance = this.allowances.get(accountKey(from)) ?? 0n
    if (allowance < call.amount) return { type: 'insufficientAllowance', allowance }
    const balance = this.balance(from)
    if (balance < call.amount) return { type: 'insufficientFunds', balance }
    this.allowances.set(accountKey(from), allowance - call.amount)
    return this.#write('burn', from, call)
  }

  totalSupply(): bigint {
    return this.supply
  }

  balanceOf(account: Account) {
    return this.failure?.type === 'temporarilyUnavailable'
      ? this.failure
      : ({ type: 'balance', balance: this.balance(account) } as const)
  }
}

type ChainUtxo = BitcoinUtxo & { readonly script: Uint8Array }

/** A chain without work: coins, a tip, and transactions that wait for the next block. */
export class FakeChain implements Bitcoin {
  readonly utxosByKey = new Map<string, ChainUtxo>()
  readonly mempool: Transaction[] = []
  readonly sent: Uint8Array[] = []
  tipHeight = 100
  rates: readonly bigint[] = []
  isSet = false
  isDown = false
  refusesToSend = false
  /** Answers with these coins too, whatever happened to them: a stale view. */
  stale: readonly ChainUtxo[] = []
  /** Heights by txid. */
  readonly #confirmed = new Map<string, number>()
  #coins = 0

  utxos({ script, minConfirmations }: { script: Uint8Array; minConfirmations: number }) {
    if (this.isDown) return { type: 'temporarilyUnavailable', message: 'down' } as const
    const isWanted = (utxo: ChainUtxo) =>
      bytesKey(utxo.script) === bytesKey(script) &&
      utxo.height <= this.tipHeight &&
      this.tipHeight - utxo.height + 1 >= minConfirmations
    const utxos = [...this.utxosByKey.values(), ...this.stale]
      .filter(isWanted)
      .map(({ outpoint, value, height }) => ({ outpoint, value, height }))
    return { type: 'utxos', utxos, tipHeight: this.tipHeight } as const
  }

  feePercentiles() {
    return { type: 'percentiles', rates: this.rates, isSet: this.isSet } as const
  }

  missing(outpoints: readonly BitcoinUtxo['outpoint'][]) {
    return this.isDown
      ? undefined
      : outpoints.filter((outpoint) => !this.utxosByKey.has(outpointKey(outpoint)))
  }

  confirmations(txid: Txid): number {
    const height = this.#confirmed.get(bytesKey(txid))
    return height === undefined ? 0 : this.tipHeight - height + 1
  }

  send(bytes: Uint8Array) {
    if (this.refusesToSend)
      return { type: 'temporarilyUnavailable', message: 'queue full' } as const
    const transaction = decodeTransaction(bytes)
    this.sent.push(bytes)
    this.#admit(transaction)
    return { type: 'ok' } as const
  }

  /** As nodes do: of two that spend the same the one that pays more, by its rate and for relay. */
  #admit(transaction: Transaction): void {
    const fee = this.feeOf(transaction)
    if (fee === undefined) return
    const spends = new Set(transaction.inputs.map(({ outpoint }) => outpointKey(outpoint)))
    const rivals = this.mempool.filter(({ inputs }) =>
      inputs.some(({ outpoint }) => spends.has(outpointKey(outpoint))),
    )
    const size = BigInt(vsize(transaction))
    const isDearer = rivals.every(
      (rival) => fee * BigInt(vsize(rival)) > (this.feeOf(rival) ?? 0n) * size,
    )
    const paid = rivals.reduce((sum, rival) => sum + (this.feeOf(rival) ?? 0n), 0n)
    if (rivals.length > 0 && (!isDearer || fee < paid + size)) return
    for (const rival of rivals) this.mempool.splice(this.mempool.indexOf(rival), 1)
    this.mempool.push(transaction)
  }

  /** Undefined where an input is not there (any more). */
  feeOf({ inputs, outputs }: Transaction): bigint | undefined {
    let fee = 0n
    for (const { outpoint } of inputs) {
      const utxo = this.utxosByKey.get(outpointKey(outpoint))
      if (utxo === undefined) return undefined
      fee += utxo.value
    }
    return outputs.reduce((rest, { value }) => rest - value, fee)
  }

  /** A payment of nobody in particular, in a block `confirmations` deep. */
  pay(script: Uint8Array, value: bigint, confirmations = 6): ChainUtxo {
    const txid = sha256(bigEndian(BigInt(++this.#coins), 8)) as Txid
    const height = this.tipHeight - confirmations + 1
    return this.#add({ txid, vout: 0 }, { value, height, script })
  }

  #add(
    outpoint: BitcoinUtxo['outpoint'],
    { value, height, script }: { value: bigint; height: number; script: Uint8Array },
  ): ChainUtxo {
    const utxo = { outpoint, value: sat(value), height, script }
    this.utxosByKey.set(outpointKey(outpoint), utxo)
    return utxo
  }

  /** The next block takes all that waits; more empty ones follow. */
  mine(blocks = 1): void {
    this.tipHeight += 1
    for (const transaction of this.mempool.splice(0)) this.#confirm(transaction)
    this.tipHeight += blocks - 1
  }

  #confirm(transaction: Transaction): void {
    const txid = txidOf(transaction)
    this.#confirmed.set(bytesKey(txid), this.tipHeight)
    const spent = transaction.inputs.map(({ outpoint }) =>
      this.utxosByKey.get(outpointKey(outpoint)),
    )
    if (spent.some((utxo) => utxo === undefined)) throw new Error('a coin is spent twice')
    transaction.inputs.forEach((input, index) => {
      const utxo = this.utxosByKey.get(outpointKey(input.outpoint))
      if (utxo === undefined || !isSignedFor(transaction, index, utxo))
        throw new Error(`input ${index} is not signed for`)
      this.utxosByKey.delete(outpointKey(input.outpoint))
    })
    transaction.outputs.forEach(({ value, script }, vout) => {
      this.#add({ txid, vout }, { value, height: this.tipHeight, script })
    })
  }
}

const bytesKey = (bytes: Uint8Array): string => bytes.join()

/** Pay to witness public key hash, as a node checks it. */
function isSignedFor(tx: Transaction, index: number, utxo: ChainUtxo): boolean {
  const [der, publicKey] = tx.inputs[index]?.witness ?? []
  if (der === undefined || publicKey === undefined) return false
  if (bytesKey(scriptOfKey(publicKey)) !== bytesKey(utxo.script) || der.at(-1) !== 1) return false
  const signature = compactOfDer(der.subarray(0, -1))
  const scriptCode = scriptCodeOfKeyHash(hash160(publicKey))
  const digest = segwitSighash({ tx, index, scriptCode, value: utxo.value, hashType: 1 })
  return isLowS(signature) && curve.verify(signature, digest, publicKey, { prehash: false })
}

/** What the threshold signer of a subnet would answer. */
export function signatureFor({ path, digest }: SignatureRequest): Uint8Array {
  const { tweak } = derivePublicKey(ROOT, path)
  const secret = (SECRET + tweak) % curve.Point.Fn.ORDER
  return curve.sign(digest, bigEndian(secret, 32), { prehash: false })
}

export type WorldOptions = {
  readonly init?: Partial<InitArgs>
  readonly settings?: Partial<Settings>
}

/** One minter with its world; every step checks the invariants. */
export class TestMinter {
  minter: Minter
  readonly ledger = new FakeLedger()
  readonly chain = new FakeChain()
  checker: Checker = acceptAll
  now = START
  /** Otherwise every call is a slot of its own. */
  callsOverlap = false

  constructor({ init, settings }: WorldOptions = {}) {
    const args = { ...EMBEDDED_INIT, ledgerId: LEDGER, checkerId: CHECKER, ...init }
    const all = { ...DEFAULT_SETTINGS, autoMint: false, ...settings }
    const options = { self: MINTER, now: START, settings: all }
    const installed = machine.install({ type: 'init', args }, options)
    if (installed.type === 'refused') throw new Error(installed.reason)
    this.minter = installed.minter
    this.ledger.time = () => this.now
    this.giveRootKey()
    this.tick()
  }

  /** Another one that stands where this one does: for what is costly to set up. */
  copy(): TestMinter {
    const other = new TestMinter()
    other.minter = structuredClone(this.minter)
    other.now = this.now
    other.chain.mempool.push(...this.chain.mempool)
    other.chain.tipHeight = this.chain.tipHeight
    for (const [key, utxo] of this.chain.utxosByKey) other.chain.utxosByKey.set(key, utxo)
    for (const [key, balance] of this.ledger.balances) other.ledger.balances.set(key, balance)
    other.ledger.blocks.push(...this.ledger.blocks)
    return other
  }

  get world(): World {
    const { ledger, chain, checker, callsOverlap } = this
    return { now: this.now, callsOverlap, ports: { ledger, bitcoin: chain, checker } }
  }

  /** All that `body` calls counts as in flight together, as in one slot of a subnet. */
  sameSlot<T>(body: () => T): T {
    this.callsOverlap = true
    const result = body()
    this.callsOverlap = false
    machine.endSlot(this.minter)
    return result
  }

  get state() {
    return this.minter.state
  }

  giveRootKey(): void {
    machine.notify(this.minter, this.world, { type: 'rootKey', key: ROOT })
  }

  /** The names of all events of some kinds, or of all. */
  events<T extends PayloadType>(...types: readonly T[]): readonly Event[] {
    const wanted: readonly string[] = types
    return [...eventsOf(this.minter.log)].filter(
      ({ payload }) => wanted.length === 0 || wanted.includes(payload.type),
    )
  }

  check(): void {
    const problems = machine.violations(this.minter)
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  /** The reply's value; a trap is thrown. */
  call<M extends Method>(
    method: M,
    caller: Principal,
    args: Methods[M]['args'],
  ): Methods[M]['reply'] {
    const answer = this.answer(method, caller, args)
    if (answer.type === 'trap') throw new Error(`trap: ${answer.message}`)
    return answer.value
  }

  answer<M extends Method>(method: M, caller: Principal, args: Methods[M]['args']): Reply<M> {
    const call = { method, caller, args } as Call<M>
    const answer = machine.handle(this.minter, this.world, call)
    this.check()
    return answer
  }

  tick(): void {
    machine.tick(this.minter, this.world)
    this.check()
  }

  /** Time passes; what falls due runs at its time. */
  wait(duration: bigint): void {
    const until = timestampNs(this.now + duration)
    for (;;) {
      const next = machine.nextTimer(this.minter)
      if (next === undefined || next > until) break
      if (next > this.now) this.now = next
      this.tick()
    }
    this.now = until
  }

  mine(blocks = 1, isReorganised = false): void {
    this.chain.mine(blocks)
    machine.notify(this.minter, this.world, { type: 'bitcoinChanged', isReorganised })
    this.wait(0n)
  }

  outstanding(): readonly SignatureRequest[] {
    return machine.outstanding(this.minter)
  }

  /** The signer answers what is asked, until nothing is. */
  sign(): void {
    for (let requests = this.outstanding(); requests.length > 0; requests = this.outstanding())
      for (const request of requests) this.deliver(request, signatureFor(request))
  }

  deliver({ key }: SignatureRequest, signature: Uint8Array): void {
    machine.notify(this.minter, this.world, { type: 'signatureReady', key, signature })
    this.check()
  }

  fail({ key }: SignatureRequest): void {
    machine.notify(this.minter, this.world, { type: 'signatureFailed', key })
    this.check()
  }

  upgrade(
    arg?: Parameters<typeof machine.upgrade>[1],
    change: SettingsChange = {},
  ): ReturnType<typeof machine.upgrade> {
    const upgraded = machine.upgrade(this.minter, arg, { now: this.now, change })
    if (upgraded.type === 'installed') {
      this.minter = upgraded.minter
      this.giveRootKey()
      this.wait(0n)
    }
    return upgraded
  }

  scriptOf(account: Account): Uint8Array {
    return scriptOf(ROOT, account)
  }

  /** Bitcoin to an account's deposit address. */
  pay(account: Account, value: bigint, confirmations?: number): ChainUtxo {
    return this.chain.pay(this.scriptOf(account), value, confirmations)
  }

  /** A deposit that is credited at once. */
  deposit(account: Account, value: bigint): void {
    this.pay(account, value)
    const result = this.call('update_balance', account.owner, account)
    if (result.type === 'err') throw new Error(`deposit: ${result.error.type}`)
  }

  /** Approves and withdraws; the answer as it comes. */
  withdraw(account: Account, address: string, amount: bigint) {
    const key = accountKey(account)
    this.ledger.allowances.set(key, (this.ledger.allowances.get(key) ?? 0n) + amount)
    const args = { address, amount, fromSubaccount: account.subaccount }
    return this.call('retrieve_btc_with_approval', account.owner, args)
  }

  status(blockIndex: bigint) {
    return this.call('retrieve_btc_status_v2', user(0), { blockIndex })
  }
}

/** A txid of a chosen byte. */
export const someTxid = (byte: number): Txid => hash32(new Uint8Array(32).fill(byte)) as Txid
