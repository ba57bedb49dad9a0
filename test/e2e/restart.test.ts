/**
 * Goal: a subnet goes on where it was, whoever ended it, and tells what is lost when disks are.
 * Method: the built program, killed and stopped; files of its nodes spoiled in between. IC interface
 * §26 (33, 103): calls and reads over HTTP before and after.
 */
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { concat, fromHex, fromUtf8, u64be, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { textOfAccount } from '../../src/core/ic/account.ts'
import { decodeCbor } from '../../src/core/ic/cbor.ts'
import { verifyCertificate } from '../../src/core/ic/certificate.ts'
import type { Envelope } from '../../src/core/ic/envelope.ts'
import { requestId, signCall } from '../../src/core/ic/envelope.ts'
import { lookup } from '../../src/core/ic/hash-tree.ts'
import { anonymous, selfAuthenticating } from '../../src/core/ic/principal.ts'
import { systemClock } from '../../src/host/clock.ts'
import { NodeDisk } from '../../src/host/disks/node-disk.ts'
import { LmdbStore } from '../../src/host/store/lmdb-store.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { Home } from '../support/e2e-home.ts'
import type { Endpoint, Posted } from '../support/ic-requests.ts'
import { callContent, certified, ed25519Signer, post, readContent } from '../support/ic-requests.ts'
import { tokenFile } from '../support/token-files.ts'

const home = new Home()
const facts = () => {
  const { root_key, master_public_key, ledger_id, tokens, bitcoin_height, nodes } =
    home.json('subnet status')
  const { accounts } = home.json('balance dev1 --token xyz')
  const { entries } = home.json('history dev1 --token xyz --certified')
  const rows = home.run('export dev1 --token xyz --format csv --out -').out.split('\r\n')
  const told = { root_key, master_public_key, ledger_id, tokens, bitcoin_height, nodes }
  return { ...told, accounts, entries, rows }
}
const address = (): string => home.json('address dev1').address
const nodeFile = (node: number): string =>
  join(home.path, 'state', 'subnet', `node-${node}`, 'data.mdb')
const spoil = (node: number): void => writeFileSync(nodeFile(node), 'this is no database')

/** File of the token that it has beside ckBTC. */
const token = join(home.path, 'token.json')

const user = ed25519Signer(1)
const now = (): TimestampNs => systemClock()
const endpoint = (): Endpoint => ({ fetch, url: home.json('subnet status').url })
/** A call of a user, made once and handed in again after each start. */
let envelope: Envelope

/** What the certified answer to a request says of the call. */
const saidOf = (answer: Posted) => {
  const say = certified(answer, { envelope, rootKey: fromHex(before.root_key), now: now() })
  return { status: fromUtf8(say('status') ?? new Uint8Array()), reply: say('reply') }
}

/** How many calls the subnet has executed ever, as it certifies it. */
async function executed(): Promise<bigint> {
  const id = selfAuthenticating(fromHex(before.root_key))
  const asked = [utf8('subnet'), id, utf8('metrics')]
  const content = readContent(anonymous, now(), [asked])
  const answer = await post(endpoint(), { content }, { action: 'read_state', scope: 'subnet', id })
  const certificate = answer.fields.get('certificate')
  if (!(certificate instanceof Uint8Array)) throw new RangeError(answer.text)
  const effective = { type: 'subnet', id } as const
  const rootKey = fromHex(before.root_key)
  const verified = verifyCertificate(certificate, { rootKey, effective, now: now() })
  if (verified.type === 'refused') throw new RangeError(verified.reason)
  const found = lookup(verified.tree, asked)
  const metrics = found.type === 'found' ? decodeCbor(found.value) : undefined
  const total = metrics instanceof Map ? metrics.get('update_transactions_total') : undefined
  if (typeof total !== 'bigint') throw new RangeError('the metrics count calls')
  return total
}

/** What the first thing asked after a start shows: all of it signed under the key of before. */
async function expectSame(): Promise<void> {
  const path = [utf8('request_status'), requestId(envelope.content)]
  const read = signCall(readContent(user.principal, now(), [path]), user)
  const first = await post(endpoint(), read, { action: 'read_state' })
  expect(saidOf(first)).toEqual(saidBefore)
  expect(await executed()).toBe(executedBefore)
  expect(saidOf(await post(endpoint(), envelope))).toEqual(saidBefore)
  expect(await executed()).toBe(executedBefore)
  expect(facts()).toEqual(before)
  expect(address()).toBe(addressBefore)
  executedBefore = await executed() // The address was asked by a call.
}

let before: ReturnType<typeof facts>
let addressBefore: string
let saidBefore: ReturnType<typeof saidOf>
let executedBefore: bigint

beforeAll(async () => {
  const initial_balances = [[textOfAccount({ owner: devUser(1).principal }), '77']]
  writeFileSync(token, JSON.stringify(tokenFile({ initial_balances })))
  home.json(`subnet start --block-time manual --min-confirmations 2 --token ${token}`)
  home.json('subnet set token.xyz.transfer-fee=0xyz token.xyz.max-memo-length=40')
  addressBefore = address()
  home.json(`bitcoin faucet 0.01BTC --to dev1`)
  before = facts()
  expect(before).toMatchObject({ accounts: [{ balance_units: '77' }], tokens: [{ symbol: 'XYZ' }] })
  home.json('transfer 0.00000007xyz --to dev2 --token xyz -k dev1')
  before = facts()
  expect(before.entries).toMatchObject([{ amount_units: '-7' }, { type: 'mint' }])
  expect(before.rows[1]).toMatch(/,local,XYZ,.+,transfer,out,0\.00000007,7,0,/)
  envelope = signCall(callContent(user.principal, now()), user)
  saidBefore = saidOf(await post(endpoint(), envelope))
  expect(saidBefore.status).toBe('replied')
  executedBefore = await executed()
}, 120_000)
afterAll(() => home.remove())

it('33, 103: keeps keys, chain, canisters and answers when it is stopped', async () => {
  home.json('subnet stop')
  home.json('subnet start')
  await expectSame()
})

it('33, 103: keeps keys, chain, canisters and answers when it is killed', async () => {
  process.kill(home.json('subnet status').pid, 'SIGKILL')
  home.json('subnet start')
  await expectSame()
})

it('brings a disk that was put back from an older copy up to the others', () => {
  const sign = (): string => home.json(`signer sign --hash ${'00ff'.repeat(16)}`).signature
  const [disk, older] = [dirname(nodeFile(1)), join(home.path, 'older')]
  home.run('subnet stop')
  cpSync(disk, older, { recursive: true })
  home.json('subnet start')
  const first = sign()
  process.kill(home.json('subnet status').pid, 'SIGKILL')
  home.run('subnet stop') // Returns when the process has gone.
  rmSync(disk, { recursive: true })
  renameSync(older, disk)
  home.json('subnet start')
  expect(facts()).toEqual(before)
  expect(home.run('subnet status').out).toContain('4 of 4 up')
  // Another presignature, so another signature.
  expect(sign()).not.toBe(first)
  expect(home.run('subnet logs').out).not.toMatch(/at fault|Diverged/)
})

it('§22.7 older-subnet: when all disks are put back, again and again, it signs as never before', () => {
  const sign = (): string => home.json(`signer sign --hash ${'00ff'.repeat(16)}`).signature
  const stop = (): void => {
    process.kill(home.json('subnet status').pid, 'SIGKILL')
    home.run('subnet stop') // Returns when the process has gone.
  }
  const [subnet, older] = [join(home.path, 'state', 'subnet'), join(home.path, 'older')]
  home.run('subnet stop')
  cpSync(subnet, older, { recursive: true })
  const signatures: string[] = []
  for (let life = 0; life < 2; life++) {
    home.json('subnet start')
    expect(facts()).toEqual(before)
    signatures.push(sign())
    stop()
    rmSync(subnet, { recursive: true })
    cpSync(older, subnet, { recursive: true })
  }
  rmSync(older, { recursive: true })
  home.json('subnet start')
  // r of each comes from a K and an ω that no other life had.
  expect(new Set(signatures.map((signature) => signature.slice(0, 64))).size).toBe(2)
}, 240_000)

/**
 * The first slot from `from` on that a start does not look at when it compares the disks by halving:
 * one that it looks at is taken from the others. The disks end at `length` or a few slots sooner.
 */
function unmet(from: bigint, length: bigint): bigint {
  const met = new Set<bigint>()
  for (let end = length; end > length - 5n; end--)
    for (let low = -1n; low < end; ) {
      low = end - (end - low) / 2n
      met.add(low - 1n)
    }
  let slot = from
  while (met.has(slot)) slot++
  expect(slot).toBeLessThan(length - 5n)
  return slot
}

it('runs when one node finds its log damaged while it reads it again', () => {
  // Many slots: some that the comparison of the disks passes over.
  for (const byte of ['0f', '1f', '2f', '3f']) home.json(`signer sign --hash ${byte.repeat(32)}`)
  process.kill(home.json('subnet status').pid, 'SIGKILL')
  home.run('subnet stop') // Returns when the process has gone.
  const store = LmdbStore.open(dirname(nodeFile(2)))
  const { starts, position } = new NodeDisk(store).log
  const { first } = present(starts.at(-1), 'a time line')
  const damaged = unmet(first + 1n, position.next)
  store.transaction((writer) =>
    writer.put(concat(utf8('slot/'), u64be(damaged)), new Uint8Array(80)),
  )
  store.close()
  home.json('subnet start')
  expect(facts()).toEqual(before)
  // The other three may be up before it has read so far.
  home.untilSays('subnet logs', `slot ${damaged} does not have its hash`)
  home.untilSays('subnet status', '3 of 4 up')
})

it('refuses another number of nodes than it was made with', () => {
  home.json('subnet stop')
  const { exit, err } = home.run('subnet start --nodes 1')
  expect(exit).toBe(11)
  expect(err).toContain('CONFIG_INVALID')
})

it('refuses other settings and another operator than it was made with, however they came', () => {
  const lost = (name: string): string => {
    const file = join(home.path, 'state', 'subnet', name)
    renameSync(file, `${file}.away`)
    const { exit, err } = home.run('subnet start')
    expect({ name, exit }).toEqual({ name, exit: 11 })
    renameSync(`${file}.away`, file)
    return err
  }
  expect(lost('settings.json')).toMatch(/minConfirmations 2, not 6.*\(CONFIG_INVALID\)/)
  expect(lost('operator.key')).toContain('another operator key (CONFIG_INVALID)')
  rmSync(join(home.path, 'state', 'subnet', 'settings.json'))
  home.json(`subnet start --block-time manual --min-confirmations 2 --token ${token}`)
  expect(facts()).toEqual(before)
  home.json('subnet stop')
})

it('refuses a chain that is behind what its nodes have followed', () => {
  const folder = (name: string): string => join(home.path, 'state', 'subnet', name)
  const [chain, older, newer] = [folder('bitcoin'), folder('older'), folder('newer')]
  cpSync(chain, older, { recursive: true })
  home.json('subnet start')
  // Minted means that all but f nodes have followed the chain so far.
  home.json('deposit --faucet 0.01btc')
  const followed = facts()
  home.json('subnet stop')
  renameSync(chain, newer)
  renameSync(older, chain)
  const { exit, err } = home.run('subnet start')
  expect({ exit, err }).toEqual({ exit: 11, err: expect.stringContaining('(HOST_DISK)') })
  expect(err).toContain(`ends at height ${before.bitcoin_height}, the nodes know`)
  rmSync(chain, { recursive: true })
  renameSync(newer, chain)
  before = followed
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

it('does not take a copy of a disk for the disk of another node', () => {
  const folder = (node: number): string => dirname(nodeFile(node))
  renameSync(folder(4), join(home.path, 'away'))
  cpSync(folder(1), folder(4), { recursive: true })
  const { exit, err } = home.run('subnet start')
  expect({ exit, err }).toEqual({ exit: 11, err: expect.stringContaining('(HOST_DISK)') })
  expect(err).toContain('is a copy of another')
  rmSync(folder(4), { recursive: true })
  renameSync(join(home.path, 'away'), folder(4))
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
  const { root_key, tokens } = home.json('subnet status')
  expect(root_key).not.toBe(before.root_key)
  expect(tokens).toEqual([])
})
