/**
 * A party: one node of one protocol run, without I/O. The shape of
 * `docs/spec/threshold-signatures.md` §2.1.
 */

/** Index of a node in its membership, from 0; its evaluation point is `index + 1`. */
export type NodeIndex = number

export type Input<M> =
  | { readonly type: 'start' }
  | { readonly type: 'message'; readonly from: NodeIndex; readonly message: M }
  | { readonly type: 'alarm'; readonly name: string }

export type Output<M, R> =
  | { readonly type: 'send'; readonly to: NodeIndex | 'all'; readonly message: M }
  | { readonly type: 'alarm'; readonly name: string; readonly afterMs: number }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
  | { readonly type: 'done'; readonly result: R }

export interface Party<M, R> {
  /** Synchronous and total: peer data never makes it throw. */
  step(input: Input<M>): readonly Output<M, R>[]
}

/** Nodes that may lie among n: f = ⌊(n − 1) / 3⌋. Source: threshold specification §2.2. */
export const faultyMax = (nodes: number): number => Math.floor((Math.max(nodes, 1) - 1) / 3)

/** Shares that make a secret or a signature: t = f + 1. */
export const reconstructionThreshold = (nodes: number): number => faultyMax(nodes) + 1

/** Support shares that a dealing needs: v = 2f + 1. */
export const verificationThreshold = (nodes: number): number => 2 * faultyMax(nodes) + 1

/** Nodes that must be up for progress: n − f. */
export const agreementQuorum = (nodes: number): number => nodes - faultyMax(nodes)
