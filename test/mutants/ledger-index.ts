/** Mutants of the index, and of what ICRC-107 does to fees. */
import type { Mutant } from './mutant.ts'

const test = (name: string): string => `core/ledger/${name}.test.ts`
const MACHINE = test('index-machine')
const SYNC = test('index-sync')
const CANISTER = test('account-index')
const POLLING = test('polling')
const SETTING = test('fee-collector-setting')
const WHOLE_LOG = `${SYNC}#20.116`

const at = (file: string): string => `ledger/index/${file}.ts`

const machine: readonly Mutant[] = [
  {
    name: 'a transfer to oneself is listed twice',
    file: at('account-index'),
    from: 'blockOf(histories, history.newest) === synced',
    to: 'blockOf(histories, history.newest) > synced',
    tests: [`${MACHINE}#lists a block once`, WHOLE_LOG],
  },
  {
    name: 'an approval is not listed for its owner',
    file: at('account-index'),
    from: '    list(index, from)\n',
    to: "    if (movement.type !== 'approve') list(index, from)\n",
    tests: [`${MACHINE}#lists a block once`, `${CANISTER}#20.113`, WHOLE_LOG],
  },
  {
    name: 'the spender of an approval has no subaccount',
    file: at('account-index'),
    from: "if (movement.type === 'approve') noteAccount(table, movement.spender)",
    to: 'void noteAccount',
    tests: [`${MACHINE}#20.113`, `${CANISTER}#20.113`],
  },
  {
    name: 'the collector gets no fees',
    file: at('account-index'),
    from: 'paysCollector(index, transaction))\n',
    to: 'paysCollector(index, transaction) && fee < 0n)\n',
    tests: [`${CANISTER}#20.115`, WHOLE_LOG],
  },
  {
    name: 'the collector of before gets the fees of approvals',
    file: at('account-index'),
    from: "type === 'approve' && collectors.set !== undefined",
    to: "type === 'approve' && collectors.known.size > 0",
    tests: [`${CANISTER}#20.110`, WHOLE_LOG],
  },
  {
    name: 'more is taken than there is',
    file: at('account-index'),
    from: 'return balance < cost ?',
    to: 'return balance + 1_000n < cost ?',
    tests: [`${MACHINE}#takes more than there is`],
  },
  {
    name: 'more is made than there can be',
    file: at('account-index'),
    from: 'index.supply + transaction.amount > tokensMax(index)',
    to: 'transaction.amount > tokensMax(index)',
    tests: [`${MACHINE}#makes more than there can be`],
  },
  {
    name: 'an approval of the oldest kind is free',
    file: at('account-index'),
    from: 'if (costsFee(transaction)) index.lastFee = fee',
    to: "if (transaction.type === 'approve') index.lastFee = fee",
    tests: [`${MACHINE}#oldest kind`],
  },
  {
    name: 'a stopped index goes on',
    file: at('account-index'),
    from: '  if (index.stopped !== undefined) return\n  const named',
    to: '  const named',
    tests: [`${MACHINE}#stops the index`],
  },
  {
    name: 'a page begins with the block that it is asked to begin before',
    file: at('histories'),
    from: '  while (entry !== undefined && blockOf(histories, entry) >= before) {',
    to: '  while (entry !== undefined && blockOf(histories, entry) > before) {',
    tests: [`${MACHINE}#20.111`, `${CANISTER}#20.111`, WHOLE_LOG],
  },
  {
    name: 'a leap goes past the page',
    file: at('histories'),
    from: 'back !== entry && blockOf(histories, back) >= before',
    to: 'back !== entry && blockOf(histories, back) + 2 >= before',
    tests: [`${MACHINE}#every page of a long history`],
  },
  {
    name: 'subaccounts are listed from the start on',
    file: at('account-table'),
    from: 'bit === undefined ? inclusive :',
    to: 'bit === undefined ? true :',
    tests: [`${CANISTER}#20.114`],
  },
  {
    name: 'an account parts from the others one branch too low',
    file: at('account-table'),
    from: 'wordAt(branches, below >>> 1, BIT) < bit) {',
    to: 'wordAt(branches, below >>> 1, BIT) < bit + 1_000) {',
    tests: [`${MACHINE}#20.114`],
  },
  {
    name: 'ranges of one collector are not merged',
    file: at('collector-ranges'),
    from: 'if (last?.to === id)',
    to: 'if (last?.to === -id)',
    tests: [`${CANISTER}#20.115`, `${SETTING}#counts a setting to its range`],
  },
]

