/**
 * Goal: a command uses the key that was asked for, and no key is used where it must not be.
 * Method: docs/spec/cli.md §§3.12, 3.13; IC interface §§21.4, 22 rule 6; every source of a
 * passphrase in turn.
 */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { keyOf } from '../../../src/wallet/keys/key-file.ts'
import type { KeyStore } from '../../../src/wallet/keys/key-store.ts'
import { freshPassphrase } from '../../../src/wallet/keys/passphrase.ts'
import { Phrase } from '../../../src/wallet/keys/phrase.ts'
import type { KeyRules, KeyWishes } from '../../../src/wallet/keys/select.ts'
import {
  chooseKey,
  keyRulesOf,
  localKeyRules,
  selectUser,
} from '../../../src/wallet/keys/select.ts'
import { ic as mainnet, testnet4 } from '../../../src/wallet/network.ts'
import {
  codeOf,
  failure,
  keyStore,
  materialOf,
  person,
  sourcesWith,
  words,
} from '../../support/key-world.ts'

const local: KeyRules = localKeyRules
const localWithDeployedIds: KeyRules = { ...local, carriable: true }
const testnet: KeyRules = keyRulesOf(testnet4)
const ic: KeyRules = keyRulesOf(mainnet)

const PASSPHRASE = 'correct horse battery'

/** `savings` is the default and sealed, `daily` is plaintext, `known` is a published key. */
async function threeKeys(): Promise<KeyStore> {
  const { store } = keyStore()
  await store.create('savings', materialOf(1), words(PASSPHRASE))
  await store.create('daily', materialOf(2), undefined)
  const phrase = Phrase.parse(
    'equip will roof matter pink blind book anxiety banner elbow sun young',
  )
  await store.create('known', { type: 'phrase', phrase, curve: 'secp256k1' }, undefined)
  return store
}

describe('the key of a command', () => {
  test.each<[KeyWishes, string, string]>([
    [{ option: 'daily', environment: 'dev1', config: 'dev2' }, 'daily', 'option'],
    [{ environment: 'dev1', config: 'dev2' }, 'dev1', 'environment'],
    [{ environment: '', config: 'dev2' }, 'dev2', 'config'],
    [{}, 'savings', 'default'],
  ])('with wishes %j is %s', async (wishes, name, source) => {
    const store = await threeKeys()
    expect(chooseKey({ store, wishes, network: local })).toMatchObject({ name, source })
  })

  test('without any wish and any key is dev0 on the local subnet, and none elsewhere', async () => {
    const { store } = keyStore()
    expect(chooseKey({ store, wishes: {}, network: local })).toEqual({
      name: 'dev0',
      principal: devUser(0).principal,
      protection: 'test',
      source: 'local',
    })
    for (const network of [testnet, ic])
      expect(await codeOf(() => chooseKey({ store, wishes: {}, network }))).toBe('KEY_NONE')
  })

  test('that does not exist is not replaced by another one', async () => {
    const store = await threeKeys()
    for (const wishes of [{ option: 'gone' }, { environment: 'gone' }, { config: 'dev7' }])
      expect(await codeOf(() => chooseKey({ store, wishes, network: local }))).toBe('KEY_NOT_FOUND')
  })

  test('is known by its principal without a passphrase', async () => {
    const store = await threeKeys()
    const { principal } = chooseKey({ store, wishes: {}, network: ic })
    expect(principal).toEqual(keyOf(materialOf(1)).principal)
  })
})

test('what of a network decides about keys follows from the network', () => {
  const away = { ...mainnet, name: 'mine', url: 'https://example.com', rootKey: new Uint8Array() }
  expect(keyRulesOf(mainnet)).toEqual({
    name: 'ic',
    local: false,
    realFunds: true,
    carriable: false,
  })
  expect(keyRulesOf(away)).toMatchObject({ realFunds: true, carriable: true })
  expect(keyRulesOf({ ...mainnet, url: 'http://icp-api.io' })).toMatchObject({ carriable: true })
  expect(keyRulesOf(testnet4)).toMatchObject({ realFunds: false, carriable: false })
  expect(
    keyRulesOf({ ...testnet4, kind: 'local', bitcoin: 'regtest', ids: ownCanisterIds }),
  ).toEqual({ ...local, name: 'testnet4' })
})

describe('rails', () => {
  const allowed = 'allowed'
  test.each<[string, KeyRules, string]>([
    ['dev0', local, allowed],
    ['dev0', localWithDeployedIds, allowed],
    ['dev0', testnet, 'RAIL_TEST_KEY'],
    ['dev0', ic, 'RAIL_TEST_KEY'],
    ['known', local, allowed],
    ['known', localWithDeployedIds, allowed],
    ['known', testnet, 'RAIL_TEST_KEY'],
    ['known', ic, 'RAIL_TEST_KEY'],
    ['daily', local, allowed],
    ['daily', localWithDeployedIds, 'RAIL_TEST_KEY'],
    ['daily', testnet, allowed],
    ['daily', ic, 'RAIL_PLAINTEXT_KEY'],
    ['savings', local, allowed],
    ['savings', localWithDeployedIds, 'RAIL_TEST_KEY'],
    ['savings', testnet, allowed],
    ['savings', ic, allowed],
  ])('for %s on %j say %s', async (option, network, verdict) => {
    const store = await threeKeys()
    const choose = () => chooseKey({ store, wishes: { option }, network })
    if (verdict === allowed) expect(choose().name).toBe(option)
    else expect(await codeOf(choose)).toBe(verdict)
  })
})

