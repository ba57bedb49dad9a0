/**
 * Goal: the minter is seen from outside, in every form that was asked for, ours and the deployed one.
 * Method: cli §5.14; a network in memory with the real canisters, on which there were deposits, one
 * of them too small, and a redemption that is final.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/commands/context.ts'
import type { Invocation } from '../../src/commands/definitions/command.ts'
import { events } from '../../src/commands/events.ts'
import type { openSession } from '../../src/commands/session.ts'
import { utxos } from '../../src/commands/utxos.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { eventOfJson } from '../../src/core/minter/events/event-json.ts'
import { replay } from '../../src/core/minter/events/replay.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { OneChain } from '../../src/wallet/reserve-coins.ts'
import { viewOfChain } from '../../src/wallet/reserve-coins.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const [dev0, dev1] = [devUser(0), devUser(1)]
const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
/** The same minter where nothing is known of it beyond the published interface. */
const deployed = new CommandDesk(net, { kind: 'built-in' })
const { network, fetch } = net
const client = new Client({ network, fetch, signer: dev0 })

beforeAll(async () => {
  const { address } = await depositAddress(client, { owner: dev0.principal })
  const other = await depositAddress(client, { owner: dev1.principal })
  net.pay(address, 50_000_000n)
  net.pay(other.address, 295n)
  net.mine(6)
  await client.ledger.approve({ spender: { owner: network.ids.minter }, amount: 20_000_000n })
  await client.minter.retrieve({ address: regtestWallet('recipient').address, amount: 20_000_000n })
  net.mine(1)
  net.mine(6)
  net.mine(1)
})
afterAll(() => {
  desk.close()
  deployed.close()
})

const typesOf = (document: { data: { events: { type: string }[] } }): readonly string[] =>
  document.data.events.map(({ type }) => type)

describe('ckbtc events', () => {
  test('tells each event in a sentence, in order', async () => {
    const { out, err, exit } = await desk.run(events)
    expect({ err, exit }).toEqual({ err: '', exit: 0 })
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(
      /^ {4}0 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}minter installed on regtest: /,
    )
    expect(out).toContain('deposit minted: 0.50000000 BTC of tx')
    expect(out).toContain('deposit too small: 0.00000295 BTC of tx')
    expect(out).toMatch(/redeem accepted: 0\.20000000 ckBTC to bcrt1[a-z0-9]+ \(burn \d+\)/)
    expect(lines.at(-1)).toContain('is final')
  })

  test('of the deployed minter are those of the published interface', async () => {
    const [ours, theirs] = [await desk.json(events), await deployed.json(events)]
    expect(typesOf(theirs)).toEqual(typesOf(ours).filter((type) => !type.startsWith('x_')))
    expect(typesOf(ours)).toContain('x_input_signed')
    expect(ours.schema).toBe('ckbtc.events.v1')
    expect(ours.data.events[0]).toMatchObject({ number: 0, type: 'init', txid: null, event: null })
  })

  test('can be replayed from what --raw prints', async () => {
    const { out } = await desk.run(events, { options: { from: '0', limit: '1000', raw: true } })
    const read = out
      .trimEnd()
      .split('\n')
      .map((line) => eventOfJson(JSON.parse(line)))
    expect(read).toEqual(await client.events())
    expect(replay(read, network.ids.minter).finalized.size).toBe(1)
    const { data } = await desk.json(events, { options: { raw: true } })
    expect(data.events.map(({ event }: { event: unknown }) => eventOfJson(event))).toEqual(read)
  })

  test('are a page of it: the newest, from a number on, or of one kind', async () => {
    const all = (await desk.json(events)).data
    const last = (await desk.json(events, { options: { limit: '2' } })).data
    expect(last.events).toEqual(all.events.slice(-2))
    const middle = await desk.run(events, { options: { from: '1', limit: '2' } })
    expect(middle.out.match(/^ *\d+/gm)).toEqual(['    1', '    2'])
    expect(middle.err).toContain('there is more: --from 3')
    const kind = await desk.json(events, {
      options: { type: ['confirmed-transaction'], limit: '9' },
    })
    expect(typesOf(kind)).toEqual(['confirmed_transaction'])
    expect((await desk.json(events, { options: { from: '1000' } })).data.events).toEqual([])
  })

  test('of an account are all that concerns it', async () => {
    const of = async (account: string) => typesOf(await desk.json(events, { options: { account } }))
    expect(await of('dev1')).toEqual(['suspended_utxo'])
    expect(await of('dev0')).toEqual(
      expect.arrayContaining(['received_utxos', 'sent_transaction', 'confirmed_transaction']),
    )
    expect(await of('dev2')).toEqual([])
  })

  test('are rows for programs with --plain', async () => {
    const { out } = await desk.run(events, { settings: { plain: true }, options: { limit: '1' } })
    expect(out.split('\n')[0]).toBe('number\ttime\ttype\tevent')
    expect(out.split('\n')[1]).toMatch(
      /^\d+\t\d{4}-.*Z\tconfirmed_transaction\ttx [0-9a-f]{64} is final$/,
    )
  })

  test('of an unknown kind are refused with the nearest name', async () => {
    const { err, exit } = await desk.run(events, { options: { type: ['sent_transactions'] } })
    expect(exit).toBe(2)
    expect(err).toContain('the nearest is sent_transaction')
  })
})

