/** Mutants of histories and of further tokens in the wallet. */
import type { Mutant } from './mutant.ts'

const COMMANDS = 'terminal/token-commands.test.ts'
const EXPORT = 'terminal/export-command.test.ts'
const HISTORY = 'wallet/history.test.ts'
const TOKEN = 'wallet/token.test.ts'
const OPERATIONS = '../wallet/operations'

export const walletTokenMutants: readonly Mutant[] = [
  {
    name: 'a transfer is sent again to the ledger that is open',
    file: `${OPERATIONS}/transfer.ts`,
    from: 'sendWritten(inItsToken(operating, now), now)',
    to: 'sendWritten(operating, now)',
    tests: [`${COMMANDS}#lost its way`],
  },
  {
    name: 'any ledger is told of any operation',
    file: `${OPERATIONS}/operation-token.ts`,
    from: 'const isIts = ledger !== undefined && equalBytes(ledger, token.ledger)',
    to: 'const isIts = ledger !== undefined || token.isFurther',
    tests: [`${TOKEN}#whatever is open`],
  },
  {
    name: 'an operation is looked for on the ledger that is open',
    file: `${OPERATIONS}/status.ts`,
    from: 'const operating = inItsToken(asked, operation)',
    to: 'const operating = asked',
    tests: [`${COMMANDS}#is found by status`],
  },
  {
    name: 'a token of the same ledger with other decimals will do',
    file: `${OPERATIONS}/operation-token.ts`,
    from: '(found.symbol === denomination?.symbol && found.decimals === denomination.decimals)',
    to: 'found.symbol === denomination?.symbol',
    tests: [`${COMMANDS}#other decimals there`, `${TOKEN}#decimals are others`],
  },
  {
    name: 'the journal has units of a token under the name of satoshis',
    file: `${OPERATIONS}/operation-token.ts`,
    from: 'inUnits(token, amounts) as Facts',
    to: 'amounts',
    tests: [`${TOKEN}#does not know tokens`],
  },
  {
    name: 'an idempotency key names an operation on any ledger',
    file: `${OPERATIONS}/operating.ts`,
    from: '  isSameToken(operation, same) &&\n',
    to: '',
    tests: [`${COMMANDS}#same idempotency key`],
  },
  {
    name: 'the ledger of a token is not asked what it is',
    file: '../wallet/token.ts',
    from: 'if (found.symbol === token.symbol && found.decimals === token.decimals) return',
    to: 'if (found.symbol !== undefined) return',
    tests: [`${COMMANDS}#than the descriptor says`],
  },
  {
    name: 'every token has eight decimals',
    file: 'base/amounts.ts',
    from: 'BigInt(whole) * 10n ** BigInt(decimals)',
    to: 'BigInt(whole) * 10n ** 8n',
    tests: [`${TOKEN}#pasted back`, `${COMMANDS}#in its units`],
  },
  {
    name: 'a cell may be a formula',
    file: '../terminal/csv.ts',
    from: 'FORMULA.test(text) ?',
    to: 'FORMULA.test(String(text.length)) ?',
    tests: ['terminal/csv.test.ts#no formula', `${EXPORT}#spreadsheet runs`],
  },
  {
    name: 'a page begins one row too late',
    file: '../wallet/history.ts',
    from: 'nextCursor: rows.at(-1)?.entry.blockIndex',
    to: 'nextCursor: row.entry.blockIndex',
    tests: [`${HISTORY}#beginning where one ended`],
  },
  {
    name: 'an index may repeat a row',
    file: '../wallet/history/pages.ts',
    from: 'if (id >= (last ?? before))',
    to: 'if (id > (last ?? before))',
    tests: [`${HISTORY}#repeats a row`],
  },
  {
    name: 'an index may keep rows back',
    file: '../wallet/history/pages.ts',
    from: 'oldest !== undefined && oldest < before)',
    to: 'oldest !== undefined && oldest > before)',
    tests: [`${HISTORY}#keeps rows back`],
  },
  {
    name: 'what the index does not have yet is left out',
    file: '../wallet/history/pages.ts',
    from: 'const indexed = synced < end ? synced : end',
    to: 'const indexed = synced > 0n ? end : synced',
    tests: [`${HISTORY}#that is behind`],
  },
  {
    name: 'blocks need not lead to the certified one',
    file: '../wallet/history/pages.ts',
    from: 'hash === undefined || !equalBytes(hashValue(value), hash))',
    to: 'hash === undefined)',
    tests: [`${EXPORT}#made up`],
  },
]
