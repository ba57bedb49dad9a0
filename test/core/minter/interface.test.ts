/**
 * The minter's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { expect, test } from 'vitest'
import { minterInterface } from '../../../src/core/minter/interface.ts'
import { publishedInterface } from '../../support/candid-peer.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the minter interface', minterInterface, 'ckbtc/minter.idl.js')

test('no published method is missing', async () => {
  const published = await publishedInterface('ckbtc/minter.idl.js')
  expect(Object.keys(minterInterface).sort()).toEqual([...published.keys()].sort())
})
