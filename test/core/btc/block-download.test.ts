/**
 * Goal: blocks come as fast as peers give them, from many peers, in bounded memory, and no peer can
 * hold them up. Method: the list of wanted blocks by itself, with a clock that only the test moves.
 */
import { describe, expect, it } from 'vitest'
import type { BlockHash } from '../../../src/core/base/bytes.ts'
import { hash32, u32be } from '../../../src/core/base/bytes.ts'
import { sha256d } from '../../../src/core/base/hash.ts'
import type { BlockPeer } from '../../../src/core/btc/block-download.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_WITHIN_MS,
  BlockDownload,
  IN_FLIGHT_MAX,
  LACKING_MS,
  SECOND_PEER_MS,
  STALL_FIRST_MS,
  UNDELIVERED_BYTES_MAX,
  WINDOW_MAX,
} from '../../../src/core/btc/block-download.ts'

const hashes = Array.from({ length: 1_200 }, (_, i) => hash32(sha256d(u32be(i))))
const hashOf = (i: number): BlockHash => hashes[i] ?? hash32(new Uint8Array(32))
const numberOf = new Map(hashes.map((hash, i) => [hash, i]))

const anyBlock = (): boolean => true
const peers = (...list: readonly number[]): readonly BlockPeer[] =>
  list.map((peer) => ({ peer, has: anyBlock }))

/** Numbers of the blocks that are asked of each peer, at this time. */
function ask(download: BlockDownload, of: readonly BlockPeer[], nowMs = 0) {
  const requests = download.assign(of, nowMs, anyBlock)
  const asked: Record<number, number[]> = {}
  for (const { peer, hashes: list } of requests)
    asked[peer] = [...(asked[peer] ?? []), ...list.map((hash) => numberOf.get(hash) ?? -1)]
  return asked
}

function deliver(download: BlockDownload, i: number, peer: number, bytes = 1_000, nowMs = 0): void {
  expect(download.answered(hashOf(i), peer)).toBe(true)
  download.delivered(hashOf(i), bytes, nowMs)
}

/** One small block has come from peer 0: more are expected. */
function begun(count: number): BlockDownload {
  const download = new BlockDownload()
  download.want([hashOf(1_199)])
  ask(download, peers(0))
  deliver(download, 1_199, 0)
  download.want(hashes.slice(0, count))
  return download
}

describe('limits (BD-2)', () => {
  it('each peer has sixteen in flight, at most eight in one message', () => {
    const download = begun(100)
    const requests = download.assign(peers(0, 1), 0, anyBlock)
    expect(requests.map(({ peer, hashes: { length } }) => [peer, length])).toEqual([
      [0, 8],
      [0, 8],
      [1, 8],
      [1, 8],
    ])
    expect(ask(download, peers(0, 1))).toEqual({})
  })

  it('nothing is asked for beyond the window, however many peers are idle', () => {
    const download = begun(hashes.length)
    const many = peers(...Array.from({ length: 80 }, (_, i) => i))
    const asked = Object.values(ask(download, many)).flat()
    expect(asked.length).toBe(WINDOW_MAX)
    expect(Math.max(...asked)).toBe(WINDOW_MAX - 1)
    download.want(hashes.slice(1))
    expect(Object.values(ask(download, many)).flat()).toEqual([WINDOW_MAX])
  })

  it('as long as no block has come, each may be of the greatest size', () => {
    const download = new BlockDownload()
    download.want(hashes)
    const asked = Object.values(ask(download, peers(0, 1, 2))).flat()
    expect(asked.length).toBe(Math.ceil(UNDELIVERED_BYTES_MAX / BLOCK_BYTES_MAX))
  })

  it('64 MiB that were handed on and not taken stop the asking; taken, it goes on', () => {
    const download = begun(hashes.length)
    ask(download, peers(0))
    const mebibytes = 2 ** 20
    for (let i = 0; i < IN_FLIGHT_MAX; i++) deliver(download, i, 0, 4 * mebibytes)
    expect(ask(download, peers(0))).toEqual({})
    download.want(hashes.slice(4))
    expect(ask(download, peers(0))[0]?.length).toBe(4)
  })
})

describe('deadlines (BD-3)', () => {
  it('grow with the size that is expected', () => {
    const small = begun(1)
    ask(small, peers(0))
    expect(small.deadlineMs).toBe(BLOCK_WITHIN_MS + Math.ceil(1_000_000 / 65_536))
    const large = new BlockDownload()
    large.want(hashes.slice(0, 1))
    ask(large, peers(0))
    expect(large.deadlineMs).toBe(BLOCK_WITHIN_MS + Math.ceil((1_000 * BLOCK_BYTES_MAX) / 65_536))
  })

  it('missed, the block is asked of another; missed twice in a row, the peer is named', () => {
    const download = begun(1)
    ask(download, peers(0))
    const first = download.deadlineMs
    expect(download.expire(first)).toEqual([])
    expect(ask(download, peers(0, 1), first)).toEqual({ 1: [0] })
    const alone = begun(1)
    for (const expected of [[], [{ peer: 0, reason: 'blocks come too late' }]]) {
      const nowMs = alone.deadlineMs === Number.POSITIVE_INFINITY ? 0 : alone.deadlineMs
      ask(alone, peers(0), nowMs)
      expect(alone.expire(alone.deadlineMs)).toEqual(expected)
    }
  })
})

