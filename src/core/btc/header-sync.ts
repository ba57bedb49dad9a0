/**
 * Following the headers of one peer: when to ask, what to make of answers. Source:
 * `docs/spec/bitcoin.md` §3.5, §4.4.
 */
import type { BlockHash } from '../base/bytes.ts'
import { equalBytes, hash32 } from '../base/bytes.ts'
import type { BlockHeader } from './block.ts'
import { headerHash } from './block.ts'
import { hashMeetsTarget, targetOfBits, workOfBits } from './header.ts'
import type { HashedHeader } from './header-presync.ts'
import { HeaderPresync } from './header-presync.ts'
import type { HeaderNode, HeaderTree } from './header-tree.ts'
import {
  addHeader,
  bestHeader,
  findHeader,
  isOnBestChain,
  judgeHeader,
  locator,
  medianTimeOf,
  worthwhileWork,
} from './header-tree.ts'
import type { Message } from './message.ts'
import { HEADERS_MAX } from './message.ts'
import type { Offence } from './peer-session.ts'
import { PROTOCOL_VERSION } from './peer-session.ts'

/** HD-7. */
export const HEADERS_WITHIN_MS = 30_000
/** HD-4. */
export const UNASKED_HEADERS_MAX = 20
/** HD-4: headers by which a peer tells of new blocks. */
const ANNOUNCED_MAX = 8
/** HD-5. */
export const UNCONNECTED_MAX = 10
/** A header from the future is asked for again after this (HDR-10). */
export const EARLY_RETRY_MS = 60_000
const MISSES_MAX = 2

export type HeadersOutcome = {
  readonly accepted: readonly BlockHeader[]
  readonly offence?: Offence
  /** A small offence that counts towards three. */
  readonly strike?: string
  /** Ask again: there is more, or it did not connect. */
  readonly ask: boolean
  /** Of a comparison: whether this peer has another chain. */
  readonly differs?: boolean
}

type Taken = Pick<HeadersOutcome, 'accepted' | 'offence'> & { readonly isAll: boolean }

const NO_STOP = hash32(new Uint8Array(32))
const NOTHING: HeadersOutcome = { accepted: [], ask: false }

export class HeaderSync {
  readonly #tree: HeaderTree
  readonly #salt: Uint8Array | undefined
  #askedUntilMs: number | undefined
  /** Questions whose answers have not come, the late ones too. */
  #owed = 0
  #retryMs: number | undefined
  #misses = 0
  #unconnected = 0
  #isSettled = false
  #shownHeight = 0
  /** Last header of a full answer, if it lies off the best chain: the locator begins with it. */
  #from: BlockHash | undefined
  #presync: HeaderPresync | undefined
  /** Where another peer stands, whose chain this one is asked to go on with (HD-7). */
  #comparing: BlockHash | undefined
  #earlySeconds: number | undefined
  #progress = 0

  /**
   * `salt`: random, of this connection, for peers must not guess which headers are remembered
   * (HDR-13). Without it whatever is valid is kept: for a chain that works among friends.
   */
  constructor(tree: HeaderTree, salt?: Uint8Array) {
    this.#tree = tree
    this.#salt = salt
  }

  /** One question at a time; undefined while an answer is due. */
  ask(nowMs: number): Message | undefined {
    const from = this.#presync?.last ?? this.#from
    return this.#question(from === undefined ? [] : [from], nowMs)
  }

  /** Asks for what follows a header of another peer: this one knows it, or has another chain. */
  compare(last: BlockHash, nowMs: number): Message | undefined {
    const question = this.#question([last], nowMs)
    if (question !== undefined) this.#comparing = last
    return question
  }

