/**
 * Goal: two replicas that execute the same slots give the same bytes to every question.
 * Method: architecture §§3, 4; a deposit, a transfer and a redemption up to the request for its
 * signature.
 */
import { deserialize, serialize } from 'node:v8'
import { beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { bool, decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { scriptOf } from '../../../src/core/minter/addresses.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { checkerInterface } from '../../../src/core/subnet/checker-interface.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import type { ReplicaState } from '../../../src/core/subnet/replica-state.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { ChainBuilder, NOW } from '../../support/chain-builder.ts'
import { ingress } from '../../support/ingress.ts'

const ids = ownCanisterIds
const [dev0, dev1, operator] = [devUser(0), devUser(1), devUser(4)]
const account = { owner: dev0.principal }
const subnetKey = encodePoint(group, group.g.multiplyPublic(5n))
const minterKey = derivePublicKey(masterKey(subnetKey), [ids.minter])
const builder = new ChainBuilder()
const deposit = builder.mine({ payTo: scriptOf(minterKey, account) })
const chain = [deposit, ...builder.mineMany(99, { parent: deposit })]
const at = (seconds: bigint): TimestampNs => addNs(NOW, seconds * NS_PER_SECOND)

const makeReplica = (incarnation = 7n, state?: ReplicaState): Replica =>
  new Replica(
    {
      nodes: [],
      operator: operator.principal,
      incarnation,
      ed25519: nativeEd25519,
      minter: embeddedMinter,
      createdAt: NOW,
    },
    state,
  )

/** The state of a replica that knows this many requests. */
function stateKnowing(count: number): ReplicaState {
  const state = deserialize(serialize(makeReplica().state))
  const reply = { type: 'replied', arg: new Uint8Array() } as const
  const request = { sender: dev0.principal, canisterId: ids.ledger, expiry: at(200n), reply }
  for (let i = 0; i < count; i++) state.requests.set(`${i}`.padStart(64, '0'), request)
  return state
}

const ledgerCall = <M extends keyof typeof ledgerInterface>(methodName: M, now: TimestampNs) => ({
  canisterId: ids.ledger,
  methodName,
  method: ledgerInterface[methodName],
  now,
})
const minterCall = <M extends keyof typeof minterInterface>(methodName: M, now: TimestampNs) => ({
  canisterId: ids.minter,
  methodName,
  method: minterInterface[methodName],
  now,
})

const { address } = regtestWallet('recipient')
const envelopes = [
  ingress(dev0, minterCall('get_btc_address', at(1n)), [account]),
  ingress(dev0, ledgerCall('icrc1_transfer', at(3n)), [
    { to: { owner: dev1.principal }, amount: 1_000n },
  ]),
  ingress(dev0, ledgerCall('icrc2_approve', at(3n)), [
    { spender: { owner: ids.minter }, amount: 20_000_000n },
  ]),
  ingress(dev0, minterCall('retrieve_btc_with_approval', at(3n)), [
    { address, amount: 20_000_000n },
  ]),
]

/** Every answer and every request for a signature, as text. */
function life(replica: Replica): readonly string[] {
  const seen: string[] = []
  const call = (bytes: Uint8Array, now: TimestampNs): void => {
    const answer = replica.ingress(bytes, now)
    if (answer !== undefined) seen.push(`${toHex(answer.requestId)} ${textOf(answer.reply)}`)
  }
  const endSlot = (now: TimestampNs): void => {
    for (const { id, path, message } of replica.endSlot(now))
      seen.push([id, ...path, message].map(toHex).join())
  }
  const [first = new Uint8Array(), ...others] = envelopes
  replica.masterKey(subnetKey, at(1n))
  call(first, at(1n))
  endSlot(at(1n))
  const headers = chain.map(({ header }) => encodeHeader(header))
  replica.proposeHeaders(0, headers, at(2n))
  for (const block of chain) replica.block(encodeBlock(block), at(2n))
  endSlot(at(2n))
  for (const bytes of others) call(bytes, at(3n))
  endSlot(at(3n))
  endSlot(at(20n))
  return seen
}

const textOf = (reply: CallReply): string =>
  reply.type === 'replied' ? toHex(reply.arg) : `${reply.code} ${reply.message}`

/** The whole logs of ledger and minter, in the bytes that a client gets. */
function logsOf(replica: Replica): readonly string[] {
  const { icrc3_get_blocks: blocks } = ledgerInterface
  const { get_events: events } = minterInterface
  const asked = [
    {
      canisterId: ids.ledger,
      methodName: 'icrc3_get_blocks',
      arg: encodeArgs(blocks.args, [[all]]),
    },
    { canisterId: ids.minter, methodName: 'get_events', arg: encodeArgs(events.args, [all]) },
  ]
  return asked.map((query) => textOf(replica.query({ caller: dev1.principal, ...query })))
}

const all = { start: 0n, length: 2_000n }

describe('two replicas that execute the same slots', () => {
  const [one, other] = [makeReplica(), makeReplica()]
  let answers: readonly string[]

  beforeAll(() => {
    answers = life(one)
  })

  test('answer alike, and ask for the same signatures under the same ids', () => {
    expect(life(other)).toEqual(answers)
    // Four calls were answered, and the one input of the redemption wants a signature.
    expect(answers).toHaveLength(5)
  })

  test('have the same blocks and events, byte for byte', () => {
    expect(logsOf(other)).toEqual(logsOf(one))
  })

  test('have lived through a mint, a transfer, an approval and a burn', () => {
    const { icrc3_get_blocks: method } = ledgerInterface
    const reply = one.query({
      caller: dev0.principal,
      canisterId: ids.ledger,
      methodName: 'icrc3_get_blocks',
      arg: encodeArgs(method.args, [[all]]),
    })
    if (reply.type !== 'replied') throw new Error(reply.message)
    const [{ logLength }] = decodeArgs([method.result], reply.arg)
    expect(logLength).toBe(4n)
    expect([...one.violations(), ...other.violations()]).toEqual([])
  })

  test('ask under other ids in another time line', () => {
    const third = life(makeReplica(8n))
    expect(third.slice(0, 4)).toEqual(answers.slice(0, 4))
    expect(third[4]?.slice(0, 64)).not.toBe(answers[4]?.slice(0, 64))
    expect(third[4]?.slice(64)).toBe(answers[4]?.slice(64))
  })
})

describe('a call', () => {
  const balance = (replica: Replica, owner = dev1.principal): CallReply =>
    replica.query({
      caller: dev0.principal,
      canisterId: ids.ledger,
      methodName: 'icrc1_balance_of',
      arg: encodeArgs(ledgerInterface.icrc1_balance_of.args, [{ owner }]),
    })

  test('is executed once, and not at all when it has expired or its signature is broken', () => {
    const replica = makeReplica()
    life(replica)
    const before = balance(replica)
    const [, transfer = new Uint8Array()] = envelopes
    expect(replica.ingress(transfer, at(21n))).toBeUndefined()
    const again = { ...ledgerCall('icrc1_transfer', at(21n)), nonce: new Uint8Array(16).fill(1) }
    const fresh = ingress(dev0, again, [{ to: { owner: dev1.principal }, amount: 1_000n }])
    const last = fresh.length - 1
    const broken = fresh.map((byte, i) => (i === last ? byte ^ 1 : byte))
    expect(replica.ingress(broken, at(21n))).toBeUndefined()
    expect(replica.ingress(fresh, at(1_000n))).toBeUndefined()
    expect(balance(replica)).toEqual(before)
    expect(replica.ingress(fresh, at(21n))?.reply.type).toBe('replied')
    expect(balance(replica)).not.toEqual(before)
  })

  test('to a canister that is not there is rejected with code 3', () => {
    const call = { ...ledgerCall('icrc1_fee', NOW), canisterId: ids.firstArchive }
    const answer = makeReplica().ingress(ingress(dev0, call, []), NOW)
    expect(answer?.reply).toMatchObject({ type: 'rejected', code: 3 })
  })
})

test('a signature that nobody asked for is passed over', () => {
  const replica = makeReplica()
  life(replica)
  const before = logsOf(replica)
  replica.signatureReady({ requestId: new Uint8Array(32), signature: new Uint8Array(64) }, at(21n))
  replica.signatureFailed(new Uint8Array(32), at(21n))
  expect(logsOf(replica)).toEqual(before)
})

describe('a replica that goes on from a copy of its state', () => {
  const rootOf = (replica: Replica): string => toHex(replica.stateTree(new Uint8Array(96)).hash)
  const copyOf = ({ state }: Replica): Replica =>
    makeReplica(7n, deserialize(serialize(state)) as ReplicaState)

  test('has the same root, and the same after the same slots', () => {
    const original = makeReplica()
    life(original)
    const copy = copyOf(original)
    expect(rootOf(copy)).toBe(rootOf(original))
    const call = { ...ledgerCall('icrc1_transfer', at(21n)), nonce: new Uint8Array(16).fill(9) }
    const transfer = ingress(dev0, call, [{ to: { owner: dev1.principal }, amount: 5n }])
    for (const replica of [original, copy]) {
      expect(replica.ingress(transfer, at(21n))?.reply.type).toBe('replied')
      replica.endSlot(at(22n))
      expect(replica.violations()).toEqual([])
    }
    expect(rootOf(copy)).toBe(rootOf(original))
    expect(logsOf(copy)).toEqual(logsOf(original))
  })

  test('in another time line asks for its signatures under new ids', () => {
    const original = makeReplica()
    const asked = life(original).at(-1)
    const copy = copyOf(original)
    copy.startAgain(8n, at(22n))
    const [again] = [...copy.endSlot(at(23n)), ...copy.endSlot(at(60n)), ...copy.endSlot(at(700n))]
    expect(again).toBeDefined()
    expect(asked?.startsWith(toHex(again?.id ?? new Uint8Array()))).toBe(false)
    expect(copy.violations()).toEqual([])
  })
})

describe('the checker', () => {
  const flag = (replica: Replica, by: typeof dev0, target: string, flagged = true): CallReply => {
    const method = checkerInterface.x_flag
    const call = { canisterId: ids.checker, methodName: 'x_flag', method, now: NOW }
    const nonce = new Uint8Array(16).fill(flagged ? 1 : 2)
    const answer = replica.ingress(ingress(by, { ...call, nonce }, [{ target, flagged }]), NOW)
    if (answer === undefined) throw new Error('not executed')
    return answer.reply
  }

  test('is changed by the operator alone', () => {
    const replica = makeReplica()
    expect(flag(replica, dev0, address)).toMatchObject({ code: 4, errorCode: 'IC0406' })
    expect(flag(replica, operator, address)).toEqual({
      type: 'replied',
      arg: encodeArgs([bool], [true]),
    })
  })

  test('takes what is neither an address of this network nor a coin for nothing', () => {
    const replica = makeReplica()
    const no = { type: 'replied', arg: encodeArgs([bool], [false]) }
    expect(flag(replica, operator, 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq')).toEqual(no)
  })

  test('makes the minter refuse a flagged address', () => {
    const replica = makeReplica()
    replica.masterKey(subnetKey, at(1n))
    flag(replica, operator, address)
    const { check_address: method } = checkerInterface
    const reply = replica.query({
      caller: dev0.principal,
      canisterId: ids.checker,
      methodName: 'check_address',
      arg: encodeArgs(method.args, [{ address }]),
    })
    if (reply.type !== 'replied') throw new Error(reply.message)
    expect(decodeArgs([method.result], reply.arg)).toEqual([{ type: 'failed' }])
  })
})

describe('a replica that knows very many requests', () => {
  const call = (seed: number): Uint8Array => {
    const nonce = new Uint8Array(16).fill(seed)
    return ingress(dev0, { ...ledgerCall('icrc1_fee', NOW), nonce }, [])
  }

  test('executes the 300,000th and none after it, until some are forgotten', () => {
    const replica = makeReplica(7n, stateKnowing(299_999))
    expect(replica.isFull).toBe(false)
    expect(replica.ingress(call(1), NOW)?.reply.type).toBe('replied')
    expect(replica.isFull).toBe(true)
    expect(replica.ingress(call(2), NOW)).toBeUndefined()
    replica.endSlot(at(501n)) // Five minutes after they expired.
    expect(replica.isFull).toBe(false)
    expect(replica.ingress(call(3), NOW)?.reply.type).toBe('replied')
  })
})
