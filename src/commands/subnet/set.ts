/** `ckbtc subnet set`. Implements `docs/spec/cli.md` §5.16. */
import { UsageInvalid } from '../../core/base/errors.ts'
import { formatDecimal } from '../../core/base/units.ts'
import type { ControlClient } from '../../host/control/client.ts'
import type { ReplyOf } from '../../host/control/protocol.ts'
import { isOfCkbtc, ledgerNameOf } from '../../host/ledger-values.ts'
import type { SetValue } from '../../host/minter-values.ts'
import { minterValueNames, shownValue } from '../../host/minter-values.ts'
import { printTable } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { parseSet } from './set-words.ts'

const HELP = 'ckbtc subnet set --help'

type Values = ReplyOf<'minter-settings'>['values']
type Tokens = ReplyOf<'status'>['tokens']
type Asking = { readonly signal: AbortSignal }

export async function set({ args }: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const isOfToken = args.length === 0 || args.some((word) => word.startsWith('token.'))
  if (!isOfToken) requireOneCanister(parseSet(args, HELP)) // Also where no subnet runs.
  const control = await controlOf(context)
  const tokens = isOfToken ? (await control.ask('status', {}, { signal })).tokens : []
  const wanted = parseSet(args, HELP, tokens)
  requireOneCanister(wanted)
  const values =
    wanted.size === 0
      ? await everything(control, tokens, { signal })
      : await changed(control, wanted, { signal })
  const settings = values.map(({ name, before, value }) => ({
    name,
    value: value && shown(name, value, tokens),
    before: before && shown(name, before, tokens),
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

/** Minter, ledger, or the ledger of a token; undefined: nothing that changes while the subnet runs. */
function canisterOf(name: string): string | undefined {
  if (minterValueNames.includes(name)) return 'minter'
  return isOfCkbtc(name) ? 'ledger' : ledgerNameOf(name)?.symbol?.toLowerCase()
}

/** An upgrade is of one canister: what is asked for happens wholly or not at all. */
function requireOneCanister(wanted: ReadonlyMap<string, SetValue>): void {
  const names = [...wanted.keys()]
  const fixed = names.find((name) => canisterOf(name) === undefined)
  if (fixed !== undefined)
    throw new UsageInvalid(`${fixed} does not change while the subnet runs`, {
      fix: `give it at the next start: ckbtc subnet start --set ${fixed}=…`,
      command: HELP,
    })
  if (new Set(names.map(canisterOf)).size > 1)
    throw new UsageInvalid('settings of several canisters do not change in one step', {
      fix: 'change one canister after the other',
      command: HELP,
    })
}

async function everything(control: ControlClient, tokens: Tokens, asking: Asking): Promise<Values> {
  const values = [...(await control.ask('minter-settings', { set: [] }, asking)).values]
  for (const symbol of [undefined, ...tokens.map((token) => token.symbol)])
    values.push(...(await control.ask('ledger-settings', { symbol, set: [] }, asking)).values)
  return values
}

async function changed(
  control: ControlClient,
  wanted: ReadonlyMap<string, SetValue>,
  asking: Asking,
): Promise<Values> {
  const asked = [...wanted].map(([name, value]) => ({ name, value: String(value) }))
  const [first = ''] = wanted.keys()
  const ledger = ledgerNameOf(first)
  const { values } =
    ledger === undefined
      ? await control.ask('minter-settings', { set: asked }, asking)
      : await control.ask('ledger-settings', { symbol: ledger.symbol, set: asked }, asking)
  return values
}

/** As it can be typed. */
function shown(name: string, text: string, tokens: Tokens): string {
  const found = ledgerNameOf(name)
  if (found?.value.kind.type !== 'amount') return shownValue(name, text)
  if (found.symbol === undefined) return `${text}sat`
  const symbol = found.symbol.toLowerCase()
  const token = tokens.find((each) => each.symbol.toLowerCase() === symbol)
  return token === undefined
    ? text
    : `${formatDecimal(BigInt(text), token.decimals)}${token.symbol}`
}
