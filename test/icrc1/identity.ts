/** Whose account pays for the suite: a key out of a file, or its seed as it is given. */
import { existsSync, readFileSync } from 'node:fs'
import { fromHex } from '../../src/core/base/bytes.ts'
import type { SecretKey } from '../../src/wallet/identity.ts'
import { DEV_USERS, devUser, userOfSecret } from '../../src/wallet/identity.ts'
import { readForeignKey } from '../../src/wallet/keys/import.ts'
import { Phrase } from '../../src/wallet/keys/phrase.ts'

/** `dev0` …, 64 hexadecimal digits of an Ed25519 seed, a seed phrase, or a file with one or a PEM. */
export function keyOf(given: string): SecretKey {
  const isFile = existsSync(given)
  const text = (isFile ? readFileSync(given, 'utf8') : given).trim()
  const dev = /^dev(\d)$/.exec(text)?.[1]
  if (dev !== undefined && Number(dev) < DEV_USERS) return devUser(Number(dev))
  if (/^[0-9a-fA-F]{64}$/.test(text)) return userOfSecret(fromHex(text.toLowerCase()))
  if (text.includes(' ') && !text.includes('BEGIN')) return Phrase.parse(text).key('secp256k1')
  if (!isFile) throw new RangeError('--identity is no file, no seed and no seed phrase')
  const key = readForeignKey(new Uint8Array(readFileSync(given)))
  switch (key.type) {
    case 'key':
      return key.key
    case 'curveless':
      return key.under('secp256k1')
    case 'encrypted':
      throw new RangeError('the key file is encrypted; the suite asks for no passphrase')
  }
}
