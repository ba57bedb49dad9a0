/**
 * What every decoder must do: round trip, refuse each prefix and trailing bytes, throw
 * `BadEncoding` alone.
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'

export function expectStrict<T>({
  bytes,
  decode,
  encode,
}: {
  readonly bytes: Uint8Array
  readonly decode: (bytes: Uint8Array) => T
  readonly encode: (value: T) => Uint8Array
}): void {
  expect(toHex(encode(decode(bytes)))).toBe(toHex(bytes))
  for (let size = 0; size < bytes.length; size++)
    expect(() => decode(bytes.subarray(0, size)), `prefix of ${size} bytes`).toThrow(BadEncoding)
  expect(() => decode(concat(bytes, Uint8Array.of(0)))).toThrow(BadEncoding)
}

/**
 * Random bytes, and `bytes` with some of them changed: the decoder refuses with `BadEncoding`, or
 * what it accepts encodes to the very bytes it was given.
 */
export function expectTotal<T>({
  bytes,
  decode,
  encode,
  runs = 300,
}: {
  readonly bytes: Uint8Array
  readonly decode: (bytes: Uint8Array) => T
  readonly encode: (value: T) => Uint8Array
  readonly runs?: number
}): void {
  const changes = fc.array(fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) }), {
    minLength: 1,
    maxLength: 4,
  })
  const mutated = changes.map((list) => {
    const copy = bytes.slice()
    for (const { at, to } of list) copy[at] = to
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (input) => {
      const value = attempt(() => decode(input)) // Any other error fails the property.
      if (!(value instanceof BadEncoding)) expect(toHex(encode(value))).toBe(toHex(input))
    }),
    { numRuns: runs },
  )
}
