/**
 * Goal: whatever happens to the nodes, a presignature serves one request under one nonce, and no
 * node contradicts what an earlier life of it said.
 * Method: threshold specification §§18.3, 18.4, 22.7. Whole signers over the sequencer. Requests,
 * stops, starts and restores come as a seed draws them; and nodes are killed at each of their durable
 * writes and sends. Each life of the subnet has the same tape key.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { encodePoint } from '../../src/core/base/group.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { evaluateAt } from '../../src/core/tecdsa/commitment.ts'
import { decodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import { decodeFinalKeys } from '../../src/core/tecdsa/key-record.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { SignerOutput } from '../../src/core/tecdsa/signer-context.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectValid, isDone, request } from '../support/signer-story.ts'

const NODES = 4

/** A relation that must be a function: what it would give a second value for. */
class Functional {
  readonly #values = new Map<string, string>()
  readonly contradictions: string[] = []

  say(argument: string, value: string): void {
    const before = this.#values.get(argument)
    if (before === undefined) this.#values.set(argument, value)
    else if (before !== value) this.contradictions.push(argument)
  }

  get values(): readonly string[] {
    return [...this.#values.values()]
  }

  get size(): number {
    return this.#values.size
  }
}

/** Everything that nodes say for ever, of all lives of a subnet. */
class Witness {
  /** One dealing of a (life, transcript, dealer); one dealing vouched for of each by each node. */
  readonly said = new Functional()
  /** (life, presignature) → request and nonce, as nodes have it on record. */
  readonly pairings = new Functional()
  /** Point that hides a coefficient of a dealing → the dealing it is in. */
  readonly points = new Functional()
  readonly #dealings = new Map<string, string>()

  /** Sees what leaves the nodes of one life. */
  attend(net: SignerNet): void {
    const life = net.genesis.incarnation
    net.watch = (message) => this.#hear(life, message)
  }

  #hear(life: bigint, message: SignerMessage & { readonly from: number }): void {
    const { from } = message
    if (message.type === 'dealing') {
      const { transcriptId, dealer, hash, dealing } = message.signed
      const name = `${life}/${message.lane}/${transcriptId}/${dealer}`
      this.said.say(`dealing ${name}`, toHex(hash))
      this.#dealings.set(toHex(hash), name)
      if (message.lane === 'ecdsa') this.#note(name, dealing)
    }
    if (message.type === 'support')
      for (const hash of message.support.hashes)
        this.said.say(`support ${from} ${this.#dealings.get(toHex(hash))}`, toHex(hash))
    if (message.type === 'share')
      this.said.say(`share ${from} ${life}/${toHex(message.requestId)}`, toHex(message.share))
  }

  #note(name: string, bytes: Uint8Array): void {
    const { commitment } = decodeDealing(suites.ecdsa, bytes)
    for (const [k, point] of commitment.points.entries())
      this.points.say(toHex(encodePoint(suites.ecdsa.group, point)), `${name}/${k}`)
  }

  /** Reads the records of a life, which begin with its number. */
  read(net: SignerNet): void {
    for (const records of net.records)
      for (const [key, value] of records)
        if (key.includes('/pairing/')) this.pairings.say(key, toHex(value))
  }
}

describe('with nodes killed at each durable write and each send', () => {
  const VICTIMS = [1, 2]

  /** What a node dies of, once: all that it does by itself for the keys that sign requests. */
  const nameOf = (node: number, output: SignerOutput): string | undefined => {
    switch (output.type) {
      case 'record':
        return /\/(?:bls|tape)\//.test(output.key) ? undefined : `${node} record ${output.key}`
      case 'submit':
        if (output.item.type === 'dealing' && output.item.lane !== 'ecdsa') return undefined
        return `${node} ${output.item.type} in the log ${toHex(output.item.bytes)}`
      case 'send': {
        const { to, message } = output
        if (to !== 'all' || message.type === 'resend') return undefined
        if ('lane' in message && message.lane !== 'ecdsa') return undefined
        return `${node} ${message.type} ${toHex(encodeSignerMessage(message))}`
      }
      default:
        return undefined
    }
  }

  it('§22.7 killed: no node contradicts its dealings, supports and shares, and requests are signed', () => {
    const witness = new Witness()
    const deaths = new Set<string>()
    const net = new SignerNet({
      nodes: NODES,
      stockTarget: 0,
      // Those of the victims are needed: without them the others are done while they are down.
      tamper: (from, _, message) =>
        message.type === 'share' && !VICTIMS.includes(from) ? undefined : message,
      build: (built) => {
        witness.attend(built)
        built.crash = (node, output) => {
          const name = VICTIMS.includes(node) ? nameOf(node, output) : undefined
          if (name === undefined || deaths.has(name)) return undefined
          deaths.add(name)
          // Before a record is after what came ahead of it, and before a send after its record.
          return output.type === 'record' ? 'after' : deaths.size % 2 === 0 ? 'before' : 'after'
        }
      },
    })
    net.settle()
    const asked = request('one')
    net.ask(asked)
    net.settle()
    expectValid(net, asked)
    witness.read(net)
    expect(witness.said.contradictions).toEqual([])
    expect(witness.pairings.contradictions).toEqual([])
    expect(net.faults).toEqual([])
    // They have died of everything there is.
    const kinds = ['record', 'dealing', 'support', 'share', 'dealing in the log']
    for (const kind of VICTIMS.flatMap((node) => kinds.map((each) => `${node} ${each} `)))
      expect(
        [...deaths].filter((name) => name.startsWith(kind)),
        kind,
      ).not.toEqual([])
  })
})

