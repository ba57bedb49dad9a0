/** Goal: losses are the operator's to write off, and coins to take in, through the log. Source: minter §18.8. */
import { expect, it } from 'vitest'
import { minterExtension } from '../../../src/core/minter/interface/extension.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { someTxid } from '../../support/minter-world.ts'
import { ReplicaWorld } from '../../support/replica-world.ts'

const operator = devUser(4)
const nowhere = { txid: someTxid(7), vout: 0 }

it.each(['x_write_off', 'x_adopt_coins'] as const)('%s is the operator’s alone', (name) => {
  const made = new ReplicaWorld()
  made.address() // The key is made.
  const method = minterExtension[name]
  const ask = (user: typeof operator) => made.call({ user }, [name, method], [[nowhere]])
  expect(ask(devUser(0))).toMatchObject({ errorCode: 'IC0406' })
  expect(ask(operator)).toMatchObject({ type: 'err' })
  expect(made.minter.log.count).toBe(1)
})
