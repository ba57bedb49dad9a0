/**
 * Goal: who signs a withdrawal reads what it does, exactly, and nothing that its argument made up.
 * Method: minter §20.5, in values and in Candid bytes as a wallet sends them.
 */
import { IDL } from '@icp-sdk/core/candid'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import type { ConsentRequest, ConsentResult } from '../../../src/core/ic/consent-interface.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { callCandid } from '../../../src/core/minter/interface/candid-face.ts'
import { consent, standardsInterface } from '../../../src/core/minter/interface/consent.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { TestMinter } from '../../support/minter-world.ts'

const ADDRESS = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'
const LONG = 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr'
const subaccount = new Uint8Array(32).fill(0x42)
const withApproval = (address: string, amount: bigint, fromSubaccount?: Uint8Array) =>
  encodeArgs(minterInterface.retrieve_btc_with_approval.args, [{ address, amount, fromSubaccount }])

type Asked = Partial<ConsentRequest> & { readonly device?: 'genericDisplay' | 'fieldsDisplay' }
const request = ({ device, ...asked }: Asked = {}): ConsentRequest => ({
  method: 'retrieve_btc_with_approval',
  arg: withApproval(ADDRESS, 150_000n),
  userPreferences: {
    metadata: { language: 'de', utcOffsetMinutes: -90 },
    deviceSpec: device,
  },
  ...asked,
})
const ask = (asked?: Asked): ConsentResult => consent('mainnet', request(asked))
const markdown = (result: ConsentResult): string =>
  result.type === 'ok' && result.consentMessage.type === 'genericDisplayMessage'
    ? result.consentMessage.markdown
    : expect.unreachable(JSON.stringify(result))
const fields = (result: ConsentResult) =>
  result.type === 'ok' && result.consentMessage.type === 'fieldsDisplayMessage'
    ? result.consentMessage
    : expect.unreachable(result.type)
const unsupported = { type: 'err', error: { type: 'unsupportedCanisterCall' } }

describe('what is not explained', () => {
  it.each(['update_balance', 'get_btc_address', 'icrc1_transfer', '', 'toString'])(
    'minter §23.114: %s is unsupported',
    (method) => expect(ask({ method })).toMatchObject(unsupported),
  )

  it('minter §23.114: an argument of 501 bytes is unsupported, one of 500 is read', () => {
    const long = (length: number) => withApproval('a'.repeat(length), 1n)
    const overhead = long(200).length - 200
    expect(long(500 - overhead).length).toBe(500)
    expect(ask({ arg: long(500 - overhead) })).toMatchObject({ type: 'ok' })
    expect(ask({ arg: long(501 - overhead) })).toMatchObject(unsupported)
  })

  it('is an argument that does not decode: every part of it, other types, bytes behind it', () => {
    const arg = withApproval(ADDRESS, 1n, subaccount)
    for (let length = 0; length < arg.length; length++)
      expect(ask({ arg: arg.subarray(0, length) })).toMatchObject(unsupported)
    expect(ask({ arg: Uint8Array.from([...arg, 0]) })).toMatchObject(unsupported)
    const method = 'retrieve_btc'
    const wrong = IDL.encode(
      [IDL.Record({ address: IDL.Nat64, amount: IDL.Nat64 })],
      [{ address: 1n, amount: 1n }],
    )
    expect(ask({ method, arg: wrong })).toMatchObject(unsupported)
    const short = IDL.encode(
      [
        IDL.Record({
          address: IDL.Text,
          amount: IDL.Nat64,
          from_subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)),
        }),
      ],
      [{ address: ADDRESS, amount: 1n, from_subaccount: [new Uint8Array(31)] }],
    )
    expect(ask({ arg: short })).toMatchObject(unsupported)
  })

  it.each(['', 'a b', 'a`b', 'a\nb', 'a\u202eb', 'ä', '\0'])(
    'is an address that could pose as something else: %j',
    (address) => {
      for (const device of ['genericDisplay', 'fieldsDisplay'] as const)
        expect(ask({ arg: withApproval(address, 1n), device })).toMatchObject(unsupported)
    },
  )
})

