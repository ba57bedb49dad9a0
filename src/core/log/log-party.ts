/**
 * One node's log: slots that are equal at all honest nodes, over an asynchronous network with up to
 * f liars. Source: threshold §17. Sans-IO.
 */
import type { Hash32 } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { Answers } from './answers.ts'
import { CatchUp } from './catch-up.ts'
import { EarlyVotes } from './early-votes.ts'
import type { LogPosition, Slot } from './log.ts'
import type { LogAlarm, LogConfig, LogInput, LogOutput } from './log-io.ts'
import type { LogMessage, VotesMessage } from './message.ts'
import { decodeLogMessage, encodeLogMessage } from './message.ts'
import { OwnVotes } from './own-votes.ts'
import { Pace } from './pace.ts'
import { Pool } from './pool.ts'
import { encodeProposal } from './proposal.ts'
import { Reminder } from './reminder.ts'
import { Requests } from './requests.ts'
import { encodeSlot, slotHash } from './slot-codec.ts'
import { makeSlot } from './slot-content.ts'
import { isOnDisk, slotOnDisk } from './slot-disk.ts'
import { SlotRound } from './slot-round.ts'
import { Witness } from './witness.ts'

export class LogParty {
  readonly #config: LogConfig
  readonly #pool: Pool
  readonly #pace: Pace
  readonly #catchUp: CatchUp
  readonly #votes: OwnVotes
  readonly #answers: Answers
  readonly #witness: Witness
  readonly #early: EarlyVotes
  /** Where the delivered slots end that are on disk or on their way to it. */
  #end: LogPosition
  /** The next slot to deliver; below the end while old slots are delivered again. */
  #next: bigint
  /** The first slot that this life works on. */
  readonly #first: bigint
  /** A slot was delivered and is not executed yet. */
  #executing = false
  /** Of the slot worked on; none while slots of disk or copies are delivered. */
  #current: SlotRound | undefined
  /** Of the slot before. */
  #previous: SlotRound | undefined
  readonly #requests: Requests
  /** Another node has said something about the current slot. */
  #isHeard = false
  readonly #reminder = new Reminder()
  #now: TimestampNs
  #outputs: LogOutput[] = []

  constructor(config: LogConfig, now: TimestampNs) {
    const { nodes, me, incarnation, disk, from } = config
    this.#config = config
    this.#now = now
    this.#pool = new Pool(nodes, me)
    this.#pace = new Pace(nodes)
    this.#votes = new OwnVotes(config)
    this.#witness = new Witness(config)
    this.#answers = new Answers(disk, this.#pool, { votes: this.#votes, witness: this.#witness })
    this.#catchUp = new CatchUp(nodes, incarnation)
    this.#early = new EarlyVotes(nodes)
    this.#requests = new Requests(nodes, me)
    this.#end = disk.position
    this.#next = from
    this.#first = disk.position.next
  }

  /** The slots that it takes part in. */
  get #rounds(): readonly SlotRound[] {
    return [this.#previous, this.#current].flatMap((round) => round ?? [])
  }

  /** What is stored of other nodes: bounded, whatever they send (§17.8). */
  get held(): { readonly votes: number; readonly bytes: number } {
    return {
      votes: this.#rounds.reduce((sum, round) => sum + round.votes, this.#early.size),
      bytes: this.#rounds.reduce((sum, round) => sum + round.bytes, this.#pool.bytes),
    }
  }

  /** Synchronous and total: nothing a peer sends makes it throw. `now`: own clock. */
  step(input: LogInput, now: TimestampNs): readonly LogOutput[] {
    this.#now = now
    this.#outputs = []
    this.#handle(input)
    this.#follow()
    return this.#outputs
  }

  #handle(input: LogInput): void {
    switch (input.type) {
      case 'start':
        this.#proceed()
        return
      case 'message':
        this.#receive(input.from, input.bytes)
        return
      case 'linked':
        this.#answers.linked(input.peer)
        if (input.peer !== this.#config.me) this.#ask(input.peer)
        return
      case 'submit':
        this.#submit(input.item)
        return
      case 'executed':
        this.#executed(input.wasQuiet)
        return
      case 'due':
        this.#pace.due()
        return
      case 'read':
        this.#pace.read()
        return
      case 'alarm':
        if (input.name === 'turn') this.#turn()
        if (input.name === 'resend') this.#remind()
    }
  }

  #send(to: NodeIndex | 'all', message: LogMessage): void {
    const bytes = encodeLogMessage(this.#config.incarnation, message)
    this.#outputs.push({ type: 'send', to, bytes })
  }

