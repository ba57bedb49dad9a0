/** Mutants of what callers of ledger and index are told: errors, rejects, pages. */
import type { Mutant } from './mutant.ts'

const refusals = 'core/subnet/ledger-refusals.test.ts'
const pages = 'core/ledger/pages.test.ts'

const at = (file: string): string => `ledger/${file}.ts`

export const ledgerFaceMutants: readonly Mutant[] = [
  {
    name: 'a memo may be a byte longer than the limit',
    file: at('transactions/refusals'),
    from: 'memo.length <= memoLengthMax)',
    to: 'memo.length <= memoLengthMax + 1)',
    tests: [`${refusals}#refuseMemo`],
  },
  {
    name: 'a start of any length is a subaccount',
    file: at('index/index-interface'),
    from: 'start: opt(subaccountCodec)',
    to: 'start: opt(blob)',
    tests: [`${refusals}#list_subaccounts of the index`],
  },
  {
    name: 'a trap is told as another error',
    file: 'subnet/dispatch.ts',
    from: "rejected('IC0503'",
    to: "rejected('IC0502'",
    tests: [`${refusals}#NO_SELF_APPROVAL`],
  },
  {
    name: 'a mint beyond what there can be is left to the assertions',
    file: at('transactions/transfer'),
    from: 'transaction.amount > state.balances.pool ? SUPPLY_EXCEEDED : undefined',
    to: 'undefined',
    tests: [`${refusals}#SUPPLY_EXCEEDED`],
  },
  {
    name: 'a wrong fee is found before an amount that cannot be',
    file: at('transactions/transfer'),
    from: 'if (movement.amount > tokensMax(config))',
    to: 'if (movement.amount > tokensMax(config) && fee === undefined)',
    tests: [`${refusals}#65 bits and a wrong fee`],
  },
  {
    name: 'whoever asks may spend from any account',
    file: at('transactions/transfer'),
    from: 'allowanceObstacle(state, transaction, time) ?? fundsObstacle',
    to: 'fundsObstacle',
    tests: [`${refusals}#InsufficientAllowance`],
  },
  {
    name: 'the ledger is never too busy',
    file: at('transactions/deduplication'),
    from: 'return at !== undefined && addNs(at, NS_PER_SECOND) > now',
    to: 'return false',
    tests: [`${refusals}#TemporarilyUnavailable`],
  },
  {
    name: 'an approval is made by who cannot pay its fee',
    file: at('transactions/approve'),
    from: "if (balance !== undefined) return { type: 'insufficientFunds', balance }",
    to: '',
    tests: [`${refusals}#an error of icrc2_approve InsufficientFunds`],
  },
  {
    name: 'a page may be told to do something',
    file: 'ic/http-pages.ts',
    from: "if (request.method !== 'GET' && request.method !== 'HEAD')",
    to: 'if (false)',
    tests: [`${pages}#by POST`, 'core/minter/http-request.test.ts#take no'],
  },
  {
    name: 'blocks in archives are not counted',
    file: at('interface/pages'),
    from: "'Blocks, wherever they are.', logLength(state)",
    to: "'Blocks, wherever they are.', local",
    tests: [`${pages}#keeps no block itself`],
  },
  {
    name: 'a ledger whose blocks are all in archives has never had one',
    file: at('interface/pages'),
    from: '(logLength(state) === 0n ? 0n : state.time)',
    to: '0n',
    tests: [`${pages}#keeps no block itself`],
  },
]
