/**
 * Goal: our ledger answers as the deployed ledger of 2024 did, step by step and block by block.
 *
 * Method: every recording of the folder is played in process with the recorded clock; replies are
 * compared as values, rejects by code, blocks by hash, and the certified tip after every step. A
 * difference needs a rule (`rules.ts`, each with its reason).
 */
import { expect, it } from 'vitest'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { testFolder } from '../../support/recordings/folder.ts'

testFolder('ledger-recordings', (played) => {
  it('leaves a ledger that is sound', () => {
    const { state, apart } = played().player.ledger
    if (apart === undefined) expect(violations(state)).toEqual([])
  })
})
