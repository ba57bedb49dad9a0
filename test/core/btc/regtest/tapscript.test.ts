/**
 * Goal: every rule of BIP342, with Bitcoin Core's error for it, by consensus and by policy.
 * Method: scripts in the notation of Core's vectors; a key is written as a push of it. Each rule is
 * shown kept and broken, limits on both sides.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../../src/core/base/bytes.ts'
import { sha256 } from '../../../../src/core/base/hash.ts'
import { CONSENSUS_FLAGS, STANDARD_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import { p2wshScript, pushData } from '../../../../src/core/btc/script.ts'
import { assemble } from './script-assembly.ts'
import type { Sign, SpendParts } from './taproot-spends.ts'
import { makeSpend, runTaproot } from './taproot-spends.ts'
import { keyOf, secretOf } from './taproots.ts'

const EMPTY = new Uint8Array(0)
const bytes = (size: number, byte = 7): Uint8Array => new Uint8Array(size).fill(byte)
const push = (data: Uint8Array): string => `0x${toHex(pushData(data))}`
const KEY = push(keyOf(2))
const KEY_3 = push(keyOf(3))
const UNKNOWN_KEY = push(bytes(33, 2))
const OFF_CURVE = push(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 5 : 0)))

type Stack = SpendParts['stack']
type Given = Partial<SpendParts> & { readonly script: string | Uint8Array }

const partsOf = ({ script, ...parts }: Given): SpendParts => ({
  stack: () => [],
  leaf: { script: typeof script === 'string' ? assemble(script) : script },
  ...parts,
})

const consensus = (given: Given): string => runTaproot(partsOf(given), CONSENSUS_FLAGS)
const policy = (given: Given): string => runTaproot(partsOf(given), STANDARD_FLAGS)

const items =
  (...list: readonly Uint8Array[]): Stack =>
  () =>
    list
const signed: Stack = (sign) => [sign()]
const one = Uint8Array.of(1)

/** Script, stack, the error by consensus, and that of policy where it is another. */
type Case = readonly [script: string, stack: Stack, error: string, policyError?: string]

const TITLE_MAX = 70
const titleOf = (script: string): string =>
  script.length > TITLE_MAX ? `${script.slice(0, TITLE_MAX)}… (${script.length})` : script

function runAll(cases: readonly Case[]): void {
  const rows = cases.map(([script, stack, error, policyError = error]) => ({
    title: titleOf(script),
    given: { script, stack },
    error,
    policyError,
  }))
  test.each(rows)('$title: $error, by policy $policyError', ({ given, error, policyError }) => {
    expect(consensus(given)).toBe(error)
    expect(policy(given)).toBe(policyError)
  })
}

