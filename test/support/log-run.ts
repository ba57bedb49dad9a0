/**
 * One run of a log drawn from a seed: liars, network, crashes, partitions, items. It throws `Wrong`
 * when anything is wrong. Source: threshold §22.4.
 */
import type { NodeIndex } from '../../src/core/base/party.ts'
import { Wrong } from './log-checker.ts'
import { someLiar } from './log-liars.ts'
import { itemOf, LogNet, someNodes } from './log-net.ts'
import type { Liar, LogNetOptions } from './log-net-options.ts'
import { someSchedule } from './log-schedules.ts'
import { Random } from './random.ts'

/** Virtual time in which things go wrong, and in which all must be served after it. */
const STORM_MS = 4_000
const CALM_MS = 600_000
const ITEMS = 8

export type Run = { readonly net: LogNet; readonly what: string }

export function playLog(seed: number, nodes: number): Run {
  const random = new Random(`log/${nodes}/${seed}`)
  const liars = new Map<NodeIndex, Liar>()
  for (const node of someNodes(nodes, random)) liars.set(node, someLiar(nodes, node, random))
  const schedule = someSchedule(nodes, STORM_MS, random)
  const crash = someCrashes(random)
  const sharedFrom = random.oneIn(4) ? 3n : 0n
  const options: LogNetOptions = {
    nodes,
    seed: `net/${nodes}/${seed}`,
    liars,
    schedule,
    sharedFrom,
  }
  const net = new LogNet(crash === undefined ? options : { ...options, crash })
  plan(net, random)
  const what = `seed ${seed}, ${nodes} nodes, liars ${[...liars.keys()]}`
  try {
    net.run(() => false, STORM_MS)
    net.calm()
    if (!net.run(() => net.isServed, CALM_MS)) throw new Wrong('an item is in no slot')
    // All end at one height: with nothing to do, or after what liars have begun.
    const top = Math.max(...net.honest.map((i) => net.height(i)))
    const isLevel = (): boolean => net.honest.every((i) => net.height(i) >= top)
    if (!net.run(isLevel, CALM_MS)) throw new Wrong('a node stays behind')
    const blamed = net.faults.find((one) => net.isHonest(one.seenBy) && net.isHonest(one.culprit))
    if (blamed !== undefined) throw new Wrong(`node ${blamed.culprit} blamed: ${blamed.reason}`)
    // Also one that crashed has all on record that it has said.
    if (net.rolledBack.some((i) => net.isHonest(i))) throw new Wrong('a node returned for nothing')
  } catch (cause) {
    throw new Wrong(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  return { net, what }
}

/** Crashes before one output in so many, of all kinds or of one. */
function someCrashes(random: Random): LogNetOptions['crash'] {
  const oneIn = random.pick([0, 0, 20, 100, 400])
  if (oneIn === 0) return undefined
  const type = random.pick(['record', 'send', 'slot', 'forget', 'any'] as const)
  return (_node, output, chance) =>
    (type === 'any' || output.type === type) && chance.oneIn(oneIn)
      ? chance.pick([1, 50, 500])
      : undefined
}

/** When items come, and which nodes are cut off. */
function plan(net: LogNet, random: Random): void {
  const { honest } = net
  for (let i = 0; i < ITEMS; i++) {
    const node = random.pick(honest)
    net.later(random.below(STORM_MS), () => net.submit(node, itemOf(`item ${i}`)))
  }
  for (let cuts = random.pick([0, 0, 1, 3]); cuts > 0; cuts--) {
    const group = random.shuffle([...net.nodes.keys()]).slice(0, 1 + random.below(net.nodes.length))
    net.later(random.below(STORM_MS), () => net.cut(group))
    net.later(random.below(STORM_MS), () => net.heal())
  }
}
