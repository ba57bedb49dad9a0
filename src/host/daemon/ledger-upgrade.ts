/**
 * Settings of a running ledger: read from it, and changed by an upgrade through the log, wholly or not
 * at all. Implements `docs/spec/cli.md` §5.16, `docs/spec/ledger.md` §14.
 */
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { CanisterIds } from '../../core/ic/canister-ids.ts'
import { furtherToken } from '../../core/ic/canister-ids.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { ledgerExtension } from '../../core/ledger/interface/init-interface.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { LedgerInForce } from '../ledger-values.ts'
import { ledgerNameOf, namesOf, upgradeArgsOf } from '../ledger-values.ts'
import type { SetValue } from '../minter-values.ts'
import type { SubnetSettings } from '../subnet-settings.ts'
import { callAsOperator } from './operator.ts'

type Caller = Parameters<typeof callAsOperator>[0]
export type Ledgers = {
  readonly ids: Pick<CanisterIds, 'ledger'>
  readonly tokens: SubnetSettings['tokens']
}
type Change = {
  /** Of a token beside ckBTC. */
  readonly symbol: string | undefined
  readonly wanted: ReadonlyMap<string, SetValue>
}

/** With nothing to change: what is in force, of every name. */
export async function changeLedger(
  caller: Caller,
  ledgers: Ledgers,
  { symbol, wanted }: Change,
): Promise<ReplyOf<'ledger-settings'>> {
  const ledger = ledgerOf(ledgers, symbol)
  const before = await inForce(caller, ledger)
  const different = new Map(
    [...wanted].filter(([name, value]) => readValue(name, before) !== value),
  )
  const after = different.size === 0 ? before : await upgraded(caller, ledger, different)
  const names = wanted.size === 0 ? namesOf(symbol) : [...wanted.keys()]
  const text = (name: string, now: LedgerInForce): string | undefined =>
    readValue(name, now)?.toString()
  return {
    values: names.map((name) => ({ name, before: text(name, before), value: text(name, after) })),
  }
}

/** Values as they travel, by the kind of their name. */
export function ledgerChangeOf({ symbol, set }: RequestOf<'ledger-settings'>): Change {
  const wanted = new Map(set.map(({ name, value }) => [name, typedValue(name, value, symbol)]))
  return { symbol, wanted }
}

function typedValue(name: string, text: string, symbol: string | undefined): SetValue {
  const found = ledgerNameOf(name)
  if (found === undefined || found.symbol?.toLowerCase() !== symbol?.toLowerCase())
    throw new Problem('USAGE_INVALID', `that ledger has no setting "${name}"`, {
      fix: 'every one that it has is listed by',
      command: 'ckbtc subnet set',
    })
  const isText = found.value.kind.type === 'account'
  const value = isText ? text : /^\d{1,78}$/.test(text) ? BigInt(text) : undefined
  const isRight =
    value !== undefined && !(attempt(() => found.value.change(value)) instanceof BadEncoding)
  if (isRight) return value
  throw new Problem('USAGE_INVALID', `${name} does not take "${text}"`, {
    fix: 'see how its value is written',
    command: 'ckbtc subnet set',
  })
}

function ledgerOf({ ids, tokens }: Ledgers, symbol: string | undefined): Principal {
  if (symbol === undefined) return ids.ledger
  const k = tokens.findIndex(
    ({ tokenSymbol }) => tokenSymbol.toLowerCase() === symbol.toLowerCase(),
  )
  if (k >= 0) return furtherToken(k).ledger
  throw new Problem('USAGE_INVALID', `the subnet has no token "${symbol}"`, {
    fix: 'its tokens are shown by',
    command: 'ckbtc subnet status',
  })
}

const readValue = (name: string, now: LedgerInForce): SetValue | undefined =>
  ledgerNameOf(name)?.value.read(now)

function inForce(caller: Caller, canisterId: Principal): Promise<LedgerInForce> {
  const methodName = 'x_settings'
  return callAsOperator(caller, { canisterId, methodName, method: ledgerExtension[methodName] }, [])
}

async function upgraded(
  caller: Caller,
  canisterId: Principal,
  wanted: ReadonlyMap<string, SetValue>,
): Promise<LedgerInForce> {
  const methodName = 'x_upgrade'
  const target = { canisterId, methodName, method: ledgerExtension[methodName] }
  const args = upgradeArgsOf(wanted)
  const answer = await callAsOperator(caller, target, [{ type: 'upgrade', args }])
  if (answer.type === 'ok') return inForce(caller, canisterId)
  const names = [...wanted.keys()]
  throw new Problem('CONFIG_INVALID', `the ledger is not changed: ${answer.reason}`, {
    fix: `change what was asked for (${names.join(', ')}); what is in force is shown by`,
    command: 'ckbtc subnet set',
    details: { names, reason: answer.reason },
  })
}
