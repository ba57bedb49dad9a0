/** Definition of `ckbtc network`. Implements `docs/spec/cli.md` §5.19. */
import type { CommandDefinition, GroupDefinition } from './command.ts'

const name = { name: '<name>', description: 'of a network' }

const list: CommandDefinition = {
  name: 'list',
  summary: 'the networks that are known',
  description: 'The local subnet, the networks that are built in, and those that were added.',
  examples: [
    ['ckbtc network list', 'a table'],
    ['ckbtc network list --json', 'one document'],
  ],
  run: async () => (await import('../network/list.ts')).networkList,
}

const show: CommandDefinition = {
  name: 'show',
  summary: 'endpoint, ids and root key of one',
  description: 'Everything that is known of a network without asking it.',
  examples: [
    ['ckbtc network show ic', 'the Internet Computer'],
    ['ckbtc network show local', 'the running subnet'],
  ],
  args: [name],
  exits: [[11, 'the local subnet does not run']],
  run: async () => (await import('../network/list.ts')).networkShow,
}

const add: CommandDefinition = {
  name: 'add',
  summary: 'add a network after looking at it',
  description: `Asks ledger and minter who they are, and keeps the network only if they belong
together. Its root key is given, or fetched once and believed from then on; never
fetched where the Bitcoin is real.`,
  examples: [
    [
      'ckbtc network add lab --url http://127.0.0.1:4943 --ledger <id> --minter <id> --root-key fetch',
      'a subnet of a colleague',
    ],
    [
      'ckbtc network add own --url https://example.org --ledger <id> --minter <id> --root-key key.hex',
      'with a key file',
    ],
  ],
  args: [{ name: '<name>', description: '1 to 32 small letters, digits and dashes' }],
  options: [
    { flags: '--url <url>', description: 'of the endpoint' },
    { flags: '--ledger <id>', description: 'id of the ledger' },
    { flags: '--minter <id>', description: 'id of the minter' },
    { flags: '--index <id>', description: 'id of the index, if there is one' },
    {
      flags: '--bitcoin <kind>',
      description: 'what it stands on (default: regtest)',
      choices: ['mainnet', 'testnet4', 'regtest'],
    },
    { flags: '--root-key <key>', description: '266 hexadecimal digits, a file, mainnet, or fetch' },
  ],
  exits: [
    [5, 'the network does not answer, or is not what its root key says'],
    [10, 'the canisters do not belong together, or there is no root key'],
  ],
  run: async () => {
    const { networkAdd } = await import('../network/change.ts')
    return (invocation, context) => networkAdd(invocation, context)
  },
}

const remove: CommandDefinition = {
  name: 'remove',
  summary: 'forget one that was added',
  description: 'Keys and operations stay.',
  examples: [['ckbtc network remove lab', 'no longer known']],
  args: [name],
  run: async () => (await import('../network/change.ts')).networkRemove,
}

const use: CommandDefinition = {
  name: 'use',
  summary: 'select the default network',
  description: `Commands without -n use it from then on. Before real money is the default, this
says what it means and asks.`,
  examples: [
    ['ckbtc network use local', 'back to the local subnet'],
    ['ckbtc network use testnet4', 'coins without value'],
  ],
  args: [name],
  exits: [[3, 'the answer was no, or nobody could be asked']],
  run: async () => (await import('../network/change.ts')).networkUse,
}

export const networkGroup: GroupDefinition = {
  name: 'network',
  summary: 'list, show, add, use, remove',
  description: 'Networks: which ledger and which minter, at which address, under which root key.',
  commands: [list, show, add, use, remove],
}