describe('stalling (BD-3)', () => {
  /** A full window of which peer 0 owes the first block; all that peers 1 to 79 owed has come. */
  function stalled() {
    const download = begun(hashes.length)
    const many = peers(...Array.from({ length: 80 }, (_, i) => i))
    const asked = ask(download, many)
    for (const [peer, list] of Object.entries(asked))
      if (peer !== '0') for (const i of list) deliver(download, i, Number(peer))
    ask(download, many)
    return { download, many }
  }

  it('the peer that holds up a full window is named after two seconds', () => {
    const { download } = stalled()
    expect(download.expire(STALL_FIRST_MS - 1)).toEqual([])
    expect(download.deadlineMs).toBe(STALL_FIRST_MS)
    expect(download.expire(STALL_FIRST_MS)).toEqual([
      { peer: 0, reason: 'it holds up all other blocks' },
    ])
  })

  it('the time doubles with each peer that it costs', () => {
    const { download, many } = stalled()
    let left = many
    let nowMs = 0
    const waits = [1, 2, 3, 4].map(() => {
      const sinceMs = nowMs
      let late = download.expire(nowMs)
      while (late.length === 0) {
        nowMs += 500
        late = download.expire(nowMs)
      }
      left = left.filter(({ peer }) => peer !== late[0]?.peer)
      download.forget(late[0]?.peer ?? -1)
      ask(download, left, nowMs)
      return nowMs - sinceMs
    })
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000])
  })

  it('nobody stalls while no other peer is idle, or the window is not full', () => {
    const download = begun(20)
    ask(download, peers(0, 1))
    expect(download.expire(STALL_FIRST_MS)).toEqual([])
    const alone = begun(hashes.length)
    ask(alone, peers(0))
    expect(alone.expire(STALL_FIRST_MS)).toEqual([])
  })
})

describe('who is asked', () => {
  it('the first announcer, and after five seconds a second peer (BD-7)', () => {
    const download = begun(1)
    download.announced(hashOf(0), 2)
    expect(ask(download, peers(0, 1, 2))).toEqual({ 2: [0] })
    expect(download.deadlineMs).toBe(SECOND_PEER_MS)
    expect(ask(download, peers(0, 1, 2), SECOND_PEER_MS - 1)).toEqual({})
    expect(ask(download, peers(0, 1, 2), SECOND_PEER_MS)).toEqual({ 0: [0] })
    expect(ask(download, peers(0, 1, 2), 3 * SECOND_PEER_MS)).toEqual({})
    // What comes later is dropped, and what does not come is a miss all the same.
    deliver(download, 0, 0)
    expect(download.answered(hashOf(0), 2)).toBe(false)
    const other = begun(2)
    ask(other, peers(0))
    ask(other, peers(0, 1), SECOND_PEER_MS)
    for (const i of [0, 1]) deliver(other, i, 1, 1_000, SECOND_PEER_MS)
    expect(other.expire(BLOCK_WITHIN_MS + 16_000)).toEqual([
      { peer: 0, reason: 'blocks come too late' },
    ])
  })

  it('a peer that has the block rather than one that has not; if none has, any', () => {
    const download = begun(1)
    const lacking = { peer: 0, has: () => false }
    expect(ask(download, [lacking, ...peers(1)])).toEqual({ 1: [0] })
    const other = begun(1)
    expect(ask(other, [lacking])).toEqual({ 0: [0] })
  })

  it('not again for ten minutes a peer that has said notfound (BD-6)', () => {
    const download = begun(1)
    ask(download, peers(0))
    download.refused(hashOf(0), 0, 0)
    expect(ask(download, peers(0))).toEqual({})
    expect(ask(download, peers(0, 1))).toEqual({ 1: [0] })
    download.forget(1)
    ask(download, peers(0))
    expect(download.deadlineMs).toBe(LACKING_MS)
    download.expire(LACKING_MS - 1)
    expect(ask(download, peers(0), LACKING_MS - 1)).toEqual({})
    download.expire(LACKING_MS)
    expect(ask(download, peers(0), LACKING_MS)).toEqual({ 0: [0] })
  })

  it('only for blocks whose header is good (BD-1)', () => {
    const download = begun(2)
    const requests = download.assign(peers(0), 0, (hash) => hash !== hashOf(0))
    expect(requests).toEqual([{ peer: 0, hashes: [hashOf(1)] }])
  })
})
