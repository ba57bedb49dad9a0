/**
 * Goal: what moves value does it once, says what it did, and is stopped by every rail.
 * Method: cli §§3.10 to 3.12, 5.2, 5.4 to 5.6, 5.9; a network in memory with the real canisters, and
 * the journal on disk.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowance, approve } from '../../src/commands/approve.ts'
import { deposit } from '../../src/commands/deposit.ts'
import { redeem } from '../../src/commands/redeem.ts'
import { resume } from '../../src/commands/resume.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser, SecretKey } from '../../src/wallet/identity.ts'
import { Passphrase } from '../../src/wallet/keys/passphrase.ts'
import type { Operation } from '../../src/wallet/operations/operation.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { losingFetch } from '../support/losing-fetch.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const [dev0, dev1] = [devUser(0), devUser(1)]
const saver = new SecretKey('ed25519', new Uint8Array(32).fill(3))
const FEE = 10n
const net = new NetworkUnderTest()
const reader = new Client({ network: net.network, fetch: net.fetch })
const desks: CommandDesk[] = []
const recipient = regtestWallet('recipient').address
const balanceOf = (user: { readonly principal: Uint8Array }): Promise<bigint> =>
  reader.ledger.balanceOf({ owner: user.principal as typeof dev0.principal })

function deskWith(change: ConstructorParameters<typeof CommandDesk>[1] = {}): CommandDesk {
  const desk = new CommandDesk(net, change)
  desks.push(desk)
  return desk
}

/** A network whose bitcoin is worth something, and a key that it takes. */
async function realDesk() {
  const desk = deskWith({ kind: 'custom', name: 'mine', bitcoin: 'mainnet', nodeKeys: undefined })
  const passphrase = 'correct horse'
  await desk.keys.create('savings', { type: 'key', key: saver }, new Passphrase(passphrase))
  const passphraseFile = join(desk.folder, 'passphrase')
  writeFileSync(passphraseFile, `${passphrase}\n`)
  const globals = { key: 'savings', passphraseFile, input: false }
  const settings = (text: string): void => writeFileSync(join(desk.folder, 'config.json'), text)
  return { desk, globals, settings }
}

/** The desk's way to the network loses these calls, from now on. */
const lose = (desk: CommandDesk, ...losses: Parameters<typeof losingFetch>[1]): void => {
  desk.fetch = losingFetch(net.fetch, losses)
}

beforeAll(async () => {
  for (const user of [dev0, saver])
    net.pay((await depositAddress(reader, { owner: user.principal })).address, 100_000_000n)
  net.mine(6)
})
afterAll(() => {
  for (const desk of desks) desk.close()
})

const fact = (operation: Operation | undefined, name: string): string =>
  String(operation?.facts[name] ?? '')

const send = (amount: string, others: Readonly<Record<string, unknown>> = {}) => ({
  args: [amount],
  options: { to: 'dev1', ...others },
})

