/**
 * Goal: the certified tip is that of the standard. Method: ledger §§10, 19.4, the printed roots, which
 * the SDK computes from the same bytes.
 */
import { Cbor, reconstruct } from '@icp-sdk/core/agent'
import { expect, test } from 'vitest'
import { fromHex, hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { lookup } from '../../../src/core/ic/hash-tree.ts'
import {
  certifiedTip,
  encodeTipTree,
  tipTree,
} from '../../../src/core/ledger/blocks/certification.ts'
import { ckbtcConfig } from '../../../src/core/ledger/config.ts'
import { initial } from '../../../src/core/ledger/machine.ts'

const { minter, firstArchive } = ownCanisterIds
const config = ckbtcConfig({ minter, archiveController: firstArchive })
const empty = () => initial(config, timestampNs(1n))

/** A log whose newest block is that of this index and hash: the tree knows no more of it. */
function endingIn(index: bigint, hash: string) {
  const state = empty()
  state.chain.firstLocalIndex = index + 1n
  state.chain.tipHash = hash32(fromHex(hash))
  return state
}

const BLOCK_0 = 'b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f3401'
const BLOCK_1357691 = '0415ed9ea78fed787e125179c99a7d0e599ee6e4cb0d610eed2c791e6e3f5e19'

test.each([
  ['empty', empty(), '4e3ed35c4e2d1ee89996483fb6260a64cffb6c47dbab216e7930e82f8190d120'],
  [
    'that of block 0 of mainnet',
    endingIn(0n, BLOCK_0),
    '903ab0f46828e0051e901208ff70fb9a69bb1c3f823c6ef231deeb4b3cdd55b0',
  ],
  [
    'that of block 1357691 of mainnet',
    endingIn(1_357_691n, BLOCK_1357691),
    '150c9db9116321a1bdf960c4b4e9dce9f5d79639a8e79757dce908972c12bac6',
  ],
])('ledger §20.82: a tip tree, %s, has the printed root', async (_, state, root) => {
  expect(toHex(certifiedTip(state))).toBe(root)
  const theirs = await reconstruct(Cbor.decode(encodeTipTree(state)))
  expect(toHex(theirs)).toBe(root)
})

test('ledger §20.82: an empty log has the printed tree', () => {
  expect(toHex(encodeTipTree(empty()))).toBe('8100')
})

test('ledger §20.82: the index of a tip is the printed leaf', () => {
  const tree = tipTree(endingIn(1_357_691n, BLOCK_1357691))
  const index = lookup(tree, [utf8('last_block_index')])
  expect(index.type === 'found' && toHex(index.value)).toBe('fbee52')
})

test('ledger §20.82: a log whose newest block is block 0 has the printed tree', () => {
  const state = endingIn(0n, BLOCK_0)
  expect(toHex(encodeTipTree(state))).toBe(
    '830183024f6c6173745f626c6f636b5f6861736882035820b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f34018302506c6173745f626c6f636b5f696e64657882034100',
  )
})
