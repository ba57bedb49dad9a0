/**
 * Goal: what the log decides for the signer follows from the log alone, and no presignature ever
 * serves twice.
 * Method: threshold specification §§9.1, 11.1, 12, 18.1, 18.3. The schedule trusts the evidence of
 * the dealings that it is given, so these have commitments of the right shape and nothing else.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { Bug, present } from '../../../src/core/base/errors.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import type { Operation } from '../../../src/core/tecdsa/parameters.ts'
import { collectionThreshold, receiverThreshold } from '../../../src/core/tecdsa/parameters.ts'
import type { EcdsaRuns } from '../../../src/core/tecdsa/recipe.ts'
import { ecdsaRecipe } from '../../../src/core/tecdsa/recipe.ts'
import type { SigningRequest } from '../../../src/core/tecdsa/request.ts'
import type { Run } from '../../../src/core/tecdsa/run.ts'
import { Schedule as AnySchedule } from '../../../src/core/tecdsa/schedule.ts'
import type { StockLimits } from '../../../src/core/tecdsa/stock.ts'
import { QUEUE_MAX } from '../../../src/core/tecdsa/stock.ts'
import type { Point } from '../../support/threshold.ts'
import { bytesOf, makeNodes, suite } from '../../support/threshold.ts'

type Schedule = AnySchedule<Point, EcdsaRuns<Point>>

const MAIN_KEY = 'key_1'
const INCARNATION = 0x1_0000_0007n

function makeSchedule({
  nodes = 1,
  kept = new Map(),
  ...limits
}: Partial<StockLimits> & {
  readonly nodes?: number
  readonly kept?: ReadonlyMap<string, Run>
} = {}): Schedule {
  return new AnySchedule({
    suite,
    recipe: ecdsaRecipe,
    members: makeNodes(nodes).map(({ member }) => member),
    membershipVersion: 1n,
    subnetId: bytesOf('subnet'),
    incarnation: INCARNATION,
    mainKey: MAIN_KEY,
    kept,
    stockTarget: 2,
    creationMax: 2,
    ...limits,
  })
}

const point = group.g.multiplyPublic(5n)
const masked = (operation: Operation): boolean =>
  operation.type === 'random' || operation.type === 'unmaskedTimesMasked'

/** A dealing for this run, whose evidence counts as checked. */
function dealingFor({ parameters }: Run, committed = point): Dealing {
  const isMasked = masked(parameters.operation)
  const points = Array(receiverThreshold(parameters)).fill(committed)
  return {
    ciphertext: {
      type: isMasked ? 'pairs' : 'single',
      ephemeralKey: point,
      popPublicKey: point,
      popProof: { challenge: 1n, response: 1n },
      ctexts: [],
    },
    commitment: { type: isMasked ? 'pedersen' : 'simple', points },
    proof: undefined,
  }
}

const signedFor = (transcriptId: bigint, dealer: number) => ({
  transcriptId,
  dealer,
  dealing: new Uint8Array(),
  signature: new Uint8Array(64),
  hash: hash32(bytesOf(`${transcriptId} of ${dealer}`)),
})

function deal(schedule: Schedule, id: bigint, dealer = 0): boolean {
  const run = present(schedule.run(id), 'a run of this schedule')
  return schedule.take(dealer, { signed: signedFor(id, dealer), dealing: dealingFor(run) })
}

/** Deals until the run is final. */
function finish(schedule: Schedule, id: bigint): void {
  const run = present(schedule.run(id), 'a run of this schedule')
  for (let dealer = 0; dealer < collectionThreshold(run.parameters); dealer++)
    expect(deal(schedule, id, dealer)).toBe(true)
  expect(run.transcript).toBeDefined()
}

const openIds = (schedule: Schedule): readonly bigint[] =>
  schedule.openRuns().map(({ parameters }) => parameters.id)

function finishAll(schedule: Schedule): void {
  for (let ids = openIds(schedule); ids.length > 0; ids = openIds(schedule))
    for (const id of ids) finish(schedule, id)
}

/** A schedule with its key, after one slot: presignatures are in creation. */
function keyed(limits: Parameters<typeof makeSchedule>[0] = {}): Schedule {
  const schedule = makeSchedule(limits)
  finish(schedule, 0n)
  finish(schedule, 1n)
  schedule.endSlot(0n)
  return schedule
}

const request = (name: string, keyName = MAIN_KEY): SigningRequest => ({
  id: bytesOf(`request ${name}`),
  key: { scheme: 'ecdsa', name: keyName },
  path: [],
  message: bytesOf(`message ${name}`),
  taprootRoot: undefined,
})

