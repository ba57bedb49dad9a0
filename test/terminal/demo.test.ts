/**
 * Goal: what people and programs read of a demo is as `docs/spec/cli.md` §5.1 shows it.
 *
 * Method: the command runs with a story that reports the numbers of the specification's sample.
 */
import { describe, expect, it } from 'vitest'
import type { DemoEvent, DemoResult, DemoStep, RunDemo } from '../../src/commands/demo/types.ts'
import { demo } from '../../src/commands/demo.ts'
import {
  CheckFailed,
  Interrupted,
  ReservesMismatch,
  ReservesShort,
  UsageInvalid,
} from '../../src/core/base/errors.ts'
import { sat } from '../../src/core/base/units.ts'
import type { Settings } from '../../src/terminal/terminal.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const publicKey = `03b1${'0'.repeat(58)}e42c`
const txid = `7d0e${'0'.repeat(60)}`

const steps: readonly DemoStep[] = [
  { name: 'subnet', ok: true, ms: 3100, publicKey },
  {
    name: 'deposit-address',
    ok: true,
    ms: 12,
    address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  },
  { name: 'deposit', ok: true, ms: 1400, amountSat: sat(50000000n), txid, confirmations: 6 },
  {
    name: 'mint',
    ok: true,
    ms: 200,
    amountSat: sat(49999900n),
    feeSat: sat(100n),
    blockIndex: 0n,
  },
  {
    name: 'transfer',
    ok: true,
    ms: 100,
    amountSat: sat(10000000n),
    feeSat: sat(10n),
    to: 'dev1',
    blockIndex: 1n,
  },
  {
    name: 'redeem',
    ok: true,
    ms: 5800,
    amountSat: sat(20000000n),
    receivedSat: sat(19998995n),
    txid,
    confirmations: 6,
    signedBy: [1, 2, 4],
    blockIndex: 3n,
  },
  {
    name: 'reserves',
    ok: true,
    ms: 5,
    reservesSat: sat(30000300n),
    supplySat: sat(29999890n),
    owedSat: sat(0n),
    verdict: 'backed',
    surplusSat: 410n,
  },
]

/** Tells every step of the sample, then answers with `change` applied. */
function sample(change: Partial<DemoResult> = {}, notes: readonly string[] = []): RunDemo {
  return async ({ nodes }, observe) => {
    const told = change.steps ?? steps
    const events = told.flatMap((step): DemoEvent[] => [
      { type: 'step-started', name: step.name },
      ...(step.name === 'deposit' ? confirmations : []),
      { type: 'step-done', step },
    ])
    for (const event of events) observe(event)
    for (const text of notes) observe({ type: 'note', text })
    const result = { nodes, tolerates: 1, publicKey, durationMs: 12400, steps: told }
    return { ...result, verdict: 'backed', surplusSat: 410n, ...change }
  }
}

const confirmations: readonly DemoEvent[] = [1, 1, 2].map((count) => ({
  type: 'step-progress',
  name: 'deposit',
  text: `${count}/6 confirmations`,
}))

type Flags = Parameters<typeof demo>[0]

async function play(story: RunDemo, settings: Partial<Settings> = {}, flags: Flags = {}) {
  const { terminal, written } = await recordingTerminal(settings)
  const { signal } = new AbortController()
  const failure = await demo(flags, { terminal, signal }, async () => story).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { ...written, failure }
}

const rows = `ckbtc demo · 4 nodes, tolerates 1 faulty · nothing leaves this machine

 1 ✓ Subnet            4 nodes made one key together; no node knows it        3.1 s
                       key  03b1…e42c
 2 ✓ Deposit address   bcrt1qw508…xw7kygt080       derived from the key + your account
 3 ✓ Deposit           0.50000000 BTC  6/6 confirmations                      1.4 s
 4 ✓ Mint              0.49999900 ckBTC  (check fee 100 sat)                  0.2 s
 5 ✓ Transfer          0.10000000 ckBTC → dev1  (fee 10 sat)                  0.1 s
 6 ✓ Redeem            0.20000000 ckBTC burned → 0.19998995 BTC               5.8 s
                       signed by nodes 1 2 4, tx 7d0e…, confirmed
 7 ✓ Reserves          0.30000300 BTC hold 0.29999890 ckBTC     BACKED  +410 sat

Done in 12.4 s. Try it yourself:
  ckbtc demo --nodes 7
  ckbtc demo --chaos
`

