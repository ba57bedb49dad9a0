/**
 * Goal: node keys are kept for five minutes, for one root key, for one user; a file that is anything
 * else counts as empty.
 * Method: IC interface §21.3; files in a temporary folder.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { descriptorStore, fileStore } from '../../../src/wallet/client/node-keys.ts'
import { ic, testnet4 } from '../../../src/wallet/network.ts'

const folder = mkdtempSync(join(tmpdir(), 'ckbtc-node-keys-'))
const path = join(folder, 'node-keys-ic.json')
const keys = new Map([['aaaaa-aa', Uint8Array.of(1, 2, 3)]])
const canister = 'mxzaz-hqaaa-aaaar-qaada-cai'

afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => rmSync(path, { force: true }))

const stored = (): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8'))

describe('the file of node keys', () => {
  test('gives back what was put in, to every run', async () => {
    expect(await fileStore(folder, ic).get(canister)).toBeUndefined()
    await fileStore(folder, ic).set(canister, keys)
    expect(await fileStore(folder, ic).get(canister)).toEqual(keys)
    expect(await fileStore(folder, ic).get('other')).toBeUndefined()
    expect(await fileStore(folder, ic).get('__proto__')).toBeUndefined()
    await fileStore(folder, ic).delete(canister)
    expect(await fileStore(folder, ic).get(canister)).toBeUndefined()
  })

  test('is readable by its user alone, and is written whole', async () => {
    await fileStore(folder, ic).set(canister, keys)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['node-keys-ic.json'])
  })

  test('is ignored under another root key', async () => {
    await fileStore(folder, ic).set(canister, keys)
    expect(await fileStore(folder, { ...ic, rootKey: Uint8Array.of(1) }).get(canister)).toBe(
      undefined,
    )
    expect(await fileStore(folder, testnet4).get(canister)).toBeUndefined()
  })

  test.each<[string, (file: Record<string, unknown>) => unknown]>([
    ['is no JSON', () => '{'],
    ['is a list', () => '[]'],
    ['is of another version', (file) => ({ ...file, version: 2 })],
    ['has no canisters', ({ canisters: _, ...file }) => file],
    ['has a canister that is none', (file) => ({ ...file, canisters: { [canister]: 1 } })],
    [
      'has keys that are no texts',
      (file) => ({ ...file, canisters: { [canister]: { storedAt: Date.now(), keys: { a: 1 } } } }),
    ],
    [
      'has keys that are not hexadecimal',
      (file) => ({
        ...file,
        canisters: { [canister]: { storedAt: Date.now(), keys: { a: 'x' } } },
      }),
    ],
    ['is from the future', (file) => aged(file, -10_000)],
    ['is six minutes old', (file) => aged(file, 360_000)],
    ['is huge', (file) => ({ ...file, more: 'x'.repeat(300_000) })],
  ])('that %s counts as empty, and is written anew', async (_, change) => {
    await fileStore(folder, ic).set(canister, keys)
    const changed = change(stored())
    writeFileSync(path, typeof changed === 'string' ? changed : JSON.stringify(changed))
    expect(await fileStore(folder, ic).get(canister)).toBeUndefined()
    await fileStore(folder, ic).set(canister, keys)
    expect(await fileStore(folder, ic).get(canister)).toEqual(keys)
  })

  test('that cannot be written costs nothing but time', async () => {
    await fileStore(folder, ic).set(canister, keys)
    const nowhere = fileStore(join(path, 'no folder'), ic)
    await nowhere.set(canister, keys)
    expect(await nowhere.get(canister)).toBeUndefined()
  })
})

const aged = (file: Record<string, unknown>, ms: number): unknown =>
  JSON.parse(JSON.stringify(file).replace(/"storedAt":\d+/, `"storedAt":${Date.now() - ms}`))

test('keys of the descriptor hold until they do not verify', async () => {
  const id = ic.ids.ledger
  const store = descriptorStore({ nodeKeys: [{ id, publicKey: Uint8Array.of(1) }] })
  expect(await store.get(canister)).toEqual(new Map([[canister, Uint8Array.of(1)]]))
  await store.delete('any')
  expect(await store.get(canister)).toBeUndefined()
  await store.set(canister, keys)
  expect(await store.get(canister)).toEqual(keys)
})
