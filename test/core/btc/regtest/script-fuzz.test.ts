/**
 * Goal: no script and no witness makes the interpreter throw, run without bound or hold without
 * bound, and flags only ever take away.
 * Method: random scripts weighted towards what runs far, under random flags in each of the three
 * languages; then Core's rows and our tapscripts with bytes changed, cut, doubled and swapped.
 */
import fc from 'fast-check'
import type { TestContext } from 'vitest'
import { describe, expect, test } from 'vitest'
import { concat, equalBytes, fromHex } from '../../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../../src/core/base/errors.ts'
import { sha256 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import { runScript } from '../../../../src/core/btc/regtest/interpreter.ts'
import type { ScriptFlag } from '../../../../src/core/btc/regtest/script-rules.ts'
import { SCRIPT_ERROR_TEXT } from '../../../../src/core/btc/regtest/script-rules.ts'
import { spendChecker } from '../../../../src/core/btc/regtest/spend-checker.ts'
import { p2wshScript, pushData } from '../../../../src/core/btc/script.ts'
import { sighashType } from '../../../../src/core/btc/sighash.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  encodeTransaction,
  transactionFromParts,
} from '../../../../src/core/btc/transaction.ts'
import { Random } from '../../../support/random.ts'
import { seedsTo } from '../../../support/seeds.ts'
import { vectorJson } from '../../../support/vectors.ts'
import { hashOf } from '../builders.ts'
import { assemble } from './script-assembly.ts'
import { ALL_FLAGS, filled, flagNames, scriptRunner, trimmed } from './script-flags.ts'
import { makeSpend } from './taproot-spends.ts'
import { keyOf } from './taproots.ts'

const VERDICTS = new Set<string>(['OK', ...Object.keys(SCRIPT_ERROR_TEXT)])

/** With the languages switched on: without their flags every spend is good. */
const flagSets = fc
  .subarray([...ALL_FLAGS])
  .map((flags): readonly ScriptFlag[] => ['P2SH', 'WITNESS', 'TAPROOT', ...flags])
/** Not those that are disabled, or let a tapscript succeed. */
const ordinary = Array.from({ length: 0xbb - 0x4f }, (_, i) => 0x4f + i).filter(
  (code) =>
    code !== 0x50 &&
    code !== 0x62 &&
    !(code >= 0x7e && code <= 0x86 && code !== 0x82) &&
    !(
      code >= 0x89 &&
      code <= 0x99 &&
      ![0x8b, 0x8c, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94].includes(code)
    ),
)
const item = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 4 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 64, maxLength: 74 }) },
  { weight: 1, arbitrary: fc.constant(keyOf(2)) },
  { weight: 1, arbitrary: fc.nat(530).map((size) => new Uint8Array(size)) },
)
const piece = fc.oneof(
  { weight: 4, arbitrary: item.map(pushData) },
  { weight: 8, arbitrary: fc.constantFrom(...ordinary).map((code) => Uint8Array.of(code)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('DUP', '2DUP', '3DUP', '1', '0', '1 IF', 'ELSE', 'ENDIF')
      .map(assemble),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 5 }) },
)
/** Empties the stack and leaves one true item, so that a script that came this far is good. */
const ending = assemble(`${'DEPTH 0NOTEQUAL IF DROP ENDIF '.repeat(15)} 1`)
const scripts = fc
  .tuple(fc.array(piece, { maxLength: 30 }), fc.constantFrom(ending, new Uint8Array(0)))
  .map(([pieces, end]) => concat(...pieces, end))
const stacks = fc.array(item, { maxLength: 8 })

const coin: TxOut = { value: sat(5_000n), script: Uint8Array.of(0x51) }
const spending = (scriptSig: Uint8Array, witness: readonly Uint8Array[]): Transaction =>
  transactionFromParts({
    inputs: [{ outpoint: { txid: hashOf('coin'), vout: 0 }, scriptSig, witness, sequence: 9 }],
    outputs: [{ value: sat(1_000n), script: Uint8Array.of(0x51) }],
    lockTime: 7,
  })

