/**
 * Private keys in SEC1 and PKCS#8. Source: RFC 5915, RFC 5958, RFC 8410;
 * `docs/spec/ic-interface.md` §22 rules 1, 2, 4.
 */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, toHex } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'
import { decodePublicKey } from '../../core/ic/public-key.ts'
import { SecretKey } from '../identity.ts'
import { bytesOfBits, contradict, DerReader, der, derInteger, readDer, tags } from './der.ts'
import { unreadable } from './pem.ts'

export type EcCurve = 'secp256k1' | 'p256'

const EC = '2a8648ce3d0201'
const ED25519 = '2b6570'
const curveOids: Readonly<Record<EcCurve, string>> = {
  secp256k1: '2b8104000a',
  p256: '2a8648ce3d030107',
}
/** What people have and the Internet Computer does not take, or we do not. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['2b81040022', 'P-384'],
  ['2b81040023', 'P-521'],
  ['2b81040021', 'P-224'],
  ['2b2403030208010107', 'brainpoolP256r1'],
  ['2a864886f70d010101', 'RSA'],
  ['2a864886f70d01010a', 'RSA-PSS'],
  ['2a8648ce380401', 'DSA'],
  ['2b656e', 'X25519'],
  ['2b656f', 'X448'],
  ['2b6571', 'Ed448'],
])

/** A key whose file does not say of which curve it is. */
export type CurvelessKey = { readonly type: 'curveless'; under(curve: EcCurve): SecretKey }
export type ReadKey = { readonly type: 'key'; readonly key: SecretKey } | CurvelessKey

/** The curve that a block `EC PARAMETERS` names. */
export function readParameters(bytes: Uint8Array): EcCurve {
  const outside = new DerReader(bytes)
  const curve = curveOf(outside)
  outside.end()
  return curve
}

function curveOf(reader: DerReader): EcCurve {
  if (reader.comes(tags.sequence))
    throw unreadable('the curve is given by its numbers and not by its name: not supported')
  const oid = reader.oid()
  for (const curve of ['secp256k1', 'p256'] as const) if (curveOids[curve] === oid) return curve
  throw unsupported(oid)
}

const unsupported = (oid: string): Error => {
  const name = otherNames.get(oid) ?? 'of an unknown kind'
  return unreadable(
    `a key ${name === 'of an unknown kind' ? name : `for ${name}`} is not supported`,
    'keys are for secp256k1, Ed25519 or P-256',
  )
}

/**
 * `ECPrivateKey` of RFC 5915. `outer`: the curve that is named around it. A public key inside must
 * be that of the secret.
 */
export function readSec1(bytes: Uint8Array, outer: EcCurve | undefined): ReadKey {
  const { secret, inner, publicKey } = readDer(bytes, tags.sequence, (key) => {
    if (key.integer() !== 1) throw new BadEncoding('an EC private key of another version than 1')
    return {
      secret: key.take(tags.octetString),
      inner: key.comes(tags.explicit0) ? whole(key.inside(tags.explicit0), curveOf) : undefined,
      publicKey: key.comes(tags.explicit1)
        ? whole(key.inside(tags.explicit1), (bits) => bytesOfBits(bits.take(tags.bitString)))
        : undefined,
    }
  })
  if (inner !== undefined && outer !== undefined && inner !== outer)
    throw new BadEncoding(`a key of ${inner} where ${outer} is announced`)
  const under = (curve: EcCurve): SecretKey => {
    const key = new SecretKey(curve, secret)
    if (publicKey !== undefined && !isPointOf(key, publicKey))
      throw new BadEncoding(`the public key is not that of the secret under ${curve}`)
    return key
  }
  const curve = inner ?? outer
  return curve === undefined ? { type: 'curveless', under } : { type: 'key', key: under(curve) }
}

function whole<T>(reader: DerReader, read: (reader: DerReader) => T): T {
  const value = read(reader)
  reader.end()
  return value
}