  #question(first: readonly BlockHash[], nowMs: number): Message | undefined {
    if (this.#askedUntilMs !== undefined) return undefined
    this.#askedUntilMs = nowMs + HEADERS_WITHIN_MS
    this.#owed++
    this.#retryMs = undefined
    return {
      type: 'getheaders',
      version: PROTOCOL_VERSION,
      locator: [...first, ...locator(this.#tree)],
      stop: NO_STOP,
    }
  }

  /** The last answer ended with the peer's last header, and nothing is asked. */
  get isSettled(): boolean {
    return this.#isSettled && this.#askedUntilMs === undefined
  }
  /** Height of the highest header that this peer has shown. */
  get shownHeight(): number {
    return this.#shownHeight
  }
  /** Headers of this peer that were of use: accepted, or read on the way to that. */
  get progress(): number {
    return this.#progress + (this.#presync?.read ?? 0)
  }
  /** Where its chain has come to, as far as it was read. */
  get last(): BlockHash {
    return this.#presync?.last ?? this.#from ?? bestHeader(this.#tree).hash
  }
  /** Time of a header that came too early by our clock, if the last answer ended with one. */
  get earlySeconds(): number | undefined {
    return this.#earlySeconds
  }

  /** Judges a `headers` message and takes what is valid into the tree. */
  receive(headers: readonly BlockHeader[], nowMs: number): HeadersOutcome {
    const isUnasked = this.#owed === 0 && headers.length > UNASKED_HEADERS_MAX
    const chain = headers.map((header) => ({ header, hash: headerHash(header) }))
    if (!isChain(chain)) return fail('the headers do not chain')
    if (this.#comparing !== undefined) return this.#receiveOther(chain, this.#comparing)
    this.#misses = 0
    this.#isSettled = headers.length < HEADERS_MAX
    const outcome = this.#judge(chain, nowMs)
    if (outcome === undefined) return this.#doNotConnect()
    this.#askedUntilMs = undefined
    this.#unconnected = 0
    this.#owed = Math.max(0, this.#owed - 1)
    this.#progress += outcome.accepted.length
    this.#isSettled = !outcome.ask
    return isUnasked ? { strike: `${headers.length} headers unasked`, ...outcome } : outcome
  }

  /** Nothing is taken: the peer has the chain of the other one, or will be asked for its own. */
  #receiveOther([first, ...more]: readonly HashedHeader[], last: BlockHash): HeadersOutcome {
    const isSame = first === undefined || equalBytes(first.header.previous, last)
    if (!isSame && more.length < ANNOUNCED_MAX) return NOTHING // News of its tip, no answer.
    this.#comparing = undefined
    this.#askedUntilMs = undefined
    this.#owed = Math.max(0, this.#owed - 1)
    this.#misses = 0
    return { ...NOTHING, differs: !isSame }
  }

  /** Undefined for headers whose first has no parent here. */
  #judge(chain: readonly HashedHeader[], nowMs: number): HeadersOutcome | undefined {
    const [first] = chain
    this.#earlySeconds = undefined
    if (first === undefined) {
      this.#presync = undefined
      return NOTHING
    }
    const { previous } = first.header
    const isFull = chain.length === HEADERS_MAX
    if (this.#presync !== undefined && equalBytes(previous, this.#presync.last))
      return this.#follow(this.#presync, chain, nowMs)
    const parent = findHeader(this.#tree, previous)
    if (parent === undefined) return undefined
    const salt = this.#salt
    const worth = salt === undefined ? 'enough' : this.#worthOf(chain, parent)
    if (worth === 'invalid') return fail('high-hash')
    if (salt === undefined || worth === 'enough') return this.#keep(chain, nowMs)
    // A short answer is all that the peer has: it may be honest and behind (HDR-14).
    if (!isFull) return NOTHING
    // A full one from elsewhere: its chain has changed since the last, which is seldom.
    const hasChanged = this.#presync !== undefined
    this.#presync = new HeaderPresync({
      network: this.#tree.network,
      start: parent,
      startTime: medianTimeOf(this.#tree, parent),
      nowSeconds: Math.floor(nowMs / 1000),
      threshold: worthwhileWork(this.#tree),
      salt,
    })
    const outcome = this.#follow(this.#presync, chain, nowMs)
    return hasChanged ? { strike: 'another chain amid the one before', ...outcome } : outcome
  }

  /** Whether the branch reaches the work that makes it worth keeping (HDR-12). */
  #worthOf(
    chain: readonly HashedHeader[],
    parent: HeaderNode,
  ): 'enough' | 'too little' | 'invalid' {
    const threshold = worthwhileWork(this.#tree)
    const last = chain.at(-1)
    let { work } = parent
    if (work >= threshold) return 'enough'
    if (last !== undefined && findHeader(this.#tree, last.hash) !== undefined) return 'enough'
    for (const { header, hash } of chain) {
      // Work that is claimed and not done would carry all that lies below it.
      const target = targetOfBits(header.bits, this.#tree.network)
      if (target === undefined || !hashMeetsTarget(hash, target)) return 'invalid'
      work += workOfBits(header.bits)
    }
    return work >= threshold ? 'enough' : 'too little'
  }

  #follow(presync: HeaderPresync, chain: readonly HashedHeader[], nowMs: number): HeadersOutcome {
    const step = presync.receive(chain, chain.length === HEADERS_MAX)
    switch (step.type) {
      case 'more': {
        const { isAll, ...taken } = this.#take(step.proven, nowMs)
        if (!isAll) this.#endPresync()
        return { ...taken, ask: isAll }
      }
      case 'done':
        this.#endPresync()
        return this.#keep(step.proven, nowMs, chain.length === HEADERS_MAX)
      case 'given up':
        this.#endPresync()
        return NOTHING
      case 'early':
        this.#endPresync()
        this.#putOff(step.time, nowMs)
        return NOTHING
      case 'invalid':
        this.#endPresync()
        return fail(step.reason)
    }
  }

  #endPresync(): void {
    this.#progress += this.#presync?.read ?? 0
    this.#presync = undefined
  }

  /** Takes headers that are worth it, and goes on from the last if the peer has more. */
  #keep(
    chain: readonly HashedHeader[],
    nowMs: number,
    isFull = chain.length === HEADERS_MAX,
  ): HeadersOutcome {
    const { isAll, ...taken } = this.#take(chain, nowMs)
    const last = chain.at(-1)
    const node = last && findHeader(this.#tree, last.hash)
    // Whoever says the same again and again is not asked again and again.
    const hasMoved = taken.accepted.length > 0 || (node?.height ?? 0) > this.#shownHeight
    this.#shownHeight = Math.max(this.#shownHeight, node?.height ?? 0)
    const ask = isFull && isAll && hasMoved
    const isAside = ask && node !== undefined && !isOnBestChain(this.#tree, node)
    this.#from = isAside ? node.hash : undefined
    return { ...taken, ask }
  }

  #doNotConnect(): HeadersOutcome {
    this.#unconnected += 1
    if (this.#unconnected >= UNCONNECTED_MAX)
      return fail(`${UNCONNECTED_MAX} times headers that do not connect`, 'unconnected')
    // News of the tip, while the chain below it is read: the answer that is due will connect.
    if (this.#presync !== undefined && this.#askedUntilMs !== undefined) return NOTHING
    this.#askedUntilMs = undefined
    return { ...NOTHING, ask: true }
  }

  #take(chain: readonly HashedHeader[], nowMs: number): Taken {
    const accepted: BlockHeader[] = []
    for (const { header, hash } of chain) {
      const verdict = judgeHeader(this.#tree, header, Math.floor(nowMs / 1000), hash)
      switch (verdict.type) {
        case 'valid':
          addHeader(this.#tree, verdict.node)
          accepted.push(header)
          break
        case 'known':
          break
        case 'invalid': {
          const offence = { kind: 'badHeaders', reason: verdict.reason } as const
          return { accepted, offence, isAll: false }
        }
        case 'early':
          this.#putOff(header.time, nowMs)
          return { accepted, isAll: false }
        case 'full':
        case 'unknownParent':
          return { accepted, isAll: false }
      }
    }
    return { accepted, isAll: true }
  }

  /** HDR-10. */
  #putOff(time: number, nowMs: number): void {
    this.#retryMs = nowMs + EARLY_RETRY_MS
    this.#earlySeconds = time
  }

  /** When `expire` has something to do. */
  get deadlineMs(): number {
    return Math.min(
      this.#askedUntilMs ?? Number.POSITIVE_INFINITY,
      this.#retryMs ?? Number.POSITIVE_INFINITY,
    )
  }

  /** `ask`: ask now. The second answer that does not come ends the connection (HD-7). */
  expire(nowMs: number): { readonly offence?: Offence; readonly ask: boolean } {
    if (nowMs < this.deadlineMs) return { ask: false }
    if (this.#askedUntilMs !== undefined && nowMs >= this.#askedUntilMs) {
      this.#askedUntilMs = undefined
      this.#comparing = undefined
      this.#misses += 1
      if (this.#misses >= MISSES_MAX)
        return { offence: { kind: 'timeout', reason: 'no answer to getheaders' }, ask: false }
    }
    this.#retryMs = undefined // Due once, also where it is not this peer's turn to be asked.
    return { ask: true }
  }
}

const fail = (reason: string, kind: Offence['kind'] = 'badHeaders'): HeadersOutcome => ({
  accepted: [],
  offence: { kind, reason },
  ask: false,
})

/** HD-2: each header names the one before it. */
function isChain(chain: readonly HashedHeader[]): boolean {
  return chain.every(({ header }, i) => {
    const before = chain[i - 1]
    return before === undefined || equalBytes(header.previous, before.hash)
  })
}
