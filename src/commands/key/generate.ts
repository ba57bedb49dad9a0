/** `ckbtc key generate`. Implements `docs/spec/cli.md` §5.11. */
import { rmSync } from 'node:fs'
import { UsageInvalid } from '../../core/base/errors.ts'
import type { KeyEntry } from '../../wallet/keys/key-store.ts'
import type { Passphrase } from '../../wallet/keys/passphrase.ts'
import { Phrase } from '../../wallet/keys/phrase.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts, Person } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { teachPhrase } from './phrase-screen.ts'
import type { KeySession } from './session.ts'
import { answerKey, isGiven, newPassphrase, openSession, writeSecretFile } from './session.ts'

const ENTROPY_SIZES: Readonly<Record<string, number>> = { '12': 16, '24': 32 }

export async function keyGenerate(
  { args, options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const [name = ''] = args
  const session = await openSession(context, ports)
  session.store.requireFree(name)
  const file = options.text('phraseOut')
  const pupil = pupilOf(session, file)
  const wanted = { none: options.isOn('passphrase') === false, name }
  const ask = (): Promise<Passphrase | undefined> => newPassphrase(session, session.sources, wanted)
  // What can fail without the person fails before the phrase is shown.
  const early = pupil === undefined || wanted.none || isGiven(session.sources)
  const given = early ? await ask() : undefined
  const phrase = Phrase.ofEntropy(ports.entropy(ENTROPY_SIZES[options.text('words') ?? '24'] ?? 32))
  if (pupil !== undefined)
    await teachPhrase(phrase, { ...context, person: pupil, entropy: ports.entropy })
  const passphrase = early ? given : await ask()
  const entry = await save(session, { name, phrase, passphrase, file })
  answerKey(session, {
    schema: 'key-generate',
    entry,
    lines: [
      ...(file === undefined ? [] : [`The phrase is in ${file}: bring it to a safe place.`]),
      `Test it:  ckbtc address -k ${name}`,
    ],
  })
}

/** Who learns the phrase from the screen; nobody where it goes to a file. */
function pupilOf({ person, terminal }: KeySession, file: string | undefined): Person | undefined {
  if (file === '-') throw phraseNeedsFile('a phrase is not written to standard output')
  if (file !== undefined) return undefined
  if (person !== undefined && !terminal.settings.json) return person
  throw phraseNeedsFile('the phrase is shown on a terminal only, never in JSON')
}

const phraseNeedsFile = (message: string): UsageInvalid =>
  new UsageInvalid(message, {
    fix: 'name a new file for it: --phrase-out <file>',
    command: 'ckbtc key generate --help',
  })

/** The phrase is on disk before the key is; without the key it is taken away again. */
async function save(
  { store }: KeySession,
  key: {
    readonly name: string
    readonly phrase: Phrase
    readonly passphrase: Passphrase | undefined
    readonly file: string | undefined
  },
): Promise<KeyEntry> {
  const { name, phrase, passphrase, file } = key
  if (file !== undefined)
    writeSecretFile(file, `${phrase.reveal().words.join(' ')}\n`, '--phrase-out')
  try {
    return await store.create(name, { type: 'phrase', phrase, curve: 'secp256k1' }, passphrase)
  } catch (error) {
    if (file !== undefined) rmSync(file, { force: true })
    throw error
  }
}
