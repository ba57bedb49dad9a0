/**
 * The minter's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { isExtension } from '../../../src/core/minter/events/events.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { publishedInterface } from '../../support/candid-peer.ts'
import { describeInterface } from '../../support/interface-tests.ts'
import { eventsOf, PAYLOAD_TYPES } from '../../support/minter-arbitraries.ts'

await describeInterface('the minter interface', minterInterface, 'ckbtc/minter.idl.js')

test('no published method is missing', async () => {
  const published = await publishedInterface('ckbtc/minter.idl.js')
  expect(Object.keys(minterInterface).sort()).toEqual([...published.keys()].sort())
})

const published = PAYLOAD_TYPES.filter((type) => !isExtension(type))

test.each(published)('minter §23.108: %s comes back from Candid as it was', (type) => {
  const { result } = minterInterface.get_events
  fc.assert(
    fc.property(fc.array(eventsOf(type), { maxLength: 3 }), (events) => {
      expect(decodeArgs([result], encodeArgs([result], [events]))).toEqual([events])
    }),
    { numRuns: 20 },
  )
})
