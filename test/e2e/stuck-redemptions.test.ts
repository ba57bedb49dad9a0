/**
 * Goal: a redemption whose transaction nobody mines is paid by a replacement, or given back where it
 * cannot be replaced, and the wallet tells the whole story (cli §5.5, minter §14).
 * Method: one node in the process of the subnet; the minimum fee of its Bitcoin node is raised while it
 * runs, so that what the minter sends at 5 sat/vB is stuck; it replaces after seconds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { Home } from '../support/e2e-home.ts'

const home = new Home()
const { address } = regtestWallet('recipient')

beforeAll(() => {
  const set = [
    'minter.resubmission-delay=2s',
    'minter.process-period=1s',
    'minter.max-time-in-queue=1s',
  ]
  const options = '--ephemeral --nodes 1 --isolation inline --min-confirmations 1'
  const started = home.run(`subnet start ${options} ${set.map((one) => `--set ${one}`).join(' ')}`)
  expect(started.exit, started.err).toBe(0)
  // Three coins, so that a redemption of most of it needs all of them.
  const { address: deposit } = home.json('address')
  home.json(`bitcoin faucet 0.03btc --to ${deposit} --outputs 3`)
  home.untilSays('balance --quiet', '0.02999700 ckBTC')
})
afterAll(() => home.remove())

describe('a transaction that pays less than any block takes', () => {
  test('is replaced until one is mined, and the redemption tells of it', async () => {
    expect(home.json('bitcoin fee --minimum 20satvb').minimum_sat_per_vb).toBe(20)
    const redeeming = home.start(`redeem 0.005btc --to ${address}`)
    home.untilSays('events --type replaced_transaction', 'replaced by')
    const [{ op, detail }] = home.json('status').operations
    expect(detail.waits).toMatch(
      /^no block has the transaction yet; replaced with more fee from .* on/,
    )
    home.json('bitcoin fee 25satvb')
    const { exit, out, err } = await redeeming.end
    expect(exit, err).toBe(0)
    const sent = /Broadcast {3}tx ([0-9a-f]{64})/.exec(out)?.[1]
    const replacements = [...out.matchAll(/Replaced, with a higher fee {3}tx ([0-9a-f]{64}) {3}/g)]
    const last = replacements.at(-1)?.[1]
    expect(replacements.length).toBeGreaterThan(0)
    const told = home.run(`status ${op}`).out
    expect(told).toContain(`transaction    ${last}   25 sat/vB`)
    expect(told).toContain(`replaced       ${sent}`)
    const {
      txid,
      replaced_txids: replaced,
      fee_rate_msat_per_vb: rate,
    } = home.json(`status ${op}`).operations[0].detail
    expect({ txid, rate }).toEqual({ txid: last, rate: '25000' })
    expect(replaced.split(' ')).toContain(sent)
    expect(home.json(`bitcoin tx ${last}`).confirmations).toBeGreaterThan(0)
    expect(home.run('verify-reserves --quiet').out).toBe('backed\n')
  })

  test('with more inputs than are allowed by then is cancelled, and the ckBTC comes back', async () => {
    const before = home.json('balance').accounts[0].balance_sat
    home.json('bitcoin fee 5satvb')
    home.json('bitcoin fee --minimum 40satvb')
    const redeeming = home.start(`redeem 0.024btc --to ${address}`)
    home.untilSays('events --type sent_transaction', '3 inputs')
    home.json('subnet set minter.max-num-inputs-in-transaction=2')
    home.json('bitcoin fee 60satvb')
    const { exit, out, err } = await redeeming.end
    expect(exit).toBe(7)
    expect(out).toMatch(/! Cancelled {3}tx [0-9a-f]{64} {3}the ckBTC comes back when it is final/)
    expect(err).toContain('was given back: its transaction could not be relayed, and was cancelled')
    const after = home.json('balance').accounts[0].balance_sat
    expect(after).toBeGreaterThan(before - 50_000)
    expect(after).toBeLessThan(before)
    const events = home.run('events').out
    for (const words of ['cancelled by', '3 inputs are more than 2', 'redeem given back in mint'])
      expect(events).toContain(words)
    expect(home.run('verify-reserves --quiet').out).toBe('backed\n')
  })
})
