/** Goal: an account and an address are never taken for each other. Method: cli §3.3. */
import { describe, expect, test } from 'vitest'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { parseAccount, parseBitcoinAddress } from '../../src/wallet/destinations.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'

const regtest = regtestWallet('somebody').address
const mainnet = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'
const principal = textOfPrincipal(devUser(0).principal)

describe('an account', () => {
  test('is a principal, or a test account where there are such', () => {
    expect(parseAccount(principal, { isLocal: false }).owner).toEqual(devUser(0).principal)
    expect(parseAccount(' dev0 ', { isLocal: true }).owner).toEqual(devUser(0).principal)
  })

  test.each([
    [regtest, 'DEST_IS_BITCOIN'],
    [mainnet, 'DEST_IS_BITCOIN'],
    ['1BoatSLRHtKNngkdXEeobR76b53LETtpyT', 'DEST_IS_BITCOIN'],
    ['dev0', 'ACCOUNT_INVALID'],
    ['dev5', 'ACCOUNT_INVALID'],
    ['', 'ACCOUNT_INVALID'],
    [`${principal.slice(0, -1)}a`, 'ACCOUNT_INVALID'],
  ])('is not %s: %s', (text, code) => {
    expect(() => parseAccount(text, { isLocal: false })).toThrow(expect.objectContaining({ code }))
  })
})

describe('a Bitcoin address', () => {
  test('of the network is taken with its script', () => {
    expect(parseBitcoinAddress(regtest, { network: 'regtest' }).address).toBe(regtest)
  })

  test.each([
    [mainnet, 'BTC_WRONG_NETWORK'],
    [principal, 'DEST_IS_ACCOUNT'],
    ['dev1', 'DEST_IS_ACCOUNT'],
    [`${regtest.slice(0, -1)}q`, 'BTC_BAD_ADDRESS'],
    ['nothing', 'BTC_BAD_ADDRESS'],
  ])('is not %s: %s', (text, code) => {
    expect(() => parseBitcoinAddress(text, { network: 'regtest' })).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