const operations = (schedule: Schedule): readonly string[] =>
  schedule.openRuns().map(({ parameters: { operation, id } }) => `${id} ${operation.type}`)

describe('the key', () => {
  test('is a random sharing, reshared in the open once it is final', () => {
    const schedule = makeSchedule()
    expect(operations(schedule)).toEqual(['0 random'])
    finish(schedule, 0n)
    expect(operations(schedule)).toEqual(['1 reshareOfMasked'])
    expect(schedule.run(1n)?.parameters.operation).toEqual({
      type: 'reshareOfMasked',
      input: schedule.run(0n)?.transcript,
    })
    expect(schedule.keyOf(MAIN_KEY)).toBeUndefined()
    finish(schedule, 1n)
    expect(schedule.keyOf(MAIN_KEY)?.id).toBe(1n)
    expect(schedule.finalKeys().get(MAIN_KEY)).toBe(schedule.run(1n))
  })

  test('comes before every presignature', () => {
    const schedule = makeSchedule()
    schedule.endSlot(0n)
    finish(schedule, 0n)
    schedule.endSlot(1n)
    expect(openIds(schedule)).toEqual([1n])
  })
})

describe('a transcript', () => {
  test.each([
    [1, 1, 1, 1],
    [4, 2, 2, 3],
    [5, 2, 2, 3],
    [7, 3, 3, 5],
  ])('of %i nodes takes %i dealings; of a reshare %i, of a product %i', (nodes, ...counts) => {
    const schedule = makeSchedule({ nodes, creationMax: 1 })
    const taken: number[] = []
    const countTaken = (id: bigint): void => {
      finish(schedule, id)
      taken.push(present(schedule.run(id), 'it is there').taken.size)
    }
    countTaken(0n)
    countTaken(1n)
    schedule.endSlot(0n)
    finish(schedule, 2n)
    finish(schedule, 3n)
    countTaken(4n)
    expect(taken).toEqual(counts)
  })

  test('takes one dealing of a dealer, and none once it is final', () => {
    const schedule = makeSchedule({ nodes: 4 })
    const run = present(schedule.run(0n), 'the first run')
    expect(deal(schedule, 0n, 3)).toBe(true)
    const first = run.taken.get(3)
    expect(deal(schedule, 0n, 3)).toBe(false)
    expect(run.taken.get(3)).toBe(first)
    expect(run.transcript).toBeUndefined()
    expect(deal(schedule, 0n, 1)).toBe(true)
    expect(run.transcript).toBeDefined()
    expect(deal(schedule, 0n, 2)).toBe(false)
    expect([...run.taken.keys()]).toEqual([3, 1])
  })

  test('that was never opened, or is gone, takes nothing', () => {
    const schedule = keyed({ stockTarget: 1 })
    const dealing = dealingFor(present(schedule.run(1n), 'the run of the key'))
    const take = (id: bigint): boolean => schedule.take(0, { signed: signedFor(id, 0), dealing })
    expect([take(99n), schedule.wasOpened(99n)]).toEqual([false, false])
    finishAll(schedule)
    schedule.enqueue(request('a'))
    schedule.endSlot(1n)
    schedule.complete(request('a').id)
    expect([take(2n), schedule.wasOpened(2n), schedule.run(2n)]).toEqual([false, true, undefined])
  })

  test('names time line and slot in its associated data', () => {
    const schedule = makeSchedule()
    const heightOf = (id: bigint) => schedule.run(id)?.parameters.sourceHeight
    expect(heightOf(0n)).toBe(0x7_0000_0000n)
    schedule.endSlot(0n)
    finish(schedule, 0n)
    finish(schedule, 1n)
    schedule.endSlot(1n)
    expect([heightOf(1n), heightOf(2n)]).toEqual([0x7_0000_0001n, 0x7_0000_0001n])
  })

  test('of the masked key is let go once the key itself is shared', () => {
    const schedule = makeSchedule()
    finish(schedule, 0n)
    expect(schedule.run(0n)).toBeDefined()
    finish(schedule, 1n)
    expect([schedule.run(0n), schedule.wasOpened(0n)]).toEqual([undefined, true])
    expect(schedule.run(1n)?.transcript).toBe(schedule.keyOf(MAIN_KEY))
  })
})

