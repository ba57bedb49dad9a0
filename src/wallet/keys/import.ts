/**
 * A key out of a file of another program. Implements `docs/spec/ic-interface.md` §22 and the
 * export of `docs/spec/cli.md` §5.11.
 */
import { fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { SecretKey } from '../identity.ts'
import { decryptDfx, readDfxIdentity } from './dfx-identity.ts'
import { decrypt, encrypt, readEncrypted } from './encrypted-key.ts'
import type { Passphrase } from './passphrase.ts'
import { encodePem, PEM_BYTES_MAX, privateKeyBlock, readPem, unreadable } from './pem.ts'
import type { EcCurve, ReadKey } from './private-key.ts'
import { encodePkcs8, encodeSec1, readParameters, readPkcs8, readSec1 } from './private-key.ts'

/** What a file holds, and what is needed to get at it. */
export type ForeignKey =
  | (ReadKey & { readonly source: string })
  | {
      readonly type: 'encrypted'
      readonly source: string
      /** `KEY_WRONG_PASSPHRASE` for another passphrase. */
      open(passphrase: Passphrase): Promise<ForeignKey>
    }

/** Reads a PEM file. What is no key file, or of another kind, is `KEY_CORRUPT`. */
export function readForeignKey(bytes: Uint8Array): ForeignKey {
  const blocks = readPem(bytes)
  const { label, der } = privateKeyBlock(blocks)
  switch (label) {
    case 'EC PRIVATE KEY': {
      const parameters = blocks.filter((block) => block.label === 'EC PARAMETERS')
      const [curve, ...others] = parameters.map((block) => reading(() => readParameters(block.der)))
      if (others.length > 0) throw unreadable('a key file names one curve, this one several')
      const read = reading(() => readSec1(der, curve))
      return read.type === 'key'
        ? { ...read, source: 'SEC1 PEM' }
        : {
            type: 'curveless',
            source: 'SEC1 PEM without a curve',
            under: (named: EcCurve) => reading(() => read.under(named)),
          }
    }
    case 'PRIVATE KEY':
      return { type: 'key', source: 'PKCS#8 PEM', key: reading(() => readPkcs8(der)) }
    case 'ENCRYPTED PRIVATE KEY': {
      const encrypted = reading(() => readEncrypted(der))
      const source = 'encrypted PKCS#8 PEM'
      return {
        type: 'encrypted',
        source,
        open: async (passphrase) => ({
          type: 'key',
          source,
          key: await decrypt(encrypted, passphrase),
        }),
      }
    }
    default:
      throw unreadable(
        `a key in the form ${label} is not supported`,
        'keys are for secp256k1, Ed25519 or P-256, in SEC1 or PKCS#8',
      )
  }
}

/** An encrypted identity of dfx: the file itself, and `identity.json` beside it. */
export function readDfxKey(encrypted: Uint8Array, identityJson: Uint8Array): ForeignKey {
  if (encrypted.length > PEM_BYTES_MAX || identityJson.length > PEM_BYTES_MAX)
    throw unreadable(`a file of more than ${PEM_BYTES_MAX} bytes is no identity of dfx`)
  const encryption = reading(() => readDfxIdentity(fromUtf8(identityJson)))
  return {
    type: 'encrypted',
    source: 'encrypted identity of dfx',
    open: async (passphrase) =>
      ofDfx(readForeignKey(await decryptDfx(encryption, encrypted, passphrase))),
  }
}

/** dfx writes no other curve than secp256k1 without its name. */
export const ofDfx = (key: ForeignKey): ForeignKey =>
  key.type === 'curveless'
    ? { type: 'key', source: 'identity of dfx', key: key.under('secp256k1') }
    : key

function reading<T>(read: () => T): T {
  const value = attempt(read)
  if (value instanceof BadEncoding)
    throw unreadable(`the key file is damaged or no key file: ${value.message}`)
  return value
}

/** As dfx, quill and icp-cli read it; with a passphrase as the last two do. */
export async function writeForeignKey(
  key: SecretKey,
  passphrase: Passphrase | undefined,
): Promise<Uint8Array> {
  if (passphrase !== undefined)
    return encodePem({ label: 'ENCRYPTED PRIVATE KEY', der: await encrypt(key, passphrase) })
  return key.curve === 'ed25519'
    ? encodePem({ label: 'PRIVATE KEY', der: encodePkcs8(key) })
    : encodePem({ label: 'EC PRIVATE KEY', der: encodeSec1(key, key.curve) })
}
