/** Single nodes of the running subnet, for its owner. Implements `docs/spec/cli.md` §5.16. */
import { Problem } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { agreementQuorum } from '../../core/base/party.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'

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
        problem: subnet.problemOf(node)?.message,
        signatures: watch.signaturesOf(node),
        latencyMs: await subnet.latencyMs(node),
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

  /** No ids: all nodes. Throws the problem of a disk that cannot be used. */
  async heal({ ids }: RequestOf<'heal-node'>): Promise<Progress> {
    const { subnet } = this.#local
    const asked =
      ids.length === 0 ? Array.from({ length: subnet.size }, (_, i) => i) : this.#indices(ids)
    const changed = asked.filter((node) => subnet.stateOf(node) !== 'up')
    await Promise.all(changed.map((node) => subnet.startNode(node)))
    for (const node of changed) {
      const problem = subnet.problemOf(node)
      if (ids.length > 0 && problem !== undefined) throw problem
    }
    return this.#progress(changed.filter((node) => subnet.stateOf(node) === 'up'))
  }

  #progress(changed: readonly NodeIndex[]): Progress {
    const { size, up } = this.#local.subnet
    const idOf = (node: NodeIndex): number => node + 1
    return {
      changed: changed.map(idOf),
      nodes: size,
      nodesUp: up.map(idOf),
      nodesNeeded: agreementQuorum(size),
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
