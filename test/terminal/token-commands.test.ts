/**
 * Goal: a further token is paid, read and shown in its own units, and no call that was meant for one
 * ledger ever reaches another.
 * Method: cli §§3.1, 3.11, 5.3 to 5.9; a network in memory with ckBTC and two further tokens, of six
 * decimals and of none, on which every account has the same balances.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { allowance, approve } from '../../src/commands/approve.ts'
import { balance } from '../../src/commands/balance.ts'
import { exportHistory } from '../../src/commands/export.ts'
import { fees } from '../../src/commands/fees.ts'
import { history } from '../../src/commands/history.ts'
import { info } from '../../src/commands/info.ts'
import { resume } from '../../src/commands/resume.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { present } from '../../src/core/base/errors.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { Client } from '../../src/wallet/client.ts'
import { resumeTransfer } from '../../src/wallet/operations/transfer.ts'
import { inToken, tokenNamed, tokensOf } from '../../src/wallet/token.ts'
import type { CommandDesk, Typed } from '../support/command-desk.ts'
import { furtherTokenSettings } from '../support/further-tokens.ts'
import { dev0, dev1, fact, SpendingDesks, send } from '../support/spending-desks.ts'

const FEE = 250n
const xyz = furtherTokenSettings(
  { tokenSymbol: 'XYZ', decimals: 6, transferFee: FEE },
  100_000_000n,
)
const big = furtherTokenSettings(
  { tokenSymbol: 'Big', decimals: 0, transferFee: 1n, tokenWidth: 256 },
  2n ** 200n,
)
const desks = new SpendingDesks({ tokens: [xyz, big] })
const { network } = desks.net
const [own, xyzToken] = tokensOf(network)
const clientOf = (symbol: string): Client =>
  new Client({ network: inToken(network, tokenNamed(network, symbol)), fetch: desks.net.fetch })
const balanceIn = (symbol: string, { principal: owner } = dev1): Promise<bigint> =>
  clientOf(symbol).ledger.balanceOf({ owner })
const everywhere = () => Promise.all(['ckBTC', 'XYZ', 'Big'].map((symbol) => balanceIn(symbol)))

/** With `--token XYZ`. */
const inXyz = (typed: Typed = {}): Typed => ({
  ...typed,
  globals: { ...typed.globals, token: 'XYZ' },
})
const inBig = (typed: Typed = {}): Typed => ({ ...inXyz(typed), globals: { token: 'big' } })

beforeAll(() => desks.fund())
afterEach(() => desks.net.answers.clear())
afterAll(() => desks.close())

