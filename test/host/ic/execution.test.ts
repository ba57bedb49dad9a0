/**
 * Goal: whatever a canister makes of a call, its sender gets a certified answer, and what failed has
 * changed nothing.
 * Method: IC interface §§8, 12 and §26, items 35 and 46 to 51, over the gateway of a real subnet in
 * this process; the hash of all that canisters certify is compared.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { fromUtf8, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodeArgs, nat, text } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Envelope } from '../../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../../src/core/ic/envelope.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { checkerInterface } from '../../../src/core/subnet/checker-interface.ts'
import type { Posted } from '../../support/ic-requests.ts'
import {
  callContent,
  certified,
  ed25519Signer,
  post,
  queryContent,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const { ledger, checker } = ownCanisterIds
const user = ed25519Signer(1)
const from = `Error from Canister ${textOfPrincipal(ledger)}: `

const call = (fields = {}): Envelope => signCall(callContent(user.principal, net.now, fields), user)
const query = (fields = {}): Promise<Posted> =>
  post(net, signCall(queryContent(user.principal, net.now, fields), user), { action: 'query' })

/** What the certificate says of the call, as text. */
async function certifiedOf(envelope: Envelope, id = ledger) {
  const answer = await post(net, envelope, { id })
  expect(answer).toMatchObject({ status: 200, text: '' })
  expect(answer.fields.get('status')).toBe('replied') // The form of the answer, not the result.
  const say = certified(answer, { envelope, rootKey, now: net.now })
  const read = (label: Parameters<typeof say>[0]) => fromUtf8(say(label) ?? new Uint8Array())
  return {
    status: read('status'),
    code: read('error_code'),
    rejectCode: say('reject_code')?.[0],
    message: read('reject_message'),
  }
}

/** Everything that canisters hold; requests that are known are not among it. */
function stateOf() {
  const { ckbtc, minter, checker, chain } = net.node(0).replica.state
  return structuredClone({ ckbtc, minter, checker, chain })
}
let before: ReturnType<typeof stateOf>
beforeEach(() => {
  before = stateOf()
})
const expectUnchanged = (): void => expect(stateOf()).toEqual(before)

const transferArg = (fields: object = {}): Uint8Array =>
  encodeArgs(ledgerInterface.icrc1_transfer.args, [
    {
      fromSubaccount: undefined,
      to: { owner: user.principal, subaccount: undefined },
      amount: 1n,
      fee: undefined,
      memo: undefined,
      createdAtTime: undefined,
      ...fields,
    },
  ])

describe('a call', () => {
  test('46: of an unknown method is a certified reject', async () => {
    expect(await certifiedOf(call({ methodName: 'no_such' }))).toEqual({
      status: 'rejected',
      code: 'IC0536',
      rejectCode: 5,
      message: `${from}Canister has no update method 'no_such'.`,
    })
    expectUnchanged()
  })

  test('47: that traps is a certified reject and has changed nothing', async () => {
    const arg = transferArg({ memo: new Uint8Array(81) })
    const said = await certifiedOf(call({ methodName: 'icrc1_transfer', arg }))
    expect(said).toMatchObject({ status: 'rejected', code: 'IC0503', rejectCode: 5 })
    expect(said.message).toMatch(/Canister called `ic0\.trap` with message: '.+'$/)
    expectUnchanged()
  })

  test('48: that the canister rejects is a certified reject', async () => {
    const target = `${'00'.repeat(32)}:0`
    const arg = encodeArgs(checkerInterface.x_flag.args, [{ target, flagged: true }])
    const envelope = call({ canisterId: checker, methodName: 'x_flag', arg })
    const said = await certifiedOf(envelope, checker)
    expect(said).toMatchObject({ status: 'rejected', code: 'IC0406', rejectCode: 4 })
    expect(said.message).toMatch(/only the operator/)
    expectUnchanged()
  })

  test.each<[string, Uint8Array]>([
    ['no Candid', utf8('hello')],
    ['nothing', new Uint8Array()],
    ['of other types', encodeArgs([text], ['1'])],
    ['cut off', transferArg().slice(0, -1)],
    ['followed by more', Uint8Array.of(...transferArg(), 0)],
  ])('49: with an argument that is %s traps', async (_, arg) => {
    const said = await certifiedOf(call({ methodName: 'icrc1_transfer', arg }))
    expect(said).toMatchObject({ status: 'rejected', code: 'IC0503', rejectCode: 5 })
    expectUnchanged()
  })

  test('51: of a query method is replied to, with nothing changed', async () => {
    const envelope = call({ methodName: 'icrc1_fee' })
    const answer = await post(net, envelope)
    const say = certified(answer, { envelope, rootKey, now: net.now })
    expect(fromUtf8(say('status') ?? new Uint8Array())).toBe('replied')
    expect(say('reply')).toEqual(encodeArgs([nat], [10n]))
    expectUnchanged()
  })
})

