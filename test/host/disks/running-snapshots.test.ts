/**
 * Goal: a node that runs keeps its state, wherever in a time line that is, and a start goes on from
 * there in the very state that a replay of everything leads to. Method: a subnet whose minter signs
 * a redemption and whose operator has all keys refreshed; from a snapshot after many a slot of it
 * the rest is executed, and compared.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { open } from 'lmdb'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { concat, toHex, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { parseBtc } from '../../../src/core/base/units.ts'
import { txid } from '../../../src/core/btc/transaction.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodePublicKey } from '../../../src/core/ic/public-key.ts'
import { logLength } from '../../../src/core/ledger/state.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import {
  encodeOperatorRefresh,
  operatorRefreshContent,
} from '../../../src/core/subnet/operator-requests.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import type { Snapshot } from '../../../src/host/disks/node-disk.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { restoreNode, saveNode } from '../../../src/host/disks/node-restore.ts'
import {
  RunningSnapshots,
  SLOT_WEIGHT,
  SnapshotPace,
} from '../../../src/host/disks/running-snapshots.ts'
import { decodeState, encodeState } from '../../../src/host/disks/snapshot-codec.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const payer = regtestWallet('payer')
const [dev0, operator] = [devUser(0), devUser(4)]
const account = { owner: dev0.principal }
type Saved = { format?: number; state?: object }
/** What becomes of the bytes under a key. */
type Change = (bytes: Uint8Array) => Uint8Array | undefined
const everything = { prefix: new Uint8Array() }
const CI_PLACES = 5

let net: SubnetNet
/** All slots, and what they asked of the signer; no snapshot. */
const store = new MemoryStore()
/** After each slot, once keys were final. */
const snapshots: Snapshot[] = []
let end: ReturnType<typeof shown>

const stores = new Map<NodeDisk, MemoryStore>()

const configOf = (disk: NodeDisk) => ({
  ...net.configOf(0),
  records: new Map([...net.recordsOf(0), ...disk.records()]),
})

/** What clients are shown, and what the nodes go on with. */
function shown(node: SubnetNode) {
  const { state, keys, slot } = present(node.snapshot, 'keys are final')
  return {
    slot,
    root: toHex(present(node.root, 'there is a key')),
    keys: toHex(keys),
    version: node.signer.epoch.version,
    blocks: logLength(state.ckbtc.ledger),
    minterEvents: state.minter.log.count,
    asked: [...state.asked.keys()],
  }
}

function copyOf(original: MemoryStore): MemoryStore {
  const copy = new MemoryStore()
  copy.transaction((writer) => {
    for (const { key, value } of original.range(everything)) writer.put(key, value)
  })
  return copy
}

/** The disk as a kill leaves it, with this snapshot. */
function diskWith(snapshot: Snapshot | undefined): NodeDisk {
  const copy = copyOf(store)
  const disk = new NodeDisk(copy)
  stores.set(disk, copy)
  disk.commit({ snapshot })
  return disk
}

/** With the slots before it spoiled that the signer has no need of. */
function thinned(snapshot: Snapshot): NodeDisk {
  const needed = neededBelow(snapshot.slot)
  return spoil(diskWith(snapshot), (slot) => !needed.has(slot), snapshot.slot)
}

function neededBelow(last: bigint): ReadonlySet<bigint> {
  const past = [...new NodeDisk(store).signerPast(0n, last)]
  return new Set([0n, last, ...past.flatMap(({ slot }) => [slot - 1n, slot])])
}

/** Their hashes stay, so that the slots that follow them can be read. */
function spoil(disk: NodeDisk, isSpoiled: (slot: bigint) => boolean, below: bigint): NodeDisk {
  const spoiled = stores.get(disk)
  spoiled?.transaction((writer) => {
    for (let slot = 0n; slot < below; slot++) {
      const key = concat(utf8('slot/'), u64be(slot))
      const value = writer.get(key)
      if (isSpoiled(slot) && value !== undefined) writer.put(key, concat(value.slice(0, 32)))
    }
  })
  return disk
}

