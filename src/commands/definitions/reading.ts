/** Commands that look and change nothing. Implements `docs/spec/cli.md` §§5.3, 5.7, 5.8, 5.12 to 5.14. */
import { coinStates } from '../../wallet/coin-states.ts'
import type { CommandDefinition, OptionDefinition } from './command.ts'

const account = {
  name: '[account]',
  description: 'principal or ICRC-1 account (default: of the selected key)',
}
const UNREACHABLE: readonly [number, string] = [5, 'the network does not answer']
const NO_KEY: readonly [number, string] = [4, 'no key, and no account given']
const DOWN: readonly [number, string] = [11, 'the local subnet does not run']

export const balanceCommand: CommandDefinition = {
  name: 'balance',
  anyToken: true,
  summary: 'settled, incoming, outgoing',
  description: `What an account has, which deposits are on their way to it, and which
redemptions are not paid yet. No key is unlocked. Deposits appear with their
first block.`,
  examples: [
    ['ckbtc balance', 'of the selected key'],
    ['ckbtc balance dev0 dev1', 'of two accounts'],
    ['ckbtc balance --all --plain', 'of every key, for programs'],
  ],
  args: [{ name: '[accounts...]', description: 'principals or accounts (default: selected key)' }],
  options: [
    { flags: '--all', description: 'every key; on local the test keys, too' },
    { flags: '--subaccounts', description: 'every subaccount that was used' },
    { flags: '--certified', description: 'an answer of the subnet, not of one node; takes longer' },
  ],
  exits: [NO_KEY, UNREACHABLE, DOWN],
  seeAlso: 'ckbtc history, ckbtc status',
  run: async () => (await import('../balance.ts')).balance,
}

const historyFilters: readonly OptionDefinition[] = [
  {
    flags: '--type <type>',
    description: 'only these',
    choices: ['deposit', 'redeem', 'transfer', 'approve', 'mint', 'burn', 'other'],
  },
  { flags: '--since <time>', description: 'a day or a time: 2026-01-05' },
  { flags: '--until <time>', description: 'a day or a time' },
  { flags: '--before <block>', description: 'only older blocks: go on where a page ended' },
  {
    flags: '--search <text>',
    description: 'stands in a row: amount, account, transaction, memo, …',
  },
  { flags: '--counterparty <account>', description: 'only with this account' },
  { flags: '--memo <text>', description: 'only with this memo: text, or 0x and hexadecimal' },
  { flags: '--certified', description: 'from blocks that hash to a certified one; reads them all' },
]

export const historyCommand: CommandDefinition = {
  name: 'history',
  anyToken: true,
  summary: 'what happened on an account',
  description: `Deposits, redemptions, transfers and approvals, newest first, from the index of
accounts of the network, and from its ledger what the index does not have.`,
  examples: [
    ['ckbtc history', 'the last 25 of the selected key'],
    ['ckbtc history dev1 --type transfer', 'transfers only'],
    ['ckbtc history --search invoice-17', 'what a memo or another cell says'],
    ['ckbtc history --since 2026-01-01 --limit 1000 --plain', 'a year, for programs'],
  ],
  args: [account],
  options: [
    ...historyFilters,
    { flags: '--limit <n>', description: 'at most so many (default: 25)' },
    { flags: '--reverse', description: 'oldest first' },
    { flags: '--no-pager', description: 'print long lists without $PAGER' },
  ],
  exits: [NO_KEY, UNREACHABLE, DOWN],
  seeAlso: 'ckbtc export, ckbtc balance',
  run: async () => (await import('../history.ts')).history,
}

