/**
 * Goal: every setting of the minter is read from the running one and changed there, all of a request
 * or nothing, and a refusal says which and why.
 * Method: cli §5.16, minter §18.4; the real minter behind the real interface, in memory.
 */
import { describe, expect, it } from 'vitest'
import { parseSet } from '../../../src/commands/subnet/set-words.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/minter/constants.ts'
import { changeMinter, wantedOf } from '../../../src/host/daemon/minter-upgrade.ts'
import type { SetValue } from '../../../src/host/minter-values.ts'
import { minterValue, minterValueNames, shownValue } from '../../../src/host/minter-values.ts'
import { Client } from '../../../src/wallet/client.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

const operator = devUser(4)
const dev0 = '4rouu-2iaaa'

function world() {
  const net = new NetworkUnderTest()
  const { network, fetch } = net
  const client = new Client({ network, fetch })
  const change = (wanted: Readonly<Record<string, SetValue>> = {}) =>
    changeMinter({ backend: net, operator }, net.replica, new Map(Object.entries(wanted)))
  const inForce = async (): Promise<ReadonlyMap<string, string | undefined>> =>
    new Map((await change()).values.map(({ name, value }) => [name, value]))
  return { net, client, change, inForce }
}

/** Another value than the one in force. */
function otherValue(name: string): SetValue {
  if (name === 'minter.auto-mint') return 'off'
  if (name === 'minter.mode') return 'read-only'
  if (name === 'minter.min-confirmations') return 2n
  if (name === 'minter.utxo-consolidation-threshold') return 5_000n
  return 7_000_000_000n % (minterValue(name)?.kind.type === 'duration' ? 10n ** 18n : 997n)
}

it.each([
  ['minter.hold', '259200000000000', '3d'],
  ['minter.hold', '5400000000000', '90m'],
  ['minter.hold', '1500000000', '1500000000ns'],
  ['minter.hold', '0', '0s'],
  ['minter.check-fee', '100', '100sat'],
  ['minter.mode', 'read-only', 'read-only'],
])('%s of %s is shown as %s', (name, text, shown) => {
  expect(shownValue(name, text)).toBe(shown)
})

describe('the settings of the running minter', () => {
  it('change by every name, and are read as they were given', async () => {
    const { change } = world()
    for (const name of minterValueNames) {
      const value = otherValue(name)
      const { values } = await change({ [name]: value })
      expect(values).toEqual([{ name, before: values[0]?.before, value: String(value) }])
      expect(values[0]?.before, name).not.toBe(String(value))
    }
  })

  it('are shown as they can be typed', async () => {
    const { values } = await world().change()
    for (const { name, value } of values) {
      if (value === undefined) continue
      const shown = shownValue(name, value)
      expect(String(parseSet([`${name}=${shown}`], 'help').get(name)), name).toBe(value)
    }
  })

  it('reach every limit and delay that there is', () => {
    const reached = minterValueNames.flatMap((name) =>
      Object.keys(minterValue(name)?.change(otherValue(name)).settings ?? {}),
    )
    expect(reached.toSorted()).toEqual(Object.keys(DEFAULT_SETTINGS).toSorted())
  })

  it('change together, with one event for what the canister takes as arguments', async () => {
    const { change, inForce, client } = world()
    const before = (await client.events()).length
    await change({ 'minter.check-fee': 200n, 'minter.hold': 9n, 'minter.mode': 'read-only' })
    const now = await inForce()
    expect(now.get('minter.check-fee')).toBe('200')
    expect(now.get('minter.hold')).toBe('9')
    expect(now.get('minter.mode')).toBe('read-only')
    const added = (await client.events()).slice(before)
    expect(added.map(({ payload }) => payload)).toEqual([
      { type: 'upgrade', args: { checkFee: 200n, mode: { type: 'readOnly' } } },
    ])
    await change({ 'minter.check-fee': 200n }) // As it is: no upgrade.
    await change({ 'minter.hold': 10n })
    expect((await client.events()).length).toBe(before + 1)
  })

  it('restrict the minter to callers of a list', async () => {
    const { change, inForce } = world()
    const list = `restricted-to:${'aaaaa-aa'},${'2vxsx-fae'}`
    await change({ 'minter.mode': list })
    expect((await inForce()).get('minter.mode')).toBe(list)
    await change({ 'minter.mode': 'deposits-restricted-to:aaaaa-aa' })
    expect((await inForce()).get('minter.mode')).toBe('deposits-restricted-to:aaaaa-aa')
  })

  it.each<readonly [Readonly<Record<string, SetValue>>, string]>([
    [
      { 'minter.check-fee': 50_001n, 'minter.hold': 9n },
      'check_fee cannot be greater than retrieve_btc_min_amount',
    ],
    [
      { 'minter.min-confirmations': 7n, 'minter.hold': 9n },
      'confirmations only go down, and 6 are asked for now',
    ],
    [
      { 'minter.utxo-consolidation-threshold': 1_000n, 'minter.hold': 9n },
      'it has to be more than the 1000 inputs of a transaction',
    ],
  ])('stay wholly as they are when %o is refused', async (wanted, reason) => {
    const { change, inForce } = world()
    const before = await inForce()
    await expect(change(wanted)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `the minter is not changed: ${reason}`,
      command: 'ckbtc subnet set',
    })
    expect(await inForce()).toEqual(before)
  })

  it.each([
    ['minter.nothing', '1'],
    ['minter.hold', 'x'],
    ['minter.hold', ''],
    ['minter.mode', `restricted-to:${dev0}`],
    ['minter.mode', 'readonly'],
    ['minter.mode', 'restricted-to'],
    ['minter.mode', 'read-only:aaaaa-aa'],
    ['minter.mode', ''],
    ['minter.auto-mint', 'maybe'],
  ])('are not asked with %s=%s', (name, value) => {
    expect(() => wantedOf({ set: [{ name, value }] })).toThrow(
      expect.objectContaining({ code: 'USAGE_INVALID' }),
    )
  })
})
