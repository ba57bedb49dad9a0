/**
 * Goal: a secret gives one principal, for ever.
 * Method: RFC 8032 §7.1 test 1, IC interface §§3, 4.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { nobleEd25519 } from '../../src/core/base/verification.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { devUser, userOfSecret } from '../../src/wallet/identity.ts'

// RFC 8032 §7.1, test 1.
const secret = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const publicKey = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')

describe('a user', () => {
  const user = userOfSecret(secret)

  test('has the DER form of its key, and the principal that follows from it', () => {
    expect(toHex(user.publicKeyDer)).toBe(`302a300506032b6570032100${toHex(publicKey)}`)
    expect([user.principal.length, user.principal[28]]).toEqual([29, 2])
    expect(textOfPrincipal(user.principal)).toBe(
      'e73il-iz5tp-nkgt7-idxyw-ngkah-47bpv-qdase-pzde6-g6vwc-a3eql-jae',
    )
  })

  test('signs under that key', () => {
    const message = utf8('message')
    const signature = user.sign(message)
    expect(nobleEd25519.verify(publicKey, message, signature)).toBe(true)
    expect(nobleEd25519.verify(publicKey, utf8('massage'), signature)).toBe(false)
  })
})

describe('the users of every local subnet', () => {
  test.each([
    [0, 'noqii-f4ibs-n7asm-ba5gs-2nhe6-zjs6s-i5tcy-gfccv-2eewd-h7h7b-iqe'],
    [1, 'bhfkk-b6xb5-xhmfx-xeil6-xbbov-qj3ol-fhwm4-oztcn-ldgbj-apiu3-4qe'],
    [2, 'xy54z-ijy7t-7ltbn-hzbdv-b7w25-slvfi-67qds-fvh2e-pr5tc-docd5-iqe'],
    [3, '3gz32-jdnkt-3qjhq-dloif-vh5gp-zlmgv-fp7xb-3sui4-zdlmz-ddrje-jqe'],
    [4, 'kjj6p-lgrqm-k6ajg-2lo6h-gqz6l-3nk6b-otugv-zy4cn-v7gvw-y5pjp-zqe'],
  ])('dev%i is always the same', (index, principal) => {
    expect(textOfPrincipal(devUser(index).principal)).toBe(principal)
  })
})
