import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Journal } from '../../../src/wallet/operations/journal.ts'
import { earlierWithKey } from '../../../src/wallet/operations/operating.ts'

let folder: string
let journal: Journal

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-operating-'))
  const entropy = (size: number) => new Uint8Array(size)
  journal = new Journal({ path: join(folder, 'operations.jsonl'), entropy, nowMs: () => 0 })
})
afterEach(() => rmSync(folder, { recursive: true }))

const same = { kind: 'transfer', facts: { to: 'bob', amountSat: '5' } } as const
const begun = () =>
  journal.begin({
    ...same,
    network: 'local',
    key: 'alice',
    account: 'aaaaa-aa',
    facts: { ...same.facts, idempotencyKey: 'invoice-7' },
  })

it('an idempotency key names the operation it was used for', () => {
  const operation = begun()
  expect(earlierWithKey({ journal, network: 'local' }, 'invoice-7', same)).toEqual(operation)
  expect(earlierWithKey({ journal, network: 'local' }, 'invoice-8', same)).toBeUndefined()
  expect(earlierWithKey({ journal, network: 'ic' }, 'invoice-7', same)).toBeUndefined()
  expect(earlierWithKey({ journal, network: 'local' }, undefined, same)).toBeUndefined()
})

it('an idempotency key is refused for anything else', () => {
  const { id } = begun()
  const others = [
    { ...same, kind: 'redeem' as const },
    { ...same, facts: { ...same.facts, to: 'eve' } },
    { ...same, facts: { ...same.facts, amountSat: '6' } },
  ]
  for (const other of others)
    expect(() => earlierWithKey({ journal, network: 'local' }, 'invoice-7', other)).toThrow(
      expect.objectContaining({
        code: 'USAGE_IDEMPOTENCY_MISMATCH',
        command: `ckbtc status ${id}`,
      }),
    )
})
