/**
 * A lying node: what goes out in place of what an honest node says. It has the node's keys, so that
 * its lies are signed where that matters. Implements `docs/spec/cli.md` §5.16, threshold §22.4.
 * Sans-IO; deterministic from its seed.
 */
import type { NodeIndex } from '../base/party.ts'
import { faultyMax } from '../base/party.ts'
import type { Generator, Seed } from '../base/seed.ts'
import type { Genesis } from '../tecdsa/membership.ts'
import type { NodeKeys } from '../tecdsa/node-keys.ts'
import { equivocal } from './equivocation.ts'
import { badOpening, badShares } from './false-evidence.ts'
import type { Lie } from './lies.ts'
import { LyingDealer } from './lying-dealer.ts'
import type { Spoken } from './spoken.ts'
import { readSpoken, writeSpoken } from './spoken.ts'
import { unfoundedComplaint } from './unfounded-complaint.ts'

export type LiarConfig = {
  readonly lie: Lie
  readonly seed: Seed
  readonly genesis: Genesis
  readonly me: NodeIndex
  readonly keys: Pick<NodeKeys, 'sign'>
}

/** To one peer, never to the node itself. */
export type LiedMessage = {
  readonly to: NodeIndex
  readonly bytes: Uint8Array
  readonly afterMs: number
}

const RANDOM_SIZE_MAX = 2_048

export class Liar {
  readonly #config: LiarConfig
  readonly #chance: Generator
  readonly #dealer: LyingDealer

  constructor(config: LiarConfig) {
    this.#config = config
    this.#chance = config.seed.derive('ckbtc-liar').generator()
    this.#dealer = new LyingDealer(config, this.victims)
  }

  /** f of the others, the same for the whole life. */
  get victims(): readonly NodeIndex[] {
    const { genesis, me } = this.#config
    const nodes = genesis.membership.members.length
    return Array.from({ length: faultyMax(nodes) }, (_, i) => (me + 1 + i) % nodes)
  }

  /** What `to` gets in place of `bytes`. */
  say(to: NodeIndex, bytes: Uint8Array): readonly LiedMessage[] {
    const { lie } = this.#config
    switch (lie.type) {
      case 'silent':
        return []
      case 'slow':
        return [{ to, bytes, afterMs: lie.delayMs }]
      case 'random':
        return [{ to, bytes: this.#noise(), afterMs: 0 }]
      default:
        return this.#change(lie.type, to, bytes)
    }
  }

  #noise(): Uint8Array {
    const [word = 0] = this.#chance.words(1)
    return this.#chance.bytes(1 + (word % RANDOM_SIZE_MAX))
  }

  #change(
    type: Exclude<Lie['type'], 'silent' | 'slow' | 'random'>,
    to: NodeIndex,
    bytes: Uint8Array,
  ): readonly LiedMessage[] {
    const { incarnation } = this.#config.genesis
    const spoken = readSpoken(incarnation, bytes)
    if (spoken === undefined) return [{ to, bytes, afterMs: 0 }]
    return this.#lies(type, to, spoken).map((lie) => ({
      to,
      bytes: writeSpoken(incarnation, lie),
      afterMs: 0,
    }))
  }

  #lies(
    type: Exclude<Lie['type'], 'silent' | 'slow' | 'random'>,
    to: NodeIndex,
    spoken: Spoken,
  ): readonly Spoken[] {
    switch (type) {
      case 'bad-share':
        return [badShares(this.#config, spoken)]
      case 'bad-opening':
        return [badOpening(this.#config, spoken)]
      case 'bad-dealing':
        return [this.#dealer.say(spoken)]
      case 'bad-complaint':
        return [spoken]
      case 'equivocate':
        return equivocal(this.#config, to, spoken)
    }
  }

  /** A liar hears, too: what it says to all on hearing this. */
  hear(from: NodeIndex, bytes: Uint8Array): readonly LiedMessage[] {
    const { lie, genesis, me } = this.#config
    if (lie.type !== 'bad-dealing' && lie.type !== 'bad-complaint') return []
    const spoken = readSpoken(genesis.incarnation, bytes)
    if (spoken?.type !== 'signer') return []
    const said =
      lie.type === 'bad-dealing'
        ? this.#dealer.hear(from, spoken.message)
        : unfoundedComplaint(this.#config, from, spoken.message)
    return said.flatMap((lied) => {
      const written = writeSpoken(genesis.incarnation, lied)
      return genesis.membership.members.flatMap((_, to) =>
        to === me ? [] : [{ to, bytes: written, afterMs: 0 }],
      )
    })
  }
}