export const exportCommand: CommandDefinition = {
  name: 'export',
  anyToken: true,
  summary: 'a history as CSV or JSON for bookkeeping',
  description: `All rows of a history, newest first, however many. A file appears when it is whole;
a spreadsheet opens the CSV, and no cell of it runs there as a formula.`,
  examples: [
    ['ckbtc export --out history.csv', 'everything of the selected key'],
    ['ckbtc export dev1 --since 2026-01-01 --out year.json', 'from a day on, as JSON'],
    ['ckbtc export --format csv --out - --type deposit', 'to a pipe'],
  ],
  args: [account],
  options: [
    { flags: '--out <file>', description: 'a new file; - is standard output' },
    {
      flags: '--format <form>',
      description: 'otherwise by the end of the name of the file',
      choices: ['csv', 'json'],
    },
    { flags: '--replace', description: 'where there is such a file, it goes' },
    ...historyFilters,
  ],
  exits: [NO_KEY, UNREACHABLE, [11, 'the local subnet does not run, or no room on the disk']],
  seeAlso: 'ckbtc history',
  run: async () => (await import('../export.ts')).exportHistory,
}

export const feesCommand: CommandDefinition = {
  name: 'fees',
  anyToken: true,
  summary: 'what things cost now, minimums, fee rate',
  description: `Everything that costs, and the limits, read from ledger and minter now. With an
amount: what a redemption of it would deliver.`,
  examples: [
    ['ckbtc fees', 'of the smallest redemption'],
    ['ckbtc fees 0.2ckbtc', 'what would arrive'],
  ],
  args: [{ name: '[amount]', description: 'to be redeemed, with its unit' }],
  exits: [UNREACHABLE, DOWN],
  seeAlso: 'ckbtc redeem, ckbtc info',
  run: async () => (await import('../fees.ts')).fees,
}

export const addressCommand: CommandDefinition = {
  name: 'address',
  insteadForToken: 'ckbtc principal',
  summary: 'the deposit address of an account',
  description: `The Bitcoin address whose coins become ckBTC of an account. It is derived here
from the key of the network and compared with the minter's answer; where the
key is not known, the output says that it is not verified.`,
  examples: [
    ['ckbtc address', 'of the selected key'],
    ['ckbtc address dev1 --qr --amount 0.01btc', 'with a code for a phone'],
    ['ckbtc address --explain', 'every step of the derivation'],
  ],
  args: [account],
  options: [
    { flags: '--from-subaccount <s>', description: 'decimal, or 0x and hexadecimal' },
    { flags: '--qr', description: 'show a QR code on standard error' },
    { flags: '--amount <a>', description: 'in the code and the link; limits nothing' },
    { flags: '--explain', description: 'network key, minter, account, public key, address' },
  ],
  exits: [NO_KEY, UNREACHABLE, [10, 'the minter names another address'], DOWN],
  seeAlso: 'ckbtc deposit, ckbtc principal',
  run: async () => (await import('../address.ts')).address,
}

export const infoCommand: CommandDefinition = {
  name: 'info',
  anyToken: true,
  summary: 'minter and ledger parameters, versions',
  description: `Ids, keys, modes, minimums, fees, supply and versions of the deployment, read
now. Hashes of modules are certified by the network.`,
  examples: [
    ['ckbtc info', 'of the local subnet'],
    ['ckbtc info --json', 'one document'],
  ],
  exits: [UNREACHABLE, DOWN],
  seeAlso: 'ckbtc fees, ckbtc network show',
  run: async () => (await import('../info.ts')).info,
}

