/**
 * Goal: messages that come too early wait, and nobody fills the store.
 * Method: threshold specification §§17.8 rule 4, 23, over a ledger of real transcripts.
 */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { Complainer } from '../../../src/core/tecdsa/complainer.ts'
import { EarlyStore } from '../../../src/core/tecdsa/early-store.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
} from '../../../src/core/tecdsa/evidence.ts'
import { Receiver } from '../../../src/core/tecdsa/receiver.ts'
import { RunLedger } from '../../../src/core/tecdsa/run-ledger.ts'
import { keyContext, suites } from '../../../src/core/tecdsa/signer-config.ts'
import { firstStanding } from '../../../src/core/tecdsa/standing.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { bytesOf, makeNodes, suite } from '../../support/threshold.ts'

type Message = { readonly transcriptId: bigint; readonly name: string }

function setUp() {
  const ledger = new RunLedger({
    members: makeNodes(4).map(({ member }) => member),
    membershipVersion: 1n,
    subnetId: bytesOf('subnet'),
    suite,
    incarnation: 7n,
    kept: [],
  })
  const store = new EarlyStore<unknown, Message>(ledger, ({ name }) => name)
  const keep = (from: NodeIndex, transcriptId: bigint, name = 'a'): void =>
    store.keep(from, { transcriptId, name })
  const sizeOf = (id: bigint): number => store.take(id).length
  return { ledger, store, keep, sizeOf }
}

describe('the store of early messages', () => {
  test('gives back once what waits for a transcript, with its senders', () => {
    const { store, keep } = setUp()
    keep(1, 5n, 'a')
    keep(2, 5n, 'a')
    keep(1, 6n, 'a')
    expect(store.take(5n)).toEqual([
      { from: 1, message: { transcriptId: 5n, name: 'a' } },
      { from: 2, message: { transcriptId: 5n, name: 'a' } },
    ])
    expect([store.take(5n), store.ids()]).toEqual([[], [6n]])
  })

  test('keeps the first of two messages with one name', () => {
    const { keep, sizeOf } = setUp()
    for (let i = 0; i < 3; i++) keep(1, 5n, 'a')
    expect(sizeOf(5n)).toBe(1)
  })

  test('keeps 64 of each sender about one transcript', () => {
    const { keep, sizeOf } = setUp()
    for (let i = 0; i < 70; i++) keep(1, 5n, `${i}`)
    keep(2, 5n)
    expect(sizeOf(5n)).toBe(65)
  })

  test('keeps 64 unknown transcripts of each sender, and all that are open', () => {
    const { ledger, store, keep } = setUp()
    const open = Array.from({ length: 70 }, () => ledger.open({ type: 'random' }).parameters.id)
    for (const id of open) keep(1, id)
    for (let id = 1000n; id < 1070n; id++) keep(1, id)
    expect(store.ids()).toHaveLength(70 + 64)
    keep(2, 1069n)
    keep(1, 1069n)
    expect(store.take(1069n).map(({ from }) => from)).toEqual([2])
  })

  test('has no room for a transcript that is gone, and lets go of what waited for it', () => {
    const { ledger, store, keep } = setUp()
    const { id } = ledger.open({ type: 'random' }).parameters
    keep(1, id)
    keep(1, 1000n)
    ledger.drop(id)
    store.forget()
    expect(store.ids()).toEqual([1000n])
    keep(1, id)
    expect(store.ids()).toEqual([1000n])
  })

  test('says once whom to ask for what was let go, when nothing of theirs waits any more', () => {
    const { ledger, store, keep } = setUp()
    for (let id = 0n; id < 64n; id++) keep(1, id)
    keep(2, 70n)
    expect(store.missed()).toEqual([])
    keep(1, 64n)
    const open = () => ledger.open({ type: 'random' })
    for (let id = 0n; id < 63n; id++) open()
    expect(store.missed()).toEqual([])
    open()
    expect([store.missed(), store.missed()]).toEqual([[1], []])
  })
})

describe('early dealings', () => {
  test('that were let go are asked for again, once those that were kept had their turn', () => {
    const { ledger } = setUp()
    const { genesis, keys } = foundSubnet(4)
    const own = present(keys[0], 'a node')
    const frame = { genesis, keys: own, me: 0, ed25519: nativeEd25519, records: new Map() }
    const { roster } = firstStanding(genesis)
    const config = { ...frame, roster, mainKey: 'key_1', stockTarget: 0, creationMax: 1 }
    const context = { ...keyContext(config, 'ecdsa', suites.ecdsa), runs: ledger }
    const receiver = new Receiver(context, new Complainer(context))
    const offer = (dealer: NodeIndex, transcriptId: bigint): void => {
      const statement = { transcriptId, dealer, dealing: utf8('not looked at') }
      const content = dealingContent(context.prefix, statement)
      const signature = present(keys[dealer], 'a node').sign('dealing', content)
      receiver.accept(decodeSignedDealing(encodeSignedDealing({ ...statement, signature })))
    }
    for (let id = 0n; id < 65n; id++) offer(1, id)
    offer(2, 0n)
    expect(receiver.work()).toBeUndefined()
    for (let id = 0n; id < 64n; id++) ledger.drop(ledger.open({ type: 'random' }).parameters.id)
    receiver.forget()
    expect(receiver.work()).toEqual([{ type: 'send', to: 1, message: { type: 'resend' } }])
    expect(receiver.work()).toBeUndefined()
  })
})
