/**
 * Goal: a request is executed once while it is valid, and forgotten afterwards.
 * Method: IC interface §6.1.
 */
import { expect, test } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { IngressHistory } from '../../../src/core/subnet/ingress-history.ts'

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const at = (ns: bigint) => timestampNs(ns)

test('a request id is new once, up to and at its expiry', () => {
  const history = new IngressHistory()
  expect(history.first(id(1), at(10n), at(5n))).toBe(true)
  for (const now of [5n, 9n, 10n]) expect(history.first(id(1), at(10n), at(now))).toBe(false)
  expect(history.first(id(2), at(10n), at(10n))).toBe(true)
})

test('a request id is forgotten once it has expired', () => {
  const history = new IngressHistory()
  history.first(id(1), at(10n), at(5n))
  expect(history.first(id(1), at(30n), at(11n))).toBe(true)
  expect(history.first(id(1), at(30n), at(12n))).toBe(false)
})

test('a request that is valid for long keeps those behind it, and lets none in twice', () => {
  const history = new IngressHistory()
  history.first(id(1), at(100n), at(0n))
  history.first(id(2), at(10n), at(0n))
  expect(history.first(id(2), at(10n), at(10n))).toBe(false)
  expect(history.first(id(1), at(100n), at(50n))).toBe(false)
})
