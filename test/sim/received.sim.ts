/**
 * Goal: what f nodes receive holds no share, seed or key of another node.
 * Method: threshold specification §22.6. Four nodes make their keys and a signature. Everything that
 * one of them receives is kept: messages, items of the log, signatures. Then the secrets of the other
 * three are computed, with their own keys, which no program but a test may do: seeds and keys, their
 * shares of every dealing, the polynomials of their dealings, and their shares of every transcript
 * that these dealings can make. None of them is in what was kept, byte for byte; what is public is.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { bigEndian, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { mod } from '../../src/core/base/group.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { expandMessage } from '../../src/core/base/random-oracle.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { openDealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing } from '../../src/core/tecdsa/evidence.ts'
import { lagrangeScalars } from '../../src/core/tecdsa/lagrange.ts'
import { subnetIdOf } from '../../src/core/tecdsa/membership.ts'
import type { Lane, SignerMessage } from '../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeSignatureShare } from '../../src/core/tecdsa/object-codec.ts'
import { member } from '../../src/core/tecdsa/parameters.ts'
import { sourceHeight } from '../../src/core/tecdsa/run-ledger.ts'
import { unseal } from '../../src/core/tecdsa/secret.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectValid, request } from '../support/signer-story.ts'

const NODES = 4
const CORRUPT = 3
const HONEST = [0, 1, 2]
const SEED = 'received'
const SLOTS_TRIED = 60

type Secrets = { readonly of: string; readonly bytes: Uint8Array }

/** All that reaches the corrupt node, in one piece. */
class Received {
  readonly #parts: Uint8Array[] = []
  #whole: Buffer | undefined

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#whole = undefined
  }

  has(bytes: Uint8Array): boolean {
    this.#whole ??= Buffer.concat(this.#parts)
    const [big, little] = [Buffer.from(bytes), Buffer.from(bytes.toReversed())]
    return this.#whole.includes(big) || this.#whole.includes(little)
  }

  get size(): number {
    return this.#parts.reduce((sum, { length }) => sum + length, 0)
  }
}

/** What every receiver got of one dealing: value, and mask if it is masked. */
type Opened = {
  readonly dealer: NodeIndex
  readonly order: bigint
  readonly shares: readonly (readonly bigint[])[]
}

/** Opens a dealing for all, in the slot that opened its transcript. */
function openAll<P>(net: SignerNet, suite: Suite<P>, signed: SignedDealing): Opened {
  const { membership, incarnation } = net.genesis
  const members = membership.members.map(({ id, encryptionKey }) =>
    member(suite, id, encryptionKey),
  )
  const dealing = decodeDealing(suite, signed.dealing)
  for (let slot = 0; slot < SLOTS_TRIED; slot++) {
    const parameters = {
      id: signed.transcriptId,
      algorithm: suite.algorithm,
      dealers: members,
      receivers: members,
      operation: { type: 'random' },
      membershipVersion: membership.version,
      subnetId: subnetIdOf(net.genesis),
      sourceHeight: sourceHeight(incarnation, BigInt(slot)),
    } as const
    const context = { parameters, dealerIndex: signed.dealer }
    const openFor = (receiverIndex: NodeIndex) =>
      openDealing(suite, context, dealing, {
        receiverIndex,
        key: net.keysOf(receiverIndex).encryptionKey,
      })
    if (openFor(0) === undefined) continue
    const shares = members.map((_, receiver) => {
      const opening = unseal(present(openFor(receiver), 'honest dealings open'))
      return opening.type === 'simple' ? [opening.value] : [opening.value, opening.mask]
    })
    return { dealer: signed.dealer, order: suite.group.order, shares }
  }
  throw new Error('the slot that opened the transcript was not found')
}

/** Every set of dealings of a transcript, of two at least. */
const setsOf = (opened: readonly Opened[]): readonly (readonly Opened[])[] =>
  Array.from({ length: 1 << opened.length }, (_, bits) =>
    opened.filter((__, place) => (bits >> place) & 1),
  ).filter(({ length }) => length >= 2)

/** What a node's share of the transcript can be: sums and interpolations of what it got. */
function sharesOfTranscript(opened: readonly Opened[], node: NodeIndex): readonly bigint[] {
  return setsOf(opened).flatMap((set) => {
    const { order } = present(set[0], 'two or more')
    const weights = lagrangeScalars(
      set.map(({ dealer }) => dealer),
      order,
    )
    const parts = set.map(({ shares }) => present(shares[node], 'a share for each'))
    return (parts[0] ?? []).flatMap((_, part) => {
      const combined = (weightOf: (i: number) => bigint): bigint =>
        parts.reduce((sum, each, i) => mod(sum + weightOf(i) * (each[part] ?? 0n), order), 0n)
      return [combined(() => 1n), combined((i) => weights[i] ?? 0n)]
    })
  })
}

