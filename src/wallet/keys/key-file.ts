/**
 * A key file: version 1, JSON, the secret sealed under a passphrase or, for local use, open.
 * Implements `docs/spec/cli.md` §3.13.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { concat, equalBytes } from '../../core/base/bytes.ts'
import { Writer } from '../../core/base/codec.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { KeyCurve } from '../identity.ts'
import { SecretKey } from '../identity.ts'
import { corrupt } from './key-refusals.ts'
import type { Passphrase } from './passphrase.ts'
import { Phrase } from './phrase.ts'

export const VERSION = 1

export const SALT_SIZE = 32
export const NONCE_SIZE = 12
export const TAG_SIZE = 16
export const CIPHER = 'aes-256-gcm'
/** Binds what is sealed to this format. */
const LABEL = 'ckbtc key file'

/** Work of scrypt: memory is 128·r·n bytes, time grows with n·r·p. */
export type ScryptCost = { readonly n: number; readonly r: number; readonly p: number }

/** 64 MiB, twice: what OWASP names for 2^16, below half a second on a laptop of 2020. */
export const scryptCost: ScryptCost = { n: 2 ** 16, r: 8, p: 2 }

/** What a key file guards: a phrase can be written down again, a bare key cannot. */
export type KeyMaterial =
  | { readonly type: 'phrase'; readonly phrase: Phrase; readonly curve: KeyCurve }
  | { readonly type: 'key'; readonly key: SecretKey }

export const keyOf = (material: KeyMaterial): SecretKey =>
  material.type === 'key' ? material.key : material.phrase.key(material.curve)

export type Protection = 'passphrase' | 'plaintext'

type Sealing = {
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
}

/** What is readable without a passphrase; all of it is authenticated with one. */
export type KeyFile = {
  readonly principal: Principal
  readonly curve: KeyCurve
  readonly holds: KeyMaterial['type']
  /** RFC 3339, UTC. */
  readonly createdAt: string
  readonly sealing: Sealing | undefined
  /** Sealed, or the secret itself: entropy of the phrase or secret of the key. */
  readonly secret: Uint8Array
}

export const protectionOf = ({ sealing }: KeyFile): Protection =>
  sealing === undefined ? 'plaintext' : 'passphrase'

/** Makes the file's content; without a passphrase the secret stands in it openly. */
export async function sealKey(
  material: KeyMaterial,
  createdAt: string,
  {
    passphrase,
    cost = scryptCost,
  }: {
    readonly passphrase: Passphrase | undefined
    readonly cost?: ScryptCost
  },
): Promise<KeyFile> {
  const key = keyOf(material)
  const secret =
    material.type === 'phrase' ? material.phrase.reveal().entropy : material.key.reveal()
  const { principal, curve } = key
  const header = { principal, curve, holds: material.type, createdAt }
  if (passphrase === undefined) return { ...header, sealing: undefined, secret }
  const sealing = { cost, salt: randomBytes(SALT_SIZE), nonce: randomBytes(NONCE_SIZE) }
  const cipher = createCipheriv(CIPHER, await stretch(passphrase, sealing), sealing.nonce)
  cipher.setAAD(bound({ ...header, sealing }))
  const sealed = concat(cipher.update(secret), cipher.final(), cipher.getAuthTag())
  return { ...header, sealing, secret: sealed }
}

/**
 * Opens the secret, and checks that it is that of the principal. `KEY_WRONG_PASSPHRASE` when the
 * passphrase is another one or any byte of the file was changed.
 */
export async function openKey(
  file: KeyFile,
  passphrase: Passphrase | undefined,
  name: string,
): Promise<KeyMaterial> {
  const { sealing } = file
  if (sealing === undefined) return materialOf(file, file.secret, name)
  if (passphrase === undefined)
    throw new Problem('KEY_LOCKED', `${name} is locked`, {
      fix: 'name a file that holds its passphrase: --passphrase-file <path>',
    })
  const decipher = createDecipheriv(CIPHER, await stretch(passphrase, sealing), sealing.nonce)
  decipher.setAAD(bound({ ...file, sealing }))
  decipher.setAuthTag(file.secret.slice(-TAG_SIZE))
  let secret: Uint8Array
  try {
    secret = concat(decipher.update(file.secret.slice(0, -TAG_SIZE)), decipher.final())
  } catch {
    throw new Problem('KEY_WRONG_PASSPHRASE', `the passphrase does not open ${name}`, {
      fix: 'type it again; if it is right, the file was changed: take it from a backup',
      details: { key: name },
    })
  }
  return materialOf(file, secret, name)
}

function materialOf({ curve, holds, principal }: KeyFile, secret: Uint8Array, name: string) {
  const material = attempt((): KeyMaterial => {
    if (holds === 'key') return { type: 'key', key: new SecretKey(curve, secret) }
    if (secret.length !== 16 && secret.length !== 32)
      throw new BadEncoding(`${secret.length} bytes are no entropy of a phrase`)
    return { type: 'phrase', phrase: Phrase.ofEntropy(secret), curve }
  })
  if (material instanceof BadEncoding) throw corrupt(name, material.message)
  if (!equalBytes(keyOf(material).principal, principal))
    throw corrupt(name, 'its secret is not that of the principal it names')
  return material
}

/** Everything the passphrase vouches for beside the secret. */
function bound({
  principal,
  curve,
  holds,
  createdAt,
  sealing: { cost, salt, nonce },
}: Omit<KeyFile, 'secret' | 'sealing'> & { readonly sealing: Sealing }): Uint8Array {
  return new Writer()
    .text(LABEL)
    .u8(VERSION)
    .bytes(principal)
    .text(curve)
    .text(holds)
    .text(createdAt)
    .u32(cost.n)
    .u32(cost.r)
    .u32(cost.p)
    .bytes(salt)
    .bytes(nonce)
    .done()
}

/** Off the event loop, so that a spinner turns and Ctrl-C works meanwhile. */
function stretch(passphrase: Passphrase, { cost, salt }: Sealing): Promise<Uint8Array> {
  const { n, r, p } = cost
  const options = { N: n, r, p, maxmem: 128 * r * (n + p + 8) }
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalized(), salt, 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  )
}