describe('people', () => {
  it('read the sample of the specification on standard output', async () => {
    const { out, failure } = await play(sample())
    expect(failure).toBeUndefined()
    expect(out).toBe(rows)
  })

  it('read each change of state once on standard error, and what the key is worth', async () => {
    const { err } = await play(sample({}, ['node 3 stopped; the other three go on']))
    expect(err.split('\n')).toEqual([
      'ckbtc: note: all nodes are on this machine: the key is no secret from whoever controls it',
      'Subnet: making one key together',
      'Deposit address: asking the minter',
      'Deposit: paying on Bitcoin',
      'Deposit: 1/6 confirmations',
      'Deposit: 2/6 confirmations',
      'Mint: asking the minter to look',
      'Transfer: sending to dev1',
      'Redeem: burning and signing',
      'Reserves: counting both sides',
      'ckbtc: note: node 3 stopped; the other three go on',
      '',
    ])
  })

  it.each([
    ['1', '1 node, tolerates 0 faulty', '1 node made a key, and knows it'],
    ['3', '3 nodes, tolerates 0 faulty', '3 nodes made one key together; each of them knows it'],
    ['13', '13 nodes, tolerates 4 faulty', '13 nodes made one key together; no node knows it'],
  ])('are told who knows the key of %s nodes', async (nodes, opening, subnet) => {
    const { out, err } = await play(sample(), {}, { nodes })
    expect(out).toContain(opening)
    expect(out).toContain(subnet)
    expect(err.includes('every node knows the key')).toBe(Number(nodes) < 4)
  })

  it('read identifiers in full with --verbose', async () => {
    const { out } = await play(sample(), { verbose: 1 })
    expect(out).toContain(`key  ${publicKey}\n`)
    expect(out).toContain('bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080  derived')
    expect(out).toContain(`tx ${txid}, confirmed`)
  })

  it('read the verdict alone with --quiet', async () => {
    expect(await play(sample(), { quiet: true })).toMatchObject({
      out: 'BACKED +410 sat\n',
      err: '',
    })
  })

  it('see a failed step marked', async () => {
    const failed = steps.map((step) => (step.name === 'mint' ? { ...step, ok: false } : step))
    const { out, failure } = await play(sample({ steps: failed }))
    expect(out).toContain(' 4 ✗ Mint')
    expect(out).not.toContain('Done in')
    expect(failure).toBeInstanceOf(CheckFailed)
  })
})

describe('programs', () => {
  it('read one document', async () => {
    const { out, failure } = await play(sample(), { json: true })
    expect(failure).toBeUndefined()
    expect(out.endsWith('\n')).toBe(true)
    const { data, ...envelope } = JSON.parse(out)
    expect(envelope).toEqual({
      schema: 'ckbtc.demo.v1',
      ok: true,
      network: 'local',
      warnings: [{ code: 'KEY_ON_ONE_MACHINE', message: expect.any(String) }],
    })
    expect(data).toMatchObject({
      nodes: 4,
      tolerates: 1,
      public_key: publicKey,
      duration_ms: 12400,
      verdict: 'backed',
      surplus_sat: 410,
    })
    expect(data.steps.map(({ name }: { name: string }) => name)).toEqual([
      'subnet',
      'deposit-address',
      'deposit',
      'mint',
      'transfer',
      'redeem',
      'reserves',
    ])
    expect(data.steps[2]).toEqual({
      name: 'deposit',
      ok: true,
      ms: 1400,
      amount_sat: 50000000,
      txid,
      confirmations: 6,
    })
  })

  it('find nothing but the error on standard output when the story fails', async () => {
    const { out, failure } = await play(sample({ verdict: 'shortfall', surplusSat: -1n }), {
      json: true,
    })
    expect(out).toBe('')
    expect(failure).toBeInstanceOf(ReservesShort)
  })
})

describe('a verdict', () => {
  it('of a shortfall or a mismatch is a failure', async () => {
    const short = await play(sample({ verdict: 'shortfall', surplusSat: -7n }))
    expect(short.failure).toEqual(new ReservesShort(-7n))
    const mismatch = await play(sample({ verdict: 'mismatch' }))
    expect(mismatch.failure).toBeInstanceOf(ReservesMismatch)
  })
})

describe('options', () => {
  const unreachable: RunDemo = async () => {
    throw new RangeError('the story began')
  }

  it.each(['0', '41', 'x', '-1', '4.5', '04', '', '1e1', '100'])(
    'refuse --nodes %j before anything is printed',
    async (nodes) => {
      const { failure, out, err } = await play(unreachable, {}, { nodes })
      expect(failure).toBeInstanceOf(UsageInvalid)
      expect(out + err).toBe('')
    },
  )

  it.each(['1', '4', '40'])('accept --nodes %s', async (nodes) => {
    expect((await play(unreachable, {}, { nodes })).failure).toBeInstanceOf(RangeError)
  })

  it('allow --chaos only where a node may fail', async () => {
    const three = await play(unreachable, {}, { nodes: '3', chaos: true })
    expect(three.failure).toBeInstanceOf(UsageInvalid)
    const four = await play(unreachable, {}, { nodes: '4', chaos: true })
    expect(four.failure).toBeInstanceOf(RangeError)
  })

  it('reach the story', async () => {
    let seen: unknown
    const story: RunDemo = (options, observe) => {
      seen = { nodes: options.nodes, chaos: options.chaos }
      return sample()(options, observe)
    }
    await play(story, {}, { nodes: '7', chaos: true })
    expect(seen).toEqual({ nodes: 7, chaos: true })
  })
})

it('an abort ends the command with its reason', async () => {
  const { terminal } = await recordingTerminal()
  const ending = new AbortController()
  const untilAborted: RunDemo = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const run = demo({}, { terminal, signal: ending.signal }, async () => untilAborted)
  ending.abort(new Interrupted('SIGINT'))
  await expect(run).rejects.toBeInstanceOf(Interrupted)
})
