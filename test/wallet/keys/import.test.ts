/**
 * Goal: keys of other programs come in with the principal they have there, and no file makes the
 * program guess, hang or throw something else than a refusal.
 * Method: IC interface §§22, 26 (109 to 111), 27.6; files of the runtime's own library; each field
 * changed in turn, each file cut everywhere.
 */
import { createCipheriv, generateKeyPairSync } from 'node:crypto'
import { argon2id } from '@noble/hashes/argon2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, fromUtf8, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { CkbtcError } from '../../../src/core/base/errors.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { keyCurves, SecretKey } from '../../../src/wallet/identity.ts'
import { der, derInteger, tags } from '../../../src/wallet/keys/der.ts'
import { isDfxIdentityPath } from '../../../src/wallet/keys/dfx-identity.ts'
import { readDfxKey, readForeignKey, writeForeignKey } from '../../../src/wallet/keys/import.ts'
import { encodePem, readPem } from '../../../src/wallet/keys/pem.ts'
import { encodePkcs8, encodeSec1 } from '../../../src/wallet/keys/private-key.ts'
import { publishedKeyName } from '../../../src/wallet/keys/test-keys.ts'
import { codeOf, failure, secretOf, words } from '../../support/key-world.ts'
import {
  BOTH_ARE,
  curveless,
  ENCRYPTED_PASSPHRASE,
  encrypted,
  published,
  unsupportedCurve,
} from '../../support/published-keys.ts'

const read = (text: string) => readForeignKey(utf8(text))

function keyIn(text: string): SecretKey {
  const found = read(text)
  if (found.type !== 'key') expect.unreachable(`the file is ${found.type}`)
  return found.key
}

const refusal = (text: string): Promise<CkbtcError> => failure(() => read(text))
const pem = (label: string, bytes: Uint8Array): string => fromUtf8(encodePem({ label, der: bytes }))

