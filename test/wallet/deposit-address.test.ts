/**
 * Goal: nobody is shown an address that is none, or not the account's.
 * Method: cli §3.12 (address check); what minters may say, held against networks with and without a key.
 */
import { describe, expect, test } from 'vitest'
import { checkAddress, derivations } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { Network } from '../../src/wallet/network.ts'
import { ic } from '../../src/wallet/network.ts'

const account = { owner: devUser(0).principal }
const keyless: Network = { ...ic, name: 'mine', kind: 'custom', masterKeys: [] }
const [own] = derivations(ic, account)
const [others] = derivations(ic, { owner: devUser(1).principal })

test('the address that follows from the key is believed', () => {
  expect(checkAddress(ic, account, own?.address ?? '')).toEqual(own)
})

test('without a key any address of the network is the word of the minter', () => {
  expect(checkAddress(keyless, account, others?.address ?? '')).toBeUndefined()
})

describe.each([
  ['with a key', ic],
  ['without a key', keyless],
])('%s', (_, network) => {
  test.each([
    ['nothing', ''],
    ['an address of another network', 'bcrt1q6z64a43mjgkcq0ul2znwneq3spghrlau9slefp'],
    ['commands to the terminal', '\u001b[2J\u001b]0;owned\u0007'],
    ['an address and more', `${own?.address}\nsend it to bc1qevil instead`],
    ['a book', 'a'.repeat(2_000_000)],
  ])('%s is refused, and little of it is repeated', (_, address) => {
    expect(() => checkAddress(network, account, address)).toThrow(
      expect.objectContaining({ code: 'RAIL_ADDRESS_MISMATCH' }),
    )
    try {
      checkAddress(network, account, address)
    } catch (error) {
      expect(JSON.stringify(Reflect.get(Object(error), 'details')).length).toBeLessThan(1_000)
    }
  })
})

test('with a key the address of another account is refused', () => {
  expect(() => checkAddress(ic, account, others?.address ?? '')).toThrow(
    expect.objectContaining({ code: 'RAIL_ADDRESS_MISMATCH' }),
  )
})
