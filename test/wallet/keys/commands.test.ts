/**
 * Goal: the commands of keys do what docs/spec/cli.md §§5.11, 5.12 say, ask what they must ask, and
 * let no secret out that was not asked for.
 * Method: IC interface §26 (110, 111); the commands themselves on a real folder, with a person who answers prompts; at the end
 * everything that a whole story printed is searched for the secret in every form.
 */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromUtf8, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { principalText } from '../../../src/wallet/keys/describe.ts'
import { readForeignKey, writeForeignKey } from '../../../src/wallet/keys/import.ts'
import { Phrase } from '../../../src/wallet/keys/phrase.ts'
import type { Answers } from '../../support/key-commands.ts'
import { KeyDesk } from '../../support/key-commands.ts'
import { words } from '../../support/key-world.ts'
import {
  BOTH_ARE,
  curveless,
  ENCRYPTED_PASSPHRASE,
  encrypted,
  published,
} from '../../support/published-keys.ts'

const PASSPHRASE = 'correct horse battery'
const PHRASE = 'equip will roof matter pink blind book anxiety banner elbow sun young'
const [, ALICE = '', ALICE_IS = ''] = published[0] ?? []

/** Answers every question as somebody who means it. */
const willing =
  (desk: KeyDesk, others: Readonly<Record<string, string>> = {}): Answers =>
  (question) => {
    const [, answer] = Object.entries(others).find(([part]) => question.includes(part)) ?? []
    if (answer !== undefined) return answer
    const place = /^Word (\d+)$/.exec(question)?.[1]
    if (place !== undefined) return desk.wordsOnScreen[Number(place) - 1] ?? ''
    if (question.includes('[y/N]')) return 'y'
    return question.startsWith('Press Enter') ? '' : PASSPHRASE
  }

type Data = { principal?: unknown; keys?: unknown; addresses?: unknown }
const dataOf = (out: string): Data => {
  const document: { data: Data } = JSON.parse(out)
  return document.data
}
const errorOf = (out: string): Record<string, unknown> => {
  const document: { error: Record<string, unknown> } = JSON.parse(out)
  return document.error
}
const json = { json: true }

/** Makes the plaintext key `name` from the published phrase or PEM. */
const take = (desk: KeyDesk, name: string) =>
  desk.run(
    `import ${name}`,
    { phrase: true, passphrase: false },
    { stdin: PHRASE, globals: { yes: true } },
  )

