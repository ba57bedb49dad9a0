/**
 * Goal: headers of a peer are taken only where their work is worth it, whatever the peer says and in
 * whatever order. Method: one sync on a tree of its own, chains of real headers of the easiest kind.
 */
import { describe, expect, it } from 'vitest'
import type { BlockHash } from '../../../src/core/base/bytes.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { clockDoubt } from '../../../src/core/btc/header.ts'
import { HEADERS_WITHIN_MS, HeaderSync } from '../../../src/core/btc/header-sync.ts'
import type { HeaderTree } from '../../../src/core/btc/header-tree.ts'
import {
  addHeader,
  bestHeader,
  judgeHeader,
  newHeaderTree,
} from '../../../src/core/btc/header-tree.ts'
import { AdapterHarness } from '../../support/adapter-harness.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

const LENGTH = 2_200
/** Reached with block 2,100 of the chain, in the second message. */
const network = easyNetwork(2n * 2_101n)
const chain = new EasyChain(network).grow(LENGTH)
const NOW_MS = chain.time * 1000

class Peer {
  readonly tree: HeaderTree
  readonly sync: HeaderSync
  #asked: readonly BlockHash[] = []

  constructor(known: readonly BlockHeader[] = [], rules = network) {
    this.tree = newHeaderTree(rules)
    for (const header of known) {
      const verdict = judgeHeader(this.tree, header, chain.time)
      if (verdict.type === 'valid') addHeader(this.tree, verdict.node)
    }
    this.sync = new HeaderSync(this.tree, Uint8Array.of(7))
    this.ask()
  }

  get height(): number {
    return bestHeader(this.tree).height
  }

  ask(nowMs = NOW_MS): boolean {
    const question = this.sync.ask(nowMs)
    if (question?.type === 'getheaders') this.#asked = question.locator
    return question !== undefined
  }

  /** First header of the last question that this chain has, as an honest peer looks for it. */
  forkOf(said: EasyChain): number {
    const heights = new Map(said.hashes.map((hash, height) => [toHex(hash), height]))
    return this.#asked.map((hash) => heights.get(toHex(hash))).find((at) => at !== undefined) ?? 0
  }

  /** Answers as long as it is asked; the outcomes, one a message. */
  answer(said: EasyChain) {
    const outcomes = []
    for (;;) {
      const outcome = this.sync.receive(said.after(this.forkOf(said)), NOW_MS)
      outcomes.push(outcome)
      if (!outcome.ask) return outcomes
      this.ask()
    }
  }
}

describe('initial sync (HDR-13)', () => {
  it('takes nothing before the minimum of work has been shown, and then all of it', () => {
    const peer = new Peer()
    const outcomes = peer.answer(chain)
    expect(outcomes.map(({ accepted }) => accepted.length)).toEqual([0, 0, 0, 2_200])
    expect(outcomes.flatMap(({ accepted }) => accepted)).toEqual(chain.after(0, LENGTH))
    expect(peer.height).toBe(LENGTH)
    expect(peer.sync.isSettled).toBe(true)
    expect(peer.sync.progress).toBeGreaterThan(2 * 2_100)
  })

  it('bitcoin §13.12: of a long chain of little work nothing is kept', () => {
    // Two messages stand for the five hundred of a million headers: each costs a sync the same,
    // three bits, and `header-presync.test.ts` shows where even those end.
    const tree = newHeaderTree(easyNetwork(1n << 80n))
    const sync = new HeaderSync(tree, Uint8Array.of(7))
    for (const [at, ask] of [
      [0, true],
      [2_000, false],
    ] as const) {
      expect(sync.ask(NOW_MS)).toBeDefined()
      expect(sync.receive(chain.after(at), NOW_MS)).toEqual({ accepted: [], ask })
      expect(tree.nodes.size).toBe(1)
    }
    expect(sync.isSettled).toBe(true)
  })

  it('goes on from what is known already', () => {
    const peer = new Peer(chain.after(0, 1_000))
    const outcomes = peer.answer(chain)
    expect(outcomes.flatMap(({ accepted }) => accepted)).toEqual(chain.after(1_000, LENGTH))
  })

  it('is not stopped by news of the tip that come in between, nor asks twice for them', () => {
    const peer = new Peer()
    peer.sync.receive(chain.after(0), NOW_MS)
    expect(peer.ask()).toBe(true)
    const news = [chain.headers[LENGTH] as BlockHeader]
    expect(peer.sync.receive(news, NOW_MS)).toEqual({ accepted: [], ask: false })
    expect(peer.ask()).toBe(false)
    expect(peer.answer(chain).at(-1)?.accepted.length).toBe(2_200)
  })

  it('ten answers that do not connect lose the connection, then as ever', () => {
    const peer = new Peer()
    peer.sync.receive(chain.after(0), NOW_MS)
    peer.ask()
    const news = [chain.headers[LENGTH] as BlockHeader]
    const outcomes = Array.from({ length: 10 }, () => peer.sync.receive(news, NOW_MS))
    expect(outcomes.map(({ offence }) => offence?.kind)).toEqual([
      ...new Array(9).fill(undefined),
      'unconnected',
    ])
  })

  it('begins anew where the second telling differs from the first', () => {
    const peer = new Peer()
    const liar = new EasyChain(network, 1).grow(LENGTH)
    for (const at of [0, 2_000]) {
      peer.ask()
      peer.sync.receive(chain.after(at), NOW_MS)
    }
    peer.ask()
    expect(peer.forkOf(liar)).toBe(0)
    // 2,000 headers differ from three bits with one chance in eight: the buffer holds them back.
    for (const at of [0, 2_000]) {
      expect(peer.sync.receive(liar.after(at), NOW_MS).accepted).toEqual([])
      peer.ask()
    }
    expect(peer.height).toBe(0)
    expect(peer.answer(chain).at(-1)?.accepted.length).toBe(2_200)
  })

  it('begins anew where the chain of the peer changes between two messages', () => {
    const peer = new Peer()
    const left = new EasyChain(network, 3).grow(2_000)
    expect(peer.sync.receive(left.after(0), NOW_MS)).toEqual({ accepted: [], ask: true })
    peer.ask()
    // Whoever does so again and again is struck out: nothing that is said twice is read for free.
    const strikes = peer.answer(chain).map(({ strike }) => strike)
    expect(strikes[0]).toBe('another chain amid the one before')
    expect(strikes.filter((strike) => strike !== undefined).length).toBe(1)
    expect(peer.height).toBe(LENGTH)
  })

  it('a message that claims work it has not done ends the connection, and nothing is taken', () => {
    const peer = new Peer()
    const headers = chain.after(0)
    const claimed = { ...(headers[1_999] as BlockHeader), bits: 0x1d00ffff }
    const { accepted, offence } = peer.sync.receive(headers.with(1_999, claimed), NOW_MS)
    expect({ accepted, offence }).toEqual({
      accepted: [],
      offence: { kind: 'badHeaders', reason: 'high-hash' },
    })
    expect(peer.tree.nodes.size).toBe(1)
  })

  it('a short answer below the minimum is ignored: the peer may be behind (HDR-14)', () => {
    const peer = new Peer()
    expect(peer.sync.receive(chain.after(0, 1_999), NOW_MS)).toEqual({ accepted: [], ask: false })
    expect(peer.tree.nodes.size).toBe(1)
    expect(peer.sync.isSettled).toBe(true)
  })
})

