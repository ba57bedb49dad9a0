/** Which inputs and witnesses are standard: Core's AreInputsStandard and IsWitnessStandard. */
import { expect, test } from 'vitest'
import { sat } from '../../../../src/core/base/units.ts'
import { checkStandardInputs } from '../../../../src/core/btc/regtest/policy.ts'
import {
  p2aScript,
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  pushData,
  witnessScript,
} from '../../../../src/core/btc/script.ts'
import { transactionFromParts } from '../../../../src/core/btc/transaction.ts'
import { hashOf } from '../builders.ts'
import { assemble } from './script-assembly.ts'

const bytes = (size: number, byte = 7): Uint8Array => new Uint8Array(size).fill(byte)
const list = (count: number, size: number): Uint8Array[] =>
  Array.from({ length: count }, () => bytes(size))

type Input = {
  readonly script: Uint8Array
  readonly scriptSig?: Uint8Array
  readonly witness?: readonly Uint8Array[]
}

const taproot = (...witness: readonly Uint8Array[]): Input => ({
  script: p2trScript(bytes(32)),
  witness,
})
const scriptHash = (...witness: readonly Uint8Array[]): Input => ({
  script: p2wshScript(bytes(32)),
  witness,
})
const p2sh = (scriptSig: string | Uint8Array, ...witness: readonly Uint8Array[]): Input => ({
  script: p2shScript(bytes(20)),
  scriptSig: typeof scriptSig === 'string' ? assemble(scriptSig) : scriptSig,
  witness,
})
const reveal = (script: string | Uint8Array): Uint8Array =>
  pushData(typeof script === 'string' ? assemble(script) : script)

/** Leaf version 0xc0, even. */
const tapscript = bytes(33, 0xc0)
const otherLeaf = bytes(33, 0xc2)
const INPUTS = 'bad-txns-nonstandard-inputs'
const WITNESS = 'bad-witness-nonstandard'

const CASES: readonly (readonly [string, Input, string | undefined])[] = [
  ['P2PKH', { script: p2pkhScript(bytes(20)) }, undefined],
  ['P2PKH with a witness', { script: p2pkhScript(bytes(20)), witness: [bytes(1)] }, WITNESS],
  ['a bare script', { script: assemble('1') }, INPUTS],
  ['version 0 of another length', { script: witnessScript(0, bytes(31)) }, INPUTS],
  ['an unknown witness version', { script: witnessScript(2, bytes(32)) }, INPUTS],
  ['a version 1 program of 31 bytes', { script: witnessScript(1, bytes(31)) }, INPUTS],
  ['P2A', { script: p2aScript() }, undefined],
  ['P2A with a witness', { script: p2aScript(), witness: [bytes(0)] }, WITNESS],
  ['P2SH of 15 signatures', p2sh(reveal('CHECKSIG '.repeat(15))), undefined],
  ['P2SH of 16 signatures', p2sh(reveal('CHECKSIG '.repeat(16))), INPUTS],
  ['P2SH of 15 keys', p2sh(reveal('15 CHECKMULTISIG')), undefined],
  ['P2SH of 16 keys', p2sh(reveal('16 CHECKMULTISIG')), INPUTS],
  ['P2SH of an unread number of keys', p2sh(reveal('NOP CHECKMULTISIG')), INPUTS],
  ['P2SH that reveals nothing', p2sh(''), INPUTS],
  ['P2SH that reveals a number', p2sh('1'), undefined],
  ['P2SH that reveals what it cannot push', p2sh('RESERVED'), INPUTS],
  ['P2SH of 520 bytes', p2sh(reveal(bytes(520, 0x61))), undefined],
  ['P2SH of 521 bytes', p2sh(reveal(bytes(521, 0x61))), INPUTS],
  ['P2SH with a witness', p2sh(reveal('1'), bytes(1)), WITNESS],
  ['nested P2WPKH', p2sh(reveal(p2wpkhScript(bytes(20))), bytes(90), bytes(90)), undefined],
  ['nested P2WSH', p2sh(reveal(p2wshScript(bytes(32))), bytes(80), bytes(3_600)), undefined],
  [
    'nested P2WSH with an item of 81',
    p2sh(reveal(p2wshScript(bytes(32))), bytes(81), bytes(1)),
    WITNESS,
  ],
  [
    'a nested program of version 1',
    p2sh(reveal(p2trScript(bytes(32))), bytes(81), tapscript),
    undefined,
  ],
  ['P2WPKH', { script: p2wpkhScript(bytes(20)), witness: list(2, 500) }, undefined],
  ['P2WSH at its limits', scriptHash(...list(100, 80), bytes(3_600)), undefined],
  ['P2WSH of 3,601 bytes', scriptHash(bytes(3_601)), WITNESS],
  ['P2WSH with 101 items', scriptHash(...list(101, 1), bytes(1)), WITNESS],
  ['P2WSH with an item of 81', scriptHash(bytes(81), bytes(1)), WITNESS],
  ['a taproot key path', taproot(bytes(65)), undefined],
  ['a taproot key path of any size', taproot(bytes(500, 0x50)), undefined],
  ['a tapscript with items of 80', taproot(...list(200, 80), bytes(9_000), tapscript), undefined],
  ['a tapscript with an item of 81', taproot(bytes(81), bytes(1), tapscript), WITNESS],
  ['another leaf with an item of 81', taproot(bytes(81), bytes(1), otherLeaf), undefined],
  ['a taproot annex', taproot(bytes(64), bytes(9, 0x50)), WITNESS],
  ['a taproot script path without control block', taproot(bytes(1), bytes(1), bytes(0)), WITNESS],
]

test.each(CASES)('%s', (_, { script, scriptSig, witness = [] }, reason) => {
  const tx = transactionFromParts({
    inputs: [
      { outpoint: { txid: hashOf('first'), vout: 0 } },
      {
        outpoint: { txid: hashOf('second'), vout: 0 },
        witness,
        ...(scriptSig === undefined ? {} : { scriptSig }),
      },
    ],
    outputs: [{ value: sat(1n), script: p2wpkhScript(bytes(20)) }],
  })
  const first = { value: sat(5n), script: p2wpkhScript(bytes(20)) }
  expect(checkStandardInputs(tx, [first, { value: sat(5n), script }])).toBe(reason)
})
