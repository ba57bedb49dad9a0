/** Signs of life while something is waited for: `docs/spec/cli.md` §§3.5, 3.6. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { durationText, openProgress } from '../../src/terminal/progress.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

describe('without a terminal', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('every change of state is one line, and a minute of silence another', async () => {
    const { terminal, written } = await recordingTerminal()
    const progress = await openProgress(terminal)
    progress.show({ label: 'Deposit', text: '1/6 confirmations' })
    progress.show({ label: 'Deposit', text: '1/6 confirmations' })
    vi.advanceTimersByTime(59_999)
    expect(written.err).toBe('Deposit: 1/6 confirmations\n')
    vi.advanceTimersByTime(60_001)
    progress.tell('seen 0.5 BTC')
    progress.show({ label: 'Deposit', text: '2/6 confirmations' })
    progress.stop()
    vi.advanceTimersByTime(600_000)
    expect(written).toEqual({
      out: '',
      err: [
        'Deposit: 1/6 confirmations',
        'Deposit: 1/6 confirmations (1 min)',
        'Deposit: 1/6 confirmations (2 min)',
        'seen 0.5 BTC',
        'Deposit: 2/6 confirmations',
        '',
      ].join('\n'),
    })
  })
})

it('--quiet shows nothing', async () => {
  const { terminal, written } = await recordingTerminal({ quiet: true })
  const progress = await openProgress(terminal)
  progress.show({ label: 'Deposit', text: 'x' })
  progress.tell('line')
  expect(written.err).toBe('')
})

it('--progress json writes one document a line, on standard error, with --quiet too', async () => {
  const settings = { progress: 'json', quiet: true, json: true, network: 'testnet4' } as const
  const { terminal, written } = await recordingTerminal(settings)
  const progress = await openProgress(terminal)
  progress.show({ label: 'Deposit', text: '1/6', facts: { amountSat: 5n, confirmations: 1 } })
  progress.show({ label: 'Deposit', text: '1/6' })
  progress.tell('seen', { txid: 'ab' })
  progress.stop()
  const documents = written.err
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const common = { schema: 'ckbtc.progress.v1', network: 'testnet4', at: expect.any(String) }
  expect(documents).toEqual([
    { ...common, event: 'state', label: 'Deposit', text: '1/6', amount_sat: 5, confirmations: 1 },
    { ...common, event: 'line', text: 'seen', txid: 'ab' },
  ])
  expect(written.out).toBe('')
})

it.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3_599, '59 min'],
  [3_600, '1 h'],
  [7_500, '2 h 5 min'],
  [172_800, '2 d'],
])('%i seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text)
})