/** The line through the shares of the first two receivers: f = 1. */
function coefficients({ order, shares }: Opened): readonly bigint[] {
  const [first = [], second = []] = shares
  return first.flatMap((a1, part) => {
    const slope = mod((second[part] ?? 0n) - a1, order)
    return [mod(a1 - slope, order), slope]
  })
}

/** 32 bytes of a seed, as §3.8 defines them: the class does not give them away. */
const seedBytes = (parent: Uint8Array, label: string): Uint8Array =>
  expandMessage(parent, label, 32)

function secretsOfNode(net: SignerNet, node: NodeIndex): readonly Secrets[] {
  const { id } = present(net.genesis.membership.members[node], 'a member')
  const root = seedBytes(utf8(SEED), 'ic-crypto-seed-from-bytes')
  const own = Array.from({ length: NODES }, (_, i) => `node-${i}`)
    .map((label) => ({
      bytes: seedBytes(root, label),
      seed: Seed.fromBytes(utf8(SEED)).derive(label),
    }))
    .find(({ seed }) => {
      const key = seed.derive('ckbtc-node-encryption-key').generator().scalar(suites.ecdsa.group)
      return key === unseal(net.keysOf(node).encryptionKey.secret)
    })
  const { bytes, seed } = present(own, `the seed of ${toHex(id)}`)
  const mega = unseal(net.keysOf(node).encryptionKey.secret)
  return [
    { of: 'root seed', bytes },
    { of: 'seed of its keys', bytes: seedBytes(bytes, 'ckbtc-node-signing-key') },
    { of: 'signing key', bytes: seed.derive('ckbtc-node-signing-key').generator().bytes(32) },
    { of: 'encryption key', bytes: bigEndian(mega, 32) },
  ]
}

describe('what one of four nodes receives while keys and a signature are made', () => {
  const received = new Received()
  const dealings = new Map<string, { readonly lane: Lane; readonly signed: SignedDealing }>()
  const published: bigint[] = []
  const held: { net?: SignerNet } = {}
  const asked = request('seen by all')

  const note = (message: SignerMessage): void => {
    if (message.type === 'dealing') {
      const { lane, signed } = message
      dealings.set(`${lane}/${signed.transcriptId}/${signed.dealer}`, { lane, signed })
    }
    if (message.type !== 'share') return
    const { nu, mu } = decodeSignatureShare(suites.ecdsa, message.share)
    published.push(nu.value, mu.value)
  }

  beforeAll(() => {
    const net = new SignerNet({
      nodes: NODES,
      seed: SEED,
      tamper: (_, to, message) => {
        note(message)
        if (to === CORRUPT) received.add(encodeSignerMessage(message))
        return message
      },
      build: (built) => {
        built.watchItems = (item) => received.add(item.bytes)
      },
    })
    net.settle()
    net.ask(asked)
    net.settle()
    expectValid(net, asked)
    for (const { signature } of net.completed) received.add(signature)
    held.net = net
  }, 60_000)

  const netOf = (): SignerNet => present(held.net, 'the net has settled')
  const openedBy = (): ReadonlyMap<string, readonly Opened[]> => {
    const opened = new Map<string, Opened[]>()
    for (const { lane, signed } of dealings.values()) {
      const name = `${lane}/${signed.transcriptId}`
      const one =
        lane === 'ecdsa'
          ? openAll(netOf(), suites.ecdsa, signed)
          : openAll(netOf(), suites.bls, signed)
      opened.set(name, [...(opened.get(name) ?? []), one])
    }
    return opened
  }
  const found = (secrets: readonly Secrets[]): readonly string[] =>
    secrets.flatMap(({ of, bytes }) => (received.has(bytes) ? [of] : []))

  it('holds what is public, so that the search finds what is there', () => {
    expect(received.size).toBeGreaterThan(100_000)
    expect(published.length).toBeGreaterThanOrEqual(2 * NODES)
    for (const scalar of published) expect(received.has(bigEndian(scalar, 32))).toBe(true)
    expect(received.has(present(netOf().completed[0], 'signed').signature.slice(32))).toBe(true)
  })

  it('§22.6 received: no seed and no key of another node', () => {
    for (const node of HONEST) expect(found(secretsOfNode(netOf(), node))).toEqual([])
  })

  it('§22.6 received: no share of another node, of a dealing or a transcript, and no polynomial', () => {
    const opened = openedBy()
    // The key, the certification key and the tape key, and a presignature and one more.
    expect(opened.size).toBeGreaterThanOrEqual(2 + 2 + 4)
    const secrets = [...opened].flatMap(([name, all]) => {
      const scalars = HONEST.flatMap((node) => [
        ...all.flatMap(({ shares }) => present(shares[node], 'its share')),
        ...sharesOfTranscript(all, node),
      ])
      const polynomials = all
        .filter(({ dealer }) => HONEST.includes(dealer))
        .flatMap((one) => coefficients(one))
      return [...scalars, ...polynomials].map((scalar) => ({
        of: name,
        bytes: bigEndian(scalar, 32),
      }))
    })
    expect(secrets.length).toBeGreaterThan(500)
    expect(found(secrets)).toEqual([])
  })
})
