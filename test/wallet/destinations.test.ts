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
    // Mistyped, and still plainly an address.
    [`${mainnet.slice(0, -1)}p`, 'DEST_IS_BITCOIN'],
  ])('is not %s: %s', (text, code) => {
    expect(() => parseAccount(text, { isLocal: false })).toThrow(expect.objectContaining({ code }))
  })
})

test.each([
  ['dev0', '"dev0" is no account: dev0 to dev4 are accounts of the local network'],
  [`${principal.slice(0, -1)}a`, `is no account: its checksum or grouping is wrong`],
  [`${principal}.1`, 'is no account: missing checksum'],
  [`${principal}-aaaaaaa.1`, 'is no account: invalid checksum "aaaaaaa", expected "'],
  ['', '"" is no account: it is empty'],
  ['x'.repeat(500), `"${'x'.repeat(120)}…" is no account`],
])('of %s it is said what is wrong', (text, message) => {
  expect(() => parseAccount(text, { isLocal: false })).toThrow(message)
})

test('the command that was meant is offered', () => {
  const command = 'ckbtc redeem 1btc --to x'
  expect(() => parseAccount(regtest, { isLocal: true, command })).toThrow(
    expect.objectContaining({ command }),
  )
  expect(() => parseBitcoinAddress('dev1', { network: 'regtest' })).toThrow(
    expect.objectContaining({ command: 'ckbtc transfer <amount> --to dev1' }),
  )
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
    ['', 'BTC_BAD_ADDRESS'],
    [`${principal.slice(0, -1)}a`, 'DEST_IS_ACCOUNT'],
  ])('is not %s: %s', (text, code) => {
    expect(() => parseBitcoinAddress(text, { network: 'regtest' })).toThrow(
      expect.objectContaining({ code }),
    )
  })

  test.each([
    ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mbq', 'character 41 is "b", which none has'],
    ['1BoatSLRHtKNngkdXEeobR76b53LETtpOT', 'character 33 is "O", which none has'],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'is a testnet address, not one of mainnet'],
    [regtest, 'is a regtest address, not one of mainnet'],
  ])('that is not %s is told so: %s', (text, message) => {
    expect(() => parseBitcoinAddress(text, { network: 'mainnet' })).toThrow(message)
  })
})
