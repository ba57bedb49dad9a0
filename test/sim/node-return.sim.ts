/**
 * Goal: n − f nodes that are up go on, whichever these are and whatever they have missed: nobody
 * waits for ever for the root of a slot, or for votes in it, that others have said before.
 *
 * Method: threshold §§16.2, 17.7, 17.8, 22.4. f of the nodes are down. Calls make slots; while some
 * node has decided a slot and another has not, one of the latter ends, with what it said last in
 * flight or lost, others of them start again at once, and one that is down comes back from its disk,
 * some slots behind. Then the call has to be answered by every node that is up, and the root after
 * it certified. So on, many times.
 */
import { expect, it } from 'vitest'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import { minterInterface } from '../../src/core/minter/interface/interface.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { scattered } from '../support/log-schedules.ts'
import { minter, NodeClients } from '../support/node-clients.ts'
import { keptOf } from '../support/node-founding.ts'
import { NodeNet } from '../support/node-net.ts'
import { NodeWorld } from '../support/node-world.ts'
import { seedsTo } from '../support/seeds.ts'

const TIMEOUT_MS = 600_000
/** In virtual time: longer than any alarm of a node that waits for something (§17.8). */
const SOON_MS = 60_000
const CHANGES = 8
/** `NODES=7 npm run test:sim -- node-return` plays another size. */
const { NODES = '4' } = process.env
const nodes = Number(NODES)

function netOf(seed: number): NodeNet {
  const world = new NodeWorld(nodes, { incarnation: 77n, kept: keptOf(nodes), stockTarget: 0 })
  return new NodeNet({ world, seed: `return/${nodes}/${seed}`, schedule: scattered(10) })
}

class Changing {
  readonly net: NodeNet
  readonly #clients: NodeClients
  #down: readonly NodeIndex[]

  constructor(net: NodeNet) {
    this.net = net
    this.#clients = new NodeClients(net)
    this.#down = [...net.nodes.keys()].slice(0, faultyMax(nodes))
    for (const node of this.#down) net.stop(node)
  }

  get #up(): readonly NodeIndex[] {
    return [...this.net.nodes.keys()].filter((node) => this.net.isUp(node))
  }

  #heightOf(node: NodeIndex): bigint {
    return this.net.node(node).disk.position.next
  }

  #call(): Uint8Array {
    const user = devUser(0)
    const method = minterInterface.get_btc_address
    const to = { canisterId: minter.id, methodName: 'get_btc_address', method }
    return this.#clients.call(user, to, [{ owner: user.principal }])
  }

  /** Every node that is up has executed the call, and the root of its newest slot is certified. */
  #isServed(id: Uint8Array): boolean {
    const { net } = this
    return (
      net.subnets.every(({ replica }) => replica.findRequest(id) !== undefined) &&
      this.#up.every((node) => net.checker.certified.get(node) === this.#heightOf(node) - 1n)
    )
  }

  /** Slots that those who are down miss. */
  goOn(calls: number): boolean {
    for (let i = 0; i < calls; i++) {
      const id = this.#call()
      if (!this.net.run(() => this.#isServed(id), SOON_MS)) return false
    }
    return true
  }

  #startAgain(node: NodeIndex): void {
    this.net.stop(node)
    this.net.start(node)
  }

  /** Within a slot one node ends and another one comes back. Whether all are served after it. */
  change(): boolean {
    const { net } = this
    const id = this.#call()
    const heights = this.#up.map((node) => this.#heightOf(node))
    const height = heights.reduce((a, b) => (a > b ? a : b))
    const behind = () => this.#up.filter((node) => this.#heightOf(node) <= height)
    net.run(() => behind().length < this.#up.length, SOON_MS)
    const ends = net.random.pick(behind())
    net.stop(ends)
    for (const node of behind()) if (net.random.oneIn(2)) this.#startAgain(node)
    net.run(() => false, net.random.pick([0, 20, 3_000]))
    const returns = net.random.pick(this.#down)
    net.start(returns)
    this.#down = [...this.#down.filter((node) => node !== returns), ends]
    return net.run(() => this.#isServed(id), SOON_MS)
  }
}

it.each(seedsTo(4))(
  '§22.4 returns: n − f nodes go on when one ends within a slot and another comes back (seed %i)',
  (seed) => {
    const changing = new Changing(netOf(seed))
    for (let change = 0; change < CHANGES; change++) {
      expect(changing.goOn(changing.net.random.below(3))).toBe(true)
      expect(changing.change()).toBe(true)
    }
  },
  TIMEOUT_MS,
)
