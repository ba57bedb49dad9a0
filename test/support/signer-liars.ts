/**
 * What lying nodes say beside the log, at random: dealings with shares that few cannot open, support
 * for anything, bad openings, shares of signatures and roots. Source: threshold §§8.3, 10, 22.3.
 */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { compareBytes, equalBytes, hash32 } from '../../src/core/base/bytes.ts'
import { mod } from '../../src/core/base/group.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { verificationThreshold } from '../../src/core/base/party.ts'
import { encodeItem } from '../../src/core/subnet/items.ts'
import type { PeerMessage } from '../../src/core/subnet/peer-message.ts'
import { decodePeerMessage, encodePeerMessage } from '../../src/core/subnet/peer-message.ts'
import { encodeAbort, signAbort } from '../../src/core/tecdsa/abort.ts'
import { decodeDealing, encodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import { complaintContent, openingContent } from '../../src/core/tecdsa/dispute.ts'
import type { SignedDealing, Support } from '../../src/core/tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  encodeSupportedDealing,
  lanePrefix,
  runPrefix,
  supportContent,
} from '../../src/core/tecdsa/evidence.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import type { Lane, SignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeSignerMessage, encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import type { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { inLane } from './lanes.ts'
import { flipped } from './log-liars.ts'
import type { Random } from './random.ts'

/** A bad dealing on its way into the log. */
type Bad = {
  readonly lane: Lane
  readonly signed: SignedDealing
  readonly supports: Map<NodeIndex, Support>
  submitted: boolean
}

export type SignerLiarConfig = {
  readonly genesis: Genesis
  readonly keys: NodeKeys
  readonly me: NodeIndex
  /** How often, out of a hundred, a message of a kind is twisted. */
  readonly twist: number
  /** Receivers to whom it deals badly, always the same ones: few, so that others vouch for it. */
  readonly victims: readonly NodeIndex[]
}

const HASHES_MAX = 40

export class SignerLiar {
  readonly #config: SignerLiarConfig
  readonly #bad = new Map<string, Bad>()
  readonly #hashes: { readonly lane: Lane; readonly hash: Hash32 }[] = []
  readonly #requests: Uint8Array[] = []

  constructor(config: SignerLiarConfig) {
    this.#config = config
  }