describe('a passphrase', () => {
  const unlock = async (parts: Parameters<typeof sourcesWith>[0], network = testnet) => {
    const store = await threeKeys()
    const sources = sourcesWith({ realFunds: network.realFunds, ...parts })
    const { user } = await selectUser({ store, wishes: {}, network, sources })
    expect(user.principal).toEqual(keyOf(materialOf(1)).principal)
    expect(store.entry('savings').usedAt).toBeDefined()
  }
  const files =
    (content: Readonly<Record<string, string>>) =>
    async (path: string): Promise<Uint8Array | undefined> => {
      const text = content[path]
      return text === undefined ? undefined : utf8(text)
    }

  test('is asked for, and may be typed wrong twice', async () => {
    const { ask, questions } = person('wrong', 'wrong again', PASSPHRASE)
    await unlock({ ask })
    const again = 'That was wrong. Passphrase of savings'
    expect(questions).toEqual(['Passphrase of savings', again, again])
  })

  test('typed wrong three times is asked for no more', async () => {
    const { ask, questions } = person('1', '2', '3', PASSPHRASE)
    expect(await codeOf(() => unlock({ ask }))).toBe('KEY_WRONG_PASSPHRASE')
    expect(questions).toHaveLength(3)
  })

  test('that nobody can be asked for leaves the key locked, and the flag is named', async () => {
    const error = await failure(() => unlock({}))
    expect([error.code, error.fix]).toEqual([
      'KEY_LOCKED',
      expect.stringContaining('--passphrase-file'),
    ])
  })

  test.each(['\n', '\r\n', ''])('in a file may end with %j', async (end) => {
    await unlock({ file: 'given', read: files({ given: PASSPHRASE + end }) }, ic)
  })

  test('of the option beats that of the environment, and nobody is asked', async () => {
    const read = files({ '-': PASSPHRASE, other: 'wrong' })
    const { ask, questions } = person(PASSPHRASE)
    const environment = { CKBTC_PASSPHRASE_FILE: 'other', CKBTC_PASSPHRASE: 'wrong' }
    await unlock({ file: '-', read, environment, ask }, ic)
    expect(await codeOf(() => unlock({ read, environment, ask }))).toBe('KEY_WRONG_PASSPHRASE')
    expect(questions).toEqual([])
  })

  test('in the environment is taken where no real funds are, and refused where they are', async () => {
    const environment = { CKBTC_PASSPHRASE: PASSPHRASE, CKBTC_PASSPHRASE_FILE: '' }
    await unlock({ environment })
    const error = await failure(() => unlock({ environment }, ic))
    expect([error.code, error.command]).toEqual([
      'RAIL_SECRET_IN_ENV',
      'CKBTC_PASSPHRASE_FILE=<path>',
    ])
  })

  test.each([
    ['missing', {}],
    ['empty', { given: '\n' }],
    ['too long', { given: 'x'.repeat(4_097) }],
  ])('in a file that is %s is refused by that', async (_, content) => {
    const code = await codeOf(() => unlock({ file: 'given', read: files(content) }))
    expect(code).toBe('USAGE_INVALID')
  })

  test('that is not needed is not asked for', async () => {
    const store = await threeKeys()
    const { ask, questions } = person()
    const sources = sourcesWith({ ask })
    for (const option of ['daily', 'dev3']) {
      const { user } = await selectUser({ store, wishes: { option }, network: local, sources })
      expect(user.sign(utf8('message'))).toHaveLength(64)
    }
    expect(questions).toEqual([])
  })
})

describe('a new passphrase', () => {
  test('is typed twice', async () => {
    const { ask, questions } = person('12345678', '1234567x', 'abcdefgh', 'abcdefgh')
    expect((await freshPassphrase(sourcesWith({ ask }))).raw()).toEqual(utf8('abcdefgh'))
    expect(questions).toHaveLength(4)
    const careless = person('12345678', '1', '12345678', '2', '12345678', '3')
    expect(await codeOf(() => freshPassphrase(sourcesWith({ ask: careless.ask })))).toBe(
      'KEY_WRONG_PASSPHRASE',
    )
  })

  test('has at least eight characters, wherever it is from', async () => {
    const short = { CKBTC_PASSPHRASE: '1234567' }
    for (const sources of [
      sourcesWith({ ask: person('1234567').ask }),
      sourcesWith({ environment: short }),
    ])
      expect(await codeOf(() => freshPassphrase(sources))).toBe('USAGE_INVALID')
    expect(await codeOf(() => freshPassphrase(sourcesWith()))).toBe('KEY_LOCKED')
  })
})
