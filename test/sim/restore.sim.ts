/**
 * A subnet lives again and again, each time from what one node kept, with nodes down and a node that
 * lies.
 *
 * Safety in every life: the keys are the first ones, nobody honest is blamed, no nonce point comes
 * twice although every life has the same tape key. Liveness: each life signs under both its keys.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Tamper } from '../support/signer-net.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, request } from '../support/signer-story.ts'

const LIVES = 4
const NODES = 4

/** Numbers that a life draws, from its seed. */
class Chance {
  readonly #generator
  constructor(seed: number) {
    this.#generator = Seed.fromBytes(Uint8Array.of(seed)).generator()
  }
  below(bound: number): number {
    return (this.#generator.bytes(1)[0] ?? 0) % bound
  }
}

/** Drops or bends some of what one node sends. */
const liesOf =
  (liar: number, chance: Chance): Tamper =>
  (from, to, message) => {
    if (from !== liar || to === liar) return message
    const choice = chance.below(4)
    if (choice === 0) return undefined
    if (choice === 1 && message.type === 'share')
      return { ...message, share: message.share.map((byte, i) => (i === 60 ? byte ^ 1 : byte)) }
    if (choice === 1 && message.type === 'support')
      return { ...message, support: { ...message.support, signature: new Uint8Array(64) } }
    return message
  }

const { SEED } = process.env
const seeds = SEED === undefined ? [1, 2, 3] : [Number(SEED)]

describe('life after life', () => {
  it.each(seeds)('the keys stay and nothing else does (seed %i)', (seed) => {
    const chance = new Chance(seed)
    const points = new Set<string>()
    const keys = new Set<string>()
    let restored: Uint8Array | undefined
    for (let life = 1; life <= LIVES; life++) {
      const liar = chance.below(NODES)
      const net = new SignerNet({
        nodes: NODES,
        incarnation: BigInt(life),
        tamper: liesOf(liar, chance),
        ...(restored && { restored }),
      })
      const honest = [0, 1, 2, 3].filter((node) => node !== liar)
      const judge = present(honest[0], 'an honest node')
      net.run(() => net.wire.length > 20 + chance.below(100))
      // One that starts again loses what it had in memory; the liar may be the one.
      const again = chance.below(NODES)
      net.stop(again)
      net.start(again)
      net.settle()
      const asked = [request('main'), request('other', 'test_key_1')]
      for (const each of asked) net.ask(each)
      net.settle()
      for (const each of asked) expectValid(net, each, judge)
      expectCertifies(net, honest)
      const blamed = net.faults.filter(({ seenBy }) => seenBy !== liar)
      expect(blamed.filter(({ culprit }) => culprit !== liar)).toEqual([])
      for (const { signature } of net.completed) points.add(toHex(signature.slice(0, 32)))
      const signer = net.signer(judge)
      for (const key of [
        signer.publicKey,
        signer.publicKeyOf({ scheme: 'ecdsa', name: 'test_key_1' }),
      ])
        keys.add(toHex(present(key, 'a key')))
      restored = present(signer.finalKeys, 'keys are final')
    }
    expect([points.size, keys.size]).toEqual([2 * LIVES, 2])
  })
})
