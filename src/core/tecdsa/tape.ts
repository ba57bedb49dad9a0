/**
 * The random tape as one node reads it: its share of σ_k for each slot that needs one, combined with
 * those of others. Source: threshold §§16.2 to 16.4, 17.8 rule 4.
 *
 * A slot needs its tape from its end until the log has answered what needed it. Nothing is said of a
 * slot before this node has executed it, so nobody knows ω_k before slot k is decided.
 */
import { equalBytes } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { blsContent } from './bls.ts'
import type { BlsKey } from './bls-lane.ts'
import type { TapeMessage, TapeShareMessage } from './message.ts'
import type { SignerOutput, SignerOutputs } from './signer-context.ts'
import { askAgain, fault } from './signer-context.ts'

/** Slots not executed yet of which one sender's word is kept; threshold §23. */
const EARLY_SLOTS_MAX = 64

export const tapeMessage = (incarnation: bigint, slot: bigint): Uint8Array =>
  blsContent('random_tape_content_domain', incarnation, slot)

/** ω of a slot, from its σ. */
export const tapeValue = (signature: Uint8Array): Uint8Array => sha256(signature)

type Entry = {
  readonly slot: bigint
  readonly message: Uint8Array
  /** Not known to be false; the first word of each node. */
  readonly heard: Map<NodeIndex, TapeShareMessage | TapeMessage>
  readonly blamed: Set<NodeIndex>
  own: TapeShareMessage | undefined
  signature: Uint8Array | undefined
  /** Something was heard since combining was tried last. */
  untried: boolean
}

/** The tape key as the signer lends it out. */
export type TapeKey = Pick<BlsKey, 'transcriptId' | 'share' | 'combine' | 'verify'>

export type TapeConfig = {
  readonly key: TapeKey
  readonly incarnation: bigint
}

export class Tape {
  readonly #config: TapeConfig
  readonly #open = new Map<bigint, Entry>()
  /** First slot that is not executed. */
  #next = 0n
  /** Of slots not executed yet, by sender, oldest first. */
  readonly #early = new Map<NodeIndex, Map<bigint, TapeShareMessage | TapeMessage>>()
  /** Whose early words had to be let go. */
  readonly #dropped = new Set<NodeIndex>()

  constructor(config: TapeConfig) {
    this.#config = config
  }

  /** σ of a slot that needs it, 48 bytes, once known. */
  signature(slot: bigint): Uint8Array | undefined {
    return this.#open.get(slot)?.signature
  }