describe('signature opcodes', () => {
  const type =
    (hashType: number): Stack =>
    (sign) => [sign({ hashType })]
  runAll([
    [`${KEY} CHECKSIG`, signed, 'OK'],
    [`${KEY} CHECKSIG`, type(0x83), 'OK'],
    [`${KEY} CHECKSIG`, items(EMPTY), 'EVAL_FALSE'],
    [`${KEY} CHECKSIG NOT`, items(EMPTY), 'OK'],
    [`${KEY} CHECKSIG`, (sign) => [sign({ secret: secretOf(3) })], 'SCHNORR_SIG'],
    [`${KEY} CHECKSIG NOT`, (sign) => [sign({ secret: secretOf(3) })], 'SCHNORR_SIG'],
    [`${KEY} CHECKSIG`, items(bytes(63)), 'SCHNORR_SIG_SIZE'],
    [`${KEY} CHECKSIG`, items(bytes(66)), 'SCHNORR_SIG_SIZE'],
    [
      `${KEY} CHECKSIG`,
      (sign) => [concat(sign(), EMPTY, Uint8Array.of(0))],
      'SCHNORR_SIG_HASHTYPE',
    ],
    [`${KEY} CHECKSIG`, (sign) => [concat(sign(), Uint8Array.of(4))], 'SCHNORR_SIG_HASHTYPE'],
    [`${KEY} CHECKSIG`, items(), 'INVALID_STACK_OPERATION'],
    [`${KEY} CHECKSIGVERIFY 1`, signed, 'OK'],
    [`${KEY} CHECKSIGVERIFY 1`, items(EMPTY), 'CHECKSIGVERIFY'],
    [`${KEY} CHECKSIGVERIFY 1`, items(bytes(64)), 'SCHNORR_SIG'],
    [`0 ${KEY} CHECKSIGADD`, signed, 'OK'],
    [`1 ${KEY} CHECKSIGADD 2 EQUAL`, signed, 'OK'],
    [`-1 ${KEY} CHECKSIGADD 0 EQUAL`, signed, 'OK'],
    [`0 ${KEY} CHECKSIGADD`, items(EMPTY), 'EVAL_FALSE'],
    [`5 ${KEY} CHECKSIGADD 5 EQUAL`, items(EMPTY), 'OK'],
    [`0 ${KEY} CHECKSIGADD`, items(bytes(64)), 'SCHNORR_SIG'],
    [`0 ${KEY} CHECKSIGADD`, items(), 'INVALID_STACK_OPERATION'],
    [`0x04 0xffffff7f ${KEY} CHECKSIGADD 0x05 0x0000008000 EQUAL`, signed, 'OK'],
    [`0x05 0x0000008000 ${KEY} CHECKSIGADD`, items(bytes(64)), 'UNKNOWN_ERROR'],
    [`0x02 0x0100 ${KEY} CHECKSIGADD 2 EQUAL`, signed, 'OK', 'UNKNOWN_ERROR'],
    [
      `${KEY} CHECKSIG ${KEY_3} CHECKSIGADD 2 NUMEQUAL`,
      (sign) => [sign({ secret: secretOf(3) }), sign()],
      'OK',
    ],
    [`${KEY} CHECKSIG ${KEY_3} CHECKSIGADD 2 NUMEQUAL`, (sign) => [EMPTY, sign()], 'EVAL_FALSE'],
    [`1 ${KEY} 1 CHECKMULTISIG`, (sign) => [EMPTY, sign()], 'TAPSCRIPT_CHECKMULTISIG'],
    [`1 ${KEY} 1 CHECKMULTISIGVERIFY 1`, (sign) => [EMPTY, sign()], 'TAPSCRIPT_CHECKMULTISIG'],
    ['0 IF CHECKMULTISIG CHECKMULTISIGVERIFY ENDIF 1', items(), 'OK'],
  ])

  test('CHECKSIGADD is of tapscript alone', () => {
    const code = assemble(`1 0 ${KEY} CHECKSIGADD`)
    for (const script of [code, p2wshScript(sha256(code))]) {
      const change: SpendParts['change'] = (made) => ({
        ...made,
        spent: made.spent.map((output, i) => (i === 1 ? { ...output, script } : output)),
        witness: script === code ? [] : [code],
      })
      expect(runTaproot({ stack: () => [], change }, CONSENSUS_FLAGS)).toBe('BAD_OPCODE')
    }
  })
})

describe('keys', () => {
  const unknown = 'DISCOURAGE_UPGRADABLE_PUBKEYTYPE'
  const any = items(one)
  runAll([
    ['0 CHECKSIG', signed, 'PUBKEYTYPE'],
    ['0 CHECKSIG', items(EMPTY), 'PUBKEYTYPE'],
    ['0 CHECKSIGVERIFY 1', signed, 'PUBKEYTYPE'],
    ['0 0 CHECKSIGADD', signed, 'PUBKEYTYPE'],
    [`${OFF_CURVE} CHECKSIG`, items(bytes(64)), 'SCHNORR_SIG'],
    [`${OFF_CURVE} CHECKSIG NOT`, items(EMPTY), 'OK'],
    [`${UNKNOWN_KEY} CHECKSIG`, any, 'OK', unknown],
    [`${UNKNOWN_KEY} CHECKSIGVERIFY 1`, any, 'OK', unknown],
    [`0 ${UNKNOWN_KEY} CHECKSIGADD`, any, 'OK', unknown],
    [`${UNKNOWN_KEY} CHECKSIG`, items(EMPTY), 'EVAL_FALSE', unknown],
    [`${UNKNOWN_KEY} CHECKSIGVERIFY 1`, items(EMPTY), 'CHECKSIGVERIFY', unknown],
    ['1 CHECKSIG', any, 'OK', unknown],
    [`${push(bytes(31))} CHECKSIG`, any, 'OK', unknown],
    [`${push(bytes(520))} CHECKSIG`, any, 'OK', unknown],
  ])
})

