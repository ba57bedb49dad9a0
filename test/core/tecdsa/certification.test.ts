/**
 * Goal: the nodes make a certification key that none of them knows, and any f + 1 sign with it.
 * Method: threshold §16; IC interface §27.5 for the arithmetic.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret } from '../../../src/core/base/group.ts'
import {
  blsG2,
  blsMessagePoint,
  blsMultiply,
  blsSum,
} from '../../../src/core/base/noble-bls12381.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import { combineBls } from '../../../src/core/tecdsa/bls.ts'
import { settled } from '../../support/signer-story.ts'

const MESSAGE = fromHex(
  '0d69632d73746174652d726f6f74eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0',
)
const SIGNATURE =
  '826396c0db33004d269222709dd20538415b9e187a801a04c2f716f8ad8476e8ba8a093bfaa04ed01db041d3f9afa811'
const PUBLIC_KEY =
  '92a78bbeaa06dbbd636716915e119f2df9abaa2c3ae5d14a7bd511510f83fa2fafedb19086b7c42ea08b837146968a8e07f94deece96c0835ce2b2d3786187aca343cdb32e3f3c175e6e717ec274b46f7d67acea8cc3a4eec7f55d17b087e80d'
/** f(1) … f(4) and the shares, as printed. */
const SHARES = [
  [
    '13cda49f67a1c04982ff0aa658fea6421a417249c3b7532e709f8238063e1544',
    '91c59dad99038fea76ab6fa597b62abcc1453676051a0fbc979f438c489714a678c1b010e6f4beb7ff4a51f99f6a4a48',
  ],
  [
    '187d1c0283e9171a7e676f97ee2a6a943370c15f42183ee457a458b33e9d3a98',
    '91120fa9d9cec33037a155bc7a2d3d286d947aae874ab62922e4c0c11078fd3dd34d7ade1a160fb490b0c52820332ddd',
  ],
  [
    '1d2c9365a0306deb79cfd48983562ee64ca01074c0792a9a3ea92f2e76fc5fec',
    '83f325a50ed108e3a741ca415eeb3abd2fd7e2159989361f843bc971dba9e943c7840d3936cdc3ac9f0a53b1c11aa86d',
  ],
  [
    '21dc0ac8bc77c4bc7538397b1881f33865cf5f8a3eda165025ae05a9af5b8540',
    'af6d38c3f2dc88bf79d39ba7707f235de30ad096d2fbafe4cf73f19edebdba80b027c732fe423a5f6d2af3767a7c34fe',
  ],
] as const
const secret = BigInt('0x0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0')
const share = (place: number): Uint8Array => fromHex(present(SHARES[place], 'printed')[1])

describe('the printed shares', () => {
  const slope = BigInt(`0x${SHARES[0][0]}`) - secret
  const commitment = {
    type: 'simple',
    points: [blsG2.g.multiplyPublic(secret), blsG2.g.multiplyPublic(slope)],
  } as const

  test('are the multiples of the message point', () => {
    for (const [scalar, point] of SHARES)
      expect(toHex(blsMultiply(blsMessagePoint(MESSAGE), asSecret(BigInt(`0x${scalar}`))))).toBe(
        point,
      )
    expect(toHex(present(blsG2.encode([commitment.points[0]])[0], 'encoded'))).toBe(PUBLIC_KEY)
  })

  test.each([
    [0, 1],
    [1, 3],
    [2, 3],
  ])('of nodes %i and %i make the printed signature', (a, b) => {
    const shares = new Map([
      [a, share(a)],
      [b, share(b)],
    ])
    const { signature, blamed } = combineBls(commitment, MESSAGE, shares)
    expect([toHex(present(signature, 'made')), blamed]).toEqual([SIGNATURE, []])
  })

  test('make it without a false one, whose node is blamed', () => {
    const lies = [share(1), new Uint8Array(48), blsSum([{ point: share(0), scalar: 2n }])]
    for (const lie of lies) {
      const shares = new Map([
        [0, present(lie, 'a lie')],
        [2, share(2)],
        [3, share(3)],
      ])
      const { signature, blamed } = combineBls(commitment, MESSAGE, shares)
      expect([toHex(present(signature, 'made')), blamed]).toEqual([SIGNATURE, [0]])
    }
  })

  test('are none when too few are good', () => {
    const shares = new Map([
      [0, share(1)],
      [2, share(2)],
    ])
    expect(combineBls(commitment, MESSAGE, shares)).toEqual({ signature: undefined, blamed: [0] })
    expect(combineBls(commitment, MESSAGE, new Map([[1, share(1)]]))).toEqual({
      signature: undefined,
      blamed: [],
    })
  })
})

describe('the certification key', () => {
  const message = utf8('a state root')

  test.each([1, 4])('of %i nodes is one key, and any f + 1 of them sign', (nodes) => {
    const net = settled({ nodes })
    const signers = Array.from({ length: nodes }, (_, i) => net.signer(i))
    const keys = signers.map(({ certificationKey }) => toHex(present(certificationKey, 'made')))
    expect(new Set(keys).size).toBe(1)
    const all = signers.map((signer, i) => [i, signer.certificationShare(message)] as const)
    const some = all
      .slice(-Math.ceil(nodes / 2))
      .map(([i, made]) => [i, present(made, 'its share')] as const)
    const { signature } = present(signers[0], 'a node').combineCertification(message, new Map(some))
    expect(verifyBls(fromHex(keys[0] ?? ''), message, present(signature, 'combined'))).toBe(true)
    expect(net.faults).toEqual([])
  })
})
