/**
 * Where the log goes on when a whole subnet starts, and what each copy of it has to do first.
 * Source: threshold §18.4, restore of the subnet (c). Decides only; `restore.ts` acts.
 */
import type { Hash32 } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { present } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../../core/base/party.ts'
import type { StartRecord } from '../../core/log/slot-codec.ts'

/** The log as one node holds it. */
export type Copy = {
  readonly node: NodeIndex
  /** Slots that it holds: those below. */
  readonly length: bigint
  readonly starts: readonly StartRecord[]
  /** Of a slot that it holds; of slot −1 the genesis id. */
  readonly hashAt: (slot: bigint) => Hash32 | undefined
}

export type CopyPlan = {
  readonly node: NodeIndex
  /** Its own slots below stay; the others are dropped. */
  readonly keep: bigint
  /** Who holds the slots from `keep` on that it lacks; empty when it lacks none. */
  readonly sources: readonly NodeIndex[]
}

export type RestorePlan =
  | {
      readonly type: 'restore'
      /** Slots that stay: the log goes on at the slot of this number. */
      readonly length: bigint
      /** Hash of the last of them. */
      readonly previous: Hash32
      /** Of the time lines that the slots belong to. */
      readonly starts: readonly StartRecord[]
      /** Every copy of this subnet, ascending by node. */
      readonly copies: readonly CopyPlan[]
      /** Copies whose genesis is another one: of another subnet. */
      readonly foreign: readonly NodeIndex[]
    }
  | { readonly type: 'refused'; readonly reason: 'tooFew' | 'contradiction' }

/** `copies`: all that can be read, at most one a node, of a subnet of `nodes`. */
export function planRestore(copies: readonly Copy[], nodes: number): RestorePlan {
  const quorum = reconstructionThreshold(nodes)
  const supported = copies.map((copy) => ({ copy, length: supportedLength(copy, copies, quorum) }))
  const own = supported.filter(({ length }) => length >= 0n)
  const ordered = own.toSorted((a, b) => a.copy.node - b.copy.node)
  if (ordered.length < agreementQuorum(nodes)) return { type: 'refused', reason: 'tooFew' }
  for (const a of ordered)
    for (const b of ordered) {
      const least = a.length < b.length ? a.length : b.length
      if (commonLength(a.copy, b.copy) < least) return { type: 'refused', reason: 'contradiction' }
    }
  const [first, ...others] = ordered
  const { copy: best, length } = others.reduce(
    (a, b) => (b.length > a.length ? b : a),
    present(first, 'a quorum of copies has a first'),
  )
  const common = ordered.map(({ copy }) => ({ copy, length: commonLength(copy, best) }))
  const keepOf = (held: bigint): bigint => (held < length ? held : length)
  const holders = common.filter((other) => other.length >= length).map(({ copy }) => copy.node)
  return {
    type: 'restore',
    length,
    previous: present(best.hashAt(length - 1n), 'a copy has the slots that it is held to have'),
    starts: usedStarts(best.starts, length),
    copies: common.map(({ copy: { node }, length: held }) => ({
      node,
      keep: keepOf(held),
      sources: held < length ? holders : [],
    })),
    foreign: supported.filter((one) => !own.includes(one)).map(({ copy }) => copy.node),
  }
}

/** The longest part of a copy's log that `quorum` copies hold; −1 when not even its genesis. */
function supportedLength(copy: Copy, copies: readonly Copy[], quorum: number): bigint {
  const lengths = copies.map((other) => commonLength(copy, other))
  return lengths.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))[quorum - 1] ?? -1n
}

/**
 * Slots that two copies have in common, −1 for another genesis. Equal hashes mean equal logs below
 * (§17.7), so that it is found by halving.
 */
function commonLength(a: Copy, b: Copy): bigint {
  const isCommon = (length: bigint): boolean => {
    const [left, right] = [a.hashAt(length - 1n), b.hashAt(length - 1n)]
    return left !== undefined && right !== undefined && equalBytes(left, right)
  }
  let low = -1n
  let high = a.length < b.length ? a.length : b.length
  while (low < high) {
    const middle = high - (high - low) / 2n
    if (isCommon(middle)) low = middle
    else high = middle - 1n
  }
  return low
}

/**
 * A time line in which nothing was decided leaves no trace, as not every copy need know of it; that
 * of the genesis stays.
 */
const usedStarts = (starts: readonly StartRecord[], length: bigint): readonly StartRecord[] =>
  starts.filter(({ first }, i) => i === 0 || (first < length && first !== starts[i + 1]?.first))
