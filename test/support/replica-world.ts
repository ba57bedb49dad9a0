/**
 * One replica with a key, slot after slot, called in Candid bytes; a chain with one deposit of dev0
 * can be brought. For tests only.
 */
import { deserialize, serialize } from 'node:v8'
import { derivePublicKey, masterKey } from '../../src/core/base/derivation.ts'
import { present } from '../../src/core/base/errors.ts'
import { encodePoint } from '../../src/core/base/group.ts'
import { secp256k1 as group } from '../../src/core/base/noble-secp256k1.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs } from '../../src/core/base/units.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader } from '../../src/core/btc/block.ts'
import { txid as txidOf } from '../../src/core/btc/transaction.ts'
import type { CallReply } from '../../src/core/ic/call-reply.ts'
import type { Codec, Method, ValueOf } from '../../src/core/ic/candid.ts'
import { decodeArgs } from '../../src/core/ic/candid.ts'
import { ownCanisterIds as ids } from '../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { scriptOf } from '../../src/core/minter/addresses.ts'
import { minterExtension } from '../../src/core/minter/interface/extension.ts'
import { minterInterface } from '../../src/core/minter/interface/interface.ts'
import type { SettingsChange } from '../../src/core/minter/settings-change.ts'
import type { MinterArg } from '../../src/core/minter/types.ts'
import { checkerInterface } from '../../src/core/subnet/checker-interface.ts'
import { Replica } from '../../src/core/subnet/replica.ts'
import type { ReplicaState } from '../../src/core/subnet/replica-state.ts'
import type { LedgerSettings, MinterSettings } from '../../src/core/subnet/settings.ts'
import { embeddedMinter } from '../../src/core/subnet/settings.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import type { User } from '../../src/wallet/identity.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { ChainBuilder, coinbaseOutput, NOW, spend } from './chain-builder.ts'
import { ingress } from './ingress.ts'

export const operator = devUser(4)
const subnetKey = encodePoint(group, group.g.multiplyPublic(5n))
const minterKey = derivePublicKey(masterKey(subnetKey), [ids.minter])

export const depositor = devUser(0)
const account = { owner: depositor.principal }
export const builder = new ChainBuilder()
const base = builder.mineMany(100)
const ripe = coinbaseOutput(present(base[0], 'the first block'))
const payment = spend([ripe], [{ to: scriptOf(minterKey, account), value: 5_000_000_000n }])
export const paymentTxid = txidOf(payment)
const paying = builder.mine({ parent: base.at(-1), transactions: [payment] })
/** Pays 50 bitcoin to the depositor's address, six confirmations deep. */
export const chain: readonly Block[] = [...base, paying, ...builder.mineMany(5, { parent: paying })]
/** The longer chain without the payment. */
export const rival: readonly Block[] = builder.mineMany(7, { parent: base.at(-1) })
/** What makes the chain with the payment the longest again. */
export const comeback: readonly Block[] = builder.mineMany(2, { parent: chain.at(-1) })

type Codecs = readonly Codec<unknown>[]
type Named<A extends Codecs, R extends Codec<unknown>> = readonly [string, Method<A, R>]

export const copyOf = ({ replica }: { readonly replica: Replica }): ReplicaState =>
  deserialize(serialize(replica.state))

export class ReplicaWorld {
  readonly replica: Replica
  #slot: number
  #nonce = 0
  /** While a slot is open, calls do not end it. */
  #isOpen = false

  constructor({
    minter = embeddedMinter,
    ledgers,
    ...from
  }: {
    readonly minter?: MinterSettings
    readonly ledgers?: LedgerSettings
    readonly state?: ReplicaState
    readonly slot?: number
  } = {}) {
    const config = {
      nodes: [],
      operator: operator.principal,
      incarnation: 7n,
      ed25519: nativeEd25519,
      minter,
      ledgers,
      createdAt: NOW,
    }
    this.replica = new Replica(config, from.state)
    this.#slot = from.slot ?? 0
    if (from.state !== undefined) return
    this.replica.masterKey(subnetKey, this.now)
    this.endSlot()
  }

  /** Another node that starts from a copy of this one's state. */
  copy(): ReplicaWorld {
    return new ReplicaWorld({ state: copyOf(this), slot: this.#slot })
  }

  get now(): TimestampNs {
    return addNs(NOW, BigInt(this.#slot))
  }

  get minter() {
    return this.replica.state.minter
  }

  endSlot() {
    const requests = this.replica.endSlot(this.now)
    this.#slot += 1
    return requests
  }

  /** The next slot is so much later. */
  pass(seconds: number): void {
    this.#slot += seconds * 1_000_000_000
  }

  /** All that `body` calls is of one slot. */
  sameSlot<T>(body: () => T): T {
    this.#isOpen = true
    const result = body()
    this.#isOpen = false
    this.endSlot()
    return result
  }

  /** The decoded reply, or what the call was rejected with. */
  call<A extends Codecs, R extends Codec<unknown>>(
    { user, canisterId = ids.minter }: { readonly user: User; readonly canisterId?: Principal },
    [methodName, method]: Named<A, R>,
    args: { readonly [K in keyof A]: ValueOf<A[K]> },
  ): ValueOf<R> | Exclude<CallReply, { readonly type: 'replied' }> {
    const nonce = new Uint8Array(16).fill(++this.#nonce)
    const call = { canisterId, methodName, method, now: this.now, nonce }
    const reply = this.replica.ingress(ingress(user, call, args), this.now)?.reply
    if (!this.#isOpen) this.endSlot()
    if (reply === undefined) throw new Error('the call is executed')
    return reply.type === 'replied' ? decodeArgs([method.result], reply.arg)[0] : reply
  }

  upgrade(arg: MinterArg | undefined, change: SettingsChange = {}, user = operator) {
    return this.call({ user }, ['x_upgrade', minterExtension.x_upgrade], [arg, change])
  }

  address(user = depositor) {
    const method = minterInterface.get_btc_address
    return this.call({ user }, ['get_btc_address', method], [{ owner: user.principal }])
  }

  balanceUpdate(user = depositor, subaccount?: Uint8Array) {
    const { update_balance: method } = minterInterface
    return this.call({ user }, ['update_balance', method], [{ owner: user.principal, subaccount }])
  }

  /** Approves, and asks for a redemption, in this order. */
  redeem(amount: bigint, address: string, user = depositor) {
    const { icrc2_approve: approve } = ledgerInterface
    const approval = { spender: { owner: ids.minter }, amount }
    this.call({ user, canisterId: ids.ledger }, ['icrc2_approve', approve], [approval])
    const { retrieve_btc_with_approval: method } = minterInterface
    return this.call({ user }, ['retrieve_btc_with_approval', method], [{ address, amount }])
  }

  /** A method of the checker, as the operator. */
  checker<M extends keyof typeof checkerInterface>(
    method: M,
    args: (typeof checkerInterface)[M] extends Method<infer A, Codec<unknown>>
      ? { readonly [K in keyof A]: ValueOf<A[K]> }
      : never,
    user = operator,
  ) {
    const found: Method<Codecs, Codec<unknown>> = checkerInterface[method]
    return this.call({ user, canisterId: ids.checker }, [method, found], args)
  }

  /** Blocks of one chain, in this slot. */
  bringChain(blocks: readonly Block[] = chain): void {
    const headers = blocks.map(({ header }) => encodeHeader(header))
    this.replica.proposeHeaders(0, headers, this.now)
    for (const block of blocks) this.replica.block(encodeBlock(block), this.now)
  }
}
