/** An event as JSON and back. Source: minter §18.1, checklist 108. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import type { Json } from '../../../src/core/minter/events/event-json.ts'
import { eventOfJson, jsonLine, jsonOfEvent } from '../../../src/core/minter/events/event-json.ts'
import type { Event } from '../../../src/core/minter/events/events.ts'
import { anyEvent, eventsOf, PAYLOAD_TYPES } from '../../support/minter-arbitraries.ts'
import { MINTER, someTxid, user } from '../../support/minter-world.ts'

const received: Event = {
  payload: {
    type: 'receivedUtxos',
    mintTxid: 2n ** 64n - 1n,
    toAccount: { owner: MINTER },
    utxos: [],
  },
}
const confirmed = jsonOfEvent({ payload: { type: 'confirmedTransaction', txid: someTxid(0x1f) } })

describe('JSON of an event', () => {
  it.each(PAYLOAD_TYPES)('minter §23.108: of %s is read back as it was', (type) => {
    fc.assert(
      fc.property(eventsOf(type), (event) => {
        expect(eventOfJson(JSON.parse(jsonLine(event)))).toEqual(event)
      }),
      { numRuns: 20 },
    )
  })

  it('has principals as text, numbers of 64 bits as decimals, txids both ways round', () => {
    expect(jsonOfEvent(received)).toEqual({
      payload: {
        received_utxos: {
          to_account: { owner: 'mqygn-kiaaa-aaaar-qaadq-cai' },
          mint_txid: '18446744073709551615',
          utxos: [],
        },
      },
    })
    const txid = Uint8Array.from({ length: 32 }, (_, i) => i)
    const utxo = { outpoint: { txid, vout: 3 }, value: 5n, height: 7 }
    const payload = { type: 'checkedUtxoV2', utxo, account: { owner: user(1) } }
    expect(jsonOfEvent({ timestamp: 9n, payload } as never)).toMatchObject({
      timestamp: '9',
      payload: {
        checked_utxo_v2: {
          utxo: {
            outpoint: {
              txid: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
              txid_display: '1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100',
              vout: 3,
            },
            value: '5',
            height: 7,
          },
        },
      },
    })
  })

  it('is one line, whatever texts the event holds', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(jsonLine(event)).not.toMatch(/[\n\r]/)
      }),
      { numRuns: 50 },
    )
  })

  const txid = '1f'.repeat(32)
  it.each<readonly [string, unknown]>([
    ['null', null],
    ['a list', []],
    ['no payload', { timestamp: '1' }],
    ['a field too many', { ...(confirmed as object), x: 1 }],
    ['an unknown kind', { payload: { xyz: {} } }],
    ['two kinds', { payload: { confirmed_transaction: {}, ignored_utxo: {} } }],
    ['a txid without its twin', { payload: { confirmed_transaction: { txid } } }],
    [
      'a txid with the twin of another',
      { payload: { confirmed_transaction: { txid, txid_display: '2f'.repeat(32) } } },
    ],
    [
      'digits in upper case',
      { payload: { confirmed_transaction: { txid: txid.toUpperCase(), txid_display: txid } } },
    ],
    [
      'a number for a decimal text',
      { payload: { removed_retrieve_btc_request: { block_index: 7 } } },
    ],
    ['a leading zero', { payload: { removed_retrieve_btc_request: { block_index: '07' } } }],
    ['65 bits', { payload: { removed_retrieve_btc_request: { block_index: `${2n ** 64n}` } } }],
    ['an inherited name', JSON.parse('{"payload":{"__proto__":{}}}')],
  ])('that is %s is refused', (_, json) => {
    expect(() => eventOfJson(json)).toThrow(BadEncoding)
  })

  it('without any one of its fields is refused, or means another event', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        for (const damaged of without(jsonOfEvent(event))) {
          let read: Event | undefined
          try {
            read = eventOfJson(damaged)
          } catch (error) {
            expect(error).toBeInstanceOf(BadEncoding)
          }
          expect(read).not.toEqual(event)
        }
      }),
      { numRuns: 30 },
    )
  })
})

/** The same with one field left out, wherever it is. */
function* without(json: Json): Generator<Json> {
  if (typeof json !== 'object' || Array.isArray(json)) return
  for (const [name, value] of Object.entries(json)) {
    const { [name]: _, ...rest } = json as Record<string, Json>
    yield rest
    for (const damaged of without(value)) yield { ...rest, [name]: damaged }
  }
}
