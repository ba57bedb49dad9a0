/**
 * Goal: while many headers are missing, one peer shows them at a time, is held against others, and
 * cannot stand still. Method: the race by itself, then an adapter with three scripted peers.
 */
import { describe, expect, it } from 'vitest'
import { ADAPTER_ALARM } from '../../../src/core/btc/adapter-port.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import {
  COMPARE_HEADERS,
  HeaderRace,
  isCatchingUp,
  STALLED_MS,
  TURN_MS,
} from '../../../src/core/btc/header-race.ts'
import { addHeader, judgeHeader, newHeaderTree } from '../../../src/core/btc/header-tree.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { AdapterHarness } from '../../support/adapter-harness.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

describe('a race', () => {
  const far = true

  it('lets one peer run, and the next when that one leaves', () => {
    const race = new HeaderRace()
    expect([4, 5, 6, 4].map((peer) => race.mayAsk(peer, 0, far))).toEqual([
      true,
      false,
      false,
      true,
    ])
    expect(race.next(0, far)).toEqual([])
    race.leave(4)
    expect(race.next(0, far)).toEqual([5])
    race.leave(6)
    race.leave(5)
    expect(race.next(0, far)).toEqual([])
  })

  it('is over once little is missing: whoever waits is asked', () => {
    const race = new HeaderRace()
    for (const peer of [4, 5, 6]) race.mayAsk(peer, 0, far)
    expect(race.next(0, false)).toEqual([5, 6])
    expect([4, 5, 6].map((peer) => race.mayAsk(peer, 0, false))).toEqual([true, true, true])
  })

  it('holds the runner against one that waits, every twenty thousand headers', () => {
    const race = new HeaderRace()
    for (const peer of [4, 5, 6]) race.mayAsk(peer, 0, far)
    expect(race.advanced(4, COMPARE_HEADERS - 1, 0)).toBeUndefined()
    expect(race.advanced(4, COMPARE_HEADERS, 0)).toBe(5)
    expect(race.advanced(4, COMPARE_HEADERS + 2_000, 0)).toBeUndefined()
    expect(race.advanced(4, 2 * COMPARE_HEADERS, 0)).toBe(6)
    expect(race.advanced(5, 2 * COMPARE_HEADERS, 0)).toBeUndefined()
  })

  it('lets one more run that has another chain, and no third', () => {
    const race = new HeaderRace()
    for (const peer of [4, 5, 6]) race.mayAsk(peer, 0, far)
    race.differs(5, 0)
    race.differs(6, 0)
    expect([4, 5, 6].map((peer) => race.mayAsk(peer, 0, far))).toEqual([true, true, false])
  })

  it('sends a runner that stands still to the end, if anybody waits', () => {
    const race = new HeaderRace()
    race.mayAsk(4, 0, far)
    expect(race.deadlineMs).toBe(Number.POSITIVE_INFINITY)
    race.expire(STALLED_MS)
    expect(race.mayAsk(4, STALLED_MS, far)).toBe(true)
    race.mayAsk(5, 0, far)
    race.advanced(4, 1, 10)
    expect(race.deadlineMs).toBe(10 + STALLED_MS)
    race.advanced(4, 1, 20) // No header more than before.
    race.expire(9 + STALLED_MS)
    expect(race.next(0, far)).toEqual([])
    race.expire(10 + STALLED_MS)
    expect(race.next(0, far)).toEqual([5])
    race.leave(5)
    expect(race.next(0, far)).toEqual([4])
  })

  it('gives an honest peer its turn, however steadily two others show chains without work', () => {
    const race = new HeaderRace()
    for (const peer of [4, 5, 6]) race.mayAsk(peer, 0, far)
    race.differs(5, 300_000)
    let nowMs = 300_000
    for (let progress = 1; !race.next(nowMs, far).includes(6); progress++) {
      nowMs += 60_000
      for (const peer of [4, 5]) race.advanced(peer, progress, nowMs)
      race.expire(nowMs)
      expect(nowMs).toBeLessThanOrEqual(300_000 + TURN_MS)
    }
    // Whoever had to give way comes again.
    race.leave(6)
    expect(race.next(nowMs, far)).toEqual([4])
  })
})

describe('catching up', () => {
  it('is what a chain without its minimum of work does, or without the last day', () => {
    const network = easyNetwork(2n * 3n)
    const chain = new EasyChain(network).grow(2)
    const tree = newHeaderTree(network)
    const add = (header: BlockHeader): void => {
      const verdict = judgeHeader(tree, header, chain.time)
      if (verdict.type === 'valid') addHeader(tree, verdict.node)
    }
    add(chain.headers[1] as BlockHeader)
    expect(isCatchingUp(tree, chain.time * 1000)).toBe(true)
    add(chain.headers[2] as BlockHeader)
    expect(isCatchingUp(tree, chain.time * 1000)).toBe(false)
    expect(isCatchingUp(tree, (chain.time + 86_401) * 1000)).toBe(true)
    expect(isCatchingUp(newHeaderTree(mainnet), chain.time * 1000)).toBe(true)
    expect(isCatchingUp(newHeaderTree(regtest), chain.time * 1000)).toBe(false)
  })
})

