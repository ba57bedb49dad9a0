/**
 * Goal: our ledger answers as the deployed ledger of 2024 did, step by step and block by block.
 *
 * Method: recorded calls are played in process with the recorded clock; replies are compared as
 * values, rejects by code, blocks by hash. Every step that differs is named here with its reason,
 * and must differ.
 */
import type { TestContext } from 'vitest'
import { expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { hashBlock, hashTransaction } from '../../../src/core/ledger/block-hash.ts'
import { valueOfBlock } from '../../../src/core/ledger/block-value.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { accountOf, legacyForm } from '../../support/recordings/ledger-arguments.ts'
import { vectorJson } from '../../support/vectors.ts'
import type { Recording, Step } from './recording.ts'
import { Player } from './recording.ts'

/** Methods of the interface that are not answered by this machine. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['archives', 'lists archives'],
  ['icrc3_get_archives', 'lists archives'],
  ['get_data_certificate', 'needs the certificate of the subnet'],
  ['icrc3_get_tip_certificate', 'needs the certificate of the subnet'],
  ['no_such_method', 'unknown methods are rejected before the ledger sees them'],
])

/** RECORDINGS.md, "Known differences of newer releases". */
const DIFFERENT: Readonly<Record<string, string>> = {
  icrc1_metadata: 'newer releases show ICRC-103 keys',
  icrc1_supported_standards: 'newer releases support ICRC-10, 21, 103 and 106',
  icrc3_supported_block_types: 'newer releases list 1xfer',
}

/** The recorded build took the last of 33 bytes for the next field: a defect, which we refuse. */
const isSubaccountOf33Bytes = (step: Step): boolean => step.n === 'subaccount of 33 bytes'

const differs = (step: Step): boolean =>
  isSubaccountOf33Bytes(step) || (step.m !== undefined && step.m in DIFFERENT)

function play(context: TestContext, file: string): Player {
  const recording = vectorJson<Recording>(context, `ledger-recordings/${file}.json`)
  const player = new Player(recording)
  let compared = 0
  for (const [place, step] of recording.steps.entries()) {
    const outcomes = player.play(step)
    const name = `step ${place}, ${step.m ?? step.op}: ${step.n ?? ''}`
    if (outcomes === undefined) {
      expect(ELSEWHERE.has(step.m ?? ''), name).toBe(true)
      continue
    }
    compared++
    if (differs(step)) expect(outcomes.ours, name).not.toEqual(outcomes.recorded)
    else expect(outcomes.ours, name).toEqual(outcomes.recorded)
    if (isSubaccountOf33Bytes(step)) player.instead('minter', first32Bytes(step), 5n)
  }
  expect(compared).toBeGreaterThan(0.9 * recording.steps.length)
  compareBlocks(player, recording)
  expect(violations(player.state)).toEqual([])
  return player
}

/** The account that the recorded build read: it keeps our chain in step with the recorded one. */
function first32Bytes({ in: argument }: Step) {
  const { to } = argument as {
    readonly to: { readonly owner: string; readonly subaccount: string }
  }
  return accountOf({ owner: to.owner, subaccount: to.subaccount.slice(0, 64) })
}

function compareBlocks({ state }: Player, { blocks }: Recording): void {
  expect(state.chain.blocks.length).toBe(blocks.length)
  for (const { i, h, b } of blocks) {
    const block = state.chain.blocks[i]
    if (block === undefined) throw new Error(`no block ${i}`)
    expect(legacyForm(valueOfBlock(block)), `block ${i}`).toEqual(b)
    expect(toHex(hashBlock(block, hashTransaction(block.transaction))), `block ${i}`).toBe(h)
  }
}

test('every endpoint and error is as recorded, and so are 81 block hashes', (context) => {
  expect(play(context, 'ledger-endpoints').state.chain.blocks.length).toBe(81)
})

test('window, drift and duplicates are as recorded, and so are 64 block hashes', (context) => {
  expect(play(context, 'ledger-time').state.chain.blocks.length).toBe(64)
})

test('fees and collectors are as recorded, and so are 24 block hashes', (context) => {
  expect(play(context, 'ledger-fees').state.chain.blocks.length).toBe(24)
})
