/**
 * What `ledger.<name>=<value>` and `token.<symbol>.<name>=<value>` reach of a ledger, and how each is
 * read. Implements `docs/spec/cli.md` §5.16; names of `docs/spec/ledger.md` §14.
 */

import { accountOfText, textOfAccount } from '../core/ic/account.ts'
import type { ValueOf } from '../core/ic/candid.ts'
import type { UpgradeArgs } from '../core/ledger/interface/init-interface.ts'
import { type ledgerExtension, settingsOf } from '../core/ledger/interface/init-interface.ts'
import type { LedgerSettings } from '../core/subnet/settings.ts'
import type { SetKind, SetValue } from './minter-values.ts'

/** What `x_settings` of a ledger answers. */
export type LedgerInForce = ValueOf<(typeof ledgerExtension.x_settings)['result']>

type LedgerValue = {
  /** `amount` counts in smallest units of the token. */
  readonly kind: SetKind
  readonly change: (value: SetValue) => UpgradeArgs
  /** Undefined where it is not set. */
  readonly read: (now: LedgerInForce) => SetValue | undefined
}

type ArchiveNumber =
  | 'triggerThreshold'
  | 'numBlocksToArchive'
  | 'nodeMaxMemorySizeBytes'
  | 'maxMessageSizeBytes'
  | 'maxTransactionsPerResponse'

const ofArchives = (name: ArchiveNumber, max: bigint): LedgerValue => ({
  kind: { type: 'count', min: 1n, max },
  change: (value) => ({ changeArchiveOptions: { [name]: BigInt(value) } }),
  read: ({ archiveOptions }) => archiveOptions[name],
})

/** For an account, where there need be none. */
export const NO_ACCOUNT = 'none'
const NAT16_MAX = 65_535n
const BLOCKS_MAX = 1_000_000_000n
const BYTES_MAX = 2n ** 40n

const values: Readonly<Record<string, LedgerValue>> = {
  'transfer-fee': {
    kind: { type: 'amount' },
    change: (value) => ({ transferFee: BigInt(value) }),
    read: ({ transferFee }) => transferFee,
  },
  'max-memo-length': {
    kind: { type: 'count', min: 0n, max: NAT16_MAX },
    change: (value) => ({ maxMemoLength: Number(value) }),
    read: ({ maxMemoLength }) => BigInt(maxMemoLength),
  },
  'fee-collector-account': {
    kind: { type: 'account' },
    change: (value) => ({
      changeFeeCollector:
        value === NO_ACCOUNT
          ? { type: 'unset' }
          : { type: 'setTo', account: accountOfText(String(value)) },
    }),
    read: ({ feeCollectorAccount: account }) =>
      account === undefined ? NO_ACCOUNT : textOfAccount(account),
  },
  'trigger-threshold': ofArchives('triggerThreshold', BLOCKS_MAX),
  'num-blocks-to-archive': ofArchives('numBlocksToArchive', BLOCKS_MAX),
  'node-max-memory-size-bytes': ofArchives('nodeMaxMemorySizeBytes', BYTES_MAX),
  'max-message-size-bytes': ofArchives('maxMessageSizeBytes', BYTES_MAX),
  'max-transactions-per-response': ofArchives('maxTransactionsPerResponse', BLOCKS_MAX),
}

const CKBTC = 'ledger.'
const names = Object.keys(values)
export const ledgerValueNames: readonly string[] = names.map((name) => `${CKBTC}${name}`)

/** `ledger.<name>`: of ckBTC. `token.<symbol>.<name>`: of another; undefined for neither. */
export function ledgerNameOf(
  name: string,
): { readonly symbol: string | undefined; readonly value: LedgerValue } | undefined {
  const [, symbol, own] = /^(?:ledger|token\.([A-Za-z0-9]+))\.([a-z-]+)$/.exec(name) ?? []
  const value = own !== undefined && Object.hasOwn(values, own) ? values[own] : undefined
  return value && { symbol, value }
}

/** Every name of one ledger. */
export const namesOf = (symbol: string | undefined): readonly string[] =>
  symbol === undefined ? ledgerValueNames : names.map((name) => `token.${symbol}.${name}`)

/** Of ckBTC's ledger. */
export const isOfCkbtc = (name: string): boolean => ledgerValueNames.includes(name)

/** All changes as one argument. Throws `BadEncoding` for what is no account. */
export function upgradeArgsOf(wanted: ReadonlyMap<string, SetValue>): UpgradeArgs {
  let args: UpgradeArgs = {}
  for (const [name, value] of wanted) {
    const change = ledgerNameOf(name)?.value.change(value) ?? {}
    const changeArchiveOptions = { ...args.changeArchiveOptions, ...change.changeArchiveOptions }
    const archives = change.changeArchiveOptions === undefined ? {} : { changeArchiveOptions }
    args = { ...args, ...change, ...archives }
  }
  return args
}

/** What ckBTC's ledger is founded with. Every name has been looked up before. */
export function ckbtcSettings(set: ReadonlyMap<string, SetValue>): LedgerSettings['ckbtc'] {
  const args = upgradeArgsOf(new Map([...set].filter(([name]) => isOfCkbtc(name))))
  const settings = settingsOf({ type: 'upgrade', args })
  return 'type' in settings ? {} : known(settings)
}

const known = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
