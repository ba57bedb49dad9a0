/**
 * Goal: four nodes bear the loss of any one at any time; with two gone they wait, say so, and lose
 * nothing. Method: the built demo with its worker threads; nodes stop before a step or within it,
 * and come back.
 */
import { expect, it } from 'vitest'
import type { DemoStepName } from '../../src/commands/demo/types.ts'
import { playDemo, signersOf, sound, soundness, stepNames } from '../support/e2e-built.ts'

const NODES = 4
/**
 * Looks at the subnet, at most a quarter of a second apart, in which a stopped demo must not go on.
 */
const LOOKS = 6

const places = stepNames.map((name, index) => [name, index % NODES] as const)

it.each(places)('a node that stops before "%s" is not missed', async (step, gone) => {
  const result = await playDemo(async (name, { subnet }) => {
    if (name === step) await subnet.stopNode(gone)
  })
  expect(soundness(result)).toEqual(sound)
  expect(new Set(signersOf(result)).size).toBe(2)
  // Who was gone before the redemption has no part in its signature.
  if (step !== 'reserves') expect(signersOf(result)).not.toContain(gone + 1)
})

it('a node that stops while its redemption waits to be signed is not missed', async () => {
  let stopped = 0
  const result = await playDemo(
    () => undefined,
    (event, { subnet }) => {
      if (event.type !== 'step-progress' || !event.text.startsWith('in the queue')) return
      void subnet.stopNode(2)
      stopped++
    },
  )
  expect(stopped).toBe(1)
  expect(soundness(result)).toEqual(sound)
})

it('another node may be away in every step: who returns has caught up', async () => {
  const result = await playDemo(async (name, { subnet }) => {
    const index = stepNames.indexOf(name)
    await subnet.startNode((index + NODES - 1) % NODES)
    await subnet.stopNode(index % NODES)
    expect(subnet.up.length).toBe(NODES - 1)
  })
  expect(soundness(result)).toEqual(sound)
})

it('with two nodes gone it waits, says so, and goes on when one returns', async () => {
  // These steps need the order of the log; the others may be done with it already.
  const stops = new Map<DemoStepName, readonly [number, number]>([
    ['subnet', [0, 1]],
    ['deposit', [1, 2]],
    ['transfer', [2, 3]],
    ['redeem', [3, 0]],
  ])
  let present: DemoStepName = 'subnet'
  const told: DemoStepName[] = []
  const done: DemoStepName[] = []
  const waits: Promise<void>[] = []
  const result = await playDemo(
    async (name, { subnet }) => {
      present = name
      for (let node = 0; node < NODES; node++) await subnet.startNode(node)
      for (const node of stops.get(name) ?? []) await subnet.stopNode(node)
    },
    (event, local) => {
      if (event.type === 'step-done') done.push(event.step.name)
      if (event.type !== 'note') return
      expect(event.text).toContain('2 of 4 nodes up, ordering and signing need 3: waiting')
      told.push(present)
      const [returning] = stops.get(present) ?? []
      const wait = async (step: DemoStepName): Promise<void> => {
        for (let look = 0; look < LOOKS; look++) await local.happening(250)
        expect(done).not.toContain(step)
        if (returning !== undefined) await local.subnet.startNode(returning)
      }
      waits.push(wait(present))
    },
  )
  await Promise.all(waits)
  expect(told).toEqual([...stops.keys()])
  expect(soundness(result)).toEqual(sound)
  expect(signersOf(result)).not.toContain(1)
})