describe('the weight of signatures', () => {
  /** `extra` more signatures than the one that the script ends with. */
  const many = (extra: number, key: string): string =>
    `${key} ${'2DUP CHECKSIGVERIFY '.repeat(extra)} CHECKSIG`
  const witnessBytes = (given: Given): number =>
    makeSpend(partsOf(given)).witness.reduce(
      (size, { length }) => size + length + (length < 0xfd ? 1 : 3),
      1,
    )

  test.each([
    ['a known key', KEY, signed],
    ['an unknown one', UNKNOWN_KEY, items(bytes(64))],
  ])('is 50 for each signature under %s, of the witness and 50 more', (_, key, stack) => {
    for (const extra of [1, 5, 40]) {
      const script = many(extra, key)
      const bare = witnessBytes({ script, stack, annex: Uint8Array.of(0x50) })
      // The annex pays for what the rest of the witness does not.
      const missing = Math.max(0, 50 * (extra + 1) - 50 - bare)
      const wide = missing >= 0xfc ? 2 : 0 // Of a long annex the length itself takes two bytes more.
      const annexOf = (size: number): Uint8Array => concat(Uint8Array.of(0x50), bytes(size))
      const enough = { script, stack, annex: annexOf(missing - wide) }
      expect(consensus(enough)).toBe('OK')
      if (missing === 0) continue
      expect(witnessBytes(enough)).toBe(50 * (extra + 1) - 50)
      const little = { script, stack, annex: annexOf(missing - wide - 1) }
      expect(consensus(little)).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
    }
  })

  test('is nothing for an empty signature', () => {
    const script = `${KEY} ${'2DUP CHECKSIG DROP '.repeat(300)} CHECKSIG NOT`
    expect(policy({ script, stack: items(EMPTY) })).toBe('OK')
  })

  test('is taken before the key is looked at', () => {
    const script = `0 ${'2DUP CHECKSIGVERIFY '.repeat(30)} CHECKSIG`
    expect(consensus({ script, stack: items(bytes(64)) })).toBe('PUBKEYTYPE')
    const drained = `${UNKNOWN_KEY} ${'2DUP CHECKSIGVERIFY '.repeat(2)} DROP 0 CHECKSIG`
    expect(consensus({ script: drained, stack: items(one) })).toBe('TAPSCRIPT_VALIDATION_WEIGHT')
  })
})

