/**
 * Settings of the running minter: read from it, and changed by an upgrade through the log, wholly or
 * not at all. Implements `docs/spec/cli.md` §5.16, `docs/spec/minter.md` §18.4.
 */
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { minterExtension } from '../../core/minter/interface/extension.ts'
import type { SettingsChange } from '../../core/minter/settings-change.ts'
import type { UpgradeArgs } from '../../core/minter/types.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import type { InForce, SetValue } from '../minter-values.ts'
import { minterValue, minterValueNames } from '../minter-values.ts'
import { callAsOperator } from './operator.ts'

type Caller = Parameters<typeof callAsOperator>[0]
type Subnet = Pick<LocalSubnet, 'ids'>
type Wanted = ReadonlyMap<string, SetValue>

/** With nothing to change: what is in force, of every name. */
export async function changeMinter(
  caller: Caller,
  subnet: Subnet,
  wanted: Wanted,
): Promise<ReplyOf<'minter-settings'>> {
  const before = await inForce(caller, subnet)
  const different = new Map(
    [...wanted].filter(([name, value]) => readValue(name, before) !== value),
  )
  const after = different.size === 0 ? before : await upgraded(caller, subnet, different, before)
  const names = wanted.size === 0 ? minterValueNames : [...wanted.keys()]
  const text = (name: string, now: InForce): string | undefined => readValue(name, now)?.toString()
  return {
    values: names.map((name) => ({ name, before: text(name, before), value: text(name, after) })),
  }
}

/** Values as they travel, by the kind of their name. */
export const wantedOf = ({ set }: RequestOf<'minter-settings'>): Wanted =>
  new Map(set.map(({ name, value }) => [name, typedValue(name, value)]))

function typedValue(name: string, text: string): SetValue {
  const setting = minterValue(name)
  if (setting === undefined)
    throw new Problem('USAGE_INVALID', `the minter has no setting "${name}"`, {
      fix: 'every one that it has is listed by',
      command: 'ckbtc subnet set',
    })
  const isWord = setting.kind.type === 'word' || setting.kind.type === 'mode'
  const value = isWord ? text : /^\d{1,20}$/.test(text) ? BigInt(text) : undefined
  const isRight =
    value !== undefined && !(attempt(() => setting.change(value)) instanceof BadEncoding)
  if (isRight) return value
  throw new Problem('USAGE_INVALID', `${name} does not take "${text}"`, {
    fix: 'see how its value is written',
    command: 'ckbtc subnet set',
  })
}

const readValue = (name: string, now: InForce): SetValue | undefined => minterValue(name)?.read(now)

function inForce(caller: Caller, { ids }: Subnet): Promise<InForce> {
  const methodName = 'x_info'
  const method = minterExtension[methodName]
  return callAsOperator(caller, { canisterId: ids.minter, methodName, method }, [])
}

async function upgraded(
  caller: Caller,
  subnet: Subnet,
  wanted: Wanted,
  before: InForce,
): Promise<InForce> {
  requirePossible(wanted, before)
  let args: UpgradeArgs = {}
  let change: SettingsChange = {}
  for (const [name, value] of wanted) {
    const { init = {}, settings = {} } = minterValue(name)?.change(value) ?? {}
    args = { ...args, ...init }
    change = { ...change, ...settings }
  }
  const methodName = 'x_upgrade'
  const method = minterExtension[methodName]
  const target = { canisterId: subnet.ids.minter, methodName, method }
  // Without arguments of the canister no event tells of it.
  const arg = Object.keys(args).length === 0 ? undefined : ({ type: 'upgrade', args } as const)
  const answer = await callAsOperator(caller, target, [arg, change])
  if (answer.type === 'err') throw refused([...wanted.keys()], answer.reason)
  return inForce(caller, subnet)
}

/** What an upgrade would leave as it is without a word. */
function requirePossible(wanted: Wanted, { config }: InForce): void {
  const confirmations = wanted.get('minter.min-confirmations')
  const { minConfirmations = 0 } = config
  if (confirmations !== undefined && BigInt(confirmations) > BigInt(minConfirmations))
    throw refused(
      ['minter.min-confirmations'],
      `confirmations only go down, and ${minConfirmations} are asked for now`,
    )
  const threshold = wanted.get('minter.utxo-consolidation-threshold')
  const inputs = wanted.get('minter.max-num-inputs-in-transaction') ?? config.inputsMax ?? 0n
  if (threshold !== undefined && BigInt(threshold) <= BigInt(inputs))
    throw refused(
      ['minter.utxo-consolidation-threshold'],
      `it has to be more than the ${inputs} inputs of a transaction`,
    )
}

const refused = (names: readonly string[], reason: string): Problem =>
  new Problem('CONFIG_INVALID', `the minter is not changed: ${reason}`, {
    fix: `change what was asked for (${names.join(', ')}); what is in force is shown by`,
    command: 'ckbtc subnet set',
    details: { names, reason },
  })