describe('ckbtc transfer', () => {
  test('sends, says in which block, and writes it down', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev1)
    const { out, err, exit } = await desk.run(transfer, send('0.001ckbtc', { memo: 'rent' }))
    const [operation] = desk.journal.all()
    expect([exit, err]).toEqual([0, expect.stringContaining('You keep')])
    expect(out).toBe(
      `✓ Sent 0.00100000 ckBTC  ledger block ${fact(operation, 'blockIndex')}   ${operation?.id}\n`,
    )
    expect(await balanceOf(dev1)).toBe(before + 100_000n)
    expect(operation).toMatchObject({
      kind: 'transfer',
      state: 'done',
      key: 'dev0',
      facts: { amountSat: '100000', feeSat: '10', memo: '72656e74' },
    })
  })

  test('prints one document, and nothing else, with --json', async () => {
    const desk = deskWith()
    const { out, err } = await desk.run(transfer, { ...send('1000sat'), settings: { json: true } })
    const { schema, data } = JSON.parse(out)
    expect([schema, err]).toEqual(['ckbtc.transfer.v1', ''])
    expect(data).toEqual({
      op: expect.stringMatching(/^op_[0-9A-HJKMNP-TV-Z]{10}$/),
      block_index: expect.any(Number),
      amount_sat: 1000,
      fee_sat: 10,
      from: textOfPrincipal(dev0.principal),
      to: textOfPrincipal(dev1.principal),
      memo: null,
      created_at_time_ns: expect.stringMatching(/^\d{19}$/),
      deduplicated: false,
    })
  })

  test('of all leaves nothing but the fee', async () => {
    const desk = deskWith()
    const { exit } = await desk.run(transfer, {
      ...send('all', { to: 'dev0' }),
      globals: { key: 'dev1' },
    })
    expect([exit, await balanceOf(dev1)]).toEqual([0, 0n])
  })

  test.each([
    ['more than there is', send('5ckbtc'), 'LEDGER_INSUFFICIENT_FUNDS', 7],
    ['nothing', send('0sat'), 'USAGE_INVALID', 2],
    ['an amount without a unit', send('5'), 'AMOUNT_NO_UNIT', 2],
    ['a Bitcoin address', send('5sat', { to: recipient }), 'DEST_IS_BITCOIN', 2],
    ['no receiver', { args: ['5sat'] }, 'USAGE_INVALID', 2],
    ['no account', send('5sat', { to: 'aaaaa-ab' }), 'ACCOUNT_INVALID', 2],
    ['a long memo', send('5sat', { memo: 'm'.repeat(81) }), 'USAGE_INVALID', 2],
    ['a wrong memo', send('5sat', { memo: '0xabc' }), 'USAGE_INVALID', 2],
  ])('of %s is refused, and nothing is written down', async (_, typed, code, exit) => {
    const desk = deskWith()
    const ran = await desk.run(transfer, { ...typed, settings: { json: true } })
    expect([JSON.parse(ran.out).error.code, ran.exit]).toEqual([code, exit])
    expect(desk.journal.all()).toEqual([])
  })

  test('as a dry run shows everything and sends and writes nothing', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev0)
    const { out, exit } = await desk.run(transfer, send('1000sat', { dryRun: true }))
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(/Fee +10 sat\n.*\nNothing was sent\.\n$/),
    ])
    expect([await balanceOf(dev0), desk.journal.all()]).toEqual([before, []])
  })
})

describe('a transfer whose answer is lost', () => {
  const lost = async (loss: 'answer' | 'request') => {
    const desk = deskWith()
    lose(desk, loss)
    const ran = await desk.run(transfer, { ...send('777sat'), settings: { json: true } })
    const { error } = JSON.parse(ran.out)
    expect([error.code, ran.exit]).toEqual(['OPERATION_UNKNOWN', 9])
    desk.fetch = net.fetch
    return { desk, op: String(error.details.op) }
  }

  test('is found again by status, where it arrived', async () => {
    const before = await balanceOf(dev1)
    const { desk, op } = await lost('answer')
    const { data } = await desk.json(status, { args: [op] })
    expect(data.operations[0]).toMatchObject({ op, state: 'done', needs_action: false })
    expect(await balanceOf(dev1)).toBe(before + 777n)
  })

  test('stays unknown while it may still be executed, and stops its repetition', async () => {
    const { desk, op } = await lost('request')
    const { error } = await desk.json(status, { args: [op] })
    expect(error).toMatchObject({ code: 'OPERATION_UNKNOWN', details: { op } })
    const { error: repeated } = await desk.json(transfer, send('777sat'))
    expect(repeated).toMatchObject({ code: 'CONSENT_DUPLICATE', details: { op, state: 'unknown' } })
    expect((await desk.run(transfer, send('777sat', { allowDuplicate: true }))).exit).toBe(0)
  })

  test.each(['answer', 'request'] as const)(
    'is ended by resume and paid once (%s)',
    async (loss) => {
      const before = await balanceOf(dev1)
      const { desk, op } = await lost(loss)
      const { exit } = await desk.run(resume, { args: [op] })
      expect([exit, await balanceOf(dev1)]).toEqual([0, before + 777n])
      expect(desk.journal.get(op)).toMatchObject({ state: 'done' })
    },
  )

  test('is ended by its idempotency key, and paid once', async () => {
    const before = await balanceOf(dev1)
    const desk = deskWith()
    const typed = send('778sat', { idempotencyKey: 'order-17' })
    lose(desk, 'answer')
    expect((await desk.run(transfer, typed)).exit).toBe(9)
    desk.fetch = net.fetch
    const { data } = await desk.json(transfer, typed)
    expect(data).toMatchObject({ amount_sat: 778, deduplicated: true })
    expect((await desk.json(transfer, typed)).data.block_index).toBe(data.block_index)
    expect(await balanceOf(dev1)).toBe(before + 778n)
    const { error } = await desk.json(transfer, send('779sat', { idempotencyKey: 'order-17' }))
    expect(error.code).toBe('USAGE_IDEMPOTENCY_MISMATCH')
  })
})

