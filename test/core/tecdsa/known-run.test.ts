/**
 * Goal: the whole ECDSA run that the Internet Computer publishes comes out bit for bit. Method:
 * threshold specification Annex A.3, n = 5, t = 2: rounds Random, κ, λ, ReshareOfMasked, xλ, κλ,
 * then one signature. All 41 published hash prefixes and every printed intermediate value are
 * compared.
 */
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import {
  bytesInput,
  integerInput,
  oraclePoint,
  pointInput,
} from '../../../src/core/base/random-oracle.ts'
import { verifyEcdsa } from '../../../src/core/base/verification.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import { openDealing } from '../../../src/core/tecdsa/dealing.ts'
import { encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import { lagrangeScalars } from '../../../src/core/tecdsa/lagrange.ts'
import { sharedSecretOf } from '../../../src/core/tecdsa/mega.ts'
import { encodeCommitment, encodeSignatureShare } from '../../../src/core/tecdsa/object-codec.ts'
import type { Operation, TranscriptParameters } from '../../../src/core/tecdsa/parameters.ts'
import { checkPresignature } from '../../../src/core/tecdsa/presignature.ts'
import type { Opening } from '../../../src/core/tecdsa/secret.ts'
import { unseal } from '../../../src/core/tecdsa/secret.ts'
import { recoveryId, verifyShare, verifySignature } from '../../../src/core/tecdsa/signature.ts'
import { encodeCombination } from '../../../src/core/tecdsa/transcript-codec.ts'
import type { Round } from '../../support/known-run.ts'
import {
  associatedData,
  inputs,
  kappa,
  kappaLambda,
  key,
  keyLambda,
  keys,
  lambda,
  masked,
  members,
  message,
  nonce,
  own,
  presignature,
  signature,
  signatureShares,
  times,
} from '../../support/known-run.ts'
import type { Point } from '../../support/threshold.ts'
import { bytes32, suite } from '../../support/threshold.ts'

const hex = (value: bigint): string => toHex(bytes32(value))
const pointHex = (point: Point | undefined): string =>
  toHex(encodePoint(secp256k1, present(point, 'a point')))
const prefix = (bytes: Uint8Array): string => toHex(sha256(bytes)).slice(0, 16)

const dealingOf = (round: Round, dealer: number): Dealing =>
  present(round.dealings.get(dealer), 'a dealing')
const coefficients = (round: Round): string[] =>
  round.transcript.commitment.points.map((point) => pointHex(point))
const opening = (round: Round, node: number): string[] => {
  const share: Opening = unseal(own(round, node))
  return share.type === 'simple' ? [hex(share.value)] : [hex(share.value), hex(share.mask)]
}

describe('set up', () => {
  test('associated data and MEGa keys follow from the seed', () => {
    expect(toHex(associatedData)).toBe(
      '8064d5accce20350741fd33ebd11ee7de645da33b08f2ec6e0e77b7dbf7c874c',
    )
    const secretOf = (node: number): string => hex(unseal(present(keys[node], 'a key').secret))
    expect(secretOf(0)).toBe('7dc0764a7d85a726191abcd1faa0a47795df53be5d6953c3a79101d4dc5abc4f')
    expect(secretOf(4)).toBe('88cb646c8948d1cde7e97d057562a9f77509fb3d476e58441480f45fb2725c36')
    expect(pointHex(keys[0]?.publicKey)).toBe(
      '026a1b8e15af5d8ff59ef76f86a987fcf072c1075d5a819cf5f9d9cb8bd0bb5360',
    )
  })
})

describe('dealings', () => {
  const { ciphertext, commitment } = dealingOf(kappa, 0)
  const receiver0 = present(keys[0], 'a key')

  test('the ephemeral key of a κ dealing and the proof of its possession', () => {
    const beta = 0xd60e52b76e1535955a320e828880c17743e8bb283a81a02692845cb85359dfbcn
    expect(pointHex(ciphertext.ephemeralKey)).toBe(
      '02097aedd131fe4fb62c1813e5201a36860a613c643dd82c0d2dc24ff7270cbbc7',
    )
    expect(pointHex(secp256k1.g.multiplyPublic(beta))).toBe(pointHex(ciphertext.ephemeralKey))
    const base = oraclePoint(secp256k1, suite.domains.megaPopBase.single, {
      associated_data: bytesInput(associatedData),
      dealer_index: integerInput(0n),
      ephemeral_key: pointInput(secp256k1, ciphertext.ephemeralKey),
    })
    expect(pointHex(base)).toBe(
      '02dd0f4c2e80d596f75fec925ee4170210ac71810f2d00a2e1b48ccbc141a86392',
    )
    expect(pointHex(ciphertext.popPublicKey)).toBe(
      '022cfb41c46aa9eabed27d9e6e925c8846a5c9e48cdff7036fd9d9f6e3e099690d',
    )
    expect(hex(ciphertext.popProof.challenge)).toBe(
      '76339f2f5a446eddee225a658de3deaf5632524fb653ee7f159935da95a60b39',
    )
    expect(hex(ciphertext.popProof.response)).toBe(
      '3cd2d823a6a76e0ffb9ceae3f5f1459502a5459f9d3ca9292cd98b9a315ec471',
    )
  })

  test('the ciphertext of receiver 0 in a κ dealing, its shared secret, mask and share', () => {
    expect(pointHex(sharedSecretOf(suite, receiver0, ciphertext))).toBe(
      '03d8ac9e3ab3ea410a164e38b86ddeb1cb91e78ed03b1ef6f46daacfebc31f78b4',
    )
    const share = 0x5e381d8c41c9509149aa513b5999e516af99557276c5234fffffd86bbf8f8531n
    const ctext = ciphertext.ctexts[0]?.[0] ?? 0n
    expect(hex(ctext)).toBe('1fd82805d6dc0bdc6627156e8617dd174c9efcaac0767c4232ee4aa9bdb815c9')
    expect(hex(mod(ctext - share, secp256k1.order))).toBe(
      'c1a00a799512bb4b1c7cc4332c7df7ff57b4841ef8f9f92df2c0d0cace5ed1d9',
    )
    expect(
      secp256k1.equals(secp256k1.g.multiplyPublic(share), secp256k1.evaluate(commitment.points, 1)),
    ).toBe(true)
    expect(commitment.points.map((point) => pointHex(point))).toEqual([
      '02c9a3a4a11742bae593ba8c30228009af977e57430b2c3de154b778aee484adc3',
      '039cb071ab62084f0a534db896c5ab55f4f2f50f015b5852c428c65cf9ea50a326',
    ])
  })

  test('the proof of equal openings in a reshare', () => {
    const dealing = dealingOf(key, 0)
    expect(pointHex(dealing.commitment.points[0])).toBe(
      '02452d5c66c147b93043de656b1059b42a8f9e3ef0ba08b94e5abd0218e27db83f',
    )
    expect(dealing.proof).toEqual({
      type: 'maskedResharing',
      challenge: 0xc949dca844251a99be12338b741a924f452152168cedf18ec9847ceaabf6d07cn,
      response: 0x95f066f46444d68d790dcc5819f59d08d9be79d5e40d38f96a6628eb54511952n,
    })
  })

  test('the proof of product and the ciphertext of receiver 0 in an xλ dealing', () => {
    const dealing = dealingOf(keyLambda, 0)
    expect(pointHex(dealing.commitment.points[0])).toBe(
      '02b11c3c2f48c386386142b349da19a95b8c14a27d22a5849d9ed823d89a9946a2',
    )
    expect(dealing.proof).toEqual({
      type: 'product',
      challenge: 0x3a392ee29be0d8c99d734c510751c68ef4c11f3f253866a3e443f23e7aa8db18n,
      response1: 0x3d83626e8164e67b79ae991c8cf92058b340d00f380d653e3566cb2a19ec50acn,
      response2: 0xd74f4c3d01d6b9b0681784b19e7b43fd6114b2a11c407090167ce824b729eec1n,
    })
    expect(dealing.ciphertext.ctexts[0]?.map(hex)).toEqual([
      'edd333edb47d9c79de6bc5a674a42923ef077b19eae2f91de4a3d21e7b7854d2',
      '6753140a6f264908ccce08bb9fc8ef05aecfd488c49c0d445d6454796ddc52d4',
    ])
    const context = { parameters: parametersLike(4, times(key)), dealerIndex: 0, associatedData }
    const recipient = { receiverIndex: 0, key: receiver0 }
    const share: Opening = unseal(
      present(openDealing(suite, context, dealing, recipient), 'the dealing opens'),
    )
    const masks = [share.value, share.type === 'pedersen' ? share.mask : 0n].map((scalar, i) =>
      hex(mod((dealing.ciphertext.ctexts[0]?.[i] ?? 0n) - scalar, secp256k1.order)),
    )
    expect(masks).toEqual([
      'fdfd0e375b66c8a6bcf91bf56c34c0307d44f55ace9826f8daa9cf907f3f9b1d',
      '694788b0a67d84e914ff7a6a6da042ece2817b5db20687e48f953fe30977192a',
    ])
  })
})

function parametersLike(id: number, operation: Operation): TranscriptParameters {
  return {
    id: BigInt(id),
    algorithm: 'ThresholdEcdsaSecp256k1',
    dealers: members,
    receivers: members,
    operation,
    membershipVersion: 0n,
    subnetId: new Uint8Array(),
    sourceHeight: 0n,
  }
}

describe('transcripts', () => {
  const rows = [
    {
      name: 'round 0',
      round: masked,
      points: [
        '0224d365ef6dfee9cfe11d444e96eac01397f91971363b2e3bf107250ffcce8a24',
        '03d4333139e4314038d8e4501e3fa46c078bfc45e66d820dfbde891b2984a3cf88',
      ],
      node0: undefined,
    },
    {
      name: 'key',
      round: key,
      points: [
        '020a315f48dfce8b82378ad456ee34701a4e1866538c61b4d311be11dc463c2f94',
        '02049a35ea89960589edd3e16d94b1ee586636479630b7053f0ecec205dd163558',
      ],
      node0: ['34dde53e2b8232f123626596aef73ac5b66c59565a35529bb0ae670651e4f7ad'],
    },
    {
      name: 'κ',
      round: kappa,
      points: [
        '03d9a11c04f4842cab142925c82fbe86d47ea3454458a55673de0f6edaac3122f3',
        '03a18f9499e01b6ae9ee69a350ccff821c7aeb1a3a40393f94d05fa66e6cb68870',
      ],
      node0: undefined,
    },
    {
      name: 'λ',
      round: lambda,
      points: [
        '02a528a07e29567d1ac268e19804b40e17640e2c55c364a788ac46a738e8546909',
        '03f94b2e6829e31398ed71e3e3acbbae742a2fc64c3a6a87c98c251a08577736a5',
      ],
      node0: [
        'c1d6dbd29762c21529f39eb5144101d45ec15d50cf34c420de94016c72b5856a',
        '0b12f21ca00299c99c353b34c1d2935b7b72ba9a77e90a3b8c67687adb60df18',
      ],
    },
    {
      name: 'xλ',
      round: keyLambda,
      points: [
        '025a02efd7b4000623567c182110c7f0460329254efddfe99362f0ce0aa235153d',
        '028c582972125954a80c7e738cdc7f79a6707fe2a8d481cb7918f0bfba0a76cfd0',
      ],
      node0: [
        'c2e05007941a31933876e5eddb1bf5eb316ddf8766b2ac11ec11ca0db5ba0273',
        '1edeccbca4b922743b80d1bf9099228a017314dada34e945882481907ab5d5f6',
      ],
    },
    {
      name: 'κλ',
      round: kappaLambda,
      points: [
        '028dccae7f1d2482c605b3c576a12b37f3ffb26c46d7c381ff81c3dd2712e68d87',
        '03d0d993044a85234b6d13bf75d351f852c89b52e5dfc953596597641ef69b2031',
      ],
      node0: [
        '98080b603978974eb1156c96aab42da22356faf3e6e494fd430c7efba06577e1',
        '001b9c031ba3b2ac770aba8f0d6f836332ff9a8b0225c64161046c1a4da5da3d',
      ],
    },
  ]
  test.each(rows)('$name has the published commitment and shares', ({ round, points, node0 }) => {
    expect(coefficients(round)).toEqual(points)
    if (node0 !== undefined) expect(opening(round, 0)).toEqual(node0)
  })

  test('node 1 has its share of the key', () => {
    expect(opening(key, 1)).toEqual([
      '25dfbae671c5a0a62b0445971d1bd597b54fa833b928697df08b57dcfe9b41b4',
    ])
  })
})

describe('published hash prefixes', () => {
  const rows = [
    {
      name: 'key',
      round: key,
      commitment: '2c93b6332a9c6240',
      transcript: 'e1b2d7cd95af1947',
      dealings: [
        '12bca12d4f4218ab',
        '8ca948a1403aa385',
        '353673e17329b19b',
        'e382cbe4721fa702',
        '8fc469c804f86f83',
      ],
    },
    {
      name: 'κ',
      round: kappa,
      commitment: '8b0bb3fea680336c',
      transcript: '7fdeeded4adfa043',
      dealings: [
        '695127beef5990ce',
        '330870feb7be9a51',
        'd3a896c6fdfc9356',
        '044308cf6810d66f',
        '1a3c0733b51a5ff8',
      ],
    },
    {
      name: 'λ',
      round: lambda,
      commitment: 'a76bfc66d8a61271',
      transcript: 'c82ff9135d5114a0',
      dealings: [
        '3aca8ac7d76b9e19',
        '53b67c24bfbd8512',
        '4e2b62cddc310638',
        'a82fecdc913c887a',
        '2d15e950e7e31803',
      ],
    },
    {
      name: 'xλ',
      round: keyLambda,
      commitment: '80dce0c3d3ef09f4',
      transcript: '5526543951fa6de7',
      dealings: [
        'b1d65663b54fd933',
        'fb239470ad4b4fcc',
        '0206a9bfe753cb95',
        '273a94d7e2264d71',
        'bacfdc15a7336409',
      ],
    },
    {
      name: 'κλ',
      round: kappaLambda,
      commitment: 'df6c747a3ad7660c',
      transcript: '759a7de6fe47e00d',
      dealings: [
        '08205bac7733b875',
        '035f2b0c04986a31',
        'a83a5e0c4a279d13',
        '5af5850e20878bb6',
        'ef5b33b9e4f4af9e',
      ],
    },
  ]
  test.each(rows)('$name: commitment, transcript and five dealings', (row) => {
    expect(prefix(encodeCommitment(suite, row.round.transcript.commitment))).toBe(row.commitment)
    expect(prefix(encodeCombination(suite, row.round.transcript))).toBe(row.transcript)
    const dealings = [...row.round.dealings.values()]
    expect(dealings.map((dealing) => prefix(encodeDealing(suite, dealing)))).toEqual(row.dealings)
  })

  test('the signature and five signature shares', () => {
    expect(prefix(signature)).toBe('c5a91fa180554d5e')
    const shares = [...signatureShares.values()]
    expect(shares.map((share) => prefix(encodeSignatureShare(suite, share)))).toEqual([
      '384a64d769c10d24',
      '5dfff524c45d2f3a',
      '04ac8f2c18edb66e',
      '67b12a971ae86089',
      'db5f5fb81d812132',
    ])
  })
})

describe('signature', () => {
  test('message, nonce, derived key, δ and θ', () => {
    expect(toHex(message)).toBe('6854b22d3618c1b13c8b0314cf744e289e28903bcdac2d862662644cb7d22046')
    expect(toHex(sha256(message))).toBe(
      'a925db105fff0415ffef1ef66e4acc67c1d97ed08cc250208a2f94173a65469b',
    )
    expect(toHex(nonce)).toBe('37333e79c8b194dab52fcc8d2071b7f934454b946429decb2ccf24b1a43bfb96')
    expect(hex(inputs.tweak)).toBe(
      'baf94332a2eb3ebb7bb8b8f4dcd64df2fd6064e1cb7fa10f92c7a63f38aeeaad',
    )
    expect(toHex(inputs.chainCode)).toBe(
      '0f723a26921049ddac79fc22ac70027491d8c709a5c00d7b8bbd6f607ae49c46',
    )
    expect(toHex(inputs.publicKey)).toBe(
      '0249f69e884b6307173f3c4a891ccc1784b24e13c12c8d261723d1177b147ecaa0',
    )
    expect(hex(inputs.delta)).toBe(
      '117c48b531805dc6886cb2745d24adc6a3cdc163d7d4f7e0db1ed53537bd7604',
    )
    expect(hex(inputs.theta)).toBe(
      '043a80f4bbd98a339955ae34925a871a1caf05b191adb4591e83c101ccc2b990',
    )
    expect(hex(inputs.rho)).toBe('cb6b12f30f63e0f2852bc959aa145e63a38b54958a14876ba6be917e6e27446b')
  })

  test('shares of nodes 0 and 1, ν and μ', () => {
    const scalars = (node: number): string[] => {
      const { nu, mu } = present(signatureShares.get(node), 'a share')
      return [nu, mu]
        .flatMap((part) => (part.type === 'pedersen' ? [part.value, part.mask] : []))
        .map(hex)
    }
    expect(scalars(0)).toEqual([
      'fa1af03ba28b0b94daca3070159f8706cd9a134deed478e34c9423134f32245c',
      '1e05e45abc72787c443facfcc4e8b867c69d45863415875524e9f1daa1308782',
      'dc19c1058de983dc3cdc8eacd88f5696c4a541c325937cad5a816074bd63401d',
      '5e41496171463db7f04d69cae3c2aacea2b62acf9ffd0403d8531c06808a5b97',
    ])
    expect([scalars(1)[0], scalars(1)[2]]).toEqual([
      '6ae922a789b3a33b82686970d509c994aefa630b63ebbd7c933f1b9aeaed5900',
      '59acf7462f767301cf00b8dce2469cae50a9b2e7d5c56b84509d44a5f2fa1aed',
    ])
    const weights = lagrangeScalars([0, 1], secp256k1.order)
    const atZero = (part: 'nu' | 'mu'): string =>
      hex(
        [0, 1].reduce((sum, node) => {
          const value = present(signatureShares.get(node), 'a share')[part].value
          return mod(sum + (weights[node] ?? 0n) * value, secp256k1.order)
        }, 0n),
      )
    expect(atZero('nu')).toBe('894cbdcfbb6273ee332bf76f5635447a318ae6a9ca74940e4616cbfee340ae77')
    expect(atZero('mu')).toBe('5e868ac4ec5c94b6aab8647cced810807df1f3b7c618ed9aa4931db6b796240c')
  })

  test('ρ and s, accepted by a library that knows nothing of thresholds', () => {
    expect(toHex(signature)).toBe(
      'cb6b12f30f63e0f2852bc959aa145e63a38b54958a14876ba6be917e6e27446b' +
        '750221826acdd34fcc8c962b081eb6eee85d9a32143eb34434e7a2de74fafd60',
    )
    const { publicKey } = inputs
    const digest = sha256(message)
    expect(verifyEcdsa({ publicKey, digest, signature }, { lowS: true })).toBe(true)
    expect(verifySignature(suite, inputs, signature)).toBeUndefined()
  })

  test('the recovery id gives the derived key back', () => {
    const id = recoveryId(suite, inputs, signature)
    const recovered = noble.Signature.fromBytes(signature, 'compact')
      .addRecoveryBit(id)
      .recoverPublicKey(sha256(message))
    expect(recovered.toHex(true)).toBe(toHex(inputs.publicKey))
  })

  test('every share verifies and the presignature is one', () => {
    for (const [node, share] of signatureShares)
      expect(verifyShare(suite, inputs, node, share)).toBeUndefined()
    expect(checkPresignature(key.transcript, presignature)).toBeUndefined()
  })
})
