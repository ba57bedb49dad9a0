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

export type RpcContext = {
  readonly node: RegtestNode
  readonly nowSeconds: number
  readonly peers: () => readonly PeerFact[]
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