describe('key generate', () => {
  test('shows the phrase once on another screen, asks two words back and a passphrase', async () => {
    const desk = new KeyDesk()
    let seen: readonly string[] = []
    const answers: Answers = (question) => {
      seen = desk.wordsOnScreen
      return willing(desk)(question)
    }
    const { out, err, exit } = await desk.run('generate savings', {}, { answers })
    expect(exit).toBe(0)
    expect(out).toMatch(/^✓ Key savings {3}principal [a-z2-7-]{63} {3}default key\n/)
    expect(seen).toHaveLength(24)
    expect(err.startsWith('\u001b[?1049h') && err.endsWith('\u001b[?1049l\n')).toBe(true)
    expect(desk.questions).toEqual([
      'Press Enter when they are on paper',
      expect.stringMatching(/^Word \d+$/),
      expect.stringMatching(/^Word \d+$/),
      'New passphrase (8 or more characters)',
      'The same again',
    ])
    const principal = principalText(Phrase.parse(seen.join(' ')).key('secp256k1').principal)
    expect(out).toContain(principal)
    expect(out).not.toContain(seen[0])
    expect((await desk.run('generate other', {}, { answers, settings: json })).exit).toBe(2)
  })

  test('asks again after a wrong word, and makes no key after three', async () => {
    const desk = new KeyDesk()
    const { err, exit } = await desk.run(
      'generate savings',
      { words: '12' },
      { answers: (question) => (question.startsWith('Word') ? 'zoo' : '') },
    )
    expect([exit, err.match(/That is another word/g)?.length]).toEqual([4, 3])
    expect(err).toContain('KEY_BAD_PHRASE')
    expect(existsSync(`${desk.folder}/keys`)).toBe(false)
  })

  test('uses no other screen where escape sequences are unwanted', async () => {
    for (const environment of [{ TERM: 'dumb' }, { NO_COLOR: '1' }]) {
      const desk = new KeyDesk()
      const { err } = await desk.run('generate a', {}, { environment, answers: willing(desk) })
      expect(err).not.toContain('\u001b')
      expect(err).toContain('clear this window')
    }
  })

  test('with --json writes the phrase to a new file of the owner, never into the document', async () => {
    const desk = new KeyDesk()
    const file = `${desk.folder}/words.txt`
    const wish = { words: '12', phraseOut: file, passphrase: false }
    const { out, exit } = await desk.run('generate savings', wish, { settings: json })
    expect(exit).toBe(0)
    const phrase = Phrase.parse(desk.read('words.txt'))
    expect(dataOf(out)).toEqual({
      name: 'savings',
      principal: principalText(phrase.key('secp256k1').principal),
      protection: 'plaintext',
      default: true,
    })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await desk.run('generate other', wish, { settings: json })
    expect(errorOf(again.out)).toMatchObject({ code: 'USAGE_INVALID', exit: 2 })
    expect(Phrase.parse(desk.read('words.txt')).reveal()).toEqual(phrase.reveal())
  })

  test('without a person names the option that answers, before anything is made', async () => {
    const desk = new KeyDesk()
    const noFile = await desk.run('generate savings', {})
    expect([noFile.exit, noFile.err]).toEqual([2, expect.stringContaining('--phrase-out <file>')])
    const file = `${desk.folder}/words.txt`
    const noPassphrase = await desk.run('generate savings', { phraseOut: file })
    expect([noPassphrase.exit, noPassphrase.err]).toEqual([
      4,
      expect.stringContaining('--passphrase-file'),
    ])
    expect((await desk.run('generate savings', { phraseOut: '-' })).exit).toBe(2)
    expect(existsSync(file)).toBe(false)
  })

  test('refuses a key without a passphrase where real funds are, and a taken name', async () => {
    const desk = new KeyDesk()
    const wish = { phraseOut: `${desk.folder}/words.txt`, passphrase: false }
    const ic = { globals: { network: 'ic' } }
    expect((await desk.run('generate savings', wish, ic)).err).toContain('RAIL_PLAINTEXT_KEY')
    await desk.run('generate savings', wish)
    const taken = await desk.run('generate savings', { ...wish, phraseOut: `${desk.folder}/b` })
    expect([taken.exit, taken.err]).toEqual([11, expect.stringContaining('KEY_EXISTS')])
    expect(existsSync(`${desk.folder}/b`)).toBe(false)
  })
})

