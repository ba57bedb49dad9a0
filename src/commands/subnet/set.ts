/** `ckbtc subnet set`. Implements `docs/spec/cli.md` §5.16. */
import { UsageInvalid } from '../../core/base/errors.ts'
import { minterValueNames } from '../../host/minter-values.ts'
import { setKind } from '../../host/set-values.ts'
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
    value: shown(name, value),
    before: shown(name, before),
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

const UNITS = [
  ['d', 86_400_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
] as const

/** As it can be typed: `72h`, `50000sat`, `100`. */
function shown(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  switch (setKind(name)?.type) {
    case 'amount':
      return `${value}sat`
    case 'duration': {
      const ns = BigInt(value)
      const [unit, size] = UNITS.find(([, each]) => ns % each === 0n && ns > 0n) ?? ['ns', 1n]
      return ns === 0n ? '0s' : `${ns / size}${unit}`
    }
    default:
      return value
  }
}