describe('ckbtc transfer --token', () => {
  test('moves the token alone, in its units', async () => {
    const desk = desks.open()
    const before = await everywhere()
    const ran = await desk.run(transfer, inXyz(send('1.5xyz')))
    expect([ran.exit, ran.out]).toEqual([
      0,
      expect.stringMatching(/^✓ Sent 1\.500000 XYZ {2}ledger block 1 {3}op_[0-9A-Z]{10}\n$/),
    ])
    expect(ran.err).toContain('  Send      1.500000 XYZ\n')
    expect(ran.err).toContain('  Fee       0.000250 XYZ\n')
    const after = await everywhere()
    expect(after.map((amount, at) => amount - (before[at] ?? 0n))).toEqual([0n, 1_500_000n, 0n])
  })

  test('is a document in units, and the journal names the ledger', async () => {
    const desk = desks.open()
    const { data } = await desk.json(transfer, inXyz(send('0.000001 XYZ')))
    expect(data).toMatchObject({
      token: { symbol: 'XYZ', decimals: 6 },
      amount_units: '1',
      fee_units: '250',
    })
    expect(JSON.stringify(data)).not.toContain('_sat')
    const [operation] = desk.journal.all()
    expect(operation?.facts).toMatchObject({
      token: 'XYZ',
      tokenDecimals: 6,
      tokenLedger: textOfPrincipal(present(xyzToken, 'a token').ledger),
      amountUnits: '1',
      feeUnits: '250',
    })
    // Whoever knows one ledger only finds nothing here to send.
    expect(Object.keys(operation?.facts ?? {}).filter((name) => /Sat$/.test(name))).toEqual([])
  })

  test('of all leaves nothing but the fee, whatever the size', async () => {
    const desk = desks.open()
    const most = 2n ** 200n - 1n
    const { data } = await desk.json(transfer, inBig(send('all', { dryRun: true })))
    expect(data).toMatchObject({ amount_units: String(most), balance_after_units: '0' })
    const sent = await desk.json(transfer, inBig(send('1000000000000000000000 big')))
    expect(sent.data.amount_units).toBe('1000000000000000000000')
    expect(await balanceIn('Big')).toBe(10n ** 21n)
  })

  test.each([
    ['1btc', 'AMOUNT_NO_UNIT'],
    ['1ckbtc', 'AMOUNT_NO_UNIT'],
    ['1000sat', 'AMOUNT_NO_UNIT'],
    ['5', 'AMOUNT_NO_UNIT'],
    ['5big', 'AMOUNT_NO_UNIT'],
    ['0.0000001xyz', 'AMOUNT_PRECISION'],
    ['1e3xyz', 'AMOUNT_FORMAT'],
    ['-1xyz', 'AMOUNT_FORMAT'],
    ['1,5xyz', 'AMOUNT_FORMAT'],
    ['0xyz', 'USAGE_INVALID'],
    [`${10n ** 72n}xyz`, 'AMOUNT_RANGE'],
  ])('refuses %s', async (amount, code) => {
    const { error } = await desks.open().json(transfer, inXyz(send(amount)))
    expect([error.code, error.exit]).toEqual([code, 2])
  })

  test('says in its own words that there is too little', async () => {
    const { error } = await desks.open().json(transfer, inXyz(send('1000xyz')))
    expect(error).toMatchObject({
      code: 'LEDGER_INSUFFICIENT_FUNDS',
      details: { token: { symbol: 'XYZ', decimals: 6 }, needed_units: '1000000250' },
    })
    expect(error.message).toMatch(
      /^balance is \d+\.\d{6} XYZ, the transfer needs 1000\.000250 XYZ$/,
    )
    expect(error.hint).toContain('ckbtc balance --token XYZ')
  })

  test('names the tokens that there are', async () => {
    const typed = { ...send('1abc'), globals: { token: 'abc' } }
    const { error } = await desks.open().json(transfer, typed)
    expect(error.code).toBe('USAGE_INVALID')
    expect(error.hint).toContain('ckBTC, XYZ, Big')
  })

  test('keeps to the fee that was allowed', async () => {
    const desk = desks.open()
    const over = await desk.json(transfer, inXyz(send('1xyz', { maxFee: '0.000249xyz' })))
    expect(over.error).toMatchObject({ code: 'RAIL_FEE_CAP', details: { fees_units: '250' } })
    expect((await desk.json(transfer, inXyz(send('1xyz', { maxFee: '0.00025xyz' })))).ok).toBe(true)
  })
})

/** One whose answer is lost, and a desk that works again. */
async function lost(amount: string, loss: 'answer' | 'request', options: object = {}) {
  const desk = desks.open()
  desks.lose(desk, loss)
  const { error } = await desk.json(transfer, inXyz(send(amount, { ...options })))
  expect(error.code).toBe('OPERATION_UNKNOWN')
  desks.mend(desk)
  return { desk, op: String(error.details.op) }
}