describe('after it (HDR-12, HDR-14)', () => {
  const TIP = 500
  const rules = easyNetwork(2n * 301n)
  const known = chain.after(0, TIP)
  const branch = (height: number, count: number) =>
    new EasyChain(rules, 2, chain, height).grow(count)

  it.each([
    ['of one block is taken', 400, 1, 1],
    ['that ends 145 blocks of work behind the tip is not', 350, 5, 0],
    ['that ends 144 blocks behind is, with all that leads there', 300, 56, 56],
    ['that began long ago and has caught up is', 100, 402, 402],
  ])('a branch %s', (_, height, count, taken) => {
    const peer = new Peer(known, rules)
    const said = branch(height, count).after(height)
    const { accepted, offence, strike } = peer.sync.receive(said, NOW_MS)
    expect({ taken: accepted.length, offence, strike }).toEqual({
      taken,
      offence: undefined,
      strike: undefined,
    })
  })

  it('a branch of more than one message is read twice, and becomes the best', () => {
    const peer = new Peer(chain.after(0, 2_150))
    const rival = new EasyChain(network, 2).grow(2_160)
    const outcomes = peer.answer(rival)
    expect(outcomes.map(({ accepted }) => accepted.length)).toEqual([0, 0, 0, 2_160])
    expect(toHex(bestHeader(peer.tree).hash)).toBe(toHex(rival.hashes[2_160] as BlockHash))
  })

  it('a side branch of full messages is asked for from its last header (HD-3)', () => {
    // Without a minimum the branch is taken as it comes, though it is not the best for long.
    const free = easyNetwork()
    const tree = newHeaderTree(free)
    const sync = new HeaderSync(tree, Uint8Array.of(7))
    for (const header of chain.after(0, 2_010)) {
      const verdict = judgeHeader(tree, header, chain.time)
      if (verdict.type === 'valid') addHeader(tree, verdict.node)
    }
    const rival = new EasyChain(free, 3).grow(2_020)
    sync.ask(NOW_MS)
    expect(sync.receive(rival.after(0), NOW_MS)).toMatchObject({ ask: true })
    const question = sync.ask(NOW_MS)
    expect(question?.type === 'getheaders' && toHex(question.locator[0] as BlockHash)).toBe(
      toHex(rival.hashes[2_000] as BlockHash),
    )
    sync.receive(rival.after(2_000), NOW_MS)
    expect(bestHeader(tree).height).toBe(2_020)
  })

  it('a peer that says the same full message again and again is not asked again and again', () => {
    const free = newHeaderTree(easyNetwork())
    const sync = new HeaderSync(free, Uint8Array.of(7))
    sync.ask(NOW_MS)
    const asks = [1, 2, 3].map(() => {
      const { ask } = sync.receive(chain.after(0), NOW_MS)
      sync.ask(NOW_MS)
      return ask
    })
    expect(asks).toEqual([true, false, false])
  })
})

