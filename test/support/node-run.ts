/**
 * One run of whole nodes drawn from a seed: liars, network, crashes, partitions, Bitcoin, users. It
 * throws `Wrong` when anything is wrong. Source: threshold §22.4, architecture §10.
 */
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { Wrong } from './log-checker.ts'
import { someNodes } from './log-net.ts'
import type { Liar } from './log-net-options.ts'
import { someSchedule } from './log-schedules.ts'
import { NodeClients } from './node-clients.ts'
import { HEIGHT, keptOf } from './node-founding.ts'
import { someNodeLiar } from './node-liars.ts'
import type { NodeNetOptions } from './node-net.ts'
import { NodeNet } from './node-net.ts'
import type { Story, StoryTools } from './node-stories.ts'
import {
  deposit,
  operatorSignature,
  Purse,
  paymentsTo,
  recipientOf,
  redemption,
  refresh,
  transfer,
} from './node-stories.ts'
import { NodeWorld } from './node-world.ts'
import { Random } from './random.ts'

/** Virtual time in which things go wrong, and in which all must be served after it. */
const STORM_MS = 60_000
const CALM_MS = 2_000_000
/** In which nothing happens when all is done. */
const QUIET_MS = 60_000
/** Of timers of the canisters. */
const QUIET_SLOTS_MAX = 2n
const POLL_MS = 500
const BLOCK_MS = 4_000

export type NodeRun = { readonly net: NodeNet; readonly what: string }

export type PlayOptions = {
  /** Is given the net before anything happens in it. */
  readonly watch?: (net: NodeNet) => void
  /** Whether there are no keys yet; by chance unless told. */
  readonly isYoung?: boolean
  /** Whether the keys are shared out anew; by chance unless told. */
  readonly isRefreshed?: boolean
  /** After which requests for signatures are taken back; by chance unless told. */
  readonly alarmMs?: number
}