describe('a query', () => {
  test.each([
    ['50: of an update method', 'icrc1_transfer'],
    ['46: of an unknown method', 'no_such'],
  ])('%s is a signed reject', async (_, methodName) => {
    const { status, fields } = await query({ methodName, arg: transferArg() })
    expect(status).toBe(200)
    expect(fields.get('status')).toBe('rejected')
    expect(fields.get('reject_code')).toBe(5n)
    expect(fields.get('error_code')).toBe('IC0536')
    expect(fields.get('reject_message')).toBe(
      `${from}Canister has no query method '${methodName}'.`,
    )
    expect(fields.get('signatures')).toHaveLength(1)
    expectUnchanged()
  })

  test('49: with an argument that is not Candid is a signed reject, too', async () => {
    const { status, fields } = await query({ methodName: 'icrc1_balance_of', arg: utf8('hello') })
    expect([status, fields.get('reject_code'), fields.get('error_code')]).toEqual([
      200,
      5n,
      'IC0503',
    ])
  })
})

describe('a clock that is set back by ten minutes', () => {
  const TEN_MINUTES_MS = 600_000
  const times = (): readonly bigint[] => net.slots.map(({ time }) => time)
  const executed = (): bigint => net.node(0).replica.updatesTotal

  test('35: has no id forgotten, and the time of the subnet goes on', async () => {
    const envelope = call()
    expect((await post(net, envelope)).status).toBe(200)
    const last = times().at(-1) ?? 0n
    const id = requestId(envelope.content)
    const count = executed()

    net.pass(-TEN_MINUTES_MS)
    await post(net, call(), { version: 2 }) // Makes a slot, in which it has long expired.
    const then = times().at(-1) ?? 0n
    expect(then > last).toBe(true)
    expect(times()).toEqual(times().toSorted((a, b) => (a < b ? -1 : 1)))
    expect(new Set(times()).size).toBe(times().length)
    expect(net.node(0).replica.findRequest(id)).toBeDefined()
    expect((await post(net, envelope)).status).toBe(400) // It expires too far ahead of this clock.

    net.pass(TEN_MINUTES_MS)
    expect((await post(net, envelope)).status).toBe(200)
    expect(executed()).toBe(count)
  })

  test('35: lets nothing in that was executed and forgotten since', async () => {
    const envelope = call()
    expect((await post(net, envelope)).status).toBe(200)
    const id = requestId(envelope.content)
    net.pass(TEN_MINUTES_MS)
    await post(net, call())
    expect(net.node(0).replica.findRequest(id)).toBeUndefined()
    const count = executed()
    net.pass(-TEN_MINUTES_MS)
    expect((await post(net, envelope, { version: 2 })).status).toBe(202) // By this clock it is good.
    expect(net.node(0).replica.findRequest(id)).toBeUndefined()
    expect(executed()).toBe(count)
    net.pass(TEN_MINUTES_MS)
  })
})
