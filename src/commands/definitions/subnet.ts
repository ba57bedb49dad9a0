/** Definitions of `ckbtc subnet …`. Implements `docs/spec/cli.md` §5.16. */
import type { CommandDefinition, GroupDefinition, OptionDefinition } from './command.ts'

const DOWN: readonly [number, string] = [11, 'no local subnet is running']
const CANNOT: readonly [number, string] = [11, 'this machine cannot run it, or its state is in use']

/** Of `start` and `exec` alike. */
const founding: readonly OptionDefinition[] = [
  { flags: '--nodes <n>', description: 'nodes of the subnet, 1 to 40 (default: 4)' },
  { flags: '--port <n>', description: 'port of the IC interface (default: any free one)' },
  { flags: '--host <address>', description: 'address to listen on (default: 127.0.0.1)' },
  { flags: '--min-confirmations <n>', description: 'of a deposit (default: 6)' },
  { flags: '--block-time <t>', description: 'auto, manual, on-tx or 10s, 1m (default: auto)' },
  { flags: '--fee-rate <r>', description: 'fee level of Bitcoin, like 5satvb' },
  {
    flags: '--bitcoin <host:port>',
    description: 'follow your own node, regtest or signet, in place of the embedded one',
  },
  { flags: '--no-auto-mint', description: 'mint only when somebody asks for it' },
  {
    flags: '--ids <kind>',
    description: 'canister ids (default: own)',
    choices: ['own', 'mainnet'],
  },
  {
    flags: '--isolation <kind>',
    description: 'where each node lives (default: worker)',
    choices: ['inline', 'worker', 'process'],
  },
  {
    flags: '--token <file>',
    description: 'a token beside ckBTC, as a JSON file; several times for several',
    repeats: true,
  },
  {
    flags: '--set <name=value>',
    description: 'what has no option: minter.max-time-in-queue=10m',
    repeats: true,
  },
]

const start: CommandDefinition = {
  name: 'start',
  summary: 'start a ckBTC on this machine',
  description: `Starts nodes, Bitcoin chain and Internet Computer interface in the background,
and returns when they can be used. A subnet that was stopped goes on where it
was. Running already: says so.`,
  examples: [
    ['ckbtc subnet start', 'four nodes, one of them may fail'],
    ['ckbtc subnet start --ephemeral', 'nothing is kept when it stops'],
    ['ckbtc subnet start --block-time 10s', 'a block every ten seconds'],
    ['ckbtc subnet start --bitcoin 127.0.0.1:18444', 'on your own bitcoind -regtest'],
    ['ckbtc subnet start --set minter.max-time-in-queue=1s', 'redeem without waiting'],
  ],
  options: [
    ...founding,
    { flags: '--ephemeral', description: 'keep nothing' },
    { flags: '--foreground', description: 'run in this process, until Ctrl-C' },
  ],
  exits: [CANNOT],
  seeAlso: 'ckbtc subnet stop, ckbtc subnet exec',
  run: async () => (await import('../subnet/start.ts')).start,
}

const stop: CommandDefinition = {
  name: 'stop',
  summary: 'stop it; its state is kept',
  description: `Stops the local subnet. What it keeps stays, unless it was started with
--ephemeral. Not running: says so.`,
  examples: [['ckbtc subnet stop', 'and later: ckbtc subnet start']],
  seeAlso: 'ckbtc subnet reset',
  run: async () => (await import('../subnet/stop.ts')).stop,
}

const status: CommandDefinition = {
  name: 'status',
  summary: 'endpoint, ids, nodes, chain',
  description: `Shows the running subnet, or the lines that another tool needs to find it.`,
  examples: [
    ['ckbtc subnet status', 'for people'],
    ['ckbtc subnet status --json', 'for programs'],
    ['ckbtc subnet status --print-config dfx', 'for dfx.json'],
    ['eval "$(ckbtc subnet status --print-config env)"', 'for a shell'],
  ],
  options: [
    {
      flags: '--print-config <tool>',
      description: 'lines for',
      choices: ['dfx', 'icp', 'js', 'env'],
    },
  ],
  exits: [DOWN],
  run: async () => (await import('../subnet/status.ts')).status,
}

const set: CommandDefinition = {
  name: 'set',
  args: [{ name: '[setting...]', description: '<part>.<name>=<value>, several at once' }],
  summary: 'change minter and ledgers while they run',
  description: `Upgrades the minter of the running subnet with other limits, delays, minimums or
modes, or a ledger with another fee, memo limit, fee collector or other archive
options: one of them at a time, in one step at every node, all of it or nothing.
Without a setting: what is in force. Parts are minter, ledger (of ckBTC) and
token.<symbol>; names and values are those of subnet start --set.`,
  examples: [
    ['ckbtc subnet set', 'everything that can be changed, as it is'],
    ['ckbtc subnet set minter.check-fee=200sat minter.hold=1h', 'two at once'],
    ['ckbtc subnet set minter.mode=restricted-to:dev0,dev1', 'these two callers alone'],
    ['ckbtc subnet set ledger.transfer-fee=20sat', 'what a transfer costs'],
  ],
  exits: [
    [6, 'too few nodes run to decide on it'],
    [11, 'the canister refuses it and is as it was, or no local subnet runs'],
  ],
  seeAlso: 'ckbtc subnet start, ckbtc info',
  run: async () => (await import('../subnet/set.ts')).set,
}

const BAD_DISK: readonly [number, string] = [11, 'no local subnet is running, or a disk is lost']
const nodeIds = { name: '[id...]', description: 'of nodes, from 1' } as const

