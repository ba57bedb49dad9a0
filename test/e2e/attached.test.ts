/**
 * Goal: on a node of the user's a subnet loses nothing and pays nothing twice, whichever side is
 * killed, and says what a reorganisation took. Method: the built program attached to a regtest node
 * of this process through a proxy; both sides ended in the middle of a redemption, six blocks
 * replaced.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openControl } from '../../src/host/daemon.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { Home } from '../support/e2e-home.ts'
import { ExternalNode } from '../support/external-node.ts'

const WAIT = { timeout: 30_000, interval: 100 }
const home = new Home()
let external: ExternalNode
const recipient = regtestWallet('recipient')

/** The node lives in this process, so nothing may hold it up. */
async function run(line: string) {
  const { exit, out, err } = await home.start(`${line} --json`).end
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they name.
  const document: any = JSON.parse(out)
  return { exit, err, ...document }
}
const data = async (line: string) => {
  const { exit, data: found, error } = await run(line)
  expect([line, exit, error]).toEqual([line, 0, undefined])
  return found
}
const balance = async (name: string): Promise<number> =>
  (await data(`balance ${name}`)).accounts[0].balance_sat
const status = async () => {
  const place = (name: string): string => join(home.path, name)
  const control = await openControl({ state: place('state'), runtime: place('run') })
  return control.ask('status', {})
}
const inStep = () =>
  vi.waitFor(async () => {
    const { attached, subnetBitcoinHeight } = await status()
    expect([attached?.shownHeight, subnetBitcoinHeight]).toEqual([external.height, external.height])
    expect(attached?.isCatchingUp).toBe(false)
  }, WAIT)

beforeAll(async () => {
  external = await ExternalNode.start()
  const set = '--set minter.max-time-in-queue=1s'
  await data(
    `subnet start --bitcoin ${external.place} --min-confirmations 2 --isolation inline ${set}`,
  )
}, 120_000)
afterAll(async () => {
  await home.start('subnet stop').end
  await external.close()
  home.remove()
})

it('the status names the node, and its chain is not ours to change', async () => {
  await inStep()
  const { attached, mining } = await data('subnet status')
  expect({ ...attached, notes: undefined }).toMatchObject({
    address: external.place,
    network: 'regtest',
    is_connected: true,
    nodes_connected: [1, 2, 3, 4],
  })
  expect(mining).toBe('none')
  for (const line of ['mine', 'reorg 1']) {
    const { exit, error } = await run(`bitcoin ${line}`)
    expect([line, exit, error.code]).toEqual([line, 10, 'RAIL_LOCAL_ONLY'])
  }
  expect((await data('bitcoin tip')).height).toBe(external.height)
})

it('a deposit is credited once though the connection is cut', async () => {
  const { address } = await data('address dev0')
  external.pay(address, 50_000_000n)
  external.mine(1)
  external.cut()
  external.mine(1)
  await vi.waitFor(async () => expect(await balance('dev0')).toBe(49_999_900), WAIT)
})

it('bitcoin §13.56: a redemption is paid once through a kill, a restart and six blocks', async () => {
  await data(`redeem 0.2ckbtc --key dev0 --to ${recipient.address} --no-wait --yes`)
  await vi.waitFor(() => expect(external.node.mempool().length).toBe(1), WAIT)
  // The process's own connection tells nothing, so what is heard there the node has taken.
  await vi.waitFor(async () => expect((await status()).outgoing[0]?.state).toBe('echoed'), WAIT)
  const [{ txid, state } = { txid: '', state: '' }] = (await status()).outgoing
  expect((await data(`bitcoin tx ${txid}`)).evidence).toMatchObject({ state, peers: 1 })
  // Both sides end; the node forgets what it had not mined.
  process.kill((await status()).pid, 'SIGKILL')
  await external.stop()
  await external.startAgain()
  expect(external.node.mempool()).toEqual([])
  await data('subnet start')
  await vi.waitFor(() => expect(external.node.mempool().length).toBe(1), WAIT)
  external.mine(1)
  await inStep()
  // The block that held it is gone, and so is what it held: only the subnet knows it.
  external.reorganise(1, { drops: true })
  await vi.waitFor(() => expect(external.node.mempool().length).toBe(1), WAIT)
  external.mine(1)
  external.reorganise(6, { drops: false })
  external.mine(2)
  await inStep()
  await vi.waitFor(async () => {
    const { operations } = await data('status --key dev0 --all')
    expect(operations[0]).toMatchObject({ state: 'done' })
  }, WAIT)
  expect(external.paidTo(recipient.script)).toHaveLength(1)
  expect(await balance('dev0')).toBe(29_999_890)
  expect((await data('verify-reserves')).verdict).toBe('backed')
})

it('a credited deposit that six blocks took is reported, and never credited again', async () => {
  const { address } = await data('address dev1')
  const { bytes } = external.pay(address, 10_000_000n)
  external.mine(2)
  await vi.waitFor(async () => expect(await balance('dev1')).toBe(9_999_900), WAIT)
  external.reorganise(6, { drops: true })
  await inStep()
  const { exit, error } = await run('verify-reserves')
  expect([exit, error.code]).toEqual([8, 'RESERVES_SHORT'])
  external.submit(bytes)
  external.mine(2)
  await inStep()
  expect(await balance('dev1')).toBe(9_999_900)
})
