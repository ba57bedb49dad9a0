/** Goal: the certified tip is that of the standard. Method: ledger §§10, 19.4, the printed roots. */
import { expect, test } from 'vitest'
import { fromHex, hash32, toHex } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { certifiedTip, encodeTipTree } from '../../../src/core/ledger/blocks/certification.ts'
import { ckbtcConfig } from '../../../src/core/ledger/config.ts'
import { initial } from '../../../src/core/ledger/machine.ts'

const { minter, firstArchive } = ownCanisterIds
const config = ckbtcConfig({ minter, archiveController: firstArchive })
const empty = () => initial(config, timestampNs(1n))

test('an empty log has the empty tree', () => {
  expect(toHex(encodeTipTree(empty()))).toBe('8100')
  expect(toHex(certifiedTip(empty()))).toBe(
    '4e3ed35c4e2d1ee89996483fb6260a64cffb6c47dbab216e7930e82f8190d120',
  )
})

test('a log whose newest block is block 0 has the printed tree', () => {
  const state = empty()
  // Block 0 of mainnet by its hash: the tree knows no more of a block.
  state.chain.firstLocalIndex = 1n
  state.chain.tipHash = hash32(
    fromHex('b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f3401'),
  )
  expect(toHex(encodeTipTree(state))).toBe(
    '830183024f6c6173745f626c6f636b5f6861736882035820b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f34018302506c6173745f626c6f636b5f696e64657882034100',
  )
  expect(toHex(certifiedTip(state))).toBe(
    '903ab0f46828e0051e901208ff70fb9a69bb1c3f823c6ef231deeb4b3cdd55b0',
  )
})
