/**
 * Settings from flags, environment, project file and the user's file, the first that has one.
 * Implements `docs/spec/cli.md` §3.14.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAmount, parsePercent } from '../core/base/amounts.ts'
import { fromUtf8 } from '../core/base/bytes.ts'
import type { Directories } from '../core/base/directories.ts'
import { attempt, BadEncoding, Problem, present } from '../core/base/errors.ts'
import { readBounded } from './private-files.ts'
import type { Place } from './setting-names.ts'
import { kindOf, requireKind, settingKinds } from './setting-names.ts'

export type SettingSource = 'option' | 'environment' | 'project' | 'user' | 'default'

export type Setting = {
  readonly name: string
  readonly value: string
  readonly source: SettingSource
  /** The variable or the file it is from. */
  readonly place: string | null
}

export const CONFIG_VERSION = 1
export const PROJECT_FILE = '.ckbtc.json'
const FILE_BYTES_MAX = 65_536
const DEPTH_MAX = 4

export const configPath = ({ config }: Pick<Directories, 'config'>): string =>
  join(config, 'config.json')

/** Every setting that has a value, and where it is from. */
export class Configuration {
  readonly #settings: ReadonlyMap<string, Setting>
  /** The user's file, whether it exists or not. */
  readonly path: string
  /** The file of the project around the working folder. */
  readonly projectPath: string | undefined

  constructor(
    settings: Iterable<Setting>,
    { path, projectPath }: { readonly path: string; readonly projectPath: string | undefined },
  ) {
    this.#settings = new Map([...settings].map((setting) => [setting.name, setting]))
    this.path = path
    this.projectPath = projectPath
  }

  get(name: string): string | undefined {
    return this.#settings.get(name)?.value
  }

  setting(name: string): Setting | undefined {
    return this.#settings.get(name)
  }

  /** The value, if it does not come from a flag or a variable. */
  written(name: string): string | undefined {
    const found = this.#settings.get(name)
    return found?.source === 'project' || found?.source === 'user' ? found.value : undefined
  }

  all(): readonly Setting[] {
    return [...this.#settings.values()]
  }
}

export type Limits = {
  /** More than this leaves the network in one command never. */
  readonly maxSendSat: bigint | undefined
  /** Above this the amount is typed again. */
  readonly confirmLargeSat: bigint
  /** Hundredths of a percent of the amount. */
  readonly maxFeePercent: bigint
}

/** What a command that spends on this network must keep to. */
export function limitsOf(configuration: Configuration, network: string): Limits {
  const maxSend = configuration.get(`limits.${network}.max_send`)
  const value = (name: string): string => present(configuration.get(name), `${name} has a default`)
  return {
    maxSendSat: maxSend === undefined ? undefined : parseAmount(maxSend),
    confirmLargeSat: parseAmount(value('limits.confirm_large')),
    maxFeePercent: parsePercent(value('max_fee_percent')),
  }
}

export type ConfigurationFacts = {
  /** The user's file. */
  readonly path: string
  /** The file must exist: it was named. */
  readonly isNamed: boolean
  /** Where the search for the file of a project begins; nowhere without. */
  readonly workingFolder: string | undefined
  /** The files are left alone: they cannot be read, and the command does not need them. */
  readonly withoutFiles?: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Values of options, by the name of their setting. */
  readonly options: Readonly<Record<string, string | undefined>>
}

/** Throws `CONFIG_INVALID` for files, `USAGE_INVALID` for variables and options. */
export function loadConfiguration(facts: ConfigurationFacts): Configuration {
  const { path, isNamed, withoutFiles = false } = facts
  const workingFolder = withoutFiles ? undefined : facts.workingFolder
  const user = withoutFiles ? undefined : readSettings(path, 'user')
  if (user === undefined && isNamed && !withoutFiles) throw invalid(path, 'there is no such file')
  const projectPath = workingFolder === undefined ? undefined : projectFileOf(workingFolder)
  const project = projectPath === undefined ? undefined : readSettings(projectPath, 'project')
  const settings: readonly Setting[] = [
    ...defaults,
    ...settingsOf(user, 'user', path),
    ...settingsOf(project, 'project', projectPath ?? null),
    ...fromEnvironment(facts.environment),
    ...fromOptions(facts.options),
  ]
  return new Configuration(settings, { path, projectPath })
}

/** What holds where no file can be read. */
export const defaultConfiguration = (path: string): Configuration =>
  new Configuration(defaults, { path, projectPath: undefined })

const defaults: readonly Setting[] = settingKinds.flatMap(({ name, fallback }) =>
  fallback === undefined
    ? []
    : [{ name, value: fallback, source: 'default', place: null } as const],
)

const settingsOf = (
  values: ReadonlyMap<string, string> | undefined,
  source: SettingSource,
  place: string | null,
): readonly Setting[] =>
  [...(values ?? [])].map(([name, value]) => ({ name, value, source, place }))

function fromEnvironment(environment: ConfigurationFacts['environment']): readonly Setting[] {
  return settingKinds.flatMap(({ name, variable, check }) => {
    const value = variable === undefined ? undefined : environment[variable]
    if (variable === undefined || value === undefined || value === '') return []
    checked(value, { check, where: variable })
    return [{ name, value, source: 'environment', place: variable } as const]
  })
}

function fromOptions(options: ConfigurationFacts['options']): readonly Setting[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return []
    const { check } = present(kindOf(name), 'options have the names of settings')
    checked(value, { check, where: `--${name}` })
    return [{ name, value, source: 'option', place: null } as const]
  })
}

