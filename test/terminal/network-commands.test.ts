/**
 * Goal: networks are listed, added after a look at them, removed and selected, and real money is
 * never selected without a word.
 * Method: cli §5.19; a network in memory, files in a temporary folder.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/commands/context.ts'
import type { Invocation } from '../../src/commands/definitions/command.ts'
import { networkAdd, networkRemove, networkUse } from '../../src/commands/network/change.ts'
import { networkList, networkShow } from '../../src/commands/network/list.ts'
import { toHex } from '../../src/core/base/bytes.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const add = (invocation: Invocation, context: Context) => networkAdd(invocation, context, net.fetch)
const { ledger, minter, index } = net.network.ids
const options = {
  url: 'http://127.0.0.1:4943',
  ledger: textOfPrincipal(ledger),
  minter: textOfPrincipal(minter),
  rootKey: toHex(net.rootKey),
}
const named = (name: string) => ({ args: [name] })

afterAll(() => desk.close())

test('at first there are the local one and those that are built in', async () => {
  const { out } = await desk.run(networkList)
  expect(out).toMatch(/^local +regtest +- +not running +yes$/m)
  expect(out).toMatch(/^ic +mainnet, real funds +mxzaz-hqaaa-aaaar-qaada-cai/m)
  const { data } = await desk.json(networkList)
  expect(data.networks.map((one: { name: string }) => one.name)).toEqual([
    'local',
    'ic',
    'testnet4',
  ])
  expect(data.networks[0]).toMatchObject({ selected: true, url: null, real_funds: false })
})

test('one is shown with its ids and its root key', async () => {
  const { out } = await desk.run(networkShow, named('ic'))
  expect(out).toMatch(/^Minter +mqygn-kiaaa-aaaar-qaadq-cai$/m)
  expect((await desk.json(networkShow, named('testnet4'))).data).toMatchObject({
    root_key_origin: 'pinned',
    root_key: expect.stringMatching(/^308182/),
    index: 'mm444-5iaaa-aaaar-qaabq-cai',
  })
  expect(await desk.run(networkShow, named('local'))).toMatchObject({ exit: 11 })
  expect(await desk.run(networkShow, named('lab'))).toMatchObject({ exit: 2 })
})

describe('a network is added', () => {
  test('after a look at it, once', async () => {
    const added = await desk.run(add, { args: ['lab'], options })
    expect(added).toMatchObject({ exit: 0 })
    expect(added.out).toContain('Found ckBTC (ckBTC), 0.00000000 ckBTC in all, 6 confirmations')
    const again = await desk.run(add, { args: ['lab'], options })
    expect(again.exit).toBe(2)
    expect(again.err).toContain('there is a network lab already')
    const list = await desk.run(networkList)
    expect(list.out).toMatch(/^lab +regtest +23xb3/m)
  })

  test('with a fetched key is warned of, and has the key that was there', async () => {
    const fetched = { ...options, rootKey: 'fetch', index: textOfPrincipal(index ?? ledger) }
    const { data, warnings } = await desk.json(add, { args: ['fetched'], options: fetched })
    expect(data).toMatchObject({ root_key: toHex(net.rootKey), root_key_origin: 'fetched' })
    expect(warnings).toMatchObject([{ code: 'ROOT_KEY_FETCHED' }])
  })

  test.each<[string, string, object, string]>([
    ['a reserved name', 'ic', {}, 'USAGE_INVALID'],
    ['a name in capitals', 'Lab', {}, 'USAGE_INVALID'],
    ['no address', 'x', { url: undefined }, 'USAGE_INVALID'],
    ['an address with a password', 'x', { url: 'https://a:b@c.example' }, 'USAGE_INVALID'],
    ['an id that is none', 'x', { ledger: 'abc' }, 'USAGE_INVALID'],
    ['no minter', 'x', { minter: undefined }, 'USAGE_INVALID'],
    ['no root key', 'x', { rootKey: undefined }, 'RAIL_NO_ROOT_KEY'],
    [
      'a fetched key for real bitcoin',
      'x',
      { rootKey: 'fetch', bitcoin: 'mainnet' },
      'RAIL_NO_ROOT_KEY',
    ],
    ['another root key', 'x', { rootKey: 'mainnet' }, 'NETWORK_BAD_CERTIFICATE'],
    ['another Bitcoin', 'x', { bitcoin: 'testnet4' }, 'RAIL_CANISTER_MISMATCH'],
    ['another index', 'x', { index: textOfPrincipal(minter) }, 'REFUSED'],
  ])('never with %s', async (_, name, change, code) => {
    const { err, exit } = await desk.run(add, { args: [name], options: { ...options, ...change } })
    expect(exit).toBeGreaterThan(0)
    expect(err).toContain(code)
    expect((await desk.run(networkShow, named('x'))).exit).toBe(2)
  })
})

describe('a network is selected', () => {
  const config = (): unknown =>
    JSON.parse(readFileSync(join(desk.folder, 'config.json'), 'utf8')).network

  test('for the commands that name none', async () => {
    expect(await desk.json(networkUse, named('testnet4'))).toMatchObject({
      data: { name: 'testnet4', changed: true },
    })
    expect(config()).toBe('testnet4')
    expect((await desk.json(networkUse, named('testnet4'))).data.changed).toBe(false)
    expect(await desk.run(networkUse, named('nowhere'))).toMatchObject({ exit: 2 })
  })

  test('but real money only after a yes', async () => {
    const asked = await desk.run(networkUse, named('ic'))
    expect(asked.exit).toBe(3)
    expect(asked.err).toContain('real money')
    expect(config()).toBe('testnet4')
    expect(await desk.run(networkUse, { ...named('ic'), globals: { yes: true } })).toMatchObject({
      exit: 0,
    })
    expect(config()).toBe('ic')
  })

  test('and taken away with a word if it still is', async () => {
    await desk.run(networkUse, named('lab'))
    const { err, exit } = await desk.run(networkRemove, named('lab'))
    expect(exit).toBe(0)
    expect(err).toContain('still selects lab')
    expect(await desk.run(networkRemove, named('lab'))).toMatchObject({ exit: 2 })
    expect(await desk.run(networkRemove, named('ic'))).toMatchObject({ exit: 2 })
    expect((await desk.json(networkList)).data.networks).toHaveLength(4)
  })
})
