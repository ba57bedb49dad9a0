/** Goal: the account that pays for the ICRC-1 suite is the one that was named. Method: each way to name it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { encodePem } from '../../src/wallet/keys/pem.ts'
import { Phrase } from '../../src/wallet/keys/phrase.ts'
import { encodePkcs8, encodeSec1 } from '../../src/wallet/keys/private-key.ts'
import { keyOf } from '../icrc1/identity.ts'

const folder = mkdtempSync(join(tmpdir(), 'icrc1-identity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const words = `${'abandon '.repeat(11)}about`
const dev = devUser(2)
const phrase = Phrase.parse(words).key('secp256k1')

test.each([
  ['the name of a development key', 'dev2', dev],
  ['a seed', toHex(dev.reveal()), dev],
  ['a file with a seed', file('seed', `${toHex(dev.reveal()).toUpperCase()}\n`), dev],
  ['a seed phrase', words, phrase],
  ['a file with a seed phrase', file('words', `${words}\n`), phrase],
  [
    'a PKCS#8 file',
    file('ed.pem', encodePem({ label: 'PRIVATE KEY', der: encodePkcs8(dev) })),
    dev,
  ],
  [
    'a SEC1 file',
    file('k1.pem', encodePem({ label: 'EC PRIVATE KEY', der: encodeSec1(phrase, 'secp256k1') })),
    phrase,
  ],
])('%s', (_, given, key) => {
  expect(keyOf(given).principal).toEqual(key.principal)
})

test.each(['dev5', 'dev', 'ab'.repeat(31), 'no-such-file', words.slice(0, -6)])(
  '"%s" names nobody',
  (given) => {
    expect(() => keyOf(given)).toThrow()
  },
)
