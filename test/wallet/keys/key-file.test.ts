/**
 * Goal: a key file opens with its passphrase and with nothing else, and every byte of it is vouched
 * for.
 * Method: docs/spec/cli.md §3.13; a table of corruptions for each form of the file.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { devUser, SecretKey } from '../../../src/wallet/identity.ts'
import type { KeyMaterial } from '../../../src/wallet/keys/key-file.ts'
import { keyOf, openKey, scryptCost, sealKey } from '../../../src/wallet/keys/key-file.ts'
import { decodeKeyFile, encodeKeyFile } from '../../../src/wallet/keys/key-file-codec.ts'
import { Phrase } from '../../../src/wallet/keys/phrase.ts'
import { cheap, codeOf, failure, materialOf, secretOf, words } from '../../support/key-world.ts'

const NAME = 'savings'
const AT = '2026-01-02T03:04:05.000Z'
const right = words('correct horse battery')

const phrase = Phrase.ofEntropy(new Uint8Array(16).fill(7))
const materials: readonly (readonly [string, KeyMaterial])[] = [
  ['a phrase under secp256k1', { type: 'phrase', phrase, curve: 'secp256k1' }],
  [
    'a phrase of 24 words',
    { type: 'phrase', phrase: Phrase.ofEntropy(secretOf(7)), curve: 'p256' },
  ],
  ['an Ed25519 key', { type: 'key', key: new SecretKey('ed25519', secretOf(1)) }],
  ['a P-256 key', { type: 'key', key: new SecretKey('p256', secretOf(2)) }],
]

type Plain = { secret?: unknown; sealing?: unknown; [name: string]: unknown }
const fieldsOf = (text: string): Plain => JSON.parse(text) as Plain

describe.each(materials)('a file of %s', (_, material) => {
  test('gives it back, sealed or not, after writing and reading', async () => {
    for (const passphrase of [right, undefined]) {
      const text = encodeKeyFile(await sealKey(material, AT, { passphrase, cost: cheap }))
      const file = decodeKeyFile(text, NAME)
      expect(encodeKeyFile(file)).toBe(text)
      expect(file.principal).toEqual(keyOf(material).principal)
      const opened = await openKey(file, passphrase, NAME)
      expect(opened.type).toBe(material.type)
      expect(keyOf(opened).reveal()).toEqual(keyOf(material).reveal())
      if (opened.type === 'phrase' && material.type === 'phrase')
        expect(opened.phrase.reveal()).toEqual(material.phrase.reveal())
    }
  })
})

/** `secretOf(9)` under the passphrase above, sealed by the first version. */
const PINNED =
  '9756a943b6d38c659ea1e28192fa1f6f9ad3be6ac016a13b414b6848ad0e65eb' +
  '00b3843f12d4fe4bec28f814017c7040'

