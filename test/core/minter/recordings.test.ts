/**
 * Goal: our minter answers as the deployed minter of 2024 did, wherever releases can be compared.
 *
 * Method: every recording of the folder is played in process, with its clock, its Bitcoin side, our
 * ledger and the recorded key. A difference needs a rule (`rules.ts`, each with its reason); an
 * answer that nothing explains fails its section. The table at the end counts them all.
 */
import { expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { testFolder } from '../../support/recordings/folder.ts'

testFolder('minter-recordings', (played) => {
  it('derives the recorded key of the minter from the master key, along the canister id', () => {
    const { recording, player } = played()
    expect({
      minter_public_key: toHex(player.root.publicKey),
      minter_chain_code: toHex(player.root.chainCode),
    }).toEqual({
      minter_public_key: recording.ecdsa?.minter_public_key,
      minter_chain_code: recording.ecdsa?.minter_chain_code,
    })
  })
})