describe('a transfer of a token whose answer was lost', () => {
  test.each(['answer', 'request'] as const)(
    'is ended on its own ledger and nowhere else, without --token (%s)',
    async (loss) => {
      const before = await everywhere()
      const { desk, op } = await lost('0.7xyz', loss)
      const ended = await desk.json(resume, { args: [op] })
      expect(ended.data).toMatchObject({ op, state: 'done', amount_units: '700000' })
      const after = await everywhere()
      expect(after.map((amount, at) => amount - (before[at] ?? 0n))).toEqual([0n, 700_000n, 0n])
    },
  )

  test('is found by status on its own ledger', async () => {
    const { desk, op } = await lost('0.8xyz', 'answer')
    const listed = await desk.json(status)
    expect(listed.data.operations).toMatchObject([
      { op, state: 'done', token: { symbol: 'XYZ', decimals: 6 }, amount_units: '800000' },
    ])
    expect(fact(desk.journal.get(op), 'blockIndex')).not.toBe('')
  })

  test('is not another one with the same idempotency key on another ledger', async () => {
    const before = await everywhere()
    const { desk, op } = await lost('0.9xyz', 'request', { idempotencyKey: 'order-1' })
    for (const amount of ['all', '900000sat']) {
      const other = await desk.json(transfer, send(amount, { idempotencyKey: 'order-1' }))
      expect(other.error.code).toBe('USAGE_IDEMPOTENCY_MISMATCH')
    }
    expect(await everywhere()).toEqual(before)
    const again = await desk.json(transfer, inXyz(send('0.9xyz', { idempotencyKey: 'order-1' })))
    expect(again.data).toMatchObject({ op, amount_units: '900000' })
    const mismatch = await desk.json(
      transfer,
      inBig(send('900000big', { idempotencyKey: 'order-1' })),
    )
    expect(mismatch.error.code).toBe('USAGE_IDEMPOTENCY_MISMATCH')
  })

  test('is in nobody’s way on another ledger, and in the way on its own', async () => {
    const { desk } = await lost('0.3xyz', 'answer')
    expect((await desk.json(transfer, send('300000sat'))).ok).toBe(true)
    expect((await desk.json(transfer, inXyz(send('0.3xyz')))).error.code).toBe('CONSENT_DUPLICATE')
  })

  test.each([
    ['has another ledger there', { tokenLedger: textOfPrincipal(network.ids.minter) }],
    ['has other decimals there', { tokenDecimals: 5 }],
    ['has another name there', { token: 'ZZZ' }],
    ['is written down as none', { tokenLedger: 'nonsense' }],
  ])('goes nowhere where its token %s', async (_, facts) => {
    const before = await everywhere()
    const { desk, op } = await lost('0.4xyz', 'request')
    desk.journal.update(op, { facts })
    const { error } = await desk.json(resume, { args: [op] })
    expect([error.code, error.exit]).toEqual(['RAIL_CANISTER_MISMATCH', 10])
    expect((await desk.json(status)).warnings).toMatchObject([{ code: 'RAIL_CANISTER_MISMATCH' }])
    expect(desk.journal.get(op).state).toBe('unknown')
    expect(await everywhere()).toEqual(before)
  })

  test('is not sent by a program that has lost its way', async () => {
    const before = await everywhere()
    const { desk, op } = await lost('0.5xyz', 'request')
    const operation = desk.journal.get(op)
    const client = clientOf('Big').signedBy(dev0)
    const signal = new AbortController().signal
    const operating = {
      client,
      journal: desk.journal,
      key: 'dev0',
      account: { owner: dev0.principal },
      signal,
    }
    const outcome = await resumeTransfer(operating, operation)
    expect(outcome?.operation.state).toBe('done')
    const after = await everywhere()
    expect(after.map((amount, at) => amount - (before[at] ?? 0n))).toEqual([0n, 500_000n, 0n])
  })

  test('knows its token: another one cannot be named for it', async () => {
    const { desk, op } = await lost('0.6xyz', 'answer')
    const { error } = await desk.json(resume, inBig({ args: [op] }))
    expect([error.code, error.message]).toEqual(['USAGE_INVALID', `${op} is about XYZ, not "big"`])
  })
})

