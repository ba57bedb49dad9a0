/**
 * Goal: a node goes on from its disk with the very state it had, by replay and by snapshot alike.
 * Method: a subnet of one node over its log, its disk in memory; a start of the subnet is a
 * new start record.
 */
import { serialize } from 'node:v8'
import { beforeAll, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { SubnetNode } from '../../../src/core/subnet/node.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { restoreNode, saveNode } from '../../../src/host/disks/node-restore.ts'
import { NodeRunner } from '../../../src/host/node/runner.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { foundSubnet, onlyNode } from '../../support/founded.ts'

const founded = foundSubnet(1)
const { genesis } = founded

const configOf = (disk: NodeDisk) => ({ ...onlyNode(founded), records: disk.records() })

function restored(disk: NodeDisk): SubnetNode {
  return restoreNode(disk, configOf(disk))
}

/** A life of the node: until it holds a presignature in stock, and everything is at rest. */
async function live(disk: NodeDisk): Promise<SubnetNode> {
  const node = restored(disk)
  const { position } = disk.log
  const whole = new OrderedNode(node, { disk: disk.log, now: genesis.createdAt })
  let stock = 0
  let now = position.time ?? genesis.createdAt
  const runner: NodeRunner = new NodeRunner(whole, {
    clock: () => (now = timestampNs(now + 1_000_000n)),
    disk,
    share: (outputs) => {
      for (const output of outputs) {
        if (output.type === 'observed' && output.event.type === 'executed')
          stock = output.event.stock
        if (output.type === 'send')
          setImmediate(() => runner.input({ type: 'message', from: 0, bytes: output.bytes }))
      }
    },
    broken: (bug) => {
      throw bug
    },
    failed: (problem) => {
      throw problem
    },
  })
  runner.input({ type: 'start' })
  for (let turn = 0; turn < 5_000 && (stock === 0 || node.isSettling); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  runner.end()
  expect(stock).toBe(1)
  return node
}

/** What the whole subnet does at its start. */
function startAgain(disk: NodeDisk, incarnation: bigint): void {
  const { next: first, previous } = disk.log.position
  disk.restart([...disk.log.starts, { incarnation, first, previous }])
}

/** All that canisters remember, but for the time line, which is new. */
function stateOf(node: SubnetNode) {
  const { slot, keys: finalKeys, state } = present(node.snapshot, 'keys are final')
  return { slot, keys: finalKeys, state: structuredClone({ ...state, incarnation: 0n }) }
}

let store: MemoryStore
let before: ReturnType<typeof stateOf>
let publicKey: Uint8Array | undefined

beforeAll(async () => {
  store = new MemoryStore()
  const disk = new NodeDisk(store)
  disk.found(encodeGenesis(genesis))
  const node = await live(disk)
  before = stateOf(node)
  publicKey = node.publicKey
})

it('a start replays the log to the state and the keys that were', () => {
  const disk = new NodeDisk(store)
  startAgain(disk, 100n)
  const node = restored(disk)
  expect(stateOf(node)).toEqual(before)
  expect(node.publicKey).toEqual(publicKey)
  expect(node.replica.state.incarnation).toBe(100n)
})

it('the next start goes on from what that one led to, without the slots before', () => {
  const copy = new MemoryStore()
  copy.transaction((writer) => {
    for (const { key, value } of store.range({ prefix: new Uint8Array() })) writer.put(key, value)
  })
  const disk = new NodeDisk(copy)
  expect([...disk.snapshots()].map(({ slot }) => slot)).toEqual([before.slot - 1n])
  startAgain(disk, 101n)
  copy.transaction((writer) => {
    for (const { key } of writer.range({ prefix: utf8('slot/') }).slice(0, 3))
      writer.put(key, new Uint8Array(40))
  })
  expect(stateOf(restored(disk))).toEqual(before)
})

it('a snapshot that cannot be understood is passed over, and the log stands in for it', () => {
  for (const bytes of [new Uint8Array(serialize({ format: 0 })), utf8('of a later engine')]) {
    const copy = new MemoryStore()
    copy.transaction((writer) => {
      for (const { key, value } of store.range({ prefix: new Uint8Array() })) writer.put(key, value)
    })
    const disk = new NodeDisk(copy)
    const snapshots = [...disk.snapshots()]
    expect(snapshots.length).toBeGreaterThan(0)
    for (const { slot } of snapshots) disk.commit({ snapshot: { slot, bytes } })
    startAgain(disk, 110n)
    expect(stateOf(restored(disk))).toEqual(before)
  }
})

it('a replay that leads to another state than the one that was named is refused', () => {
  const copy = new MemoryStore()
  copy.transaction((writer) => {
    for (const { key, value } of store.range({ prefix: new Uint8Array() })) writer.put(key, value)
    for (const { key } of writer.range({ prefix: utf8('snapshot/') })) writer.remove(key)
  })
  const disk = new NodeDisk(copy)
  const { slot, root } = present(disk.root, 'a root was named')
  expect(slot).toBeGreaterThanOrEqual(before.slot - 2n)
  startAgain(disk, 110n)
  expect(stateOf(restored(disk))).toEqual(before)
  const other = root.map((byte) => byte ^ 1)
  disk.commit({ root: { slot, root: other } })
  startAgain(disk, 111n)
  copy.transaction((writer) => {
    for (const { key } of writer.range({ prefix: utf8('snapshot/') })) writer.remove(key)
  })
  expect(() => restored(disk)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', details: { path: disk.name, slot } }),
  )
})

it('presignatures of an earlier time line are gone, and new ones are made', async () => {
  const disk = new NodeDisk(store)
  startAgain(disk, 102n)
  const records = new Set(disk.records().keys())
  await live(disk)
  const made = [...disk.records().keys()].filter((key) => !records.has(key))
  expect(made.length).toBeGreaterThan(0)
  // Nothing that an earlier life vouched for is vouched for again.
  expect(made.every((key) => key.startsWith('102/'))).toBe(true)
})

it('a snapshot that was taken at a stop serves the start that follows there', async () => {
  const disk = new NodeDisk(store)
  startAgain(disk, 103n)
  const node = await live(disk)
  saveNode(disk, node)
  startAgain(disk, 104n)
  expect(stateOf(restored(disk))).toEqual(stateOf(node))
})

it('a node that is started again alone begins where its time line does', async () => {
  const disk = new NodeDisk(store)
  startAgain(disk, 105n)
  const first = disk.log.position.next
  const node = await live(disk)
  saveNode(disk, node)
  expect(present(restored(disk).snapshot, 'keys are final').slot).toBe(first)
})

it('a node that is started again alone goes on from a snapshot of its time line, and works on', async () => {
  const copy = new MemoryStore()
  copy.transaction((writer) => {
    for (const { key, value } of store.range({ prefix: new Uint8Array() })) writer.put(key, value)
  })
  const disk = new NodeDisk(copy)
  startAgain(disk, 120n)
  const first = disk.log.position.next
  const lived = await live(disk)
  const early = restored(disk)
  early.step({ type: 'slot', slot: present(disk.log.read(first), 'on disk'), later: 2 })
  saveNode(disk, early)
  const end = disk.log.position.next
  expect(end).toBeGreaterThan(first + 2n)
  // As at a stop: of the newest slots others may wait for the roots, so that they are executed again.
  saveNode(disk, lived)
  expect([...disk.snapshots()].map(({ slot }) => slot)).toEqual([end - 1n, first])
  const node = restored(disk)
  expect(node.slot).toBe(first + 1n)
  const whole = new NodeDisk(copy)
  // The same as without snapshots, once it has executed the rest.
  for (let slot = node.slot; slot < end; slot++)
    node.step({ type: 'slot', slot: present(whole.log.read(slot), 'on disk'), later: 2 })
  copy.transaction((writer) => {
    for (const key of writer.keys({ prefix: utf8('snapshot/') })) writer.remove(key)
  })
  const replayed = restored(new NodeDisk(copy))
  for (let slot = replayed.slot; slot < end; slot++)
    replayed.step({ type: 'slot', slot: present(whole.log.read(slot), 'on disk'), later: 2 })
  expect(node.slot).toBe(end)
  expect(replayed.slot).toBe(end)
  expect(node.root).toEqual(replayed.root)
  expect(node.signer.epoch).toEqual(replayed.signer.epoch)
})

it('a snapshot that contradicts the root that was named is passed over', () => {
  const copy = new MemoryStore()
  copy.transaction((writer) => {
    for (const { key, value } of store.range({ prefix: new Uint8Array() })) writer.put(key, value)
  })
  const disk = new NodeDisk(copy)
  const [newest] = [...disk.snapshots()]
  const { slot } = present(newest, 'there is a snapshot')
  startAgain(disk, 130n)
  disk.commit({ root: { slot, root: new Uint8Array(32) } })
  // The log stands in for it, and comes to what was saved, which is not what was named.
  expect(() => restored(disk)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