/** The command with this view of the chain. */
const against =
  (source: Partial<OneChain>) =>
  (invocation: Invocation, context: Context, open: typeof openSession) =>
    utxos(invocation, context, open, async () => ({
      ...viewOfChain({ ...net.source, ...source }),
      trust: [{ source: 'embedded', label: 'own-node', notes: [] }],
      close: async () => undefined,
    }))

describe('ckbtc utxos', () => {
  test('lists every coin, the largest first, with the totals last', async () => {
    const { out, err, exit } = await desk.run(utxos)
    expect({ err, exit }).toEqual({ err: '', exit: 0 })
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^OUTPOINT +VALUE +HEIGHT +OWNER +STATE$/)
    expect(lines[1]).toMatch(/^[0-9a-f]{64}:1 +0\.\d{8} BTC +\d+ +the minter +available$/)
    expect(lines[2]).toMatch(/ 0\.00000295 BTC .* too-small$/)
    expect(lines.at(-1)).toBe('0.00000295 BTC too-small in 1 coin')
  })

  test('is the same of the deployed minter', async () => {
    expect((await deployed.json(utxos)).data).toEqual((await desk.json(utxos)).data)
  })

  test('can be of one account, or in one state', async () => {
    const of = async (options: Readonly<Record<string, unknown>>) =>
      (await desk.json(utxos, { options })).data
    expect(await of({ account: 'dev1' })).toMatchObject({
      coins: [{ amount_sat: 295, account: textOfPrincipal(dev1.principal), state: 'too-small' }],
      totals: [{ state: 'too-small', count: 1, amount_sat: 295 }],
      total_sat: 295,
      verified_at_height: null,
    })
    expect((await of({ state: 'available', sort: 'height' })).coins).toHaveLength(1)
    expect((await of({ state: 'reserved' })).coins).toEqual([])
  })

  test('with --verify are looked for on Bitcoin', async () => {
    const options = { verify: true }
    const honest = await desk.run(against({}), { options })
    expect(honest.exit).toBe(0)
    expect(honest.out).toMatch(/available +unspent\n/)
    const spent = await desk.run(against({ output: async () => ({ type: 'spent' }) }), { options })
    expect(spent.exit).toBe(8)
    expect(spent.err).toContain('is spent on Bitcoin (RESERVES_MISMATCH)')
    expect(spent.out).toMatch(/available +spent\n/)
  })
})