describe('a presignature', () => {
  test('starts with κ and λ; xλ follows λ, κλ follows both', () => {
    const schedule = keyed({ creationMax: 1 })
    expect(operations(schedule)).toEqual(['2 randomUnmasked', '3 random'])
    finish(schedule, 3n)
    expect(operations(schedule)).toEqual(['2 randomUnmasked', '4 unmaskedTimesMasked'])
    finish(schedule, 2n)
    expect(operations(schedule)).toEqual(['4 unmaskedTimesMasked', '5 unmaskedTimesMasked'])
    const inputsOf = (id: bigint) => {
      const operation = schedule.run(id)?.parameters.operation
      return operation?.type === 'unmaskedTimesMasked' && [operation.left.id, operation.right.id]
    }
    expect(inputsOf(4n)).toEqual([1n, 3n])
    expect(inputsOf(5n)).toEqual([2n, 3n])
  })

  test('waits for λ when κ is first, and opens each product once', () => {
    const schedule = keyed({ creationMax: 1 })
    finish(schedule, 2n)
    expect(operations(schedule)).toEqual(['3 random'])
    finish(schedule, 3n)
    finish(schedule, 4n)
    expect(operations(schedule)).toEqual(['5 unmaskedTimesMasked'])
    expect(schedule.stockOf(MAIN_KEY)).toBe(0)
    finish(schedule, 5n)
    expect([schedule.stockOf(MAIN_KEY), openIds(schedule)]).toEqual([1, []])
  })

  test('is made until the stock is full, a few at a time', () => {
    const schedule = keyed({ stockTarget: 5, creationMax: 2 })
    expect(openIds(schedule)).toHaveLength(4)
    schedule.endSlot(1n)
    expect(openIds(schedule)).toHaveLength(4)
    const stocks: number[] = []
    for (let slot = 2n; slot < 7n; slot++) {
      finishAll(schedule)
      stocks.push(schedule.stockOf(MAIN_KEY))
      schedule.endSlot(slot)
    }
    expect(stocks).toEqual([2, 4, 5, 5, 5])
    expect(openIds(schedule)).toEqual([])
  })

  test('is made beyond the stock for requests that wait', () => {
    const schedule = keyed({ stockTarget: 0, creationMax: 2 })
    expect(openIds(schedule)).toEqual([])
    schedule.enqueue(request('a'))
    schedule.endSlot(1n)
    expect(openIds(schedule)).toEqual([2n, 3n])
  })
})

describe('a pairing', () => {
  test('takes the complete presignature of smallest id, whichever was complete first', () => {
    const schedule = keyed()
    expect(openIds(schedule)).toEqual([2n, 3n, 4n, 5n])
    for (const id of [5n, 4n, 6n, 7n]) finish(schedule, id)
    expect(schedule.stockOf(MAIN_KEY)).toBe(1)
    for (const id of [2n, 3n, 8n, 9n]) finish(schedule, id)
    expect(schedule.stockOf(MAIN_KEY)).toBe(2)
    for (const name of ['a', 'b']) schedule.enqueue(request(name))
    const paired = schedule
      .endSlot(1n)
      .map(({ request: { id }, presignatureId, slot }) => [id, presignatureId, slot])
    expect(paired).toEqual([
      [request('a').id, 0n, 1n],
      [request('b').id, 1n, 1n],
    ])
  })

  test('does not wait for a presignature of smaller id that is in creation', () => {
    const schedule = keyed()
    for (const id of [5n, 4n, 6n, 7n]) finish(schedule, id)
    schedule.enqueue(request('a'))
    expect(schedule.endSlot(1n).map(({ presignatureId }) => presignatureId)).toEqual([1n])
  })

  test('is of one request with one presignature; the next request waits for the next one', () => {
    const schedule = keyed({ stockTarget: 1, creationMax: 1 })
    finishAll(schedule)
    for (const name of ['a', 'b']) schedule.enqueue(request(name))
    expect(schedule.endSlot(1n)).toHaveLength(1)
    expect([
      schedule.stockOf(MAIN_KEY),
      schedule.queued().length,
      schedule.pairings().length,
    ]).toEqual([0, 1, 1])
    expect(schedule.endSlot(2n)).toEqual([])
    finishAll(schedule)
    const [second] = schedule.endSlot(3n)
    expect([second?.presignatureId, second?.request.id]).toEqual([1n, request('b').id])
    expect(schedule.pairing(request('a').id)?.presignatureId).toBe(0n)
  })

  test('holds the transcripts that the request is signed with', () => {
    const schedule = keyed({ creationMax: 1 })
    finishAll(schedule)
    schedule.enqueue(request('a'))
    const [pairing] = schedule.endSlot(1n)
    const { kappa, lambda, kappaLambda, keyLambda } = present(pairing, 'paired').presignature
    expect([kappa, lambda, kappaLambda, keyLambda].map(({ parameters }) => parameters.id)).toEqual([
      2n,
      3n,
      5n,
      4n,
    ])
  })

  test('ends with its completion, and the presignature with it', () => {
    const schedule = keyed({ stockTarget: 1, creationMax: 1 })
    finishAll(schedule)
    schedule.enqueue(request('a'))
    schedule.endSlot(1n)
    schedule.complete(request('a').id)
    expect([schedule.pairings(), schedule.stockOf(MAIN_KEY)]).toEqual([[], 0])
    expect([2n, 3n, 4n, 5n].map((id) => schedule.run(id))).toEqual(Array(4).fill(undefined))
    expect(schedule.keyOf(MAIN_KEY)?.id).toBe(1n)
    expect(() => schedule.complete(request('a').id)).toThrow(Bug)
  })

  test('of one request id twice is a bug', () => {
    const schedule = keyed()
    finishAll(schedule)
    for (const _ of [1, 2]) schedule.enqueue(request('a'))
    expect(() => schedule.endSlot(1n)).toThrow(Bug)
  })
})

