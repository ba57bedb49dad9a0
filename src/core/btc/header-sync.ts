/**
 * Following the headers of one peer: when to ask, what to make of answers. Source:
 * `docs/spec/bitcoin.md` §3.5.
 */
import { equalBytes, hash32 } from '../base/bytes.ts'
import type { BlockHeader } from './block.ts'
import { headerHash } from './block.ts'
import type { HeaderTree } from './header-tree.ts'
import { addHeader, bestHeader, findHeader, judgeHeader, locator } from './header-tree.ts'
import type { Message } from './message.ts'
import { HEADERS_MAX } from './message.ts'
import type { Offence } from './peer-session.ts'
import { PROTOCOL_VERSION } from './peer-session.ts'

/** HD-7. */
export const HEADERS_WITHIN_MS = 30_000
/** HD-4. */
export const UNASKED_HEADERS_MAX = 20
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
}

const NO_STOP = hash32(new Uint8Array(32))

export class HeaderSync {
  readonly #tree: HeaderTree
  #askedUntilMs: number | undefined
  #retryMs: number | undefined
  #misses = 0
  #unconnected = 0
  #isSettled = false
  #shownHeight = 0
  /** Height of the best header when the last question was put. */
  #askedAt = 0

  constructor(tree: HeaderTree) {
    this.#tree = tree
  }

  /** One question at a time; undefined while an answer is due. */
  ask(nowMs: number): Message | undefined {
    if (this.#askedUntilMs !== undefined) return undefined
    this.#askedUntilMs = nowMs + HEADERS_WITHIN_MS
    this.#retryMs = undefined
    this.#askedAt = bestHeader(this.#tree).height
    return {
      type: 'getheaders',
      version: PROTOCOL_VERSION,
      locator: locator(this.#tree),
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

  /** Judges a `headers` message and takes what is valid into the tree. */
  receive(headers: readonly BlockHeader[], nowMs: number): HeadersOutcome {
    const asked = this.#askedUntilMs !== undefined
    this.#askedUntilMs = undefined
    this.#misses = 0
    const [first] = headers
    this.#isSettled = headers.length < HEADERS_MAX
    if (first === undefined) return { accepted: [], ask: false }
    if (!formChain(headers)) return fail('the headers do not chain')
    if (findHeader(this.#tree, first.previous) === undefined) return this.#doNotConnect()
    this.#unconnected = 0
    const taken = this.#take(headers, nowMs)
    const last = findHeader(this.#tree, headerHash(headers.at(-1) ?? first))
    this.#shownHeight = Math.max(this.#shownHeight, last?.height ?? 0)
    // What another peer has shown meanwhile moves the locator, so the question is another one.
    const hasMoved = taken.accepted.length > 0 || bestHeader(this.#tree).height > this.#askedAt
    const full = headers.length === HEADERS_MAX && hasMoved
    this.#isSettled = !full
    return !asked && headers.length > UNASKED_HEADERS_MAX
      ? { strike: `${headers.length} headers unasked`, ...taken, ask: full }
      : { ...taken, ask: full }
  }

  #doNotConnect(): HeadersOutcome {
    this.#unconnected += 1
    return this.#unconnected < UNCONNECTED_MAX
      ? { accepted: [], ask: true }
      : fail(`${UNCONNECTED_MAX} times headers that do not connect`, 'unconnected')
  }

  #take(headers: readonly BlockHeader[], nowMs: number): Omit<HeadersOutcome, 'ask'> {
    const accepted: BlockHeader[] = []
    for (const header of headers) {
      const verdict = judgeHeader(this.#tree, header, Math.floor(nowMs / 1000))
      switch (verdict.type) {
        case 'valid':
          addHeader(this.#tree, verdict.node)
          accepted.push(header)
          break
        case 'known':
          break
        case 'invalid':
          return { accepted, offence: { kind: 'badHeaders', reason: verdict.reason } }
        case 'early':
          this.#retryMs = nowMs + EARLY_RETRY_MS
          return { accepted }
        case 'full':
        case 'unknownParent':
          return { accepted }
      }
    }
    return { accepted }
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
      this.#misses += 1
      if (this.#misses >= MISSES_MAX)
        return { offence: { kind: 'timeout', reason: 'no answer to getheaders' }, ask: false }
    }
    return { ask: true }
  }
}

const fail = (reason: string, kind: Offence['kind'] = 'badHeaders'): HeadersOutcome => ({
  accepted: [],
  offence: { kind, reason },
  ask: false,
})

/** HD-2: each header names the one before it. */
function formChain(headers: readonly BlockHeader[]): boolean {
  return headers.every((header, i) => {
    const before = headers[i - 1]
    return before === undefined || equalBytes(header.previous, headerHash(before))
  })
}