describe('key import', () => {
  const saved = (out: string): unknown => dataOf(out).principal

  test('takes a phrase from a person, who compares the principal first', async () => {
    const desk = new KeyDesk()
    const answers = willing(desk, { Phrase: PHRASE })
    const { out, err, exit } = await desk.run('import mine', { phrase: true }, { answers })
    expect(exit).toBe(0)
    expect(out).toContain(BOTH_ARE)
    expect(err).toContain(`phrase of 12 words, secp256k1\nprincipal ${BOTH_ARE}\n`)
    expect(err).toContain('works on the local network only')
    expect(desk.questions.slice(0, 2)).toEqual(['Phrase', 'Save it as mine? [y/N]'])
  })

  test('saves nothing when the person says no, or cannot be asked', async () => {
    const desk = new KeyDesk()
    const answers = willing(desk, { Phrase: PHRASE, '[y/N]': '' })
    expect((await desk.run('import mine', { phrase: true }, { answers })).exit).toBe(3)
    const alone = await desk.run('import mine', { phrase: true }, { stdin: PHRASE })
    expect([alone.exit, alone.err]).toEqual([3, expect.stringContaining('CONSENT_REQUIRED')])
    expect(existsSync(`${desk.folder}/keys`)).toBe(false)
  })

  test('needs no question when the principal is the expected one, and saves no other one', async () => {
    const desk = new KeyDesk()
    const wish = { phrase: true, passphrase: false }
    const saying = { stdin: PHRASE, settings: json }
    const right = await desk.run('import mine', { ...wish, expectPrincipal: BOTH_ARE }, saying)
    expect(saved(right.out)).toBe(BOTH_ARE)
    const other = { ...wish, expectPrincipal: ALICE_IS }
    const wrong = await desk.run('import other', other, saying)
    expect(errorOf(wrong.out)).toMatchObject({ code: 'CHECK_FAILED', exit: 8 })
    const none = { ...wish, expectPrincipal: 'aaaaa-ab' }
    expect((await desk.run('import other', none, saying)).exit).toBe(2)
  })

  test('tells what is wrong with a phrase, and not the phrase', async () => {
    const desk = new KeyDesk()
    const bad = PHRASE.replace('matter', 'mattre')
    const { out } = await desk.run('import mine', { phrase: true }, { stdin: bad, settings: json })
    expect(errorOf(out)).toMatchObject({ code: 'KEY_BAD_PHRASE', details: { words: [4] } })
    expect(out).not.toMatch(/equip|will|mattre|pink/)
  })

  const fileOf = (desk: KeyDesk, content: string, name = 'key.pem'): string => {
    const path = `${desk.folder}/${name}`
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const bare = { passphrase: false }
  const yes = { globals: { yes: true }, settings: json }

  test.each(published)('takes %s', async (_, text, principal) => {
    const desk = new KeyDesk()
    const { out } = await desk.run('import mine', { ...bare, pem: fileOf(desk, text) }, yes)
    expect(saved(out)).toBe(principal)
    expect(out).toContain('KEY_PUBLISHED')
  })

  test('111: takes an encrypted file with its passphrase, from a person or a file', async () => {
    const desk = new KeyDesk()
    const pem = fileOf(desk, encrypted)
    const answers = willing(desk, { 'key.pem': ENCRYPTED_PASSPHRASE })
    expect((await desk.run('import a', { ...bare, pem }, { answers })).exit).toBe(0)
    const pemPassphraseFile = fileOf(desk, `${ENCRYPTED_PASSPHRASE}\n`, 'pass')
    const given = { ...bare, pem, pemPassphraseFile }
    expect(saved((await desk.run('import b', given, yes)).out)).toBe(BOTH_ARE)
    const wrong = { ...given, pemPassphraseFile: fileOf(desk, 'sword', 'wrong') }
    const refused = await desk.run('import c', wrong, yes)
    expect(errorOf(refused.out)).toMatchObject({
      code: 'KEY_WRONG_PASSPHRASE',
      exit: 4,
      message: expect.stringContaining('wrong password'),
    })
    expect(refused.out + refused.err).not.toMatch(/^\s+at /m)
    const none = await desk.run('import c', { ...bare, pem }, yes)
    expect(errorOf(none.out)).toMatchObject({
      code: 'KEY_LOCKED',
      hint: expect.stringContaining('--pem-passphrase-file'),
    })
  })

  test('110: asks for a curve that the file does not name, and takes that of dfx as known', async () => {
    const desk = new KeyDesk()
    const pem = fileOf(desk, curveless)
    const alone = await desk.run('import a', { ...bare, pem }, yes)
    expect(errorOf(alone.out)).toMatchObject({ exit: 2, hint: expect.stringContaining('--curve') })
    const told = await desk.run('import a', { ...bare, pem, curve: 'secp256k1' }, yes)
    expect(saved(told.out)).toBe(BOTH_ARE)
    const answers = willing(desk, { Curve: 'secp256k1' })
    expect((await desk.run('import b', { ...bare, pem }, { answers })).out).toContain(BOTH_ARE)
    expect((await desk.run('import c', { ...bare, pem, curve: 'ed25519' }, yes)).exit).toBe(2)
    mkdirSync(`${desk.folder}/dfx/identity/default`, { recursive: true })
    const ofDfx = fileOf(desk, curveless, 'dfx/identity/default/identity.pem')
    expect(saved((await desk.run('import d', { ...bare, pem: ofDfx }, yes)).out)).toBe(BOTH_ARE)
  })

  test('refuses a curve that is not that of the file', async () => {
    const desk = new KeyDesk()
    const wish = { ...bare, pem: fileOf(desk, ALICE), curve: 'p256' }
    expect((await desk.run('import a', wish, yes)).exit).toBe(2)
  })

  test('says when others can read the file', async () => {
    const desk = new KeyDesk()
    const pem = fileOf(desk, ALICE)
    chmodSync(pem, 0o644)
    expect((await desk.run('import a', { ...bare, pem }, yes)).out).toContain('KEY_PERMISSIONS')
  })

  test.each([
    ['nothing', {}],
    ['both', { phrase: true, pem: 'x' }],
    ['a file that is not there', { pem: '/nowhere/key.pem' }],
  ])('of %s is a mistake', async (_, wish) => {
    const desk = new KeyDesk()
    expect((await desk.run('import a', wish, yes)).exit).toBe(2)
  })
})

describe('key list, show and principal', () => {
  test('show keys without any passphrase', async () => {
    const desk = new KeyDesk()
    await desk.run('generate savings', {}, { answers: willing(desk) })
    await take(desk, 'mine')
    const before = desk.questions.length
    const { out } = await desk.run('list', {}, { settings: { plain: true } })
    const rows = out.split('\n')
    expect(rows[0]).toBe('name\tprincipal\tprotection\tdefault\tlast used')
    expect(rows[1]).toBe(`mine\t${BOTH_ARE}\tplaintext\tno\t`)
    expect(rows[2]).toMatch(/^savings\t[a-z2-7-]{63}\tpassphrase\tyes\t$/)
    const { keys } = dataOf((await desk.run('list', {}, { settings: json })).out)
    expect(keys).toMatchObject([{ name: 'mine', default: false, last_used_at: null }, {}])
    expect((await desk.run('list', {}, { settings: { quiet: true } })).out).toBe('mine\nsavings\n')
    expect((await desk.run('principal', {}, { globals: { key: 'mine' } })).out).toBe(
      `${BOTH_ARE}\n`,
    )
    expect(desk.questions.length).toBe(before)
  })

  test('say what is broken, and what others can read', async () => {
    const desk = new KeyDesk()
    await take(desk, 'mine')
    writeFileSync(`${desk.folder}/keys/bad.json`, '{', { mode: 0o600 })
    chmodSync(`${desk.folder}/keys/mine.json`, 0o644)
    const { err, exit } = await desk.run('list')
    expect(exit).toBe(0)
    expect(err).toContain('ckbtc: warning: the file of key bad cannot be used')
    expect(err).toMatch(/others may read .*mine\.json \(mode 644\)/)
    expect((await desk.run('principal')).err).toContain('mode 644')
  })

  test('say that there are none', async () => {
    const desk = new KeyDesk()
    const { out, err } = await desk.run('list')
    expect([out, err]).toEqual(['', expect.stringContaining('ckbtc key generate')])
    expect((await desk.run('list', {}, { settings: { quiet: true } })).out).toBe('')
  })

  test("give the deposit address where the key may be used and the network's key is known", async () => {
    const desk = new KeyDesk()
    await desk.run('generate savings', {}, { answers: willing(desk) })
    const { addresses } = dataOf((await desk.run('show', {}, { settings: json })).out)
    expect(addresses).toEqual([{ network: 'ic', address: expect.stringMatching(/^bc1q/) }])
    await take(desk, 'mine')
    expect(dataOf((await desk.run('show mine', {}, { settings: json })).out)).toMatchObject({
      principal: BOTH_ARE,
      account: BOTH_ARE,
      has_phrase: true,
      addresses: [],
    })
    expect((await desk.run('show dev1', {})).out).toContain(principalText(devUser(1).principal))
  })

  test('obey the rails of the network', async () => {
    const desk = new KeyDesk()
    expect((await desk.run('principal')).out).toBe(`${principalText(devUser(0).principal)}\n`)
    const on = (network: string, key?: string) =>
      desk.run('principal', {}, { globals: { network, key } })
    expect((await on('ic')).err).toContain('KEY_NONE')
    expect((await on('ic', 'dev0')).err).toContain('RAIL_TEST_KEY')
    const { exit } = await desk.run('principal', {}, { environment: { CKBTC_NETWORK: 'nowhere' } })
    expect(exit).toBe(2)
    const named = await desk.run('principal', {}, { environment: { CKBTC_KEY: 'dev2' } })
    expect(named.out).toBe(`${principalText(devUser(2).principal)}\n`)
  })
})

describe('key use, rename, delete', () => {
  test('change the names of keys', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    await take(desk, 'two')
    expect((await desk.run('use two')).out).toContain('Key two')
    expect((await desk.run('use three')).err).toContain('KEY_NOT_FOUND')
    expect((await desk.run('rename two three')).out).toContain('default key')
    expect((await desk.run('rename three one')).exit).toBe(11)
  })

  test('a key is deleted when its name is typed, and not by --yes', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    const byYes = await desk.run('delete one', {}, { globals: { yes: true } })
    expect([byYes.exit, byYes.err]).toEqual([3, expect.stringContaining('--confirm-name one')])
    const mistyped = await desk.run('delete one', {}, { answers: () => 'on' })
    expect(mistyped.exit).toBe(3)
    expect((await desk.run('delete one', { confirmName: 'two' })).exit).toBe(3)
    expect((await desk.run('delete one', {}, { answers: () => 'one' })).exit).toBe(0)
    expect((await desk.run('delete one', { confirmName: 'one' })).err).toContain('KEY_NOT_FOUND')
  })
})

