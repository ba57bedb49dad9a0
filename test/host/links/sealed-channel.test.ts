/** Messages of a link come whole, once and in order, or the link has ended. Performance R18. */
import { expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { SealedChannel } from '../../../src/host/links/sealed-channel.ts'

const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const pair = () =>
  [
    new SealedChannel({ send: one, receive: other }),
    new SealedChannel({ send: other, receive: one }),
  ] as const

it('gives what was sent, an empty message as well', () => {
  const [left, right] = pair()
  for (const text of ['first', '', 'third'])
    expect(right.open(left.seal(utf8(text)))).toEqual(utf8(text))
  expect(left.open(right.seal(utf8('back')))).toEqual(utf8('back'))
})

it('every bit of a message counts, and every byte', () => {
  const [left, right] = pair()
  const sealed = left.seal(utf8('message'))
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    const changed = sealed.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(right.open(changed)).toBeUndefined()
  }
  for (let size = 0; size < sealed.length; size++)
    expect(right.open(sealed.subarray(0, size))).toBeUndefined()
  expect(right.open(sealed)).toEqual(utf8('message'))
})

it('a repeated one, a later one and one of the other direction are none', () => {
  const [left, right] = pair()
  const [first, second] = [left.seal(utf8('first')), left.seal(utf8('second'))]
  expect(right.open(second)).toBeUndefined()
  expect(left.open(first)).toBeUndefined()
  expect(right.open(first)).toEqual(utf8('first'))
  expect(right.open(first)).toBeUndefined()
  expect(right.open(second)).toEqual(utf8('second'))
})
