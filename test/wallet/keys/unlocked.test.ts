/**
 * Goal: a key that is unlocked for a while signs for ledger and minter of one network, as long as
 * was said, and in no other place or time.
 * Method: docs/spec/cli.md §3.13; what it signs goes through the admission of a subnet (IC interface
 * §§6, 7); a table of corruptions of the file.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { addNs, NS_PER_MS, timestampNs } from '../../../src/core/base/units.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import { admit } from '../../../src/core/ic/admission.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { signCall } from '../../../src/core/ic/envelope.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { devUser, keyCurves, SecretKey } from '../../../src/wallet/identity.ts'
import { keyOf } from '../../../src/wallet/keys/key-file.ts'
import { chooseKey, localKeyRules, unlockUser } from '../../../src/wallet/keys/select.ts'
import { Unlocked } from '../../../src/wallet/keys/unlocked.ts'
import { ic, testnet4 } from '../../../src/wallet/network.ts'
import {
  codeOf,
  keyStore,
  materialOf,
  person,
  START_MS,
  secretOf,
  sourcesWith,
  temporaryFolder,
  words,
} from '../../support/key-world.ts'

const MINUTE_MS = 60_000
const local = { name: 'local', ids: ownCanisterIds }
const key = new SecretKey('secp256k1', secretOf(1))

function door(clock = { ms: START_MS }) {
  const folder = temporaryFolder()
  const unlocked = new Unlocked({
    folder,
    nowMs: () => clock.ms,
    entropy: (size) => new Uint8Array(size).fill(0x5a),
  })
  return { unlocked, file: join(folder, 'unlocked', 'savings@local.json') }
}

/** What a subnet says to a call of this user. */
function verdict(user: User, canisterId: Principal, nowMs = START_MS): string {
  const now = timestampNs(BigInt(nowMs) * NS_PER_MS)
  const envelope = signCall(
    {
      type: 'call',
      sender: user.principal,
      canisterId,
      methodName: 'icrc1_transfer',
      arg: utf8('DIDL'),
      ingressExpiry: addNs(now, 240n * 1_000n * NS_PER_MS),
    },
    user,
  )
  const admission = admit(envelope, { now, ed25519: nobleEd25519, sizeBytes: 500 })
  return admission.type === 'admitted' ? admission.type : admission.reason
}

const unlockedUser = (unlocked: Unlocked, network = local): User => {
  const user = unlocked.find('savings', key.principal, network)
  return user ?? expect.unreachable('nothing is unlocked')
}

describe('a key that is unlocked for a while', () => {
  test.each(keyCurves)('of %s signs for ledger and minter in its own name', (curve) => {
    const { unlocked } = door()
    const own = new SecretKey(curve, secretOf(1))
    unlocked.add('savings', own, { network: local, forMs: 15 * MINUTE_MS })
    const user = unlocked.find('savings', own.principal, local)
    if (user === undefined) expect.unreachable()
    expect(user.principal).toEqual(own.principal)
    expect(verdict(user, ownCanisterIds.ledger)).toBe('admitted')
    expect(verdict(user, ownCanisterIds.minter)).toBe('admitted')
    expect(verdict(user, ownCanisterIds.bitcoin)).not.toBe('admitted')
  })

  test('signs until the time that was said, and its last request can still be finished', () => {
    const clock = { ms: START_MS }
    const { unlocked, file } = door(clock)
    const endMs = unlocked.add('savings', key, { network: local, forMs: MINUTE_MS })
    expect(endMs).toBe(START_MS + MINUTE_MS)
    clock.ms = endMs - 1
    const last = unlockedUser(unlocked)
    expect(verdict(last, ownCanisterIds.ledger, endMs + 5 * MINUTE_MS - 1)).toBe('admitted')
    expect(verdict(last, ownCanisterIds.ledger, endMs + 5 * MINUTE_MS + 1)).toContain('expired')
    clock.ms = endMs
    expect(unlocked.find('savings', key.principal, local)).toBeUndefined()
    expect(existsSync(file)).toBe(false)
  })

  test('is one of one network and one name', () => {
    const { unlocked } = door()
    unlocked.add('savings', key, { network: local, forMs: MINUTE_MS })
    expect(unlocked.find('savings', key.principal, testnet4)).toBeUndefined()
    expect(unlocked.find('daily', key.principal, local)).toBeUndefined()
    expect(unlocked.find('savings', key.principal, local)).toBeDefined()
  })

  test.each<[string, (unlocked: Unlocked) => User | undefined]>([
    ['another key of that name', (u) => u.find('savings', devUser(0).principal, local)],
    ['other canisters', (u) => u.find('savings', key.principal, { ...local, ids: ic.ids })],
  ])('is forgotten when it meets %s', (_, find) => {
    const { unlocked, file } = door()
    unlocked.add('savings', key, { network: local, forMs: MINUTE_MS })
    expect(find(unlocked)).toBeUndefined()
    expect(existsSync(file)).toBe(false)
  })

  test('is locked again on demand, alone or with all others', () => {
    const { unlocked } = door()
    expect(unlocked.drop()).toBe(0)
    for (const network of [local, testnet4])
      for (const name of ['savings', 'daily'])
        unlocked.add(name, key, { network, forMs: MINUTE_MS })
    expect([unlocked.drop('savings'), unlocked.drop('savings'), unlocked.drop()]).toEqual([2, 0, 2])
  })

  test('is unlocked for a day at most', async () => {
    const { unlocked } = door()
    for (const forMs of [0, 24 * 60 * MINUTE_MS + 1])
      expect(await codeOf(() => unlocked.add('savings', key, { network: local, forMs }))).toBe(
        'USAGE_INVALID',
      )
  })

  test.skipIf(process.platform === 'win32')('leaves a file that only its owner reads', () => {
    const { unlocked, file } = door()
    unlocked.add('savings', key, { network: local, forMs: MINUTE_MS })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain(toHex(secretOf(1)).slice(0, 8))
  })
})

