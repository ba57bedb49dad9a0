/**
 * Goal: requests under keys of every algorithm end with their signatures, once each, while nodes
 * stop and return and one of them lies; the keys are equal at all nodes.
 * Method: whole signers over the sequencer; a seed says who stops when, who lies how, and what is
 * asked for. `SEED=7 npx vitest run --project sim test/sim/key-lanes.sim.ts` repeats one run.
 */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { KEY_SCHEMES } from '../../src/core/base/key-scheme.ts'
import type { Generator } from '../../src/core/base/seed.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import { KEY_NAMES } from '../../src/core/tecdsa/request.ts'
import type { Tamper } from '../support/signer-net.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectValid, request } from '../support/signer-story.ts'

const { SEED } = process.env
const seeds = SEED === undefined ? Array.from({ length: 5 }, (_, i) => i) : [Number(SEED)]
const REQUESTS = 6
const LIAR = 0

const upTo = (random: Generator, count: number): number => (random.words(1)[0] ?? 0) % count

/** Half of what the liar says is changed, dropped or said in another lane. */
function liesOf(random: Generator): Tamper {
  return (from, to, message) => {
    if (from !== LIAR || to === LIAR || upTo(random, 2) === 0) return message
    if (message.type === 'resend') return message
    if (upTo(random, 3) === 0) return undefined
    if (message.type !== 'share') return message
    const lane = present(KEY_SCHEMES[upTo(random, 3)], 'a scheme')
    const at = upTo(random, message.share.length)
    const share = message.share.map((byte, i) => (i === at ? byte ^ 1 : byte))
    return upTo(random, 2) === 0 ? { ...message, lane } : { ...message, share }
  }
}

function askedFor(random: Generator, name: string): SigningRequest {
  const scheme = present(KEY_SCHEMES[upTo(random, 3)], 'a scheme')
  const keyName = present(KEY_NAMES[upTo(random, 2)], 'a name')
  const root = scheme === 'bip340' && upTo(random, 2) === 0 ? random.bytes(32) : undefined
  return { ...request(name, keyName, scheme), taprootRoot: root }
}

describe.each(seeds)('keys of every algorithm, seed %i', (seed) => {
  it('every request is signed, and nobody honest is blamed', () => {
    const random = Seed.fromBytes(utf8(`key lanes ${seed}`)).generator()
    const net = new SignerNet({ nodes: 4, stockTarget: 0, tamper: liesOf(random) })
    const all = Array.from({ length: REQUESTS }, (_, i) => askedFor(random, `${seed} ${i}`))
    for (const each of all) {
      net.ask(each)
      const node = 1 + upTo(random, 3)
      const sent = net.wire.length + upTo(random, 300)
      net.run(() => net.wire.length > sent)
      net.stop(node)
      net.run(() => net.wire.length > sent + upTo(random, 200))
      net.start(node)
    }
    net.settle()
    for (const each of all) for (const node of [1, 2, 3]) expectValid(net, each, node)
    expect(net.completed).toHaveLength(all.length)
    const points = net.completed.map(({ signature }) => toHex(signature.slice(0, 32)))
    expect(new Set(points).size).toBe(all.length)
    const blamed = net.faults.filter(({ seenBy }) => seenBy !== LIAR)
    expect(blamed.filter(({ culprit }) => culprit !== LIAR)).toEqual([])
  })
})

describe('a refresh of the keys of every algorithm', () => {
  const all = KEY_SCHEMES.map((scheme) => ({ scheme, name: 'test_key_1' }))
  const asked = (when: string): readonly SigningRequest[] =>
    all.map(({ scheme, name }) => request(`${when} the refresh, ${scheme}`, name, scheme))

  it('keeps the keys; what was paired before finishes under the old shares', () => {
    const held = { tape: false }
    const net = new SignerNet({
      nodes: 4,
      stockTarget: 0,
      // Without the tape nobody has given a share when the keys change.
      tamper: (_, __, message) =>
        held.tape && message.type.startsWith('tape') ? undefined : message,
    })
    const [before, across, after] = [asked('before'), asked('across'), asked('after')]
    for (const each of before) net.ask(each)
    net.settle()
    const keys = all.map((key) => toHex(present(net.signer(0).publicKeyOf(key), 'made')))
    held.tape = true
    for (const each of across) net.ask(each)
    net.settle()
    net.refresh()
    net.settle()
    expect([0, 1, 2, 3].map((node) => net.signer(node).epoch.version)).toEqual([2n, 2n, 2n, 2n])
    expect(net.signer(0).openRequests).toBe(across.length)
    held.tape = false
    for (const node of [0, 1, 2, 3]) net.take(node, net.signer(node).step({ type: 'start' }))
    net.settle()
    for (const each of after) net.ask(each)
    net.settle()
    for (const node of [0, 3])
      for (const each of [...before, ...across, ...after]) expectValid(net, each, node)
    const now = all.map((key) => toHex(present(net.signer(3).publicKeyOf(key), 'kept')))
    expect(now).toEqual(keys)
    expect(net.faults).toEqual([])
  })
})
