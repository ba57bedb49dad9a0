/** Certificates and keys printed in IC interface §§27.4, 27.5, and a subnet that makes others. */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { BLS_DST } from '../../../src/core/base/verification.ts'
import type { Certificate } from '../../../src/core/ic/certificate.ts'
import { certifiedMessage, encodeCertificate } from '../../../src/core/ic/certificate.ts'
import type { HashTree } from '../../../src/core/ic/hash-tree.ts'
import { rootHash } from '../../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'

const { shortSignatures: bls } = bls12_381

/** Root key of the Internet Computer, DER. */
export const MAINNET_ROOT_KEY = fromHex(
  '308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08' +
    'bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db' +
    '96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae',
)

/** `ivg37_delegated_v2`: mainnet, with a delegation and flat ranges. */
export const DELEGATED = fromHex(
  'd9d9f7a364747265658301830182045820250f5e26868d9c1ea7ab29cbe9c15bf1c47c0d7605e803e39e375a7fe09c6e' +
    'bb830183024e726571756573745f7374617475738301820458204b268227774ec77ff2b37ecb12157329d54cf376694b' +
    'dd59ded7803efd82386f83025820edad510eaaa08ed2acd4781324e6446269da6753ec17760f206bbe81c465ff528301' +
    '830183024b72656a6563745f636f64658203410383024e72656a6563745f6d6573736167658203584443616e69737465' +
    '722069766733372d71696161612d61616161622d61616167612d63616920686173206e6f20757064617465206d657468' +
    '6f64202772656769737465722783024673746174757382034872656a65637465648204582097232f31f6ab7ca4fe53eb' +
    '6568fc3e02bc22fe94ab31d010e5fb3c642301f1608301820458203a48d1fc213d49307103104f7d72c2b5930edba878' +
    '7b90631f343b3aa68a5f0a83024474696d65820349e2dc939091c696eb16697369676e6174757265583089a2be21b5fa' +
    '8ac9fab1527e041327ce899d7da971436a1f2165393947b4d942365bfe5488710e61a619ba48388a21b16a64656c6567' +
    '6174696f6ea2697375626e65745f6964581dd77b2a2f7199b9a8aec93fe6fb588661358cf12223e9a3af7b4ebac4026b' +
    '6365727469666963617465590231d9d9f7a26474726565830182045820ae023f28c3b9d966c8fb09f9ed755c828aadb5' +
    '152e00aaf700b18c9c067294b483018302467375626e6574830182045820e83bb025f6574c8f31233dc0fe289ff546df' +
    'a1e49bd6116dd6e8896d90a4946e830182045820e782619092d69d5bebf0924138bd4116b0156b5a95e25c358ea8cf7e' +
    '7161a661830183018204582062513fa926c9a9ef803ac284d620f303189588e1d3904349ab63b6470856fc4883018204' +
    '582060e9a344ced2c9c4a96a0197fd585f2d259dbd193e4eada56239cac26087f9c58302581dd77b2a2f7199b9a8aec9' +
    '3fe6fb588661358cf12223e9a3af7b4ebac402830183024f63616e69737465725f72616e6765738203581bd9d9f78182' +
    '4a000000000020000001014a00000000002fffff010183024a7075626c69635f6b657982035885308182301d060d2b06' +
    '01040182dc7c0503010201060c2b0601040182dc7c050302010361009933e1f89e8a3c4d7fdcccdbd518089e2bd4d818' +
    '0a261f18d9c247a52768ebce98dc7328a39814a8f911086a1dd50cbe015e2a53b7bf78b55288893daa15c346640e8831' +
    'd72a12bdedd979d28470c34823b8d1c3f4795d9c3984a247132e94fe82045820996f17bb926be3315745dea7282005a7' +
    '93b58e76afeb5d43d1a28ce29d2d158583024474696d6582034995b8aac0e4eda2ea16697369676e61747572655830ac' +
    'e9fcdd9bc977e05d6328f889dc4e7c99114c737a494653cb27a1f55c06f4555e0f160980af5ead098acc195010b2f7',
)

/** Key of the local certificate, 96 bytes. */
export const LOCAL_KEY = fromHex(
  '92a78bbeaa06dbbd636716915e119f2df9abaa2c3ae5d14a7bd511510f83fa2fafedb19086b7c42ea08b837146968a' +
    '8e07f94deece96c0835ce2b2d3786187aca343cdb32e3f3c175e6e717ec274b46f7d67acea8cc3a4eec7f55d17b087e80d',
)

/** Local certificate of a call that replied. */
export const LOCAL = fromHex(
  'd9d9f7a26474726565830183024e726571756573745f737461747573830258201d1091364d6bb8a6c16b203ee75467d5' +
    '9ead468f523eb058880ae8ec80e2b10183018302457265706c798203464449444c000083024673746174757382034772' +
    '65706c69656483024474696d6582034980d089fdb2a996b217697369676e61747572655830adb7c7d5c65aceebbe0741' +
    '9dd161a521b73df9a1430c386ad8f1f8b6ad7a8c1c59c2903ac6bf5a592f46249a83fff8dc',
)

/** A subnet that signs what a test wants: its secret is known. */
export class TestSubnet {
  readonly #secret: Uint8Array
  /** 96 bytes. */
  readonly key: Uint8Array

  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.key = bls.getPublicKey(secret).toBytes()
  }

  get der(): Uint8Array {
    return encodePublicKey({ type: 'bls12381', key: this.key })
  }

  get id(): Principal {
    return selfAuthenticating(this.der)
  }

  sign(message: Uint8Array): Uint8Array {
    return bls.sign(bls.hash(message, BLS_DST), this.#secret).toBytes()
  }

  certify(tree: HashTree, delegation?: Certificate['delegation']): Uint8Array {
    const signature = this.sign(certifiedMessage(rootHash(tree)))
    return encodeCertificate({ tree, signature, delegation })
  }
}

/** The one whose key and certificate are printed. */
export const LOCAL_SUBNET = new TestSubnet(
  fromHex('0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0'),
)
