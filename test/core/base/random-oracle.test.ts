/**
 * Known answers of the random oracle and of seeds: threshold specification Annex A.2, §§3.4, 3.8.
 */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import type { OracleInputs } from '../../../src/core/base/random-oracle.ts'
import {
  bytesInput,
  integerInput,
  oracleBytes,
  oracleMessage,
  oraclePoint,
  oracleScalar,
  oracleScalars,
  pointInput,
  pointInputs,
  scalarInput,
} from '../../../src/core/base/random-oracle.ts'
import { Seed } from '../../../src/core/base/seed.ts'

const s1 = Seed.fromBytes(new Uint8Array(32).fill(0x42)).generator().scalar(group)
const pt1 = group.g.multiplySecret(s1)
const c1 = 0xd46b5ef6fafdaf2a1e50f7b979f1fd31e058e9c2ab69115c4f2c15077ae94969n
const c2 = 0xf35e7f0a649f8c8e92084d04d40cd13cb82e9e2ebc3aabb5bd88c04ce2f5ebe9n
const first: OracleInputs = {
  pt1: pointInput(group, pt1),
  i1: integerInput(42n),
  v1: bytesInput(new Uint8Array(42).fill(42)),
  s1: scalarInput(group, s1),
  round: integerInput(1n),
}

describe('random oracle', () => {
  test('inputs are sorted by name, each with name, type and length', () => {
    expect(toHex(oracleMessage(first))).toBe(
      '0269310200000008000000000000002a03707431030000002201027e4c1145be85c1d62c24be6ff81f837a1c63d4051071233569b55fb410da4ebd05726f756e6402000000080000000000000001027331040000002101078af152fb1edc2488a6d414ac13e76de66904648c585dc5f5032b3c022716cd027631010000002a' +
        '2a'.repeat(42),
    )
  })

  test('§22.1 oracle: two scalars of the four types of input', () => {
    expect(oracleScalars(group, 'ic-test-domain-sep', first, 2)).toEqual([
      0xe1cc3546518665d7321cd5b5aa7cbae2ae9d8bad3a2f28b495ac3d3af139b460n,
      c1,
    ])
  })

  test('§22.1 oracle: a scalar, then bytes, each over the one before', () => {
    const second = { c1: scalarInput(group, c1), round: integerInput(2n) }
    expect(oracleScalar(group, 'ic-test-domain-sep-2', second)).toBe(c2)
    const third = { c2: scalarInput(group, c2), round: integerInput(3n) }
    expect(toHex(oracleBytes('ic-test-domain-sep-3', third, 42))).toBe(
      'c569bf3e900df5d5e61fdf3b9d798d3089bf9dfd875e8735cb99aef2e5a865f2eb44fb6f363730a4b2dc',
    )
  })

  test('a point is hash to curve under domain, dash and group name', () => {
    const dst = utf8('some-domain-secp256k1')
    const due = group.hashToPoint(oracleMessage(first), dst)
    expect(group.equals(oraclePoint(group, 'some-domain', first), due)).toBe(true)
  })

  test('points given together encode as they do alone', () => {
    const two = group.g.multiplyPublic(2n)
    const together = pointInputs(group, { a: pt1, zero: group.zero, b: two })
    const alone = {
      a: pointInput(group, pt1),
      zero: pointInput(group, group.zero),
      b: pointInput(group, two),
    }
    expect(together).toEqual(alone)
  })

  test('§22.1 structure: moving bytes between name, data and neighbours changes the output', () => {
    const messages = [
      { ab: bytesInput(utf8('c')) },
      { a: bytesInput(utf8('bc')) },
      { abc: bytesInput(utf8('')) },
      { a: bytesInput(utf8('b')), c: bytesInput(utf8('')) },
      { a: bytesInput(utf8('')), c: bytesInput(utf8('b')) },
      { a: integerInput(1n) },
      { a: bytesInput(fromHex('0000000000000001')) },
      { a: scalarInput(group, 1n) },
      { a: bytesInput(fromHex(`01${'00'.repeat(31)}01`)) },
      { a: pointInput(group, group.zero) },
      { a: bytesInput(fromHex(`01${'00'.repeat(33)}`)) },
    ].map((inputs) => toHex(oracleMessage(inputs)))
    expect(new Set(messages).size).toBe(messages.length)
  })

  test('the order in which inputs are given makes no difference', () => {
    const reversed = Object.fromEntries(Object.entries(first).toReversed())
    expect(oracleMessage(reversed)).toEqual(oracleMessage(first))
  })

  test('no input, a nameless one and a name over 255 bytes are bugs', () => {
    const input = integerInput(1n)
    expect(() => oracleMessage({})).toThrow()
    expect(() => oracleMessage({ '': input })).toThrow()
    expect(() => oracleMessage({ ['n'.repeat(256)]: input })).toThrow()
    expect(oracleMessage({ ['n'.repeat(255)]: input })[0]).toBe(255)
    expect(() => integerInput(-1n)).toThrow(RangeError)
    expect(() => integerInput(2n ** 64n)).toThrow(RangeError)
  })
})

describe('seeds', () => {
  test('the first scalar of a seed, and the MEGa key it makes', () => {
    expect(s1).toBe(0x078af152fb1edc2488a6d414ac13e76de66904648c585dc5f5032b3c022716cdn)
    expect(toHex(encodePoint(group, pt1))).toBe(
      '027e4c1145be85c1d62c24be6ff81f837a1c63d4051071233569b55fb410da4ebd',
    )
  })

  test('the key set of the stability test', () => {
    const bytes = utf8('ic-crypto-k256-keyset-serialization-stability-test')
    const secret = Seed.fromBytes(bytes).generator().scalar(group)
    expect(secret).toBe(0x3ec1862141d91394894af980fff6280d84794a224615bf3ad96caaf416d9471cn)
    expect(toHex(encodePoint(group, group.g.multiplySecret(secret)))).toBe(
      '0281c5d1fa035eed47bc3149dd91127d99d15121a1be3c22ca268150b4a9997d6f',
    )
  })

  test('a generator is one stream, however it is cut', () => {
    const seed = Seed.fromBytes(utf8('stream'))
    const whole = toHex(seed.generator().bytes(300))
    const generator = seed.generator()
    const cut = [1, 31, 32, 64, 65, 100, 7].map((size) => toHex(generator.bytes(size)))
    expect(cut.join('')).toBe(whole)
    const words = seed.generator().words(2)
    expect(words[0]).toBe(
      Number.parseInt(whole.slice(0, 8).match(/../g)?.toReversed().join('') ?? '', 16),
    )
  })

  test('labels and ways to a seed give different seeds', () => {
    const seed = Seed.fromBytes(utf8('a'))
    const firsts = [
      seed,
      seed.derive('a'),
      seed.derive('b'),
      seed.derive('a').derive('b'),
      Seed.fromGenerator(seed.generator()),
    ].map((each) => toHex(each.generator().bytes(32)))
    expect(new Set(firsts).size).toBe(firsts.length)
  })

  test('seeds and generators print as [secret]', () => {
    const seed = Seed.fromBytes(utf8('a'))
    const key = toHex(seed.generator().bytes(8))
    for (const secret of [seed, seed.generator()]) {
      expect(String(secret)).toBe('[secret]')
      expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}')
      expect(inspect(secret, { depth: 9, showHidden: true })).not.toContain(key)
    }
  })
})
