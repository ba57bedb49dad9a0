/**
 * Goal: a chain is kept only if it has shown its work before, and until then it costs next to
 * nothing. Method: chains of real headers with a small period and buffer, told honestly and falsely.
 */
import { describe, expect, it, test } from 'vitest'
import { equalBytes, hash32 } from '../../../src/core/base/bytes.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { bitsOfTarget, mayChangeBits, targetOfBits } from '../../../src/core/btc/header.ts'
import type { PresyncOptions, PresyncStep } from '../../../src/core/btc/header-presync.ts'
import { HeaderPresync } from '../../../src/core/btc/header-presync.ts'
import { bestHeader, newHeaderTree } from '../../../src/core/btc/header-tree.ts'
import { mainnet, testnet4 } from '../../../src/core/btc/network.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

const network = easyNetwork()
const LENGTH = 400
const BATCH = 50
const chain = new EasyChain(network).grow(LENGTH)
/** Two hashes a block, genesis too: the chain reaches it with its 300th block. */
const THRESHOLD = 2n * 301n

function presync(options: Partial<PresyncOptions> = {}): HeaderPresync {
  return new HeaderPresync({
    network,
    start: bestHeader(newHeaderTree(network)),
    startTime: network.genesis.time,
    nowSeconds: chain.time,
    threshold: THRESHOLD,
    salt: Uint8Array.of(1, 2, 3),
    period: 4,
    buffer: 96,
    ...options,
  })
}

const say = (reader: HeaderPresync, headers: readonly BlockHeader[], isFull = true): PresyncStep =>
  reader.receive(
    headers.map((header) => ({ header, hash: headerHash(header) })),
    isFull,
  )

/** What comes of a pass over headers in batches: proven ones, and the step that ended it. */
function pass(reader: HeaderPresync, headers: readonly BlockHeader[]) {
  const proven: BlockHeader[] = []
  const { isSecondPass } = reader
  for (let at = 0; ; at += BATCH) {
    const part = headers.slice(at, at + BATCH)
    const step = say(reader, part, at + BATCH < headers.length)
    if (step.type === 'more' || step.type === 'done')
      proven.push(...step.proven.map(({ header }) => header))
    const isOver = step.type !== 'more' || reader.isSecondPass !== isSecondPass
    if (isOver) return { proven, step }
  }
}

/** The reader after an honest first pass. */
function shown(options: Partial<PresyncOptions> = {}): HeaderPresync {
  const reader = presync(options)
  pass(reader, chain.after(0))
  expect(reader.isSecondPass).toBe(true)
  return reader
}

/** The header, one second later, with work: what would follow it does not fit any more. */
function otherwise(header: BlockHeader): BlockHeader {
  const target = targetOfBits(header.bits, network) ?? 0n
  for (let nonce = 0; ; nonce++) {
    const made = { ...header, time: header.time + 1, nonce }
    if (
      BigInt(
        `0x${[...headerHash(made)]
          .reverse()
          .map((b) => b.toString(16).padStart(2, '0'))
          .join('')}`,
      ) <= target
    )
      return made
  }
}

describe('an honest chain (HDR-13)', () => {
  it('leaves one bit in each period at first, and is handed on whole at last', () => {
    const reader = presync()
    const first = pass(reader, chain.after(0))
    expect(first).toEqual({ proven: [], step: { type: 'more', proven: [] } })
    expect(reader.remembered).toBe(300 / 4)
    expect(equalBytes(reader.last, network.genesis.hash)).toBe(true)
    const second = pass(reader, chain.after(0))
    expect(second.step.type).toBe('done')
    // The batch that reaches the work is handed on to its end.
    expect(second.proven).toEqual(chain.after(0, 300))
  })

  it('is handed on as it comes, but for the newest headers of the buffer', () => {
    const reader = shown()
    const step = say(reader, chain.after(0, 150))
    expect(step.type === 'more' && step.proven.map(({ header }) => header)).toEqual(
      chain.after(0, 150 - 96),
    )
  })

  it('may begin at any header that is known', () => {
    const start = { hash: chain.hashes[100], height: 100, work: 202n, header: chain.headers[100] }
    const known = start as PresyncOptions['start']
    const reader = presync({ start: known })
    pass(reader, chain.after(100))
    expect(pass(reader, chain.after(100)).proven.length).toBe(200)
  })

  it('that ends below the work is given up, with nothing held against it', () => {
    const { step } = pass(presync(), chain.after(0, 299))
    expect(step).toEqual({ type: 'given up', reason: 'its chain has too little work' })
    expect(pass(presync(), chain.after(0, 300)).step.type).toBe('more')
  })
})