describe('published key files', () => {
  test.each(published)('109: %s has the principal given for it', (_, text, principal) => {
    const key = keyIn(text)
    expect(textOfPrincipal(key.principal)).toBe(principal)
    expect(publishedKeyName(key.principal)).toBeDefined()
  })

  test('109, 110: a key that does not name its curve is asked for it, never guessed', () => {
    const found = read(curveless)
    if (found.type !== 'curveless') expect.unreachable()
    expect(textOfPrincipal(found.under('secp256k1').principal)).toBe(BOTH_ARE)
    expect(() => found.under('p256')).toThrow('not that of the secret under p256')
  })

  test('109, 111: an encrypted key opens with its passphrase, and with no other one', async () => {
    const found = read(encrypted)
    if (found.type !== 'encrypted') expect.unreachable()
    const opened = await found.open(words(ENCRYPTED_PASSPHRASE))
    if (opened.type !== 'key') expect.unreachable()
    expect(textOfPrincipal(opened.key.principal)).toBe(BOTH_ARE)
    const error = await failure(() => found.open(words('swordfisH')))
    expect([error.code, error.exit]).toEqual(['KEY_WRONG_PASSPHRASE', 4])
    expect(error.message).toContain('wrong password')
  })

  test('109: a key of another curve is refused by name', async () => {
    expect((await refusal(unsupportedCurve)).message).toBe('a key for P-521 is not supported')
  })

  test.each([...published, ['encrypted', encrypted, ''], ['curveless', curveless, '']] as const)(
    '%s cut anywhere is refused',
    async (_, text) => {
      for (let size = 0; size < text.trimEnd().length; size++)
        expect(await codeOf(() => read(text.slice(0, size)))).toBe('KEY_CORRUPT')
    },
  )

  test.each(published)('%s with DER cut anywhere, or longer, is refused', async (_, text) => {
    const blocks = readPem(utf8(text))
    const last = blocks.at(-1)
    if (last === undefined) expect.unreachable()
    const before = blocks.slice(0, -1).map((block) => pem(block.label, block.der))
    const file = (bytes: Uint8Array): string => [...before, pem(last.label, bytes)].join('')
    expect(keyIn(file(last.der)).principal).toEqual(keyIn(text).principal)
    for (let size = 1; size < last.der.length; size++)
      expect(await codeOf(() => read(file(last.der.slice(0, size))))).toBe('KEY_CORRUPT')
    expect(await codeOf(() => read(file(concat(last.der, Uint8Array.of(0)))))).toBe('KEY_CORRUPT')
  })

  test.each(published)('%s with any bit changed gives a refusal or a key', (_, text) => {
    const blocks = readPem(utf8(text))
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 7 }), (place, bit) => {
        const changed = blocks.map(({ label, der: bytes }) =>
          pem(
            label,
            bytes.map((byte, i) => (i === place % bytes.length ? byte ^ (1 << bit) : byte)),
          ),
        )
        try {
          read(changed.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(CkbtcError)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('files of the runtime', () => {
  const jwkSecret = (jwk: { d?: string }): Uint8Array =>
    new Uint8Array(Buffer.from(jwk.d ?? '', 'base64url'))

  test.each(['sec1', 'pkcs8'] as const)('with a key on an elliptic curve, in %s', (type) => {
    for (const [namedCurve, curve] of [
      ['secp256k1', 'secp256k1'],
      ['prime256v1', 'p256'],
    ] as const) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve })
      const text = String(privateKey.export({ type, format: 'pem' }))
      const secret = jwkSecret(privateKey.export({ format: 'jwk' }))
      expect(keyIn(text).curve).toBe(curve)
      expect(keyIn(text).reveal()).toEqual(secret)
      expect(keyIn(text.replaceAll('\n', '\r\n')).reveal()).toEqual(secret)
    }
  })

  test('with an Ed25519 key', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const text = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(keyIn(text).reveal()).toEqual(jwkSecret(privateKey.export({ format: 'jwk' })))
  })

  test('under a passphrase (PBKDF2)', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const text = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'pass',
    })
    const found = read(String(text))
    if (found.type !== 'encrypted') expect.unreachable()
    const opened = await found.open(words('pass'))
    if (opened.type !== 'key') expect.unreachable()
    expect(opened.key.reveal()).toEqual(jwkSecret(privateKey.export({ format: 'jwk' })))
    expect(await codeOf(() => found.open(words('Pass')))).toBe('KEY_WRONG_PASSPHRASE')
  })

  test.each<[string, () => string | Buffer]>([
    [
      'P-384',
      () =>
        generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({
          type: 'pkcs8',
          format: 'pem',
        }),
    ],
    [
      'P-384',
      () =>
        generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({
          type: 'sec1',
          format: 'pem',
        }),
    ],
    [
      'RSA',
      () =>
        generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
          type: 'pkcs8',
          format: 'pem',
        }),
    ],
    [
      'Ed448',
      () => generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    [
      'X25519',
      () => generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    [
      'RSA PRIVATE KEY',
      () =>
        generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
          type: 'pkcs1',
          format: 'pem',
        }),
    ],
  ])('for %s are refused by that name', async (name, make) => {
    const error = await refusal(String(make()))
    expect(error.code).toBe('KEY_CORRUPT')
    expect(error.message).toContain(name)
  })

  test('under an old passphrase of OpenSSL are refused with the way out', async () => {
    const text = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({
      type: 'sec1',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'pass',
    })
    expect((await refusal(String(text))).fix).toContain('openssl pkcs8 -topk8 -scrypt')
  })

  test('under another cipher are refused', async () => {
    const text = generateKeyPairSync('ed25519').privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-128-cbc',
      passphrase: 'pass',
    })
    expect((await refusal(String(text))).message).toContain('not supported')
  })
})

describe.each(keyCurves)('a key of %s', (curve) => {
  const key = new SecretKey(curve, secretOf(3))

  test('comes back from what is written for others, open and encrypted', async () => {
    expect(keyIn(fromUtf8(await writeForeignKey(key, undefined))).reveal()).toEqual(key.reveal())
    const sealed = readForeignKey(await writeForeignKey(key, words('passphrase')))
    if (sealed.type !== 'encrypted') expect.unreachable()
    const opened = await sealed.open(words('passphrase'))
    if (opened.type !== 'key') expect.unreachable()
    expect([opened.key.curve, opened.key.reveal()]).toEqual([curve, key.reveal()])
  })

  test('comes back from PKCS#8', () => {
    expect(keyIn(pem('PRIVATE KEY', encodePkcs8(key))).curve).toBe(curve)
  })
})