describe('a sealed file', () => {
  const sealed = async (): Promise<Plain> =>
    fieldsOf(encodeKeyFile(await sealKey(materialOf(9), AT, { passphrase: right, cost: cheap })))

  test('names its principal openly, and holds the secret in no readable form', async () => {
    const text = JSON.stringify(await sealed())
    expect(text).toContain(textOfPrincipal(keyOf(materialOf(9)).principal))
    expect(text).not.toContain(toHex(secretOf(9)).slice(0, 8))
  })

  test('looks different each time', async () => {
    const [a, b] = [await sealed(), await sealed()]
    expect(a.secret).not.toBe(b.secret)
  })

  test('opens with nothing but its passphrase', async () => {
    const file = decodeKeyFile(JSON.stringify(await sealed()), NAME)
    expect(await codeOf(() => openKey(file, words('correct horse batterY'), NAME))).toBe(
      'KEY_WRONG_PASSPHRASE',
    )
    expect(await codeOf(() => openKey(file, undefined, NAME))).toBe('KEY_LOCKED')
  })

  test('opens however the letters of the passphrase were composed', async () => {
    const composed = await sealKey(materialOf(9), AT, {
      passphrase: words('p\u00e4sswort'),
      cost: cheap,
    })
    expect((await openKey(composed, words('pa\u0308sswort'), NAME)).type).toBe('key')
  })

  const sealing = (change: Plain) => (file: Plain) => ({
    ...file,
    sealing: { ...(file.sealing as Plain), ...change },
  })
  const flipped = (hex: unknown, at: number): string => {
    const digits = [...String(hex)]
    digits[at] = digits[at] === '0' ? '1' : '0'
    return digits.join('')
  }

  test.each<[string, (file: Plain) => Plain]>([
    ['its principal', (f) => ({ ...f, principal: textOfPrincipal(devUser(0).principal) })],
    ['its curve', (f) => ({ ...f, curve: 'p256' })],
    ['what it holds', (f) => ({ ...f, holds: 'phrase' })],
    ['its time', (f) => ({ ...f, created_at: '2026-01-02T03:04:06.000Z' })],
    ['the work of scrypt', sealing({ n: 4 })],
    ['the lanes of scrypt', sealing({ p: 2 })],
    ['the salt', sealing({ salt: '00'.repeat(32) })],
    ['the nonce', sealing({ nonce: '00'.repeat(12) })],
    ['the first byte of the secret', (f) => ({ ...f, secret: flipped(f.secret, 0) })],
    ['the last byte of the tag', (f) => ({ ...f, secret: flipped(f.secret, 95) })],
  ])('with another value for %s is not opened', async (_, change) => {
    const file = decodeKeyFile(JSON.stringify(change(await sealed())), NAME)
    expect(await codeOf(() => openKey(file, right, NAME))).toBe('KEY_WRONG_PASSPHRASE')
  })

  test.each<[string, (file: Plain) => Plain]>([
    ['without a principal', ({ principal: _, ...f }) => f],
    ['with a field more', (f) => ({ ...f, note: '' })],
    ['of another curve', (f) => ({ ...f, curve: 'p384' })],
    ['of version 0', (f) => ({ ...f, version: 0 })],
    ['with more work than allowed', sealing({ n: 2 ** 19 })],
    ['with work that is no power of two', sealing({ n: 48 })],
    ['with wider blocks', sealing({ r: 16 })],
    ['with too many lanes', sealing({ p: 9 })],
    ['of another cipher', sealing({ cipher: 'aes-128-gcm' })],
    ['with a short salt', sealing({ salt: '00' })],
    ['with a long nonce', sealing({ nonce: '00'.repeat(13) })],
    ['with a short secret', (f) => ({ ...f, secret: String(f.secret).slice(2) })],
    ['with a long secret', (f) => ({ ...f, secret: `${String(f.secret)}00` })],
    ['with a secret of 16 bytes for a key', (f) => ({ ...f, secret: '00'.repeat(32) })],
    ['with a time that is none', (f) => ({ ...f, created_at: 'yesterday' })],
  ])('%s is refused before a passphrase is asked for', async (_, change) => {
    const text = JSON.stringify(change(await sealed()))
    expect(await codeOf(() => decodeKeyFile(text, NAME))).toBe('KEY_CORRUPT')
  })

  test('cut anywhere, or with something behind it, is refused', async () => {
    const text = JSON.stringify(await sealed())
    for (let size = 0; size < text.length; size++)
      expect(await codeOf(() => decodeKeyFile(text.slice(0, size), NAME))).toBe('KEY_CORRUPT')
    expect(await codeOf(() => decodeKeyFile(`${text}{}`, NAME))).toBe('KEY_CORRUPT')
  })

  test('of a newer version is refused with both versions', async () => {
    const error = await failure(() => decodeKeyFile('{"version":2,"other":[]}', NAME))
    expect(error.code).toBe('KEY_CORRUPT')
    expect(error.message).toMatch(/version 2.*version 1$/)
  })

  test('costs scrypt 64 MiB twice', () => {
    expect(scryptCost).toEqual({ n: 65_536, r: 8, p: 2 })
  })

  test('of today opens for ever', async () => {
    const pinned = `{"version":1,"principal":"fvbo7-4m32b-pp2sm-g5pyf-nmzsh-sw33n-t3whe-jflih-inimw-kjtvq-dae","curve":"secp256k1","holds":"key",
      "created_at":"${AT}","sealing":{"kdf":"scrypt","n":2,"r":8,"p":1,"salt":"25f0234791bc74b212a1c8a967b3f3c503b9cd507a81913e506a5db21f91c0fa",
      "cipher":"aes-256-gcm","nonce":"3129918251e1d559bf64db2b"},"secret":"${PINNED}"}`
    const material = await openKey(decodeKeyFile(pinned, NAME), right, NAME)
    expect(keyOf(material).reveal()).toEqual(secretOf(9))
  })
})

describe('a file without a passphrase', () => {
  const open = async (): Promise<Plain> =>
    fieldsOf(encodeKeyFile(await sealKey(materialOf(9), AT, { passphrase: undefined })))

  test.each<[string, (file: Plain) => Plain]>([
    ['its principal', (f) => ({ ...f, principal: textOfPrincipal(devUser(0).principal) })],
    ['its curve', (f) => ({ ...f, curve: 'p256' })],
    ['what it holds', (f) => ({ ...f, holds: 'phrase' })],
    ['its secret', (f) => ({ ...f, secret: toHex(sha256(new Uint8Array())) })],
    ['a secret that is none of the curve', (f) => ({ ...f, secret: 'ff'.repeat(32) })],
  ])('with another value for %s is refused', async (_, change) => {
    const file = decodeKeyFile(JSON.stringify(change(await open())), NAME)
    expect(await codeOf(() => openKey(file, undefined, NAME))).toBe('KEY_CORRUPT')
  })

  test('holds the secret as it is', async () => {
    const { secret, sealing } = await open()
    expect([secret, sealing]).toEqual([toHex(secretOf(9)), null])
  })
})
