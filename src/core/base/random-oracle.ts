/**
 * Random oracle with named, typed inputs. Source: threshold specification §§3.2, 3.4; RFC 9380
 * §5.3.1.
 */
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bigEndian, compareBytes, concat, fromBigEndian, u32be, u64be, utf8 } from './bytes.ts'
import { assert, present } from './errors.ts'
import type { Group } from './group.ts'
import { encodePoint, mod } from './group.ts'

/** Length of one wide-reduced scalar: 256 bits and 128 more, so that the bias is below 2^-128. */
const WIDE_SCALAR_SIZE = 48
const XMD_SIZE_MAX = 8160
const NAME_SIZE_MAX = 255

/**
 * One input, already encoded; made by `bytesInput`, `integerInput`, `pointInput`, `scalarInput`.
 */
export type OracleInput = { readonly type: 1 | 2 | 3 | 4; readonly data: Uint8Array }
export type OracleInputs = Readonly<Record<string, OracleInput>>

export const bytesInput = (data: Uint8Array): OracleInput => ({ type: 1, data })
export const integerInput = (value: bigint): OracleInput => ({ type: 2, data: u64be(value) })
export const pointInput = <P>(group: Group<P>, point: P): OracleInput => ({
  type: 3,
  data: concat(Uint8Array.of(group.tag), encodePoint(group, point)),
})
export const scalarInput = <P>(group: Group<P>, scalar: bigint): OracleInput => ({
  type: 4,
  data: concat(Uint8Array.of(group.tag), group.encodeScalar(scalar)),
})

/** Several points as inputs under their names, with one shared inversion. */
export function pointInputs<P>(
  group: Group<P>,
  points: Readonly<Record<string, P>>,
): Record<string, OracleInput> {
  const names = Object.keys(points)
  const encoded = group.encode(Object.values(points))
  const input = (index: number): OracleInput => ({
    type: 3,
    data: concat(Uint8Array.of(group.tag), present(encoded[index], 'every point is encoded')),
  })
  return Object.fromEntries(names.map((name, index) => [name, input(index)]))
}

/** expand_message_xmd with SHA-256; a long `dst` is hashed as RFC 9380 §5.3.3 says. */
export function expandMessage(
  message: Uint8Array,
  dst: Uint8Array | string,
  size: number,
): Uint8Array {
  assert(size <= XMD_SIZE_MAX, 'expand_message_xmd gives at most 8160 bytes')
  return expand_message_xmd(message, typeof dst === 'string' ? utf8(dst) : dst, size, sha256)
}

/** `count` scalars mod the order, each from 48 bytes, big-endian whatever the group. */
export function hashToScalars<P>(
  group: Group<P>,
  { message, dst, count }: { message: Uint8Array; dst: string; count: number },
): bigint[] {
  const wide = expandMessage(message, dst, WIDE_SCALAR_SIZE * count)
  return Array.from({ length: count }, (_, i) =>
    mod(
      fromBigEndian(wide.subarray(WIDE_SCALAR_SIZE * i, WIDE_SCALAR_SIZE * (i + 1))),
      group.order,
    ),
  )
}

/** The bytes that are hashed: inputs sorted by name, each with name, type and length. */
export function oracleMessage(inputs: OracleInputs): Uint8Array {
  const named = Object.entries(inputs).map(([name, input]) => ({ name: utf8(name), input }))
  assert(named.length > 0, 'an oracle has at least one input')
  named.sort((a, b) => compareBytes(a.name, b.name))
  return concat(...named.map(({ name, input }) => encodeInput(name, input)))
}

function encodeInput(name: Uint8Array, { type, data }: OracleInput): Uint8Array {
  assert(name.length >= 1 && name.length <= NAME_SIZE_MAX, 'an input name has 1 to 255 bytes')
  return concat(
    bigEndian(BigInt(name.length), 1),
    name,
    Uint8Array.of(type),
    u32be(data.length),
    data,
  )
}

export function oracleBytes(domain: string, inputs: OracleInputs, size: number): Uint8Array {
  return expandMessage(oracleMessage(inputs), domain, size)
}

export function oracleScalars<P>(
  group: Group<P>,
  domain: string,
  inputs: OracleInputs,
  count = 1,
): bigint[] {
  const dst = `${domain}-${group.domainName}`
  return hashToScalars(group, { message: oracleMessage(inputs), dst, count })
}

export function oracleScalar<P>(group: Group<P>, domain: string, inputs: OracleInputs): bigint {
  return present(oracleScalars(group, domain, inputs)[0], 'one scalar was asked for')
}

export function oraclePoint<P>(group: Group<P>, domain: string, inputs: OracleInputs): P {
  return group.hashToPoint(oracleMessage(inputs), utf8(`${domain}-${group.domainName}`))
}
