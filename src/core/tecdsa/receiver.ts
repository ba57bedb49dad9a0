/**
 * The receiver's part of a signer: checks dealings, vouches for them, loads its shares. Source:
 * threshold §§8, 9.3, 10.4.
 */
import type { Hash32 } from '../base/bytes.ts'
import { compareBytes, equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Complainer } from './complainer.ts'
import type { Dealing, Recipient } from './dealing.ts'
import { openDealing, verifyDealing } from './dealing.ts'
import { decodeDealing } from './dealing-codec.ts'
import type { SignedDealing, Support } from './evidence.ts'
import { dealerSigned, SUPPORTED_HASHES_MAX, supportContent } from './evidence.ts'
import { dealerIndexOf } from './parameters.ts'
import type { Run } from './run.ts'
import type { SecretShare } from './secret.ts'
import type { LaneContext, SignerOutput, SignerOutputs } from './signer-context.ts'
import { askAgain, fault } from './signer-context.ts'
import { combineOpened } from './transcript.ts'

/** Dealings kept for transcripts that this node has not opened yet, per dealer; threshold §23. */
const EARLY_DEALINGS_MAX = 64

type Held = {
  readonly signed: SignedDealing
  checked: boolean
}

type Opened = { readonly run: bigint; readonly share: SecretShare }

type Sent = { readonly support: Omit<Support, 'signer'>; readonly runs: readonly bigint[] }

export class Receiver<P> {
  readonly #context: LaneContext<P>
  readonly #complainer: Complainer<P>
  /** First dealing of each (transcript, dealer), by transcript. */
  readonly #held = new Map<bigint, Map<NodeIndex, Held>>()
  /** For whose early dealings there was no room. */
  readonly #dropped = new Set<NodeIndex>()
  /** Own share of each dealing that was good, by hash of the dealing. */
  readonly #opened = new Map<string, Opened>()
  readonly #loaded = new Map<bigint, SecretShare>()
  #unsent: { readonly hash: Hash32; readonly run: bigint }[] = []
  #sent: Sent[] = []

  /** `complainer`: takes over what did not open, and gives it back recovered. */
  constructor(context: LaneContext<P>, complainer: Complainer<P>) {
    this.#context = context
    this.#complainer = complainer
  }

  /** A dealing came in. Its signature is checked now, the rest when it is its turn. */
  accept(signed: SignedDealing): SignerOutputs {
    const { runs } = this.#context
    const run = runs.run(signed.transcriptId)
    const early = !runs.wasOpened(signed.transcriptId)
    if ((run === undefined && !early) || run?.transcript !== undefined) return []
    const dealers = this.#held.get(signed.transcriptId) ?? new Map<NodeIndex, Held>()
    const first = dealers.get(signed.dealer)
    const full = early && this.#earlyCount(signed.dealer) >= EARLY_DEALINGS_MAX
    if (first === undefined && full) {
      this.#dropped.add(signed.dealer)
      return []
    }
    if (first !== undefined && equalBytes(first.signed.hash, signed.hash))
      return this.#vouchAgain(signed)
    // Nobody's word: its sender may have invented it.
    if (!dealerSigned(this.#context, signed)) return []
    if (first !== undefined) return [fault(signed.dealer, 'Equivocation: two dealings')]
    this.#held.set(signed.transcriptId, dealers.set(signed.dealer, { signed, checked: false }))
    return []
  }

  #earlyCount(dealer: NodeIndex): number {
    const { runs } = this.#context
    return [...this.#held].filter(([id, by]) => !runs.wasOpened(id) && by.has(dealer)).length
  }

  /**
   * Checks one dealing of an open transcript; when none waits, vouches for all that were good, then
   * loads the own share of a final one. Undefined when there is nothing to do.
   */
  work(): SignerOutputs | undefined {
    const next = this.#nextUnchecked()
    if (next === undefined) return this.#vouch() ?? this.#loadNext() ?? askAgain(this.#missed())
    next.held.checked = true
    return this.#check(next.run, next.held.signed)
  }

  /** Whose dealings were let go, once this node has opened all that it has kept of theirs. */
  #missed(): readonly NodeIndex[] {
    const missed = [...this.#dropped].filter((dealer) => this.#earlyCount(dealer) === 0)
    for (const dealer of missed) this.#dropped.delete(dealer)
    return missed
  }

  #nextUnchecked(): { readonly run: Run<P>; readonly held: Held } | undefined {
    for (const run of this.#context.runs.openRuns())
      for (const held of this.#held.get(run.parameters.id)?.values() ?? [])
        if (!held.checked) return { run, held }
    return undefined
  }

  #check(run: Run<P>, signed: SignedDealing): SignerOutputs {
    const { suite, records, recordPrefix } = this.#context
    const refuse = (reason: string): SignerOutputs => [fault(signed.dealer, reason)]
    const dealing = attempt(() => decodeDealing(suite, signed.dealing))
    if (dealing instanceof BadEncoding) return refuse(`BadEncoding: ${dealing.message}`)
    const dealerIndex = this.#dealerIndex(run, signed.dealer)
    if (dealerIndex === undefined) return refuse('InvalidDealer')
    const context = { parameters: run.parameters, dealerIndex }
    const refusal = verifyDealing(suite, context, dealing)
    if (refusal !== undefined) return refuse(`${refusal.refusal}: ${refusal.detail}`)
    const recipient = this.#context.keys.recipientIn(run.parameters)
    const share = recipient && openDealing(suite, context, dealing, recipient)
    if (share === undefined) return [] // No blame is possible yet; others may still vouch for it.
    const key = `${recordPrefix}support/${signed.transcriptId}/${signed.dealer}`
    const before = records.get(key)
    if (before !== undefined && !equalBytes(before, signed.hash)) return []
    this.#opened.set(toHex(signed.hash), { run: signed.transcriptId, share })
    this.#unsent.push({ hash: signed.hash, run: signed.transcriptId })
    return [{ type: 'record', key, value: signed.hash }]
  }

  #dealerIndex(run: Run<P>, dealer: NodeIndex): NodeIndex | undefined {
    const id = this.#context.members[dealer]?.id
    return id === undefined ? undefined : dealerIndexOf(run.parameters, id)
  }

  #vouch(): SignerOutputs | undefined {
    const batch = this.#unsent
      .slice(0, SUPPORTED_HASHES_MAX)
      .toSorted((a, b) => compareBytes(a.hash, b.hash))
    this.#unsent = this.#unsent.slice(batch.length)
    if (batch.length === 0) return undefined
    const hashes = batch.map(({ hash }) => hash)
    const content = supportContent(this.#context.prefix, hashes)
    const support = { hashes, signature: this.#context.keys.sign('support', content) }
    this.#sent.push({ support, runs: batch.map(({ run }) => run) })
    const { lane } = this.#context
    return [{ type: 'send', to: 'all', message: { type: 'support', lane, support } }]
  }

  /** A dealer that sends its dealing again has started anew, and lost the support it had. */
  #vouchAgain({ dealer, hash }: SignedDealing): SignerOutputs {
    const sent = this.#sent.find(({ support }) =>
      support.hashes.some((vouched) => equalBytes(vouched, hash)),
    )
    const { lane, me } = this.#context
    if (sent === undefined || dealer === me) return []
    return [{ type: 'send', to: dealer, message: { type: 'support', lane, support: sent.support } }]
  }