describe('OP_SUCCESS', () => {
  const isSuccess = (code: number): boolean =>
    code === 80 ||
    code === 98 ||
    (code >= 126 && code <= 129) ||
    (code >= 131 && code <= 134) ||
    (code >= 137 && code <= 138) ||
    (code >= 141 && code <= 142) ||
    (code >= 149 && code <= 153) ||
    (code >= 187 && code <= 254)

  test('is what BIP342 lists: 87 opcodes, each of which ends the script well', () => {
    const codes = Array.from({ length: 256 }, (_, code) => code)
    const succeed = codes.filter((code) => {
      // What fails stands before it, and a push that is cut short after it.
      const script = concat(assemble('RETURN'), Uint8Array.of(code), Uint8Array.of(0x4c))
      return code !== 0x4c && consensus({ script }) === 'OK'
    })
    expect(succeed).toEqual(codes.filter(isSuccess))
    expect(succeed.length).toBe(87)
    for (const code of succeed)
      expect(policy({ script: Uint8Array.of(code) })).toBe('DISCOURAGE_OP_SUCCESS')
  })

  const success = Uint8Array.of(0xbb)
  test.each([
    [
      'more items than a stack may hold',
      { script: success, stack: items(...Array.from({ length: 1_500 }, () => one)) },
    ],
    ['items that are too large', { script: success, stack: items(bytes(600)) }],
    ['a push that is too large', { script: concat(pushData(bytes(600)), success) }],
    ['a branch that is not taken', { script: concat(assemble('0 IF'), success) }],
    ['a script of 20,000 bytes', { script: concat(bytes(20_000, 0x61), success) }],
  ])('comes before all else: %s', (_, given) => {
    expect(consensus(given)).toBe('OK')
  })

  test('is no byte of a push, and is not seen behind a push that is cut short', () => {
    expect(consensus({ script: concat(pushData(success), assemble('DROP RETURN')) })).toBe(
      'OP_RETURN',
    )
    expect(consensus({ script: concat(Uint8Array.of(0x05), success) })).toBe('BAD_OPCODE')
    // The whole script is read before any of it runs.
    expect(consensus({ script: Uint8Array.of(0x6a, 0x4d, 0xff) })).toBe('BAD_OPCODE')
  })
})

describe('limits', () => {
  const stackOf = (count: number): Stack => items(...Array.from({ length: count }, () => one))
  const drops = (count: number): string => 'DROP '.repeat(count)
  runAll([
    [drops(999), stackOf(1_000), 'OK'],
    [drops(1_000), stackOf(1_001), 'STACK_SIZE'],
    [`1 ${drops(1_000)}`, stackOf(1_000), 'STACK_SIZE'],
    [`TOALTSTACK DUP ${drops(998)}`, stackOf(999), 'OK'],
    [`TOALTSTACK DUP ${drops(999)}`, stackOf(1_000), 'STACK_SIZE'],
    ['SIZE 0x02 0x0802 EQUALVERIFY DROP 1', items(bytes(520)), 'OK'],
    ['DROP 1', items(bytes(521)), 'PUSH_SIZE'],
    [`${push(bytes(520))} DROP 1`, items(), 'OK'],
    [`${push(bytes(521))} DROP 1`, items(), 'PUSH_SIZE'],
    [`0 IF ${push(bytes(521))} ENDIF 1`, items(), 'PUSH_SIZE'],
  ])

  test('neither the size of the script nor the number of its operations is one', () => {
    expect(policy({ script: `${'NOP '.repeat(20_000)}1` })).toBe('OK')
  })

  test('thirty thousand open IFs are closed again', () => {
    const depth = 30_000
    const open = concat(...Array.from({ length: depth }, () => Uint8Array.of(0x51, 0x63)))
    const script = concat(open, bytes(depth, 0x68), Uint8Array.of(0x51))
    expect(consensus({ script })).toBe('OK')
    expect(consensus({ script: concat(open, Uint8Array.of(0x51)) })).toBe('UNBALANCED_CONDITIONAL')
  })
})

