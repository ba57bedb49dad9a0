/** What the minter is told of a chain that leaves and comes back. Source: minter §19 [H 15]. */
import { expect, it } from 'vitest'
import { TipWatch } from '../../../src/core/subnet/tip-watch.ts'

/** A chain that is named by its tip; only its own tip is on it. */
function watched() {
  const chain = {
    tipKey: 'a',
    isOnMainChain: (key: string | undefined) => key === chain.tipKey,
  }
  return { chain, watch: new TipWatch(chain, { tipSeen: 'a' }) }
}

const left = { type: 'blocksLeft' }
const changed = { type: 'bitcoinChanged', isReorganised: true }

it('of a chain that stands still nothing is said', () => {
  const { watch } = watched()
  expect([watch.beforeCall(), watch.atSlotEnd()]).toEqual([undefined, undefined])
})

it('a call is told of blocks that leave, and so is the end of the slot', () => {
  const { chain, watch } = watched()
  chain.tipKey = 'b'
  expect([watch.beforeCall(), watch.beforeCall()]).toEqual([left, undefined])
  expect([watch.atSlotEnd(), watch.atSlotEnd()]).toEqual([changed, undefined])
})

it('a chain that is back before the end of the slot has changed all the same', () => {
  const { chain, watch } = watched()
  chain.tipKey = 'b'
  expect(watch.beforeCall()).toEqual(left)
  chain.tipKey = 'a'
  expect(watch.beforeCall()).toEqual(left)
  expect(watch.atSlotEnd()).toEqual(changed)
  expect(watch.atSlotEnd()).toBeUndefined()
})