  /** A slot is executed; what it needs is known, and which slots before it still need theirs. */
  endSlot(slot: bigint, needed: ReadonlySet<bigint>): SignerOutputs {
    this.#next = slot + 1n
    for (const old of this.#open.keys()) if (!needed.has(old)) this.#open.delete(old)
    if (needed.has(slot)) this.#begin(slot)
    for (const kept of this.#early.values())
      for (const early of kept.keys()) if (early <= slot) kept.delete(early)
    return needed.has(slot) ? this.#askAgain() : []
  }

  #begin(slot: bigint): void {
    const heard = [...this.#early].flatMap(([from, kept]) => {
      const word = kept.get(slot)
      return word === undefined ? [] : [[from, word] as const]
    })
    this.#open.set(slot, {
      slot,
      message: tapeMessage(this.#config.incarnation, slot),
      heard: new Map(heard),
      blamed: new Set(),
      own: undefined,
      signature: undefined,
      untried: heard.length > 0,
    })
  }

  #askAgain(): SignerOutputs {
    const asked = [...this.#dropped]
    this.#dropped.clear()
    return askAgain(asked) ?? []
  }

  /** A share, or the whole signature, came in. What is of another time line says nothing here. */
  receive(from: NodeIndex, word: TapeShareMessage | TapeMessage): SignerOutputs {
    if (word.incarnation !== this.#config.incarnation) return []
    if (word.slot >= this.#next) return this.#keepEarly(from, word)
    const entry = this.#open.get(word.slot)
    if (entry === undefined || entry.signature !== undefined || entry.blamed.has(from)) return []
    // Who gave a share may have learned the signature since, or have a share of another transcript.
    if (isRepeat(entry.heard.get(from), word)) return []
    entry.heard.set(from, word)
    entry.untried = true
    return []
  }

  #keepEarly(from: NodeIndex, word: TapeShareMessage | TapeMessage): SignerOutputs {
    const kept = this.#early.get(from) ?? new Map<bigint, TapeShareMessage | TapeMessage>()
    this.#early.set(from, kept)
    if (isRepeat(kept.get(word.slot), word)) return []
    kept.set(word.slot, word)
    if (kept.size <= EARLY_SLOTS_MAX) return []
    const [oldest] = kept.keys()
    kept.delete(present(oldest, 'a full store has a member'))
    this.#dropped.add(from)
    return []
  }

  /** The key was refreshed: what is open is answered with shares of the new transcript (§16.2). */
  switch(): void {
    for (const entry of this.#open.values()) {
      entry.own = undefined
      entry.untried = true
    }
  }

  /** Gives one share, or tries to combine one signature. Undefined when there is nothing to do. */
  work(): SignerOutputs | undefined {
    if (this.#config.key.transcriptId === undefined) return undefined
    for (const entry of this.#open.values()) {
      if (entry.signature !== undefined) continue
      const given = entry.own === undefined ? this.#give(entry) : undefined
      if (given !== undefined) return given
      if (entry.untried) return this.#combine(entry)
    }
    return undefined
  }

  /** Undefined while the own share of the key is not loaded: it may come later (§10). */
  #give(entry: Entry): SignerOutputs | undefined {
    const { key, incarnation } = this.#config
    const share = key.share(entry.message)
    if (share === undefined) return undefined
    const transcriptId = present(key.transcriptId, 'a share is of a key')
    entry.own = { type: 'tape-share', incarnation, slot: entry.slot, transcriptId, share }
    return [{ type: 'send', to: 'all', message: entry.own }]
  }

  #combine(entry: Entry): SignerOutputs {
    entry.untried = false
    const faults = this.#tryWhole(entry)
    if (entry.signature !== undefined) return faults
    const { key } = this.#config
    const shares = new Map<NodeIndex, Uint8Array>()
    for (const [node, word] of entry.heard)
      if (word.type === 'tape-share' && word.transcriptId === key.transcriptId)
        shares.set(node, word.share)
    const { signature, blamed } = key.combine(entry.message, shares)
    if (signature !== undefined) this.#learn(entry, signature)
    return [...faults, ...this.#blame(entry, blamed)]
  }

  /** Who has the signature gives it instead of its share. */
  #tryWhole(entry: Entry): readonly SignerOutput[] {
    const wrong: NodeIndex[] = []
    for (const [node, word] of entry.heard) {
      if (word.type !== 'tape') continue
      if (this.#config.key.verify(entry.message, word.signature)) {
        this.#learn(entry, word.signature)
        return []
      }
      wrong.push(node)
    }
    return this.#blame(entry, wrong)
  }

  #learn(entry: Entry, signature: Uint8Array): void {
    entry.signature = signature
    entry.heard.clear()
  }

  #blame(entry: Entry, nodes: readonly NodeIndex[]): readonly SignerOutput[] {
    return nodes.map((node) => {
      entry.heard.delete(node)
      entry.blamed.add(node)
      return fault(node, 'InvalidShare')
    })
  }

  /**
   * Whether this is σ of a slot. From the log alone, so the same at every node: one that has it
   * compares, one that has not verifies, and has it from then on.
   */
  isSignature(slot: bigint, signature: Uint8Array): boolean {
    const { key, incarnation } = this.#config
    const entry = this.#open.get(slot)
    if (entry?.signature !== undefined) return equalBytes(entry.signature, signature)
    if (!key.verify(tapeMessage(incarnation, slot), signature)) return false
    if (entry !== undefined) this.#learn(entry, signature)
    return true
  }

  /** What is known of slots that still need their tape, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    const { incarnation } = this.#config
    return [...this.#open.values()].flatMap(({ slot, signature, own }): SignerOutputs => {
      if (signature !== undefined)
        return [{ type: 'send', to, message: { type: 'tape', incarnation, slot, signature } }]
      return own === undefined ? [] : [{ type: 'send', to, message: own }]
    })
  }
}

const isRepeat = (
  before: TapeShareMessage | TapeMessage | undefined,
  word: TapeShareMessage | TapeMessage,
): boolean =>
  before !== undefined &&
  word.type !== 'tape' &&
  (before.type === 'tape' || before.transcriptId === word.transcriptId)