describe('where the money is real', () => {
  const to = textOfPrincipal(dev1.principal)
  const real = (amount: string, others = {}) => send(amount, { to, ...others })

  test('a yes is asked for, and --yes gives it', async () => {
    const { desk, globals } = await realDesk()
    const refused = await desk.run(transfer, { ...real('1000sat'), globals })
    expect([refused.exit, refused.err]).toEqual([3, expect.stringContaining('CONSENT_REQUIRED')])
    expect(refused.err).toMatch(/first time you send to this account\n.*first and last characters/s)
    expect(desk.journal.all()).toEqual([])
    const sent = await desk.run(transfer, {
      ...real('1000sat'),
      globals: { ...globals, yes: true },
    })
    expect(sent.exit).toBe(0)
  })

  test('the same again within minutes is refused, whatever --yes says', async () => {
    const { desk, globals } = await realDesk()
    const typed = { ...real('1001sat'), globals: { ...globals, yes: true } }
    expect((await desk.run(transfer, typed)).exit).toBe(0)
    const { error } = await desk.json(transfer, typed)
    expect(error.code).toBe('CONSENT_DUPLICATE')
    const again = { ...typed, options: { ...typed.options, allowDuplicate: true } }
    expect((await desk.run(transfer, again)).exit).toBe(0)
  })

  test('a large amount is typed again', async () => {
    const { desk, globals } = await realDesk()
    const yes = { ...globals, yes: true }
    const large = real('0.2ckbtc')
    expect((await desk.json(transfer, { ...large, globals: yes })).error.code).toBe(
      'CONSENT_REQUIRED',
    )
    const wrong = real('0.2ckbtc', { confirmAmount: '0.02ckbtc' })
    expect((await desk.json(transfer, { ...wrong, globals: yes })).error.code).toBe(
      'CONSENT_DECLINED',
    )
    const right = real('0.2ckbtc', { confirmAmount: '20000000sat' })
    expect((await desk.json(transfer, { ...right, globals: yes })).error).toBeUndefined()
  })

  test('nothing above the limit of the settings leaves', async () => {
    const { desk, globals, settings } = await realDesk()
    settings('{"version":1,"limits":{"mine":{"max_send":"5000sat"}}}')
    const typed = { ...real('5001sat'), globals: { ...globals, yes: true } }
    const { error } = await desk.json(transfer, typed)
    expect(error).toMatchObject({ code: 'RAIL_SPEND_LIMIT', details: { limit_sat: 5000 } })
  })

  test('fees above the cap are not paid, whatever --yes says', async () => {
    const { desk, globals } = await realDesk()
    const typed = { ...real('1000sat', { maxFee: '9sat' }), globals: { ...globals, yes: true } }
    const { error } = await desk.json(transfer, typed)
    expect(error).toMatchObject({
      code: 'RAIL_FEE_CAP',
      details: { fees_sat: 10, allowed_sat: 9 },
    })
    const share = { ...typed, options: { ...typed.options, maxFee: '1%' } }
    expect((await desk.json(transfer, share)).error).toBeUndefined()
  })

  test.each([
    ['a test key', { key: 'dev0' }, 'RAIL_TEST_KEY'],
    ['a key nobody opens', { passphraseFile: undefined }, 'KEY_LOCKED'],
  ])('%s does not sign', async (_, change, code) => {
    const { desk, globals } = await realDesk()
    const wrong = { ...globals, yes: true, ...change }
    const { error } = await desk.json(transfer, { ...real('1000sat'), globals: wrong })
    expect(error.code).toBe(code)
  })
})

