/**
 * Goal: a history as a file is whole, opens in a spreadsheet, and takes the place of nothing.
 * Method: cli §§3.6, 5.7; a network in memory with the real canisters on which a deposit, transfers
 * and a redemption have happened.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { exportHistory } from '../../src/commands/export.ts'
import { history } from '../../src/commands/history.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { present } from '../../src/core/base/errors.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { valueOfBlock } from '../../src/core/ledger/blocks/block-value.ts'
import type { Value } from '../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../src/core/ledger/blocks/value.ts'
import { indexInterface } from '../../src/core/ledger/index/index-interface.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const [dev0, dev1] = [devUser(0), devUser(1)]
const recipient = regtestWallet('recipient').address
const { ledger, minter } = net.network.ids
const reader = new Client({ network: net.network, fetch: net.fetch, signer: dev0 })
const pathOf = (name: string): string => join(desk.folder, name)

beforeAll(async () => {
  const { address } = await depositAddress(reader, { owner: dev0.principal })
  net.pay(address, 50_000_000n)
  net.mine(6)
  const options = { to: 'dev1', memo: '=danger', idempotencyKey: '=order,17' }
  await desk.run(transfer, { args: ['0.1ckbtc'], options })
  await reader.ledger.approve({ spender: { owner: minter }, amount: 20_000_000n })
  await reader.minter.retrieve({ address: recipient, amount: 20_000_000n })
  net.mine(1)
})
afterEach(() => net.answers.clear())
afterAll(() => desk.close())

const parsed = (csv: string): readonly Record<string, string>[] => {
  const [head = '', ...rows] = csv.trimEnd().split('\r\n')
  const names = head.split(',')
  const cellsOf = (row: string) =>
    [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g)].map(
      ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
    )
  return rows.map((row) => Object.fromEntries(cellsOf(row).map((cell, at) => [names[at], cell])))
}

describe('ckbtc export', () => {
  test('writes every row once, as the specification names the columns', async () => {
    const out = pathOf('all.csv')
    const ran = await desk.run(exportHistory, { options: { out } })
    expect([ran.exit, ran.out]).toEqual([0, `✓ 4 rows in ${out}\n`])
    const csv = readFileSync(out, 'utf8')
    expect(csv.slice(0, csv.indexOf('\r\n'))).toBe(
      'time_utc,network,account,type,direction,amount_btc,amount_sat,fee_sat,counterparty,' +
        'bitcoin_txid,bitcoin_address,block_index,memo_hex,reference,status',
    )
    expect(statSync(out).mode & 0o777).toBe(0o600)
    const rows = parsed(csv)
    expect(rows.map(({ block_index: index }) => index)).toEqual(['3', '2', '1', '0'])
    expect(rows[0]).toMatchObject({
      type: 'redeem',
      direction: 'out',
      amount_btc: '0.20000000',
      amount_sat: '20000000',
      bitcoin_address: recipient,
      bitcoin_txid: expect.stringMatching(/^[0-9a-f]{64}$/),
      status: 'submitted',
    })
    expect(rows[2]).toMatchObject({
      time_utc: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      network: 'local',
      account: textOfPrincipal(dev0.principal),
      type: 'transfer',
      direction: 'out',
      fee_sat: '10',
      counterparty: textOfPrincipal(dev1.principal),
      memo_hex: Buffer.from('=danger').toString('hex'),
      reference: "'=order,17",
      status: 'done',
    })
    expect(rows[3]).toMatchObject({ type: 'deposit', direction: 'in', fee_sat: '100' })
    expect(rows[1]).toMatchObject({ type: 'approve', direction: 'none', amount_sat: '0' })
  })

  test('has no cell that a spreadsheet runs', async () => {
    const { out } = await desk.run(exportHistory, { options: { out: '-', format: 'csv' } })
    for (const row of parsed(out))
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^\s*[=+\-@]/)
  })

  test('is the document of history as JSON, with the references', async () => {
    const { out, err } = await desk.run(exportHistory, { options: { out: '-', format: 'json' } })
    expect(out.trimEnd()).not.toContain('\n')
    const document = JSON.parse(out)
    const entries = document.data.entries.map(
      ({ reference: _, ...entry }: object & { reference: unknown }) => entry,
    )
    const shown = await desk.json(history)
    expect({ ...document, data: { ...document.data, entries } }).toEqual(shown)
    expect(document.data.entries[2].reference).toBe('=order,17')
    expect(err).toBe('')
  })

  test('takes the filters of history', async () => {
    const run = (options: object) =>
      desk.run(exportHistory, { options: { out: '-', format: 'csv', ...options } })
    const found = async (options: object) =>
      parsed((await run(options)).out).map(({ block_index: index }) => index)
    expect(await found({ type: 'transfer' })).toEqual(['1'])
    expect(await found({ before: '2' })).toEqual(['1', '0'])
    expect(await found({ search: 'DANGER' })).toEqual(['1'])
    expect(await found({ search: 'order,17' })).toEqual(['1'])
    expect(await found({ search: recipient.slice(5, 30) })).toEqual(['3'])
    expect(await found({ counterparty: 'dev1' })).toEqual(['1'])
    expect(await found({ memo: '=danger' })).toEqual(['1'])
    expect(await found({ memo: '0x3d64616e676572' })).toEqual(['1'])
    expect(await found({ since: '2100-01-01' })).toEqual([])
  })

  test.each(['9999-12-31', '2554-07-22', '2026-02-31', '2026-13-01', '1969-12-31', 'yesterday'])(
    'takes no time that there is not: %s',
    async (until) => {
      const out = pathOf('never.csv')
      const { exit, err } = await desk.run(exportHistory, { options: { out, until } })
      expect([exit, existsSync(out)]).toEqual([2, false])
      expect(err).toContain(`--until takes a time, found "${until}"`)
    },
  )

  test('takes the place of no file unless it is told', async () => {
    const out = pathOf('mine.csv')
    writeFileSync(out, 'mine')
    const refused = await desk.run(exportHistory, { options: { out } })
    expect([refused.exit, readFileSync(out, 'utf8')]).toEqual([2, 'mine'])
    expect((await desk.run(exportHistory, { options: { out, replace: true } })).exit).toBe(0)
    expect(parsed(readFileSync(out, 'utf8'))).toHaveLength(4)
  })

  test('leaves nothing behind where the history cannot be read', async () => {
    const out = pathOf('half.json')
    const arg = encodeArgs([indexInterface.status.result], [{ numBlocksSynced: 0n }])
    net.answers.set('status', { type: 'replied', arg })
    const [first] = await reader.blocks.all()
    answerBlocks({ logLength: 4n, blocks: [{ id: 3n, block: valueOfBlock(present(first, 'a')) }] })
    const { exit, err } = await desk.run(exportHistory, { options: { out } })
    expect([exit, existsSync(out)]).toEqual([5, false])
    expect(err).toContain('NETWORK_BAD_CERTIFICATE')
    expect(readdirSync(desk.folder).filter((name) => name.includes('half'))).toEqual([])
  })

  test.each([
    [{ out: 'x.txt' }, {}],
    [{}, {}],
    [{ out: '-' }, {}],
    [{ out: '-', format: 'json' }, { json: true }],
    [{ out: '-', format: 'csv', before: '-1' }, {}],
  ])('refuses %j', async (options, settings) => {
    expect((await desk.run(exportHistory, { options, settings })).exit).toBe(2)
  })
})

const answerBlocks = (answer: object): void => {
  const { result } = ledgerInterface.icrc3_get_blocks
  const whole = { logLength: 0n, blocks: [], archivedBlocks: [], ...answer }
  net.answers.set('icrc3_get_blocks', { type: 'replied', arg: encodeArgs([result], [whole]) })
}

describe('ckbtc history', () => {
  test('says where its rows are from when the index is late or absent', async () => {
    const expected = await desk.json(history)
    const arg = encodeArgs([indexInterface.status.result], [{ numBlocksSynced: 2n }])
    net.answers.set('status', { type: 'replied', arg })
    const late = await desk.json(history)
    expect(late.data).toEqual(expected.data)
    expect(late.warnings).toMatchObject([{ code: 'INDEX_BEHIND' }])
    const people = await desk.run(history)
    expect(people.err).toContain('the index is 2 of 4 blocks behind the ledger')
    net.answers.clear()
    const bare = new CommandDesk(net, { ids: { ledger, minter } })
    const absent = await bare.json(history)
    bare.close()
    expect(absent.warnings).toMatchObject([{ code: 'INDEX_NONE' }])
  })

  test('is proven back from the certified block, and only then', async () => {
    const expected = await desk.json(history)
    const proven = await desk.json(history, { options: { certified: true } })
    expect(proven.data).toEqual(expected.data)
    expect(
      (await desk.json(history, { options: { certified: true, before: '2' } })).data.entries,
    ).toEqual(expected.data.entries.slice(2))
  })

  test.each([0, 1, 3])('believes no chain that was made up from block %i on', async (first) => {
    const forged: { id: bigint; block: Value }[] = []
    for (const [index, { transaction, parentHash, ...rest }] of (
      await reader.blocks.all()
    ).entries()) {
      const last = forged.at(-1)
      const link = last === undefined ? parentHash : hashValue(last.block)
      const memo = index === first ? { memo: Uint8Array.of(1) } : {}
      const block = { ...rest, parentHash: link, transaction: { ...transaction, ...memo } }
      forged.push({ id: BigInt(index), block: valueOfBlock(block) })
    }
    answerBlocks({ logLength: 4n, blocks: forged })
    const { error } = await desk.json(history, { options: { certified: true } })
    expect(error.code).toBe('NETWORK_BAD_CERTIFICATE')
    expect(error.message).toContain('block 3 does not lead to the last one that is certified')
  })
})