/** Compressed or not. */
function isPointOf(key: SecretKey, point: Uint8Array): boolean {
  const curve = key.curve === 'p256' ? p256 : secp256k1
  const secret = key.reveal()
  return [true, false].some((short) => !contradict(point, curve.getPublicKey(secret, short)))
}

/** How an Ed25519 key of version 2 begins, as old versions of dfx wrote it. */
const BROKEN_START = '3053020101300506032b6570'
const BROKEN_SIZE = 85
/** What they wrote at byte 48: a public key in a wrong wrapping. */
const BROKEN_AT = 48
const BROKEN = 'a1230321'

/** dfx wrote version 2 in a way that no standard knows: what is left is version 1. */
function repaired(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== BROKEN_SIZE || !toHex(bytes).startsWith(BROKEN_START)) return bytes
  if (toHex(bytes.slice(BROKEN_AT, BROKEN_AT + 4)) !== BROKEN) return bytes
  const cut = bytes.slice(0, BROKEN_AT)
  cut[1] = BROKEN_AT - 2
  cut[4] = 0
  return cut
}

/** `OneAsymmetricKey` of RFC 5958, versions 1 and 2. */
export function readPkcs8(bytes: Uint8Array): SecretKey {
  return readDer(repaired(bytes), tags.sequence, (outside) => {
    const version = outside.integer()
    if (version > 1) throw new BadEncoding(`a private key of version ${version + 1}`)
    const algorithm = outside.inside(tags.sequence)
    const oid = algorithm.oid()
    if (oid !== ED25519 && oid !== EC) throw unsupported(oid)
    const curve = oid === EC ? curveOf(algorithm) : undefined
    algorithm.end()
    const inside = outside.take(tags.octetString)
    const key = curve === undefined ? readEd25519(inside) : certain(readSec1(inside, curve))
    if (outside.comes(tags.explicit0)) outside.take(tags.explicit0) // Attributes say nothing here.
    if (version === 1 && outside.comes(tags.implicit1)) {
      const publicKey = bytesOfBits(outside.take(tags.implicit1))
      const matches =
        curve === undefined
          ? !contradict(publicKey, decodePublicKey(key.publicKeyDer).key)
          : isPointOf(key, publicKey)
      if (!matches) throw new BadEncoding('the public key is not that of the secret')
    }
    return key
  })
}

function readEd25519(inside: Uint8Array): SecretKey {
  const reader = new DerReader(inside)
  const secret = reader.take(tags.octetString)
  reader.end()
  return new SecretKey('ed25519', secret)
}

function certain(read: ReadKey): SecretKey {
  if (read.type === 'curveless') throw new BadEncoding('a key of no curve')
  return read.key
}

/** The form that dfx and OpenSSL write: curve and public key inside. */
export function encodeSec1(key: SecretKey, curve: EcCurve): Uint8Array {
  return der(
    tags.sequence,
    derInteger(1),
    der(tags.octetString, key.reveal()),
    der(tags.explicit0, der(tags.oid, fromHex(curveOids[curve]))),
    der(tags.explicit1, publicBits(key)),
  )
}

/** Version 1. */
export function encodePkcs8(key: SecretKey): Uint8Array {
  const { curve } = key
  const oid = (hex: string): Uint8Array => der(tags.oid, fromHex(hex))
  const [algorithm, inside] =
    curve === 'ed25519'
      ? [der(tags.sequence, oid(ED25519)), der(tags.octetString, key.reveal())]
      : [
          der(tags.sequence, oid(EC), oid(curveOids[curve])),
          der(
            tags.sequence,
            derInteger(1),
            der(tags.octetString, key.reveal()),
            der(tags.explicit1, publicBits(key)),
          ),
        ]
  return der(tags.sequence, derInteger(0), algorithm, der(tags.octetString, inside))
}

const publicBits = ({ publicKeyDer }: SecretKey): Uint8Array =>
  der(tags.bitString, concat(Uint8Array.of(0), decodePublicKey(publicKeyDer).key))