const sources: readonly Mutant[] = [
  {
    name: 'an archive may name another',
    file: at('sync'),
    from: 'answer.archivedBlocks.length > 0',
    to: 'answer.archivedBlocks.length > 1_000',
    tests: [`${SYNC}#from archive to archive`],
  },
  {
    name: 'an archive may begin elsewhere',
    file: at('sync'),
    from: 'answer.blocks[0]?.id !== range.start',
    to: 'answer.blocks[0]?.id === -1n',
    tests: [`${SYNC}#archived block a wrong number`],
  },
  {
    name: 'blocks may stand in any order',
    file: at('sync'),
    from: 'if (id !== from + BigInt(place))',
    to: 'if (id < from - BigInt(place))',
    tests: [`${SYNC}#gives a block a wrong number`],
  },
  {
    name: 'what was not asked for is taken',
    file: at('sync'),
    from: 'else if (id < BigInt(first) || id >= BigInt(end))',
    to: 'else if (id < 0n)',
    tests: [`${SYNC}#more than was asked for`, `${SYNC}#endless archive`],
  },
  {
    name: 'a gap is waited for',
    file: at('sync'),
    from: "if (index.synced === part.first) stop(index, 'the ledger keeps it back')",
    to: 'void part',
    tests: [`${SYNC}#leaves a gap`, `${SYNC}#keeps all back`],
  },
  {
    name: 'what a block says beyond the known is passed over',
    file: at('sync'),
    from: 'else if (!saysAll(value, block))',
    to: 'else if (!saysAll(value, block) && index.synced < 0)',
    tests: [`${SYNC}#says more than is known`, `${SYNC}#transaction costs a fee`],
  },
  {
    name: 'a log may become shorter',
    file: at('sync'),
    from: 'if (logLength < BigInt(first))',
    to: 'if (logLength < 0n)',
    tests: [`${SYNC}#becomes shorter`],
  },
  {
    name: 'the index asks more and more often',
    file: at('polling'),
    from: 'found > 0 ? waitNs / 2n : 2n * waitNs',
    to: 'found > 0 ? 2n * waitNs : waitNs / 2n',
    tests: [`${POLLING}#doubles while nothing`],
  },
  {
    name: 'blocks leave for archives before the index has them',
    file: 'subnet/token-canisters.ts',
    from: '    this.#index.follow()\n',
    to: '',
    tests: [`${WHOLE_LOG}`],
  },
]

const settings: readonly Mutant[] = [
  {
    name: 'anybody sets the fee collector',
    file: 'ledger/transactions/fee-collector-setting.ts',
    from: 'controller === undefined || !equalBytes(caller, controller)',
    to: 'controller === undefined || caller.length > 29',
    tests: [`${SETTING}#of a user`, `${SETTING}#of nobody`, `${SETTING}#says what is set`],
  },
  {
    name: 'the minting account collects fees',
    file: 'ledger/transactions/fee-collector-setting.ts',
    from: 'if (sameAccount(collector, config.mintingAccount))',
    to: 'if (collector === config.mintingAccount && collector.owner.length > 29)',
    tests: [`${SETTING}#to the minting account`],
  },
  {
    name: 'the older keys go on after a setting',
    file: 'ledger/accounts/fee-collector.ts',
    from: 'if (collector === undefined || set !== undefined) return {}',
    to: 'if (collector === undefined) return {}',
    tests: [`${SETTING}#ends the older way`],
  },
  {
    name: 'a setting does not say where fees go',
    file: 'ledger/accounts/fee-collector.ts',
    from: 'if (collection.set !== undefined) return collection.set.collector',
    to: 'void collection.set',
    tests: [`${SETTING}#gives every later fee`],
  },
  {
    name: 'methods of ICRC-107 are there for every ledger',
    file: 'ledger/config.ts',
    from: 'extensions?.includes(extension) === true',
    to: 'extensions?.includes(extension) !== false',
    tests: [`${SETTING}#nothing of it unless told`],
  },
]

export const ledgerIndexMutants: readonly Mutant[] = [...machine, ...sources, ...settings]
