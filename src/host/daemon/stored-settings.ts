/** The settings file of the local subnet. Source: `docs/spec/cli.md` §5.16. */
import { Problem } from '../../core/base/errors.ts'
import { ownCanisterIds } from '../../core/ic/canister-ids.ts'
import { configOfInit, invalidity } from '../../core/minter/config.ts'
import { minterSettings } from '../set-values.ts'
import type { GivenSettings, SubnetSettings } from '../subnet-settings.ts'
import {
  decodeSettings,
  encodeSettings,
  mergeSettings,
  SETTINGS_BYTES_MAX,
} from '../subnet-settings.ts'
import { readWholeFile, writeWholeFile } from './whole-file.ts'

/**
 * What was stored with what is given in its place; nothing is stored of a passing subnet. Throws
 * `CONFIG_INVALID`.
 */
export function decideSettings(
  path: string,
  given: GivenSettings,
  { isEphemeral }: { readonly isEphemeral: boolean },
): SubnetSettings {
  const source = isEphemeral ? undefined : readWholeFile(path, SETTINGS_BYTES_MAX)
  const stored = source === undefined ? undefined : decodeSettings(source, path)
  const settings = mergeSettings(stored, given)
  const { ledger: ledgerId, checker: checkerId } = ownCanisterIds
  const { init } = minterSettings(settings.set, settings)
  const reason = invalidity(configOfInit({ ...init, ledgerId, checkerId }))
  if (reason !== undefined)
    throw new Problem('CONFIG_INVALID', `no minter can be made like this: ${reason}`, {
      fix: 'change the values that were set',
      command: 'ckbtc subnet start --help',
    })
  if (!isEphemeral) writeWholeFile(path, encodeSettings(settings))
  return settings
}
