/** Mutants of how the ledger keeps accounts, allowances and the transactions of the window. */
import type { Mutant } from './mutant.ts'

const KEYS = 'core/ledger/account-key.test.ts'
const REMEMBERED = 'core/ledger/remembered.test.ts'

export const ledgerMemoryMutants: readonly Mutant[] = [
  {
    name: 'zeros and no subaccount are two accounts',
    file: 'ledger/accounts/account-key.ts',
    from: 'for (const byte of subaccount) if (byte !== 0) return subaccount',
    to: 'for (const byte of subaccount) if (byte !== 256) return subaccount',
    tests: [`${KEYS}#in two forms`, 'core/ledger/transfer.test.ts'],
  },
  {
    name: 'owners of another length stand in between',
    file: 'ledger/accounts/account-key.ts',
    from: 'codes.push(owner.length)\n  for',
    to: 'codes.push(0 * owner.length)\n  for',
    tests: [`${KEYS}#order of the accounts`, 'core/ledger/listing.test.ts'],
  },
  {
    name: 'a piece of keys that is split loses its order',
    file: 'ledger/accounts/sorted-keys.ts',
    from: 'keys.splice(place + 1, 0, piece',
    to: 'keys.splice(place, 0, piece',
    tests: [`${KEYS}#once and in order`],
  },
  {
    name: 'a slot forgets its hashes with the oldest of them',
    file: 'ledger/transactions/remembered.ts',
    from: 'slots[homeOf(queue, head)] = nexts[head] ?? 0',
    to: 'slots[homeOf(queue, head)] = 0',
    tests: [`${REMEMBERED}#in whatever slots`],
  },
  {
    name: 'a transaction is taken for another whose hash begins alike',
    file: 'ledger/transactions/remembered.ts',
    from: 'for (let i = 0; i < HASH_BYTES; i++) if',
    to: 'for (let i = 0; i < 4; i++) if',
    tests: [`${REMEMBERED}#last byte`],
  },
  {
    name: 'a longer window forgets what lay at the beginning of the ring',
    file: 'ledger/transactions/remembered.ts',
    from: '[0, count - untilEnd, untilEnd],',
    to: '[0, 0, untilEnd],',
    tests: [`${REMEMBERED}#in whatever slots`],
  },
]
