/**
 * Goal: the commands that look show what is there, in the form that was asked for.
 * Method: cli §§5.3, 5.7, 5.8, 5.12, 5.14; a network in memory with the real canisters, on which a
 * deposit, a transfer and a redemption have happened.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { address } from '../../src/commands/address.ts'
import { balance } from '../../src/commands/balance.ts'
import { fees } from '../../src/commands/fees.ts'
import { history } from '../../src/commands/history.ts'
import { info } from '../../src/commands/info.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { ic } from '../../src/wallet/network.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const [dev0, dev1] = [devUser(0), devUser(1)]
const account = { owner: dev0.principal }
const dev0Text = textOfPrincipal(dev0.principal)
const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const others: CommandDesk[] = []
const deskWith = (change: ConstructorParameters<typeof CommandDesk>[1]): CommandDesk => {
  const made = new CommandDesk(net, change)
  others.push(made)
  return made
}
let deposited = ''
let depositTxid = ''

beforeAll(async () => {
  const { network, fetch } = net
  const client = new Client({ network, fetch, signer: dev0 })
  deposited = (await depositAddress(client, account)).address
  depositTxid = Buffer.from(net.pay(deposited, 50_000_000n).txid).reverse().toString('hex')
  const second = await depositAddress(client, { owner: devUser(2).principal })
  net.pay(second.address, 100_000_000n)
  net.mine(6)
  await client.ledger.transfer({ to: { owner: dev1.principal }, amount: 10_000_000n })
  await client.ledger.approve({ spender: { owner: network.ids.minter }, amount: 20_000_000n })
  await client.minter.retrieve({
    address: regtestWallet('recipient').address,
    amount: 20_000_000n,
  })
  await client.ledger.transfer({
    to: { owner: dev0.principal, subaccount: new Uint8Array(32).fill(7) },
    amount: 1_000n,
  })
})
afterAll(() => {
  for (const one of [desk, ...others]) one.close()
})

describe('ckbtc balance', () => {
  test('shows what is settled, and what is on its way', async () => {
    const { out, err, exit } = await desk.run(balance)
    expect([exit, err]).toEqual([0, ''])
    expect(out.split('\n')).toEqual([
      '0.19998870 ckBTC   19998870 sat        local · dev0',
      '  incoming  none',
      expect.stringMatching(/^ {2}outgoing {2}0\.20000000 ckBTC, burned in block 4$/),
      '',
    ])
  })

  test('counts coins with their confirmations until they are minted', async () => {
    const pays = new NetworkUnderTest()
    const own = new CommandDesk(pays)
    others.push(own)
    const client = new Client({ network: pays.network, fetch: pays.fetch })
    const { address: target } = await depositAddress(client, account)
    pays.pay(target, 10_000_000n)
    pays.mine(2)
    expect((await own.run(balance)).out).toContain('incoming  0.10000000 BTC, 2/6 confirmations\n')
    expect((await own.json(balance)).data.accounts[0]).toEqual({
      account: dev0Text,
      key: 'dev0',
      balance_sat: 0,
      incoming_sat: 10_000_000,
      outgoing_sat: 0,
      spendable_sat: 0,
    })
  })

  test('is one document, certified or not', async () => {
    const plain = await desk.json(balance)
    expect(plain).toEqual({
      schema: 'ckbtc.balance.v1',
      ok: true,
      network: 'local',
      data: {
        accounts: [
          {
            account: dev0Text,
            key: 'dev0',
            balance_sat: 19_998_870,
            incoming_sat: 0,
            outgoing_sat: 20_000_000,
            spendable_sat: 19_998_870,
          },
        ],
      },
      warnings: [],
    })
    expect(await desk.json(balance, { options: { certified: true } })).toEqual(plain)
  })

  test('of several accounts, of all, of subaccounts; quiet and plain', async () => {
    const quiet = await desk.run(balance, { args: ['dev0', 'dev1'], settings: { quiet: true } })
    expect(quiet.out).toBe('0.19998870 ckBTC\n0.10000000 ckBTC\n')
    const all = await desk.run(balance, { options: { all: true }, settings: { plain: true } })
    expect(all.out.split('\n')).toHaveLength(7)
    expect(all.out).toContain(
      `${dev0Text}\tdev0\t0.19998870 ckBTC\t0.00000000 BTC\t0.20000000 ckBTC`,
    )
    const sat = await desk.run(balance, { settings: { plain: true }, globals: { unit: 'sat' } })
    expect(sat.out).toContain('\t19998870 sat\t0 sat\t20000000 sat')
    const { data } = await desk.json(balance, { options: { subaccounts: true } })
    expect(data.accounts.map((one: { balance_sat: number }) => one.balance_sat)).toEqual([
      19_998_870, 1_000,
    ])
  })

  test('says where deposits cannot be seen', async () => {
    const blind = deskWith({ masterKeys: [] })
    expect((await blind.run(balance)).out).toContain('incoming  not known on this network')
    expect((await blind.json(balance)).data.accounts[0].incoming_sat).toBeNull()
  })

  test.each([
    ['a Bitcoin address', () => deposited, 'DEST_IS_BITCOIN'],
    ['nonsense', () => 'dev9', 'ACCOUNT_INVALID'],
  ])('refuses %s', async (_, text, code) => {
    const { err, exit } = await desk.run(balance, { args: [text()] })
    expect(exit).toBe(2)
    expect(err).toContain(code)
  })

  test('needs a key or an account elsewhere', async () => {
    const { err, exit } = await deskWith({ kind: 'custom', name: 'lab' }).run(balance)
    expect(exit).toBe(4)
    expect(err).toContain('KEY_NONE')
  })
})

describe('ckbtc history', () => {
  test('is a table, newest first', async () => {
    const { out } = await desk.run(history)
    const rows = out.split('\n').map((row) => row.replace(/^.{18}/, ''))
    expect(rows.slice(0, 1)).toEqual([
      'TYPE          AMOUNT      FEE  COUNTERPARTY / BITCOIN TX       BLOCK',
    ])
    expect(rows.slice(1, 6).map((row) => row.split(/ {2,}/)[0])).toEqual([
      'sent',
      'redeem',
      'approve',
      'sent',
      'deposit',
    ])
    expect(out).toContain(`tx ${depositTxid.slice(0, 8)}…${depositTxid.slice(-8)}:0`)
    expect(out).toContain('-0.20000000')
    expect(out).toMatch(/tx [0-9a-f]{8}…[0-9a-f]{8} submitted/)
  })

  test('is one document with signed amounts', async () => {
    const { data } = await desk.json(history, { options: { reverse: true } })
    expect(data).toMatchObject({ account: dev0Text, next_cursor: null })
    expect(data.entries).toMatchObject([
      { type: 'deposit', amount_sat: 49_999_900, fee_sat: 100, txid: depositTxid, block_index: 0 },
      { type: 'transfer', amount_sat: -10_000_000, fee_sat: 10, block_index: 2 },
      { type: 'approve', amount_sat: 0, fee_sat: 10, block_index: 3 },
      {
        type: 'redeem',
        amount_sat: -20_000_000,
        status: 'submitted',
        bitcoin_address: regtestWallet('recipient').address,
        block_index: 4,
      },
      { type: 'transfer', amount_sat: -1_000, fee_sat: 10, block_index: 5 },
    ])
    expect(data.entries[1].counterparty).toBe(textOfPrincipal(dev1.principal))
    const received = await desk.json(history, { args: ['dev1'] })
    expect(received.data.entries).toMatchObject([{ amount_sat: 10_000_000, fee_sat: 0 }])
  })

  test('comes from the ledger itself where there is no index', async () => {
    const { ledger, minter } = net.network.ids
    const bare = deskWith({ ids: { ledger, minter } })
    expect((await bare.json(history)).data).toEqual((await desk.json(history)).data)
  })

  test('goes on where a page ends', async () => {
    const first = await desk.json(history, { options: { limit: '2' } })
    expect(first.data.entries).toHaveLength(2)
    expect(first.data.next_cursor).toBe(4)
    const { data } = await desk.json(history, { options: { before: '4' } })
    expect(data.entries.map((entry: { block_index: number }) => entry.block_index)).toEqual([
      3, 2, 0,
    ])
    const people = await desk.run(history, { options: { limit: '2' } })
    expect(people.err).toContain('--before 4')
  })

  test('is filtered by kind and time', async () => {
    const kinds = async (options: Record<string, string>) =>
      (await desk.json(history, { options })).data.entries.map((one: { type: string }) => one.type)
    expect(await kinds({ type: 'redeem' })).toEqual(['redeem'])
    expect(await kinds({ since: '2100-01-01' })).toEqual([])
    expect(await kinds({ until: '2020-01-01T00:00:00Z' })).toEqual([])
    expect(await kinds({ since: '2020-01-01' })).toHaveLength(5)
  })

  test.each([
    [{ since: 'yesterday' }],
    [{ until: '2026-13-99' }],
    [{ limit: '0' }],
    [{ limit: 'many' }],
    [{ before: '-1' }],
  ])('refuses %j', async (options) => {
    const { exit, err } = await desk.run(history, { options })
    expect(exit).toBe(2)
    expect(err).toContain('USAGE_INVALID')
  })

  test('of a new account is empty', async () => {
    const { out, err } = await desk.run(history, { args: ['dev3'] })
    expect([out, err]).toEqual(['', 'Nothing has happened on this account yet.\n'])
    expect((await desk.json(history, { args: ['dev3'] })).data.entries).toEqual([])
  })
})

describe('ckbtc fees', () => {
  test('shows everything that costs', async () => {
    const { out } = await desk.run(fees, { args: ['0.2ckbtc'] })
    expect(out.split('\n')).toEqual([
      'Ledger transfer      10 sat',
      'Deposit check        100 sat          minimum deposit   300 sat',
      'Redeem               minter 300 sat + Bitcoin about 705 sat (5 sat/vB)',
      '                     minimum redeem   50000 sat, moves with Bitcoin fees',
      'Redeeming 0.20000000 ckBTC now would deliver about 0.19998995 BTC (fees 0.01 %)',
      '',
    ])
  })

  test('says why there is no estimate', async () => {
    const { out } = await desk.run(fees, { args: ['100btc'] })
    expect(out).toContain('no estimate now: the coins that can be spent now do not cover')
    expect((await desk.json(fees, { args: ['100btc'] })).data.bitcoin_fee_sat).toBeNull()
  })

  test('is one document', async () => {
    expect((await desk.json(fees)).data).toMatchObject({
      ledger_fee_sat: 10,
      check_fee_sat: 100,
      deposit_minimum_sat: 300,
      redeem_minimum_sat: 50_000,
      minter_fee_sat: 300,
      bitcoin_fee_sat: 705,
      fee_rate_sat_per_vb: 5,
      confirmations: 6,
      read_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  test('in plain form and quiet', async () => {
    const plain = await desk.run(fees, { settings: { plain: true } })
    expect(plain.out.split('\n').slice(0, 2)).toEqual(['ledger_fee\t10 sat', 'check_fee\t100 sat'])
    expect((await desk.run(fees, { settings: { quiet: true } })).out).toBe('10 sat\n')
  })

  test('refuses an amount without unit', async () => {
    expect(await desk.run(fees, { args: ['5'] })).toMatchObject({ exit: 2 })
  })
})

describe('ckbtc address', () => {
  test('is one line', async () => {
    expect((await desk.run(address)).out).toBe(`${deposited}\n`)
    expect((await desk.run(address, { settings: { quiet: true } })).out).toBe(`${deposited}\n`)
    const other = await desk.run(address, { options: { fromSubaccount: '7' } })
    expect(other.out).not.toBe(`${deposited}\n`)
  })

  test('is one document with a link', async () => {
    expect((await desk.json(address, { options: { amount: '0.01btc' } })).data).toEqual({
      address: deposited,
      account: dev0Text,
      type: 'p2wpkh',
      public_key: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
      verified: true,
      uri: `bitcoin:${deposited}?amount=0.01000000`,
    })
  })

  test('shows how it follows from the key of the network', async () => {
    const { out } = await desk.run(address, { options: { explain: true } })
    expect(out).toMatch(/network key {2}0[23]/)
    expect(out).toContain(`address      ${deposited}   P2WPKH of its hash`)
  })

  test('says what is not verified', async () => {
    const blind = deskWith({ masterKeys: [] })
    const { out, err } = await blind.run(address)
    expect(out).toBe(`${deposited}\n`)
    expect(err).toContain('not verified')
    const document = await blind.json(address)
    expect(document.data).toMatchObject({ verified: false, public_key: null })
    expect(document.warnings).toMatchObject([{ code: 'ADDRESS_NOT_VERIFIED' }])
  })

  test('that does not follow from the key stops everything', async () => {
    const { out, err, exit } = await deskWith({ masterKeys: ic.masterKeys }).run(address)
    expect([out, exit]).toEqual(['', 10])
    expect(err).toContain('RAIL_ADDRESS_MISMATCH')
  })

  test('has a code that fits, or says that it does not', async () => {
    const wide = await desk.run(address, { options: { qr: true } })
    expect(wide.err).toMatch(/█▀▀█|██ ▄▄▄▄▄/)
    const narrow = await desk.run(address, {
      options: { qr: true },
      environment: { COLUMNS: '20' },
    })
    expect(narrow.err).toContain('too narrow')
  })

  test('takes one subaccount', async () => {
    const args = [`${dev0Text}-q`]
    expect(await desk.run(address, { args })).toMatchObject({ exit: 2 })
  })
})

describe('ckbtc info', () => {
  test('is pairs for people, and one document', async () => {
    const { out } = await desk.run(info)
    expect(out).toMatch(/^Network {8}local, Bitcoin regtest$/m)
    expect(out).toMatch(/^Minter mode {4}open$/m)
    const { data } = await desk.json(info)
    expect(data).toMatchObject({
      bitcoin: 'regtest',
      mode: 'open',
      confirmations: 6,
      token: { symbol: 'ckBTC', decimals: 8 },
      ledger_fee_sat: 10,
      supply_sat: 129_999_790,
      root_key_origin: 'descriptor',
    })
    expect(data.canisters.map((one: { name: string }) => one.name)).toEqual([
      'ledger',
      'minter',
      'index',
      'bitcoin',
    ])
    expect(data.canisters[0].module_hash).toMatch(/^[0-9a-f]{64}$/)
    expect(data.bitcoin_tip).toBe(net.bitcoin.tip().height)
  })
})

test('a root key that was fetched is warned of each time', async () => {
  const fetched = deskWith({ rootKeyOrigin: 'fetched', name: 'lab', kind: 'custom' })
  const { err } = await fetched.run(balance, { args: [dev0Text] })
  expect(err).toContain('fetched from its endpoint')
  const { warnings } = await fetched.json(balance, { args: [dev0Text] })
  expect(warnings).toMatchObject([{ code: 'ROOT_KEY_FETCHED' }])
})

test('a clock that is off is told of once it was compared', async () => {
  const ahead = new CommandDesk(new NetworkUnderTest({ aheadMs: 3_600_000 }))
  others.push(ahead)
  const { err, exit } = await ahead.run(balance, { options: { certified: true } })
  expect(exit).toBe(0)
  expect(err).toMatch(/this computer’s clock is 3(?:599|600) s behind the network’s/)
})
