/** Mutants of the short ways of the ledger: hashes that are remembered, bytes that are written at once. */
import type { Mutant } from './mutant.ts'

const BLOCK = 'core/ledger/block.test.ts'

export const ledgerSpeedMutants: readonly Mutant[] = [
  {
    name: 'the hash of an account is that of the same account in another form',
    file: 'ledger/accounts/account-key.ts',
    from: 'write(codes, owner, subaccount)\n',
    to: 'write(codes, owner, effective(subaccount))\n',
    tests: [`${BLOCK}#changes its hash`, 'core/ledger/account-key.test.ts#in two forms'],
  },
  {
    name: 'the hash of a fee is that of another which ends alike',
    file: 'ledger/blocks/block-hash.ts',
    from: 'recurring.get(value, ',
    to: 'recurring.get(value & 0xffn, ',
    tests: [`${BLOCK}#is the hash of the value`],
  },
  {
    name: 'entries are hashed in the order of their names',
    file: 'ledger/blocks/block-hash.ts',
    from: '.sort((a, b) => compareBytes(a.hash, b.hash))',
    to: '.sort((a, b) => compareBytes(a.hash.subarray(8), b.hash.subarray(8)))',
    tests: [`${BLOCK}#is the hash of the value`, `${BLOCK}#has its published hash`],
  },
  {
    name: 'the map that was hashed before shows through',
    file: 'ledger/blocks/block-hash.ts',
    from: 'present(BEGINNINGS[count], ',
    to: 'present(BEGINNINGS[Math.max(count, 6)], ',
    tests: [`${BLOCK}#is the hash of the value`, `${BLOCK}#has its published hash`],
  },
  {
    name: 'time stands before the fee in a stored block',
    file: 'ledger/blocks/block-codec.ts',
    from: "  writeNat('fee', fee)\n  writeNat('ts', timestamp)\n",
    to: "  writeNat('ts', timestamp)\n  writeNat('fee', fee)\n",
    tests: [`${BLOCK}#in the order of §9.1`],
  },
  {
    name: 'a block begins with what is left of another',
    file: 'ledger/blocks/block-codec.ts',
    from: '  writer.clear()\n',
    to: '',
    tests: [`${BLOCK}#leaves nothing behind`],
  },
  {
    name: 'a word of a long number loses a group',
    file: 'ic/cursor.ts',
    from: 'shift < 28; shift',
    to: 'shift < 21; shift',
    tests: ['core/ic/cursor.test.ts#written as defined', 'core/ic/request-id.test.ts'],
  },
  {
    name: 'a short message ends in what was hashed before',
    file: 'base/short-sha256.ts',
    from: 'W.fill(0, whole + 1, 15)',
    to: 'W.fill(0, whole + 2, 15)',
    tests: ['core/base/short-sha256.test.ts#whatever was hashed before'],
  },
]