export function playNodes(
  seed: number,
  nodes: number,
  { watch, isYoung, isRefreshed, alarmMs }: PlayOptions = {},
): NodeRun {
  const random = new Random(`nodes/${nodes}/${seed}`)
  const liars = new Map<NodeIndex, Liar>()
  const incarnation = BigInt(1_000 + seed)
  // Now and then the keys are made in the storm, too.
  const isFounding = isYoung ?? random.oneIn(12)
  const world = new NodeWorld(nodes, {
    incarnation,
    ...(!isFounding && { kept: keptOf(nodes) }),
    stockTarget: random.pick([1, 1, 2]),
    // When it is short, aborts race with completions.
    requestAlarmMs: alarmMs ?? random.pick([60_000, 60_000, 8_000, 3_000]),
  })
  for (const node of random.oneIn(4) ? [] : someNodes(nodes, random))
    liars.set(node, someNodeLiar(world, node, random))
  const crash = someCrashes(random)
  const skews = Array.from({ length: nodes }, () => BigInt(random.below(20_000) - 10_000))
  const options: NodeNetOptions = {
    world,
    seed: `net/${nodes}/${seed}`,
    liars,
    schedule: someSchedule(nodes, STORM_MS, random),
    skewNs: (node) => (skews[node] ?? 0n) * 1_000_000n,
  }
  const what = `seed ${seed}, ${nodes} nodes, liars ${[...liars.keys()]}${isFounding ? ', young' : ''}`
  try {
    const net = new NodeNet(crash === undefined ? options : { ...options, crash })
    watch?.(net)
    if (liars.size === 0 && faultyMax(nodes) > 0) putOneBack(net, new Random(`older/${seed}`))
    if (isFounding) net.bitcoin.mine(HEIGHT)
    return { net: live(net, random, isRefreshed ?? random.oneIn(4)), what }
  } catch (cause) {
    throw new Wrong(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

/** An older copy of one node's disk is put back in the storm: until it returned it is the corrupt one. */
function putOneBack(net: NodeNet, random: Random): void {
  const node = random.below(net.nodes.length)
  net.later(random.below(STORM_MS / 2), () => {
    const putBack = net.copyDisk(node)
    net.later(random.below(STORM_MS / 3), putBack)
  })
}

function live(net: NodeNet, random: Random, isRefreshed: boolean): NodeNet {
  const tools = { net, clients: new NodeClients(net) }
  const purse = new Purse(net)
  const told = tell(net, storiesOf(tools, purse, { random, isRefreshed }))
  plan(net, random)
  repeat(net, { everyMs: 2_000 }, () => purse.remind())
  net.run(() => false, STORM_MS)
  net.calm()
  const blocks = { mining: true }
  repeat(net, { everyMs: BLOCK_MS }, () => {
    if (blocks.mining && isFollowed(net)) net.bitcoin.mine()
  })
  if (!net.run(() => told.left === 0, CALM_MS))
    throw new Wrong(`stories that never end: ${told.names}`)
  blocks.mining = false
  const isServed = (): boolean => tools.clients.unanswered === 0
  if (!net.run(isServed, CALM_MS)) throw new Wrong('calls without an answer')
  const { stockTarget } = net.world
  const isFull = (): boolean => net.honest.every((i) => net.checker.stock.get(i) === stockTarget)
  if (!net.run(isFull, CALM_MS)) throw new Wrong('the stock is never full again')
  rest(net)
  judgeBooks(net)
  return net
}

/** The nodes know all blocks: where slots take longer than blocks, they are in sync with none. */
const isFollowed = (net: NodeNet): boolean =>
  net.subnets.every(({ replica }) => replica.bitcoinHeight >= net.bitcoin.height)

/** With nothing to do, there are no slots, unless a liar has items; all honest nodes are level. */
function rest(net: NodeNet): void {
  net.run(() => false, QUIET_MS)
  const height = (): bigint =>
    net.honest.map((i) => net.node(i).disk.position.next).reduce((a, b) => (a > b ? a : b))
  const before = height()
  net.run(() => false, QUIET_MS)
  const slots = height() - before
  const isWithoutLiars = net.honest.length === net.world.nodes
  if (isWithoutLiars && slots > QUIET_SLOTS_MAX)
    throw new Wrong(`${slots} slots in ${QUIET_MS} ms without anything to do`)
  const behind = net.honest.filter((i) => net.node(i).disk.position.next !== height())
  if (behind.length > 0) throw new Wrong(`nodes ${behind} stay behind`)
}

/** Every coin is on the chain, and nothing was paid twice. */
function judgeBooks(net: NodeNet): void {
  const { chain } = net.bitcoin
  for (const { replica } of net.subnets) {
    const { ckbtc, minter } = replica.state
    const supply = [...ckbtc.ledger.balances.amounts.values()].reduce(
      (sum, amount) => sum + amount,
      0n,
    )
    const coins = [...minter.state.availableUtxos.values()]
    const held = coins.reduce((sum, { value }) => sum + value, 0n)
    for (const { outpoint } of coins)
      if (chain.utxo(outpoint).type !== 'unspent')
        throw new Wrong('a coin of the books is not on the chain')
    if (supply > held) throw new Wrong(`${supply} tokens, ${held} sat`)
  }
  for (const name of REDEMPTIONS)
    if (paymentsTo(net, recipientOf(name).script).length > 1)
      throw new Wrong(`${name} is paid twice`)
}

const REDEMPTIONS = ['one', 'two', 'three'] as const

function storiesOf(
  tools: StoryTools,
  purse: Purse,
  { random, isRefreshed }: { readonly random: Random; readonly isRefreshed: boolean },
): ReadonlyMap<string, Story> {
  const [one, two] = [devUser(0), devUser(1)]
  const stories = new Map<string, Story>()
  stories.set('deposit one', deposit(tools, purse, { user: one, amounts: [200_000n, 300_000n] }))
  stories.set('transfer', transfer(tools, { from: one, to: two, amount: 120_000n }))
  // More than one coin of the first user, so that its transaction has more inputs.
  stories.set('redemption one', redemption(tools, { user: one, amount: 320_000n, name: 'one' }))
  if (random.oneIn(2))
    stories.set('redemption two', redemption(tools, { user: two, amount: 100_000n, name: 'two' }))
  if (random.oneIn(2)) stories.set('operator', operatorSignature(tools, 'ecdsa'))
  if (isRefreshed) stories.set('refresh', refresh(tools))
  return stories
}

type Told = { readonly left: number; readonly names: string }

/** Goes on with each story as soon as what it waits for holds. */
function tell(net: NodeNet, stories: ReadonlyMap<string, Story>): Told {
  const waiting = new Map([...stories].map(([name, story]) => [name, { story, until: () => true }]))
  repeat(net, { everyMs: POLL_MS }, () => {
    for (const [name, told] of waiting) {
      if (!told.until()) continue
      const next = told.story.next()
      if (next.done === true) waiting.delete(name)
      else waiting.set(name, { story: told.story, until: next.value as () => true })
    }
  })
  return {
    get left() {
      return waiting.size
    },
    get names() {
      return [...waiting.keys()].join()
    },
  }
}

function repeat(net: NodeNet, { everyMs }: { readonly everyMs: number }, act: () => void): void {
  const again = (): void => {
    act()
    net.later(everyMs, again)
  }
  net.later(everyMs, again)
}

/** Crashes in one step of so many, of all kinds or of one. */
function someCrashes(random: Random): NodeNetOptions['crash'] {
  const oneIn = random.pick([0, 50, 200, 1_000])
  if (oneIn === 0) return undefined
  const type = random.pick(['record', 'send', 'decided', 'forget', 'any'] as const)
  return (_node, outputs, chance) =>
    outputs.some((output) => type === 'any' || output.type === type) && chance.oneIn(oneIn)
      ? chance.pick([1, 200, 5_000])
      : undefined
}

/** Blocks, reorganisations, lost transactions, ends of nodes, partitions. */
function plan(net: NodeNet, random: Random): void {
  const storm = (act: () => void): void => net.later(random.below(STORM_MS), () => act())
  for (let i = 0; i < 14; i++) storm(() => net.bitcoin.mine())
  for (let i = random.below(3); i > 0; i--) {
    const [depth, drop] = [1 + random.below(3), random.oneIn(2)]
    storm(() => net.bitcoin.reorganise(depth, drop))
  }
  if (random.oneIn(2))
    storm(() => {
      net.bitcoin.isRelaying = false
    })
  for (let i = random.below(4); i > 0; i--) {
    const group = random.shuffle([...net.nodes.keys()]).slice(0, 1 + random.below(net.nodes.length))
    const forMs = random.pick([500, 3_000, 20_000])
    storm(() => {
      net.cut(group)
      net.later(forMs, () => net.heal())
    })
  }
  for (let i = random.below(4); i > 0; i--) {
    const node = random.below(net.nodes.length)
    const forMs = random.pick([10, 3_000, 30_000])
    storm(() => {
      net.stop(node)
      net.later(forMs, () => net.start(node))
    })
  }
}
