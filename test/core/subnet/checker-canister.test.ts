/**
 * Goal: whatever the checker answers, the minter does with it what it has to. Method: minter §6,
 * through calls of a replica: the operator says what is answered, a depositor and a redeemer see it.
 */
import { describe, expect, it } from 'vitest'
import { toDisplayHex } from '../../../src/core/base/bytes.ts'
import type { CheckMode, CheckStatus } from '../../../src/core/subnet/checker-interface.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { checkModes } from '../../../src/host/daemon/checker-mode.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { paymentTxid, ReplicaWorld } from '../../support/replica-world.ts'

const { address } = regtestWallet('recipient')
const noAutoMint = { ...embeddedMinter, settings: { ...embeddedMinter.settings, autoMint: false } }
const err = (error: object) => ({ type: 'err', error: expect.objectContaining(error) })
const ok = expect.objectContaining({ type: 'ok' })

function waiting(mode: CheckMode, times?: number): ReplicaWorld {
  const world = new ReplicaWorld({ minter: noAutoMint })
  world.bringChain()
  world.endSlot()
  expect(world.checker('x_set_mode', [{ mode, times }])).toBe(true)
  return world
}

const unknown = (status: CheckStatus): CheckMode => ({ type: 'unknown', status })
const cycles = unknown({ type: 'notEnoughCycles' })
const busy = { type: 'temporarilyUnavailable' }
const code = (number: bigint) => ({ type: 'genericError', code: number })

describe('a deposit', () => {
  it('minter §23.35: is minted when two of three checks wanted more cycles', () => {
    const world = waiting(cycles, 2)
    expect(world.balanceUpdate()).toEqual(ok)
    expect(world.replica.state.checker).toMatchObject({ mode: { type: 'normal' } })
  })

  it('minter §23.35: ends with code 2 when ten checks wanted more, and the eleventh is not made', () => {
    const world = waiting(cycles, 11)
    expect(world.balanceUpdate()).toEqual(err(code(2n)))
    expect(world.replica.state.checker.checksLeft).toBe(1)
    expect(world.balanceUpdate()).toEqual(ok)
  })

  it.each([
    ['minter §23.36: a check that is under way', checkModes.pending, busy],
    ['minter §23.36: a checker under load', checkModes['high-load'], busy],
    ['minter §23.36: a passing trouble', checkModes['transient-error'], busy],
    ['minter §23.36: a transaction too large', checkModes['too-large'], code(2n)],
    ['minter §23.36: a txid that is none', checkModes['invalid-id'], code(2n)],
    ['minter §23.36: a transaction that is none', checkModes['invalid-transaction'], code(2n)],
    ['minter §23.36: a checker that is stopped', checkModes.unavailable, busy],
  ] as const)('%s ends the call, and the coin waits', (_, mode, error) => {
    const world = waiting(mode, 1)
    expect(world.balanceUpdate()).toEqual(err(error))
    expect(world.minter.state.checkedUtxos.size).toBe(0)
    expect(world.balanceUpdate()).toEqual(ok)
  })

  it('is quarantined where all is rejected, and minted where all is accepted, flagged or not', () => {
    const rejecting = waiting({ type: 'rejectAll' })
    expect(rejecting.balanceUpdate()).toMatchObject({ value: [{ type: 'tainted' }] })
    const accepting = waiting({ type: 'acceptAll' })
    accepting.checker('x_flag', [{ target: `${toDisplayHex(paymentTxid)}:0`, flagged: true }])
    expect(accepting.balanceUpdate()).toMatchObject({ value: [{ type: 'minted' }] })
  })

  it('is quarantined where its coin is flagged', () => {
    const world = waiting({ type: 'normal' })
    world.checker('x_flag', [{ target: `${toDisplayHex(paymentTxid)}:0`, flagged: true }])
    expect(world.balanceUpdate()).toMatchObject({ value: [{ type: 'tainted' }] })
  })
})

