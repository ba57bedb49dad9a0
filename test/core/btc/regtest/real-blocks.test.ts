/**
 * Goal: scripts that the network has accepted are accepted, and not with one bit changed.
 * Method: two published blocks, one of mainnet (legacy, height 300,025) and one of testnet3 (P2SH,
 * height 928,828), with the outputs that they spend; every sixteenth transaction, since a block has
 * thousands of signatures. All of them hold.
 */
import { expect, test } from 'vitest'
import { present } from '../../../../src/core/base/errors.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import { decodeBlock } from '../../../../src/core/btc/block.ts'
import type { ScriptFlags } from '../../../../src/core/btc/regtest/script-rules.ts'
import { CONSENSUS_FLAGS } from '../../../../src/core/btc/regtest/script-rules.ts'
import { verifyInputs } from '../../../../src/core/btc/regtest/script-verifier.ts'
import { BLOCK_SIGOPS_COST_MAX, sigopCost } from '../../../../src/core/btc/regtest/sigops.ts'
import type { TxOut } from '../../../../src/core/btc/transaction.ts'
import { isCoinbase } from '../../../../src/core/btc/transaction.ts'
import { ByteCursor } from '../../../../src/core/btc/wire.ts'
import { vectorBytes } from '../../../support/vectors.ts'

const STRIDE = 16

/** Value and script of each output spent, in the order of the block's inputs, one after another. */
function decodeOutputs(bytes: Uint8Array): readonly TxOut[] {
  const cursor = new ByteCursor(bytes)
  const outputs: TxOut[] = []
  while (cursor.remaining > 0) outputs.push({ value: cursor.i64() as Sat, script: cursor.bytes() })
  return outputs
}

type Case = { readonly height: number; readonly flags: ScriptFlags; readonly inputs: number }

const CASES: readonly Case[] = [
  { height: 300_025, flags: new Set(['P2SH']), inputs: 1_427 },
  { height: 928_828, flags: CONSENSUS_FLAGS, inputs: 1_972 },
]

test.for(CASES)('the scripts of block $height hold', ({ height, flags, inputs }, context) => {
  const folder = 'bitcoin-blocks'
  const block = decodeBlock(vectorBytes(context, `${folder}/block${height}.raw`))
  const outputs = decodeOutputs(vectorBytes(context, `${folder}/block${height}-undo.raw`))
  expect(outputs.length).toBe(inputs)
  let next = 0
  let sigops = 0
  for (const [i, tx] of block.transactions.entries()) {
    const count = isCoinbase(tx) ? 0 : tx.inputs.length
    const spent = outputs.slice(next, next + count)
    next += count
    sigops += sigopCost(tx, spent)
    if (count === 0 || i % STRIDE !== 1) continue
    expect(verifyInputs(tx, spent, flags), `transaction ${i}`).toBe(undefined)
    const first = present(tx.outputs[0], 'a transaction has outputs')
    const other = { ...tx, outputs: [{ ...first, value: (first.value + 1n) as Sat }] }
    expect(verifyInputs(other, spent, flags), `transaction ${i}`).not.toBe(undefined)
  }
  expect(next).toBe(inputs)
  expect(sigops).toBeLessThanOrEqual(BLOCK_SIGOPS_COST_MAX)
})
