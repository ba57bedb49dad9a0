/**
 * Structured hash and request id: published examples of ic-interface §27.2, and the SDK as
 * independent peer.
 */
import { requestIdOf } from '@icp-sdk/core/agent'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { leb128, sleb128 } from '../../../src/core/ic/cursor.ts'
import { mapHash, separated, structuredHash } from '../../../src/core/ic/request-id.ts'

const canisterId = fromHex('00000000000004d2')
const arg = fromHex('4449444c00fd2a')

describe('structured hash', () => {
  it('the published call has the published request id, and absent fields do not count', () => {
    const id = '1d1091364d6bb8a6c16b203ee75467d59ead468f523eb058880ae8ec80e2b101'
    const content = {
      request_type: 'call',
      sender: fromHex('04'),
      ingress_expiry: 1_685_570_400_000_000_000n,
      canister_id: canisterId,
      method_name: 'hello',
      arg,
      nonce: undefined,
    }
    expect(toHex(mapHash(content))).toBe(id)
    expect(toHex(mapHash(Object.fromEntries(Object.entries(content).reverse())))).toBe(id)
  })

  it('the examples of the JavaScript agent hold', () => {
    const content = { request_type: 'call', method_name: 'hello', canister_id: canisterId, arg }
    expect(toHex(mapHash(content))).toBe(
      '8781291c347db32a9d8c10eb62b710fce5a93be676474c42babc74c51858f94b',
    )
    const delegation = {
      expiration: 1_611_365_875_951_000_000n,
      pubkey: fromHex(
        '302a300506032b6570032100819d9fe3ac251039f934cdc925da0b019848af9d650d4136fb5d955cff17f78e',
      ),
      targets: [fromHex('000000000030004d0101'), fromHex('000000000020002b0101')],
    }
    expect(toHex(mapHash(delegation))).toBe(
      'f0c66015041eccb5528fc7fd817bb4d0707369d7e1383d3cdaa074b2b2236824',
    )
  })

  it('the values of ledger §19.1 have their hashes', () => {
    expect(toHex(structuredHash('xfer'))).toBe(
      '127880a76de95de38af7504cc35e53b0dc53d9c4b233c51cf9d213b403b91a3c',
    )
    expect(toHex(structuredHash('é'))).toBe(
      '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c',
    )
    expect(toHex(structuredHash({ a: 1n, b: 2n }))).toBe(
      '3f7904d1e68700cbc3126da1b22c23b9ca625a3fdff4493e50feaad69162be74',
    )
  })

  it('LEB128 is the shortest form', () => {
    expect(toHex(leb128(0n))).toBe('00')
    expect(toHex(leb128(624_485n))).toBe('e58e26')
    expect(toHex(leb128(1_677_770_607_672_807_382n))).toBe('d69fb7e7a7efa8a417')
    expect(toHex(sleb128(-123_456n))).toBe('c0bb78')
    expect(() => leb128(-1n)).toThrow(RangeError)
  })

  it('any content has the id that the SDK computes', () => {
    const value = fc.oneof(fc.string(), fc.bigInt(0n, 2n ** 64n - 1n), fc.uint8Array())
    const contents = fc.dictionary(fc.string(), fc.oneof(value, fc.array(value)))
    fc.assert(
      fc.property(contents, (content) => {
        expect(toHex(mapHash(content))).toBe(toHex(requestIdOf({ ...content })))
      }),
    )
  })

  it('a domain is one length byte and its letters', () => {
    expect(separated('ic-request', utf8('x'))).toEqual(utf8('\nic-requestx'))
  })
})