  /** Asks for votes of the slot worked on, and of the one before while others may be in it. */
  #ask(to: NodeIndex | 'all'): void {
    this.#send(to, { type: 'resend', slot: this.#next })
    const previous = this.#previous
    if (previous?.isOver === false) this.#send(to, { type: 'resend', slot: previous.slot })
  }

  #fault(culprit: NodeIndex, reason: string): void {
    this.#outputs.push({ type: 'fault', culprit, reason })
  }

  /** An item of this node. */
  #submit(item: Uint8Array): void {
    if (this.#pool.add(this.#config.me, { hash: sha256(item), body: item }, this.#next))
      this.#send('all', { type: 'item', item })
  }

  #receive(from: NodeIndex, bytes: Uint8Array): void {
    if (from === this.#config.me) return // What it says it knows.
    const message = attempt(() => decodeLogMessage(this.#config.incarnation, bytes))
    if (message instanceof BadEncoding) this.#fault(from, `BadEncoding: ${message.message}`)
    else if (message !== undefined) this.#dispatch(from, message)
  }

  #dispatch(from: NodeIndex, message: LogMessage): void {
    switch (message.type) {
      case 'votes':
        this.#hear(from, message)
        return
      case 'item':
        this.#item(from, message.item)
        return
      case 'body':
        this.#current?.offer(sha256(message.item), message.item)
        return
      case 'proposal':
        this.#current?.fetched(message)
        return
      case 'want':
      case 'resend':
      case 'copy':
        for (const answer of this.#answers.to({ from, now: this.#now }, message, this.#rounds))
          this.#send(from, answer)
        return
      case 'heard':
        this.#shown(from, message.last)
        return
      case 'decided':
        this.#catchUp.heard(from, message.first, message.hashes)
        return
      case 'slots':
        this.#copied(from, message.contents)
    }
  }

  #hear(from: NodeIndex, message: VotesMessage): void {
    const { slot, votes } = message
    this.#witness.heard(from, message)
    const round = this.#rounds.find((one) => one.slot === slot)
    if (round !== undefined) {
      if (!this.#witness.counts(from, message)) return
      if (round === this.#current) this.#isHeard = true
      if (!round.receive(from, votes) && this.#witness.blames(from, message))
        this.#fault(from, `Equivocation: two votes in slot ${slot}`)
    } else {
      const following = this.#next + (this.#current === undefined ? 0n : 1n)
      if (this.#early.hear(from, message, following) && !this.#isBusy) this.#ask('all')
    }
  }

  #item(from: NodeIndex, item: Uint8Array): void {
    if (!this.#config.isPlausible(item)) return
    const hash = sha256(item)
    this.#pool.add(from, { hash, body: item }, this.#next)
    this.#current?.offer(hash, item)
  }

  #copied(from: NodeIndex, contents: readonly Uint8Array[]): void {
    if (this.#isBusy) return
    if (!this.#catchUp.take(from, contents, this.#end))
      this.#fault(from, `slots from ${this.#next} on that are not the log's`)
    // At once: with its votes the node might decide the same slot meanwhile.
    if (this.#catchUp.hasCopies) this.#proceed()
  }

  /** Slots are there already that wait to be delivered, or to be executed. */
  get #isBusy(): boolean {
    return this.#executing || this.#catchUp.hasCopies || this.#next < this.#end.next
  }

  /** What waited for its turn: own votes, and the next of the slots that are there already. */
  #turn(): void {
    const round = this.#current
    if (round !== undefined && this.#timeToPropose(round) === 0)
      round.propose(encodeProposal({ clock: this.#now, items: this.#pool.choose(round.slot) }))
    for (const one of this.#rounds) this.#utter(one)
    if (!this.#executing) this.#proceed()
  }

  #utter(round: SlotRound): void {
    const said = this.#votes.take(round)
    if (said === undefined) return
    this.#reminder.moved()
    this.#outputs.push(...said.records)
    this.#send('all', said.message)
  }

  /** Delivers the next slot of the disk or of a copy; without one, works on it. */
  #proceed(): void {
    if (this.#next < this.#end.next) {
      this.#hand(slotOnDisk(this.#config.disk, this.#next))
      return
    }
    const copy = this.#catchUp.next()
    if (copy === undefined) {
      if (this.#current === undefined) this.#begin()
      return
    }
    this.#append(copy.slot, copy.hash)
    this.#hand(copy.slot)
  }

  #append(slot: Slot, hash: Hash32): void {
    this.#end = { next: slot.number + 1n, previous: hash, time: slot.time }
    for (const item of slot.items) this.#pool.ordered(sha256(item))
  }

  #hand(slot: Slot): void {
    const isKnown = (other: bigint): boolean => other < this.#end.next || this.#catchUp.knows(other)
    const next = isKnown(slot.number + 1n) ? 1 : 0
    const later = isKnown(slot.number + 2n) ? 2 : next
    this.#executing = true
    this.#next = slot.number + 1n
    this.#previous = this.#current?.slot === slot.number ? this.#current : undefined
    this.#current = undefined
    this.#outputs.push({ type: 'slot', slot, later })
    // Not earlier: a node without the slot and without its votes would vote again below it.
    this.#outputs.push(...this.#votes.forgetBelow(slot.number))
  }

  #executed(wasQuiet: boolean): void {
    this.#executing = false
    this.#pace.entered(this.#now, wasQuiet)
    this.#pool.executed(wasQuiet)
    // Old slots and copies come one at a time, so that input is served in between.
    if (this.#isBusy) this.#alarm('turn', 0)
    else this.#begin()
  }

  /** Works on the next slot. */
  #begin(): void {
    const isNew = this.#catchUp.takeUsed() || this.#next === this.#first
    // Who was not there for the slot before may be needed in it all the same.
    if (isNew && isOnDisk(this.#config, this.#next - 1n))
      this.#previous ??= this.#resumed(this.#next - 1n)
    const round = this.#resumed(this.#next)
    this.#current = round
    const { votes, lacking } = this.#early.enter(this.#next, this.#config.lifeOf)
    this.#isHeard = votes.size > 0
    this.#reminder.begin()
    this.#requests.askAgain()
    this.#witness.begin()
    for (const [from, said] of votes) round.receive(from, said)
    if (isNew) this.#sayAgain()
    for (const peer of isNew ? (['all'] as const) : lacking) this.#ask(peer)
  }

  /** What an earlier life of this node had said. */
  #sayAgain(): void {
    for (const { slot } of this.#rounds) {
      const said = this.#witness.mayVote(slot) ? this.#votes.again(slot) : undefined
      if (said !== undefined) this.#send('all', said)
    }
  }

  /** A peer shows what it has had from this node. */
  #shown(from: NodeIndex, last: VotesMessage | undefined): void {
    if (this.#current === undefined) return
    const wasSure = this.#witness.isSure
    const first = this.#previous?.slot ?? this.#next
    this.#witness.shown(from, last, { first, votes: this.#votes })
    if (!wasSure && this.#witness.isSure) this.#sayAgain()
  }

  #resumed(slot: bigint): SlotRound {
    const round = new SlotRound({
      ...this.#config,
      slot,
      body: (hash) => this.#pool.body(hash),
      fault: (culprit, reason) => this.#fault(culprit, reason),
    })
    this.#votes.resume(round)
    return round
  }

  /** Everything that follows from what has come. */
  #follow(): void {
    if (this.#witness.learns(this.#next)) this.#outputs.push({ type: 'rolledBack' })
    const open = this.#rounds.filter(({ slot }) => this.#witness.mayVote(slot))
    for (const round of open) round.settle()
    const round = this.#current
    if (round !== undefined && open.includes(round)) {
      if (round.takeDropped()) this.#ask('all')
      this.#consider(round)
      for (const { to, message } of this.#requests.due(round)) this.#send(to, message)
      this.#decide(round)
    }
    this.#watch()
    this.#fetchSlots()
    if (this.#rounds.some((round) => round.owes)) this.#alarm('turn', 0)
  }

  /** Proposes in a turn of its own, so that all items that wait to be handed in are in it. */
  #consider(round: SlotRound): void {
    const waitMs = this.#timeToPropose(round)
    if (waitMs !== undefined) this.#alarm(waitMs === 0 ? 'turn' : 'join', waitMs)
  }

  /** Milliseconds until this node's proposal is due; undefined when nothing asks for it. */
  #timeToPropose(round: SlotRound): number | undefined {
    if (round.hasProposed || !this.#witness.mayVote(round.slot)) return undefined
    const { isUrgent: hasItem, isEmpty } = this.#pool
    const isHeard = this.#isHeard || !isEmpty
    return this.#pace.waitMs({ hasItem, proposers: round.proposers, isHeard }, this.#now)
  }

  #decide(round: SlotRound): void {
    const { entered } = round
    if (entered === undefined) return
    // Own votes led here: a node that forgets them, but not the slot, would contradict them.
    this.#utter(round)
    const { incarnation } = this.#config
    const slot = makeSlot(round.slot, entered, this.#end.time)
    this.#append(slot, slotHash(this.#end.previous, encodeSlot({ incarnation, slot })))
    this.#hand(slot)
  }

  /** Somebody waits for this slot or the one before, or they are behind this node. */
  get #isOpen(): boolean {
    const isWanted = this.#current?.hasProposed === true || this.#isHeard || this.#early.isBehind
    const isAsking = !this.#witness.isSure || this.#previous?.isOver === false
    return isWanted || isAsking || this.#catchUp.knows(this.#next)
  }

  /** An open slot that does not move is asked about again. */
  #watch(): void {
    if (this.#current === undefined || !this.#isOpen) return
    const delayMs = this.#reminder.arm()
    if (delayMs !== undefined) this.#alarm('resend', delayMs)
  }

  #remind(): void {
    if (this.#current === undefined || !this.#reminder.fire() || !this.#isOpen) return
    this.#requests.askAgain()
    this.#catchUp.askAgain()
    this.#ask('all')
  }

  /** Asks a holder for the slots that f + 1 nodes have told of. */
  #fetchSlots(): void {
    if (this.#isBusy) return
    const holder = this.#catchUp.holderToAsk(this.#next, this.#config.me)
    if (holder !== undefined) this.#send(holder, { type: 'copy', first: this.#next })
  }

  #alarm(name: LogAlarm, afterMs: number): void {
    this.#outputs.push({ type: 'alarm', name, afterMs })
  }
}