type Language = (
  script: Uint8Array,
  stack: readonly Uint8Array[],
) => ReturnType<typeof scriptRunner>

const languages: Readonly<Record<string, Language>> = {
  'old scripts': (script, stack) =>
    scriptRunner(spending(concat(...stack.map(pushData)), []), [{ ...coin, script }]),
  'witness version 0': (script, stack) =>
    scriptRunner(spending(new Uint8Array(0), [...stack, script]), [
      { ...coin, script: p2wshScript(sha256(script)) },
    ]),
  tapscript: (script, stack) => {
    const { tx, spent, witness } = makeSpend({ leaf: { script }, stack: () => stack })
    const inputs = tx.inputs.map((input, i) => (i === 1 ? { ...input, witness } : input))
    return scriptRunner({ ...tx, inputs }, spent)
  },
}

describe('random scripts', () => {
  test.each(Object.entries(languages))(
    '%s: a verdict, and fewer flags keep a good one',
    (_, of) => {
      let good = 0
      fc.assert(
        fc.property(scripts, stacks, flagSets, flagSets, (script, stack, some, more) => {
          const run = of(script, stack)
          const strict = run(filled([...some, ...more]))
          const lax = run(trimmed(some))
          expect(VERDICTS.has(strict)).toBe(true)
          expect(VERDICTS.has(lax)).toBe(true)
          if (strict === 'OK') expect(lax).toBe('OK')
          if (lax === 'OK') good += 1
        }),
        { numRuns: 300 },
      )
      expect(good).toBeGreaterThan(0)
    },
  )

  test('what a run leaves on its stack is bounded, and nothing it was given is changed', () => {
    const tx = spending(new Uint8Array(0), [])
    const checker = spendChecker(tx, [coin])(0)
    const version = fc.constantFrom('base', 'v0', 'tapscript')
    fc.assert(
      fc.property(scripts, stacks, flagSets, version, (script, stack, flags, language) => {
        const before = [script, ...stack].map((bytes) => bytes.slice())
        const common = { flags: new Set(flags), checker }
        const leaf = { hash: hashOf('leaf'), annexHash: undefined, weightLeft: 1_000 }
        const context =
          language === 'tapscript'
            ? { ...common, version: 'tapscript' as const, leaf }
            : { ...common, version: language === 'v0' ? ('v0' as const) : ('base' as const) }
        const running = [...stack]
        runScript(concat(...Array.from({ length: 6 }, () => script)), running, context)
        expect(running.length).toBeLessThanOrEqual(1_003)
        expect(running.every(({ length }) => length <= 530)).toBe(true)
        expect([script, ...stack]).toEqual(before)
      }),
      { numRuns: 300 },
    )
  })
})

/** Some bytes are changed, cut out, doubled, or brought from elsewhere. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  const size = 1 + random.below(random.oneIn(4) ? 40 : 3)
  const [head, own, tail] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + size),
    bytes.subarray(at + size),
  ]
  switch (random.below(5)) {
    case 0:
      return concat(
        head,
        own.map((byte) => byte ^ (1 << random.below(8))),
        tail,
      )
    case 1:
      return concat(head, tail)
    case 2:
      return concat(head, own, own, tail)
    case 3:
      return concat(
        head,
        own.map(() => random.below(256)),
        tail,
      )
    default:
      return concat(
        head,
        bytes.subarray(random.below(bytes.length + 1)).subarray(0, size),
        own,
        tail,
      )
  }
}

const anyFlags = (random: Random) => filled(ALL_FLAGS.filter(() => random.oneIn(2)))

type Row = readonly [readonly (readonly [string, number, string, number?])[], string, string]

function rowsOf(context: TestContext): readonly Row[] {
  return ['tx_valid.json', 'tx_invalid.json'].flatMap((file) =>
    vectorJson<readonly (readonly unknown[])[]>(context, `bitcoin-core/${file}`).filter(
      (row): row is Row => row.length === 3,
    ),
  )
}

/** Mutants of one seed; `SEED` names one, and this many seeds are the slice of every run. */
const SLICE = 4
const MUTANTS = 250

