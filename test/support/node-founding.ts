/**
 * Keys of a small subnet, made once for all runs of a process: the time lines of the runs go on with
 * them, as every start of a whole subnet does (threshold §18.4).
 */
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { KeyScheme } from '../../src/core/base/key-scheme.ts'
import { inStep } from './log-schedules.ts'
import { NodeClients } from './node-clients.ts'
import { NodeNet } from './node-net.ts'
import type { Kept } from './node-world.ts'
import { NodeWorld, serialized } from './node-world.ts'

/** So many coins of the payer can be spent, and stay so when a few blocks are replaced. */
export const HEIGHT = 115
const FOUNDING = 1n

const made = new Map<number, Kept>()

export function keptOf(nodes: number, schemes: readonly KeyScheme[] = ['ecdsa']): Kept {
  const known = made.get(nodes)
  if (known !== undefined) return known
  const world = new NodeWorld(nodes, { incarnation: FOUNDING, stockTarget: 0 })
  const net = new NodeNet({ world, seed: `founding/${nodes}`, schedule: inStep })
  net.bitcoin.lateMs = 0
  const hasKey = (): boolean => net.subnets.every(({ publicKey }) => publicKey !== undefined)
  const clients = new NodeClients(net)
  net.run(() => hasKey() && net.checker.certified.size === nodes, 60_000)
  for (const scheme of schemes) clients.operatorAsks({ scheme, message: undefined })
  net.bitcoin.mine(HEIGHT)
  net.run(() => false, 60_000)
  const { disk, ordered } = net.node(0)
  const { slot, keys, state } = present(ordered?.node.snapshot, 'keys are final after a minute')
  const { next, previous, time } = disk.position
  const isLevel = net.nodes.every((node) => equalBytes(node.disk.position.previous, previous))
  if (next !== slot || !isLevel) throw new Error('the founding has not come to rest')
  const blocks = Array.from({ length: net.bitcoin.height }, (_, i) =>
    present(net.bitcoin.chain.blockAt(i + 1), 'a block of the chain'),
  )
  const kept: Kept = {
    slot,
    hash: previous,
    time: present(time, 'slots were decided'),
    keys,
    state: serialized(state),
    blocks,
  }
  made.set(nodes, kept)
  return kept
}