describe('an adapter that is far behind (HD-7)', () => {
  const network = easyNetwork(2n * 21n)
  const chain = new EasyChain(network).grow(40)
  const three = (): AdapterHarness => {
    const harness = new AdapterHarness({ peers: 3, network })
    harness.nowMs = chain.time * 1000
    harness.step({ type: 'start' })
    return harness
  }
  /** Completes a handshake; whether the peer was asked for headers at its end. */
  const greet = (harness: AdapterHarness, peer: number): boolean => {
    const before = harness.outputs.length
    harness.ready(peer)
    return harness.outputs.slice(before).some(isQuestion)
  }
  /** `getheaders` is by far the longest of what is sent to one peer in a handshake. */
  const isQuestion = (output: AdapterHarness['outputs'][number]): boolean =>
    output.type === 'send' &&
    new TextDecoder().decode(output.bytes.subarray(4, 14)) === 'getheaders'

  it('asks one peer, and the others once it has caught up', () => {
    const harness = three()
    expect([0, 1, 2].map((peer) => greet(harness, peer))).toEqual([true, false, false])
    harness.sayHeaders(chain.after(0), 0)
    expect(harness.adapter.bestHeight).toBe(40)
    expect([1, 2].map((peer) => harness.sentTypes(peer))).toEqual([['getheaders'], ['getheaders']])
  })

  it('asks the next when one has too little to show, or is gone', () => {
    const harness = three()
    for (const peer of [0, 1, 2]) greet(harness, peer)
    harness.sayHeaders(chain.after(0, 5), 0)
    expect(harness.adapter.bestHeight).toBe(0)
    expect([1, 2].map((peer) => harness.sentTypes(peer))).toEqual([['getheaders'], []])
    harness.step({ type: 'disconnected', peer: 1 })
    expect(harness.sentTypes(2)).toEqual(['getheaders'])
    harness.sayHeaders(chain.after(0), 2)
    expect(harness.adapter.bestHeight).toBe(40)
  })

  it('asks another after 90 s in which one talks and shows nothing', () => {
    const harness = three()
    for (const peer of [0, 1, 2]) greet(harness, peer)
    const strange = [chain.headers[30] as BlockHeader]
    for (const pauseMs of [29_000, 29_000, 29_000]) {
      harness.advance(pauseMs)
      harness.sayHeaders(strange, 0)
    }
    expect(harness.sentTypes(1)).toEqual([])
    harness.advance(3_000)
    expect(harness.offences()).toEqual([])
    expect(harness.sentTypes(1)).toEqual(['getheaders'])
    harness.sayHeaders(chain.after(0), 1)
    expect(harness.adapter.bestHeight).toBe(40)
  })

  it('holds a long chain against a second peer, which then shows its own beside it', () => {
    const rules = easyNetwork(1n << 80n)
    const long = new EasyChain(rules).grow(COMPARE_HEADERS)
    const harness = new AdapterHarness({ peers: 3, network: rules })
    harness.nowMs = long.time * 1000
    harness.step({ type: 'start' })
    for (const peer of [0, 1, 2]) greet(harness, peer)
    for (let at = 0; at < COMPARE_HEADERS; at += 2_000) harness.sayHeaders(long.after(at), 0)
    const [question] = harness.sent(1)
    expect(question?.type === 'getheaders' && question.locator[0]).toEqual(long.hashes.at(-1))
    expect(harness.sentTypes(2)).toEqual([])
    harness.sayHeaders(new EasyChain(rules, 1).grow(20).after(0), 1)
    const [own] = harness.sent(1)
    expect(own?.type === 'getheaders' && own.locator).toEqual([rules.genesis.hash])
    expect(harness.adapter.bestHeight).toBe(0)
  })

  it('does not ring again and again for a header that was early, while another peer runs', () => {
    const rules = easyNetwork(1n << 80n)
    const early = new EasyChain(rules).grow(2_000)
    const harness = new AdapterHarness({ peers: 2, network: rules })
    harness.nowMs = early.time * 1000 - 10_000_000
    harness.step({ type: 'start' })
    for (const peer of [0, 1]) greet(harness, peer)
    harness.sayHeaders(early.after(0), 0)
    expect(harness.sentTypes(1)).toEqual(['getheaders'])
    for (const pauseMs of [29_000, 29_000]) {
      harness.advance(pauseMs)
      harness.sayHeaders([early.headers[30] as BlockHeader], 1)
    }
    harness.nowMs += 2_000
    const [alarm] = harness.step({ type: 'alarm', name: ADAPTER_ALARM })
    expect(alarm?.type === 'alarm' && alarm.afterMs).toBeGreaterThan(0)
  })

  it('asks another when two questions were not answered', () => {
    const harness = three()
    for (const peer of [0, 1, 2]) greet(harness, peer)
    harness.advance(60_000)
    expect(harness.lastOffence()).toBe('timeout')
    expect(harness.sentTypes(1)).toEqual(['getheaders'])
  })
})
