/**
 * Goal: a network is what the specification says, and nothing is signed that could be carried to
 * another one.
 * Method: cli §3.4, minter §1.2, IC interface §§21.4, 26, 27.4; published addresses of the deployed
 * minter (threshold specification, annex A.7).
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/core/base/bytes.ts'
import { mainnetCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { principalOfText, textOfPrincipal } from '../../src/core/ic/principal.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress, derivations, minterKeyOf } from '../../src/wallet/deposit-address.ts'
import { devUser, userOfSecret } from '../../src/wallet/identity.ts'
import type { Network } from '../../src/wallet/network.ts'
import {
  hasRealFunds,
  ic,
  MAINNET_ROOT_KEY,
  reservedNames,
  sharesDeployedIds,
  symbolsOf,
  testnet4,
} from '../../src/wallet/network.ts'
import { MAINNET_ROOT_KEY as PRINTED } from '../core/ic/certificates.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const local = new NetworkUnderTest().network
const mine = userOfSecret(new Uint8Array(32).fill(1))

describe('the networks that are built in', () => {
  test('stand under the pinned root key of the Internet Computer', () => {
    for (const { rootKey, rootKeyOrigin, url } of [ic, testnet4]) {
      expect(rootKey).toEqual(PRINTED)
      expect(rootKeyOrigin).toBe('pinned')
      expect(url).toMatch(/^https:/)
    }
    expect(MAINNET_ROOT_KEY).toHaveLength(133)
    expect(reservedNames).toEqual(['local', 'ic', 'testnet4'])
  })

  test('name the deployed canisters', () => {
    const texts = ({ ids }: Network) =>
      [ids.ledger, ids.minter, ids.index].map((id) => id && textOfPrincipal(id))
    expect(texts(ic)).toEqual([
      'mxzaz-hqaaa-aaaar-qaada-cai',
      'mqygn-kiaaa-aaaar-qaadq-cai',
      'n5wcd-faaaa-aaaar-qaaea-cai',
    ])
    expect(texts(testnet4)).toEqual([
      'mc6ru-gyaaa-aaaar-qaaaq-cai',
      'ml52i-qqaaa-aaaar-qaaba-cai',
      'mm444-5iaaa-aaaar-qaabq-cai',
    ])
  })

  test('say whether there is money in it', () => {
    expect([ic, testnet4, local].map(hasRealFunds)).toEqual([true, false, false])
    expect([ic, testnet4, local].map((network) => symbolsOf(network).token)).toEqual([
      'ckBTC',
      'ckTESTBTC',
      'ckBTC',
    ])
  })
})

describe('an address', () => {
  test.each([
    ['mqygn-kiaaa-aaaar-qaadq-cai', undefined, 'bc1q0jrxz4jh59t5qsu7l0y59kpfdmgjcq60wlee3h'],
    [
      '3gvau-pyaaa-aaaao-qa7kq-cai',
      `${'00'.repeat(30)}0104`,
      'bc1q9q0kg90px3w9dadxku2x5pme77plcqxtn535rt',
    ],
    [
      'farwr-jqaaa-aaaao-qj4ya-cai',
      `${'00'.repeat(30)}0104`,
      'bc1q7grqgee386r6qf74srt4h0s69cvkav7kgup4l7',
    ],
  ])('of %s with %s is %s', (owner, subaccount, address) => {
    const account = {
      owner: principalOfText(owner),
      subaccount: subaccount === undefined ? undefined : fromHex(subaccount),
    }
    expect(derivations(ic, account).map((derived) => derived.address)).toEqual([address])
  })

  test('follows from the published key of the minter', () => {
    const [master = new Uint8Array()] = ic.masterKeys
    expect(toHex(minterKeyOf(ic, master).publicKey)).toBe(
      '0222047a81d4f8a067031c89273d241b79a5a007c04dfaf36d07963db0b99097eb',
    )
  })

  const account = { owner: devUser(0).principal }
  const client = (network: Partial<Network>) => {
    const net = new NetworkUnderTest()
    return new Client({ network: { ...net.network, ...network }, fetch: net.fetch })
  }

  test('that the minter names is compared with the derived one', async () => {
    const found = await depositAddress(client({}), account)
    expect(found).toMatchObject({ asked: true, derivation: { address: found.address } })
  })

  test('under one of two possible keys is verified too', async () => {
    const masterKeys = [...ic.masterKeys, ...local.masterKeys]
    const found = await depositAddress(client({ masterKeys }), account)
    expect(found.derivation?.masterKey).toEqual(local.masterKeys[0])
  })

  test('is the minter’s word where no key is known', async () => {
    const found = await depositAddress(client({ masterKeys: [] }), account)
    expect(found.derivation).toBeUndefined()
  })

  test('that does not follow from the key stops everything', async () => {
    const stopped = depositAddress(client({ masterKeys: ic.masterKeys }), account)
    await expect(stopped).rejects.toMatchObject({ code: 'RAIL_ADDRESS_MISMATCH', exit: 10 })
  })

  test('is derived without the network if there is one key, and only then', async () => {
    const fetch = () => Promise.reject(new TypeError('no'))
    const offline = (network: Network) => depositAddress(new Client({ network, fetch }), account)
    expect(await offline(local)).toMatchObject({ asked: false })
    const two = { ...local, masterKeys: [...local.masterKeys, ...ic.masterKeys] }
    await expect(offline(two)).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
  })
})

describe('a key', () => {
  const { ledger, minter } = mainnetCanisterIds
  const shared: Network = { ...local, ids: { ledger, minter } }
  const custom: Network = { ...shared, kind: 'custom', name: 'mine' }

  test.each<[string, Network, boolean]>([
    ['the local subnet', local, false],
    ['one with ids of the Internet Computer', shared, true],
    ['one with one of them', { ...local, ids: { ...local.ids, minter } }, true],
    ['one with those of the test network', { ...local, ids: testnet4.ids }, true],
  ])('on %s could be misled: %j', (_, network, expected) => {
    expect(sharesDeployedIds(network)).toBe(expected)
  })

  test.each<[string, Network]>([
    ['a test key on the local subnet', local],
    ['a test key on a local subnet with ids of the Internet Computer', shared],
  ])('%s may sign', (_, network) => {
    expect(new Client({ network, signer: devUser(4) }).network).toBe(network)
  })

  test.each<[string, Network]>([
    ['108: a real key on a local subnet with ids of the Internet Computer', shared],
    ['108: a real key on a custom network with such ids', custom],
    ['a real key on the Internet Computer without https', { ...ic, url: 'http://icp-api.io' }],
    ['a real key on ic with another root key', { ...ic, rootKey: local.rootKey }],
  ])('%s may not sign', (_, network) => {
    expect(() => new Client({ network, signer: mine })).toThrow(
      expect.objectContaining({ code: 'RAIL_TEST_KEY', exit: 10 }),
    )
    expect(new Client({ network }).network).toBe(network) // Reading signs nothing.
  })

  test.each([ic, testnet4, custom])('of a test is refused on $name', (network) => {
    expect(() => new Client({ network, signer: devUser(3) })).toThrow(
      expect.objectContaining({ code: 'RAIL_TEST_KEY' }),
    )
  })

  test('of one’s own may sign on the Internet Computer and on the local subnet', () => {
    for (const network of [ic, testnet4, local])
      expect(new Client({ network, signer: mine }).network).toBe(network)
  })
})
