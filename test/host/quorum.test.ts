/** Answers of several nodes become one when enough of them are the same bytes. */
import { describe, expect, it } from 'vitest'
import { NoQuorum, Quorum } from '../../src/host/quorum.ts'

const yes = Uint8Array.of(1, 2)
const no = Uint8Array.of(1, 3)

/** What a promise has come to once all that is due now has run. */
function settled(promise: Promise<Uint8Array>): Promise<unknown> {
  const open = new Promise((resolve) => setImmediate(resolve, 'open'))
  return Promise.race([promise, open]).catch((error: unknown) => error)
}

describe('a quorum of two', () => {
  it('is open after one voice', async () => {
    const { promise, quorum } = Quorum.create(2)
    quorum.vote(0, yes)
    expect(await settled(promise)).toBe('open')
  })

  it('answers with what two nodes say', async () => {
    const { promise, quorum } = Quorum.create(2)
    quorum.vote(3, yes)
    quorum.vote(1, yes.slice())
    expect(await settled(promise)).toEqual(yes)
  })

  it('hears each node once, whether it repeats itself or changes its mind', async () => {
    const { promise, quorum } = Quorum.create(2)
    quorum.vote(0, yes)
    quorum.vote(0, yes)
    quorum.vote(0, no)
    quorum.vote(1, no)
    expect(await settled(promise)).toBe('open')
    quorum.vote(2, no)
    expect(await settled(promise)).toEqual(no)
  })

  it('does not add up different answers', async () => {
    const { promise, quorum } = Quorum.create(2)
    quorum.vote(0, yes)
    quorum.vote(1, no)
    quorum.vote(2, yes.slice(0, 1))
    expect(await settled(promise)).toBe('open')
  })

  it('keeps its answer whatever comes later', async () => {
    const { promise, quorum } = Quorum.create(2, 2)
    quorum.vote(0, yes)
    quorum.vote(1, yes)
    quorum.vote(2, no)
    quorum.vote(3, no)
    quorum.giveUp()
    expect(await settled(promise)).toEqual(yes)
  })

  it('rejects once all voters have spoken without agreement', async () => {
    const { promise, quorum } = Quorum.create(2, 3)
    quorum.vote(0, yes)
    quorum.vote(1, no)
    expect(await settled(promise)).toBe('open')
    quorum.vote(2, Uint8Array.of())
    expect(await settled(promise)).toBeInstanceOf(NoQuorum)
  })

  it('agrees on the last voice that there is', async () => {
    const { promise, quorum } = Quorum.create(2, 3)
    quorum.vote(0, yes)
    quorum.vote(1, no)
    quorum.vote(2, yes)
    expect(await settled(promise)).toEqual(yes)
  })

  it('rejects when it is given up', async () => {
    const { promise, quorum } = Quorum.create(2)
    quorum.vote(0, yes)
    quorum.giveUp()
    expect(await settled(promise)).toBeInstanceOf(NoQuorum)
  })
})
