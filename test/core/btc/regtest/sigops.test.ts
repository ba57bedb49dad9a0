import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../../src/core/base/bytes.ts'
import { hash160, sha256 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import { scriptSigops, sigopCost } from '../../../../src/core/btc/regtest/sigops.ts'
import {
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  pushData,
  witnessScript,
} from '../../../../src/core/btc/script.ts'
import { NULL_VOUT, transactionFromParts } from '../../../../src/core/btc/transaction.ts'
import { hashOf, zeroHash } from '../builders.ts'
import { assemble } from './script-assembly.ts'

const KEY = `0x21${'02'.repeat(33)}`
const MULTISIG = `1 ${KEY} ${KEY} 2`

test.each([
  ['', 0, 0],
  ['CHECKSIG CHECKSIGVERIFY', 2, 2],
  [`${MULTISIG} CHECKMULTISIG`, 20, 2],
  [`${MULTISIG} CHECKMULTISIGVERIFY`, 20, 2],
  [`${MULTISIG} CHECKMULTISIG IF CHECKSIG ENDIF`, 21, 3],
  ['0 CHECKMULTISIG', 20, 20],
  ['16 CHECKMULTISIG', 20, 16],
  ['0x01 0x11 CHECKMULTISIG', 20, 20],
  ['CHECKSIGADD', 0, 0],
  ['0x02 0xacac', 0, 0],
  ['CHECKSIG 0x4b 0xac', 1, 1],
])('%s counts %i, read closely %i', (script, rough, accurate) => {
  expect(scriptSigops(assemble(script), { accurate: false })).toBe(rough)
  expect(scriptSigops(assemble(script), { accurate: true })).toBe(accurate)
})

describe('the cost of one input', () => {
  const code = assemble(`${MULTISIG} CHECKMULTISIG`)
  const keyHash = new Uint8Array(20)
  const nested = (script: Uint8Array) => ({
    script: p2shScript(hash160(script)),
    scriptSig: pushData(script),
  })
  const none = { scriptSig: new Uint8Array(0), witness: [] }
  test.each([
    ['of a bare multisig, which its output has paid for', { ...none, script: code }, 0],
    ['of P2PKH, paid for as well', { ...none, script: p2pkhScript(keyHash) }, 0],
    ['of P2SH', { ...none, ...nested(code) }, 2 * 4],
    [
      'of P2SH whose scriptSig is not only pushes',
      { ...none, ...nested(code), scriptSig: assemble('NOP') },
      0,
    ],
    ['of P2SH that reveals a number', { ...none, ...nested(code), scriptSig: assemble('1') }, 0],
    ['of P2WPKH', { ...none, script: p2wpkhScript(keyHash) }, 1],
    ['of nested P2WPKH', { ...none, ...nested(p2wpkhScript(keyHash)) }, 1],
    ['of P2WSH', { ...none, script: p2wshScript(sha256(code)), witness: [code] }, 2],
    ['of P2WSH without its script', { ...none, script: p2wshScript(sha256(code)) }, 0],
    ['of nested P2WSH', { ...none, ...nested(p2wshScript(sha256(code))), witness: [code] }, 2],
    [
      'of a version 0 program of another length',
      { ...none, script: witnessScript(0, keyHash.subarray(1)), witness: [code] },
      0,
    ],
    ['of taproot', { ...none, script: p2trScript(zeroHash), witness: [code, code] }, 0],
    ['of an unknown version', { ...none, script: witnessScript(2, keyHash), witness: [code] }, 0],
    ['of a scriptSig that signs', { ...none, script: code, scriptSig: assemble('CHECKSIG') }, 4],
  ])('%s', (_, { script, scriptSig, witness }, cost) => {
    const tx = transactionFromParts({
      inputs: [{ outpoint: { txid: hashOf('coin'), vout: 0 }, scriptSig, witness }],
      outputs: [{ value: sat(1n), script: fromHex('51') }],
    })
    expect(sigopCost(tx, [{ value: sat(2n), script }]), toHex(script)).toBe(cost)
  })
})

test('outputs count four times, a coinbase by its bytes alone', () => {
  const tx = transactionFromParts({
    inputs: [
      { outpoint: { txid: zeroHash, vout: NULL_VOUT }, scriptSig: assemble('CHECKSIG CHECKSIG') },
    ],
    outputs: [{ value: sat(1n), script: assemble(`${MULTISIG} CHECKMULTISIG`) }],
  })
  expect(sigopCost(tx, [])).toBe(4 * 22)
})
