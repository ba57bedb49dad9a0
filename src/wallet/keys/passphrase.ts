/** What protects a key file, and where it may come from. Implements `docs/spec/cli.md` §3.13. */
import { fromUtf8, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem, UsageInvalid } from '../../core/base/errors.ts'

const CHARACTERS_MIN = 8
/** Longer texts are no passphrase; nothing hashes without a bound. */
const BYTES_MAX = 4_096

/** Tries that a person gets; files and variables get one. */
export const TRIES = 3

export class Passphrase {
  readonly #text: string

  /** `text`: as typed. More than 4096 bytes are refused. */
  constructor(text: string) {
    if (utf8(text).length > BYTES_MAX)
      throw new UsageInvalid(`a passphrase of more than ${BYTES_MAX} bytes`, {
        fix: 'see how passphrases are given:',
        command: 'ckbtc help keys',
      })
    this.#text = text
  }

  /** One that will protect something from now on: at least eight characters. */
  static fresh(text: string): Passphrase {
    const count = [...text].length
    if (count < CHARACTERS_MIN)
      throw new UsageInvalid(
        `a passphrase has at least ${CHARACTERS_MIN} characters, this one has ${count}`,
        { fix: 'choose a longer one', command: 'ckbtc help keys' },
      )
    return new Passphrase(text)
  }

  /** As it was typed: files of other programs. */
  raw(): Uint8Array {
    return utf8(this.#text)
  }

  /** The same bytes for letters that keyboards compose in different ways (NFKC): our own files. */
  normalized(): Uint8Array {
    return utf8(this.#text.normalize('NFKC'))
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** Where a command may get a passphrase from. */
export type PassphraseSources = {
  /** Of `--passphrase-file`; `-` is standard input. */
  readonly file?: string | undefined
  readonly environment: {
    readonly CKBTC_PASSPHRASE?: string | undefined
    readonly CKBTC_PASSPHRASE_FILE?: string | undefined
  }
  /** The bytes of a file, or of standard input for `-`; nothing where there is no such file. */
  readonly read: (path: string, bytesMax: number) => Promise<Uint8Array | undefined>
  /** Asks without echo; nothing where nobody can be asked. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
  /** Whether money of worth is at stake on the network of this command. */
  readonly realFunds: boolean
}

/** What is locked, what a person is asked, and the option that answers it. */
type Need = { readonly name: string; readonly question: string; readonly flag?: string }

/** The text that is given and not asked for; nothing where none is. */
async function givenText({
  file,
  environment,
  read,
  realFunds,
}: PassphraseSources): Promise<string | undefined> {
  const path = file ?? nonEmpty(environment.CKBTC_PASSPHRASE_FILE)
  if (path !== undefined) return contentOf(path, read)
  const variable = nonEmpty(environment.CKBTC_PASSPHRASE)
  if (variable === undefined || !realFunds) return variable
  throw new Problem(
    'RAIL_SECRET_IN_ENV',
    'CKBTC_PASSPHRASE is set, and other programs can read it: refused where real funds are',
    {
      fix: 'put the passphrase into a file that only you can read, and name the file:',
      command: 'CKBTC_PASSPHRASE_FILE=<path>',
    },
  )
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

async function contentOf(path: string, read: PassphraseSources['read']): Promise<string> {
  const bytes = await read(path, BYTES_MAX)
  const name = path === '-' ? 'standard input' : path
  if (bytes === undefined) throw unusable(`there is no passphrase file ${name}`)
  const text = attempt(() => fromUtf8(bytes))
  if (text instanceof BadEncoding) throw unusable(`${name} is not text in UTF-8`)
  const line = text.replace(/\r?\n$/, '')
  if (line === '') throw unusable(`${name} is empty`)
  return line
}

const unusable = (message: string): UsageInvalid =>
  new UsageInvalid(message, {
    fix: 'name a file that holds the passphrase and nothing else',
    command: 'ckbtc help keys',
  })

/**
 * Opens something with a passphrase. `open` throws `KEY_WRONG_PASSPHRASE` for a wrong one, which a
 * person may type again.
 */
export async function openWithPassphrase<T>(
  sources: PassphraseSources,
  { name, question, flag = '--passphrase-file' }: Need,
  open: (passphrase: Passphrase) => Promise<T>,
): Promise<T> {
  const given = await givenText(sources)
  if (given !== undefined) return open(new Passphrase(given))
  if (sources.ask === undefined)
    throw new Problem(
      'KEY_LOCKED',
      `${name} is locked, and nobody can be asked for its passphrase`,
      {
        fix: `name a file that holds it, or - for standard input: ${flag} <path>`,
        details: { key: name },
      },
    )
  for (let tries = 1; ; tries++) {
    const asked = tries === 1 ? question : `That was wrong. ${question}`
    try {
      return await open(new Passphrase(await sources.ask(asked)))
    } catch (error) {
      if (!isWrongPassphrase(error) || tries === TRIES) throw error
    }
  }
}

const isWrongPassphrase = (error: unknown): boolean =>
  error instanceof Problem && error.code === 'KEY_WRONG_PASSPHRASE'

/** A new passphrase: from where it is given, or typed twice. */
export async function freshPassphrase(
  sources: PassphraseSources,
  flag = '--passphrase-file',
): Promise<Passphrase> {
  const given = await givenText(sources)
  if (given !== undefined) return Passphrase.fresh(given)
  const { ask } = sources
  if (ask === undefined)
    throw new Problem('KEY_LOCKED', 'a new passphrase is needed, and nobody can be asked for it', {
      fix: `name a file that holds it, or - for standard input: ${flag} <path>`,
    })
  for (let tries = 1; ; tries++) {
    const first = await ask(`New passphrase (${CHARACTERS_MIN} or more characters)`)
    const passphrase = Passphrase.fresh(first)
    if ((await ask('The same again')) === first) return passphrase
    if (tries === TRIES)
      throw new Problem('KEY_WRONG_PASSPHRASE', 'the two passphrases are not the same', {
        fix: 'run the command again',
      })
  }
}
