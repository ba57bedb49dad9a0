import { expect, it } from 'vitest'
import { Coins } from '../../../src/wallet/operations/coins.ts'

it('the words of a minter that takes no coin are kept until it says something else', () => {
  const coins = new Coins()
  expect(coins.heldUp).toBeUndefined()
  const message = 'nothing is minted until the chain has them again'
  coins.told({ type: 'err', error: { type: 'temporarilyUnavailable', message } })
  expect(coins.heldUp).toBe(message)
  expect(coins.all).toEqual([])
  coins.told({
    type: 'err',
    error: {
      type: 'noNewUtxos',
      requiredConfirmations: 6,
      pendingUtxos: [],
      suspendedUtxos: [],
      currentConfirmations: undefined,
    },
  })
  expect(coins.heldUp).toBeUndefined()
})