describe('the queue', () => {
  test('holds 20 requests, then says no until one is paired', () => {
    const schedule = keyed({ stockTarget: 1 })
    for (let i = 0; i < QUEUE_MAX; i++) expect(schedule.enqueue(request(`${i}`))).toBe(true)
    expect([QUEUE_MAX, schedule.enqueue(request('more'))]).toEqual([20, false])
    finishAll(schedule)
    schedule.endSlot(1n)
    expect([schedule.queued().length, schedule.enqueue(request('more'))]).toEqual([19, true])
  })

  test('is served in the order of the requests', () => {
    const schedule = keyed({ stockTarget: 0, creationMax: 1 })
    const names = ['c', 'a', 'b']
    for (const name of names) schedule.enqueue(request(name))
    const served: Uint8Array[] = []
    for (let slot = 1n; slot < 9n; slot++) {
      served.push(...schedule.endSlot(slot).map((pairing) => pairing.request.id))
      finishAll(schedule)
    }
    expect(served).toEqual(names.map((name) => request(name).id))
  })
})

describe('a key whose public key would be the identity', () => {
  test('is made again, under new ids', () => {
    const schedule = makeSchedule()
    finish(schedule, 0n)
    const run = present(schedule.run(1n), 'the resharing')
    schedule.take(0, { signed: signedFor(1n, 0), dealing: dealingFor(run, group.zero) })
    expect(schedule.keyOf(MAIN_KEY)).toBeUndefined()
    expect(operations(schedule)).toEqual(['2 random'])
    expect([schedule.run(0n), schedule.run(1n)]).toEqual([undefined, undefined])
    finish(schedule, 2n)
    finish(schedule, 3n)
    expect(schedule.keyOf(MAIN_KEY)?.id).toBe(3n)
  })
})

describe('another key', () => {
  const OTHER = 'test_key_1'
  const paired = (schedule: Schedule, slot: bigint) =>
    schedule.endSlot(slot).map((pairing) => [pairing.request.key.name, pairing.presignatureId])

  test('is made when it is first asked for, and once', () => {
    const schedule = keyed({ stockTarget: 0 })
    expect(openIds(schedule)).toEqual([])
    expect(schedule.holdKey(OTHER)).toBe(true)
    expect(operations(schedule)).toEqual(['2 random'])
    expect([schedule.holdKey(OTHER), schedule.enqueue(request('a', OTHER))]).toEqual([true, true])
    expect(operations(schedule)).toEqual(['2 random'])
    finish(schedule, 2n)
    finish(schedule, 3n)
    expect([schedule.keyOf(OTHER)?.id, schedule.keyOf(MAIN_KEY)?.id]).toEqual([3n, 1n])
    expect([...schedule.finalKeys().keys()]).toEqual([MAIN_KEY, OTHER])
  })

  test('has no stock: presignatures are made as requests need them', () => {
    const schedule = keyed({ stockTarget: 0 })
    schedule.holdKey(OTHER)
    finishAll(schedule)
    schedule.endSlot(1n)
    expect(openIds(schedule)).toEqual([])
    for (const name of ['a', 'b', 'c']) schedule.enqueue(request(name, OTHER))
    const served: (string | bigint)[][] = []
    for (let slot = 2n; slot < 9n; slot++) {
      served.push(...paired(schedule, slot))
      finishAll(schedule)
    }
    expect(served).toEqual([
      [OTHER, 0n],
      [OTHER, 1n],
      [OTHER, 2n],
    ])
    expect([openIds(schedule), schedule.stockOf(OTHER)]).toEqual([[], 0])
  })

  test('signs with presignatures of its own alone', () => {
    const schedule = keyed({ stockTarget: 1, creationMax: 1 })
    finishAll(schedule)
    schedule.enqueue(request('theirs', OTHER))
    expect(paired(schedule, 1n)).toEqual([])
    expect(schedule.stockOf(MAIN_KEY)).toBe(1)
    finishAll(schedule)
    schedule.endSlot(2n)
    finishAll(schedule)
    schedule.enqueue(request('mine'))
    const pairings = schedule.endSlot(3n)
    expect(pairings.map(({ request, key }) => [request.key.name, key.transcript])).toEqual([
      [MAIN_KEY, schedule.keyOf(MAIN_KEY)],
      [OTHER, schedule.keyOf(OTHER)],
    ])
    const inputs = pairings.map(({ presignature }) => presignature.keyLambda.parameters.operation)
    expect(
      inputs.map((operation) => operation.type === 'unmaskedTimesMasked' && operation.left),
    ).toEqual(pairings.map(({ key }) => key.transcript))
  })

  test('has a queue of its own', () => {
    const schedule = keyed({ stockTarget: 0 })
    for (let i = 0; i < QUEUE_MAX; i++) expect(schedule.enqueue(request(`${i}`, OTHER))).toBe(true)
    expect(schedule.enqueue(request('more', OTHER))).toBe(false)
    expect(schedule.enqueue(request('more'))).toBe(true)
    expect(schedule.queued().length).toBe(QUEUE_MAX + 1)
  })

  test.each(['', 'key_2', 'KEY_1', '__proto__'])('called %j is not offered', (name) => {
    const schedule = keyed({ stockTarget: 0 })
    expect([schedule.holdKey(name), schedule.enqueue(request('a', name))]).toEqual([false, false])
    expect([openIds(schedule), schedule.queued().length, schedule.keyOf(name)]).toEqual([
      [],
      0,
      undefined,
    ])
  })
})