type File = { end?: unknown; expires_at_ns?: unknown; [name: string]: unknown }

describe('the file of an unlocked key', () => {
  test.each<[string, (file: File) => unknown]>([
    ['another version', (f) => ({ ...f, version: 2 })],
    ['another public key', (f) => ({ ...f, public_key: toHex(devUser(0).publicKeyDer) })],
    ['a public key that is none', (f) => ({ ...f, public_key: '00' })],
    ['another secret', (f) => ({ ...f, session_secret: toHex(secretOf(2)) })],
    ['a short secret', (f) => ({ ...f, session_secret: '5a' })],
    ['a later end', (f) => ({ ...f, expires_at_ns: String(BigInt(String(f.end)) + 1n) })],
    ['no end', (f) => ({ ...f, expires_at_ns: '9'.repeat(38) })],
    ['a changed signature', (f) => ({ ...f, signature: '00'.repeat(64) })],
    ['a short signature', (f) => ({ ...f, signature: '00' })],
    ['a field more', (f) => ({ ...f, more: 1 })],
    ['no field', () => ({})],
    ['too many bytes', (f) => ({ ...f, key: 'x'.repeat(9_000) })],
  ])('with %s is removed and not believed', (_, change) => {
    const { unlocked, file } = door()
    unlocked.add('savings', key, { network: local, forMs: MINUTE_MS })
    const fields: File = JSON.parse(readFileSync(file, 'utf8'))
    const { end: __, ...changed } = Object(change({ ...fields, end: fields.expires_at_ns }))
    writeFileSync(file, JSON.stringify(changed))
    expect(unlocked.find('savings', key.principal, local)).toBeUndefined()
    expect(existsSync(file)).toBe(false)
  })
})

test('a command signs with what is unlocked, and asks only when that has ended', async () => {
  const clock = { ms: START_MS }
  const { store } = keyStore(clock)
  const { unlocked } = door(clock)
  await store.create('savings', materialOf(1), words('correct horse battery'))
  const own = keyOf(materialOf(1))
  unlocked.add('savings', own, { network: local, forMs: MINUTE_MS })
  const { ask, questions } = person('correct horse battery')
  const unlock = (): Promise<User> =>
    unlockUser(chooseKey({ store, wishes: {}, network: localKeyRules }), {
      store,
      sources: sourcesWith({ ask }),
      unlocked: () => unlocked.find('savings', own.principal, local),
    })
  expect((await unlock()).chain).toBeDefined()
  expect(questions).toEqual([])
  clock.ms += MINUTE_MS
  expect((await unlock()).chain).toBeUndefined()
  expect(questions).toHaveLength(1)
})
