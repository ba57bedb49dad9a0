/** What a thread wrote into shared memory is there for the next one, whole transactions only. */
import { expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { HostDisk } from '../../../src/core/base/errors.ts'
import { newJournal, SharedStore } from '../../../src/host/store/shared-store.ts'
import type { Store } from '../../../src/host/store/store.ts'

const everything = (store: Store) => store.range({ prefix: new Uint8Array() })

function written(journal: SharedArrayBuffer): SharedStore {
  const store = new SharedStore(journal)
  store.transaction((writer) => {
    writer.put(utf8('kept'), new Uint8Array(100_000).fill(7))
    writer.put(utf8('dropped'), utf8('value'))
  })
  store.transaction((writer) => writer.remove(utf8('dropped')))
  store.transaction((writer) => writer.put(utf8('empty'), new Uint8Array()))
  return store
}

it('who opens it again finds every transaction, without the one before having closed it', () => {
  const journal = newJournal()
  const before = everything(written(journal))
  expect(before.map(({ value }) => value.length)).toEqual([0, 100_000])
  expect(everything(new SharedStore(journal))).toEqual(before)
})

it('what lies behind the end of the last whole transaction never was', () => {
  const journal = newJournal()
  const before = everything(written(journal))
  const [end] = new BigUint64Array(journal, 0, 1)
  const torn = new Uint8Array(journal, Number(end))
  torn.fill(0xff)
  expect(torn.length).toBeGreaterThan(0)
  const again = new SharedStore(journal)
  expect(everything(again)).toEqual(before)
  again.transaction((writer) => writer.put(utf8('next'), utf8('value')))
  expect(everything(new SharedStore(journal))).toEqual(everything(again))
})

it('a transaction for which there is no memory is refused, and nothing of it is kept', () => {
  const journal = newJournal(200_000)
  const store = written(journal)
  const before = everything(store)
  const large = (): void =>
    store.transaction((writer) => {
      writer.put(utf8('small'), utf8('value'))
      writer.put(utf8('large'), new Uint8Array(100_000))
    })
  expect(large).toThrow(HostDisk)
  expect(everything(store)).toEqual(before)
  expect(everything(new SharedStore(journal))).toEqual(before)
})