function checked(
  value: string,
  { check, where }: { readonly check: (text: string) => unknown; readonly where: string },
): void {
  try {
    check(value)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw new Problem(error.code, `${where}: ${error.message}`, { fix: error.fix, cause: error })
  }
}

/** The nearest file of a project, in the working folder or above it. */
function projectFileOf(workingFolder: string): string | undefined {
  for (let folder = workingFolder; ; folder = dirname(folder)) {
    const path = join(folder, PROJECT_FILE)
    if (existsSync(path)) return path
    if (dirname(folder) === folder) return undefined
  }
}

/** Values of a file by their full name; nothing where there is no file. Throws `CONFIG_INVALID`. */
export function readSettings(path: string, place: Place): ReadonlyMap<string, string> | undefined {
  const bytes = attempt(() => readBounded(path, FILE_BYTES_MAX))
  if (bytes === undefined) return undefined
  if (bytes instanceof BadEncoding) throw invalid(path, bytes.message)
  const text = attempt(() => fromUtf8(bytes))
  if (text instanceof BadEncoding) throw invalid(path, 'not text in UTF-8')
  return decodeSettings(text, { path, place })
}

function decodeSettings(
  text: string,
  { path, place }: { readonly path: string; readonly place: Place },
): ReadonlyMap<string, string> {
  const { version = CONFIG_VERSION, ...fields } = parsed(text, path)
  if (version !== CONFIG_VERSION)
    throw invalid(path, `its version is ${JSON.stringify(version)}, this program reads 1`)
  const values = new Map(leavesOf(fields, path))
  for (const [name, value] of values) {
    try {
      requireKind(name, place).check(value)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      throw invalid(path, `${name}: ${error.message}`, error)
    }
  }
  return values
}

function parsed(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(path, `${placeOf(error, text)}: this is not JSON`)
  }
  if (!isRecord(value)) throw invalid(path, 'not an object')
  return value
}

/** `line 3, column 7` of a mistake; at the end where the parser does not say. */
function placeOf(error: unknown, text: string): string {
  const digits = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  const before = text.slice(0, digits === undefined ? text.length : Number(digits)).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `{ limits: { ic: { max_send: '1btc' } } }` has the leaf `limits.ic.max_send`. */
function leavesOf(
  fields: Readonly<Record<string, unknown>>,
  path: string,
  before = '',
  depth = 1,
): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const full = `${before}${name}`
    if (isRecord(value) && depth < DEPTH_MAX) return leavesOf(value, path, `${full}.`, depth + 1)
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw invalid(path, `${full}: neither text nor number`)
    return [[full, String(value)] as const]
  })
}

function invalid(path: string, what: string, cause?: Problem): Problem {
  return new Problem('CONFIG_INVALID', `${path}: ${what}`, {
    fix: cause?.fix ?? 'correct the file, or move it away',
    command: cause?.command ?? 'ckbtc help environment',
    details: { path },
    cause,
  })
}
