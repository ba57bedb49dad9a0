/**
 * Goal: the operator upgrades the minter through the log, as a whole or not at all, and nobody else
 * does. Method: minter §18.4, through calls of a replica that has made its key.
 */
import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { addNs } from '../../../src/core/base/units.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import type { Codec, Method, ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs, resultsOf } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds as ids } from '../../../src/core/ic/canister-ids.ts'
import { scriptOf } from '../../../src/core/minter/addresses.ts'
import { EMBEDDED_INIT } from '../../../src/core/minter/constants.ts'
import { eventsOf } from '../../../src/core/minter/event-log.ts'
import { minterExtension } from '../../../src/core/minter/extension.ts'
import { minterInterface } from '../../../src/core/minter/interface.ts'
import type { SettingsChange } from '../../../src/core/minter/settings-change.ts'
import type { MinterArg } from '../../../src/core/minter/types.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import type { ReplicaState } from '../../../src/core/subnet/replica-state.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { ChainBuilder, NOW } from '../../support/chain-builder.ts'
import { ingress } from '../../support/ingress.ts'

const [dev0, operator] = [devUser(0), devUser(4)]
const account = { owner: dev0.principal }
const subnetKey = encodePoint(group, group.g.multiplyPublic(5n))
const minterKey = derivePublicKey(masterKey(subnetKey), [ids.minter])
const builder = new ChainBuilder()
const deposit = builder.mine({ payTo: scriptOf(minterKey, account) })
const chain = [deposit, ...builder.mineMany(99, { parent: deposit })]
const methods = { ...minterInterface, ...minterExtension }

type Codecs = readonly Codec<unknown>[]

/** One replica, slot after slot; every call is a slot of its own. */
class Subnet {
  readonly replica: Replica
  #slot: number

  constructor(state?: ReplicaState, slot = 0) {
    this.#slot = slot
    const config = {
      nodes: [],
      operator: operator.principal,
      incarnation: 7n,
      ed25519: nativeEd25519,
      minter: embeddedMinter,
      createdAt: NOW,
    }
    this.replica = new Replica(config, state)
  }

  get now() {
    return addNs(NOW, BigInt(this.#slot))
  }

  get minter() {
    return this.replica.state.minter
  }

  /** Another node that starts from a copy of this one's state. */
  copy(): Subnet {
    return new Subnet(copyOf(this), this.#slot)
  }

  endSlot() {
    const requests = this.replica.endSlot(this.now)
    this.#slot += 1
    return requests
  }

  call<A extends Codecs, R extends Codec<unknown>>(
    user: User,
    [methodName, method]: readonly [string, Method<A, R>],
    args: { readonly [K in keyof A]: ValueOf<A[K]> },
  ) {
    const nonce = new Uint8Array(16).fill(this.#slot)
    const call = { canisterId: ids.minter, methodName, method, now: this.now, nonce }
    const reply = this.replica.ingress(ingress(user, call, args), this.now)?.reply
    this.endSlot()
    if (reply?.type === 'replied') return decodeArgs(resultsOf(method), reply.arg)[0]
    return reply
  }

  upgrade(arg: MinterArg | undefined, change: SettingsChange = {}, user = operator) {
    return this.call(user, ['x_upgrade', methods.x_upgrade], [arg, change])
  }

  address() {
    return this.call(dev0, ['get_btc_address', methods.get_btc_address], [account])
  }

  balanceUpdate() {
    return this.call(dev0, ['update_balance', methods.update_balance], [account])
  }
}

function subnet(): Subnet {
  const made = new Subnet()
  made.replica.masterKey(subnetKey, made.now)
  made.endSlot()
  return made
}

function bringChain({ replica, now }: Subnet): void {
  replica.proposeHeaders(
    0,
    chain.map(({ header }) => encodeHeader(header)),
    now,
  )
  for (const block of chain) replica.block(encodeBlock(block), now)
}

const copyOf = ({ replica }: Subnet): ReplicaState => deserialize(serialize(replica.state))
const ok = { type: 'ok' }
const readOnly: MinterArg = { type: 'upgrade', args: { mode: { type: 'readOnly' } } }

describe('an upgrade through the log', () => {
  it('is the operator’s alone', () => {
    const made = subnet()
    const before = copyOf(made).minter
    expect(made.upgrade(readOnly, {}, dev0)).toMatchObject({ errorCode: 'IC0406' })
    expect(made.minter.state.config).toEqual(before.state.config)
    expect(made.minter.log).toEqual(before.log)
  })

  it('changes arguments and settings, and what it does not name stays', () => {
    const made = subnet()
    const { address, before } = { address: made.address(), before: made.minter }
    expect(made.upgrade(readOnly, { concurrentMax: 7, autoMint: false })).toEqual(ok)
    expect(made.minter.settings).toEqual({ ...before.settings, concurrentMax: 7, autoMint: false })
    expect(made.minter.state.config).toEqual({
      ...before.state.config,
      mode: { type: 'readOnly' },
    })
    expect(made.address()).toBe(address)
    expect(made.balanceUpdate()).toMatchObject({ error: { type: 'temporarilyUnavailable' } })
    expect(made.upgrade(undefined)).toEqual(ok)
    expect(made.minter.settings.concurrentMax).toBe(7)
    expect([...eventsOf(made.minter.log)].map(({ payload }) => payload.type)).toEqual([
      'init',
      'upgrade',
    ])
  })

  const init = { ...EMBEDDED_INIT, ledgerId: ids.ledger, checkerId: ids.checker }
  const tooCheap = { retrieveMinAmount: 99n } // Below the check fee.
  it.each<readonly [string, MinterArg]>([
    ['minter §23.5: init arguments', { type: 'init', args: init }],
    ['minter §23.4: a minimum below the check fee', { type: 'upgrade', args: tooCheap }],
  ])('%s: refused as a whole', (_, arg) => {
    const made = subnet()
    const before = made.minter
    const bytes = serialize(before)
    expect(made.upgrade(arg, { concurrentMax: 7 })).toMatchObject({ type: 'err' })
    expect(made.minter).toBe(before)
    expect(serialize(made.minter)).toEqual(bytes)
  })

  it.each([0, 1_000_001])('takes no count of %s', (concurrentMax) => {
    const made = subnet()
    const bytes = serialize(made.minter)
    expect(made.upgrade(undefined, { concurrentMax })).toMatchObject({ errorCode: 'IC0503' })
    expect(serialize(made.minter)).toEqual(bytes)
  })

  it('is the same at every node, and goes on from a copy of the state', () => {
    const life = (made: Subnet) => {
      made.address()
      bringChain(made)
      made.endSlot()
      made.upgrade({ type: 'upgrade', args: { checkFee: 200n } }, { suspensionNs: 5n })
      const on = made.copy()
      return [made, on].map((one) => [one.address(), one.upgrade(readOnly), copyOf(one).minter])
    }
    const [one, other] = [life(subnet()), life(subnet())]
    expect(one[0]).toEqual(one[1])
    expect(other).toEqual(one)
  })

  it('mints at once what it lets in, and to whom an address was handed out before', () => {
    const made = subnet()
    made.address()
    made.upgrade(readOnly)
    bringChain(made)
    made.endSlot()
    expect(made.minter.log.count).toBe(2)
    made.upgrade({ type: 'upgrade', args: { mode: { type: 'generalAvailability' } } })
    const kinds = [...eventsOf(made.minter.log)].map(({ payload }) => payload.type)
    expect(kinds).toEqual(['init', 'upgrade', 'upgrade', 'checkedUtxoV2', 'receivedUtxos'])
    expect(made.replica.violations()).toEqual([])
  })
})