describe('keys that are kept', () => {
  const first = keyed({ stockTarget: 1 })
  first.holdKey('test_key_1')
  finishAll(first)
  const kept = first.finalKeys()
  const again = makeSchedule({ stockTarget: 1, kept })

  test('are there from the start, and of presignatures only the first are in creation', () => {
    for (const name of [MAIN_KEY, 'test_key_1']) expect(again.keyOf(name)).toBe(first.keyOf(name))
    expect(operations(again).map((text) => text.split(' ')[1])).toEqual([
      'randomUnmasked',
      'random',
    ])
    expect([again.stockOf(MAIN_KEY), again.pairings()]).toEqual([0, []])
  })

  test('leave their ids to themselves', () => {
    const ids = [...kept.values()].map(({ parameters }) => parameters.id)
    const highest = ids.reduce((a, b) => (a > b ? a : b))
    expect(openIds(again)[0]).toBe(highest + 1n)
    expect(again.wasOpened(highest)).toBe(true)
  })

  test('that are not all of them are completed', () => {
    const other = new Map([...kept].filter(([name]) => name !== MAIN_KEY))
    const schedule = makeSchedule({ kept: other })
    expect(operations(schedule).map((text) => text.split(' ')[1])).toEqual(['random'])
  })
})

describe('whatever the log brings', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('ask' as const), key: fc.constantFrom(MAIN_KEY, 'test_key_1') }),
    fc.record({ type: fc.constant('slot' as const) }),
    fc.record({ type: fc.constant('answer' as const), which: fc.nat(9) }),
    fc.record({ type: fc.constant('deal' as const), which: fc.nat(20) }),
  )

  test('ids are never used again and no presignature serves two requests', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 150 }), (steps) => {
        const schedule = keyed()
        const presignatures: bigint[] = []
        const transcripts = new Map<bigint, Run>()
        let [slot, asked] = [1n, 0]
        for (const taken of steps) {
          if (taken.type === 'ask') schedule.enqueue(request(`${asked++}`, taken.key))
          if (taken.type === 'slot')
            presignatures.push(...schedule.endSlot(slot++).map((pair) => pair.presignatureId))
          const pairings = schedule.pairings()
          const answered = taken.type === 'answer' && pairings[taken.which % pairings.length]
          if (answered) schedule.complete(answered.request.id)
          const open = openIds(schedule)
          const dealt = taken.type === 'deal' ? open[taken.which % open.length] : undefined
          if (dealt !== undefined) finish(schedule, dealt)
          for (const run of schedule.openRuns()) {
            const { id } = run.parameters
            expect(transcripts.get(id) ?? run).toBe(run)
            transcripts.set(id, run)
          }
        }
        expect(new Set(presignatures).size).toBe(presignatures.length)
      }),
      { numRuns: 60 },
    )
  })
})
