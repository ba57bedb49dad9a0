/**
 * Goal: a subnet goes on where it was, whoever ended it, and tells what is lost when disks are.
 * Method: the built program, killed and stopped; files of its nodes spoiled in between.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Home } from '../support/e2e-home.ts'

const home = new Home()
const facts = () => {
  const { root_key, master_public_key, ledger_id, bitcoin_height, nodes } =
    home.json('subnet status')
  return { root_key, master_public_key, ledger_id, bitcoin_height, nodes }
}
const address = (): string => home.json('address dev1').address
const nodeFile = (node: number): string =>
  join(home.path, 'state', 'subnet', `node-${node}`, 'data.mdb')
const spoil = (node: number): void => writeFileSync(nodeFile(node), 'this is no database')

let before: ReturnType<typeof facts>
let addressBefore: string

beforeAll(() => {
  home.json('subnet start --block-time manual')
  addressBefore = address()
  home.json(`bitcoin faucet 0.01BTC --to dev1`)
  before = facts()
})
afterAll(() => home.remove())

it('keeps keys, chain and canisters when it is stopped', () => {
  home.json('subnet stop')
  home.json('subnet start')
  expect(facts()).toEqual(before)
  expect(address()).toBe(addressBefore)
})

it('keeps keys, chain and canisters when it is killed', () => {
  process.kill(home.json('subnet status').pid, 'SIGKILL')
  home.json('subnet start')
  expect(facts()).toEqual(before)
  expect(address()).toBe(addressBefore)
})

it('refuses another number of nodes than it was made with', () => {
  home.json('subnet stop')
  const { exit, err } = home.run('subnet start --nodes 1')
  expect(exit).toBe(11)
  expect(err).toContain('CONFIG_INVALID')
})

it('runs with one damaged disk of four, and says which in its log', () => {
  spoil(2)
  home.json('subnet start')
  expect(facts()).toEqual(before)
  expect(address()).toBe(addressBefore)
  expect(home.run('subnet logs').out).toContain('node-2 is damaged')
  // Three nodes still sign.
  expect(home.json(`signer sign --hash ${'00ff'.repeat(16)}`).signature).toMatch(/^[0-9a-f]{128}$/)
  home.json('subnet stop')
})

it('refuses to start from two good disks of four, and says what to do', () => {
  spoil(3)
  const { exit, err } = home.run('subnet start')
  expect(exit).toBe(11)
  expect(err).toContain('(HOST_DISK)')
  expect(err).toContain('ckbtc subnet reset')
})

it('begins anew after a reset', () => {
  home.run('subnet reset --yes')
  rmSync(join(home.path, 'state', 'subnet'), { recursive: true, force: true })
  home.json('subnet start --nodes 1')
  expect(facts().root_key).not.toBe(before.root_key)
})
