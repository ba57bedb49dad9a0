/**
 * Goal: a controller sees the status of his canisters, nobody else does, and everything else is
 * refused in the words of the interface. Method: IC interface §18, through slots and queries of a
 * replica.
 */
import { describe, expect, test } from 'vitest'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../../src/core/base/units.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { canisterStatusCodec, managementStatusCodec } from '../../../src/core/ic/canister-status.ts'
import { encodeEnvelope, signCall } from '../../../src/core/ic/envelope.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { anonymous, managementCanister, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { bitcoinCalls } from '../../../src/core/subnet/bitcoin-interface.ts'
import { moduleHash } from '../../../src/core/subnet/canister.ts'
import { manage, managementInterface } from '../../../src/core/subnet/management.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { CallingCanister } from '../../support/calling-canister.ts'
import { NOW } from '../../support/chain-builder.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface(
  'the management interface',
  managementInterface,
  'ic-management/ic-management.idl.js',
)

const ids = ownCanisterIds
const operator = devUser(4)
const somebody = devUser(0)
const config = {
  nodes: [],
  operator: operator.principal,
  incarnation: 7n,
  ed25519: nativeEd25519,
  minter: embeddedMinter,
  createdAt: NOW,
}
const replica = new Replica(config)
const named = {
  ledger: ids.ledger,
  minter: ids.minter,
  index: ids.index,
  checker: ids.checker,
  bitcoin: ids.bitcoin,
} as const
const about = (canisterId: Principal) =>
  encodeArgs(managementInterface.canister_status.args, [{ canisterId }])

type Asked = {
  readonly methodName: string
  readonly arg: Uint8Array
  readonly canisterId?: Principal
}
const query = (caller: Principal, { canisterId = managementCanister, ...call }: Asked): CallReply =>
  replica.query({ caller, canisterId, ...call })

let nonce = 0
function update(user: User, { canisterId = managementCanister, ...call }: Asked): CallReply {
  const content = {
    type: 'call',
    sender: user.principal,
    ingressExpiry: addNs(NOW, 200n * NS_PER_SECOND),
    nonce: Uint8Array.of(nonce++),
    canisterId,
    ...call,
  } as const
  const executed = replica.ingress(encodeEnvelope(signCall(content, user)), NOW)
  if (executed === undefined) throw new Error('the call is executed')
  return executed.reply
}

const statusIn = (reply: CallReply) =>
  reply.type === 'replied' ? decodeArgs([managementStatusCodec], reply.arg)[0] : reply

describe('the status of a canister', () => {
  test.each(Object.entries(named))('%s is shown to its controller', (name, id) => {
    const asked = { methodName: 'canister_status', arg: about(id) }
    const status = statusIn(query(operator.principal, asked))
    expect(status).toMatchObject({
      status: 'running',
      settings: { controllers: [operator.principal] },
      moduleHash: moduleHash(name as keyof typeof named),
    })
    expect(statusIn(update(operator, asked))).toEqual(status)
  })

  test('is shown to the canister itself, which tells everybody', () => {
    const asked = { canisterId: ids.minter, methodName: 'get_canister_status' }
    const arg = encodeArgs(minterInterface.get_canister_status.args, [])
    const own = statusIn(
      query(ids.minter, { methodName: 'canister_status', arg: about(ids.minter) }),
    )
    expect(own).toMatchObject({ status: 'running' })
    const told = update(somebody, { ...asked, arg })
    if (told.type !== 'replied') throw new Error('the minter answers')
    const [form] = decodeArgs([canisterStatusCodec], told.arg)
    expect(own).toMatchObject(form)
    // The method is an update.
    expect(query(somebody.principal, { ...asked, arg })).toMatchObject({ errorCode: 'IC0536' })
  })

  test.each(Object.entries(named))('%s is kept from everybody else', (_, id) => {
    const asked = { methodName: 'canister_status', arg: about(id) }
    const refusal = {
      type: 'rejected',
      code: 5,
      errorCode: 'IC0512',
      message: `Only controllers of canister ${textOfPrincipal(id)} can call ic00 method canister_status`,
    }
    expect(query(somebody.principal, asked)).toEqual(refusal)
    expect(query(anonymous, asked)).toEqual(refusal)
    expect(update(somebody, asked)).toEqual(refusal)
  })

  test('of a canister that is not here is that it is not here, for whoever asks', () => {
    const id = canisterOfNumber(7n)
    const asked = { methodName: 'canister_status', arg: about(id) }
    const refusal = { errorCode: 'IC0301', message: `Canister ${textOfPrincipal(id)} not found` }
    expect(query(operator.principal, asked)).toMatchObject(refusal)
    expect(update(somebody, asked)).toMatchObject(refusal)
    const itself = { methodName: 'canister_status', arg: about(managementCanister) }
    expect(query(operator.principal, itself)).toMatchObject({ errorCode: 'IC0301' })
  })

  test('is not shown to an argument that says nothing: every prefix, and a byte too many', () => {
    const arg = about(ids.ledger)
    const wrong = [...arg.keys()].map((length) => arg.slice(0, length))
    for (const bad of [...wrong, Uint8Array.of(...arg, 0)]) {
      const reply = query(operator.principal, { methodName: 'canister_status', arg: bad })
      expect(reply).toMatchObject({ code: 4, errorCode: 'IC0408' })
      expect(
        attempt(() => decodeArgs(managementInterface.canister_status.args, bad)),
      ).toBeInstanceOf(BadEncoding)
    }
  })
})

