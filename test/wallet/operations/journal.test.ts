import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/wallet/operations/journal.ts'

let folder: string
let path: string
let journal: Journal
let draws = 0

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-journal-'))
  path = join(folder, 'state', 'operations.jsonl')
  draws = 0
  const entropy = (size: number) => new Uint8Array(size).fill(draws++)
  journal = new Journal({ path, entropy, nowMs: () => 1_700_000_000_000 })
})
afterEach(() => rmSync(folder, { recursive: true }))

const plan = {
  kind: 'transfer',
  network: 'local',
  key: 'alice',
  account: 'aaaaa-aa',
  facts: { amountSat: '5', idempotencyKey: null },
} as const

it('remembers what was planned and what became of it', () => {
  const { id } = journal.begin(plan)
  expect(id).toMatch(/^op_[0-9A-Z]{10}$/)
  journal.update(id, { state: 'submitting', facts: { requestId: 'ab' } })
  journal.update(id, { state: 'done', facts: { blockIndex: '7' } })
  expect(journal.all()).toEqual([
    {
      ...plan,
      id,
      startedAt: '2023-11-14T22:13:20.000Z',
      updatedAt: '2023-11-14T22:13:20.000Z',
      state: 'done',
      facts: { amountSat: '5', idempotencyKey: null, requestId: 'ab', blockIndex: '7' },
    },
  ])
})

it('lists what is open, newest first, on one network', () => {
  const first = journal.begin(plan)
  const second = journal.begin(plan)
  const ended = journal.begin(plan)
  journal.begin({ ...plan, network: 'ic' })
  journal.update(ended.id, { state: 'cancelled' })
  expect(journal.open('local').map(({ id }) => id)).toEqual([second.id, first.id])
})

it('is for its owner alone', () => {
  journal.begin(plan)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('says how to find operations when there is none of the name', () => {
  expect(() => journal.get('op_0000000000')).toThrow(
    expect.objectContaining({ code: 'USAGE_INVALID', command: 'ckbtc status' }),
  )
})

it('loses nothing that was written when the last line is torn at any byte', () => {
  const { id } = journal.begin(plan)
  const whole = readFileSync(path)
  journal.update(id, { state: 'done' })
  const both = readFileSync(path)
  for (let end = whole.length; end < both.length; end++) {
    writeFileSync(path, both.subarray(0, end))
    expect(journal.get(id).state).toBe('planned')
    expect(journal.update(id, { state: 'waiting' }).state).toBe('waiting')
  }
})

describe('a file that is not the journal it should be', () => {
  const hostile: readonly (readonly [string, string])[] = [
    ['is no JSON', '{"v":1'],
    ['is a list', '[]'],
    ['is null', 'null'],
    ['has no version', '{"op":"op_0000000000","at":"x"}'],
    ['has an id with a path in it', '{"v":1,"op":"op_../../etc","at":"x"}'],
    ['has a state nobody knows', '{"v":1,"op":"op_0000000000","at":"x","state":"paid"}'],
  ]
  it.each(hostile)('is refused with its line when a line %s', (_, line) => {
    journal.begin(plan)
    appendFileSync(path, `${line}\n`)
    expect(() => journal.all()).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('line 2'),
      }),
    )
  })

  it('is not read when it is too large to be one', () => {
    journal.begin(plan)
    truncateSync(path, 5 * 2 ** 30)
    expect(() => journal.all()).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/too large/),
      }),
    )
  })

  it('is kept as it is when it is newer', () => {
    const { id } = journal.begin(plan)
    appendFileSync(path, '{"v":2,"op":"op_0000000000","at":"x"}\n')
    expect(() => journal.get(id)).toThrow(/use a newer ckbtc/)
  })
})
