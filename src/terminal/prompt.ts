/** Questions to people, on standard error. Implements `docs/spec/cli.md` §3.9. */
import { Problem } from '../core/base/errors.ts'

export type PromptFacts = {
  readonly environment: {
    readonly CI?: string | undefined
    readonly CKBTC_NO_INPUT?: string | undefined
  }
  /** False by `--no-input`. */
  readonly input: boolean
}

/** Whether there is somebody to ask. */
export function canAsk({ environment, input }: PromptFacts): boolean {
  const { CI = '', CKBTC_NO_INPUT = '' } = environment
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true
  return input && isTerminal && CI === '' && CKBTC_NO_INPUT === ''
}

const declined = (): Problem =>
  new Problem('CONSENT_DECLINED', 'the answer was no', { fix: 'nothing was sent or changed' })

/** Where questions are asked and answered. */
export type PromptStreams = {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

const person: PromptStreams = { input: process.stdin, output: process.stderr }

type Question =
  | { readonly type: 'confirm'; readonly message: string; readonly default: false }
  | { readonly type: 'input'; readonly message: string }
  | {
      readonly type: 'password'
      readonly message: string
      readonly mask: '*'
      readonly toggleMask: false
    }

type Key = { readonly name?: string; readonly ctrl?: boolean } | undefined

/** No colours and no marks: the question itself is enough. */
const theme = {
  prefix: '',
  style: { message: String, answer: String, defaultAnswer: (text: string) => `[${text}]` },
} as const

/** Escape, Ctrl-C, Ctrl-D and the end of input mean no. */
async function ask(question: Question, { input, output }: PromptStreams): Promise<unknown> {
  const { createPromptModule } = await import('inquirer')
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  const onKey = (_: unknown, key: Key): void => {
    if (key?.name === 'escape' || (key?.ctrl === true && key.name === 'd')) leave()
  }
  input.on('keypress', onKey)
  input.on('end', leave)
  try {
    const prompt = createPromptModule({ input, output, signal: leaving.signal })
    const { answer } = await prompt<{ answer: unknown }>([{ ...question, theme, name: 'answer' }])
    return answer
  } catch (error) {
    if (error instanceof Error && /ExitPromptError|AbortPromptError/.test(error.name))
      throw declined()
    throw error
  } finally {
    input.removeListener('keypress', onKey)
    input.removeListener('end', leave)
  }
}

/** The default is no. */
export async function askYes(message: string, streams = person): Promise<boolean> {
  return (await ask({ type: 'confirm', message, default: false }, streams)) === true
}

/** A line of text that is shown. */
export async function askText(message: string, streams = person): Promise<string> {
  return String(await ask({ type: 'input', message }, streams))
}

/** A line that is not shown. */
export async function askSecret(message: string, streams = person): Promise<string> {
  const question = { type: 'password', message, mask: '*', toggleMask: false } as const
  return String(await ask(question, streams))
}

export type ConsentOptions = {
  readonly facts: PromptFacts
  /** `--yes`. */
  readonly yes: boolean
  /** Who is asked; the person at the terminal. */
  readonly answer?: (message: string) => Promise<boolean>
  /** The command takes `--dry-run`. */
  readonly hasDryRun?: boolean
}

/** Consent to something that `--yes` answers. Throws `CONSENT_REQUIRED` or `CONSENT_DECLINED`. */
export async function consent(
  message: string,
  { facts, yes, answer, hasDryRun = false }: ConsentOptions,
): Promise<void> {
  if (yes) return
  if (answer === undefined && !canAsk(facts))
    throw new Problem('CONSENT_REQUIRED', 'this needs a yes, and there is nobody to ask', {
      fix: hasDryRun
        ? 'add --yes if you mean it, or --dry-run to see what would happen'
        : 'add --yes if you mean it',
    })
  if (!(await (answer ?? askYes)(message))) throw declined()
}

export type TypedConsentOptions = {
  readonly facts: PromptFacts
  /** `--confirm-amount`, `--confirm-name`: what answers where nobody can be asked. */
  readonly flag: string
  /** The value of that flag. */
  readonly given: string | undefined
  /** Whether this is what had to be typed. */
  readonly matches: (typed: string) => boolean
  readonly answer?: (message: string) => Promise<string>
}

/**
 * Consent that a yes is too little for: something is typed again, on the terminal or by a flag.
 * Throws `CONSENT_REQUIRED` or `CONSENT_DECLINED`.
 */
export async function typedConsent(
  message: string,
  { facts, flag, given, matches, answer }: TypedConsentOptions,
): Promise<void> {
  if (given === undefined && answer === undefined && !canAsk(facts))
    throw new Problem('CONSENT_REQUIRED', `--yes is not enough for this, and nobody can be asked`, {
      fix: `add ${flag} with what is to be confirmed`,
    })
  const typed = given ?? (await (answer ?? askText)(message))
  if (matches(typed.trim())) return
  throw new Problem(
    'CONSENT_DECLINED',
    given === undefined ? 'what was typed is not the same' : `${flag} says something else`,
    { fix: 'nothing was sent or changed' },
  )
}
