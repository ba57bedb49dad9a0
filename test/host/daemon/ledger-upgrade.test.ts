/**
 * Goal: every setting of each ledger is read from the running one and changed there, all of a request or
 * nothing, and is founded with if it is ckBTC's. Method: cli §5.16, ledger §14; real ledgers behind the
 * real interface, in memory.
 */
import { describe, expect, it } from 'vitest'
import { parseSet } from '../../../src/commands/subnet/set-words.ts'
import { textOfAccount } from '../../../src/core/ic/account.ts'
import { changeLedger, ledgerChangeOf } from '../../../src/host/daemon/ledger-upgrade.ts'
import { decideSettings } from '../../../src/host/daemon/stored-settings.ts'
import { encodeFounding, requireFounding } from '../../../src/host/disks/founding-settings.ts'
import { ckbtcSettings, ledgerValueNames, namesOf } from '../../../src/host/ledger-values.ts'
import type { SetValue } from '../../../src/host/minter-values.ts'
import { ledgerSettings, minterSettings } from '../../../src/host/set-values.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'
import { tokenMinter, tokenOf } from '../../support/token-files.ts'

const operator = devUser(4)
const holder = textOfAccount({ owner: devUser(1).principal })
const tokens = [tokenOf({ token_width: 256, decimals: 2 })]

function world() {
  const net = new NetworkUnderTest({ tokens })
  const ledgers = { ids: net.replica.ids, tokens }
  const change = (wanted: Readonly<Record<string, SetValue>> = {}, symbol?: string) =>
    changeLedger({ backend: net, operator }, ledgers, {
      symbol,
      wanted: new Map(Object.entries(wanted)),
    })
  const inForce = async (symbol?: string): Promise<ReadonlyMap<string, string | undefined>> =>
    new Map((await change({}, symbol)).values.map(({ name, value }) => [name, value]))
  return { change, inForce }
}

/** Another value than the one in force. */
const otherValue = (name: string): SetValue =>
  name.endsWith('account') ? holder : name.endsWith('length') ? 90n : 77n