describe('ckbtc status', () => {
  test('shows operations of every token, or of the one that is named', async () => {
    const desk = desks.open()
    await desk.json(transfer, send('1000sat'))
    await desk.json(transfer, inXyz(send('2xyz')))
    const shown = async (typed: Typed) =>
      (await desk.run(status, { ...typed, options: { all: true } })).out
    const both = await shown({})
    expect(both).toContain('2.000000 XYZ')
    expect(both).toContain('0.00001000 ckBTC')
    expect(await shown(inXyz())).not.toContain('ckBTC')
    expect(await shown({ globals: { token: 'ckBTC' } })).not.toContain('XYZ')
  })

  test('takes the number of a block for one of the ledger that is named', async () => {
    const desk = desks.open()
    const { data } = await desk.json(transfer, inXyz(send('3xyz')))
    const args = [String(data.block_index)]
    const found = await desk.json(status, inXyz({ args }))
    expect(found.data.operations).toMatchObject([{ op: data.op }])
    expect((await desk.json(status, { args })).error.code).toBe('USAGE_INVALID')
  })
})

describe('what is read', () => {
  const desk = (): CommandDesk => desks.open()

  test('is a balance without bitcoin', async () => {
    const amount = await balanceIn('XYZ', dev0)
    const text = `${amount / 1_000_000n}.${String(amount % 1_000_000n).padStart(6, '0')} XYZ`
    const people = await desk().run(balance, inXyz())
    expect(people.out.trimEnd()).toMatch(new RegExp(`^${text} +local · dev0$`))
    expect((await desk().json(balance, inXyz())).data).toEqual({
      token: { symbol: 'XYZ', decimals: 6 },
      accounts: [
        {
          account: textOfPrincipal(dev0.principal),
          key: 'dev0',
          balance_units: String(amount),
          incoming_units: null,
          outgoing_units: null,
          spendable_units: String(amount),
        },
      ],
    })
    const plain = await desk().run(balance, inXyz({ settings: { plain: true } }))
    expect(plain.out).toContain(`\t${text}\t-\t-\n`)
  })

  test('is an allowance in its units', async () => {
    const own = desk()
    const typed = { args: ['2.5xyz'], options: { spender: 'dev1' } }
    const { data } = await own.json(approve, inXyz(typed))
    expect(data).toMatchObject({
      allowance_units: '2500000',
      previous_units: '0',
      fee_units: '250',
    })
    const shown = await own.run(allowance, inXyz({ options: { spender: 'dev1' } }))
    expect(shown.out).toBe('2.500000 XYZ   expires never\n')
    expect((await own.json(allowance, { options: { spender: 'dev1' } })).data.allowance_sat).toBe(0)
    const revoked = await own.json(approve, inXyz({ ...typed, args: ['0xyz'] }))
    expect(revoked.data).toMatchObject({ allowance_units: '0', previous_units: '2500000' })
    expect((await own.json(approve, inXyz({ ...typed, args: ['1sat'] }))).error.code).toBe(
      'AMOUNT_NO_UNIT',
    )
  })

  test('are fees and facts of its ledger', async () => {
    const { data } = await desk().json(fees, inXyz())
    expect(data).toMatchObject({ token: { symbol: 'XYZ' }, ledger_fee_units: '250' })
    expect((await desk().run(fees, inXyz())).out).toBe('Ledger transfer  0.000250 XYZ\n')
    expect((await desk().json(fees, inXyz({ args: ['1xyz'] }))).error.code).toBe('USAGE_INVALID')
    const facts = await desk().json(info, inXyz())
    expect(facts.data).toMatchObject({
      token: { symbol: 'XYZ', decimals: 6 },
      name: 'Token XYZ',
      ledger_fee_units: '250',
      canisters: [{ name: 'ledger' }, { name: 'index' }],
    })
    expect((await desk().run(info, inXyz())).out).toMatch(/Supply +\d+\.\d{6} XYZ\n/)
  })

  test('is a history of its own ledger, and a file of it', async () => {
    const own = desk()
    const { data } = await own.json(history, inXyz({ options: { reverse: true } }))
    expect(data.token).toEqual({ symbol: 'XYZ', decimals: 6 })
    expect(data.entries[0]).toMatchObject({ type: 'mint', amount_units: '100000000' })
    expect(data.entries[1]).toMatchObject({ amount_units: '-1500000', fee_units: '250' })
    expect((await own.run(history, inXyz())).out).toContain('0.000250 XYZ')
    const certified = await own.json(
      history,
      inXyz({ options: { certified: true, reverse: true } }),
    )
    expect(certified.data).toEqual(data)
    const out = join(own.folder, 'xyz.csv')
    await own.run(exportHistory, inXyz({ options: { out } }))
    const [head, ...rows] = readFileSync(out, 'utf8').trimEnd().split('\r\n')
    expect(head).toBe(
      'time_utc,network,token,account,type,direction,amount,amount_units,fee_units,counterparty,' +
        'block_index,memo_hex,reference,status',
    )
    expect(rows.at(-1)).toMatch(/,local,XYZ,[^,]+,mint,in,100\.000000,100000000,0,,0,,,done$/)
    const json = await own.run(exportHistory, inXyz({ options: { out: '-', format: 'json' } }))
    expect(JSON.parse(json.out).data).toMatchObject({
      token: { symbol: 'XYZ', decimals: 6 },
      entries: expect.arrayContaining([
        expect.objectContaining({ amount_units: '-1500000', reference: null }),
      ]),
    })
  })

  test.each([
    ['decimals', { decimals: 8 }],
    ['a symbol', { symbol: 'XYZ2' }],
  ])('is refused where the ledger has other %s than the descriptor says', async (_, change) => {
    const tokens = tokensOf(network).map((token) =>
      token.isFurther ? { ...token, ...change } : token,
    )
    const wrong = desks.open({ tokens })
    const typed = { ...send('1xyz'), globals: { token: 'symbol' in change ? 'XYZ2' : 'XYZ' } }
    const { error } = await wrong.json(transfer, typed)
    expect([error.code, wrong.journal.all()]).toEqual(['RAIL_CANISTER_MISMATCH', []])
    expect((await wrong.json(balance, typed)).error.code).toBe('RAIL_CANISTER_MISMATCH')
  })

  test('of ckBTC is the same, named or not', async () => {
    expect(own?.symbol).toBe('ckBTC')
    for (const command of [balance, history, allowance]) {
      const options = { spender: 'dev1' }
      const named = await desk().run(command, { options, globals: { token: 'ckbtc' } })
      expect(named).toEqual(await desk().run(command, { options }))
    }
  })
})

