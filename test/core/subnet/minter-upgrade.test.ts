/**
 * Goal: the operator upgrades the minter through the log, as a whole or not at all, and nobody else
 * does. Method: minter §18.4, through calls of a replica that has made its key.
 */
import { serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { ownCanisterIds as ids } from '../../../src/core/ic/canister-ids.ts'
import { EMBEDDED_INIT } from '../../../src/core/minter/constants.ts'
import { eventsOf } from '../../../src/core/minter/events/event-log.ts'
import type { SettingsChange } from '../../../src/core/minter/settings-change.ts'
import type { MinterArg } from '../../../src/core/minter/types.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { copyOf, ReplicaWorld } from '../../support/replica-world.ts'

const dev0 = devUser(0)
const ok = { type: 'ok' }
const readOnly: MinterArg = { type: 'upgrade', args: { mode: { type: 'readOnly' } } }

describe('an upgrade through the log', () => {
  it('is the operator’s alone', () => {
    const made = new ReplicaWorld()
    const before = copyOf(made).minter
    expect(made.upgrade(readOnly, {}, dev0)).toMatchObject({ errorCode: 'IC0406' })
    expect(made.minter.state.config).toEqual(before.state.config)
    expect(made.minter.log).toEqual(before.log)
  })

  it('changes arguments and settings, and what it does not name stays', () => {
    const made = new ReplicaWorld()
    const { address, before } = { address: made.address(), before: made.minter }
    expect(made.upgrade(readOnly, { concurrentMax: 7, autoMint: false })).toEqual(ok)
    expect(made.minter.settings).toEqual({ ...before.settings, concurrentMax: 7, autoMint: false })
    expect(made.minter.state.config).toEqual({
      ...before.state.config,
      mode: { type: 'readOnly' },
    })
    expect(made.address()).toBe(address)
    expect(made.balanceUpdate()).toMatchObject({ error: { type: 'temporarilyUnavailable' } })
    expect(made.upgrade(undefined)).toEqual(ok)
    expect(made.minter.settings.concurrentMax).toBe(7)
    expect([...eventsOf(made.minter.log)].map(({ payload }) => payload.type)).toEqual([
      'init',
      'upgrade',
    ])
  })

  const init = { ...EMBEDDED_INIT, ledgerId: ids.ledger, checkerId: ids.checker }
  const tooCheap = { retrieveMinAmount: 99n } // Below the check fee.
  it.each<readonly [string, MinterArg]>([
    ['minter §23.5: init arguments', { type: 'init', args: init }],
    ['minter §23.4: a minimum below the check fee', { type: 'upgrade', args: tooCheap }],
  ])('%s: refused as a whole', (_, arg) => {
    const made = new ReplicaWorld()
    const before = made.minter
    const bytes = serialize(before)
    expect(made.upgrade(arg, { concurrentMax: 7 })).toMatchObject({ type: 'err' })
    expect(made.minter).toBe(before)
    expect(serialize(made.minter)).toEqual(bytes)
  })

  it.each<SettingsChange>([
    { concurrentMax: 0 },
    { concurrentMax: 1_000_001 },
    { processPeriodNs: 0n },
    { refreshFeesPeriodNs: 999_999n },
    { autoMint: false, consolidationPeriodNs: 0n },
  ])('does not take %o', (change) => {
    const made = new ReplicaWorld()
    const bytes = serialize(made.minter)
    expect(made.upgrade(undefined, change)).toMatchObject({ errorCode: 'IC0503' })
    expect(serialize(made.minter)).toEqual(bytes)
  })

  it('is the same at every node, and goes on from a copy of the state', () => {
    const life = (made: ReplicaWorld) => {
      made.address()
      made.bringChain()
      made.endSlot()
      made.upgrade({ type: 'upgrade', args: { checkFee: 200n } }, { suspensionNs: 5n })
      const on = made.copy()
      return [made, on].map((one) => [one.address(), one.upgrade(readOnly), copyOf(one).minter])
    }
    const [one, other] = [life(new ReplicaWorld()), life(new ReplicaWorld())]
    expect(one[0]).toEqual(one[1])
    expect(other).toEqual(one)
  })

  it('goes on with what is being signed: nothing is asked twice, what failed is asked again', () => {
    const made = new ReplicaWorld()
    made.bringChain()
    made.endSlot()
    made.balanceUpdate()
    made.redeem(1_000_000n, regtestWallet('recipient').address)
    made.pass(11)
    const [first, ...more] = made.endSlot()
    expect([first?.message.length, more]).toEqual([32, []])
    const id = present(first, 'a signature is asked for').id
    for (let i = 0; i < 2; i++) {
      expect(made.upgrade({ type: 'upgrade', args: { checkFee: 7n } })).toEqual(ok)
      expect([...made.replica.state.asked.keys()]).toEqual([toHex(id)])
    }
    made.replica.signatureFailed(id, made.now)
    made.pass(6)
    const again = made.endSlot()
    expect(again.map(({ message }) => message)).toEqual([first?.message])
    expect(again[0]?.id).not.toEqual(id)
    expect(made.replica.violations()).toEqual([])
  })

  it('mints at once what it lets in, and to whom an address was handed out before', () => {
    const made = new ReplicaWorld()
    made.address()
    made.upgrade(readOnly)
    made.bringChain()
    made.endSlot()
    expect(made.minter.log.count).toBe(2)
    made.upgrade({ type: 'upgrade', args: { mode: { type: 'generalAvailability' } } })
    const kinds = [...eventsOf(made.minter.log)].map(({ payload }) => payload.type)
    expect(kinds).toEqual(['init', 'upgrade', 'upgrade', 'checkedUtxoV2', 'receivedUtxos'])
    expect(made.replica.violations()).toEqual([])
  })
})
