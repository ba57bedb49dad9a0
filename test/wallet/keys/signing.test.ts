/**
 * Goal: every kind of key signs calls that a subnet executes, through the client that commands use.
 * Method: a network in memory; an account without funds asks for a transfer, and the ledger's word
 * against it shows that the call was executed in the account's name.
 */
import { describe, expect, test } from 'vitest'
import { Client } from '../../../src/wallet/client.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { keyCurves, SecretKey } from '../../../src/wallet/identity.ts'
import { Unlocked } from '../../../src/wallet/keys/unlocked.ts'
import { codeOf, secretOf, temporaryFolder } from '../../support/key-world.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

const net = new NetworkUnderTest()
const { network, fetch } = net

const transferOf = (signer: User) => {
  const client = new Client({ network, fetch, signer })
  const to = { owner: network.ids.ledger }
  return client.ledger.transfer({ to, amount: 1_000n, createdAtTime: client.now() })
}

describe.each(keyCurves)('a key of %s', (curve) => {
  const key = new SecretKey(curve, secretOf(3))
  const noFunds = { type: 'err', error: { type: 'insufficientFunds', balance: 0n } }

  test('signs calls', async () => {
    expect(await transferOf(key)).toMatchObject(noFunds)
  })

  test('lets a delegation sign calls for a while', async () => {
    const unlocked = new Unlocked({
      folder: temporaryFolder(),
      nowMs: Date.now,
      entropy: (size) => new Uint8Array(size).fill(9),
    })
    unlocked.add('savings', key, { network, forMs: 60_000 })
    const user = unlocked.find('savings', key.principal, network)
    if (user === undefined) expect.unreachable()
    expect(await transferOf(user)).toMatchObject(noFunds)
  })

  test('signs for itself only', async () => {
    const other = new SecretKey(curve, secretOf(4))
    const liar: User = { ...other, sign: other.sign, principal: key.principal }
    expect(await codeOf(() => transferOf(liar))).toMatch(/^(?:NETWORK|LEDGER)_/)
  })
})
