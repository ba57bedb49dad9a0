/**
 * What an operator may choose for the minter of a local subnet. Defaults: minter §1.2, embedded
 * column.
 */
import type { Settings } from '../minter/constants.ts'
import { DEFAULT_SETTINGS, EMBEDDED_INIT } from '../minter/constants.ts'
import type { InitArgs } from '../minter/types.ts'

/** The subnet itself adds the ids of ledger and checker. */
export type MinterSettings = {
  readonly init: Omit<InitArgs, 'ledgerId' | 'checkerId'>
  readonly settings: Settings
}

export const embeddedMinter: MinterSettings = { init: EMBEDDED_INIT, settings: DEFAULT_SETTINGS }
