/**
 * Goal: the coin of the log is one value for all nodes, known to nobody before f + 1 of them give
 * their shares; before there is a tape key it is the one of the start of the world.
 * Method: threshold §§16.2, 16.3, 17.3 step 5, 17.5, 21; four signers, their shares changed.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { blsSum } from '../../../src/core/base/noble-bls12381.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { genesisCoin } from '../../../src/core/log/coin.ts'
import type { CoinContent, CoinValue } from '../../../src/core/tecdsa/coin.ts'
import { COIN_SHARE_SIZE, coinMessage } from '../../../src/core/tecdsa/coin.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import { Signer } from '../../../src/core/tecdsa/signer.ts'
import type { SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { settled } from '../../support/signer-story.ts'

const INCARNATION = 7n
const content: CoinContent = { slot: 9n, instance: 2, round: 3 }
const net = settled({ nodes: 4, stockTarget: 1 })

const shareOf = (node: number, of = content, from = net): Uint8Array =>
  present(from.signer(node).coinShare(of), 'a node with its key')
const sharesOf = (nodes: readonly number[], of = content): ReadonlyMap<number, Uint8Array> =>
  new Map(nodes.map((node) => [node, shareOf(node, of)]))
const right = present(net.signer(0).combineCoin(content, sharesOf([0, 1])).value, 'f + 1 shares')

describe('the bytes that are signed', () => {
  test('are the domain with its length, then incarnation, slot, instance and round', () => {
    expect(toHex(coinMessage(0x0102n, { slot: 3n, instance: 4, round: 5 }))).toBe(
      `11${toHex(utf8('ckbtc-coin-domain'))}${[0x0102, 3, 4, 5]
        .map((value) => value.toString(16).padStart(16, '0'))
        .join('')}`,
    )
  })

  test.each<[string, bigint, CoinContent]>([
    ['incarnation', 8n, content],
    ['slot', INCARNATION, { ...content, slot: 10n }],
    ['instance', INCARNATION, { ...content, instance: 3 }],
    ['round', INCARNATION, { ...content, round: 4 }],
  ])('name the %s', (_, incarnation, other) => {
    expect(coinMessage(incarnation, other)).not.toEqual(coinMessage(INCARNATION, content))
  })
})

describe('the coin of the tape key', () => {
  test('is the same at every node, from every f + 1 shares', () => {
    for (const node of [0, 1, 2, 3])
      for (const [a, b] of [
        [0, 1],
        [0, 3],
        [1, 2],
        [2, 3],
      ] as const)
        expect(net.signer(node).combineCoin(content, sharesOf([a, b]))).toEqual({
          value: right,
          blamed: [],
        })
  })

  test('shows both sides', () => {
    const values = Array.from({ length: 12 }, (_, round) => {
      const other = { ...content, round }
      return net.signer(0).combineCoin(other, sharesOf([1, 2], other)).value
    })
    expect(new Set(values)).toEqual(new Set<CoinValue>([0, 1]))
  })

  test('combining t−1 shares gives none, and blames nobody', () => {
    const few = net.signer(0).combineCoin(content, sharesOf([3]))
    expect(few).toEqual({ value: undefined, blamed: [] })
  })

  const changed = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  const bare = shareOf(0).slice(8)
  const doubled = present(blsSum([{ point: bare, scalar: 2n }]), 'a point')
  const under = (bytes: Uint8Array): Uint8Array => concat(shareOf(0).slice(0, 8), bytes)
  /** The point of x = 4: on the curve, of another order. */
  const outside = Uint8Array.of(0x80, ...new Uint8Array(46), 4)
  const next = new SignerNet({
    nodes: 4,
    restored: present(net.signer(0).finalKeys, 'keys are final'),
    incarnation: 8n,
    stockTarget: 0,
  })

  test.each<[string, Uint8Array]>([
    ['invalid', under(doubled)],
    ['not a point', under(new Uint8Array(48))],
    ['the point at infinity', under(Uint8Array.of(0xc0, ...new Uint8Array(47)))],
    ['not in subgroup', under(outside)],
    ['of another content', shareOf(0, { ...content, round: 4 })],
    ['of another slot', shareOf(0, { ...content, slot: 10n })],
    ['§21 bls: incarnation', shareOf(0, content, next)],
    ['of another node', shareOf(3)],
    ['of the certification key', under(present(certified(0), 'a share'))],
    ['a byte short', shareOf(0).slice(0, -1)],
    ['a byte long', Uint8Array.of(...shareOf(0), 0)],
    ['empty', new Uint8Array()],
  ])('BLS share %s: its sender is blamed, and the others toss it', (_, lie) => {
    const shares = new Map([...sharesOf([1, 2]), [0, lie]])
    const combined = net.signer(3).combineCoin(content, shares)
    expect(combined).toEqual({ value: right, blamed: [0] })
    const few = net.signer(3).combineCoin(content, new Map([[0, lie], ...sharesOf([1])]))
    expect(few).toEqual({ value: undefined, blamed: [0] })
  })

  test('BLS share of another transcript is not counted, and nobody is blamed', () => {
    const shares = new Map([[0, changed(shareOf(0), 7)], ...sharesOf([1])])
    expect(net.signer(3).combineCoin(content, shares)).toEqual({ value: undefined, blamed: [] })
    const enough = new Map([...shares, ...sharesOf([2])])
    expect(net.signer(3).combineCoin(content, enough)).toEqual({ value: right, blamed: [] })
  })

  function certified(node: number): Uint8Array | undefined {
    return net.signer(node).certificationShare(coinMessage(INCARNATION, content))
  }
})