  /** What was vouched for in transcripts that are still open, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    const { lane } = this.#context
    return this.#sent.map(
      ({ support }): SignerOutput => ({
        type: 'send',
        to,
        message: { type: 'support', lane, support },
      }),
    )
  }

  #isOpen(id: bigint): boolean {
    const run = this.#context.runs.run(id)
    return run !== undefined && run.transcript === undefined
  }

  /** Loaded before it is needed, so that the others can help in time when a dealing was bad. */
  #loadNext(): SignerOutputs | undefined {
    const { runs, keys } = this.#context
    const next = runs
      .finalRuns()
      .find(
        ({ parameters }) =>
          !this.#loaded.has(parameters.id) &&
          !this.#complainer.isWaiting(parameters.id) &&
          keys.recipientIn(parameters) !== undefined,
      )
    if (next === undefined) return undefined
    this.shareOf(next)
    return []
  }

  /**
   * Own share of a final transcript; undefined while it is not final, for a node that receives none
   * or has erased what it needs to read it, or when a dealing in it was bad for this node and the
   * share of it is not recovered: until then the node takes no part in what needs the share.
   */
  shareOf(run: Run<P>): SecretShare | undefined {
    const { id } = run.parameters
    const known = this.#loaded.get(id)
    if (known !== undefined || run.transcript === undefined) return known
    const recipient = this.#context.keys.recipientIn(run.parameters)
    if (recipient === undefined || this.#complainer.isWaiting(id)) return undefined
    const opened = new Map<NodeIndex, SecretShare>()
    const badDealers: NodeIndex[] = []
    for (const [dealerIndex, { signed, dealing }] of run.taken) {
      const share = this.#openedShare(run, { dealerIndex, signed, dealing }, recipient)
      if (share === undefined) badDealers.push(dealerIndex)
      else opened.set(dealerIndex, share)
    }
    if (badDealers.length > 0) {
      this.#complainer.dispute(run, badDealers)
      return undefined
    }
    const { suite } = this.#context
    const { transcript } = run
    const { receiverIndex } = recipient
    const share = combineOpened(suite, { transcript, receiverIndex, opened })
    this.#loaded.set(id, share)
    return share
  }

  #openedShare(
    run: Run<P>,
    taken: {
      readonly dealerIndex: NodeIndex
      readonly signed: SignedDealing
      readonly dealing: Dealing<P>
    },
    recipient: Recipient,
  ): SecretShare | undefined {
    const name = toHex(taken.signed.hash)
    const { parameters } = run
    const { dealerIndex, dealing } = taken
    const known =
      this.#opened.get(name)?.share ?? this.#complainer.recovered(parameters.id, dealerIndex)
    if (known !== undefined) return known
    const { suite } = this.#context
    const share = openDealing(suite, { parameters, dealerIndex }, dealing, recipient)
    if (share !== undefined) this.#opened.set(name, { run: parameters.id, share })
    return share
  }

  /**
   * Lets go of what belongs to transcripts that are gone or final; shares are erased on the way.
   */
  forget(): void {
    const { runs } = this.#context
    for (const id of this.#held.keys())
      if (runs.wasOpened(id) && !this.#isOpen(id)) this.#held.delete(id)
    this.#sent = this.#sent.filter(({ runs }) => runs.some((id) => this.#isOpen(id)))
    for (const [id, share] of this.#loaded) {
      if (runs.run(id) !== undefined) continue
      share.erase()
      this.#loaded.delete(id)
    }
    for (const [hash, { run, share }] of this.#opened) {
      if (this.#isOpen(run) || this.#willLoad(run, hash)) continue
      share.erase()
      this.#opened.delete(hash)
    }
  }

  /** Whether the share of one dealing is still needed for that of its transcript. */
  #willLoad(id: bigint, hash: string): boolean {
    const run = this.#context.runs.run(id)
    if (run === undefined || this.#loaded.has(id)) return false
    return [...run.taken.values()].some(({ signed }) => toHex(signed.hash) === hash)
  }
}