describe('key passwd and key export', () => {
  test('a passphrase is set, changed and taken away', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    const set = await desk.run('passwd one', {}, { answers: willing(desk) })
    expect(set.exit).toBe(0)
    const change = willing(desk, { 'of one': PASSPHRASE, New: 'another one', again: 'another one' })
    expect((await desk.run('passwd one', {}, { answers: change })).exit).toBe(0)
    const wrong = await desk.run('passwd one', { passphrase: false }, { answers: willing(desk) })
    expect(wrong.err).toContain('KEY_WRONG_PASSPHRASE')
    writeFileSync(`${desk.folder}/old`, 'another one\n')
    const given = { globals: { passphraseFile: `${desk.folder}/old` } }
    expect((await desk.run('passwd one', {}, given)).err).toContain('--new-passphrase-file')
    expect((await desk.run('passwd one', { passphrase: false }, given)).out).toContain(
      'no passphrase',
    )
  })

  test('a passphrase in the environment is refused where real funds are', async () => {
    const desk = new KeyDesk()
    await desk.run('generate one', {}, { answers: willing(desk) })
    const environment = { CKBTC_PASSPHRASE: PASSPHRASE }
    const onIc = { environment, globals: { network: 'ic' } }
    const refused = await desk.run('passwd one', { passphrase: false }, onIc)
    expect([refused.exit, refused.err]).toEqual([10, expect.stringContaining('RAIL_SECRET_IN_ENV')])
    expect((await desk.run('passwd one', { passphrase: false }, { environment })).exit).toBe(0)
  })

  test('a secret goes to a new file of the owner, after a yes', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    const out = `${desk.folder}/one.pem`
    const wish = { format: 'pem', out }
    expect((await desk.run('export one', wish)).exit).toBe(3)
    expect((await desk.run('export one', wish, { answers: () => 'n' })).exit).toBe(3)
    expect((await desk.run('export one', wish, { answers: () => 'yes' })).exit).toBe(0)
    expect(statSync(out).mode & 0o777).toBe(0o600)
    const read = readForeignKey(utf8(desk.read('one.pem')))
    expect(read.type === 'key' && principalText(read.key.principal)).toBe(BOTH_ARE)
    expect((await desk.run('export one', wish, { globals: { yes: true } })).exit).toBe(2)
  })

  test('a secret is written encrypted under a passphrase of its own', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    const wish = { format: 'pem', out: `${desk.folder}/one.pem`, encrypt: true }
    expect((await desk.run('export one', wish, { answers: willing(desk) })).exit).toBe(0)
    const read = readForeignKey(utf8(desk.read('one.pem')))
    if (read.type !== 'encrypted') expect.unreachable()
    const opened = await read.open(words(PASSPHRASE))
    expect(opened.type === 'key' && principalText(opened.key.principal)).toBe(BOTH_ARE)
  })

  test('a secret appears on a terminal only with --reveal, and never in JSON', async () => {
    const desk = new KeyDesk()
    await take(desk, 'one')
    const phrase = { format: 'phrase', out: '-' }
    const yes = { globals: { yes: true } }
    const refused = await desk.run('export one', phrase, { ...yes, outputIsTerminal: true })
    expect([refused.exit, refused.err]).toEqual([2, expect.stringContaining('--reveal')])
    expect((await desk.run('export one', phrase, { ...yes, settings: json })).exit).toBe(2)
    const revealed = { ...phrase, reveal: true }
    const shown = await desk.run('export one', revealed, { ...yes, outputIsTerminal: true })
    expect(shown.out).toBe(`${PHRASE}\n`)
    expect((await desk.run('export one', phrase, yes)).out).toBe(`${PHRASE}\n`)
  })

  test('what cannot be written is refused before a passphrase is asked for', async () => {
    const desk = new KeyDesk()
    const pem = `${desk.folder}/a.pem`
    writeFileSync(pem, ALICE, { mode: 0o600 })
    const answers = willing(desk)
    await desk.run('import alice', { pem }, { answers })
    const before = desk.questions.length
    for (const wish of [
      {},
      { format: 'pem' },
      { format: 'phrase', out: `${desk.folder}/x` },
      { format: 'phrase', out: `${desk.folder}/x`, encrypt: true },
    ])
      expect((await desk.run('export alice', wish, { answers })).exit).toBe(2)
    expect(desk.questions.length).toBe(before)
  })
})