describe('ckbtc approve and allowance', () => {
  const approving = (amount: string, others = {}) => ({
    args: [amount],
    options: { spender: 'dev1', ...others },
  })

  test('set an allowance, show it, and take it back', async () => {
    const desk = deskWith()
    const set = await desk.run(approve, approving('0.01ckbtc', { expiresIn: '1h' }))
    expect([set.exit, set.out]).toEqual([0, expect.stringMatching(/^✓ Allowed 0\.01000000 ckBTC/)])
    const [operation] = desk.journal.all()
    const hours = (Number(fact(operation, 'expiresAtNs')) / 1e6 - Date.now()) / 3_600_000
    expect(Math.round(hours * 10) / 10).toBe(1)
    const { data } = await desk.json(allowance, { options: { spender: 'dev1' } })
    expect(data).toMatchObject({ allowance_sat: 1000000, expires_at: expect.stringMatching(/Z$/) })
    const revoked = await desk.run(approve, approving('0sat'))
    expect(revoked.out).toMatch(/^✓ Revoked the allowance/)
    const none = await desk.json(allowance, { options: { spender: 'dev1' } })
    expect(none.data).toMatchObject({ allowance_sat: 0, expires_at: null })
  })

  test('warn of one without end', async () => {
    const desk = deskWith()
    const { data, warnings } = await desk.json(approve, approving('1sat'))
    expect(data.expires_at).toBe(null)
    expect(warnings).toMatchObject([{ code: 'APPROVAL_WITHOUT_END' }])
  })

  test('refuse where it is not what it was expected to be', async () => {
    const desk = deskWith()
    const { error } = await desk.json(approve, approving('5sat', { expected: '999sat' }))
    expect(error.code).toBe('LEDGER_ALLOWANCE_CHANGED')
    expect(desk.journal.all()).toEqual([])
  })

  test('are found again when the answer is lost, and made once by an idempotency key', async () => {
    const desk = deskWith()
    const typed = approving('4321sat', { idempotencyKey: 'a-1' })
    lose(desk, 'answer')
    expect((await desk.run(approve, typed)).exit).toBe(9)
    desk.fetch = net.fetch
    const length = await reader.blocks.length()
    expect((await desk.json(approve, typed)).data.allowance_sat).toBe(4321)
    expect(await reader.blocks.length()).toBe(length)
  })

  test('stay unknown while the call may still be executed', async () => {
    const desk = deskWith()
    const typed = approving('4322sat', { idempotencyKey: 'a-2' })
    lose(desk, 'request')
    expect((await desk.run(approve, typed)).exit).toBe(9)
    desk.fetch = net.fetch
    expect((await desk.json(approve, typed)).error.code).toBe('OPERATION_UNKNOWN')
    const { operations } = (await desk.json(status)).data
    expect(operations).toMatchObject([{ kind: 'approve', state: 'unknown' }])
  })
})

