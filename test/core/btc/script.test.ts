import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  classifyScript,
  dustThreshold,
  heightPush,
  isPushOnly,
  isUnspendable,
  numberPush,
  opReturnScript,
  p2aScript,
  p2pkhScript,
  p2pkScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  parseScript,
  pushData,
  readOp,
  SCRIPT_SIZE_MAX,
  witnessProgram,
  witnessScript,
} from '../../../src/core/btc/script.ts'

const hash = Uint8Array.from({ length: 20 }, (_, i) => i + 1)
const program = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const key = concat(Uint8Array.of(2), program)
const fullKey = concat(Uint8Array.of(4), program, program)
const multisig = (required: number, count: number) =>
  concat(
    Uint8Array.of(0x50 + required),
    ...new Array<Uint8Array>(count).fill(pushData(key)),
    Uint8Array.of(0x50 + count, 0xae),
  )

describe('kinds of output scripts', () => {
  test.each([
    [p2pkhScript(hash), { type: 'p2pkh', hash }],
    [p2shScript(hash), { type: 'p2sh', hash }],
    [p2wpkhScript(hash), { type: 'p2wpkh', hash }],
    [p2wshScript(program), { type: 'p2wsh', hash: program }],
    [p2trScript(program), { type: 'p2tr', key: program }],
    [p2aScript(), { type: 'p2a' }],
    [p2pkScript(key), { type: 'p2pk', key }],
    [p2pkScript(fullKey), { type: 'p2pk', key: fullKey }],
    [opReturnScript(utf8('hello')), { type: 'opReturn' }],
    [Uint8Array.of(0x6a), { type: 'opReturn' }],
    [multisig(1, 1), { type: 'multisig', required: 1, keys: [key] }],
    [multisig(2, 3), { type: 'multisig', required: 2, keys: [key, key, key] }],
    [witnessScript(16, hash), { type: 'witnessUnknown', version: 16, program: hash }],
    [witnessScript(1, hash), { type: 'witnessUnknown', version: 1, program: hash }],
    [
      fromHex('51024e74'),
      { type: 'witnessUnknown', version: 1, program: Uint8Array.of(0x4e, 0x74) },
    ],
  ])('%#: a builder’s script is recognised', (script, kind) => {
    expect(classifyScript(script)).toEqual(kind)
  })

  test.each([
    ['nothing', ''],
    ['version 0 with a program of 21 bytes', `0015${'00'.repeat(21)}`],
    ['a program of one byte', '510100'],
    ['a program of 41 bytes', `5129${'00'.repeat(41)}`],
    ['a program with a byte after it', `0014${'00'.repeat(21)}`],
    ['a program pushed the long way', `004c14${'00'.repeat(20)}`],
    ['a version that is no number', `5014${'00'.repeat(20)}`],
    ['a key with a foreign first byte', `21${'05'.repeat(33)}ac`],
    ['a key of 34 bytes', `22${'02'.repeat(34)}ac`],
    ['a key hash without its check', `76a914${'00'.repeat(20)}88`],
    ['a key hash of 21 bytes', `76a915${'00'.repeat(21)}88ac`],
    ['a script hash compared otherwise', `a914${'00'.repeat(20)}88`],
    ['a return followed by a cut push', '6a05aa'],
    ['a return followed by an operation', '6aac'],
    ['two of one key', toHex(multisig(2, 1))],
    ['none of one key', toHex(multisig(0, 1))],
    ['four keys', toHex(multisig(1, 4))],
    ['a key count that is wrong', `5121${toHex(key)}52ae`],
    ['an operation among the keys', `5121${toHex(key)}6151ae`],
    ['an unfinished push', '4d00'],
  ])('%s is nonstandard', (_, hex) => {
    expect(classifyScript(fromHex(hex))).toEqual({ type: 'nonstandard' })
  })

  test('builders refuse hashes of the wrong size', () => {
    for (const build of [p2pkhScript, p2shScript, p2wpkhScript])
      expect(() => build(program)).toThrow(BadEncoding)
    for (const build of [p2wshScript, p2trScript]) expect(() => build(hash)).toThrow(BadEncoding)
  })

  test('any bytes have a kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (script) => {
        expect(classifyScript(script).type).toBeTypeOf('string')
        const known = witnessProgram(script)
        if (known !== undefined) expect(witnessScript(known.version, known.program)).toEqual(script)
      }),
    )
  })
})

