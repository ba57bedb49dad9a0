/** Own votes on disk: what a restart reads is what was written. Source: threshold §18.4. */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { Journal } from '../../../src/core/log/journal.ts'
import type { Said } from '../../../src/core/log/slot-round.ts'
import type { Vote } from '../../../src/core/log/vote.ts'

const INCARNATION = 5n
const term = (instance: number): Vote => ({ type: 'term', instance, value: 1 })
const said = (...votes: readonly Vote[]): Said => ({ votes, proposals: [], bodies: [] })
const body = { hash: sha256(utf8('body')), body: utf8('body') }

class Disk {
  readonly records = new Map<string, Uint8Array>([['other', utf8('part')]])

  journal(incarnation = INCARNATION): Journal {
    return new Journal(new Map(this.records), incarnation)
  }
  write(journal: Journal, slot: bigint, what: Said): readonly string[] {
    const records = journal.write(slot, what)
    for (const { key, value } of records) this.records.set(key, value)
    return records.map(({ key }) => key)
  }
}

test('a restart reads what was written, in that order', () => {
  const disk = new Disk()
  const journal = disk.journal()
  const first: Said = {
    votes: [{ type: 'initial', proposal: utf8('own') }, term(0)],
    proposals: [{ instance: 2, bytes: utf8('proposal') }],
    bodies: [body],
  }
  disk.write(journal, 7n, first)
  for (let i = 1; i < 12; i++) disk.write(journal, 7n, said(term(i)))
  disk.write(journal, 8n, said(term(99)))
  expect(disk.journal().read(7n)).toEqual({
    ...first,
    votes: [...first.votes, ...Array.from({ length: 11 }, (_, i) => term(1 + i))],
  })
  expect(disk.journal().read(9n)).toEqual(said())
})

test('numbers of lists never collide, after any number of restarts', () => {
  const disk = new Disk()
  const keys: string[] = []
  for (let life = 0; life < 4; life++) {
    const journal = disk.journal()
    for (const slot of [7n, 8n]) keys.push(...disk.write(journal, slot, said(term(life))))
  }
  expect(new Set(keys).size).toBe(keys.length)
  expect(disk.journal().read(8n).votes).toEqual([0, 1, 2, 3].map(term))
})

test('a body and a proposal are written once', () => {
  const disk = new Disk()
  const journal = disk.journal()
  const what = { ...said(term(0)), bodies: [body], proposals: [{ instance: 1, bytes: utf8('p') }] }
  expect(disk.write(journal, 7n, what)).toHaveLength(3)
  expect(disk.write(journal, 7n, what)).toHaveLength(1)
})

test('slots below are forgotten, those of other parts and time lines are not its', () => {
  const disk = new Disk()
  const journal = disk.journal()
  const keys = [7n, 8n, 0x100n].map((slot) => disk.write(journal, slot, said(term(0))))
  disk.write(disk.journal(6n), 3n, said(term(0)))
  expect(journal.forgetBelow(0x100n)).toEqual([...(keys[0] ?? []), ...(keys[1] ?? [])])
  expect(journal.forgetBelow(0x100n)).toEqual([])
  expect(journal.read(0x100n).votes).toEqual([term(0)])
  expect(disk.journal(6n).read(3n).votes).toEqual([term(0)])
})
