/**
 * Goal: the reserves are judged from what is there, the judgement can be repeated offline, and
 * nothing that contradicts is rounded up to "backed".
 * Method: cli §5.13, ledger §10; a network in memory with deposits and a redemption; the chain, the
 * certificate and the report are changed one part at a time.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/commands/context.ts'
import type { Invocation } from '../../src/commands/definitions/command.ts'
import type { openSession } from '../../src/commands/session.ts'
import { verifyReserves } from '../../src/commands/verify-reserves.ts'
import { present } from '../../src/core/base/errors.ts'
import type { TipCertificate } from '../../src/core/ledger/interface/ledger-interface.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { ic } from '../../src/wallet/network.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { OneChain } from '../../src/wallet/reserve-coins.ts'
import { viewOfChain } from '../../src/wallet/reserve-coins.ts'
import { decodeReport } from '../../src/wallet/reserve-report.ts'
import { verifyTip } from '../../src/wallet/reserve-supply.ts'
import { judgeAgain } from '../../src/wallet/reserves.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const dev0 = devUser(0)
const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const { network, fetch } = net
const client = new Client({ network, fetch, signer: dev0 })
const file = join(desk.folder, 'report.json')

/** The command with this view of the chain. */
const against =
  (source: Partial<OneChain>) =>
  (invocation: Invocation, context: Context, open: typeof openSession) =>
    verifyReserves(invocation, context, open, async () => ({
      ...viewOfChain({ ...net.source, ...source }),
      trust: [{ source: 'embedded', label: 'own-node', notes: [] }],
      close: async () => undefined,
    }))
const honest = against({})

beforeAll(async () => {
  const { address } = await depositAddress(client, { owner: dev0.principal })
  net.pay(address, 50_000_000n)
  net.pay(address, 295n) // Too small to be credited.
  net.mine(6)
  await client.minter.updateBalance({ owner: dev0.principal })
  await client.ledger.approve({ spender: { owner: network.ids.minter }, amount: 20_000_000n })
  await client.minter.retrieve({ address: regtestWallet('recipient').address, amount: 20_000_000n })
  net.mine(1)
  net.mine(6)
  net.mine(1)
})
afterAll(() => desk.close())

describe('reserves that are there', () => {
  test('are shown with what was checked and what was trusted', async () => {
    const { out, err, exit } = await desk.run(honest)
    expect(exit).toBe(0)
    expect(err).toMatch(/Reserves: /)
    expect(out.split('\n')).toEqual([
      'Reserves on Bitcoin          0.30000300 BTC    1 coin, all found unspent at height 115',
      '  change in flight           0.00000000',
      '  not counted                0.00000295    too small to be credited, or in quarantine',
      'Supply on the ledger         0.29999890 ckBTC',
      '  owed to redeemers          0.00000000',
      '─'.repeat(44),
      'BACKED                       +410 sat  (fees kept by the minter)      100.0014 %',
      '',
      expect.stringMatching(
        /^Checked {3}\d+ events replayed · 1 of 1 addresses derived from the key · 1 of 1 coins on Bitcoin$/,
      ),
      'Trusted   ledger: last block certified by the network · event log: local · Bitcoin view: embedded chain',
      expect.stringContaining('Not shown whether fewer than the threshold'),
      '',
    ])
  })

  test('are one document', async () => {
    const { data, schema } = await desk.json(honest)
    expect(schema).toBe('ckbtc.verify-reserves.v1')
    expect(data).toMatchObject({
      verdict: 'backed',
      height: 115,
      supply_sat: 29_999_890,
      owed_sat: 0,
      reserves_confirmed_sat: 30_000_300,
      in_flight_sat: 0,
      excluded_sat: 295,
      surplus_sat: 410,
      ratio: 1.000014,
      coins: { total: 1, verified: 1, missing: 0, mismatched: 0 },
      report: null,
    })
    expect(data.checks.every((check: { ok: boolean }) => check.ok)).toBe(true)
    expect(data.trust[0]).toEqual({ what: 'supply', source: 'ledger', label: 'proved' })
  })

  test('are one word, or pairs for programs', async () => {
    expect((await desk.run(honest, { settings: { quiet: true } })).out).toBe('backed\n')
    const { out } = await desk.run(honest, { settings: { plain: true } })
    expect(out).toContain('surplus\t410 sat\n')
  })
})

describe('reserves that are not', () => {
  const spent = against({ output: async () => ({ type: 'spent' }) })

  test('fall short: the table, the error, the status', async () => {
    const { out, err, exit } = await desk.run(spent)
    expect(exit).toBe(8)
    expect(out).toContain('SHORTFALL                    -29999890 sat')
    expect(out).toContain('is spent on the chain')
    expect(err).toContain('the reserves are 29999890 sat short (RESERVES_SHORT)')
    const document = await desk.json(spent)
    expect(document).toMatchObject({
      ok: false,
      error: { code: 'RESERVES_SHORT', details: { verdict: 'shortfall', coins: { missing: 1 } } },
    })
  })

  test('may be missing as far as is tolerated; a contradiction stays one', async () => {
    const { err, exit } = await desk.run(spent, { options: { tolerance: '0.3btc' } })
    expect([exit, err.includes('RESERVES_MISMATCH')]).toEqual([8, true])
  })

  test.each<[string, object]>([
    ['another value', { value: 30_000_301n }],
    ['another script', { script: regtestWallet('payer').script }],
  ])('contradict the books with %s', async (_, change) => {
    const changed = against({
      output: async (outpoint) => ({ ...net.bitcoin.utxo(outpoint), ...change }) as never,
    })
    const { exit, out } = await desk.run(changed, { options: { tolerance: '1btc' } })
    expect(exit).toBe(8)
    expect(out).toMatch(/^MISMATCH/m)
  })

  test('are not judged while the views move, or without a view', async () => {
    let height = 0
    const moving = await desk.run(against({ height: async () => height++ }))
    expect([moving.exit, moving.err.includes('RESERVES_INCONCLUSIVE')]).toEqual([5, true])
    const elsewhere = new CommandDesk(net, { kind: 'custom', name: 'lab' })
    const unseen = await elsewhere.run((invocation, context, open) =>
      verifyReserves(invocation, context, open),
    )
    expect([unseen.exit, unseen.err.includes('no view of Bitcoin')]).toEqual([2, true])
    elsewhere.close()
    const keyless = new CommandDesk(net, { masterKeys: [] })
    expect((await keyless.run(honest)).exit).toBe(5)
    keyless.close()
  })
})