/** Numbers below 256 that follow from a seed. */
class Chance {
  readonly #generator
  constructor(seed: number) {
    this.#generator = Seed.fromBytes(Uint8Array.of(seed, 1)).generator()
  }
  below(bound: number): number {
    return (this.#generator.bytes(1)[0] ?? 0) % bound
  }
}

/** One life: what a seed draws of requests, stops and starts; it may end in the middle of anything. */
class Life {
  readonly net: SignerNet
  readonly asked: SigningRequest[] = []
  readonly #chance: Chance
  readonly #refreshes: boolean
  #down: number | undefined

  constructor(net: SignerNet, chance: Chance, refreshes: boolean) {
    this.net = net
    this.#chance = chance
    this.#refreshes = refreshes
  }

  act(name: string): void {
    const steps = this.#chance.below(200)
    const choice = this.#chance.below(this.#refreshes ? 6 : 4)
    if (choice > 3) this.net.refresh()
    else if (choice < 2) this.#ask(name)
    else if (this.#down === undefined) this.#stop()
    else this.#start(this.#down)
    const target = this.net.wire.length + steps
    this.net.run(() => this.net.wire.length >= target)
  }

  /** The same content again, now and then: it is another request all the same. */
  #ask(name: string): void {
    const before = this.asked.at(-1)
    const fresh = request(name)
    const again = before !== undefined && this.#chance.below(2) === 0
    const asked = again ? { ...before, id: fresh.id } : fresh
    this.asked.push(asked)
    this.net.ask(asked)
  }

  #stop(): void {
    this.#down = this.#chance.below(NODES)
    this.net.stop(this.#down)
  }

  #start(node: number): void {
    this.net.start(node)
    this.#down = undefined
  }

  end(): void {
    if (this.#down !== undefined) this.#start(this.#down)
    this.net.settle()
  }
}

const { SEED } = process.env
// One of them takes half a minute; `SEED` plays others.
const seeds = [Number(SEED ?? 1)]
const LIVES = 3
const ACTS = 6

/** Points of the shares of keys: a dealer that hands its share on shows this one each time (§7). */
function handedOn({ genesis }: SignerNet, keys: Uint8Array): readonly string[] {
  const { ecdsa } = decodeFinalKeys({ suites, genesis, ed25519: nativeEd25519 }, keys)
  const { group } = suites.ecdsa
  return [...ecdsa.values()].flatMap(({ transcript }) =>
    Array.from({ length: NODES }, (_, node) => {
      const { commitment } = present(transcript, 'a kept key is final')
      return toHex(encodePoint(group, evaluateAt(group, commitment, node)))
    }),
  )
}

/** What a node had on disk when it kept its keys. */
type Copy = {
  readonly keys: Uint8Array
  readonly records: readonly ReadonlyMap<string, Uint8Array>[]
}

describe('requests, crashes, restarts and restores at random', () => {
  it.each(seeds)('§22.7 function: a presignature has one request and one ω (seed %i)', (seed) =>
    live(seed, false),
  )

  it.each(seeds)('§22.7 refreshed: nor has it more with refreshes among them (seed %i)', (seed) =>
    live(seed, true),
  )

  function live(seed: number, refreshes: boolean): void {
    const chance = new Chance(seed)
    const witness = new Witness()
    const noncePoints = new Functional()
    /** Kept keys of all lives so far: any of them may be what is restored. */
    const copies: Copy[] = []
    const known = new Set<string>()
    let newest = 0n
    for (let life = 1; life <= LIVES; life++) {
      const restored = copies[chance.below(Math.max(copies.length, 1))]
      const net = new SignerNet({
        nodes: NODES,
        incarnation: BigInt(life),
        build: (built) => witness.attend(built),
        ...(restored && { restored: restored.keys, records: restored.records }),
      })
      const story = new Life(net, chance, refreshes)
      for (let act = 0; act < ACTS; act++) {
        story.act(`${life}/${act}`)
        const { finalKeys: keys, epoch } = net.signer([0, 1, 2, 3].find((i) => net.isUp(i)) ?? 0)
        const records = net.records.map((own) => new Map(own))
        if (keys !== undefined) {
          copies.push({ keys, records })
          for (const point of handedOn(net, keys)) known.add(point)
        }
        if (epoch.version > newest) newest = epoch.version
      }
      // Every second life ends as it is, in the middle of what it does.
      if (life % 2 === 0) {
        story.end()
        for (const asked of story.asked) expect(isDone(net, asked)).toBe(true)
      }
      for (const { requestId, signature } of net.completed)
        noncePoints.say(toHex(signature.slice(0, 32)), `${life}/${toHex(requestId)}`)
      witness.read(net)
      expect(net.faults).toEqual([])
    }
    expect(witness.pairings.contradictions).toEqual([])
    expect(witness.said.contradictions).toEqual([])
    expect(witness.points.contradictions.filter((point) => !known.has(point))).toEqual([])
    expect(noncePoints.contradictions).toEqual([])
    // And the other way round: a request and its ω come from one presignature.
    expect(new Set(witness.pairings.values).size).toBe(witness.pairings.size)
    expect(noncePoints.size).toBeGreaterThan(3)
    expect(newest > 1n).toBe(refreshes)
  }
})