describe('a redemption', () => {
  /** With a credited deposit; what is answered afterwards, and whether anything was burned. */
  function redeeming(mode: CheckMode, times?: number) {
    const world = waiting({ type: 'normal' })
    world.balanceUpdate()
    world.checker('x_set_mode', [{ mode, times }])
    const answer = world.redeem(1_000_000n, address)
    return { world, answer, burned: world.minter.state.queue.length }
  }

  it.each([
    ['rejects all', { type: 'rejectAll' }, code(1n)],
    ['is stopped', { type: 'unavailable' }, code(2n)],
  ] as const)(
    'minter §23.53: is refused before the burn where the checker %s',
    (_, mode, error) => {
      const { answer, burned } = redeeming(mode)
      expect([answer, burned]).toEqual([err(error), 0])
    },
  )

  it.each([
    ['accepts all', { type: 'acceptAll' }],
    ['knows of no transaction', cycles],
  ] as const)('is accepted where the checker %s', (_, mode) => {
    const { answer, burned } = redeeming(mode)
    expect([answer, burned]).toEqual([ok, 1])
  })

  it.each([address, address.toUpperCase()])('to a flagged address is refused as %s too', (text) => {
    for (const target of [address, address.toUpperCase()]) {
      const world = waiting({ type: 'normal' })
      world.balanceUpdate()
      expect(world.checker('x_flag', [{ target, flagged: true }])).toBe(true)
      expect(world.redeem(1_000_000n, text)).toEqual(err(code(1n)))
      world.checker('x_flag', [{ target, flagged: false }])
      expect(world.redeem(1_000_000n, text)).toEqual(ok)
    }
  })
})

describe('the checker itself', () => {
  const txid = new Uint8Array(paymentTxid)

  it('answers all its methods in every mode, to callers without cycles, and counts none of it', () => {
    for (const [mode, verdict] of [
      [{ type: 'normal' }, { type: 'passed' }],
      [{ type: 'acceptAll' }, { type: 'passed' }],
      [{ type: 'rejectAll' }, { type: 'failed', addresses: [] }],
      [cycles, { type: 'unknown', status: { type: 'notEnoughCycles' } }],
    ] as const) {
      const world = waiting(mode, 1)
      const user = devUser(1)
      expect(world.checker('check_transaction', [{ txid }], user)).toEqual(verdict)
      const text = toDisplayHex(paymentTxid)
      expect(world.checker('check_transaction_str', [{ txid: text }], user)).toEqual(verdict)
      for (const asked of [
        { type: 'txIdBin', txid },
        { type: 'txIdStr', txid: text },
      ] as const)
        expect(world.checker('check_transaction_query', [asked], user)).toMatchObject({
          type: verdict.type,
        })
      expect(world.replica.state.checker.checksLeft).toBe(1)
    }
  })

  it('says why a txid is none, and rejects all while it is unavailable', () => {
    const world = waiting({ type: 'normal' })
    const bad = { type: 'unknown', status: { type: 'error' } }
    expect(world.checker('check_transaction', [{ txid: txid.slice(1) }])).toMatchObject(bad)
    expect(world.checker('check_transaction_str', [{ txid: 'x' }])).toMatchObject(bad)
    world.checker('x_set_mode', [{ mode: { type: 'unavailable' } }])
    expect(world.checker('check_transaction', [{ txid }])).toMatchObject({ type: 'rejected' })
    expect(world.checker('check_address', [{ address }])).toMatchObject({ type: 'rejected' })
  })

  it('flags coins that there can be, each under one name', () => {
    const world = new ReplicaWorld()
    const flag = (vout: string) =>
      world.checker('x_flag', [{ target: `${toDisplayHex(paymentTxid)}:${vout}`, flagged: true }])
    expect(['0', '4294967295'].map(flag)).toEqual([true, true])
    expect(['4294967296', '9999999999', '00', '+1', ''].map(flag)).not.toContain(true)
    expect(world.replica.state.checker.flagged.size).toBe(2)
  })

  it('is told its mode by the operator alone, and not for no checks at all', () => {
    const world = new ReplicaWorld()
    const mode = { type: 'rejectAll' } as const
    const byOther = world.checker('x_set_mode', [{ mode }], devUser(0))
    expect(byOther).toMatchObject({ errorCode: 'IC0406' })
    expect(world.checker('x_set_mode', [{ mode, times: 0 }])).toBe(false)
    expect(world.replica.state.checker.mode).toEqual({ type: 'normal' })
  })
})
