/** What the commands `ckbtc key …` have in common. Implements `docs/spec/cli.md` §§3.9, 5.11. */
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import type { Warning } from '../../terminal/json.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { principalText } from '../../wallet/keys/describe.ts'
import type { KeyEntry, KeyStore } from '../../wallet/keys/key-store.ts'
import type { Passphrase, PassphraseSources } from '../../wallet/keys/passphrase.ts'
import { freshPassphrase } from '../../wallet/keys/passphrase.ts'
import type { KeyRules } from '../../wallet/keys/select.ts'
import { systemCode, writePrivate } from '../../wallet/private-files.ts'
import type { Context } from '../context.ts'
import type { KeyPorts, Person } from '../key-ports.ts'
import { keyRulesFor, keyStoreOf, passphraseSources } from '../keys.ts'

export type KeySession = {
  readonly store: KeyStore
  readonly rules: KeyRules
  readonly sources: PassphraseSources
  readonly terminal: Terminal
  readonly person: Person | undefined
  readonly ports: KeyPorts
  readonly yes: boolean
}

export async function openSession(context: Context, ports: KeyPorts): Promise<KeySession> {
  const rules = await keyRulesFor(context)
  return {
    store: keyStoreOf(context, ports),
    rules,
    sources: passphraseSources(context, rules, ports),
    terminal: context.terminal,
    person: ports.person,
    ports,
    yes: context.globals.yes,
  }
}

/** The passphrase of a key that is made or changed; none where the user wants none. */
export async function newPassphrase(
  { rules }: Pick<KeySession, 'rules'>,
  sources: PassphraseSources,
  wish: { readonly none: boolean; readonly name: string; readonly flag?: string },
): Promise<Passphrase | undefined> {
  const { none, name, flag } = wish
  if (!none) return freshPassphrase(sources, flag)
  if (rules.realFunds)
    throw new Problem(
      'RAIL_PLAINTEXT_KEY',
      `a key without a passphrase is refused on the network ${rules.name}, which has real funds`,
      { fix: 'leave --no-passphrase out', details: { key: name } },
    )
  return undefined
}

/** Whether a passphrase comes from somewhere else than a person. */
export const isGiven = ({ file, environment }: PassphraseSources): boolean =>
  [file, environment.CKBTC_PASSPHRASE_FILE, environment.CKBTC_PASSPHRASE].some(
    (source) => source !== undefined && source !== '',
  )

/** Writes a secret to a new file that only its owner can read. */
export function writeSecretFile(path: string, content: Uint8Array | string, flag: string): void {
  try {
    writePrivate(path, content, { exclusive: true })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new UsageInvalid(`${path} exists already, and no secret replaces a file`, {
      fix: `name a new file with ${flag}`,
      command: 'ckbtc key --help',
    })
  }
}

export type KeyAnswer = {
  readonly schema: string
  readonly entry: KeyEntry
  readonly warnings?: readonly Warning[]
  /** Sentences under the answer, for people. */
  readonly lines?: readonly string[]
}

/** The answer of a command that made or changed a key. */
export function answerKey(session: KeySession, { schema, entry, ...more }: KeyAnswer): void {
  const { terminal, rules } = session
  const { name, protection, isDefault } = entry
  const principal = principalText(entry.principal)
  const { warnings = [], lines = [] } = more
  printAnswer(terminal, {
    schema,
    network: rules.name,
    data: { name, principal, protection, default: isDefault },
    warnings,
    essential: principal,
    print: () => {
      if (terminal.settings.plain)
        return printPairs(terminal, [
          ['name', name],
          ['principal', principal],
          ['protection', protection],
          ['default', isDefault ? 'yes' : 'no'],
        ])
      const words = [
        `Key ${name}`,
        `principal ${principal}`,
        ...(protection === 'plaintext' ? ['no passphrase'] : []),
        ...(isDefault ? ['default key'] : []),
      ]
      terminal.answer(`${terminal.paint.good('✓')} ${words.join('   ')}`)
      for (const line of lines) terminal.answer(`  ${line}`)
    },
  })
}

/** A yes or no of the person that the ports know. */
export const confirmedBy = ({ person }: Pick<KeySession, 'person'>) =>
  person === undefined
    ? {}
    : {
        answer: async (message: string): Promise<boolean> =>
          /^y(es)?$/i.test((await person.askText(`${message} [y/N]`)).trim()),
      }