function startAgain(disk: NodeDisk, incarnation = 100n): SubnetNode {
  const { next: first, previous } = disk.log.position
  disk.restart([...disk.log.starts, { incarnation, first, previous }])
  return restoreNode(disk, configOf(disk))
}

function orderRefresh(): void {
  const order = { version: net.node(0).signer.epoch.version + 1n, change: undefined }
  const request = encodeOperatorRefresh({
    refresh: order,
    publicKey: decodePublicKey(operator.publicKeyDer).key,
    signature: operator.sign(operatorRefreshContent(net.genesis, order)),
  })
  net.tell(0, { type: 'operator', request })
}

async function story(): Promise<void> {
  net.settle()
  net.mine(101, payer.script)
  net.pass(1)
  const rootKey = present(net.backend.rootKey, 'a root is certified')
  const { ledger: ledgerId, minter: minterId } = ownCanisterIds
  const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
  const deployment = { url: 'http://127.0.0.1', rootKey, ledgerId, minterId, masterPublicKey }
  const canisters = canistersAt(deployment, { signer: dev0, fetch: net.fetch })
  const { address } = await canisters.depositAddress(account)
  const coinbase = present(net.bitcoin.blockAt(1)?.transactions[0], 'a coinbase')
  const { value } = present(coinbase.outputs[0], 'it pays')
  const utxos = [{ outpoint: { txid: txid(coinbase), vout: 0 }, value }]
  const payment = payer.pay({ utxos, to: address, amount: parseBtc('0.5'), feeRateSatPerVb: 5n })
  if (payment.type !== 'signed') throw new Error(payment.type)
  net.bitcoin.submit(payment.bytes, net.nowSeconds)
  net.mine(6, payer.script)
  const redeemed = { address: regtestWallet('recipient').address, amount: parseBtc('0.1') }
  await canisters.redeem({ ...redeemed, now: net.now })
  net.pass(11_000)
  net.mine(6, payer.script)
  orderRefresh()
  net.pass(1_000)
  await canisters.redeem({ ...redeemed, now: net.now })
  net.pass(11_000)
  net.mine(6, payer.script)
}

beforeAll(async () => {
  net = new SubnetNet(1)
  await story()
  expect(net.faults).toEqual([])
  const disk = new NodeDisk(store)
  disk.writeSeed(utf8('secret'))
  disk.found(encodeGenesis(net.genesis))
  const running = new NodeDisk(new MemoryStore())
  running.found(encodeGenesis(net.genesis))
  const node = new SubnetNode(configOf(disk))
  for (const slot of net.slots) {
    const outputs = node.step({ type: 'slot', slot, later: 2 })
    const past = outputs.filter((output) => output.type === 'signer-past')
    disk.commit({ slot, past })
    running.commit({ slot })
    if (saveNode(running, node) > 0)
      snapshots.push(present([...running.snapshots()][0], 'it was written just now'))
  }
  end = shown(node)
})

describe('a start from the midst of a time line', () => {
  test('the story has all that a signer does', () => {
    expect(end.version).toBe(2n)
    expect(end.blocks).toBeGreaterThan(2n)
    expect(net.announced.length).toBeGreaterThan(1)
    expect(snapshots.length).toBeGreaterThan(40)
  })

  it('leads to the state that a replay of everything leads to', () => {
    const whole = shown(startAgain(diskWith(undefined)))
    expect(whole.root).toBe(end.root)
    // PLACES=all plays every one.
    const { PLACES } = process.env
    const step = PLACES === 'all' ? 1 : Math.ceil(snapshots.length / CI_PLACES)
    for (let i = snapshots.length - 1; i >= 0; i -= step) {
      const snapshot = present(snapshots[i], 'a place')
      expect([i, shown(startAgain(thinned(snapshot)))]).toEqual([i, whole])
    }
  })

  it('reads no slot before the snapshot, but for those that the signer needs', () => {
    const snapshot = present(snapshots.at(-2), 'there are many')
    const spoiled = spoil(diskWith(snapshot), () => true, snapshot.slot)
    expect(() => startAgain(spoiled)).toThrow('does not have its hash')
    const needed = BigInt(neededBelow(snapshot.slot).size)
    expect(snapshot.slot - needed).toBeGreaterThan(10n)
  })
})