describe('the coin before there is a tape key', () => {
  test('is a function of incarnation, slot, instance and round, with both sides', () => {
    const tosses = (incarnation: bigint, slot: bigint, instance: number): string =>
      Array.from({ length: 64 }, (_, round) =>
        genesisCoin(incarnation, { slot, instance, round }),
      ).join('')
    expect(tosses(7n, 0n, 0)).toBe(
      '0001101010100101101111110101001010001101101000001101000001101111',
    )
    const others = [tosses(8n, 0n, 0), tosses(7n, 1n, 0), tosses(7n, 0n, 1), tosses(7n, 0n, 0)]
    expect(new Set(others).size).toBe(4)
  })
})

describe('the slot from which the tape key counts', () => {
  test('is the same at all nodes: the one after the slot that made it final', () => {
    const slots = [0, 1, 2, 3].map((node) => net.signer(node).tapeKeySlot)
    expect(new Set(slots).size).toBe(1)
    expect(slots[0]).toBeGreaterThan(0n)
  })

  test('does not come inside a slot, but at its end', () => {
    const { genesis, keys } = foundSubnet(1)
    const signer = new Signer({
      genesis,
      mainKey: 'key_1',
      keys: present(keys[0], 'one node'),
      me: 0,
      ed25519: nativeEd25519,
      records: new Map(),
      stockTarget: 0,
      creationMax: 1,
    })
    const items: Uint8Array[] = []
    const take = (outputs: SignerOutputs): void => {
      for (const output of outputs) {
        if (output.type === 'submit') items.push(output.item.bytes)
        if (output.type !== 'send') continue
        const bytes = encodeSignerMessage(output.message)
        take(signer.step({ type: 'message', from: 0, bytes }))
      }
    }
    // Two transcripts of one dealing each: the key is final with the second.
    for (const [slot, final] of [
      [0n, undefined],
      [1n, 2n],
    ] as const) {
      for (let some = signer.work(); some !== undefined; some = signer.work()) take(some)
      for (const bytes of items.splice(0)) signer.takeDealing('bls', bytes)
      expect(signer.tapeKeySlot).toBeUndefined()
      signer.endSlot(slot, timestampNs(slot))
      expect(signer.tapeKeySlot).toBe(final)
    }
    expect(signer.coinShare(content)).toHaveLength(COIN_SHARE_SIZE)
  })

  test('is the first of all for a subnet that starts again', () => {
    const again = new SignerNet({
      nodes: 4,
      restored: present(net.signer(0).finalKeys, 'keys are final'),
      incarnation: 8n,
      stockTarget: 0,
    })
    expect(again.signer(0).tapeKeySlot).toBe(0n)
    expect(again.signer(0).coinShare(content)).toHaveLength(COIN_SHARE_SIZE)
  })
})
