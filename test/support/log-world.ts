/** What the logs of a simulated subnet share: time line, signatures that anybody can check, the coin. */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { concat, equalBytes, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { reconstructionThreshold } from '../../src/core/base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../../src/core/base/random-oracle.ts'
import type { Coin, Toss } from '../../src/core/log/coin.ts'
import { lowestBit } from '../../src/core/log/coin.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import type { SlotDisk } from '../../src/core/log/log-io.ts'
import type { LogMessage } from '../../src/core/log/message.ts'
import { encodeLogMessage, votesContent } from '../../src/core/log/message.ts'
import { encodeSlot, slotHash } from '../../src/core/log/slot-codec.ts'
import type { Vote } from '../../src/core/log/vote.ts'
import { COIN_SHARE_SIZE } from '../../src/core/log/vote.ts'

export const INCARNATION = 7n
export const GENESIS = sha256(utf8('log-net'))

export const signAs = (node: NodeIndex, content: Uint8Array): Uint8Array =>
  concat(sha256(content), sha256(Uint8Array.of(node)))

export const verifyAs = (node: NodeIndex, content: Uint8Array, signature: Uint8Array): boolean =>
  equalBytes(signature, signAs(node, content))

/** The item that takes a node in anew (§18.4); signed, or liars could return for others. */
export function returnItem(node: NodeIndex, life: bigint): Uint8Array {
  const text = `return ${node} ${life}`
  return utf8(`${text} ${toHex(signAs(node, utf8(text)))}`)
}

/** Undefined for any other item, and where another one signed. */
function returnOf(
  item: Uint8Array,
): { readonly node: NodeIndex; readonly life: bigint } | undefined {
  const [, node, life] = /^return (\d+) (\d+) /.exec(String.fromCharCode(...item)) ?? []
  if (node === undefined || life === undefined) return undefined
  const said = { node: Number(node), life: BigInt(life) }
  return equalBytes(item, returnItem(said.node, said.life)) ? said : undefined
}

export const encoded = (message: LogMessage): Uint8Array => encodeLogMessage(INCARNATION, message)

/** Votes as their node signs and sends them. */
export function votesBytes(
  node: NodeIndex,
  slot: bigint,
  votes: readonly Vote[],
  life = 0n,
): Uint8Array {
  const signature = signAs(node, votesContent(GENESIS, { slot, life, votes }))
  return encoded({ type: 'votes', slot, life, votes, signature })
}

/** Behind the incarnation. */
const TAG_AT = 8
const NOTHING_HEARD = encoded({ type: 'heard', last: undefined })

/**
 * What a liar hears of a message: not what it has said itself, or it would take itself for a node
 * that has forgotten that.
 */
export const withoutOwnWord = (bytes: Uint8Array): Uint8Array =>
  bytes[TAG_AT] === NOTHING_HEARD[TAG_AT] ? NOTHING_HEARD : bytes

export type CoinOptions = {
  readonly nodes: number
  readonly seed: string
  /** From this slot on the coin needs shares. */
  readonly sharedFrom: bigint
}

/** A share, or with node = `nodes` what f + 1 of them make. */
const shareOf = (seed: string, node: number, { slot, instance, round }: Toss): Uint8Array =>
  oracleBytes(
    'test-coin-share',
    {
      node: integerInput(BigInt(node)),
      slot: integerInput(slot),
      instance: integerInput(BigInt(instance)),
      round: integerInput(BigInt(round)),
      seed: bytesInput(utf8(seed)),
    },
    COIN_SHARE_SIZE,
  )

/** Shares are hashes that anybody can check, and nobody tosses with fewer than f + 1 of them. */
export function coinOf(me: NodeIndex, { nodes, seed, sharedFrom }: CoinOptions): Coin {
  return {
    isShared: (slot) => slot >= sharedFrom,
    share: (toss) => shareOf(seed, me, toss),
    combine: (toss, shares) => {
      const blamed = [...shares]
        .filter(([node, share]) => !equalBytes(share, shareOf(seed, node, toss)))
        .map(([node]) => node)
      const isEnough = shares.size - blamed.length >= reconstructionThreshold(nodes)
      return { value: isEnough ? lowestBit(shareOf(seed, nodes, toss)) : undefined, blamed }
    },
  }
}

/** The delivered slots of one node: they survive it. */
export class MemorySlots implements SlotDisk {
  readonly slots: Slot[] = []
  readonly #contents: Uint8Array[] = []
  readonly #hashes: Hash32[] = []
  readonly #items = new Set<string>()
  readonly #returns: { readonly node: NodeIndex; readonly slot: bigint; readonly life: bigint }[] =
    []

  get position(): LogPosition {
    const next = BigInt(this.slots.length)
    return { next, previous: this.#hashes.at(-1) ?? GENESIS, time: this.slots.at(-1)?.time }
  }

  append(slot: Slot): void {
    const content = encodeSlot({ incarnation: INCARNATION, slot })
    this.#hashes.push(slotHash(this.position.previous, content))
    this.#contents.push(content)
    this.slots.push(slot)
    for (const item of slot.items) {
      this.#items.add(item.join())
      const back = returnOf(item)
      if (back !== undefined) this.#returns.push({ ...back, slot: slot.number })
    }
  }

  /** The life of a node in a slot: the newest that it returned with before. */
  lifeOf(node: NodeIndex, slot: bigint): bigint {
    const before = this.#returns.filter((one) => one.node === node && one.slot < slot)
    return before.at(-1)?.life ?? 0n
  }

  /** An older copy of it. */
  upTo(count: number): MemorySlots {
    const copy = new MemorySlots()
    for (const slot of this.slots.slice(0, count)) copy.append(slot)
    return copy
  }

  has(item: Uint8Array): boolean {
    return this.#items.has(item.join())
  }

  contentAt(slot: bigint): Uint8Array | undefined {
    return this.#contents[Number(slot)]
  }

  hashAt(slot: bigint): Hash32 | undefined {
    return this.#hashes[Number(slot)]
  }
}
