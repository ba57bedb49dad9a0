/** `ckbtc key import`. Implements `docs/spec/cli.md` §5.11, `docs/spec/ic-interface.md` §22. */
import { dirname, join } from 'node:path'
import { fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem, UsageInvalid } from '../../core/base/errors.ts'
import type { Warning } from '../../terminal/json.ts'
import { consent } from '../../terminal/prompt.ts'
import type { KeyCurve } from '../../wallet/identity.ts'
import { principalText, requireExpected } from '../../wallet/keys/describe.ts'
import { isDfxIdentityPath } from '../../wallet/keys/dfx-identity.ts'
import type { ForeignKey } from '../../wallet/keys/import.ts'
import { ofDfx, readDfxKey, readForeignKey } from '../../wallet/keys/import.ts'
import type { KeyMaterial } from '../../wallet/keys/key-file.ts'
import { keyOf } from '../../wallet/keys/key-file.ts'
import { openWithPassphrase } from '../../wallet/keys/passphrase.ts'
import { PEM_BYTES_MAX } from '../../wallet/keys/pem.ts'
import { Phrase } from '../../wallet/keys/phrase.ts'
import { publishedKeyName } from '../../wallet/keys/test-keys.ts'
import { widePermissions } from '../../wallet/private-files.ts'
import type { Context } from '../context.ts'
import type { Invocation, Options } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import type { KeySession } from './session.ts'
import { answerKey, confirmedBy, newPassphrase, openSession } from './session.ts'

const PHRASE_BYTES_MAX = 1_024
const HELP = 'ckbtc key import --help'

type Found = {
  readonly material: KeyMaterial
  /** Where it is from, in words. */
  readonly source: string
  readonly warnings: readonly Warning[]
}

export async function keyImport(
  { args, options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const [name = ''] = args
  const session = await openSession(context, ports)
  session.store.requireFree(name)
  const path = options.text('pem')
  if (options.isOn('phrase') === (path !== undefined))
    throw new UsageInvalid('a key is imported from a phrase or from a PEM file', {
      fix: 'give one of --phrase and --pem <file>',
      command: HELP,
    })
  const curve = curveOf(options)
  const found =
    path === undefined
      ? await fromPhrase(session, curve ?? 'secp256k1')
      : await fromFile(session, { path, curve, passphraseFile: options.text('pemPassphraseFile') })
  const key = keyOf(found.material)
  const expected = options.text('expectPrincipal')
  requireExpected(key, expected)
  const principal = principalText(key.principal)
  session.terminal.note(`${found.source}, ${key.curve}`)
  session.terminal.note(`principal ${principal}`)
  await consent(`Save it as ${name}?`, {
    facts: { environment: context.environment, input: context.globals.input },
    yes: session.yes || expected !== undefined,
    ...confirmedBy(session),
  })
  const passphrase = await newPassphrase(session, session.sources, {
    none: !options.isOn('passphrase'),
    name,
  })
  const entry = await session.store.create(name, found.material, passphrase)
  const published = publishedKeyName(key.principal)
  const warnings =
    published === undefined
      ? found.warnings
      : [...found.warnings, { code: 'KEY_PUBLISHED', message: publicWords(published) }]
  answerKey(session, { schema: 'key-import', entry, warnings })
}

const publicWords = (published: string): string =>
  `the secret of this key is public (${published}): it works on the local network only`

function curveOf(options: Options): KeyCurve | undefined {
  const curve = options.text('curve')
  return curve === 'secp256k1' || curve === 'ed25519' || curve === 'p256' ? curve : undefined
}

async function fromPhrase({ person, ports }: KeySession, curve: KeyCurve): Promise<Found> {
  const text = person === undefined ? await piped(ports) : await person.askSecret('Phrase')
  const phrase = Phrase.parse(text)
  const source = `phrase of ${phrase.wordCount} words`
  return { material: { type: 'phrase', phrase, curve }, source, warnings: [] }
}

async function piped({ read }: KeyPorts): Promise<string> {
  const bytes = await read('-', PHRASE_BYTES_MAX)
  const text = attempt(() => fromUtf8(bytes ?? new Uint8Array()))
  if (text instanceof BadEncoding || text.trim() === '')
    throw new UsageInvalid('no phrase on standard input', {
      fix: 'type it on a terminal, or pipe it in',
      command: HELP,
    })
  return text
}

type FileWish = {
  readonly path: string
  readonly curve: KeyCurve | undefined
  readonly passphraseFile: string | undefined
}

async function fromFile(session: KeySession, wish: FileWish): Promise<Found> {
  const { path, curve, passphraseFile } = wish
  const read = await readFile(session.ports, path)
  const opened =
    read.type === 'encrypted'
      ? await openWithPassphrase(
          { ...session.sources, file: passphraseFile, environment: {} },
          {
            name: path,
            question: `Passphrase of ${path}`,
            flag: '--pem-passphrase-file',
          },
          (passphrase) => read.open(passphrase),
        )
      : read
  const key = await certain(opened, session, curve)
  if (curve !== undefined && key.curve !== curve)
    throw new UsageInvalid(`the file holds a key of ${key.curve}, not of ${curve}`, {
      fix: 'leave --curve out',
      command: HELP,
    })
  const wide = read.type === 'encrypted' || path === '-' ? undefined : widePermissions(path)
  const warnings =
    wide === undefined
      ? []
      : [{ code: 'KEY_PERMISSIONS', message: `others may read ${path}: remove it or chmod 600` }]
  return { material: { type: 'key', key }, source: read.source, warnings }
}

/** A PEM file, an identity of dfx, or an encrypted one with its description beside it. */
async function readFile(ports: KeyPorts, path: string): Promise<ForeignKey> {
  const bytes = await readBytes(ports, path)
  const isEncryptedDfx = path.endsWith('identity.pem.encrypted')
  if (isEncryptedDfx)
    return readDfxKey(bytes, await readBytes(ports, join(dirname(path), 'identity.json')))
  const read = readForeignKey(bytes)
  return isDfxIdentityPath(path) ? ofDfx(read) : read
}

async function readBytes({ read }: KeyPorts, path: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  try {
    bytes = await read(path, PEM_BYTES_MAX)
  } catch (error) {
    if (!(error instanceof BadEncoding)) throw error
    throw new Problem('KEY_CORRUPT', `${path} is no key file: ${error.message}`, {
      fix: 'name the file that holds the key',
    })
  }
  if (bytes !== undefined) return bytes
  throw new UsageInvalid(`there is no file ${path}`, {
    fix: 'name the file that holds the key',
    command: HELP,
  })
}

/** The curve is told or asked for, never guessed. */
async function certain(found: ForeignKey, { person }: KeySession, curve: KeyCurve | undefined) {
  if (found.type === 'key') return found.key
  if (found.type === 'encrypted')
    throw new Problem('KEY_CORRUPT', 'the file is encrypted twice', {
      fix: 'decrypt it with the program it is from',
    })
  const named = curve ?? (await person?.askText('Curve of the key: secp256k1 or p256'))?.trim()
  if (named === 'secp256k1' || named === 'p256') return found.under(named)
  throw new UsageInvalid('the file does not say of which curve its key is', {
    fix: 'say it: --curve secp256k1 or --curve p256; dfx writes secp256k1',
    command: HELP,
  })
}