describe('a file', () => {
  const key = new SecretKey('secp256k1', secretOf(3))
  const other = new SecretKey('secp256k1', secretOf(4))
  const p256 = new SecretKey('p256', secretOf(3))
  const sec1 = encodeSec1(key, 'secp256k1')
  const good = pem('EC PRIVATE KEY', sec1)

  test.each([
    ['without blocks', 'hello\n', 'no PEM blocks'],
    ['with a certificate only', pem('CERTIFICATE', sec1), 'these blocks: CERTIFICATE'],
    ['with two keys', good + good, 'these blocks: EC PRIVATE KEY, EC PRIVATE KEY'],
    [
      'with two curves',
      pem('EC PARAMETERS', fromHex('06052b8104000a')).repeat(2) + good,
      'several',
    ],
    ['with other labels at its ends', good.replace('END EC', 'END'), 'does not end'],
    ['with a stray end', `${good}-----END EC PRIVATE KEY-----\n`, 'does not end'],
    ['with an empty block', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----', 'base64'],
    ['with other letters in it', good.replace('MH', 'M*'), 'base64'],
    [
      'with base64 of two readings',
      pem('PRIVATE KEY', Uint8Array.of(1)).replace('AQ==', 'AR=='),
      'base64',
    ],
    [
      'with a curve that contradicts the key',
      pem('EC PARAMETERS', fromHex('06082a8648ce3d030107')) + good,
      'announced',
    ],
    ['with a curve in numbers', pem('EC PARAMETERS', fromHex('3000')) + good, 'by its numbers'],
    ['of OpenSSH', pem('OPENSSH PRIVATE KEY', sec1), 'OPENSSH PRIVATE KEY'],
    ['of 17 blocks', pem('CERTIFICATE', sec1).repeat(17), 'more than 16 blocks'],
  ])('%s is refused, and says so', async (_, text, message) => {
    const error = await refusal(text)
    expect(error.code).toBe('KEY_CORRUPT')
    expect(error.message).toContain(message)
  })

  test('may have text between its blocks', () => {
    const text = `Bag Attributes\n  name: x\n${pem('CERTIFICATE', sec1)}\nKey:\n\n${good}\n`
    expect(keyIn(text).reveal()).toEqual(key.reveal())
  })

  test('of too many bytes, or of no text, is refused before it is looked at', async () => {
    for (const bytes of [new Uint8Array(65_537), Uint8Array.of(0xff, 0xfe)])
      expect(await codeOf(() => readForeignKey(bytes))).toBe('KEY_CORRUPT')
  })

  const bits = (bytes: Uint8Array): Uint8Array =>
    der(tags.bitString, concat(Uint8Array.of(0), bytes))
  const octets = (bytes: Uint8Array): Uint8Array => der(tags.octetString, bytes)
  const named = der(tags.explicit0, der(tags.oid, fromHex('2b8104000a')))
  const point = (of: SecretKey): Uint8Array => of.publicKeyDer.slice(-65)
  const ec = (...parts: readonly Uint8Array[]): string =>
    pem('EC PRIVATE KEY', der(tags.sequence, ...parts))
  const short = (of: SecretKey): Uint8Array =>
    concat(Uint8Array.of(2 + ((point(of)[64] ?? 0) & 1)), point(of).slice(1, 33))

  test('in SEC1 may leave out the public key, or compress it', () => {
    const secret = octets(key.reveal())
    expect(keyIn(ec(derInteger(1), secret, named)).reveal()).toEqual(key.reveal())
    const compressed = der(tags.explicit1, bits(short(key)))
    expect(keyIn(ec(derInteger(1), secret, named, compressed)).reveal()).toEqual(key.reveal())
  })

  test.each<[string, readonly Uint8Array[]]>([
    ['version 2', [derInteger(2), octets(key.reveal()), named]],
    ['a secret of 31 bytes', [derInteger(1), octets(new Uint8Array(31).fill(1)), named]],
    ['a secret of 0', [derInteger(1), octets(new Uint8Array(32)), named]],
    ['a secret of the order', [derInteger(1), octets(new Uint8Array(32).fill(0xff)), named]],
    [
      'the public key of another secret',
      [derInteger(1), octets(key.reveal()), named, der(tags.explicit1, bits(point(other)))],
    ],
    [
      'a public key that is no point',
      [derInteger(1), octets(key.reveal()), named, der(tags.explicit1, bits(Uint8Array.of(4)))],
    ],
    [
      'a public key of part of a byte',
      [
        derInteger(1),
        octets(key.reveal()),
        named,
        der(tags.explicit1, der(tags.bitString, concat(Uint8Array.of(1), point(key)))),
      ],
    ],
    [
      'its parts in another order',
      [derInteger(1), octets(key.reveal()), der(tags.explicit1, bits(point(key))), named],
    ],
    ['a part more', [derInteger(1), octets(key.reveal()), named, derInteger(1)]],
  ])('in SEC1 with %s is refused', async (_, parts) => {
    expect((await refusal(ec(...parts))).code).toBe('KEY_CORRUPT')
  })

  const pk = (version: number, of: 'ec' | 'ed', ...rest: readonly Uint8Array[]): string =>
    pem(
      'PRIVATE KEY',
      der(
        tags.sequence,
        derInteger(version),
        of === 'ed'
          ? der(tags.sequence, der(tags.oid, fromHex('2b6570')))
          : der(
              tags.sequence,
              der(tags.oid, fromHex('2a8648ce3d0201')),
              der(tags.oid, fromHex('2b8104000a')),
            ),
        octets(
          of === 'ed'
            ? octets(secretOf(3))
            : der(tags.sequence, derInteger(1), octets(secretOf(3))),
        ),
        ...rest,
      ),
    )
  const implicit = (bytes: Uint8Array): Uint8Array =>
    der(tags.implicit1, concat(Uint8Array.of(0), bytes))
  const ed = new SecretKey('ed25519', secretOf(3))

  test('in PKCS#8 of version 2 holds the public key, which is compared', async () => {
    const edKey = ed.publicKeyDer.slice(-32)
    expect(keyIn(pk(1, 'ed', implicit(edKey))).reveal()).toEqual(secretOf(3))
    expect(keyIn(pk(1, 'ed', der(tags.explicit0), implicit(edKey))).reveal()).toEqual(secretOf(3))
    expect(keyIn(pk(1, 'ec', implicit(point(key)))).reveal()).toEqual(secretOf(3))
    for (const text of [
      pk(1, 'ed', implicit(edKey.map((byte, i) => (i === 0 ? byte ^ 1 : byte)))),
      pk(1, 'ec', implicit(point(other))),
      pk(0, 'ed', implicit(edKey)),
      pk(2, 'ed'),
      pk(1, 'ed', implicit(edKey), implicit(edKey)),
    ])
      expect((await refusal(text)).code).toBe('KEY_CORRUPT')
  })

  test('with a secret that is good on another curve keeps to the curve it names', () => {
    expect(keyIn(pem('EC PRIVATE KEY', encodeSec1(p256, 'p256'))).principal).toEqual(p256.principal)
  })
})

describe('an encrypted file', () => {
  const numbered = (n: number, r: number, p: number, rest: readonly Uint8Array[] = []): string => {
    const oid = (hex: string) => der(tags.oid, fromHex(hex))
    const work = der(
      tags.sequence,
      der(tags.octetString, new Uint8Array(16)),
      ...[n, r, p].map(derInteger),
      ...rest,
    )
    const scheme = der(
      tags.sequence,
      der(tags.sequence, oid('2b06010401da47040b'), work),
      der(tags.sequence, oid('60864801650304012a'), der(tags.octetString, new Uint8Array(16))),
    )
    return pem(
      'ENCRYPTED PRIVATE KEY',
      der(
        tags.sequence,
        der(tags.sequence, oid('2a864886f70d01050d'), scheme),
        der(tags.octetString, new Uint8Array(48)),
      ),
    )
  }

  test('with bearable work is tried', () => {
    for (const text of [
      numbered(2 ** 17, 8, 1),
      numbered(2, 1, 4),
      numbered(2, 8, 1, [derInteger(32)]),
    ])
      expect(read(text).type).toBe('encrypted')
  })

  test.each([
    ['too much memory', numbered(2 ** 18, 8, 1)],
    ['too wide blocks', numbered(2 ** 17, 9, 1)],
    ['too many lanes', numbered(2, 8, 5)],
    ['no lanes', numbered(2, 8, 0)],
    ['a cost of 1', numbered(1, 8, 1)],
    ['a cost that is no power of two', numbered(3, 8, 1)],
    ['a key of 16 bytes', numbered(2, 8, 1, [derInteger(16)])],
  ])('with %s is refused without any work', async (_, text) => {
    expect((await refusal(text)).code).toBe('KEY_CORRUPT')
  })
})

describe('an encrypted identity of dfx', () => {
  const salt = Uint8Array.from({ length: 16 }, (_, i) => i * 7)
  const nonce = Uint8Array.from({ length: 12 }, (_, i) => i)
  const pw_salt = Buffer.from(salt).toString('base64').replace(/=+$/, '')
  const json = (change: object = {}, encryption: object = {}): Uint8Array =>
    utf8(
      JSON.stringify({
        hsm: null,
        encryption: { pw_salt, file_nonce: [...nonce], ...encryption },
        keyring_identity_suffix: null,
        ...change,
      }),
    )
  // What dfx does: Argon2id over the decoded salt, AES-256-GCM over the whole PEM file.
  const stretched = argon2id('swordfish', salt, { t: 3, m: 64_000, p: 1, dkLen: 32 })
  const cipher = createCipheriv('aes-256-gcm', stretched, nonce)
  const file = concat(cipher.update(utf8(curveless)), cipher.final(), cipher.getAuthTag())

  test('opens with its passphrase, and its key is of secp256k1', async () => {
    const found = readDfxKey(file, json())
    if (found.type !== 'encrypted') expect.unreachable()
    const opened = await found.open(words('swordfish'))
    if (opened.type !== 'key') expect.unreachable()
    expect(textOfPrincipal(opened.key.principal)).toBe(BOTH_ARE)
  }, 20_000)

  test('does not open with another passphrase', async () => {
    const found = readDfxKey(file, json())
    if (found.type !== 'encrypted') expect.unreachable()
    expect(await codeOf(() => found.open(words('wrong')))).toBe('KEY_WRONG_PASSPHRASE')
  }, 20_000)

  test.each<[string, Uint8Array, string]>([
    ['in a key ring', json({ keyring_identity_suffix: 'x' }), 'key ring'],
    ['in a hardware module', json({ hsm: { pkcs11_lib_path: 'x' } }), 'hardware'],
    ['without encryption', json({ encryption: null }), 'not an object'],
    ['with a short nonce', json({}, { file_nonce: [1] }), 'nonce'],
    ['with a nonce of no bytes', json({}, { file_nonce: [...nonce].map(String) }), 'nonce'],
    ['with a long nonce', json({}, { file_nonce: [...nonce, 1] }), 'nonce'],
    ['with a salt that is no base64', json({}, { pw_salt: '*' }), 'salt'],
    ['with a short salt', json({}, { pw_salt: 'AAAA' }), 'salt'],
    ['that is no JSON', utf8('{'), 'JSON'],
    ['that is no object', utf8('[]'), 'object'],
  ])('%s is refused before a passphrase is asked for', async (_, identity, message) => {
    const error = await failure(() => readDfxKey(file, identity))
    expect(error.code).toBe('KEY_CORRUPT')
    expect(error.message).toContain(message)
  })

  test('is known by its place', () => {
    const places = [
      '/home/me/.config/dfx/identity/default/identity.pem',
      'C:\\Users\\me\\dfx\\identity\\x\\identity.pem',
      '/home/me/identity.pem',
      '/home/me/.config/dfx/identity/identity.pem',
    ]
    expect(places.map(isDfxIdentityPath)).toEqual([true, true, false, false])
  })
})

test('no refusal of a file quotes it', async () => {
  const secret = toHex(secretOf(0x5a))
  const key = new SecretKey('secp256k1', secretOf(0x5a))
  const bytes = encodeSec1(key, 'secp256k1')
  for (let place = 0; place < bytes.length; place++) {
    const changed = bytes.map((byte, i) => (i === place ? byte ^ 0x81 : byte))
    try {
      read(pem('EC PRIVATE KEY', changed))
    } catch (error) {
      const told = `${error} ${JSON.stringify(error)}`
      for (const form of [secret, Buffer.from(secretOf(0x5a)).toString('base64').slice(0, 20)])
        expect(told).not.toContain(form)
    }
  }
})
