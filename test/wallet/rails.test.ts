/**
 * Goal: each limit stops what is above it, and nothing that is exactly at it.
 * Method: cli §3.12; both sides of every edge, where the coins are real and where they are not.
 */
import { describe, expect, test } from 'vitest'
import { ic, testnet4 } from '../../src/wallet/network.ts'
import type { FeeCap } from '../../src/wallet/rails.ts'
import { isLarge, requireWithinLimits } from '../../src/wallet/rails.ts'

const limits = { maxSendSat: undefined, confirmLargeSat: 10_000_000n, maxFeePercent: 500n }
const custom = { ...testnet4, kind: 'custom', name: 'mine', bitcoin: 'mainnet' } as const
const sats = (sat: bigint): FeeCap => ({ type: 'sat', sat })
const share = (hundredthsPercent: bigint): FeeCap => ({ type: 'share', hundredthsPercent })

type Edge = readonly [
  what: string,
  cap: FeeCap | undefined,
  amountSat: bigint,
  /** The most that may be paid. */
  allowedSat: bigint,
]

describe.each([
  ['ic', ic],
  ['a custom network of mainnet coins', custom],
])('on %s', (_, network) => {
  const edges: readonly Edge[] = [
    ['the floor under five percent', undefined, 1n, 5_000n],
    ['the floor, where it ends', undefined, 100_000n, 5_000n],
    ['five percent, above the floor', undefined, 100_020n, 5_001n],
    ['five percent, rounded down', undefined, 100_039n, 5_001n],
    ['a sum', sats(9n), 1_000_000n, 9n],
    ['nothing', sats(0n), 1_000_000n, 0n],
    ['a percent without a floor', share(100n), 999n, 9n],
    ['a percent', share(100n), 1_000n, 10n],
    ['all of it', share(10_000n), 1_000n, 1_000n],
  ]
  test.each(edges)('fees up to %s may be paid, and not one more', (_, cap, amountSat, allowed) => {
    const spend = (feesSat: bigint) => () =>
      requireWithinLimits(network, limits, { amountSat, feesSat, cap })
    expect(spend(allowed)).not.toThrow()
    expect(spend(allowed + 1n)).toThrow(
      expect.objectContaining({
        code: 'RAIL_FEE_CAP',
        details: { feesSat: allowed + 1n, allowedSat: allowed },
      }),
    )
  })

  test('more than a tenth of a bitcoin is typed again, a tenth is not', () => {
    expect(isLarge(network, limits, 10_000_000n)).toBe(false)
    expect(isLarge(network, limits, 10_000_001n)).toBe(true)
  })

  test('the limit of the settings may leave, and not one more', () => {
    const spend = (amountSat: bigint) => () =>
      requireWithinLimits(
        network,
        { ...limits, maxSendSat: 5_000n },
        { amountSat, feesSat: 10n, cap: sats(10n) },
      )
    expect(spend(5_000n)).not.toThrow()
    expect(spend(5_001n)).toThrow(expect.objectContaining({ code: 'RAIL_SPEND_LIMIT' }))
  })
})

describe('where the coins are worth nothing', () => {
  test('only the cap of the command line and the limit of the settings hold', () => {
    const dear = { amountSat: 1_000n, feesSat: 900_000n }
    expect(() => requireWithinLimits(testnet4, limits, { ...dear, cap: undefined })).not.toThrow()
    expect(() => requireWithinLimits(testnet4, limits, { ...dear, cap: sats(1n) })).toThrow()
    const strict = { ...limits, maxSendSat: 999n }
    expect(() => requireWithinLimits(testnet4, strict, { ...dear, cap: undefined })).toThrow()
    expect(isLarge(testnet4, limits, 10n ** 15n)).toBe(false)
  })
})