describe('a snapshot that is not what was written', () => {
  const root = mkdtempSync(join(tmpdir(), 'ckbtc-snapshots-'))
  afterAll(() => rmSync(root, { recursive: true }))
  const slot = (): bigint => present(snapshots.at(-9), 'there are many').slot
  const keyOf = (prefix: string): Uint8Array =>
    concat(Uint8Array.of(1), utf8(prefix), u64be(slot()))
  const flip =
    (at: number) =>
    (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, i) => (i === Math.floor(bytes.length * at) ? byte ^ 1 : byte))
  /** Under a checksum of its own, as a program would write it that had gone wrong. */
  const alter = (change: (saved: Saved) => void) => (disk: NodeDisk) => {
    const saved = decodeState(present([...disk.snapshots()][0], 'one is there').bytes) as Saved
    change(saved)
    disk.commit({ snapshot: { slot: slot(), bytes: encodeState(saved) } })
  }

  /** On a real disk: what lies under a key is changed behind the back of the store. */
  function startWith(damage: {
    raw?: [string, Change]
    disk?: (disk: NodeDisk) => void
    store?: (written: LmdbStore) => void
  }): string {
    const directory = mkdtempSync(join(root, 'disk-'))
    const first = LmdbStore.open(directory)
    first.transaction((writer) => {
      for (const { key, value } of store.range(everything)) writer.put(key, value)
    })
    const disk = new NodeDisk(first)
    disk.commit({ snapshot: snapshots.at(-9) })
    damage.disk?.(disk)
    damage.store?.(first)
    disk.close()
    if (damage.raw !== undefined) {
      const [prefix, change] = damage.raw
      const raw = open({ path: directory, encoding: 'binary', keyEncoding: 'binary' })
      const changed = change(present(raw.get(keyOf(prefix)), 'it is there'))
      if (changed === undefined) raw.removeSync(keyOf(prefix))
      else raw.putSync(keyOf(prefix), changed)
      void raw.close()
    }
    const again = new NodeDisk(LmdbStore.open(directory))
    const { root: reached } = shown(startAgain(again))
    again.close()
    return reached
  }

  test.each<[string, Parameters<typeof startWith>[0]]>([
    ['ledger §20.145: a snapshot that is whole', {}],
    ['ledger §20.145: one that was deleted', { raw: ['snapshot-bytes/', () => undefined] }],
    ['ledger §20.145: one whose name was deleted', { raw: ['snapshot/', () => undefined] }],
    [
      'ledger §20.145: one cut in half',
      { raw: ['snapshot-bytes/', (b) => b.slice(0, b.length / 2)] },
    ],
    ['ledger §20.145: one bit flipped in its midst', { raw: ['snapshot-bytes/', flip(0.5)] }],
    ['ledger §20.145: one of another format', { disk: alter((saved) => (saved.format = 6)) }],
    [
      'ledger §20.145: one of another log',
      {
        disk: (disk) => {
          const { bytes } = present(snapshots.at(-14), 'there are many')
          disk.commit({ snapshot: { slot: slot(), bytes } })
        },
        store: (written) =>
          written.transaction((writer) =>
            writer.put(concat(utf8('snapshot/'), u64be(slot())), new Uint8Array(32)),
          ),
      },
    ],
    [
      'ledger §20.145: one of another state than it names',
      { disk: alter((saved) => Object.assign(saved.state ?? {}, { updatesTotal: 7n })) },
    ],
    [
      'ledger §20.145: what the signer was asked is gone',
      {
        disk: (disk) => {
          for (const { slot: number } of disk.signerPast(0n, slot()))
            disk.commit({ past: [{ slot: number, calls: Uint8Array.of(9) }] })
        },
      },
    ],
  ])('%s: a start leads to the same root', (_, damage) => {
    expect(startWith(damage)).toBe(end.root)
  })
})

