/**
 * A dealer that deals wrong shares to f receivers, while anybody finds its dealing good, so that
 * enough others vouch for it and it enters the transcript; every other dealing is bad for all to
 * see. Source: threshold §§7, 8.3.
 */
import { equalBytes } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import { mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import { verificationThreshold } from '../base/party.ts'
import type { Dealing } from '../tecdsa/dealing.ts'
import { decodeDealing, encodeDealing } from '../tecdsa/dealing-codec.ts'
import type { SignedDealing, Support } from '../tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  encodeSupportedDealing,
  lanePrefix,
  supportContent,
} from '../tecdsa/evidence.ts'
import type { Lane, SignerMessage } from '../tecdsa/message.ts'
import { suites } from '../tecdsa/signer-config.ts'
import type { Suite } from '../tecdsa/suite.ts'
import { encodeItem } from './items.ts'
import type { LiarConfig } from './liar.ts'
import type { Spoken } from './spoken.ts'

type DealingMessage = Extract<SignerMessage, { readonly type: 'dealing' }>

/** A bad dealing on its way into the log. */
type Bad = {
  readonly lane: Lane
  readonly signed: SignedDealing
  readonly supports: Map<NodeIndex, Support>
  submitted: boolean
}

/** Dealings that are remembered; the oldest is let go. */
const BAD_MAX = 200

export class LyingDealer {
  readonly #config: Pick<LiarConfig, 'genesis' | 'keys' | 'me'>
  readonly #victims: readonly NodeIndex[]
  readonly #bad = new Map<string, Bad>()
  #count = 0

  constructor(config: Pick<LiarConfig, 'genesis' | 'keys' | 'me'>, victims: readonly NodeIndex[]) {
    this.#config = config
    this.#victims = victims
  }

  say(spoken: Spoken): Spoken {
    if (spoken.type !== 'signer' || spoken.message.type !== 'dealing') return spoken
    const { message } = spoken
    if (message.signed.dealer !== this.#config.me) return spoken
    const name = `${message.lane}/${message.signed.transcriptId}`
    const bad = this.#bad.get(name) ?? this.#remember(name, message)
    return { type: 'signer', message: { ...message, signed: bad.signed } }
  }

  #remember(name: string, message: DealingMessage): Bad {
    const { lane } = message
    const signed = this.#redealt(message)
    const bad = { lane, signed, supports: new Map(), submitted: false }
    this.#bad.set(name, bad)
    this.#add(bad, { signer: this.#config.me, ...this.#ownSupport(bad) })
    const [oldest] = this.#bad.keys()
    if (this.#bad.size > BAD_MAX && oldest !== undefined) this.#bad.delete(oldest)
    return bad
  }

  #redealt({ lane, signed }: DealingMessage): SignedDealing {
    switch (lane) {
      case 'ecdsa':
        return this.#changed(suites.ecdsa, lane, signed)
      case 'bip340':
        return this.#changed(suites.bip340, lane, signed)
      case 'ed25519':
        return this.#changed(suites.ed25519, lane, signed)
      case 'bls':
        return this.#changed(suites.bls, lane, signed)
    }
  }

  #changed<P>(suite: Suite<P>, lane: Lane, signed: SignedDealing): SignedDealing {
    const dealing = decodeDealing(suite, signed.dealing)
    const isSubtle = this.#victims.length > 0 && this.#count++ % 2 === 0
    const changed = isSubtle ? this.#cheating(suite, dealing) : obviouslyBad(suite, dealing)
    const statement = { ...signed, dealing: encodeDealing(suite, changed) }
    const content = dealingContent(this.#prefix(lane), statement)
    const signature = this.#config.keys.sign('dealing', content)
    return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
  }

  /** What is encrypted for the victims is not their share; nobody else can see that. */
  #cheating<P>(suite: Suite<P>, dealing: Dealing<P>): Dealing<P> {
    const ctexts = dealing.ciphertext.ctexts.map((ctext, j) =>
      this.#victims.includes(j)
        ? ctext.map((scalar) => mod(scalar + 1n, suite.group.order))
        : ctext,
    )
    return { ...dealing, ciphertext: { ...dealing.ciphertext, ctexts } }
  }

  #prefix(lane: Lane): Uint8Array {
    return lanePrefix(this.#config.genesis, suites[lane].algorithm)
  }

  #ownSupport({ lane, signed }: Bad): Omit<Support, 'signer'> {
    const hashes = [signed.hash]
    const content = supportContent(this.#prefix(lane), hashes)
    return { hashes, signature: this.#config.keys.sign('support', content) }
  }

  /** Once enough others vouch for a bad dealing, it is handed to their logs. */
  hear(from: NodeIndex, message: SignerMessage): readonly Spoken[] {
    if (message.type !== 'support') return []
    const support = { ...message.support, signer: from }
    return [...this.#bad.values()].flatMap((bad) =>
      bad.lane === message.lane && support.hashes.some((hash) => equalBytes(hash, bad.signed.hash))
        ? this.#add(bad, support)
        : [],
    )
  }

  #add(bad: Bad, support: Support): readonly Spoken[] {
    const needed = verificationThreshold(this.#config.genesis.membership.members.length)
    bad.supports.set(support.signer, support)
    if (bad.submitted || bad.supports.size < needed) return []
    bad.submitted = true
    const { lane, signed } = bad
    const supported = { signed, supports: [...bad.supports.values()] }
    const dealing = encodeSupportedDealing(supported)
    return [
      {
        type: 'log',
        message: { type: 'item', item: encodeItem({ type: 'dealing', lane, dealing }) },
      },
    ]
  }
}

/** Its commitment is not that of its proofs. */
function obviouslyBad<P>(suite: Suite<P>, dealing: Dealing<P>): Dealing<P> {
  const [first, ...rest] = dealing.commitment.points
  const point = suite.group.add(present(first, 'a commitment has points'), suite.group.g.point)
  return { ...dealing, commitment: { ...dealing.commitment, points: [point, ...rest] } }
}