const nodes: CommandDefinition = {
  name: 'nodes',
  summary: 'each node: up or down, signatures, faults',
  description: `Shows each node: whether it is up, in how many of the last signatures it had a
part, how long it takes to answer, and how often others found it at fault.`,
  examples: [
    ['ckbtc subnet nodes', 'a table'],
    ['ckbtc subnet nodes --json', 'for programs'],
  ],
  exits: [DOWN],
  seeAlso: 'ckbtc subnet kill-node, ckbtc subnet logs --node <n>',
  run: async () => (await import('../subnet/nodes.ts')).nodes,
}

const killNode: CommandDefinition = {
  name: 'kill-node',
  args: [{ name: '<id...>', description: 'of nodes, from 1' }],
  summary: 'end nodes at once, as a loss of power would',
  description: `Ends the threads or processes of nodes, with everything that they had not
written to their disks. Says whether the others can go on without them. What
waits then goes on when enough of them are back.`,
  examples: [
    ['ckbtc subnet kill-node 4', 'one of four: nothing waits'],
    ['ckbtc subnet kill-node 3 4', 'two of four: nothing is signed any more'],
  ],
  exits: [DOWN],
  seeAlso: 'ckbtc subnet heal-node, ckbtc subnet nodes',
  run: async () => (await import('../subnet/kill-node.ts')).killNode,
}

const healNode: CommandDefinition = {
  name: 'heal-node',
  args: [nodeIds],
  summary: 'bring nodes back',
  description: `Starts nodes again that were ended. They go on from their own disks and take
from the others what they have missed. Nodes that were made to lie are honest
again.`,
  examples: [
    ['ckbtc subnet heal-node 3', 'this one'],
    ['ckbtc subnet heal-node --all', 'every one that is down or lies'],
  ],
  options: [{ flags: '--all', description: 'every node that is down or lies' }],
  exits: [BAD_DISK],
  seeAlso: 'ckbtc subnet kill-node',
  run: async () => (await import('../subnet/heal-node.ts')).healNode,
}

const corruptNode: CommandDefinition = {
  name: 'corrupt-node',
  args: [{ name: '<id>', description: 'of a node that is up, from 1' }],
  summary: 'make a node lie to the others',
  description: `From now on the node says false things, signed with its own keys. The others
go on while no more than f nodes are down or lie; the log names who lied and
how. With silent and slow there is nothing to find out. Faults: silent, slow=<d>,
bad-share, bad-dealing, bad-opening, bad-complaint, equivocate, random.`,
  examples: [
    ['ckbtc subnet corrupt-node 2 --fault bad-share', 'its signature shares are false'],
    ['ckbtc subnet corrupt-node 2 --fault slow=2s', 'all it says comes late'],
    ['ckbtc subnet corrupt-node 2 --fault equivocate', 'it tells two stories'],
  ],
  options: [{ flags: '--fault <kind>', description: 'one of those above: bad-share, slow=2s' }],
  exits: [DOWN],
  seeAlso: 'ckbtc subnet heal-node, ckbtc subnet logs',
  run: async () => (await import('../subnet/corrupt-node.ts')).corruptNode,
}

const reset: CommandDefinition = {
  name: 'reset',
  summary: 'discard chain, ledger and keys of the subnet',
  description: `Stops the subnet and removes everything it keeps: Bitcoin chain, ledger, keys
of the nodes. The keys and operations of the wallet stay. Asks first.`,
  examples: [
    ['ckbtc subnet reset', 'asks'],
    ['ckbtc subnet reset --yes', 'does not ask'],
  ],
  exits: [
    [3, 'the answer was no'],
    [11, 'the state is in use'],
  ],
  run: async () => (await import('../subnet/reset.ts')).reset,
}

const logs: CommandDefinition = {
  name: 'logs',
  summary: 'what the subnet did',
  description: `Prints the log of the subnet, also of one that has stopped.`,
  examples: [
    ['ckbtc subnet logs', 'all there is'],
    ['ckbtc subnet logs --follow', 'and what comes, until Ctrl-C'],
    ['ckbtc subnet logs --since 10m --node 2', 'of one node'],
  ],
  options: [
    { flags: '--follow', description: 'go on with what comes' },
    { flags: '--node <n>', description: 'of this node only, 1 to 40' },
    { flags: '--since <d>', description: 'not older than 30s, 10m, 2h, 7d' },
  ],
  run: async () => (await import('../subnet/logs.ts')).logs,
}

const exec: CommandDefinition = {
  name: 'exec',
  summary: 'a subnet for the life of one command',
  description: `Starts a subnet of its own, runs a command with its endpoint and ids in the
environment (CKBTC_URL, CKBTC_LEDGER_ID, CKBTC_MINTER_ID, CKBTC_ROOT_KEY_FILE),
ends with the command's exit status and leaves nothing behind.`,
  examples: [
    ['ckbtc subnet exec -- npm test', 'tests against a fresh ckBTC'],
    ['ckbtc subnet exec --nodes 1 -- ckbtc info', 'the smallest one'],
  ],
  options: founding,
  exits: [CANNOT],
  takesProgram: true,
  run: async () => (await import('../subnet/exec.ts')).exec,
}

export const subnetGroup: GroupDefinition = {
  name: 'subnet',
  summary: 'a ckBTC on this machine',
  description: 'Runs a ckBTC on this machine: nodes, ledger, minter and a Bitcoin chain.',
  commands: [start, stop, status, set, nodes, killNode, healNode, corruptNode, reset, logs, exec],
}
