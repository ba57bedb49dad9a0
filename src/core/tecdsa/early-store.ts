/**
 * Messages about transcripts whose time has not come here: a bounded part of what each node sends.
 * Source: threshold §§17.8 rule 4, 23.
 */
import type { NodeIndex } from '../base/party.ts'
import type { RunBook } from './run.ts'

/** Of one sender about one transcript. */
const MESSAGES_MAX = 64
/** Transcripts of one sender that this node has not opened. */
const UNKNOWN_RUNS_MAX = 64

export type Early<M> = { readonly from: NodeIndex; readonly message: M }

type About = { readonly transcriptId: bigint }

export class EarlyStore<P, M extends About> {
  readonly #runs: RunBook<P>
  /** What makes two messages of one sender about one transcript the same: the first one counts. */
  readonly #nameOf: (message: M) => string
  readonly #kept = new Map<bigint, Map<NodeIndex, Map<string, M>>>()
  /** For whose messages about unknown transcripts there was no room. */
  readonly #dropped = new Set<NodeIndex>()

  constructor(runs: RunBook<P>, nameOf: (message: M) => string) {
    this.#runs = runs
    this.#nameOf = nameOf
  }

  /** Keeps the message, unless its sender has used up its room, or the transcript is gone. */
  keep(from: NodeIndex, message: M): void {
    const { transcriptId } = message
    const isKnown = this.#runs.wasOpened(transcriptId)
    if (isKnown && this.#runs.run(transcriptId) === undefined) return
    const senders = this.#kept.get(transcriptId) ?? new Map<NodeIndex, Map<string, M>>()
    const own = senders.get(from) ?? new Map<string, M>()
    if (own.size === 0 && !isKnown && this.#unknownRuns(from) >= UNKNOWN_RUNS_MAX) {
      this.#dropped.add(from)
      return
    }
    const name = this.#nameOf(message)
    if (own.size >= MESSAGES_MAX || own.has(name)) return
    this.#kept.set(transcriptId, senders.set(from, own.set(name, message)))
  }

  #unknownRuns(from: NodeIndex): number {
    return [...this.#kept].filter(([id, by]) => !this.#runs.wasOpened(id) && by.has(from)).length
  }

  /**
   * Who has to be asked for what was let go, once each time: when this node has opened all that is
   * kept of the sender, the rest may be about what it opens next.
   */
  missed(): readonly NodeIndex[] {
    const missed = [...this.#dropped].filter((from) => this.#unknownRuns(from) === 0)
    for (const from of missed) this.#dropped.delete(from)
    return missed
  }

  /** Transcripts that something waits for. */
  ids(): readonly bigint[] {
    return [...this.#kept.keys()]
  }

  /** All that waits for this transcript, and no longer does. */
  take(id: bigint): readonly Early<M>[] {
    const senders = this.#kept.get(id) ?? new Map<NodeIndex, Map<string, M>>()
    this.#kept.delete(id)
    return [...senders].flatMap(([from, own]) =>
      [...own.values()].map((message) => ({ from, message })),
    )
  }

  /** Lets go of what belongs to transcripts that are gone. */
  forget(): void {
    for (const id of this.#kept.keys())
      if (this.#runs.wasOpened(id) && this.#runs.run(id) === undefined) this.#kept.delete(id)
  }
}