describe('the end and the branches', () => {
  const minimal = 'TAPSCRIPT_MINIMALIF'
  const nop = 'DISCOURAGE_UPGRADABLE_NOPS'
  runAll([
    ['1', items(), 'OK'],
    ['0', items(), 'EVAL_FALSE'],
    ['0x01 0x80', items(), 'EVAL_FALSE'],
    ['NOP', items(), 'CLEANSTACK'],
    ['1 1', items(), 'CLEANSTACK'],
    ['1', items(one), 'CLEANSTACK'],
    ['IF 1 ELSE 1 ENDIF', items(one), 'OK'],
    ['NOTIF 1 ELSE 1 ENDIF', items(EMPTY), 'OK'],
    ['IF 1 ELSE 1 ENDIF', items(Uint8Array.of(2)), minimal],
    ['IF 1 ELSE 1 ENDIF', items(Uint8Array.of(0)), minimal],
    ['IF 1 ELSE 1 ENDIF', items(Uint8Array.of(1, 0)), minimal],
    ['NOTIF 1 ELSE 1 ENDIF', items(Uint8Array.of(2)), minimal],
    ['IF 1', items(one), 'UNBALANCED_CONDITIONAL'],
    ['IF 1 ENDIF', items(), 'UNBALANCED_CONDITIONAL'],
    ['1 ENDIF', items(), 'UNBALANCED_CONDITIONAL'],
    ['1 ELSE', items(), 'UNBALANCED_CONDITIONAL'],
    ['0 IF RETURN ELSE 1 ELSE RETURN ENDIF', items(), 'OK'],
    ['0 IF 0xff ENDIF 1', items(), 'OK'],
    ['0 IF VERIF ENDIF 1', items(), 'BAD_OPCODE'],
    ['0xff 1', items(), 'BAD_OPCODE'],
    ['RETURN 1', items(), 'OP_RETURN'],
    ['0 VERIFY 1', items(), 'VERIFY'],
    ['0x4c 0x01 0x07', items(), 'OK', 'MINIMALDATA'],
    ['0x01 0x01', items(), 'OK', 'MINIMALDATA'],
    ['NOP1 1', items(), 'OK', nop],
    ['NOP10 1', items(), 'OK', nop],
  ])
})

describe('CODESEPARATOR', () => {
  /** The position that the signature names, and the one that the script is at. */
  const at =
    (codeSeparator: number | undefined): Stack =>
    (sign: Sign) => [sign({ codeSeparator })]
  test.each([
    [`${KEY} CHECKSIG`, undefined],
    [`CODESEPARATOR ${KEY} CHECKSIG`, 0],
    [`0 DROP CODESEPARATOR ${KEY} CHECKSIG`, 2],
    [`CODESEPARATOR ${push(bytes(300))} DROP CODESEPARATOR ${KEY} CHECKSIG`, 3],
    [`${KEY} CODESEPARATOR CHECKSIG`, 1],
    [`${KEY} CHECKSIG CODESEPARATOR`, undefined],
    [`0 IF CODESEPARATOR ENDIF ${KEY} CHECKSIG`, undefined],
    [`1 IF CODESEPARATOR ELSE CODESEPARATOR ENDIF ${KEY} CHECKSIG`, 2],
  ])('is signed by its position: case %#', (script, position) => {
    expect(policy({ script, stack: at(position) })).toBe('OK')
    for (const wrong of [undefined, 0, 1, 2, 3, 4].filter((other) => other !== position))
      expect(consensus({ script, stack: at(wrong) })).toBe('SCHNORR_SIG')
  })
})

describe('lock times', () => {
  const late = { script: '100 CHECKLOCKTIMEVERIFY' }
  const old = { script: '10 CHECKSEQUENCEVERIFY' }
  test.each([
    ['a lock time reached', { ...late, lockTime: 100 }, 'OK'],
    ['a lock time not reached', { ...late, lockTime: 99 }, 'UNSATISFIED_LOCKTIME'],
    ['a final input', { ...late, lockTime: 100, sequence: 0xffff_ffff }, 'UNSATISFIED_LOCKTIME'],
    ['a negative one', { script: '-1 CHECKLOCKTIMEVERIFY' }, 'NEGATIVE_LOCKTIME'],
    ['an age reached', { ...old, sequence: 10 }, 'OK'],
    ['an age not reached', { ...old, sequence: 9 }, 'UNSATISFIED_LOCKTIME'],
    ['a negative age', { script: '-1 CHECKSEQUENCEVERIFY' }, 'NEGATIVE_LOCKTIME'],
  ])('%s', (_, given, error) => {
    expect(policy(given)).toBe(error)
  })
})
