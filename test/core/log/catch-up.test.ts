/** How slots of others are believed. Source: threshold §17.7, §21 (catch-up). */
import { describe, expect, it } from 'vitest'
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { hash32, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { CatchUp } from '../../../src/core/log/catch-up.ts'
import { encodeSlot, slotHash } from '../../../src/core/log/slot-codec.ts'

const [NODES, ME, INCARNATION] = [7, 6, 3n]
const genesis = hash32(new Uint8Array(32))

function chainOf(name: string): { contents: Uint8Array[]; hashes: Hash32[] } {
  const contents = [0, 1, 2, 3].map((number) =>
    encodeSlot({
      incarnation: INCARNATION,
      slot: {
        number: BigInt(number),
        time: timestampNs(BigInt(number)),
        proposers: [],
        items: [utf8(name)],
      },
    }),
  )
  const hashes: Hash32[] = []
  for (const content of contents) hashes.push(slotHash(hashes.at(-1) ?? genesis, content))
  return { contents, hashes }
}

const truth = chainOf('true')
const lie = chainOf('false')
const start = { next: 0n, previous: genesis }

function believing(nodes: readonly number[], hashes = truth.hashes): CatchUp {
  const catchUp = new CatchUp(NODES, INCARNATION)
  for (const node of nodes) catchUp.heard(node, 0n, hashes)
  return catchUp
}
const copies = (catchUp: CatchUp): readonly bigint[] => {
  const numbers: bigint[] = []
  for (let copy = catchUp.next(); copy !== undefined; copy = catchUp.next())
    numbers.push(copy.slot.number)
  return numbers
}

describe('catch-up answers', () => {
  it('with f equal hashes are not accepted, with f + 1 they are', () => {
    expect(believing([0, 1]).agreed(0n)).toBeUndefined()
    expect(believing([0, 1, 2]).agreed(0n)).toEqual(truth.hashes[0])
    const few = believing([0, 1])
    expect([few.take(0, truth.contents, start), few.hasCopies]).toEqual([true, false])
  })

  it('of one node count once, its newest', () => {
    const catchUp = believing([0, 1, 1, 1])
    expect(catchUp.agreed(0n)).toBeUndefined()
    catchUp.heard(2, 0n, lie.hashes)
    expect(catchUp.agreed(0n)).toBeUndefined()
    catchUp.heard(2, 0n, truth.hashes)
    expect(catchUp.agreed(0n)).toEqual(truth.hashes[0])
  })
})

describe('copies', () => {
  it('are taken as far as f + 1 nodes agree, and with their hash everything below it', () => {
    const catchUp = new CatchUp(NODES, INCARNATION)
    for (const node of [0, 1, 2]) catchUp.heard(node, 2n, truth.hashes.slice(2, 3))
    expect(catchUp.take(3, truth.contents, start)).toBe(true)
    expect(copies(catchUp)).toEqual([0n, 1n, 2n])
  })

  it('that differ from what f + 1 agree on are blamed, and those that do not decode', () => {
    const catchUp = believing([0, 1, 2])
    expect(catchUp.take(1, lie.contents, start)).toBe(false)
    expect(catchUp.take(1, [utf8('garbage')], start)).toBe(false)
    expect(catchUp.hasCopies).toBe(false)
  })

  it('are taken up to the first that is false', () => {
    const catchUp = believing([0, 1, 2])
    const [one = genesis, , three = genesis] = truth.contents
    expect(catchUp.take(1, [one, ...lie.contents.slice(1, 2), three], start)).toBe(false)
    expect(copies(catchUp)).toEqual([0n])
  })

  it('that come late or with a gap are no lie', () => {
    const catchUp = believing([0, 1, 2])
    const later = { next: 2n, previous: truth.hashes[1] ?? genesis }
    expect(catchUp.take(1, truth.contents.slice(0, 2), later)).toBe(true)
    expect(catchUp.hasCopies).toBe(false)
    expect(catchUp.take(1, truth.contents, later)).toBe(true)
    expect(copies(catchUp)).toEqual([2n, 3n])
    expect(catchUp.take(1, truth.contents.slice(3), later)).toBe(true)
    expect(catchUp.hasCopies).toBe(false)
  })

  it('of another time line are none', () => {
    const catchUp = new CatchUp(NODES, INCARNATION + 1n)
    for (const node of [0, 1, 2]) catchUp.heard(node, 0n, truth.hashes)
    catchUp.take(1, truth.contents, start)
    expect(catchUp.hasCopies).toBe(false)
  })
})

describe('who is asked', () => {
  it('is one holder at a time, another after an alarm or after a lie', () => {
    const catchUp = believing([ME, 0, 1])
    expect(catchUp.holderToAsk(0n, ME)).toBe(0)
    expect(catchUp.holderToAsk(0n, ME)).toBeUndefined()
    catchUp.take(0, lie.contents, start)
    expect(catchUp.holderToAsk(0n, ME)).toBe(1)
    catchUp.askAgain()
    expect(catchUp.holderToAsk(0n, ME)).toBe(0)
  })

  it('is not one that was silent while others answer', () => {
    const catchUp = believing([0, 1, 2])
    expect(catchUp.holderToAsk(0n, ME)).toBe(0)
    catchUp.askAgain()
    expect(catchUp.holderToAsk(0n, ME)).toBe(1)
    catchUp.take(1, truth.contents.slice(0, 2), start)
    expect(copies(catchUp)).toEqual([0n, 1n])
    expect(catchUp.holderToAsk(2n, ME)).toBe(1)
  })

  it('is nobody while f + 1 do not agree', () => {
    expect(believing([0, 1]).holderToAsk(0n, ME)).toBeUndefined()
  })
})
