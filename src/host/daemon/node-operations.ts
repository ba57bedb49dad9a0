/** Single nodes of the running subnet, for its owner. Implements `docs/spec/cli.md` §5.16. */
import { Problem } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { agreementQuorum } from '../../core/base/party.ts'
import type { Lie } from '../../core/subnet/lies.ts'
import { lieText } from '../../core/subnet/lies.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import type { Subnet } from '../subnet.ts'

type Progress = ReplyOf<'kill-node'>

export class NodeOperations {
  readonly #local: LocalSubnet

  constructor(local: LocalSubnet) {
    this.#local = local
  }

  async nodes(): Promise<ReplyOf<'nodes'>> {
    const { subnet, watch } = this.#local
    const all = Array.from({ length: subnet.size }, (_, node) => node)
    const nodes = await Promise.all(
      all.map(async (node) => ({
        id: node + 1,
        state: subnet.stateOf(node),
        lie: lieTextOf(subnet.lieOf(node)),
        problem: subnet.problemOf(node)?.message,
        signatures: watch.signaturesOf(node),
        latencyMs: await latencyMs(subnet, node),
        faults: watch.blameOf(node)?.count ?? 0,
        lastFault: watch.blameOf(node)?.lastReason,
      })),
    )
    const { nodesUp, nodesNeeded } = this.#progress([])
    return { nodes, nodesUp, nodesNeeded, signatures: watch.signatures }
  }

  async kill({ ids }: RequestOf<'kill-node'>): Promise<Progress> {
    const { subnet } = this.#local
    const changed = this.#indices(ids).filter((node) => subnet.stateOf(node) === 'up')
    await Promise.all(changed.map((node) => subnet.stopNode(node)))
    return this.#progress(changed)
  }

  /** Nodes that are down are started, and those that lie are honest again. No ids: all nodes. */
  async heal({ ids }: RequestOf<'heal-node'>): Promise<Progress> {
    const { subnet } = this.#local
    const asked =
      ids.length === 0 ? Array.from({ length: subnet.size }, (_, i) => i) : this.#indices(ids)
    const away = asked.filter((node) => subnet.stateOf(node) !== 'up')
    const lying = asked.filter((node) => subnet.lieOf(node) !== undefined)
    for (const node of lying) subnet.corrupt(node, undefined)
    await Promise.all(away.map((node) => subnet.startNode(node)))
    for (const node of away) {
      const problem = subnet.problemOf(node)
      if (ids.length > 0 && problem !== undefined) throw problem
    }
    const back = away.filter((node) => subnet.stateOf(node) === 'up')
    return this.#progress([...lying, ...back].toSorted((a, b) => a - b))
  }

  /** Throws `USAGE_INVALID` for a node that is not up. */
  corrupt({ id, fault, delayMs = 0 }: RequestOf<'corrupt-node'>): Progress {
    const { subnet } = this.#local
    const nodes = this.#indices([id])
    for (const node of nodes) {
      if (subnet.stateOf(node) !== 'up')
        throw new Problem('USAGE_INVALID', `node ${id} is not up, so it cannot lie`, {
          fix: 'bring it back first',
          command: `ckbtc subnet heal-node ${id}`,
        })
      subnet.corrupt(node, fault === 'slow' ? { type: fault, delayMs } : { type: fault })
    }
    return this.#progress(nodes)
  }

  #progress(changed: readonly NodeIndex[]): Progress {
    const { size, up } = this.#local.subnet
    const idOf = (node: NodeIndex): number => node + 1
    return {
      changed: changed.map(idOf),
      nodes: size,
      nodesUp: up.map(idOf),
      nodesNeeded: agreementQuorum(size),
      nodesLying: up.filter((node) => this.#local.subnet.lieOf(node) !== undefined).map(idOf),
    }
  }

  /** Throws `USAGE_INVALID` for a node that there is not. */
  #indices(ids: readonly number[]): readonly NodeIndex[] {
    const { size } = this.#local.subnet
    const stranger = ids.find((id) => id > size)
    if (stranger !== undefined)
      throw new Problem('USAGE_INVALID', `there is no node ${stranger}: the subnet has ${size}`, {
        fix: `give ids from 1 to ${size}`,
        command: 'ckbtc subnet nodes',
      })
    return [...new Set(ids)].map((id) => id - 1)
  }
}

const lieTextOf = (lie: Lie | undefined): string | undefined => lie && lieText(lie)

/** How long a node takes to answer; undefined when it does not. */
async function latencyMs(subnet: Subnet, node: NodeIndex): Promise<number | undefined> {
  const askedMs = performance.now()
  const answer = await subnet.ask(node, { type: 'certificates', requestIds: [] })
  return answer && Math.round(performance.now() - askedMs)
}