describe('ckbtc deposit', () => {
  test('shows address, conditions and how to follow, and leaves with --no-wait', async () => {
    const desk = deskWith()
    const { out, err, exit } = await desk.run(deposit, { options: { wait: false, qr: false } })
    const { address } = await depositAddress(reader, { owner: dev0.principal })
    expect([exit, out]).toEqual([0, `${address}\n`])
    expect(err).toMatch(/needs +6 confirmations\n/)
    expect(err).toMatch(/Follow it: ckbtc status op_\w+ --wait\n/)
    expect((await desk.json(status)).data.operations).toMatchObject([{ kind: 'deposit' }])
  })

  test('tells each step until the coin is minted', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev0)
    const { address } = await depositAddress(reader, { owner: dev0.principal })
    const running = desk.run(deposit, { options: { wait: true, qr: false } })
    await until(() => desk.journal.all().length > 0)
    net.pay(address, 5_000_000n)
    net.mine(1)
    await until(() => fact(desk.journal.all()[0], 'coins') !== '')
    net.mine(5)
    const { out, err, exit } = await running
    const [operation] = desk.journal.all()
    expect(exit).toBe(0)
    expect(err).toMatch(/seen +0\.05000000 BTC {2}tx [0-9a-f]{64}:\d/)
    expect(out).toMatch(/^✓ Minted 0\.0\d{7} ckBTC {2}\(fee \d+ sat\) {2}ledger block \d+/)
    expect(operation).toMatchObject({ state: 'done' })
    expect(await balanceOf(dev0)).toBe(before + BigInt(fact(operation, 'mintedSat')))
  })

  test('ends with --timeout, and is found by status', async () => {
    const desk = deskWith()
    const typed = { options: { wait: true, qr: false }, globals: { timeout: '1s' } }
    const { exit, err } = await desk.run(deposit, typed)
    expect([exit, err]).toEqual([6, expect.stringContaining('OPERATION_OPEN')])
    expect(desk.journal.all()).toMatchObject([{ kind: 'deposit', state: 'waiting' }])
  })
})

