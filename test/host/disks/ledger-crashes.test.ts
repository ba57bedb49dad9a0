/**
 * Goal: whatever write a node dies at, and whatever is left of it, what users were told holds, and
 * the ledger is where its log leads. Method: a subnet of one node on a real store with random calls;
 * `npm run campaign:crashes` plays a thousand runs.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { installSha256 } from '../../../src/core/base/hash.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import type { Reply } from '../../../src/core/ledger/types.ts'
import { decodeItem } from '../../../src/core/subnet/items.ts'
import { nativeSha256 } from '../../../src/native/sha256.ts'
import type { User } from '../../../src/wallet/identity.ts'
import type { Asked } from '../../support/ledger-crashes/calls.ts'
import { accounts, envelopeOf, readReply, users } from '../../support/ledger-crashes/calls.ts'
import { CrashStore, crashKinds } from '../../support/ledger-crashes/crash-store.ts'
import { playCrashes } from '../../support/ledger-crashes/play.ts'
import type { Acknowledged } from '../../support/ledger-crashes/world.ts'
import { BEGIN, Life, ledgerId, newDirectory } from '../../support/ledger-crashes/world.ts'

const RUNS = 50
const SEED = 1_000

installSha256(nativeSha256) // As the program does.

describe('random calls and crashes', () => {
  const counts = new Map<string, number>()
  test(`ledger §20.144: in ${RUNS} runs from seed ${SEED} on, replies, balances and allowances are the model's`, () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const { counts: reached, wrong } = playCrashes(seed, 1)
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      for (const [what, times] of reached) counts.set(what, (counts.get(what) ?? 0) + times)
    }
  }, 300_000)

  test('every kind of crash was among them, and most calls were answered', () => {
    for (const kind of crashKinds) expect(counts.get(`crash: ${kind}`)).toBeGreaterThan(4)
    for (const place of ['pages', 'head'])
      expect(counts.get(`torn in its ${place}`)).toBeGreaterThan(1)
    expect(counts.get('reply ok')).toBeGreaterThan(1_000)
    expect(counts.get('answers told')).toBeGreaterThan(1_000)
    expect(counts.get('calls asked again')).toBeGreaterThan(50)
    expect(counts.get('flipped bit: refused')).toBeGreaterThan(3)
  })
})

describe('a call', () => {
  const directory = newDirectory()
  afterAll(() => directory.remove())
  const [minting, sender] = users.map((user) => present(user, 'a user'))
  let now: bigint = BEGIN
  let numbers = 0
  const told: Acknowledged = new Map()
  const second = present(accounts[2], 'an account')
  const transfer = (
    user: User,
    to: Account,
    amount: bigint,
    createdAtTime?: TimestampNs,
  ): Asked => ({
    user,
    call: { type: 'icrc1_transfer', arg: { to, amount, createdAtTime } },
  })
  const ask = (life: Life, asked: Asked): string =>
    life.call(envelopeOf(asked, { ledger: ledgerId, now: life.now, number: numbers++ }))
  const replyTo = (asked: Asked, id: string): Reply | undefined => {
    const reply = told.get(id)
    return reply && readReply(asked.call, reply)
  }

  /** A life of the node, which ends at the write of this number after `calls` have begun. */
  function live(calls: (life: Life) => void, crash?: { kind: 'after' | 'before' }): void {
    const store = new CrashStore(directory.path, undefined)
    const life = new Life(store, { now, told })
    life.settle()
    if (crash !== undefined) store.crashNext(crash.kind)
    calls(life)
    life.settle()
    expect(life.problems).toEqual([])
    expect(life.hasEnded).toBe(crash !== undefined)
    life.end()
    store.close()
    now = life.now + NS_PER_SECOND
  }

  beforeAll(() => {
    live((life) => {
      for (const to of accounts) ask(life, transfer(present(minting, 'who mints'), to, 100_000n))
    })
  })

  test('ledger §20.146: of many callers at once each has an index of its own, in the order of effects', () => {
    const asked = Array.from({ length: 24 }, (_, i) =>
      transfer(
        present(users[1 + (i % 3)], 'a user'),
        present(accounts[i % 6], 'one'),
        BigInt(100 + i),
      ),
    )
    const ids: string[] = []
    let order: readonly string[] = []
    live((life) => {
      ids.push(...asked.map((one) => ask(life, one)))
      const from = life.disk.log.position.next
      life.settle()
      for (let slot = from; slot < life.disk.log.position.next; slot++)
        for (const bytes of life.disk.log.read(slot)?.items ?? []) {
          const item = decodeItem(bytes)
          if (item.type === 'ingress')
            order = [...order, toHex(requestId(decodeEnvelope(item.envelope).content))]
        }
    })
    expect(order.toSorted()).toEqual(ids.toSorted())
    const replies = order.map((id) => replyTo(present(asked[ids.indexOf(id)], 'asked'), id))
    const indices = replies.flatMap((reply) => (reply?.type === 'ok' ? [reply.blockIndex] : []))
    expect(indices.length).toBeGreaterThan(8)
    expect(indices).toEqual(indices.map((_, i) => present(indices[0], 'one') + BigInt(i)))
  })

  test('ledger §20.147: whose answer was lost is, asked again after a restart, the duplicate it is', () => {
    const user = present(sender, 'a user')
    const asked = transfer(user, second, 1_234n, timestampNs(now))
    let id = ''
    live((life) => (id = ask(life, asked)), { kind: 'after' })
    expect(told.has(id)).toBe(false)
    let index: bigint | undefined
    live((life) => {
      const reply = life.node.replica.state.requests.get(id)?.reply
      const made = reply && readReply(asked.call, reply)
      index = made?.type === 'ok' ? made.blockIndex : undefined
      id = ask(life, asked)
    })
    expect(index).toBeDefined()
    const duplicate = { type: 'err', error: { type: 'duplicate', duplicateOf: index } }
    expect(replyTo(asked, id)).toEqual(duplicate)
    live((life) => (id = ask(life, asked)))
    expect(replyTo(asked, id)).toEqual(duplicate)
  })

  test('ledger §20.147: which never came to the log is, asked again, the first', () => {
    const user = present(sender, 'a user')
    const asked = transfer(user, second, 1_235n, timestampNs(now))
    let id = ''
    live((life) => (id = ask(life, asked)), { kind: 'before' })
    expect(told.has(id)).toBe(false)
    live((life) => (id = ask(life, asked)))
    expect(replyTo(asked, id)).toMatchObject({ type: 'ok' })
  })

  test('ledger §20.141: no answer leaves for what the disk does not take, nor after', () => {
    const user = present(sender, 'a user')
    const asked = transfer(user, second, 1_236n, timestampNs(now))
    const store = new CrashStore(directory.path, undefined)
    const life = new Life(store, { now, told })
    life.settle()
    store.crashNext('refused')
    const ids = [ask(life, asked)]
    life.settle()
    expect(life.hasEnded).toBe(true)
    ids.push(ask(life, { ...asked }))
    life.settle()
    life.end()
    store.close()
    now = life.now + NS_PER_SECOND
    expect(life.problems).toEqual([])
    expect(ids.filter((one) => told.has(one))).toEqual([])
    let id = ''
    live((next) => (id = ask(next, asked)))
    expect(replyTo(asked, id)).toMatchObject({ type: 'ok' })
  })
})
