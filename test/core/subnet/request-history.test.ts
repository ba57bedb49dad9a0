/**
 * Goal: a request is known from its execution until nobody asks for it any more.
 * Method: IC interface §§6.1, 25.
 */
import { expect, test } from 'vitest'
import { addNs, timestampNs } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { KEEP_NS, REQUESTS_MAX, RequestHistory } from '../../../src/core/subnet/request-history.ts'

const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const at = (ns: bigint) => timestampNs(ns)
const request = (expiry: bigint) => ({
  sender: anonymous,
  canisterId: ownCanisterIds.ledger,
  expiry: at(expiry),
  reply: { type: 'replied', arg: new Uint8Array() } as const,
})

test('a request is known up to five minutes after its expiry', () => {
  const history = new RequestHistory()
  history.add(id(1), request(10n))
  const last = addNs(at(10n), KEEP_NS)
  expect(history.forget(last)).toEqual([])
  expect(history.find(id(1))).toEqual(request(10n))
  expect(history.forget(addNs(last, 1n))).toEqual([id(1)])
  expect(history.find(id(1))).toBeUndefined()
})

test('a request that is valid for long keeps those behind it', () => {
  const history = new RequestHistory()
  history.add(id(1), request(KEEP_NS))
  history.add(id(2), request(10n))
  expect(history.forget(addNs(at(11n), KEEP_NS))).toEqual([])
  expect(history.find(id(2))).toBeDefined()
})

test('a history goes on from its state', () => {
  const known = new Map()
  new RequestHistory(known).add(id(3), request(10n))
  expect(new RequestHistory(known).find(id(3))).toEqual(request(10n))
})

test('a history has room for 300,000 requests, and again once one is forgotten', () => {
  const known = new Map(
    Array.from({ length: REQUESTS_MAX - 1 }, (_, i) => [`${i}`.padStart(64, '0'), request(10n)]),
  )
  const history = new RequestHistory(known)
  expect(known.size).toBe(299_999)
  expect(history.isFull).toBe(false)
  history.add(id(4), request(KEEP_NS))
  expect(history.isFull).toBe(true)
  expect(history.forget(addNs(at(11n), KEEP_NS))).toHaveLength(299_999)
  expect(history.isFull).toBe(false)
})