describe('a report', () => {
  const again = (text: string) => {
    writeFileSync(file, text)
    return desk.run(honest, { options: { report: file } })
  }
  let whole = ''

  beforeAll(async () => {
    expect((await desk.json(honest, { options: { out: file } })).data.report).toBe(file)
    whole = readFileSync(file, 'utf8')
  })

  test('leads to the same judgement offline', async () => {
    const live = (await desk.json(honest)).data
    writeFileSync(file, whole)
    const repeated = (await desk.json(honest, { options: { report: file } })).data
    expect(repeated).toEqual({
      ...live,
      report: file,
      bitcoin_label: 'server-said',
      trust: [
        ...live.trust.slice(0, 2),
        { ...live.trust[2], source: 'report', label: 'server-said' },
      ],
    })
  })

  test.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, -10)],
    ['empty', () => ''],
    ['longer', (text) => `${text}x`],
    ['of another version', (text) => text.replace('"version":1', '"version":2')],
    ['of another height', (text) => text.replace('"height":115', '"height":116')],
    ['of another verdict', (text) => text.replace('"backed"', '"shortfall"')],
    ['with another value', (text) => text.replace('"30000300"', '"30000301"')],
    ['with a field too many', (text) => text.replace('{', '{"more":1,')],
    ['with another digest', (text) => text.replace(/"digest":"../, '"digest":"00')],
    ['with a block that is none', (text) => text.replace(/"blocks":\["../, '"blocks":["00')],
    ['with spaces between', (text) => text.replace('{', '{ ')],
  ])('that is %s is damaged', async (_, change) => {
    const { exit, err } = await again(change(whole))
    expect([exit, err.includes('REPORT_DAMAGED')]).toEqual([8, true])
  })

  test('that is not there is no report', async () => {
    const { exit } = await desk.run(honest, { options: { report: join(desk.folder, 'none') } })
    expect(exit).toBe(2)
  })

  test('whose coin is left out is short, digest or not', async () => {
    const { views } = decodeReport(whole)
    expect((await judgeAgain({ ...views, outputs: [] }, {})).verdict).toBe('shortfall')
    const [first, ...blocks] = views.blocks
    expect((await judgeAgain({ ...views, blocks }, {})).verdict).toBe('mismatch')
    const twice = [present(first, 'a block'), ...views.blocks]
    expect((await judgeAgain({ ...views, blocks: twice }, {})).contradictions[0]).toContain(
      'block 1',
    )
    const events = views.events.slice(1)
    expect((await judgeAgain({ ...views, events }, {})).verdict).toBe('mismatch')
  })
})

describe('the certificate of the last block', () => {
  let tip: TipCertificate
  const check = { rootKey: net.rootKey, ledgerId: network.ids.ledger, now: client.now() }

  beforeAll(async () => {
    tip = present(await client.ledger.tipCertificate(), 'a tip')
  })

  const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
    const changed = Uint8Array.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed
  }

  test('names the block that the log ends with', async () => {
    const found = verifyTip(tip, check)
    expect(found).toMatchObject({ type: 'tip', index: (await client.blocks.length()) - 1n })
  })

  test('of an empty log is empty', async () => {
    const fresh = new NetworkUnderTest()
    const reader = new Client({ network: fresh.network, fetch: fresh.fetch })
    const empty = present(await reader.ledger.tipCertificate(), 'a tip')
    expect(verifyTip(empty, check)).toEqual({ type: 'empty' })
  })

  test.each<[string, () => readonly [TipCertificate, Partial<typeof check>]]>([
    ['another root key', () => [tip, { rootKey: ic.rootKey }]],
    ['another ledger', () => [tip, { ledgerId: network.ids.minter }]],
    [
      'a changed certificate',
      () => [{ ...tip, certificate: flipped(tip.certificate, tip.certificate.length - 3) }, {}],
    ],
    ['a changed tree', () => [{ ...tip, hashTree: flipped(tip.hashTree, 25) }, {}]],
    ['a cut tree', () => [{ ...tip, hashTree: tip.hashTree.slice(0, -1) }, {}]],
    ['an empty tree', () => [{ ...tip, hashTree: Uint8Array.of(0x81, 0) }, {}]],
    ['no bytes', () => [{ certificate: new Uint8Array(), hashTree: new Uint8Array() }, {}]],
    ['another time', () => [tip, { now: (client.now() + 600_000_000_000n) as never }]],
  ])('is refused with %s', (_, change) => {
    const [changed, more] = change()
    expect(() => verifyTip(changed, { ...check, ...more })).toThrow(
      expect.objectContaining({ code: 'NETWORK_BAD_CERTIFICATE' }),
    )
  })
})
