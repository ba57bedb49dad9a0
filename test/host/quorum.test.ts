/** Answers of several nodes become one when enough of them are the same bytes. */
import { describe, expect, it } from 'vitest'
import { Quorum } from '../../src/host/quorum.ts'

const yes = Uint8Array.of(1, 2)
const no = Uint8Array.of(1, 3)

/** What a promise has come to once all that is due now has run. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  const open = new Promise((resolve) => setImmediate(resolve, 'open'))
  return Promise.race([promise, open]).catch((error: unknown) => error)
}

describe('a quorum of two', () => {
  it('is open after one voice', async () => {
    const quorum = new Quorum(2)
    quorum.vote(0, yes)
    expect(await settled(quorum.answer)).toBe('open')
  })

  it('answers with what two nodes say', async () => {
    const quorum = new Quorum(2)
    quorum.vote(3, yes)
    quorum.vote(1, yes.slice())
    expect(await settled(quorum.answer)).toEqual(yes)
  })

  it('hears each node once, whether it repeats itself or changes its mind', async () => {
    const quorum = new Quorum(2)
    quorum.vote(0, yes)
    quorum.vote(0, yes)
    quorum.vote(0, no)
    quorum.vote(1, no)
    expect(await settled(quorum.answer)).toBe('open')
    quorum.vote(2, no)
    expect(await settled(quorum.answer)).toEqual(no)
  })

  it('does not add up different answers', async () => {
    const quorum = new Quorum(2)
    quorum.vote(0, yes)
    quorum.vote(1, no)
    quorum.vote(2, yes.slice(0, 1))
    expect(await settled(quorum.answer)).toBe('open')
  })

  it('keeps its answer whatever comes later', async () => {
    const quorum = new Quorum(2, [0, 1])
    quorum.vote(0, yes)
    quorum.vote(1, yes)
    quorum.vote(2, no)
    quorum.vote(3, no)
    quorum.giveUp()
    expect(await settled(quorum.answer)).toEqual(yes)
  })

  it('has none once all voters have spoken without agreement', async () => {
    const quorum = new Quorum(2, [0, 1, 2])
    quorum.vote(0, yes)
    quorum.vote(1, no)
    expect(await settled(quorum.answer)).toBe('open')
    quorum.vote(2, Uint8Array.of())
    expect(await settled(quorum.answer)).toBeUndefined()
  })

  it('agrees on the last voice that there is', async () => {
    const quorum = new Quorum(2, [0, 1, 2])
    quorum.vote(0, yes)
    quorum.vote(1, no)
    quorum.vote(2, yes)
    expect(await settled(quorum.answer)).toEqual(yes)
  })

  it('has none when it is given up', async () => {
    const quorum = new Quorum(2)
    quorum.vote(0, yes)
    quorum.giveUp()
    expect(await settled(quorum.answer)).toBeUndefined()
  })

  it('does not wait for a node that was ended, nor for anybody when there is nobody', async () => {
    const quorum = new Quorum(2, [0, 1, 2])
    quorum.vote(0, yes)
    quorum.abstain(1)
    expect(await settled(quorum.answer)).toBe('open')
    quorum.abstain(2)
    expect(await settled(quorum.answer)).toBeUndefined()
    expect(await settled(new Quorum(2, []).answer)).toBeUndefined()
  })
})