  #prefix(lane: Lane): Uint8Array {
    return inLane(lane, ({ algorithm }) => lanePrefix(this.#config.genesis, algorithm))
  }

  /** What it says in place of a message. */
  says(bytes: Uint8Array, random: Random): Uint8Array {
    if (random.below(100) >= this.#config.twist) return bytes
    const message = decodePeerMessage(bytes)
    switch (message.type) {
      case 'signer':
        return signerBytes(this.#twisted(decodeSignerMessage(message.bytes), random))
      case 'root':
        return encodePeerMessage(this.#root(message, random))
      case 'hello':
        return random.oneIn(2) ? bytes : flipped(bytes, random)
    }
  }

  #root({ vote }: Extract<PeerMessage, { type: 'root' }>, random: Random): PeerMessage {
    const slot = random.pick([vote.slot, vote.slot, vote.slot + 1n, vote.slot + 1_000n])
    const root = random.oneIn(2) ? vote.root : hash32(random.bytes(32))
    const share = random.oneIn(3) ? vote.share : random.oneIn(2) ? undefined : random.bytes(48)
    return { type: 'root', vote: { slot, root, share } }
  }

  #twisted(message: SignerMessage, random: Random): SignerMessage {
    const { keys } = this.#config
    switch (message.type) {
      case 'dealing':
        return { ...message, signed: this.#dealing(message.lane, message.signed) }
      case 'support': {
        const { lane } = message
        const known = this.#hashes.filter((one) => one.lane === lane).map(({ hash }) => hash)
        const hashes = [...message.support.hashes, ...known, hash32(random.bytes(32))]
          .toSorted(compareBytes)
          .filter((hash, i, all) => i === 0 || !equalBytes(hash, all[i - 1] ?? hash))
        const signature = keys.sign('support', supportContent(this.#prefix(lane), hashes))
        return { ...message, support: { hashes, signature } }
      }
      case 'complaint': {
        const statement = {
          ...message.signed,
          complaint: flipped(message.signed.complaint, random),
        }
        const content = complaintContent(this.#prefix(message.lane), statement)
        return { ...message, signed: { ...statement, signature: keys.sign('complaint', content) } }
      }
      case 'opening': {
        const opening = changed(message.signed.opening, random)
        const statement = { ...message.signed, opening }
        const content = openingContent(this.#prefix(message.lane), statement)
        return { ...message, signed: { ...statement, signature: keys.sign('opening', content) } }
      }
      case 'share':
        return { ...message, share: changed(message.share, random) }
      case 'tape-share':
        return { ...message, share: changed(message.share, random) }
      case 'tape':
        return { ...message, signature: changed(message.signature, random) }
      case 'resend':
        return message
    }
  }

  /** The same for all: one dealing that the victims cannot open. */
  #dealing(lane: Lane, honest: SignedDealing): SignedDealing {
    const name = `${lane}/${honest.transcriptId}`
    const known = this.#bad.get(name)
    if (known !== undefined) return known.signed
    const signed = inLane(lane, (suite) => this.#redealt(suite, honest))
    const { keys, me } = this.#config
    const content = supportContent(this.#prefix(lane), [signed.hash])
    const own = { signer: me, hashes: [signed.hash], signature: keys.sign('support', content) }
    this.#bad.set(name, { lane, signed, supports: new Map([[me, own]]), submitted: false })
    return signed
  }

  #redealt<P>(suite: Suite<P>, honest: SignedDealing): SignedDealing {
    const { victims, keys, genesis } = this.#config
    const dealing = decodeDealing(suite, honest.dealing)
    const ctexts = dealing.ciphertext.ctexts.map((ctext, j) =>
      victims.includes(j) ? ctext.map((scalar) => mod(scalar + 1n, suite.group.order)) : ctext,
    )
    const bad = { ...dealing, ciphertext: { ...dealing.ciphertext, ctexts } }
    const statement = { ...honest, dealing: encodeDealing(suite, bad) }
    const content = dealingContent(lanePrefix(genesis, suite.algorithm), statement)
    const signature = keys.sign('dealing', content)
    return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
  }

  /** Items that it puts into the log on hearing this: bad dealings that enough have vouched for. */
  hears(from: NodeIndex, bytes: Uint8Array): readonly Uint8Array[] {
    const message = bytes[0] === 0 ? heard(bytes) : undefined
    if (message === undefined) return []
    if (message.type === 'share') this.#requests.push(message.requestId)
    if (message.type === 'dealing') {
      this.#hashes.push({ lane: message.lane, hash: message.signed.hash })
      if (this.#hashes.length > HASHES_MAX) this.#hashes.shift()
    }
    return message.type === 'support' ? this.#supported(from, message) : []
  }

  #supported(
    from: NodeIndex,
    { lane, support }: Extract<SignerMessage, { type: 'support' }>,
  ): readonly Uint8Array[] {
    const needed = verificationThreshold(this.#config.genesis.membership.members.length)
    return [...this.#bad.values()].flatMap((bad) => {
      const isNamed = support.hashes.some((hash) => equalBytes(hash, bad.signed.hash))
      if (bad.lane !== lane || bad.submitted || !isNamed) return []
      bad.supports.set(from, { ...support, signer: from })
      if (bad.supports.size < needed) return []
      bad.submitted = true
      const supports = [...bad.supports.values()].slice(0, needed)
      const dealing = encodeSupportedDealing({ signed: bad.signed, supports })
      return [encodeItem({ type: 'dealing', lane, dealing })]
    })
  }

  /** An item that nobody asked for: it takes back a request, or is about nothing. */
  item(random: Random): Uint8Array {
    const { keys, genesis, me } = this.#config
    const requestId = random.oneIn(4) ? random.bytes(32) : this.#requests.at(-1)
    if (requestId === undefined) return encodeItem({ type: 'ingress', envelope: random.bytes(40) })
    if (random.oneIn(3))
      return encodeItem({ type: 'completion', completion: random.bytes(32 + 64 + 48) })
    const abort = signAbort(keys, runPrefix(genesis), { requestId, node: me })
    return encodeItem({ type: 'abort', abort: encodeAbort(abort) })
  }
}

function heard(bytes: Uint8Array): SignerMessage | undefined {
  try {
    return decodeSignerMessage(bytes.subarray(1))
  } catch {
    return undefined // Another liar's.
  }
}

function changed(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice()
  const at = random.below(copy.length)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
  return copy
}

const signerBytes = (message: SignerMessage): Uint8Array =>
  encodePeerMessage({ type: 'signer', bytes: encodeSignerMessage(message) })
