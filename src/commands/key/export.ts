/** `ckbtc key export`. Implements `docs/spec/cli.md` §5.11. */
import { utf8 } from '../../core/base/bytes.ts'
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import { consent } from '../../terminal/prompt.ts'
import { writeForeignKey } from '../../wallet/keys/import.ts'
import type { KeyMaterial } from '../../wallet/keys/key-file.ts'
import { keyOf } from '../../wallet/keys/key-file.ts'
import { freshPassphrase } from '../../wallet/keys/passphrase.ts'
import type { Context } from '../context.ts'
import type { Invocation, Options } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { openMaterial } from './passwd.ts'
import type { KeySession } from './session.ts'
import { confirmedBy, openSession, writeSecretFile } from './session.ts'

const HELP = 'ckbtc key export --help'

type Wish = {
  readonly name: string
  readonly format: 'pem' | 'phrase'
  readonly encrypt: boolean
  readonly out: string
  readonly passphraseFile: string | undefined
}

export async function keyExport(
  { args: [name = ''], options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const session = await openSession(context, ports)
  const { terminal, store, rules } = session
  const wish = wishOf(name, options)
  requireFormat(wish, store.entry(name).holds)
  requirePlace(session, wish, options.isOn('reveal'))
  const where = wish.out === '-' ? 'standard output' : wish.out
  const what = wish.encrypt ? 'its secret, encrypted,' : 'its secret'
  await consent(`Whoever has the secret of ${name} has its funds. Write ${what} to ${where}?`, {
    facts: { environment: context.environment, input: context.globals.input },
    yes: session.yes,
    ...confirmedBy(session),
  })
  const bytes = await contentOf(session, wish, await openMaterial(session, name))
  if (wish.out === '-') return ports.output.write(bytes)
  writeSecretFile(wish.out, bytes, '--out')
  printAnswer(terminal, {
    schema: 'key-export',
    network: rules.name,
    data: { name, format: wish.format, encrypted: wish.encrypt, file: wish.out },
    warnings: [],
    essential: wish.out,
    print: () => terminal.answer(`${terminal.paint.good('✓')} Key ${name} is in ${wish.out}`),
  })
}

function wishOf(name: string, options: Options): Wish {
  const [format, out] = [options.text('format'), options.text('out')]
  if (out === undefined || (format !== 'pem' && format !== 'phrase'))
    throw new UsageInvalid('an export needs a format and a place', {
      fix: 'give --format pem or --format phrase, and --out <file>',
      command: HELP,
    })
  return {
    name,
    format,
    out,
    encrypt: options.isOn('encrypt'),
    passphraseFile: options.text('newPassphraseFile'),
  }
}

function requireFormat({ name, format, encrypt }: Wish, holds: KeyMaterial['type']): void {
  if (format === 'phrase' && holds !== 'phrase')
    throw new UsageInvalid(`key ${name} was not made of a phrase`, {
      fix: 'export it with --format pem',
      command: HELP,
    })
  if (format === 'phrase' && encrypt)
    throw new UsageInvalid('a phrase is written as it is', {
      fix: 'leave --encrypt out, or export with --format pem',
      command: HELP,
    })
}

/** A secret does not appear where somebody may look over a shoulder, and never in JSON. */
function requirePlace({ terminal, ports }: KeySession, { out }: Wish, reveal: boolean): void {
  if (out !== '-') return
  if (terminal.settings.json)
    throw new UsageInvalid('a secret is never part of a JSON document', {
      fix: 'name a file with --out',
      command: HELP,
    })
  if (ports.output.isTerminal && !reveal)
    throw new UsageInvalid('a secret is not written to a terminal', {
      fix: 'name a file with --out, or add --reveal',
      command: HELP,
    })
}

async function contentOf(
  { sources }: KeySession,
  { format, encrypt, passphraseFile, name }: Wish,
  material: KeyMaterial,
): Promise<Uint8Array> {
  if (format === 'pem') {
    const own = { ...sources, file: passphraseFile, environment: {} }
    const passphrase = encrypt ? await freshPassphrase(own, '--new-passphrase-file') : undefined
    return writeForeignKey(keyOf(material), passphrase)
  }
  if (material.type === 'phrase') return utf8(`${material.phrase.reveal().words.join(' ')}\n`)
  throw new Problem('KEY_CORRUPT', `key ${name} holds no phrase`, { fix: 'export it as PEM' })
}