test('ledger §20.148: a start executes no more than what the limit lets come after a snapshot', () => {
  const limitSlots = 16
  const disk = new NodeDisk(new MemoryStore())
  disk.found(encodeGenesis(net.genesis))
  const node = new SubnetNode(configOf(disk))
  const kept = new RunningSnapshots(disk, { me: 0, nodes: 1, logMin: limitSlots * SLOT_WEIGHT })
  const first = present(snapshots[0], 'keys become final').slot
  const [since, written]: [number[], bigint[]] = [[], []]
  for (const slot of net.slots) {
    const outputs = node.step({ type: 'slot', slot, later: 2 })
    disk.commit({ slot, past: outputs.filter((output) => output.type === 'signer-past') })
    kept.executed(slot)
    if (kept.isDue(node)) kept.take(node)
    const [newest] = [...disk.snapshots()]
    if (newest?.slot === slot.number) written.push(slot.number)
    // A kill here: so much a start would execute.
    if (slot.number > first) since.push(Number(slot.number - (newest?.slot ?? -1n)))
  }
  const weights = net.slots.map(({ items }) => items.reduce((sum, item) => sum + item.length, 0))
  expect(Math.max(...weights)).toBeLessThan(limitSlots * SLOT_WEIGHT)
  expect(Math.max(...since)).toBeLessThanOrEqual(Math.max(limitSlots, Number(first) + 1))
  expect(written.length).toBeGreaterThan(2)
  expect([...disk.snapshots()]).toHaveLength(2)
})

describe('the pace of snapshots', () => {
  const slots = fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 50, maxLength: 400 })
  const setups = fc.record({
    nodes: fc.integer({ min: 1, max: 13 }),
    logMin: fc.integer({ min: SLOT_WEIGHT, max: 4_000_000 }),
    stateSize: fc.integer({ min: 100, max: 20_000_000 }),
    sizes: slots,
    isSettling: fc.boolean(),
  })

  test('nodes are never busy before the same slot, and each is in time and in proportion', () => {
    fc.assert(
      fc.property(setups, ({ nodes, logMin, stateSize, sizes, isSettling }) => {
        const paces = Array.from({ length: nodes }, (_, me) => ({
          pace: new SnapshotPace({ me, nodes, logMin }),
          grown: 0,
          written: 0,
        }))
        let weight = 0
        for (const [i, size] of sizes.entries()) {
          const slotWeight = Math.max(SLOT_WEIGHT, size)
          weight += slotWeight
          const busy = paces.filter((one) => {
            one.pace.executed({ items: [new Uint8Array(size)] })
            one.grown += slotWeight
            return one.pace.isDue(BigInt(i) + 1n, isSettling)
          })
          expect(busy.length).toBeLessThanOrEqual(1)
          for (const one of busy) {
            expect(one.grown).toBeGreaterThanOrEqual(logMin)
            one.pace.saved(stateSize)
            one.grown = 0
            one.written += stateSize
          }
          // Past the limit it comes with the node's next turn.
          const turn = Math.max(1, Math.min(64, Math.floor(logMin / SLOT_WEIGHT / 4 / nodes)))
          const waiting = sizes.slice(Math.max(0, i - 2 * turn * nodes), i + 1)
          const room = waiting.reduce((sum, each) => sum + Math.max(SLOT_WEIGHT, each), 0)
          for (const { grown, written } of paces) {
            expect(grown).toBeLessThanOrEqual(Math.max(logMin, stateSize / 4) + room)
            expect(written).toBeLessThanOrEqual(4 * weight + stateSize)
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  test('while clients wait for its word, a node puts it off, but not beyond its turn', () => {
    const pace = new SnapshotPace({ me: 1, nodes: 4 })
    for (let i = 0; i < 2_048; i++) pace.executed({ items: [] })
    const due = (isSettling: boolean) =>
      Array.from({ length: 256 }, (_, i) => BigInt(i)).filter((i) => pace.isDue(i, isSettling))
    expect(due(false)).toEqual(Array.from({ length: 64 }, (_, i) => BigInt(64 + i)))
    expect(due(true)).toEqual(Array.from({ length: 32 }, (_, i) => BigInt(96 + i)))
  })
})
