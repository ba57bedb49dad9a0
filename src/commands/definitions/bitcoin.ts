/** Definitions of `ckbtc bitcoin …`. Implements `docs/spec/cli.md` §5.17. */
import { CHECKER_MODES } from '../../host/control/checker-modes.ts'
import type { CommandDefinition, GroupDefinition } from './command.ts'

const LOCAL: readonly [number, string] = [10, 'another network than local was selected']
const DOWN: readonly [number, string] = [11, 'no local subnet is running']
const REFUSED: readonly [number, string] = [7, 'the Bitcoin node said no']

const mine: CommandDefinition = {
  name: 'mine',
  args: [{ name: '[blocks]', description: 'how many; 1 by default' }],
  summary: 'mine blocks',
  description: `Mines blocks of the local chain from the transactions that wait.`,
  examples: [
    ['ckbtc bitcoin mine', 'one block'],
    ['ckbtc bitcoin mine 6', 'a deposit has its confirmations'],
    ['ckbtc bitcoin mine --empty', 'transactions go on waiting'],
  ],
  options: [
    { flags: '--to <address>', description: 'who is paid (default: the faucet)' },
    { flags: '--empty', description: 'without transactions' },
  ],
  exits: [LOCAL, DOWN],
  run: async () => (await import('../bitcoin/mine.ts')).mine,
}

const faucet: CommandDefinition = {
  name: 'faucet',
  args: [{ name: '<amount...>', description: 'with a unit: 0.5btc, 1000sat' }],
  summary: 'test coins to an address or account',
  description: `Pays test coins. To an account: to its deposit address, where they become ckBTC by
themselves when they are confirmed. They are worthless anywhere but on the local chain.`,
  examples: [
    ['ckbtc bitcoin faucet 0.5btc --to dev0', 'a deposit for the key dev0'],
    ['ckbtc bitcoin faucet 1btc --to <address> --no-mine', 'waits for the next block'],
  ],
  options: [
    { flags: '--to <destination>', description: 'Bitcoin address, account or dev0 … dev4' },
    { flags: '--no-mine', description: 'leave it waiting for the next block' },
    { flags: '--outputs <n>', description: 'in so many parts (default: 1)' },
  ],
  exits: [[6, 'too few nodes run to name the address of an account'], REFUSED, LOCAL, DOWN],
  run: async () => (await import('../bitcoin/faucet.ts')).faucet,
}

const tip: CommandDefinition = {
  name: 'tip',
  summary: 'height and hash of the chain',
  description: `Shows the block that ends the local chain.`,
  examples: [['ckbtc bitcoin tip --json', '{ "height", "hash", … }']],
  exits: [LOCAL, DOWN],
  run: async () => (await import('../bitcoin/tip.ts')).tip,
}

const tx: CommandDefinition = {
  name: 'tx',
  args: [{ name: '<txid>', description: '64 hexadecimal digits' }],
  summary: 'a transaction, and who is who in it',
  description: `Decodes a transaction of the local chain or one that waits for a block.`,
  examples: [['ckbtc bitcoin tx <txid>', 'inputs, outputs, confirmations']],
  exits: [[7, 'there is no such transaction'], LOCAL, DOWN],
  run: async () => (await import('../bitcoin/tx.ts')).tx,
}

const fee: CommandDefinition = {
  name: 'fee',
  args: [{ name: '[rate]', description: '12satvb, or auto: what the blocks say' }],
  summary: 'set the fee level that estimates see',
  description: `Sets the fee level of the local chain, so that redemptions cost what they would
cost at such a time. With --minimum the node takes and mines nothing cheaper: what
waits and pays less is stuck until it is replaced.`,
  examples: [
    ['ckbtc bitcoin fee 80satvb', 'a busy day'],
    ['ckbtc bitcoin fee auto', 'no level is set any more'],
    ['ckbtc bitcoin fee --minimum 20satvb', 'redemptions at 5 sat/vB get stuck'],
    ['ckbtc bitcoin fee --minimum default', 'everything moves again'],
  ],
  options: [
    {
      flags: '--minimum <rate>',
      description: 'what the node takes and mines: 20satvb, or default; until the subnet stops',
    },
  ],
  exits: [[6, 'too few nodes run to decide on it'], LOCAL, DOWN],
  run: async () => (await import('../bitcoin/fee.ts')).fee,
}