test.each(['raw_rand', 'create_canister', 'install_code', 'constructor', ''])(
  'the method "%s" is refused to everybody, the operator included',
  (methodName) => {
    const refusal = {
      type: 'rejected',
      code: 4,
      errorCode: 'IC0407',
      message: 'This subnet hosts ckBTC only. It cannot run user canisters.',
    }
    const asked = { methodName, arg: about(ids.ledger) }
    expect(query(operator.principal, asked)).toEqual(refusal)
    expect(update(somebody, asked)).toEqual(refusal)
    const call = { ...asked, caller: operator.principal, canisterId: managementCanister }
    expect(manage(call, { controller: operator.principal, find: () => undefined })).toEqual(refusal)
  },
)

describe('the methods about Bitcoin', () => {
  const { bitcoin_get_balance: method } = bitcoinCalls
  const methodName = 'bitcoin_get_balance'
  const request = (network: 'regtest' | 'mainnet') =>
    encodeArgs(method.args, [{ network, address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080' }])

  test.each(Object.keys(bitcoinCalls))('%s is for canisters alone', (name) => {
    const refusal = {
      code: 4,
      errorCode: 'IC0406',
      message: `Only canisters can call ic00 method ${name}`,
    }
    const asked = { methodName: name, arg: request('regtest') }
    expect(query(operator.principal, asked)).toMatchObject(refusal)
    expect(update(somebody, asked)).toMatchObject(refusal)
  })

  test('answer canisters in the slot of the call, and their cycles go back', () => {
    const guest = new CallingCanister(canisterOfNumber(9n))
    const world = new Replica({ ...config, guests: [guest] })
    guest.call('right', methodName, request('regtest'), 9n)
    guest.call('wrong', methodName, request('mainnet'), 9n)
    const noKeys = {
      certificationKey: undefined,
      offersKey: () => false,
      holdKey: () => false,
      publicKeyOf: () => undefined,
      enqueue: () => false,
    }
    world.passKeyCalls(noKeys, NOW)
    const right = guest.answerTo('right')
    if (right?.answer.type !== 'replied') throw new Error('a reply')
    expect([decodeArgs([method.result], right.answer.arg)[0], right.refund]).toEqual([0n, 9n])
    expect(guest.answerTo('wrong')?.answer).toEqual({
      type: 'rejected',
      code: 5,
      message:
        `Error from Canister ${textOfPrincipal(ids.bitcoin)}: Canister called \`ic0.trap\` ` +
        "with message: 'Network must be regtest. Found mainnet'",
    })
  })
})
