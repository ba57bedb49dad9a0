/** Runs `ckbtc key …` in this process, with a person, files and standard input of the test. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Context, Globals } from '../../src/commands/context.ts'
import type { CommandDefinition, Run } from '../../src/commands/definitions/command.ts'
import { isGroup, Options } from '../../src/commands/definitions/command.ts'
import { identity } from '../../src/commands/definitions/identity.ts'
import type { KeyPorts } from '../../src/commands/key-ports.ts'
import { directoriesOf } from '../../src/core/base/directories.ts'
import { printFailure } from '../../src/terminal/failure.ts'
import type { Settings } from '../../src/terminal/terminal.ts'
import { defaultConfiguration } from '../../src/wallet/config.ts'
import { noGlobals } from './globals.ts'
import { cheap, START_MS, temporaryFolder } from './key-world.ts'
import { recordingTerminal } from './recording-terminal.ts'

/** What a person does at prompts: answers by the question. */
export type Answers = (question: string) => string

export type Saying = {
  readonly settings?: Partial<Settings>
  readonly globals?: Partial<Globals>
  readonly environment?: Readonly<Record<string, string>>
  /** Nobody is there without. */
  readonly answers?: Answers
  readonly stdin?: string
  readonly outputIsTerminal?: boolean
}

type RunWithPorts = (
  invocation: Parameters<Run>[0],
  context: Context,
  ports: KeyPorts,
) => Promise<void>

export class KeyDesk {
  readonly folder = temporaryFolder()
  /** Everything that any run has printed, asked or put on standard output. */
  everything = ''
  readonly questions: string[] = []
  #chance = 0
  #screen = (): string => ''

  /** The numbered words that the running command has on the screen, the first one first. */
  get wordsOnScreen(): readonly string[] {
    const rows = this.#screen()
      .split('\n')
      .filter((row) => /^ +\d+ [a-z]/.test(row))
    return [...rows.join('').matchAll(/\d+ ([a-z]+)/g)].map(([, word = '']) => word)
  }

  /** `words`: `generate savings`; `values`: options by their name in camel case. */
  async run(
    words: string,
    values: Readonly<Record<string, unknown>> = {},
    saying: Saying = {},
  ): Promise<{ readonly out: string; readonly err: string; readonly exit: number }> {
    const [name = '', ...args] = words.split(' ')
    const { terminal, written } = await recordingTerminal(saying.settings)
    this.#screen = () => written.err
    const context = this.#context(terminal, saying)
    const raw: string[] = []
    const definition = definitionOf(name)
    // The commands take ports beside what the tree hands them.
    const run: RunWithPorts = await definition.run()
    const options = new Options({ ...defaultsOf(definition), ...values })
    let exit = 0
    try {
      await run({ args, options, program: [] }, context, this.#ports(saying, raw))
    } catch (error) {
      exit = printFailure(terminal, error)
    }
    const out = written.out + raw.join('')
    this.everything += `${out}\n${written.err}\n`
    return { out, err: written.err, exit }
  }

  read(file: string): string {
    return readFileSync(`${this.folder}/${file}`, 'utf8')
  }

  /** What a command gets that is no command of keys. */
  async context(saying: Saying): Promise<Context> {
    return this.#context((await recordingTerminal(saying.settings)).terminal, saying)
  }

  portsFor(saying: Saying): KeyPorts {
    return this.#ports(saying, [])
  }

  #context(terminal: Context['terminal'], { globals, environment = {} }: Saying): Context {
    return {
      terminal,
      signal: new AbortController().signal,
      whenStopped: () => {},
      globals: { ...noGlobals, ...globals },
      environment,
      directories: directoriesOf({
        environment: { CKBTC_HOME: this.folder },
        home: this.folder,
        platform: 'linux',
      }),
      configuration: defaultConfiguration(`${this.folder}/config.json`),
      version: '0.0.0',
    }
  }

  /** Other bytes each time, the same in every run. */
  #entropy(size: number): Uint8Array {
    this.#chance += size
    return Uint8Array.from({ length: size }, (_, i) => (37 * (this.#chance + i)) & 0xff)
  }

  #ports({ answers, stdin, outputIsTerminal = false }: Saying, raw: string[]): KeyPorts {
    const ask = async (question: string): Promise<string> => {
      this.questions.push(question)
      this.everything += `${question}\n`
      return answers?.(question) ?? expect.unreachable(`nobody answers ${question}`)
    }
    return {
      person: answers === undefined ? undefined : { askText: ask, askSecret: ask },
      read: async (path) => {
        if (path === '-') return new TextEncoder().encode(stdin ?? '')
        try {
          return new Uint8Array(readFileSync(path))
        } catch {
          return undefined
        }
      },
      output: {
        isTerminal: outputIsTerminal,
        write: (bytes) => void raw.push(new TextDecoder().decode(bytes)),
      },
      entropy: (size) => this.#entropy(size),
      nowMs: () => START_MS,
      cost: cheap,
    }
  }
}

function definitionOf(name: string): CommandDefinition {
  const commands = identity.commands.flatMap((one) => (isGroup(one) ? one.commands : [one]))
  const found = commands.find((command) => command.name === name)
  if (found === undefined) throw new RangeError(`no command ${name}`)
  return found
}

/** A `--no-…` is on unless it was given, as the parser has it. */
const defaultsOf = ({ options = [] }: CommandDefinition): Record<string, boolean> =>
  Object.fromEntries(
    options
      .filter(({ flags }) => flags.startsWith('--no-'))
      .map(({ flags }) => [flags.slice('--no-'.length), true]),
  )