describe('pushes', () => {
  test.each([
    [0, '00'],
    [75, '4b'],
    [76, '4c4c'],
    [255, '4cff'],
    [256, '4d0001'],
    [520, '4d0802'],
    [65_535, '4dffff'],
  ])('%d bytes are pushed by %s', (size, prefix) => {
    const data = new Uint8Array(size).fill(7)
    const script = pushData(data)
    expect(toHex(script).slice(0, prefix.length)).toBe(prefix)
    const [only, ...others] = parseScript(script) ?? []
    expect(others).toEqual([])
    expect(toHex(only?.data ?? utf8('none'))).toBe(toHex(data))
  })

  test.each([
    [0, '00'],
    [-1, '4f'],
    [1, '51'],
    [16, '60'],
    [17, '0111'],
    [127, '017f'],
    [128, '028000'],
    [255, '02ff00'],
    [256, '020001'],
    [-128, '028080'],
    [-255, '02ff80'],
    [32_768, '03008000'],
    [840_000, '0340d10c'],
  ])('the number %d is pushed as %s', (value, hex) => {
    expect(toHex(numberPush(value))).toBe(hex)
  })

  test('heights are numbers (BIP34): opcodes up to 16, bytes above', () => {
    expect(toHex(heightPush(1))).toBe('51')
    expect(toHex(heightPush(16))).toBe('60')
    expect(toHex(heightPush(17))).toBe('0111')
    expect(toHex(heightPush(300_025))).toBe('03f99304')
  })

  test('a script is its operations, one after the other', () => {
    const script = fromHex('0051024e734c01ff4e02000000aabbac')
    const ops = parseScript(script) ?? []
    expect(ops.map(({ opcode }) => opcode)).toEqual([0, 0x51, 2, 0x4c, 0x4e, 0xac])
    expect(ops.map(({ data }) => data && toHex(data))).toEqual([
      '',
      undefined,
      '4e73',
      'ff',
      'aabb',
      undefined,
    ])
    expect(readOp(script, script.length)).toBeUndefined()
  })

  test.each(['01', '4c', '4c01', '4d01', '4d0100', '4e010000', '4effffffff00', '4b00'])(
    'the cut push %s is no script',
    (hex) => {
      expect(parseScript(fromHex(hex))).toBeUndefined()
      expect(isPushOnly(fromHex(hex))).toBe(false)
    },
  )

  test('push-only ends at OP_16', () => {
    expect(isPushOnly(fromHex('00014f4f5160'))).toBe(true)
    expect(isPushOnly(fromHex('61'))).toBe(false)
  })
})

describe('dust (§14.9)', () => {
  test.each([
    [p2wpkhScript(hash), 294n],
    [p2wshScript(program), 330n],
    [p2trScript(program), 330n],
    [p2pkhScript(hash), 546n],
    [p2shScript(hash), 540n],
    [p2aScript(), 240n],
    [p2pkScript(key), 576n],
    [opReturnScript(hash), 0n],
    [witnessScript(2, new Uint8Array(40)), 354n],
    [new Uint8Array(300), 3n * (8n + 3n + 300n + 148n)],
  ])('%#: the threshold of the script', (script, threshold) => {
    expect(dustThreshold(script)).toBe(threshold)
  })
})

test('returns and scripts of over 10,000 bytes can never be spent', () => {
  expect(isUnspendable(Uint8Array.of(0x6a, 0xac))).toBe(true)
  expect(isUnspendable(new Uint8Array(SCRIPT_SIZE_MAX))).toBe(false)
  expect(isUnspendable(new Uint8Array(SCRIPT_SIZE_MAX + 1))).toBe(true)
})
