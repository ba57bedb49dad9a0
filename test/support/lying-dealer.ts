/**
 * Dealers that deal bad shares to a few receivers only, so that enough others vouch for the dealing
 * and it enters the transcript; threshold specification §§8.3, 22.3.
 */
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { mod } from '../../src/core/base/group.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { verificationThreshold } from '../../src/core/base/party.ts'
import { decodeDealing, encodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing, Support } from '../../src/core/tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  encodeSupportedDealing,
  lanePrefix,
} from '../../src/core/tecdsa/evidence.ts'
import type { Lane, SignerMessage } from '../../src/core/tecdsa/message.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { inLane } from './lanes.ts'
import type { SignerNet, Tamper } from './signer-net.ts'

type DealingMessage = Extract<SignerMessage, { readonly type: 'dealing' }>

/** A bad dealing on its way into the log. */
type Bad = {
  readonly lane: Lane
  readonly signed: SignedDealing
  /** Receivers that have to vouch for it. */
  readonly needed: number
  readonly supports: Map<NodeIndex, Support>
  submitted: boolean
}

export class LyingDealer {
  readonly #net: () => SignerNet
  readonly #liar: NodeIndex
  readonly #victims: () => readonly NodeIndex[]
  /** Whether it deals in products: when not, all honest nodes must. */
  readonly #dealsProducts: boolean
  readonly #bad = new Map<string, Bad>()

  constructor(options: {
    readonly net: () => SignerNet
    readonly liar: NodeIndex
    /** A function is asked for each transcript. */
    readonly victims: readonly NodeIndex[] | (() => readonly NodeIndex[])
    readonly dealsProducts?: boolean
  }) {
    this.#net = options.net
    this.#liar = options.liar
    const { victims } = options
    this.#victims = typeof victims === 'function' ? victims : () => victims
    this.#dealsProducts = options.dealsProducts ?? true
  }

  /** The dealings that it brought into the log. */
  get dealt(): readonly SignedDealing[] {
    return [...this.#bad.values()].flatMap(({ signed, submitted }) => (submitted ? [signed] : []))
  }

  readonly tamper: Tamper = (from, to, message) => {
    if (from === this.#liar && message.type === 'dealing')
      return inLane(message.lane, (suite) => this.#redealt(suite, message))
    if (to === this.#liar && message.type === 'support')
      this.#count(message.lane, { ...message.support, signer: from })
    return message
  }

  #redealt<P>(suite: Suite<P>, message: DealingMessage): SignerMessage | undefined {
    const { lane } = message
    const dealing = decodeDealing(suite, message.signed.dealing)
    if (dealing.proof?.type === 'product' && !this.#dealsProducts) return undefined
    const name = `${lane}/${message.signed.transcriptId}`
    const known = this.#bad.get(name)
    if (known !== undefined) return { ...message, signed: known.signed }
    const victims = this.#victims()
    const ctexts = dealing.ciphertext.ctexts.map((ctext, j) =>
      victims.includes(j) ? ctext.map((scalar) => mod(scalar + 1n, suite.group.order)) : ctext,
    )
    const changed = { ...dealing, ciphertext: { ...dealing.ciphertext, ctexts } }
    const statement = { ...message.signed, dealing: encodeDealing(suite, changed) }
    const net = this.#net()
    const content = dealingContent(lanePrefix(net.genesis, suite.algorithm), statement)
    const signature = net.keysOf(this.#liar).sign('dealing', content)
    const signed = decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
    const needed = verificationThreshold(ctexts.length)
    this.#bad.set(name, { lane, signed, needed, supports: new Map(), submitted: false })
    return { ...message, signed }
  }

  #count(lane: Lane, support: Support): void {
    const net = this.#net()
    for (const bad of this.#bad.values()) {
      const isNamed = support.hashes.some((hash) => equalBytes(hash, bad.signed.hash))
      if (bad.lane !== lane || bad.submitted || !isNamed) continue
      bad.supports.set(support.signer, support)
      if (bad.supports.size < bad.needed) continue
      bad.submitted = true
      const supported = { signed: bad.signed, supports: [...bad.supports.values()] }
      net.submit(this.#liar, { type: 'dealing', lane, bytes: encodeSupportedDealing(supported) })
    }
  }
}

/** A net whose `tamper` needs the net itself. */
export function lateNet(): {
  readonly net: () => SignerNet
  readonly build: (built: SignerNet) => void
} {
  const held: { net?: SignerNet } = {}
  return {
    net: () => present(held.net, 'the net is built'),
    build: (built) => {
      held.net = built
    },
  }
}