export const utxosCommand: CommandDefinition = {
  name: 'utxos',
  summary: 'what the minter holds',
  description: `Every coin of the minter, whose deposit it was and what becomes of it, as a replay
of its events says; of our minter also what a reorganisation took back. With
--verify each is looked for on Bitcoin, as verify-reserves does it.`,
  examples: [
    ['ckbtc utxos', 'the largest first'],
    ['ckbtc utxos --state in-flight', 'inputs of transactions that are not final'],
    ['ckbtc utxos --account dev0 --verify', 'of an account, seen on Bitcoin'],
  ],
  options: [
    { flags: '--account <a>', description: 'paid in by this account only' },
    {
      flags: '--state <state>',
      description: 'only these',
      choices: coinStates,
    },
    {
      flags: '--sort <by>',
      description: 'largest first, or oldest first (default: value)',
      choices: ['value', 'height'],
    },
    { flags: '--verify', description: 'look for each on Bitcoin' },
    {
      flags: '--bitcoin-source <s>',
      description: 'with --verify, as verify-reserves takes it; repeatable',
      repeats: true,
    },
    { flags: '--no-pager', description: 'print long lists without $PAGER' },
  ],
  exits: [UNREACHABLE, [8, 'a coin is not on Bitcoin as the events say'], DOWN],
  seeAlso: 'ckbtc verify-reserves, ckbtc events, ckbtc info',
  run: async () => (await import('../utxos.ts')).utxos,
}

export const eventsCommand: CommandDefinition = {
  name: 'events',
  summary: 'the minter’s event log',
  description: `What the minter did, a sentence for each event, the last 50 unless you say from
where. Events of our minter that others do not have begin with x_.`,
  examples: [
    ['ckbtc events', 'the last ones'],
    ['ckbtc events --type replaced_transaction --json', 'one kind, for programs'],
    ['ckbtc events --account dev0', 'what concerns an account'],
    ['ckbtc events --from 0 --raw', 'as JSON lines that can be replayed'],
  ],
  options: [
    { flags: '--type <type>', description: 'only this kind; repeatable', repeats: true },
    { flags: '--from <n>', description: 'begin with this number' },
    { flags: '--limit <n>', description: 'at most so many (default: 50)' },
    { flags: '--follow', description: 'go on until Ctrl-C' },
    { flags: '--account <a>', description: 'only what concerns it; reads the whole log' },
    { flags: '--raw', description: 'the events themselves' },
    { flags: '--no-pager', description: 'print long lists without $PAGER' },
  ],
  exits: [UNREACHABLE, DOWN],
  seeAlso: 'ckbtc utxos, ckbtc info, ckbtc history',
  run: async () => (await import('../events.ts')).events,
}

export const verifyReservesCommand: CommandDefinition = {
  name: 'verify-reserves',
  summary: 'is every ckBTC backed?',
  description: `Replays the ledger's blocks and the minter's events, derives every address from
the key, looks for every coin on Bitcoin, and compares. It repeats nothing that the
minter says about itself. Bitcoin is seen through the embedded chain of the local
subnet, through peers and their compact filters on testnet4, and where you say so
with --bitcoin-source; several sources must agree, and one Esplora server alone is
not enough.`,
  examples: [
    ['ckbtc verify-reserves', 'of the local subnet'],
    ['ckbtc verify-reserves --bitcoin-source p2p', 'seen as a peer of Bitcoin sees it'],
    ['ckbtc verify-reserves --out report.json', 'with all it rests on'],
    ['ckbtc verify-reserves --report report.json', 'the same again, asking nobody'],
  ],
  options: [
    {
      flags: '--bitcoin-source <s>',
      description:
        'embedded, canister, p2p[=<host:port>,…], esplora=<url>, bitcoind=<url>[?cookie=<file>]; repeatable',
      repeats: true,
    },
    { flags: '--tolerance <a>', description: 'how much may be missing (default: 0sat)' },
    { flags: '--out <file>', description: 'write the inputs and a digest' },
    { flags: '--report <file>', description: 'judge such a file again, offline' },
    { flags: '--fail-fast', description: 'end at the first coin that is not as the books say' },
  ],
  exits: [
    [5, 'inconclusive: a view is missing, two disagree, or none stood still'],
    [8, 'shortfall, mismatch, or a report that is not intact'],
    [11, 'a source cannot be used as it is, or the local subnet does not run'],
  ],
  seeAlso: 'ckbtc info, ckbtc help trust',
  run: async () => (await import('../verify-reserves.ts')).verifyReserves,
}
