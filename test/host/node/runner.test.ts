/**
 * A node in its thread: what is recorded is stored before what follows it leaves, and a broken
 * invariant ends it.
 */
import { expect, it, vi } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { Bug, HostDisk } from '../../../src/core/base/errors.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import type { RunnerPorts } from '../../../src/host/node/runner.ts'
import { NodeRunner } from '../../../src/host/node/runner.ts'
import { foundSubnet, onlyNode } from '../../support/founded.ts'
import { SlotMemory } from '../../support/slot-disk.ts'

/**
 * A subnet of one node over the sequencer, on a store of the test's choice. `quiet`: all work is
 * done.
 */
function runOne(
  put: (key: string) => void,
  snapshots?: (heard: readonly string[]) => RunnerPorts['snapshots'],
) {
  const founded = foundSubnet(1)
  const { genesis } = founded
  const heard: string[] = []
  const bugs: string[] = []
  const problems: string[] = []
  const config = onlyNode(founded)
  const disk = new SlotMemory(genesis)
  const node = new SubnetNode(config)
  const whole = new OrderedNode(node, { disk, now: genesis.createdAt })
  const runner = new NodeRunner(whole, {
    clock: () => genesis.createdAt,
    snapshots: snapshots?.(heard),
    disk: {
      commit: ({ records = [], slot }) => {
        for (const { key } of records) put(key)
        if (slot !== undefined) disk.append(slot)
      },
      log: disk,
    },
    share: (outputs) => {
      for (const output of outputs) {
        heard.push(output.type)
        if (output.type === 'send')
          setImmediate(() => runner.input({ type: 'message', from: 0, bytes: output.bytes }))
      }
    },
    broken: ({ message }) => bugs.push(message),
    failed: ({ code }) => problems.push(code),
  })
  return { runner, node, heard, bugs, problems }
}

const turns = async (until: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 5_000 && !until(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
}

it('a node makes its key by its alarms alone, and stores what it vouches for', async () => {
  const keys: string[] = []
  const { runner, node, bugs } = runOne((key) => keys.push(key))
  runner.input({ type: 'start' })
  await turns(() => node.publicKey !== undefined)
  runner.end()
  expect(node.publicKey).toHaveLength(33)
  expect(keys.some((key) => key.includes('support/'))).toBe(true)
  expect(bugs).toEqual([])
})

it.each([
  ['a broken invariant', new Bug('a record has no place')],
  ['what nobody foresaw', new TypeError('a record has no place')],
])('%s is told once, and nothing leaves the node from then on', async (_, error) => {
  let heardBefore = 0
  const { runner, node, heard, bugs } = runOne(() => {
    heardBefore = heard.length
    throw error
  })
  runner.input({ type: 'start' })
  await turns(() => bugs.length > 0)
  expect(heardBefore).toBeGreaterThan(0)
  runner.input({ type: 'start' })
  await turns(() => node.publicKey !== undefined && bugs.length > 1)
  expect(bugs).toEqual(['a record has no place'])
  expect(heard.length).toBe(heardBefore)
})

it('what the disk does not take never leaves the node, which ends and says why', async () => {
  let heardBefore = 0
  const { runner, heard, bugs, problems } = runOne(() => {
    heardBefore = heard.length
    throw new HostDisk('disk', 'no space left', undefined)
  })
  runner.input({ type: 'start' })
  await turns(() => problems.length > 0)
  expect(heardBefore).toBeGreaterThan(0)
  runner.input({ type: 'start' })
  await turns(() => heard.length > heardBefore || problems.length > 1)
  expect({ problems, bugs }).toEqual({ problems: ['HOST_DISK'], bugs: [] })
  expect(heard.length).toBe(heardBefore)
  expect(runner.isBroken).toBe(true)
})

it('a node that has ended is silent', async () => {
  const { runner, heard } = runOne(() => undefined)
  runner.input({ type: 'start' })
  runner.end()
  const before = heard.length
  runner.input({ type: 'start' })
  await turns(() => heard.length > before + 1)
  expect(heard.length).toBe(before)
})

it('a snapshot is taken in a turn of its own, when what a slot led to has left', async () => {
  const taken: { heard: number; inTurn: boolean }[] = []
  let [slots, inTurn] = [0, false]
  const { runner, heard } = runOne(
    () => undefined,
    (said) => ({
      executed: () => {
        slots += 1
        inTurn = true
        setImmediate(() => (inTurn = false))
      },
      isDue: () => slots > taken.length,
      take: () => taken.push({ heard: said.length, inTurn }),
    }),
  )
  runner.input({ type: 'start' })
  let before = 0
  await turns(() => {
    if (taken.length === 0) before = heard.length
    return taken.length > 0
  })
  expect(taken[0]).toEqual({ heard: before, inTurn: false })
  expect(before).toBeGreaterThan(1)
  runner.end()
})

it('what diverged before its turn came is not kept', async () => {
  let [asked, taken] = [0, 0]
  const { runner } = runOne(
    () => undefined,
    () => ({ executed: () => undefined, isDue: () => ++asked > 0, take: () => (taken += 1) }),
  )
  runner.input({ type: 'start' })
  const [own, other] = [hash32(new Uint8Array(32)), hash32(new Uint8Array(32).fill(1))]
  const diverged = { type: 'diverged', slot: 0n, own, other } as const
  vi.spyOn(OrderedNode.prototype, 'step').mockReturnValueOnce([diverged])
  runner.input({ type: 'start' })
  await new Promise((resolve) => setImmediate(resolve))
  expect({ asked, taken, isBroken: runner.isBroken }).toEqual({
    asked: 1,
    taken: 0,
    isBroken: true,
  })
  runner.end()
})

it('a snapshot that the disk does not take is the end of the node', async () => {
  const { runner, problems, heard } = runOne(
    () => undefined,
    () => ({
      executed: () => undefined,
      isDue: () => true,
      take: () => {
        throw new HostDisk('disk', 'no space left', undefined)
      },
    }),
  )
  runner.input({ type: 'start' })
  await turns(() => problems.length > 0)
  const before = heard.length
  runner.input({ type: 'start' })
  await turns(() => heard.length > before || problems.length > 1)
  expect(problems).toEqual(['HOST_DISK'])
  expect(heard.length).toBe(before)
})

it('the old part of the log is read to its end, and damage in it is the end of the node', async () => {
  const { runner, problems, heard } = runOne(() => undefined)
  let [pieces, waits] = [0, 0]
  runner.readThrough({ step: () => ++pieces < 3 })
  await vi.waitUntil(() => pieces === 3 || ++waits > 500)
  expect(problems).toEqual([])
  runner.readThrough({
    step: () => {
      throw new HostDisk('disk', 'slot 5 does not have its hash', undefined)
    },
  })
  await vi.waitUntil(() => problems.length > 0)
  const before = heard.length
  runner.input({ type: 'start' })
  expect({ problems, pieces }).toEqual({ problems: ['HOST_DISK'], pieces: 3 })
  expect(heard.length).toBe(before)
  expect(runner.isBroken).toBe(true)
})