describe('who has the minting account', () => {
  const minter = { globals: { token: 'XYZ', key: 'dev4' } }

  test('mints by a transfer, without a fee, and knows it again after a lost answer', async () => {
    const before = await balanceIn('XYZ')
    const desk = desks.open()
    const shown = await desk.run(transfer, { ...send('5xyz', { dryRun: true }), ...minter })
    expect(shown.out).toContain('Mints')
    const { data } = await desk.json(transfer, { ...send('5xyz'), ...minter })
    expect(data).toMatchObject({ amount_units: '5000000', fee_units: '0' })
    desks.lose(desk, 'answer')
    const { error } = await desk.json(transfer, { ...send('6xyz'), ...minter })
    desks.mend(desk)
    const { op } = error.details
    const found = await desk.json(status, { args: [op] })
    expect(found.data.operations).toMatchObject([{ op, state: 'done' }])
    expect(await balanceIn('XYZ')).toBe(before + 11_000_000n)
  })

  test('burns what is sent to it, and whoever sends is told so', async () => {
    const supply = () => clientOf('XYZ').ledger.totalSupply()
    const before = await supply()
    const typed = inXyz({ args: ['2xyz'], options: { to: 'dev4' } })
    const { err, exit } = await desks.open().run(transfer, typed)
    expect(exit).toBe(0)
    expect(err).toContain('Burns')
    expect(await supply()).toBe(before - 2_000_000n)
  })
})