const send: CommandDefinition = {
  name: 'send',
  args: [{ name: '<hex>', description: 'the whole transaction in hexadecimal' }],
  summary: 'broadcast a raw transaction',
  description: `Hands a transaction that was made elsewhere to the local Bitcoin node.`,
  examples: [['ckbtc bitcoin send 0200…', 'prints its txid']],
  exits: [REFUSED, LOCAL, DOWN],
  run: async () => (await import('../bitcoin/send.ts')).send,
}

const flag: CommandDefinition = {
  name: 'flag',
  args: [{ name: '[target]', description: '<txid>:<vout>, or a Bitcoin address' }],
  summary: 'make the checker refuse a coin or an address, or all of them',
  description: `Puts a coin or an address on the list of the checker, to see how deposits are
quarantined and redemptions refused. With --mode it says what the checker answers to
everything: it accepts or rejects all, is stopped, or knows nothing and says why.`,
  examples: [
    ['ckbtc bitcoin flag <txid>:0', 'a deposit that will be quarantined'],
    ['ckbtc bitcoin flag <address> --remove', 'takes it back'],
    ['ckbtc bitcoin flag --mode unavailable', 'a checker that is stopped'],
    ['ckbtc bitcoin flag --mode pending --times 3', 'the next three checks are under way'],
    ['ckbtc bitcoin flag --mode normal', 'the list decides again'],
  ],
  options: [
    { flags: '--remove', description: 'take it off the list' },
    { flags: '--mode <m>', description: 'what is answered', choices: CHECKER_MODES },
    { flags: '--times <n>', description: 'only to so many checks, then normal again' },
  ],
  exits: [[6, 'too few nodes run to decide on it'], LOCAL, DOWN],
  run: async () => (await import('../bitcoin/flag.ts')).flag,
}

const reorg: CommandDefinition = {
  name: 'reorg',
  args: [{ name: '<depth>', description: 'how many blocks are replaced' }],
  summary: 'replace the last blocks',
  description: `Replaces the last blocks of the local chain by others, one more than before, as a
stronger branch would.`,
  examples: [
    ['ckbtc bitcoin reorg 2', 'transactions are mined again'],
    ['ckbtc bitcoin reorg 2 --drop-txs', 'transactions are gone'],
  ],
  options: [{ flags: '--drop-txs', description: 'forget the transactions of the replaced blocks' }],
  exits: [REFUSED, LOCAL, DOWN],
  run: async () => (await import('../bitcoin/reorg.ts')).reorg,
}

const writeOff: CommandDefinition = {
  name: 'write-off',
  args: [{ name: '<coin...>', description: '<txid>:<vout>, missing from the chain' }],
  summary: 'give up credited coins that never come back',
  description: `A deposit that was credited and then spent twice stops the minting. Giving it up
lets the minter go on, where its surplus covers the loss. What is short is made good by
paying it to the minter's main address and adopting that coin.`,
  examples: [['ckbtc bitcoin write-off <txid>:0', 'it counts as lost from now on']],
  exits: [[6, 'too few nodes run to decide on it'], [7, 'the minter says why not'], LOCAL, DOWN],
  run: async () => (await import('../bitcoin/losses.ts')).writeOff,
}

const adopt: CommandDefinition = {
  name: 'adopt',
  args: [{ name: '<coin...>', description: '<txid>:<vout>, with its confirmations' }],
  summary: "let gifts at the minter's main address count",
  description: `Takes coins into the reserve that somebody paid to the minter's main address, and
coins that were written off and are there again. Nobody is credited for them.`,
  examples: [['ckbtc bitcoin adopt <txid>:0', 'it covers a loss']],
  exits: [[6, 'too few nodes run to decide on it'], [7, 'the minter says why not'], LOCAL, DOWN],
  run: async () => (await import('../bitcoin/losses.ts')).adopt,
}

export const bitcoinGroup: GroupDefinition = {
  name: 'bitcoin',
  summary: 'the chain of the local subnet',
  description: 'Mines, pays and disturbs the Bitcoin chain of the local subnet.',
  commands: [mine, faucet, reorg, tip, tx, fee, send, flag, writeOff, adopt],
}
