/** The place of a node: one host at a time over its store, the same keys in each. */
import { expect, it, vi } from 'vitest'
import { Bug, HostDisk, present } from '../../../src/core/base/errors.ts'
import type { HostEars, HostEnd, NodeHost } from '../../../src/host/node/node-host.ts'
import { NodePlace } from '../../../src/host/node/place.ts'
import type { FromNode, ToNode } from '../../../src/host/node/protocol.ts'
import { sentProblem } from '../../../src/host/node/protocol.ts'
import { newJournal } from '../../../src/host/store/shared-store.ts'

type Opened = { readonly ears: HostEars; readonly told: ToNode[]; readonly end: () => void }

/** Hosts that do what the test says; `opened` has them in order. */
function placeOfHosts() {
  const opened: Opened[] = []
  const heard: FromNode[] = []
  const ends: HostEnd[] = []
  const place = new NodePlace({
    name: 0,
    storage: { type: 'memory', journal: newJournal() },
    open: (ears): NodeHost => {
      const told: ToNode[] = []
      let end = (): void => undefined
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      opened.push({ ears, told, end: () => end() })
      return { tell: (message) => told.push(message), close: () => ended, kill: () => ended }
    },
    hear: (message) => heard.push(message),
    ended: (end) => ends.push(end),
  })
  const host = (index: number): Opened => present(opened[index], 'it was opened')
  return { place, opened, host, heard, ends }
}

const keys = (seed: number, port?: number): FromNode => ({
  type: 'keys',
  signingKey: new Uint8Array(32).fill(seed),
  encryptionKey: new Uint8Array(33),
  port,
})
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('is open with the keys and the port that its host tells', async () => {
  const { place, host, heard } = placeOfHosts()
  const opening = place.open()
  await turn()
  expect(host(0).told).toMatchObject([{ type: 'create', storage: { type: 'memory' } }])
  host(0).ears.hear(keys(1, 4_000))
  expect(await opening).toMatchObject({ signingKey: new Uint8Array(32).fill(1) })
  expect([place.isOpen, place.port]).toEqual([true, 4_000])
  host(0).ears.hear({ type: 'bug', message: 'told on' })
  expect(heard).toEqual([{ type: 'bug', message: 'told on' }])
})

it('opens no host before the one before has let go of the store, and hears that one no more', async () => {
  const { place, opened, host, heard } = placeOfHosts()
  const first = place.open()
  await turn()
  host(0).ears.hear(keys(1))
  await first
  void place.kill()
  expect([place.isOpen, place.port]).toEqual([false, undefined])
  const second = place.open()
  await turn()
  expect(opened).toHaveLength(1)
  host(0).ears.hear({ type: 'bug', message: 'too late' })
  host(0).end()
  await turn()
  expect(opened).toHaveLength(2)
  host(1).ears.hear(keys(1))
  expect(await second).toBeDefined()
  expect(heard).toEqual([])
})

it('that is ended while it opens was never open', async () => {
  const { place, host } = placeOfHosts()
  const opening = place.open()
  await turn()
  const ending = place.kill()
  host(0).end()
  expect(await opening).toBeUndefined()
  await ending
  expect(place.isOpen).toBe(false)
})

it('refuses other keys than its node had before', async () => {
  const { place, host } = placeOfHosts()
  for (const [index, seed] of [1, 2].entries()) {
    const opening = place.open()
    const end = expect(opening)
    await turn()
    host(index).ears.hear(keys(seed))
    if (index === 0) await end.resolves.toBeDefined()
    else await end.rejects.toMatchObject({ code: 'HOST_DISK' })
    void place.kill()
    host(index).end()
  }
})

it('does not wait for ever for a host that hangs', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const { place, host } = placeOfHosts()
    const opening = expect(place.open()).rejects.toMatchObject({ code: 'SUBNET_DOWN' })
    await turn()
    vi.advanceTimersByTime(120_000)
    await opening
    expect(place.isOpen).toBe(false)
    host(0).end()
    const again = place.open()
    await turn()
    host(1).ears.hear(keys(1))
    expect(await again).toBeDefined()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

it('passes on why the store cannot be used, and how a host ended', async () => {
  const { place, host, ends } = placeOfHosts()
  const failing = expect(place.open()).rejects.toMatchObject({ code: 'HOST_DISK' })
  await turn()
  const problem = sentProblem(new HostDisk('disk', 'no space left', undefined))
  host(0).ears.hear({ type: 'failed', problem })
  await failing
  host(0).end()
  const breaking = expect(place.open()).rejects.toThrow('broke')
  await turn()
  const end: HostEnd = { type: 'broken', error: new Bug('it broke') }
  host(1).ears.ended(end)
  await breaking
  expect(ends).toEqual([end])
})
