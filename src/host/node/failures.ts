/**
 * Nodes that are down though nobody stopped them, and why. The others go on: a node that breaks is
 * one of the f that may. Source: threshold §2.1, architecture §3.
 */
import { toHex } from '../../core/base/bytes.ts'
import { Bug, CkbtcError, Problem } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import type { NodeOutput } from '../../core/subnet/node-io.ts'
import { startRefused } from '../disks/restore.ts'
import type { HostEnd } from './node-host.ts'

export class NodeFailures {
  readonly #problems = new Map<NodeIndex, CkbtcError>()

  get problems(): readonly CkbtcError[] {
    return [...this.#problems.values()]
  }

  of(node: NodeIndex): CkbtcError | undefined {
    return this.#problems.get(node)
  }

  add(node: NodeIndex, problem: CkbtcError): void {
    this.#problems.set(node, problem)
  }

  /** It runs again. */
  remove(node: NodeIndex): void {
    this.#problems.delete(node)
  }

  /** Nodes that do not simply come back when they are started again. */
  get lasting(): number {
    return this.problems.filter(({ code }) => code !== 'SUBNET_DOWN').length
  }
}

/** The subnet as a whole ends of it. */
export const endOfAll = (problem: CkbtcError): Error =>
  problem.code === 'BUG' ? new Bug(problem.message) : problem

export const problemOfEnd = (end: HostEnd): CkbtcError =>
  end.type === 'gone' ? end.problem : problemOf(end.error)

/** Of what was thrown. */
export const problemOf = (error: unknown): CkbtcError =>
  error instanceof CkbtcError ? error : brokenNode(wordsOf(error))

/** `words`: what broke in it. */
export const brokenNode = (words: string): CkbtcError =>
  new Problem('BUG', `it broke: ${words}`, {
    fix: 'report it with the log of the subnet',
    command: 'ckbtc subnet logs',
  })

/** Threshold §16.2. */
export const divergedNode = ({
  slot,
  own,
  other,
}: Extract<NodeOutput, { type: 'diverged' }>): CkbtcError =>
  brokenNode(`Diverged: slot ${slot}: ${toHex(own)} here, ${toHex(other)} elsewhere`)

/** Which of the disks would be its own is not known: the ids of nodes are sorted. */
export const noDisk = (node: NodeIndex): CkbtcError =>
  startRefused(`no disk that can be used is that of node ${node + 1}`, {})

/** Of an invariant its words say all; of anything else the kind matters too. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof Bug ? error.message : `${error.name}: ${error.message}`
}
