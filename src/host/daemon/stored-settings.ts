/** The settings file of the local subnet. Source: `docs/spec/cli.md` §5.16. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from '../../core/base/errors.ts'
import { canisterIdsOf } from '../../core/ic/canister-ids.ts'
import { ckbtcConfig } from '../../core/ledger/config.ts'
import { configProblem, withSettings } from '../../core/ledger/settings.ts'
import { configOfInit, invalidity } from '../../core/minter/config.ts'
import { nodeDirectory } from '../disks/subnet-disks.ts'
import { ledgerSettings, minterSettings } from '../set-values.ts'
import type { GivenSettings, SubnetSettings } from '../subnet-settings.ts'
import {
  decodeSettings,
  defaultSettings,
  encodeSettings,
  mergeSettings,
  SETTINGS_BYTES_MAX,
} from '../subnet-settings.ts'
import { readWholeFile, writeWholeFile } from './whole-file.ts'

/**
 * What was stored with what is given in its place; nothing is stored of a passing subnet, so it has
 * no path. Throws `CONFIG_INVALID`.
 */
export function decideSettings(path: string | undefined, given: GivenSettings): SubnetSettings {
  const source = path === undefined ? undefined : readWholeFile(path, SETTINGS_BYTES_MAX)
  const stored =
    path === undefined || source === undefined ? undefined : decodeSettings(source, path)
  const settings = mergeSettings(stored, given)
  const { ledger: ledgerId, checker: checkerId } = canisterIdsOf[settings.ids]
  const { init } = minterSettings(settings.set, settings)
  const reason = invalidity(configOfInit({ ...init, ledgerId, checkerId }))
  if (reason !== undefined)
    throw new Problem('CONFIG_INVALID', `no minter can be made like this: ${reason}`, {
      fix: 'change the values that were set',
      command: 'ckbtc subnet start --help',
    })
  requireLedger(settings)
  // Before there is any state, as that follows from them, and not beside state of which they are
  // lost: its disks know whether these are the ones. But an address that cannot be had must not
  // stand in the way of the next start.
  const { port, host } = stored ?? defaultSettings
  if (path !== undefined && (stored !== undefined || !hasState(path)))
    storeSettings(path, { ...settings, port, host })
  return settings
}

/** Throws `CONFIG_INVALID` for what no ledger of ckBTC can be installed with. */
function requireLedger(settings: SubnetSettings): void {
  const { minter, firstArchive } = canisterIdsOf[settings.ids]
  const profile = ckbtcConfig({ minter, archiveController: firstArchive })
  const reason = configProblem(withSettings(profile, ledgerSettings(settings).ckbtc))
  if (reason === undefined) return
  throw new Problem('CONFIG_INVALID', `no ledger can be made like this: ${reason}`, {
    fix: 'change the values that were set',
    command: 'ckbtc subnet start --help',
  })
}

const hasState = (path: string): boolean => existsSync(nodeDirectory(dirname(path), 0))

/** Once the subnet can be used with them. */
export const storeSettings = (path: string, settings: SubnetSettings): void =>
  writeWholeFile(path, encodeSettings(settings))
