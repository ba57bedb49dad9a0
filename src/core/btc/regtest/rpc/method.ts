/** What a method of the RPC is. Source: RN-21. */
import type { RegtestNode } from '../node.ts'
import type { Json } from './json.ts'
import type { Parameter } from './parameters.ts'

/** A peer as the host knows it. */
export type PeerFact = {
  readonly id: number
  readonly address: string
  readonly userAgent: string
  readonly isOutbound: boolean
}

/** Nodes that ours connects to because somebody asked for it. */
export type AddedNodes = {
  /** False for one that was added before. `isOnce`: not again when the connection ends. */
  readonly add: (host: string, port: number, isOnce: boolean) => boolean
  /** False for one that was not added. */
  readonly remove: (host: string, port: number) => boolean
}

export type RpcContext = {
  readonly node: RegtestNode
  readonly nowSeconds: number
  readonly peers: () => readonly PeerFact[]
  readonly nodes: AddedNodes
  /** Ends the node, if its program allows that from here. */
  readonly stop: (() => void) | undefined
  readonly uptimeSeconds: number
}

/** Arguments have the kinds that the parameters name; `undefined` where one was left out. */
export type Method = {
  readonly parameters: readonly Parameter[]
  readonly run: (context: RpcContext, args: readonly unknown[]) => Json
}

export type Methods = Readonly<Record<string, Method>>
