/** Configuration from arguments, and what makes it valid. Source: minter §§1.1, 18.2, 18.4. */
import { MONEY_MAX } from '../base/units.ts'
import type { Principal } from '../ic/principal.ts'
import {
  DEFAULT_CHECK_FEE,
  DEFAULT_CONSOLIDATION_THRESHOLD,
  DEFAULT_INPUTS_MAX,
  DEFAULT_MIN_CONFIRMATIONS,
} from './constants.ts'
import type { BitcoinNetwork, InitArgs, Mode, UpgradeArgs } from './types.ts'

export type Config = {
  readonly network: BitcoinNetwork
  readonly ledgerId: Principal
  readonly ecdsaKeyName: string
  readonly depositMinAmount: bigint | undefined
  readonly retrieveMinAmount: bigint
  readonly maxTimeInQueueNs: bigint
  readonly minConfirmations: number
  readonly mode: Mode
  readonly checkFee: bigint
  readonly checkerId: Principal | undefined
  readonly kytId: Principal | undefined
  readonly utxosCacheExpirationSeconds: bigint | undefined
  readonly consolidationThreshold: bigint
  readonly inputsMax: bigint
}

export function configOfInit(args: InitArgs): Config {
  return {
    network: args.network,
    ledgerId: args.ledgerId,
    ecdsaKeyName: args.ecdsaKeyName,
    depositMinAmount: args.depositMinAmount,
    retrieveMinAmount: args.retrieveMinAmount,
    maxTimeInQueueNs: args.maxTimeInQueueNs,
    minConfirmations: args.minConfirmations ?? DEFAULT_MIN_CONFIRMATIONS,
    mode: args.mode,
    checkFee: args.checkFee ?? args.kytFee ?? DEFAULT_CHECK_FEE,
    checkerId: args.checkerId,
    kytId: args.kytId,
    utxosCacheExpirationSeconds: args.utxosCacheExpirationSeconds,
    consolidationThreshold: args.consolidationThreshold ?? DEFAULT_CONSOLIDATION_THRESHOLD,
    inputsMax: args.inputsMax ?? DEFAULT_INPUTS_MAX,
  }
}

/**
 * Present fields replace. Confirmations only ever go down: a deposit announced as final stays so.
 */
export function configOfUpgrade(config: Config, args: UpgradeArgs): Config {
  const inputsMax = args.inputsMax ?? config.inputsMax
  const threshold = args.consolidationThreshold ?? config.consolidationThreshold
  const confirmations = args.minConfirmations ?? config.minConfirmations
  return {
    ...config,
    depositMinAmount: args.depositMinAmount ?? config.depositMinAmount,
    retrieveMinAmount: args.retrieveMinAmount ?? config.retrieveMinAmount,
    maxTimeInQueueNs: args.maxTimeInQueueNs ?? config.maxTimeInQueueNs,
    minConfirmations: Math.min(confirmations, config.minConfirmations),
    mode: args.mode ?? config.mode,
    checkFee: args.checkFee ?? args.kytFee ?? config.checkFee,
    checkerId: args.checkerId ?? config.checkerId,
    kytId: args.kytId ?? config.kytId,
    utxosCacheExpirationSeconds:
      args.utxosCacheExpirationSeconds ?? config.utxosCacheExpirationSeconds,
    consolidationThreshold: threshold > inputsMax ? threshold : config.consolidationThreshold,
    inputsMax,
  }
}

/**
 * The number of coins from which on they are consolidated: always more than a transaction takes, so
 * that some are left for withdrawals. Only an upgrade refuses a threshold below that (§18.2).
 */
export const consolidationFrom = ({ consolidationThreshold, inputsMax }: Config): bigint =>
  consolidationThreshold > inputsMax ? consolidationThreshold : inputsMax + 1n

/**
 * Why the configuration must not be used; undefined when it may (§18.4). The checker of older
 * arguments is named `kyt_principal`.
 */
export function invalidity(config: Config): string | undefined {
  if (config.ecdsaKeyName === '') return 'ecdsa_key_name is not set'
  if (config.checkerId === undefined && config.kytId === undefined)
    return 'Bitcoin checker principal is not set'
  if (config.retrieveMinAmount > MONEY_MAX)
    return 'retrieve_btc_min_amount is more than all bitcoin' // What is added to it has to fit.
  if (config.checkFee > config.retrieveMinAmount)
    return 'check_fee cannot be greater than retrieve_btc_min_amount'
  return undefined
}