describe('a comparison with another peer (HD-7)', () => {
  const compared = () => {
    const peer = new Peer()
    peer.sync.receive([], NOW_MS)
    expect(peer.sync.compare(chain.hashes[2_000] as BlockHash, NOW_MS)?.type).toBe('getheaders')
    return peer
  }

  it('says that a peer goes on with the same chain, and takes nothing', () => {
    expect(compared().sync.receive(chain.after(2_000), NOW_MS)).toEqual({
      accepted: [],
      ask: false,
      differs: false,
    })
    expect(compared().sync.receive([], NOW_MS).differs).toBe(false)
  })

  it('says that it has another', () => {
    const liar = new EasyChain(network, 1).grow(100)
    expect(compared().sync.receive(liar.after(0), NOW_MS).differs).toBe(true)
  })

  it('is not answered by news of a block', () => {
    const peer = compared()
    expect(peer.sync.receive([chain.headers[LENGTH] as BlockHeader], NOW_MS)).toEqual({
      accepted: [],
      ask: false,
    })
    expect(peer.sync.receive(chain.after(2_000), NOW_MS).differs).toBe(false)
  })

  it('that is not answered in time is a miss like any other', () => {
    const peer = compared()
    expect(peer.sync.expire(NOW_MS + HEADERS_WITHIN_MS)).toEqual({ ask: true })
    peer.ask(NOW_MS + HEADERS_WITHIN_MS)
    expect(peer.sync.expire(NOW_MS + 2 * HEADERS_WITHIN_MS).offence?.kind).toBe('timeout')
  })
})

describe('a header from the future (HDR-10)', () => {
  const HOUR_MS = 3_600_000
  const rules = easyNetwork()
  /** A chain that ends with a header three hours ahead of a clock that is right for its parent. */
  const headers = new EasyChain(rules, 4).grow(20).grow(1, 10_800).after(20)
  const known = new EasyChain(rules, 4).grow(20).after(0)
  const startMs = (known[19]?.time ?? 0) * 1000
  const harness = () => {
    const peer = new AdapterHarness({ network: rules })
    peer.nowMs = startMs
    peer.ready()
    return peer
  }

  it('bitcoin §13.13: three hours ahead it is not taken, an hour later it is, and nobody is blamed', () => {
    const peer = harness()
    peer.step({ type: 'knownHeaders', headers: known })
    peer.sayHeaders(headers)
    expect(peer.of('headers')).toEqual([])
    while (peer.of('headers').length === 0 && peer.nowMs < startMs + 3 * HOUR_MS) {
      peer.sent()
      peer.advance(60_000)
      const said = peer.sent()
      expect(said.map(({ type }) => type)).toContain('getheaders')
      for (const message of said)
        if (message.type === 'ping') peer.say({ type: 'pong', nonce: message.nonce })
      peer.sayHeaders(headers)
    }
    expect(peer.of('headers')).toEqual([{ type: 'headers', headers }])
    expect(peer.nowMs).toBe(startMs + HOUR_MS)
    expect(peer.offences()).toEqual([])
  })

  it('bitcoin §13.20: with a clock three hours behind, what is missing is said, and that it may be the clock', () => {
    const peer = harness()
    peer.step({ type: 'knownHeaders', headers: known })
    expect(peer.adapter.aheadSeconds).toBeUndefined()
    peer.sayHeaders(headers)
    expect(peer.adapter.aheadSeconds).toBe(10_800)
    expect(clockDoubt(peer.adapter.aheadSeconds ?? 0)).toBe(
      'a block header is 3 h 0 min ahead of the clock of this computer: compare it with another',
    )
    peer.sayHeaders([])
    expect(peer.adapter.aheadSeconds).toBeUndefined()
  })

  it('ends a first pass, too: a clock years behind asks for what follows once a minute', () => {
    const peer = new Peer()
    const past = (chain.headers[100] as BlockHeader).time * 1000
    expect(peer.sync.receive(chain.after(0), past)).toEqual({ accepted: [], ask: false })
    expect(peer.sync.earlySeconds).toBe((chain.headers[113] as BlockHeader).time)
    expect(peer.sync.deadlineMs).toBe(past + 60_000)
  })
})

it('late answers are no strike: more than one question may be owed', () => {
  const peer = new Peer()
  peer.sync.expire(NOW_MS + HEADERS_WITHIN_MS)
  peer.ask(NOW_MS + HEADERS_WITHIN_MS)
  expect(peer.sync.receive(chain.after(0), NOW_MS).strike).toBeUndefined()
  expect(peer.sync.receive(chain.after(2_000), NOW_MS).strike).toBeUndefined()
  expect(peer.sync.receive(chain.after(0, 21), NOW_MS).strike).toBe('21 headers unasked')
})
