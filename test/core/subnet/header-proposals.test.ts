/** Goal: a chain of any length gets into the log, no faster than the others can take it. */
import { describe, expect, it } from 'vitest'
import { fromBigEndian, toHex, u32be } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs } from '../../../src/core/base/units.ts'
import { HeaderProposals } from '../../../src/core/subnet/header-proposals.ts'
import { HEADERS_MAX } from '../../../src/core/subnet/items.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'

const { genesis, keys } = foundSubnet(4)
const START = genesis.createdAt

const header = (name: number): Uint8Array => {
  const bytes = new Uint8Array(80)
  bytes.set(u32be(name))
  return bytes
}
const headers = (from: number, count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, i) => header(from + i))

/** Numbers compare faster than bytes. */
const names = (list: readonly Uint8Array[]): readonly number[] =>
  list.map((bytes) => Number(fromBigEndian(bytes.subarray(0, 4))))
const range = (from: number, count: number): readonly number[] => names(headers(from, count))

class Proposer {
  readonly known = new Set<string>()
  readonly #proposals = new HeaderProposals({
    genesis,
    keys: present(keys[0], 'a node'),
    me: 0,
    ed25519: nativeEd25519,
  })
  #knows = (bytes: Uint8Array): boolean => this.known.has(toHex(bytes))

  see(seen: readonly Uint8Array[], now: TimestampNs = START) {
    return names(this.#proposals.propose(seen, this.#knows, now)?.headers ?? [])
  }
  slot(now: TimestampNs = START) {
    return names(this.#proposals.goOn(this.#knows, now)?.headers ?? [])
  }
  accept(accepted: readonly Uint8Array[]): void {
    for (const bytes of accepted) this.known.add(toHex(bytes))
  }
}

describe('headers', () => {
  it('are proposed at once while they are few, and once', () => {
    const proposer = new Proposer()
    expect(proposer.see(headers(0, 3))).toEqual(range(0, 3))
    expect(proposer.see(headers(0, 4))).toEqual(range(3, 1))
    expect(proposer.slot()).toEqual([])
    expect(proposer.see([])).toEqual([])
  })

  it('that are accepted already are not', () => {
    const proposer = new Proposer()
    proposer.accept(headers(0, 2))
    expect(proposer.see(headers(0, 3))).toEqual(range(2, 1))
  })

  it('of a long chain go on when those before them are accepted', () => {
    const proposer = new Proposer()
    const chain = headers(0, 2 * HEADERS_MAX + 15)
    expect(proposer.see(chain)).toEqual(range(0, HEADERS_MAX))
    expect(proposer.slot()).toEqual([])
    proposer.accept(headers(0, HEADERS_MAX))
    // Others have said meanwhile some of what comes next.
    proposer.accept(headers(HEADERS_MAX, 10))
    expect(proposer.slot()).toEqual(range(HEADERS_MAX + 10, HEADERS_MAX))
    expect(proposer.see(headers(9_000, 1))).toEqual([])
    proposer.accept(chain)
    expect(proposer.slot()).toEqual(range(9_000, 1))
  })

  it('go on after a minute, too, for nobody else may have seen what was proposed', () => {
    const proposer = new Proposer()
    proposer.see(headers(0, HEADERS_MAX + 5))
    expect(proposer.slot(addNs(START, 60_000_000_000n))).toEqual([])
    expect(proposer.slot(addNs(START, 60_000_000_001n))).toEqual(range(HEADERS_MAX, 5))
  })
})
