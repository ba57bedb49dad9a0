/**
 * Goal: a node that breaks is down and says why, the others go on, and it comes back; more of them
 * than may be faulty end the subnet (threshold §2.1). Method: a subnet over hosts that do what the
 * test says.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { hash32 } from '../../src/core/base/bytes.ts'
import type { CkbtcError } from '../../src/core/base/errors.ts'
import { Bug, HostDisk, present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { principal } from '../../src/core/ic/principal.ts'
import { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { entropy } from '../../src/host/entropy.ts'
import type { HostEars, HostEnd, NodeHost } from '../../src/host/node/node-host.ts'
import { hostGone } from '../../src/host/node/node-host.ts'
import type { FromNode, ToNode } from '../../src/host/node/protocol.ts'
import { sentProblem } from '../../src/host/node/protocol.ts'
import { minterSettings } from '../../src/host/set-values.ts'
import { Subnet } from '../../src/host/subnet.ts'
import type { SubnetEvent } from '../../src/host/subnet-events.ts'
import { defaultSettings } from '../../src/host/subnet-settings.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'

type Opened = { readonly ears: HostEars; readonly told: ToNode[]; me: number | undefined }

const running: Subnet[] = []
afterEach(async () => {
  for (const subnet of running.splice(0)) await subnet.close()
})

/** `host(me)`: the newest one of the node. Who has a disk has the keys that lie there. */
async function subnetOfHosts(nodes: number) {
  const opened: Opened[] = []
  const disks = new Map<unknown, FromNode>()
  const events: SubnetEvent[] = []
  const open = (ears: HostEars): NodeHost => {
    const one: Opened = { ears, told: [], me: undefined }
    opened.push(one)
    const tell = (message: ToNode): void => {
      one.told.push(message)
      if (message.type === 'start') one.me = message.me
      if (message.type !== 'create') return
      const keys = disks.get(message.storage) ?? newKeys(disks.size)
      disks.set(message.storage, keys)
      setImmediate(() => ears.hear(keys))
    }
    const end = (): Promise<void> => Promise.resolve()
    return { tell, close: end, kill: end }
  }
  const minter = minterSettings(new Map(), defaultSettings)
  const operator = principal(new Uint8Array())
  const [stockTarget, creationMax] = [1, 1]
  const bitcoin = { host: '127.0.0.1', port: 1, network: 'regtest', isAttached: false } as const
  const settings = { stockTarget, creationMax, minter, ids: 'own', operator, bitcoin } as const
  const subnet = await Subnet.start({ nodes, settings, open })
  running.push(subnet)
  subnet.listen((event) => events.push(event))
  const host = (me: number): Opened =>
    present(
      opened.findLast((one) => one.me === me),
      'the node was started',
    )
  const types = (): readonly string[] => events.map(({ type }) => type)
  return { subnet, host, events, types, opened }
}

function newKeys(number: number): FromNode {
  const seed = Seed.fromBytes(new Uint8Array(32).fill(number + 1))
  const { signingKey, encryptionKey } = new NodeKeys(seed, nativeEd25519, entropy).record
  return { type: 'keys', signingKey, encryptionKey, port: undefined }
}

const broken: HostEnd = { type: 'broken', error: new TypeError('x is no function') }
const disk = new HostDisk('disk', 'no space left', undefined)

/** Each way in which a node goes down by itself, and what is said of it. */
const ways: readonly (readonly [string, (host: Opened) => void, string])[] = [
  ['whose host breaks', ({ ears }) => ears.ended(broken), 'TypeError: x is no function'],
  [
    'whose host is ended',
    ({ ears }) => ears.ended({ type: 'gone', problem: hostGone('SIGKILL') }),
    'SIGKILL',
  ],
  [
    'in which an invariant breaks',
    ({ ears }) => ears.hear({ type: 'bug', message: 'no place' }),
    'no place',
  ],
  [
    'whose disk fails',
    ({ ears }) => ears.hear({ type: 'failed', problem: sentProblem(disk) }),
    'no space left',
  ],
  [
    'whose state is another one than that of the others',
    ({ ears }) => {
      const own = hash32(new Uint8Array(32).fill(1))
      const other = hash32(new Uint8Array(32).fill(2))
      ears.hear({ type: 'outputs', outputs: [{ type: 'diverged', slot: 7n, own, other }] })
    },
    'Diverged: slot 7: 0101',
  ],
]

describe.each(ways)('a node %s', (_, goDown, words) => {
  it('is down and says why; the others hear nothing of it, and it comes back', async () => {
    const { subnet, host, types } = await subnetOfHosts(4)
    goDown(host(1))
    expect(subnet.up).toEqual([0, 2, 3])
    expect(subnet.stateOf(1)).toBe('failed')
    expect(subnet.problemOf(1)?.message).toContain(words)
    expect(subnet.canProgress).toBe(true)
    expect(types()).toEqual(['stopped', 'failed'])
    await subnet.startNode(1)
    expect([subnet.stateOf(1), subnet.problemOf(1)]).toEqual(['up', undefined])
    expect(types()).toEqual(['stopped', 'failed', 'started'])
  })

  it('that goes down while it is started again is told of once', async () => {
    const { subnet, types, opened } = await subnetOfHosts(4)
    await subnet.stopNode(2)
    const starting = subnet.startNode(2)
    await Promise.resolve()
    await Promise.resolve()
    expect(opened).toHaveLength(5)
    const one = present(opened[4], 'it was opened again')
    goDown(one)
    await starting
    expect(types()).toEqual(['stopped', 'failed'])
    expect([subnet.stateOf(2), subnet.up]).toEqual(['failed', [0, 1, 3]])
  })
})

const ended = (events: readonly SubnetEvent[]): CkbtcError | string | undefined => {
  for (const event of events)
    if (event.type === 'ended') return event.problem
    else if (event.type === 'bug') return event.message
  return undefined
}

describe('more nodes than may be faulty', () => {
  it('that were ended from outside wait to be brought back', async () => {
    const { subnet, host, events } = await subnetOfHosts(4)
    for (const me of [0, 1, 2]) host(me).ears.ended({ type: 'gone', problem: hostGone('SIGKILL') })
    expect([subnet.up, subnet.canProgress, ended(events)]).toEqual([[3], false, undefined])
    for (const me of [0, 1, 2]) await subnet.startNode(me)
    expect(subnet.up).toEqual([0, 1, 2, 3])
  })

  it('that broke end the subnet as a bug', async () => {
    const { host, events } = await subnetOfHosts(4)
    host(0).ears.ended(broken)
    expect(ended(events)).toBeUndefined()
    host(3).ears.ended({ type: 'broken', error: new Bug('twice') })
    expect(ended(events)).toBe('it broke: twice')
  })

  it('whose disks failed end the subnet with the problem of the last', async () => {
    const { host, events } = await subnetOfHosts(4)
    for (const me of [0, 1]) host(me).ears.hear({ type: 'failed', problem: sentProblem(disk) })
    expect(ended(events)).toMatchObject({ code: 'HOST_DISK' })
  })
})
