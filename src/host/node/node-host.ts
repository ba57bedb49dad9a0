/**
 * Where a node lives, as the subnet holds it: the same port over this thread, a thread of its own,
 * or a process of its own. Source: architecture §3.
 */
import type { CkbtcError } from '../../core/base/errors.ts'
import { Problem } from '../../core/base/errors.ts'
import type { FromNode, ToNode } from './protocol.ts'

/** How a host ended that nobody had ended. */
export type HostEnd =
  /** Of a fault of the program. */
  | { readonly type: 'broken'; readonly error: Error }
  /** From outside, as after a loss of power: it can be opened again. */
  | { readonly type: 'gone'; readonly problem: CkbtcError }

export type HostEars = {
  readonly hear: (message: FromNode) => void
  /** Nothing is heard from then on. */
  readonly ended: (end: HostEnd) => void
}

export interface NodeHost {
  tell(message: ToNode): void
  /** Ends the node in good order. */
  close(): Promise<void>
  /** Ends it at once: nothing is heard of it from now on, and what it had not written is lost. */
  kill(): Promise<void>
}

export type OpenHost = (ears: HostEars) => NodeHost

/** How long a host may take to let go of its store before it is ended from outside. */
export const CLOSING_MS_MAX = 5_000

/** `message`: how it ended; a new one can be opened. */
export const hostGone = (message: string): CkbtcError =>
  new Problem('SUBNET_DOWN', message, {
    fix: 'bring the node back',
    command: 'ckbtc subnet heal-node --all',
  })
