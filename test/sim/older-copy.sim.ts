/**
 * Goal: a whole node whose disk is older than what it has said returns by itself: it is shown its
 * votes, draws a life, keeps it, and the log takes it in; signer and replica go on beside it.
 *
 * Method: threshold §§18.4, 22.7. A copy of one node's disk is taken and put back later, while
 * operators ask for signatures; `NodeChecker` compares all that it ever said, shares included.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { Reader } from '../../src/core/base/codec.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { decodeItem } from '../../src/core/subnet/items.ts'
import type { NodeOutput } from '../../src/core/subnet/node-io.ts'
import { logMessage } from '../../src/core/subnet/peer-message.ts'
import { scattered } from '../support/log-schedules.ts'
import { NodeClients } from '../support/node-clients.ts'
import { keptOf } from '../support/node-founding.ts'
import type { NodeNetOptions } from '../support/node-net.ts'
import { NodeNet } from '../support/node-net.ts'
import { NodeWorld } from '../support/node-world.ts'
import { seedsTo } from '../support/seeds.ts'

const SOON_MS = 300_000
const TIMEOUT_MS = 600_000
const BACK = 0
/** Of each step on its way back. */
const DEATHS = 2

/** What a node does on its way back, of which it may die. */
function waysOf(outputs: readonly NodeOutput[]): readonly string[] {
  return outputs.flatMap((output) => {
    if (output.type === 'record') return output.key.endsWith('/life') ? ['keeps its life'] : []
    if (output.type === 'decided')
      return output.slot.items.some((item) => decodeItem(item).type === 'return')
        ? ['is taken in']
        : []
    const bytes = output.type === 'send' ? logMessage(output.bytes) : undefined
    const message = bytes && decodeLogMessage(new Reader(bytes).u64(), bytes)
    if (message?.type === 'votes') return message.life > 0n ? ['votes'] : []
    if (message?.type !== 'item') return []
    return decodeItem(message.item).type === 'return' ? ['asks'] : []
  })
}

function world(seed: number, crash?: NodeNetOptions['crash']) {
  const nodes = new NodeWorld(4, { incarnation: BigInt(9_000 + seed), kept: keptOf(4) })
  const schedule = scattered(10, { twiceOneIn: 10 })
  const net = new NodeNet({
    world: nodes,
    seed: `older copy ${seed}`,
    schedule,
    ...(crash !== undefined && { crash }),
  })
  const clients = new NodeClients(net)
  let count = 0
  /** Has a message signed, while all that are up go on. */
  const signed = (): boolean => {
    const total = net.checker.operatorSignatures.size
    const message = new Uint8Array(32).fill(++count)
    clients.operatorAsks({ scheme: 'ecdsa', message })
    return net.run(() => net.checker.operatorSignatures.size > total, SOON_MS)
  }
  /** The life of the node, as its own log has it and as another one's. */
  const lives = (): readonly (bigint | undefined)[] =>
    [BACK, 1].map((one) => {
      const node = net.node(one).ordered?.node
      return node?.lives.lifeOf(BACK, node.slot)
    })
  const hasReturned = (before: bigint): boolean => {
    const [own, other] = lives()
    return own !== undefined && own !== before && own === other
  }
  const level = (): boolean =>
    new Set(net.nodes.map(({ disk }) => disk.position.next)).size === 1 &&
    net.nodes.every(({ ordered }) => ordered !== undefined)
  const shown = (): number =>
    net.checker.faults.filter((fault) => fault.startsWith('0 blames 0: RolledBack')).length
  return { net, signed, lives, hasReturned, level, shown }
}

describe('an older copy of one node of four is put back', () => {
  it.each(seedsTo(2))(
    '§22.7 older-copy: it is shown its votes, returns with a new life, no slot forks (seed %i)',
    (seed) => {
      const { net, signed, hasReturned, level, shown } = world(seed)
      expect(signed()).toBe(true)
      const putBack = net.copyDisk(BACK)
      expect(signed()).toBe(true)
      putBack()
      expect(net.run(() => shown() > 0 && hasReturned(0n), SOON_MS)).toBe(true)
      expect(shown()).toBe(1)
      // It takes part again: nothing is ordered or signed without it.
      net.stop(3)
      expect(signed()).toBe(true)
      net.start(3)
      expect(net.run(level, SOON_MS)).toBe(true)
      // Its life is on its disk: it starts again with it, and is not shown more than it knows.
      net.stop(BACK)
      net.start(BACK)
      net.stop(1)
      expect(signed()).toBe(true)
      expect(shown()).toBe(1)
    },
    TIMEOUT_MS,
  )

  it(
    'a copy from before it returned makes it return again, after a hundred slots',
    () => {
      const { net, signed, lives, hasReturned } = world(77)
      expect(signed()).toBe(true)
      const putBack = net.copyDisk(BACK)
      expect(signed()).toBe(true)
      putBack()
      expect(net.run(() => hasReturned(0n), SOON_MS)).toBe(true)
      const [life = 0n] = lives()
      const { slot = 0n } = net.node(BACK).ordered?.node ?? {}
      putBack()
      while (!hasReturned(life) && (net.node(1).ordered?.node.slot ?? 0n) < slot + 300n)
        expect(signed()).toBe(true)
      expect(hasReturned(life)).toBe(true)
      expect((net.node(BACK).ordered?.node.slot ?? 0n) >= slot + 99n).toBe(true)
    },
    TIMEOUT_MS,
  )

  it(
    '§22.7 older-copy: killed in each step of its way, it keeps its life and returns once',
    () => {
      const deaths = new Map<string, number>()
      const lives: string[] = []
      const { net, signed, hasReturned } = world(78, (node, outputs) => {
        const way =
          node === BACK ? waysOf(outputs).find((one) => (deaths.get(one) ?? 0) < DEATHS) : undefined
        if (way === undefined) return undefined
        deaths.set(way, (deaths.get(way) ?? 0) + 1)
        return 500
      })
      const keptLife = (): void => {
        const kept = [...net.node(BACK).disk.records].find(([key]) => key.endsWith('/life'))
        if (kept !== undefined && !lives.includes(toHex(kept[1]))) lives.push(toHex(kept[1]))
      }
      expect(signed()).toBe(true)
      const putBack = net.copyDisk(BACK)
      expect(signed()).toBe(true)
      putBack()
      const isBack = (): boolean => {
        keptLife()
        return hasReturned(0n)
      }
      expect(net.run(isBack, SOON_MS)).toBe(true)
      while (deaths.get('votes') !== DEATHS) expect(signed()).toBe(true)
      keptLife()
      // Before its life is on disk it may draw another one, after that never.
      expect(lives).toHaveLength(1)
      const ways = ['asks', 'is taken in', 'keeps its life', 'votes']
      expect([...deaths.keys()].toSorted()).toEqual(ways)
      net.stop(3)
      expect(signed()).toBe(true)
    },
    TIMEOUT_MS,
  )
})