describe('the settings of a running ledger', () => {
  it.each([undefined, 'XYZ'])('change by every name, and are read as given: %s', async (symbol) => {
    const { change, inForce } = world()
    const before = await inForce(symbol)
    expect([...before.keys()]).toEqual(namesOf(symbol))
    for (const name of namesOf(symbol)) {
      const value = otherValue(name)
      const { values } = await change({ [name]: value }, symbol)
      expect(values).toEqual([{ name, before: before.get(name), value: String(value) }])
      expect(before.get(name), name).not.toBe(String(value))
    }
    const all = namesOf(symbol).map((name) => [name, String(otherValue(name))])
    expect(Object.fromEntries(await inForce(symbol))).toEqual(Object.fromEntries(all))
  })

  it('of one ledger are no other’s, however its symbol is written', async () => {
    const { change, inForce } = world()
    const before = await inForce()
    await change({ 'token.xyz.transfer-fee': 77n }, 'xyz')
    expect(await inForce()).toEqual(before)
    expect((await inForce('XYZ')).get('token.XYZ.transfer-fee')).toBe('77')
  })

  it('have no collector where none is named', async () => {
    const { change, inForce } = world()
    await change({ 'ledger.fee-collector-account': 'none' })
    expect((await inForce()).get('ledger.fee-collector-account')).toBe('none')
  })

  it.each<readonly [Readonly<Record<string, SetValue>>, string]>([
    [
      { 'token.XYZ.max-memo-length': 31n, 'token.XYZ.transfer-fee': 9n },
      'the memo limit 32 cannot be lowered to 31',
    ],
    [
      {
        'token.XYZ.fee-collector-account': textOfAccount({ owner: tokenMinter.principal }),
        'token.XYZ.transfer-fee': 9n,
      },
      'the fee collector cannot be the minting account',
    ],
  ])('stay wholly as they are when %o is refused', async (wanted, reason) => {
    const { change, inForce } = world()
    const before = await inForce('XYZ')
    await expect(change(wanted, 'XYZ')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `the ledger is not changed: ${reason}`,
      command: 'ckbtc subnet set',
    })
    expect(await inForce('XYZ')).toEqual(before)
  })

  it('are of a token that there is', async () => {
    await expect(world().change({}, 'ABC')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it.each([
    [undefined, 'ledger.nothing', '1'],
    [undefined, 'minter.check-fee', '1'],
    [undefined, 'token.XYZ.transfer-fee', '1'],
    ['XYZ', 'ledger.transfer-fee', '1'],
    [undefined, 'ledger.transfer-fee', '-1'],
    [undefined, 'ledger.fee-collector-account', 'dev0'],
    [undefined, 'ledger.fee-collector-account', ''],
  ])('of %s are not asked with %s=%s', (symbol, name, value) => {
    expect(() => ledgerChangeOf({ symbol, set: [{ name, value }] })).toThrow(
      expect.objectContaining({ code: 'USAGE_INVALID' }),
    )
  })

  it('are typed in the units of their token', () => {
    const words = ['token.xyz.transfer-fee=0.25xyz', 'token.XYZ.trigger-threshold=9']
    expect([...parseSet(words, 'help', [{ symbol: 'XYZ', decimals: 2 }])]).toEqual([
      ['token.xyz.transfer-fee', 25n],
      ['token.XYZ.trigger-threshold', 9n],
    ])
    const sats = ['ledger.transfer-fee=12sat', 'ledger.fee-collector-account=none']
    expect([...parseSet(sats, 'help').values()]).toEqual([12n, 'none'])
    expect(() => parseSet(words, 'help')).toThrow('is of no token')
  })
})

describe('a ledger that is founded', () => {
  const set = new Map<string, SetValue>([
    ['ledger.transfer-fee', 12n],
    ['ledger.fee-collector-account', 'none'],
    ['ledger.trigger-threshold', 20n],
    ['ledger.num-blocks-to-archive', 10n],
    ['minter.hold', 1n],
  ])

  it('has what was set of it', () => {
    expect(ckbtcSettings(set)).toEqual({
      transferFee: 12n,
      feeCollector: { type: 'unset' },
      archiveOptions: { triggerThreshold: 20n, numBlocksToArchive: 10n },
    })
    expect(ckbtcSettings(new Map())).toEqual({})
  })

  it.each(ledgerValueNames)('may have another %s', (name) => {
    expect(Object.keys(ckbtcSettings(new Map([[name, otherValue(name)]])))).toHaveLength(1)
  })

  it('is not one that cannot be', () => {
    const wrong = new Map<string, SetValue>([['ledger.transfer-fee', 2n ** 64n]])
    expect(() => decideSettings(undefined, { set: wrong })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('does not fit 64 bits'),
      }),
    )
  })
})

describe('what a subnet was founded with', () => {
  const common = {
    stockTarget: 1,
    creationMax: 1,
    minter: minterSettings(new Map()),
    ids: 'own',
    operator: new Uint8Array(29),
  } as const
  const founded = (ledgers?: ReturnType<typeof ledgerSettings>) => ({ ...common, ledgers })
  const none = founded()
  const one = founded(ledgerSettings({ set: new Map(), tokens }))
  const other = founded(
    ledgerSettings({ set: new Map(), tokens: [tokenOf({ token_width: 256, decimals: 3 })] }),
  )
  const fee = founded(ledgerSettings({ set: new Map([['ledger.transfer-fee', 12n]]), tokens: [] }))

  it.each([none, one, other, fee])('is what it goes on with', (settings) => {
    expect(() => requireFounding(encodeFounding(settings), settings)).not.toThrow()
  })

  it.each([
    ['tokens are none', one, none, 'tokens XYZ'],
    ['tokens are there', none, one, 'tokens none'],
    ['a token is another', one, other, 'tokens XYZ'],
    ['its ledger is another', fee, none, 'ledger transferFee 12'],
    ['its ledger is changed', none, fee, 'ledger none'],
  ])('is refused where %s', (_, before, now, words) => {
    expect(() => requireFounding(encodeFounding(before), now)).toThrow(words)
  })

  it('is none of a ledger in what older programs wrote: they had no choice', () => {
    const {
      ledger: _,
      tokens: __,
      ...older
    } = JSON.parse(new TextDecoder().decode(encodeFounding(none)))
    const stored = new TextEncoder().encode(JSON.stringify(older))
    expect(() => requireFounding(stored, none)).not.toThrow()
    expect(() => requireFounding(stored, one)).toThrow('tokens none')
    expect(() => requireFounding(stored, fee)).toThrow('ledger none')
  })
})
