/** What a subnet is started with, and what it tells of itself. Source: architecture §§1, 3. */
import type { CkbtcError } from '../core/base/errors.ts'
import type { NodeIndex } from '../core/base/party.ts'
import type { Lie } from '../core/subnet/lies.ts'
import type { Observation } from '../core/subnet/node-io.ts'
import type { Isolation } from './isolation.ts'
import type { OpenHost } from './node/node-host.ts'
import type { FromNode, NodeSettings } from './node/protocol.ts'

export type SubnetOptions = {
  readonly nodes: number
  readonly settings: NodeSettings
  /** Where its nodes keep what they know; it goes on from there. Without it, in memory. */
  readonly directory?: string | undefined
  /** Where each node lives; a thread of its own unless told. */
  readonly isolation?: Isolation | undefined
  /** How the host of a node is opened; as its isolation asks for unless told. */
  readonly open?: OpenHost
}

export type SubnetEvent =
  | { readonly type: 'observed'; readonly node: NodeIndex; readonly event: Observation }
  | {
      readonly type: 'fault'
      readonly seenBy: NodeIndex
      readonly culprit: NodeIndex
      readonly reason: string
    }
  | { readonly type: 'started'; readonly node: NodeIndex }
  /** From now on it lies on purpose; undefined: no more. */
  | { readonly type: 'corrupted'; readonly node: NodeIndex; readonly lie: Lie | undefined }
  /** Of nodes that have links of their own. */
  | ({ readonly node: NodeIndex } & Extract<FromNode, { type: 'link' }>)
  | { readonly type: 'stopped'; readonly node: NodeIndex }
  /** The node is down: its disk failed, it broke, or its process was ended from outside. */
  | { readonly type: 'failed'; readonly node: NodeIndex; readonly problem: CkbtcError }
  /** Too few nodes are left that could run: the subnet cannot go on. */
  | { readonly type: 'ended'; readonly problem: CkbtcError }
  /** The same, as invariants of ours broke in them: nothing further is attempted. */
  | { readonly type: 'bug'; readonly message: string }
