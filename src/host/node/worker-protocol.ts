/**
 * What the main thread and a worker that runs nodes say to each other. Everything survives
 * structured cloning.
 */
import type { CkbtcError } from '../../core/base/errors.ts'
import { Problem } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import type { IdsKind } from '../../core/ic/canister-ids.ts'
import type { Answer, NodeInput, NodeOutput, Question } from '../../core/subnet/node-io.ts'
import type { MinterSettings } from '../../core/subnet/settings.ts'

/**
 * Number of the keys of a node, in the order they are made, before the membership gives it an
 * index.
 */
export type KeyNumber = number

export type NodeSettings = {
  readonly stockTarget: number
  readonly creationMax: number
  readonly minter: MinterSettings
  readonly ids: IdsKind
  /** Principal that may change replicated settings. */
  readonly operator: Uint8Array
  /** Port of the Bitcoin node on the loopback interface. */
  readonly bitcoinPort: number
}

export type ToWorker =
  /** Make the keys of a node; the secrets stay in the worker. Answered by `keys`. */
  | {
      readonly type: 'create'
      readonly name: KeyNumber
      /** Of its store; undefined: memory. */
      readonly directory: string | undefined
    }
  /** Run it, for the first time or again. */
  | {
      readonly type: 'start'
      readonly name: KeyNumber
      readonly me: NodeIndex
      readonly genesis: Uint8Array
      readonly settings: NodeSettings
    }
  | { readonly type: 'input'; readonly me: NodeIndex; readonly input: NodeInput }
  /** Answered by `answer`, unless the node is stopped first. */
  | {
      readonly type: 'ask'
      readonly me: NodeIndex
      readonly id: number
      readonly question: Question
    }
  /** End it, with everything that is not recorded. */
  | { readonly type: 'stop'; readonly me: NodeIndex }
  /** End every node and close the stores. Answered by `closed`. */
  | { readonly type: 'close' }

/** A problem as it passes from one thread to another. */
export type SentProblem = Pick<CkbtcError, 'code' | 'message' | 'fix' | 'command' | 'details'>

export const sentProblem = ({ code, message, fix, command, details }: CkbtcError): SentProblem => ({
  code,
  message,
  fix,
  command,
  details,
})

export const receivedProblem = ({ code, message, ...help }: SentProblem): Problem =>
  new Problem(code, message, help)

export type FromWorker =
  | {
      readonly type: 'keys'
      readonly name: KeyNumber
      readonly signingKey: Uint8Array
      readonly encryptionKey: Uint8Array
    }
  | { readonly type: 'outputs'; readonly me: NodeIndex; readonly outputs: readonly SharedOutput[] }
  | {
      readonly type: 'answer'
      readonly me: NodeIndex
      readonly id: number
      readonly answer: Answer
    }
  | { readonly type: 'closed' }
  /** The disk of a node cannot be read or written: it has ended, or was not started. */
  | { readonly type: 'failed'; readonly name: KeyNumber; readonly problem: SentProblem }
  /** An invariant of ours broke in a node: the subnet must not go on. */
  | { readonly type: 'bug'; readonly me: NodeIndex; readonly message: string }

/** Outputs that concern others; alarms, records and the adapter are the worker's own. */
export type SharedOutput = Exclude<NodeOutput, { type: 'alarm' | 'record' | 'adapter' }>