describe('a message for a screen', () => {
  it('minter §23.114: says what is burned, what is sent, and 150 000 as 0.0015', () => {
    for (const device of [undefined, 'genericDisplay'] as const) {
      const text = markdown(ask(device === undefined ? {} : { device }))
      expect(text).toMatch(/^# Convert ckBTC to BTC\n\n/)
      expect(text).toContain('from your account')
      expect(text).toContain('minus network and minter fees')
      expect(text).toContain('`0.0015 ckBTC`')
      expect(text).toContain(`\`${ADDRESS}\``)
      expect(text).not.toContain('subaccount')
    }
  })

  it.each([
    [0n, '0'],
    [1n, '0.00000001'],
    [100_000_000n, '1'],
    [150_000_000n, '1.5'],
    [123_456_789n, '1.23456789'],
    [1_000_000_000n, '10'],
    [2n ** 64n - 1n, '184467440737.09551615'],
  ])('writes %s as %s', (amount, text) => {
    expect(markdown(ask({ arg: withApproval(ADDRESS, amount) }))).toContain(`\`${text} ckBTC\``)
  })

  it('names the source subaccount, or that the tokens were deposited before', () => {
    const text = markdown(ask({ arg: withApproval(ADDRESS, 1n, subaccount) }))
    expect(text).toContain(`**ckBTC source subaccount:**\n\`${toHex(subaccount)}\``)
    const arg = encodeArgs(minterInterface.retrieve_btc.args, [{ address: ADDRESS, amount: 1n }])
    const deposited = markdown(ask({ method: 'retrieve_btc', arg }))
    expect(deposited).toContain('that you deposited to your withdrawal account')
  })

  it.each(['testnet', 'regtest'] as const)('on %s names the coins of tests', (network) => {
    const text = markdown(consent(network, request()))
    expect(text).toMatch(/^# Convert ckTESTBTC to TESTBTC\n/)
    expect(text).toContain('0.0015 ckTESTBTC')
    const { intent, fields: shown } = fields(consent(network, request({ device: 'fieldsDisplay' })))
    expect([intent, shown[1]?.[0]]).toEqual(['ckTESTBTC to TESTBTC', 'TESTBTC address (1/3)'])
  })

  it('is always English, and gives the offset back', () => {
    expect(ask()).toMatchObject({ metadata: { language: 'en', utcOffsetMinutes: -90 } })
    const userPreferences = { metadata: { language: '' } }
    expect(ask({ userPreferences })).toMatchObject({ metadata: { language: 'en' } })
  })
})

describe('a message for a small device', () => {
  it('minter §23.114: cuts an address of 62 characters into four pieces', () => {
    expect(LONG.length).toBe(62)
    const device = 'fieldsDisplay'
    const { intent, fields: shown } = fields(ask({ arg: withApproval(LONG, 150_000n), device }))
    expect(intent).toBe('ckBTC to BTC')
    const amount = { type: 'tokenAmount', decimals: 8, amount: 150_000n, symbol: 'ckBTC' }
    expect(shown[0]).toEqual(['Amount', amount])
    expect(shown.slice(1).map(([label]) => label)).toEqual(
      [1, 2, 3, 4].map((i) => `BTC address (${i}/4)`),
    )
    const texts = shown.flatMap(([, value]) => (value.type === 'text' ? [value.content] : []))
    expect(texts.map(({ length }) => length)).toEqual([18, 18, 18, 8])
    expect(texts.join('')).toBe(LONG)
  })

  it.each([
    [18, ['BTC address']],
    [19, ['BTC address (1/2)', 'BTC address (2/2)']],
    [36, ['BTC address (1/2)', 'BTC address (2/2)']],
  ])('leaves a text of %i characters in as few pieces as it can', (length, labels) => {
    const arg = withApproval('a'.repeat(length), 1n)
    const shown = fields(ask({ arg, device: 'fieldsDisplay' })).fields
    expect(shown.slice(1).map(([label]) => label)).toEqual(labels)
  })

  it('cuts the subaccount as well', () => {
    const arg = withApproval('a', 1n, subaccount)
    const shown = fields(ask({ arg, device: 'fieldsDisplay' })).fields.slice(2)
    expect(shown.map(([label]) => label)).toEqual(
      [1, 2, 3, 4].map((i) => `From subaccount (${i}/4)`),
    )
    const texts = shown.map(([, value]) => (value.type === 'text' ? value.content : ''))
    expect(texts.join('')).toBe(toHex(subaccount))
  })
})

describe('in Candid bytes', () => {
  const world = new TestMinter()
  const call = (method: string, arg: Uint8Array, kind: 'query' | 'update') =>
    callCandid(world.minter, world.world, { caller: anonymous, method, arg, kind })
  const { icrc21_canister_call_consent_message: method, icrc10_supported_standards: standards } =
    standardsInterface

  it('anybody gets the message of an update, and none from a query', () => {
    const name = 'icrc21_canister_call_consent_message'
    const arg = encodeArgs(method.args, [request({ device: 'fieldsDisplay' })])
    expect(call(name, arg, 'query')).toBeUndefined()
    const answer = call(name, arg, 'update')
    if (answer?.type !== 'result') throw new Error('not answered')
    const expected = consent('regtest', request({ device: 'fieldsDisplay' }))
    expect(decodeArgs([method.result], answer.value)).toEqual([expected])
    expect(call(name, arg.subarray(1), 'update')).toMatchObject({ type: 'trap' })
  })

  it('ICRC-10 and ICRC-21 are listed', () => {
    const answer = call('icrc10_supported_standards', encodeArgs([], []), 'query')
    if (answer?.type !== 'result') throw new Error('not answered')
    const [list] = decodeArgs([standards.result], answer.value)
    expect(list.map(({ name }) => name)).toEqual(['ICRC-10', 'ICRC-21'])
    expect(list.every(({ url }) => url.startsWith('https://'))).toBe(true)
  })
})
