/** `ckbtc subnet set`. Implements `docs/spec/cli.md` §5.16. */
import { UsageInvalid } from '../../core/base/errors.ts'
import { minterValueNames, shownValue } from '../../host/minter-values.ts'
import { printTable } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { parseSet } from './set-words.ts'

const HELP = 'ckbtc subnet set --help'

export async function set({ args }: Invocation, context: Context): Promise<void> {
  const wanted = parseSet(args, HELP)
  const other = [...wanted.keys()].find((name) => !minterValueNames.includes(name))
  if (other !== undefined)
    throw new UsageInvalid(`${other} does not change while the subnet runs`, {
      fix: `give it at the next start: ckbtc subnet start --set ${other}=…`,
      command: HELP,
    })
  const { terminal, signal } = context
  const control = await controlOf(context)
  const asked = [...wanted].map(([name, value]) => ({ name, value: String(value) }))
  const { values } = await control.ask('minter-settings', { set: asked }, { signal })
  const settings = values.map(({ name, before, value }) => ({
    name,
    value: value && shownValue(name, value),
    before: before && shownValue(name, before),
    isChanged: before !== value,
  }))
  printLocal(terminal, {
    schema: 'subnet-set',
    data: { settings },
    essential: '',
    print: () => {
      const rows = settings.map(({ name, value, before, isChanged }) => [
        name,
        value ?? 'not set',
        isChanged ? (before ?? 'not set') : '',
      ])
      const columns = [{ title: 'SETTING', whole: true }, { title: 'VALUE' }, { title: 'BEFORE' }]
      printTable(terminal, wanted.size === 0 ? columns.slice(0, 2) : columns, rows)
    },
  })
}