describe('another chain the second time', () => {
  const fork = (height: number) => new EasyChain(network, 1, chain, height).grow(LENGTH - height)
  const nothing = ['other from the start', fork(0), 0] as const
  test.each([
    nothing,
    ['other from below the buffer', fork(120), 120 - 96 + BATCH],
    ['other just below the work', fork(280), 280 - 96 + BATCH],
  ] as const)('%s is given up before any of it is handed on', (_, said, provenMax) => {
    const { proven, step } = pass(shown(), said.after(0))
    expect(step).toEqual({ type: 'given up', reason: 'other headers than at first' })
    expect(proven.length).toBeLessThanOrEqual(provenMax)
    expect(proven).toEqual(chain.after(0, proven.length))
  })

  it('that is shorter is given up', () => {
    const { step } = pass(shown(), chain.after(0, 299))
    expect(step).toEqual({ type: 'given up', reason: 'fewer headers than at first' })
  })

  it('is not seen through by who knows the period, without the salt', () => {
    const salts = Array.from({ length: 16 }, (_, i) => Uint8Array.of(i))
    const counts = salts.map((salt) => {
      const reader = presync({ salt, period: 64 })
      say(reader, chain.after(0, 32))
      return reader.remembered
    })
    // Half a period leaves a bit or none: its place is not the same for all.
    expect(new Set(counts)).toEqual(new Set([0, 1]))
  })
})

describe('every header of both passes', () => {
  const parts = chain.after(0, 20)
  const change = (at: number, made: BlockHeader): readonly BlockHeader[] => parts.with(at, made)
  const spoiled = (at: number, part: Partial<BlockHeader>) =>
    change(at, { ...(parts[at] as BlockHeader), ...part })
  const weak = Array.from({ length: 64 }, (_, nonce) => spoiled(19, { nonce })).find(
    (headers) => (headerHash(headers[19] as BlockHeader)[31] ?? 0) >= 0x80,
  ) as readonly BlockHeader[]

  describe.each([
    ['first', () => presync()],
    ['second', () => shown()],
  ])('of the %s', (_, reader) => {
    it.each<[string, readonly BlockHeader[], object]>([
      ['has work', weak, { type: 'invalid', reason: 'high-hash' }],
      [
        'keeps its bits inside a period',
        spoiled(7, { bits: 0x207ffffe }),
        { type: 'invalid', reason: 'bad-diffbits' },
      ],
      [
        'builds on the one before',
        change(7, otherwise(parts[7] as BlockHeader)),
        { type: 'given up', reason: 'its headers do not go on where they ended' },
      ],
      [
        'is not from the future',
        change(19, { ...otherwise({ ...(parts[19] as BlockHeader), time: chain.time + 7_200 }) }),
        { type: 'early', time: chain.time + 7_201 },
      ],
    ])('%s', (_name, headers, step) => {
      expect(say(reader(), headers)).toEqual(step)
    })

    it('passes as it is', () => {
      expect(say(reader(), parts).type).toBe('more')
    })
  })

  it('a header without a bit of its own is held to its work and its links alone', () => {
    // Whoever alters it must alter all above it, and those leave bits.
    expect(
      say(shown({ buffer: 0, period: 1 }), change(0, otherwise(parts[0] as BlockHeader))),
    ).toEqual({ type: 'given up', reason: 'other headers than at first' })
  })
})

describe('memory (HDR-13)', () => {
  it('ends where more headers come than there was time for', () => {
    // The bound is 6 headers a second: 7,200 s ahead of the clock make 43,200 headers, 43 bits.
    const reader = presync({
      nowSeconds: network.genesis.time,
      period: 1_000,
      threshold: 1n << 200n,
    })
    let previous = chain.hashes[0] as Uint8Array
    let step: PresyncStep = { type: 'more', proven: [] }
    let read = 0
    while (step.type === 'more' && read < 60_000) {
      // Hashes are taken from their caller, so these headers need not be mined.
      const headers = Array.from({ length: 2_000 }, (_, i) => {
        const hash = new Uint8Array(32)
        new DataView(hash.buffer).setUint32(0, ++read)
        const header = { ...(chain.headers[1] as BlockHeader), previous: hash32(previous) }
        previous = hash
        return { header: { ...header, time: network.genesis.time + i }, hash: hash32(hash) }
      })
      step = reader.receive(headers, true)
    }
    expect(step).toEqual({ type: 'given up', reason: 'more headers than there was time for' })
    expect(reader.remembered).toBe(44)
    expect(read).toBe(46_000)
  })
})

describe('bits without times', () => {
  const at = (from: number, to: number, height = 2016) =>
    mayChangeBits({ network: mainnet, height, from, to })
  const base = 0x1b0404cb
  const scaled = (by: bigint, over: bigint) =>
    bitsOfTarget(((targetOfBits(base, mainnet) ?? 0n) * by) / over)

  it('stay inside a period', () => {
    expect([at(base, base, 2017), at(base, base + 1, 2017)]).toEqual([true, false])
  })

  it('change by a factor of four at most where a period begins', () => {
    const [easiest, hardest] = [scaled(4n, 1n), scaled(1n, 4n)]
    expect([easiest, easiest + 1].map((to) => at(base, to))).toEqual([true, false])
    expect([hardest, hardest - 1].map((to) => at(base, to))).toEqual([true, false])
  })

  it('never pass the limit', () => {
    expect([0x1d00ffff, 0x1d010000].map((to) => at(0x1d00ffff, to))).toEqual([true, false])
  })

  it('may be anything where blocks of the lowest difficulty come in between', () => {
    const change = { network: testnet4, height: 2017, from: base, to: 0x1d00ffff }
    expect(mayChangeBits(change)).toBe(true)
  })
})