/** Looks again until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

describe('ckbtc redeem', () => {
  const redeeming = (amount: string, others = {}) => ({
    args: [amount],
    options: { to: recipient, wait: false, ...others },
  })

  test('burns, and is followed to its confirmation', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev0)
    const { out, err, exit } = await desk.run(redeem, redeeming('0.01ckbtc'))
    const [operation] = desk.journal.all()
    expect([exit, err]).toEqual([0, expect.stringContaining('this cannot be undone')])
    expect(out).toContain('✓ Burned 0.01000000 ckBTC')
    expect(await balanceOf(dev0)).toBe(before - 1_000_000n - FEE)
    expect(operation).toMatchObject({ state: 'waiting', facts: { amountSat: '1000000' } })
    // The minter looks when a slot ends: after the one that brought the blocks.
    for (const count of [6, 1]) net.mine(count)
    const wait = { args: [operation?.id ?? ''], options: { wait: true } }
    const { data } = await desk.json(status, wait)
    expect(data.operations[0]).toMatchObject({ state: 'done', stage: 'confirmed' })
  })

  test('leaves no allowance behind', async () => {
    const spender = { owner: net.network.ids.minter }
    const left = await reader.ledger.allowance({ owner: { owner: dev0.principal }, spender })
    expect(left.allowance).toBe(0n)
  })

  test('with --receive burns what the fees add', async () => {
    const desk = deskWith()
    const { data } = await desk.json(redeem, redeeming('0.02btc', { receive: true, dryRun: true }))
    expect(data).toMatchObject({ dry_run: true, arrives_sat: 2000000 })
    expect(desk.journal.all()).toEqual([])
  })

  test.each([
    ['less than the minimum', redeeming('100sat'), 'MINTER_BELOW_MINIMUM', 7],
    ['more than there is', redeeming('50ckbtc'), 'LEDGER_INSUFFICIENT_FUNDS', 7],
    ['an account', redeeming('0.01btc', { to: 'dev1' }), 'DEST_IS_ACCOUNT', 2],
    [
      'another network',
      redeeming('0.01btc', { to: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' }),
      'BTC_WRONG_NETWORK',
      2,
    ],
  ])('to or of %s is refused', async (_, typed, code, exit) => {
    const desk = deskWith()
    const ran = await desk.run(redeem, { ...typed, settings: { json: true } })
    expect([JSON.parse(ran.out).error.code, ran.exit]).toEqual([code, exit])
    expect(desk.journal.all()).toEqual([])
  })

  test('whose approval is approved and whose burn never left goes on with resume', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev0)
    lose(desk, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.011ckbtc'))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desk.fetch = net.fetch
    const op = String(error.details.op)
    const open = await desk.json(status, { args: [op] })
    expect(open.error.details).toMatchObject({ stage: 'approved', needs_action: true })
    const running = desk.run(resume, { args: [op] })
    await until(() => fact(desk.journal.get(op), 'burnBlockIndex') !== '')
    net.mine(6)
    expect([(await running).exit, await balanceOf(dev0)]).toEqual([0, before - 1_100_000n - FEE])
  })

  test('whose burn was executed and its answer lost is never burned again', async () => {
    const desk = deskWith()
    const before = await balanceOf(dev0)
    lose(desk, undefined, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.012ckbtc'))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desk.fetch = net.fetch
    const op = String(error.details.op)
    net.mine(6)
    expect((await desk.run(resume, { args: [op] })).exit).toBe(0)
    expect(await balanceOf(dev0)).toBe(before - 1_200_000n - FEE)
    expect(desk.journal.get(op)).toMatchObject({ state: 'done', facts: { stage: 'confirmed' } })
  })

  test('whose burn may still be executed is not burned by resume', async () => {
    const desk = deskWith()
    lose(desk, undefined, 'request')
    const { error } = await desk.json(redeem, redeeming('0.013ckbtc'))
    desk.fetch = net.fetch
    const before = await balanceOf(dev0)
    const resumed = await desk.json(resume, { args: [String(error.details.op)] })
    expect(resumed.error.code).toBe('OPERATION_UNKNOWN')
    expect(await balanceOf(dev0)).toBe(before)
  })

  test('with the same idempotency key is one redemption', async () => {
    const desk = deskWith()
    const typed = redeeming('0.014ckbtc', { idempotencyKey: 'r-1' })
    const before = await balanceOf(dev0)
    const first = await desk.json(redeem, typed)
    const second = await desk.json(redeem, typed)
    expect(second.data.burn_block_index).toBe(first.data.burn_block_index)
    expect(await balanceOf(dev0)).toBe(before - 1_400_000n - FEE)
  })
})

describe('ckbtc status', () => {
  test('says so where nothing is open, and knows every operation with --all', async () => {
    const desk = deskWith()
    expect((await desk.run(status)).out).toBe('No operation is open.\n')
    await desk.run(transfer, send('5sat'))
    expect((await desk.run(status)).out).toBe('No operation is open.\n')
    const { out } = await desk.run(status, { options: { all: true } })
    expect(out).toMatch(/^OP.*\nop_\w{10} +transfer +0\.00000005 ckBTC +done/)
  })

  test('finds redemptions that the journal does not know, by block and transaction', async () => {
    const made = deskWith()
    const { data } = await made.json(redeem, {
      args: ['0.015ckbtc'],
      options: { to: recipient, wait: false },
    })
    const other = deskWith()
    const { error } = await other.json(status, { args: [String(data.burn_block_index)] })
    expect(error).toMatchObject({ code: 'OPERATION_OPEN', details: { kind: 'redeem' } })
    expect(other.journal.all()).toEqual([])
  })

  test.each([['op_0000000000'], ['nonsense'], ['f'.repeat(64)]])('does not know %s', async (id) => {
    const { error } = await deskWith().json(status, { args: [id] })
    expect(error.code).toBe('USAGE_INVALID')
  })

  test('shows what the journal has while the network does not answer', async () => {
    const desk = deskWith()
    await desk.run(deposit, { options: { wait: false, qr: false } })
    desk.fetch = async () => {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
      })
    }
    const { data, warnings } = await desk.json(status)
    expect(data.operations).toMatchObject([{ kind: 'deposit' }])
    expect(warnings).toMatchObject([{ code: 'NETWORK_UNREACHABLE' }])
  })
})