describe('mutated spends', () => {
  test.for(seedsTo(SLICE))('transactions of Core get a verdict, seed %i', (seed, context) => {
    const rows = rowsOf(context)
    const random = new Random(`scripts ${seed}`)
    let decoded = 0
    for (let i = 0; i < MUTANTS; i++) {
      const [prevouts, hex] = random.pick(rows)
      const tx = attempt(() => decodeTransaction(mutate(random, fromHex(hex))))
      if (tx instanceof BadEncoding) continue
      const spent = tx.inputs.map((_, at): TxOut => {
        const [, , script = '', value = 0] = prevouts[at % prevouts.length] ?? []
        const output = assemble(String(script))
        return {
          value: sat(BigInt(value)),
          script: random.oneIn(3) ? mutate(random, output) : output,
        }
      })
      const flags = anyFlags(random)
      expect(VERDICTS.has(scriptRunner(tx, spent)(flags)), `mutant ${i}`).toBe(true)
      expect(decodeTransaction(encodeTransaction(tx))).toEqual(tx)
      decoded += 1
    }
    expect(decoded).toBeGreaterThan(MUTANTS / 4)
  })

  test.for(seedsTo(SLICE))('rows of script_tests.json get a verdict, seed %i', (seed, context) => {
    const rows = vectorJson<readonly (readonly unknown[])[]>(
      context,
      'bitcoin-core/script_tests.json',
    ).filter((row) => row.length >= 4 && !JSON.stringify(row).includes('#'))
    const random = new Random(`rows ${seed}`)
    for (let i = 0; i < MUTANTS; i++) {
      const row = random.pick(rows)
      const [first] = row
      const witness = Array.isArray(first)
        ? first.slice(0, -1).map((hex) => fromHex(String(hex)))
        : []
      const [sig, key, names] = (Array.isArray(first) ? row.slice(1) : row).map(String)
      const parts = [assemble(sig ?? ''), assemble(key ?? ''), ...witness]
      const chosen = random.below(parts.length)
      const [scriptSig = coin.script, script = coin.script, ...items] = parts.map((part, at) =>
        at === chosen ? mutate(random, part) : part,
      )
      const known = ALL_FLAGS.filter((flag) => flagNames(names ?? '').includes(flag))
      const run = scriptRunner(spending(scriptSig, items), [{ ...coin, script }])
      for (const flags of [filled(known), anyFlags(random)])
        expect(VERDICTS.has(run(flags)), `mutant ${i}`).toBe(true)
    }
  })

  test.each(seedsTo(SLICE))(
    'tapscripts are spent by no mutant of their witness, seed %i',
    (seed) => {
      const random = new Random(`tapscripts ${seed}`)
      const key = pushData(keyOf(2))
      const made = makeSpend({
        leaf: { script: concat(key, assemble('CHECKSIGVERIFY'), key, assemble('CHECKSIG')) },
        siblings: [hashOf('beside'), hashOf('above')],
        annex: Uint8Array.of(0x50, 1, 2, 3),
        stack: (sign) => [sign(), sign({ hashType: sighashType.all })],
      })
      const verdictOf = (witness: readonly Uint8Array[]): string => {
        const inputs = made.tx.inputs.map((input, i) => (i === 1 ? { ...input, witness } : input))
        return scriptRunner({ ...made.tx, inputs }, made.spent)(filled(ALL_FLAGS))
      }
      expect(verdictOf(made.witness)).toBe('OK')
      for (let i = 0; i < MUTANTS / 2; i++) {
        const chosen = random.below(made.witness.length)
        const witness = made.witness.map((part, at) =>
          at === chosen ? mutate(random, part) : part,
        )
        const isSame = witness.every((part, at) => equalBytes(part, made.witness[at] ?? part))
        const verdict = verdictOf(witness)
        expect(VERDICTS.has(verdict)).toBe(true)
        // Script, path, annex and signatures are all committed to: no second witness exists.
        expect(verdict === 'OK', `mutant ${i}: ${verdict}`).toBe(isSame)
      }
    },
  )
})