test('a whole story prints no secret in any form', async () => {
  const desk = new KeyDesk()
  const file = `${desk.folder}/words.txt`
  const globals = { yes: true }
  const verbose = { verbose: 2 }
  await desk.run('generate savings', { phraseOut: file }, { answers: willing(desk) })
  const phrase = Phrase.parse(desk.read('words.txt'))
  const { words: secretWords, entropy } = phrase.reveal()
  const key = phrase.key('secp256k1')
  const pem = fromUtf8(await writeForeignKey(key, undefined))
  writeFileSync(`${desk.folder}/k.pem`, pem, { mode: 0o600 })
  const answers = willing(desk, { Phrase: secretWords.join(' ') })
  for (const settings of [{}, json, { plain: true }, verbose]) {
    const saying = { answers, globals, settings }
    await desk.run('import again', { phrase: true, passphrase: false }, saying)
    await desk.run('import file', { pem: `${desk.folder}/k.pem` }, saying)
    await desk.run(
      'import bad',
      { phrase: true },
      { ...saying, answers: willing(desk, { Phrase: secretWords.slice(1).join(' ') }) },
    )
    await desk.run(
      'import bad',
      { phrase: true },
      { ...saying, answers: willing(desk, { Phrase: [...secretWords.slice(1), 'zoo'].join(' ') }) },
    )
    await desk.run('list', {}, saying)
    await desk.run('show savings', {}, saying)
    await desk.run('principal', {}, saying)
    await desk.run(
      'passwd savings',
      {},
      { ...saying, answers: willing(desk, { 'of savings': 'wrong' }) },
    )
    await desk.run('passwd savings', {}, saying)
    await desk.run('export savings', { format: 'pem', out: `${desk.folder}/out.pem` }, saying)
    await desk.run(
      'export savings',
      { format: 'phrase', out: '-' },
      { ...saying, outputIsTerminal: true },
    )
    await desk.run('rename savings saved', {}, saying)
    await desk.run('rename saved savings', {}, saying)
    await desk.run('delete again', { confirmName: 'again' }, saying)
    await desk.run('delete file', { confirmName: 'file' }, saying)
  }
  const told = desk.everything + desk.read('keys/savings.json') + desk.read('keys.json')
  const forms = [key.reveal(), entropy].flatMap((secret) => [
    toHex(secret).slice(0, 16),
    Buffer.from(secret).toString('base64').slice(0, 16),
    Buffer.from(secret).toString('base64url').slice(0, 16),
    BigInt(`0x${toHex(secret)}`)
      .toString()
      .slice(0, 16),
    secret.join(',').slice(0, 24),
    secret.join(' ').slice(0, 24),
  ])
  const pemLines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))
  const pairs = secretWords.slice(1).map((word, i) => `${secretWords[i]} ${word}`)
  for (const form of [...forms, ...pemLines, ...pairs, PASSPHRASE]) expect(told).not.toContain(form)
  expect(told).toContain(principalText(key.principal))
  expect(desk.read('out.pem')).toBe(pem)
})
