/** `ckbtc config list`, `get` and `path`. Implements `docs/spec/cli.md` §5.19. */
import { printAnswer } from '../../terminal/answer.ts'
import { printTable } from '../../terminal/table.ts'
import type { Configuration, Setting } from '../../wallet/config.ts'
import { namesFor, settingKindOf } from '../../wallet/setting-names.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'

export async function configList(_: Invocation, context: Context): Promise<void> {
  const { terminal, configuration, globals } = context
  const rows = [...configuration.all(), ...unsetIn(configuration)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
  printAnswer(terminal, {
    schema: 'config-list',
    network: globals.network ?? 'local',
    data: { path: configuration.path, settings: rows.map(shown) },
    warnings: [],
    essential: rows
      .filter(({ value }) => value !== null)
      .map((row) => `${row.name}=${shown(row).value}`)
      .join('\n'),
    print: () =>
      printTable(
        terminal,
        [{ title: 'NAME', whole: true }, { title: 'VALUE', whole: true }, { title: 'FROM' }],
        rows.map((row) => [row.name, shown(row).value ?? '-', originOf(row)]),
      ),
  })
}

type Row = Omit<Setting, 'value' | 'source'> & {
  readonly value: string | null
  readonly source: Setting['source'] | null
}

/** Settings that could be made and are not; those of every network are left out. */
const unsetIn = (configuration: Configuration): readonly Row[] =>
  namesFor('user')
    .filter((name) => !name.includes('<') && configuration.setting(name) === undefined)
    .map((name) => ({ name, value: null, source: null, place: null }))

/** Passwords in addresses are nobody's business. */
const shown = <R extends Row | Setting>(row: R): R => ({
  ...row,
  value: row.value?.replace(/(?<=\/\/)[^/@\s]+(?=@)/, '[secret]') ?? null,
})

const originOf = ({ source, place }: Row): string => place ?? source ?? 'not set'

export async function configGet({ args }: Invocation, context: Context): Promise<void> {
  const { terminal, configuration, globals } = context
  const [name = ''] = args
  settingKindOf(name)
  const { value = null, source = null, place = null } = configuration.setting(name) ?? {}
  printAnswer(terminal, {
    schema: 'config-get',
    network: globals.network ?? 'local',
    data: { name, value, source, place },
    warnings: [],
    essential: value ?? '',
    print: () => {
      if (value === null) terminal.note(`${name} is not set.`)
      else terminal.answer(value)
    },
  })
}

export async function configPathOf(_: Invocation, context: Context): Promise<void> {
  const { terminal, configuration, globals } = context
  const { path, projectPath } = configuration
  printAnswer(terminal, {
    schema: 'config-path',
    network: globals.network ?? 'local',
    data: { path, project: projectPath ?? null },
    warnings: [],
    essential: path,
    print: () => {
      terminal.answer(path)
      if (projectPath !== undefined && terminal.settings.verbose > 0) terminal.answer(projectPath)
    },
  })
}
