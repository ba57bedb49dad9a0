/** Judging configurations and changing them by upgrade. Implements `docs/spec/ledger.md` §14. */
import { toHex } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import { sameAccount } from '../ic/account.ts'
import type { Config, FeeCollectorChange, InitialBalance, Settings } from './config.ts'
import { tokensMax } from './config.ts'
import { metadata, RESERVED_KEYS } from './interface/metadata.ts'
import type { Event, State } from './state.ts'
import type { Trap } from './types.ts'

/** Why a ledger cannot be installed like this; undefined if it can. */
export function configProblem(config: Config): string | undefined {
  const { transferFee, feeCollector, mintingAccount } = config
  if (transferFee < 0n || transferFee > tokensMax(config))
    return `the transfer fee ${transferFee} does not fit ${config.tokenWidth} bits`
  if (feeCollector !== undefined && sameAccount(feeCollector, mintingAccount))
    return 'the fee collector cannot be the minting account'
  return metadataProblem(config) ?? initialBalancesProblem(config)
}

function metadataProblem(config: Config): string | undefined {
  for (const [key] of config.metadata) {
    if (!/^[^:]+:.+$/s.test(key)) return `the metadata key "${key}" is not <namespace>:<key>`
    if (RESERVED_KEYS.includes(key)) return `the metadata key "${key}" is the ledger's own`
  }
  const keys = new Set<string>()
  for (const [key] of metadata(config)) {
    if (keys.has(key)) return `the metadata key "${key}" stands twice`
    keys.add(key)
  }
  return undefined
}

function initialBalancesProblem(config: Config): string | undefined {
  const { initialBalances, mintingAccount } = config
  if (initialBalances.some(({ account }) => sameAccount(account, mintingAccount)))
    return 'the minting account can hold no tokens'
  const supply = initialBalances.reduce((sum, { amount }) => sum + amount, 0n)
  if (initialBalances.some(({ amount }) => amount < 0n) || supply > tokensMax(config))
    return `initial balances of ${supply} do not fit ${config.tokenWidth} bits`
  // Minted at one time, equal entries would be duplicates of each other.
  if (new Set(initialBalances.map(transactionForm)).size < initialBalances.length)
    return 'two initial balances are identical'
  return undefined
}

/** What tells two initial mints apart: the account in the form given, and the amount. */
const transactionForm = ({ account, amount }: InitialBalance): string =>
  `${toHex(account.owner)}.${account.subaccount && toHex(account.subaccount)}.${amount}`

export type UpgradeReply = { readonly type: 'ok' } | Trap

/** Decides on an upgrade; a refused one leaves everything as it was. */
export function decideUpgrade(
  { config, feeCollection }: View<State>,
  settings: Settings,
): { readonly events: readonly Event[]; readonly reply: UpgradeReply } {
  const { memoLengthMax } = settings
  const problem =
    memoLengthMax !== undefined && memoLengthMax < config.memoLengthMax
      ? `the memo limit ${config.memoLengthMax} cannot be lowered to ${memoLengthMax}`
      : settings.feeCollector !== undefined && feeCollection.set !== undefined
        ? 'the fee collector is set by icrc107_set_fee_collector'
        : configProblem({ ...withSettings(config, settings), initialBalances: [] })
  return problem === undefined
    ? { events: [{ type: 'upgraded', settings }], reply: { type: 'ok' } }
    : { events: [], reply: { type: 'trap', message: problem } }
}

/** The configuration after an upgrade. */
export function withSettings(config: Config, settings: Settings): Config {
  return {
    ...config,
    tokenName: settings.tokenName ?? config.tokenName,
    tokenSymbol: settings.tokenSymbol ?? config.tokenSymbol,
    transferFee: settings.transferFee ?? config.transferFee,
    memoLengthMax: settings.memoLengthMax ?? config.memoLengthMax,
    metadata: settings.metadata ?? config.metadata,
    feeCollector: changedCollector(config, settings.feeCollector),
    indexPrincipal: settings.indexPrincipal ?? config.indexPrincipal,
    archiveOptions: { ...config.archiveOptions, ...settings.archiveOptions },
  }
}

function changedCollector(
  { feeCollector }: Config,
  change: FeeCollectorChange | undefined,
): Config['feeCollector'] {
  if (change === undefined) return feeCollector
  return change.type === 'setTo' ? change.account : undefined
}
