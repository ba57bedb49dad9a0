/**
 * What an operator may choose for the minter and the ledgers of a local subnet. Defaults: minter
 * §1.2, embedded column; ledger §14.1.
 */
import type { ArchiveOptions, Config, Settings as LedgerChange } from '../ledger/config.ts'
import type { Settings } from '../minter/constants.ts'
import { DEFAULT_SETTINGS, EMBEDDED_INIT } from '../minter/constants.ts'
import type { InitArgs } from '../minter/types.ts'

/** The subnet itself adds the ids of ledger and checker. */
export type MinterSettings = {
  readonly init: Omit<InitArgs, 'ledgerId' | 'checkerId'>
  readonly settings: Settings
}

/** A token beside ckBTC, as it is founded; the rest is as in ckBTC's profile. */
export type TokenSettings = Omit<Config, 'archiveOptions' | 'indexPrincipal' | 'limits'> & {
  readonly archiveOptions: Partial<ArchiveOptions>
}

export type LedgerSettings = {
  /** What is not as in ckBTC's profile. */
  readonly ckbtc: LedgerChange
  /** In the order of their ids. */
  readonly tokens: readonly TokenSettings[]
}

export const embeddedLedgers: LedgerSettings = { ckbtc: {}, tokens: [] }

export const embeddedMinter: MinterSettings = { init: EMBEDDED_INIT, settings: DEFAULT_SETTINGS }
