/**
 * The ledger's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { expect, test } from 'vitest'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { publishedInterface } from '../../support/candid-peer.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the ledger interface', ledgerInterface, 'ledger-icrc/icrc_ledger.idl.js')

test('no published method is missing', async () => {
  const published = await publishedInterface('ledger-icrc/icrc_ledger.idl.js')
  expect(Object.keys(ledgerInterface).sort()).toEqual([...published.keys()].sort())
})
