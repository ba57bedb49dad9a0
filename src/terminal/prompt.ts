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

/** Escape, Ctrl-C and Ctrl-D mean no. */
const declined = (): Problem =>
  new Problem('CONSENT_DECLINED', 'the answer was no', { fix: 'nothing was sent or changed' })

const context = { output: process.stderr } as const

async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof Error && /ExitPromptError|AbortPromptError/.test(error.name))
      throw declined()
    throw error
  }
}

/** The default is no. */
async function confirm(message: string): Promise<boolean> {
  const { confirm: question } = await import('@inquirer/prompts')
  return ask(() => question({ message, default: false }, context))
}

/** A line of text that is shown. */
export async function askText(message: string): Promise<string> {
  const { input } = await import('@inquirer/prompts')
  return ask(() => input({ message }, context))
}

/** A line that is not shown. */
export async function askSecret(message: string): Promise<string> {
  const { password } = await import('@inquirer/prompts')
  return ask(() => password({ message, mask: '*' }, context))
}

export type ConsentOptions = {
  readonly facts: PromptFacts
  /** `--yes`. */
  readonly yes: boolean
  /** Who is asked; the person at the terminal. */
  readonly answer?: (message: string) => Promise<boolean>
}

/** Consent to something that `--yes` answers. Throws `CONSENT_REQUIRED` or `CONSENT_DECLINED`. */
export async function consent(
  message: string,
  { facts, yes, answer }: ConsentOptions,
): Promise<void> {
  if (yes) return
  if (answer === undefined && !canAsk(facts))
    throw new Problem('CONSENT_REQUIRED', 'this needs a yes, and there is nobody to ask', {
      fix: 'add --yes if you mean it, or --dry-run to see what would happen',
    })
  if (!(await (answer ?? confirm)(message))) throw declined()
}
