/**
 * Goal: where the money is real, every rail stops what it is there to stop.
 * Method: cli §§3.11, 3.12; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Context } from '../../src/commands/context.ts'
import { Options } from '../../src/commands/definitions/command.ts'
import type { openSession } from '../../src/commands/session.ts'
import { agree, openSpender } from '../../src/commands/spending.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { dev1, SpendingDesks, send } from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

describe('where the money is real', () => {
  const to = textOfPrincipal(dev1.principal)
  const real = (amount: string, others = {}) => send(amount, { to, ...others })

  test('a yes is asked for, and --yes gives it', async () => {
    const { desk, globals } = await desks.openReal()
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
    const { desk, globals } = await desks.openReal()
    const typed = { ...real('1001sat'), globals: { ...globals, yes: true } }
    expect((await desk.run(transfer, typed)).exit).toBe(0)
    const { error } = await desk.json(transfer, typed)
    expect(error.code).toBe('CONSENT_DUPLICATE')
    const again = { ...typed, options: { ...typed.options, allowDuplicate: true } }
    expect((await desk.run(transfer, again)).exit).toBe(0)
  })

  test.each([{ json: true }, { plain: true }, { quiet: true }])(
    'nobody is asked for a yes to what was not shown (%o)',
    async (settings) => {
      const { desk, globals } = await desks.openReal()
      let shown = ''
      const asking = async (_: unknown, context: Context, open: typeof openSession) => {
        const spender = openSpender(await open(context), context, undefined)
        const same = { kind: 'transfer', facts: {} } as const
        const summary = [['Send', '0.5 ckBTC']] as const
        const proposal = { same, amountSat: 1n, feesSat: 0n, summary, note: 'for good' }
        const answer = async (message: string): Promise<boolean> => {
          shown = message
          return true
        }
        await agree(spender, context, proposal, { options: new Options({}), answer })
      }
      const { err } = await desk.run(asking, { settings, globals })
      expect([shown, err]).toEqual(['Send it?', expect.stringMatching(/0\.5 ckBTC\n.*for good/s)])
    },
  )

  test('a ledger that another minter mints on is not spent on, whatever --yes says', async () => {
    const { desk, globals } = await desks.openReal()
    const method = ledgerInterface.icrc1_minting_account.result
    const arg = encodeArgs([method], [{ owner: dev1.principal }])
    desks.net.answers.set('icrc1_minting_account', { type: 'replied', arg })
    const typed = { ...real('1003sat'), globals: { ...globals, yes: true } }
    const { error } = await desk.json(transfer, typed)
    desks.net.answers.clear()
    expect([error.code, error.exit, desk.journal.all()]).toEqual(['RAIL_CANISTER_MISMATCH', 10, []])
  })

  test('a receiver is new until something has gone there', async () => {
    const { desk, globals } = await desks.openReal()
    const typed = { ...real('1002sat'), globals: { ...globals, yes: true } }
    const local = desk.journal.begin({
      kind: 'transfer',
      network: 'local',
      key: 'dev0',
      account: to,
      facts: { to },
    })
    desk.journal.update(local.id, { state: 'done' })
    const { fetch } = desk
    desk.fetch = async (input, init) => {
      if (!new Request(input, init).url.endsWith('/call')) return fetch(input, init)
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      })
    }
    expect((await desk.run(transfer, typed)).exit).toBe(5)
    desk.fetch = fetch
    expect((await desk.run(transfer, typed)).err).toContain('first time')
    const again = { ...typed, options: { ...typed.options, allowDuplicate: true } }
    expect((await desk.run(transfer, again)).err).not.toContain('first time')
  })

  test('a large amount is typed again', async () => {
    const { desk, globals } = await desks.openReal()
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
    const { desk, globals, settings } = await desks.openReal()
    settings('{"version":1,"limits":{"mine":{"max_send":"5000sat"}}}')
    const typed = { ...real('5001sat'), globals: { ...globals, yes: true } }
    const { error } = await desk.json(transfer, typed)
    expect(error).toMatchObject({ code: 'RAIL_SPEND_LIMIT', details: { limit_sat: 5000 } })
  })

  test('fees above the cap are not paid, whatever --yes says', async () => {
    const { desk, globals } = await desks.openReal()
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
    const { desk, globals } = await desks.openReal()
    const wrong = { ...globals, yes: true, ...change }
    const { error } = await desk.json(transfer, { ...real('1000sat'), globals: wrong })
    expect(error.code).toBe(code)
  })
})
