/** Candid bytes in, Candid bytes or a trap out. Source: minter §§2, 18.4. */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { httpInterface } from '../../../src/core/ic/http-request.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { EMBEDDED_INIT } from '../../../src/core/minter/constants.ts'
import {
  callCandid,
  installCandid,
  minterFaces,
  upgradeCandid,
} from '../../../src/core/minter/interface/candid-face.ts'
import { minterArgCodec, minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { MinterArg } from '../../../src/core/minter/types.ts'
import { CHECKER, LEDGER, MINTER, TestMinter, user } from '../../support/minter-world.ts'

const NO_ARGUMENTS = fromHex('4449444c0000')
const now = timestampNs(1n)
const options = { self: MINTER, now }
const init: MinterArg = {
  type: 'init',
  args: { ...EMBEDDED_INIT, ledgerId: LEDGER, checkerId: CHECKER },
}
const bytesOf = (arg: MinterArg): Uint8Array => encodeArgs([minterArgCodec], [arg])

const installed = () => {
  const answer = installCandid(bytesOf(init), options)
  if (answer.type === 'refused') throw new Error(answer.reason)
  return answer.minter
}

describe('the encoded interface', () => {
  it('has every method but the one that the subnet answers', () => {
    const { get_canister_status: _, ...rest } = minterInterface
    expect(Object.keys(minterFaces).sort()).toEqual(Object.keys(rest).sort())
    for (const [name, { isQuery }] of Object.entries(minterFaces)) {
      const { mode } = rest[name as keyof typeof rest]
      expect([name, isQuery]).toEqual([name, mode === 'query'])
    }
  })

  it('answers bytes with bytes, and a query as an update too', () => {
    const { minter, world } = new TestMinter()
    for (const kind of ['query', 'update'] as const) {
      const call = { method: 'get_deposit_fee', kind, caller: anonymous, arg: NO_ARGUMENTS }
      const answer = callCandid(minter, world, call)
      if (answer?.type !== 'result') throw new Error('no result')
      expect(decodeArgs([minterInterface.get_deposit_fee.result], answer.value)).toEqual([100n])
    }
  })

  it.each([
    ['no bytes', ''],
    ['no Candid', '00112233'],
    ['no arguments', '4449444c0000'],
    ['trailing bytes', '4449444c00000000'],
  ])('traps at arguments that are %s', (_, hex) => {
    const { minter, world } = new TestMinter()
    const call = { method: 'retrieve_btc', kind: 'update', caller: user(1) } as const
    const answer = callCandid(minter, world, { ...call, arg: fromHex(hex) })
    expect(answer?.type).toBe('trap')
  })

  it('has no such method: not of that name, nor an update as a query', () => {
    const { minter, world } = new TestMinter()
    const call = { caller: user(1), arg: NO_ARGUMENTS }
    for (const [method, kind] of [
      ['no_such_method', 'update'],
      ['constructor', 'query'],
      ['update_balance', 'query'],
    ] as const)
      expect(callCandid(minter, world, { ...call, method, kind })).toBeUndefined()
  })

  it('gives its pages to a query, and rejects the update', () => {
    const { minter, world } = new TestMinter()
    const { args, result } = httpInterface.http_request
    const request = { method: 'GET', url: '/metrics', headers: [], body: new Uint8Array() }
    const call = { method: 'http_request', caller: anonymous, arg: encodeArgs(args, [request]) }
    const page = callCandid(minter, world, { ...call, kind: 'query' })
    if (page?.type !== 'result') throw new Error('no page')
    expect(decodeArgs([result], page.value)[0]).toMatchObject({ statusCode: 200 })
    expect(callCandid(minter, world, { ...call, kind: 'update' })).toEqual({
      type: 'trap',
      message: 'update call rejected',
    })
  })
})

describe('encoded install and upgrade arguments', () => {
  it('make the minter that the decoded ones make', () => {
    expect(installed().state.config).toEqual(new TestMinter().state.config)
  })

  it.each([
    ['no bytes', new Uint8Array()],
    ['no arguments', NO_ARGUMENTS],
    ['those of an upgrade', bytesOf({ type: 'upgrade' })],
  ])('do not install: %s', (_, bytes) => {
    expect(installCandid(bytes, options).type).toBe('refused')
  })

  it('minter §23.5: an upgrade without arguments is fine, one with those of an install is not', () => {
    expect(upgradeCandid(installed(), NO_ARGUMENTS, now).type).toBe('installed')
    expect(upgradeCandid(installed(), bytesOf({ type: 'upgrade' }), now).type).toBe('installed')
    expect(upgradeCandid(installed(), new Uint8Array(), now).type).toBe('refused')
    expect(upgradeCandid(installed(), bytesOf(init), now).type).toBe('refused')
  })

  it('change what they name', () => {
    const args = { minConfirmations: 3 }
    const upgraded = upgradeCandid(installed(), bytesOf({ type: 'upgrade', args }), now)
    if (upgraded.type === 'refused') throw new Error(upgraded.reason)
    expect(upgraded.minter.state.config.minConfirmations).toBe(3)
  })
})
