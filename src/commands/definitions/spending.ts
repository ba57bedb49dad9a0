/** Commands that move value. Implements `docs/spec/cli.md` §§5.2, 5.4 to 5.6, 5.9. */
import type { CommandDefinition, OptionDefinition } from './command.ts'

const UNREACHABLE: readonly [number, string] = [5, 'the network does not answer']
const NO_KEY: readonly [number, string] = [4, 'no key, or it is locked']
const CONSENT: readonly [number, string] = [3, 'consent is missing, or it may be a repetition']
const REFUSED: readonly [number, string] = [7, 'ledger or minter said no']
const UNKNOWN: readonly [number, string] = [
  9,
  'sent, and the answer was lost: look before repeating',
]
const RAIL: readonly [number, string] = [10, 'a safety rule stopped it']
const DOWN: readonly [number, string] = [11, 'the local subnet does not run']
const STILL_OPEN: readonly [number, string] = [6, 'the wait ended first; nothing is lost']
const all = [CONSENT, NO_KEY, UNREACHABLE, REFUSED, UNKNOWN, RAIL, DOWN]

const subaccount: OptionDefinition = {
  flags: '--from-subaccount <s>',
  description: 'of the key: 7, or 0x and hexadecimal digits',
}
const careful: readonly OptionDefinition[] = [
  { flags: '--max-fee <a>', description: 'stop where fees are above this: 5000sat, 5%' },
  { flags: '--confirm-amount <a>', description: 'the amount again, where it is large' },
  { flags: '--idempotency-key <text>', description: 'the same key is the same operation' },
  { flags: '--allow-duplicate', description: 'though the same was sent minutes ago' },
  { flags: '--dry-run', description: 'show what would happen, send nothing' },
]

export const depositCommand: CommandDefinition = {
  name: 'deposit',
  insteadForToken: 'ckbtc principal',
  summary: 'turn BTC into ckBTC: address, wait, mint',
  description: `Shows the address that belongs to an account for good, and waits until the bitcoin
that comes there has become ckBTC. Leaving is safe: it is minted anyway.`,
  examples: [
    ['ckbtc deposit', 'the address of the selected key; waits for a payment'],
    ['ckbtc deposit --faucet 0.5btc', 'with test coins of the local subnet'],
    ['ckbtc deposit --no-wait -q', 'the address alone, for programs'],
  ],
  options: [
    { flags: '--amount <a>', description: 'into the code that wallets scan; no limit' },
    { flags: '--account <account>', description: 'of anybody (default: of the selected key)' },
    subaccount,
    { flags: '--no-qr', description: 'no code on the terminal' },
    { flags: '--no-wait', description: 'print the address and leave' },
    { flags: '--follow', description: 'go on after the first mint' },
    { flags: '--faucet <a>', description: 'local: pay so much test bitcoin to it' },
  ],
  exits: [NO_KEY, UNREACHABLE, STILL_OPEN, [7, 'no coin can be credited'], RAIL, DOWN],
  seeAlso: 'ckbtc address, ckbtc status',
  run: async () => (await import('../deposit.ts')).deposit,
}

export const transferCommand: CommandDefinition = {
  name: 'transfer',
  anyToken: true,
  args: [{ name: '<amount...>', description: 'with a unit: 0.1ckbtc, 1000sat; or all' }],
  summary: 'ckBTC to another account',
  description: `Sends ckBTC. A lost answer is looked for and never paid for twice; \`all\` is the
balance less the fee.`,
  examples: [
    ['ckbtc transfer 0.1ckbtc --to dev1', 'to a test account of the local subnet'],
    ['ckbtc transfer all --to dev1 --dry-run', 'what would happen'],
    ['ckbtc transfer 5000sat --to dev1 --idempotency-key order-17', 'once, however often it runs'],
    ['ckbtc transfer 1.5xyz --to dev1 --token xyz', 'another token of the local subnet'],
  ],
  options: [
    { flags: '--to <account>', description: 'principal, ICRC-1 account, or dev0 … dev4 on local' },
    { flags: '--to-subaccount <s>', description: 'of the receiver' },
    subaccount,
    { flags: '--memo <text>', description: 'text, or 0x and hexadecimal; at most 80 bytes' },
    ...careful,
  ],
  exits: all,
  seeAlso: 'ckbtc history, ckbtc status',
  run: async () => (await import('../transfer.ts')).transfer,
}

export const redeemCommand: CommandDefinition = {
  name: 'redeem',
  insteadForToken: 'ckbtc transfer <amount> --to <account>',
  args: [{ name: '<amount...>', description: 'with a unit: 0.2btc, 60000sat; or all' }],
  summary: 'ckBTC to BTC',
  description: `Burns ckBTC and has the minter pay bitcoin to an address, signed by the nodes
together. Every fee has its line; waits until the payment is confirmed.`,
  examples: [
    ['ckbtc redeem 0.2ckbtc --to <address>', 'burn so much'],
    ['ckbtc redeem 0.1btc --receive --to <address>', 'so much arrives, fees on top'],
    ['ckbtc redeem all --to <address> --no-wait', 'leave once it is burned'],
  ],
  options: [
    { flags: '--to <address>', description: 'Bitcoin address of the network' },
    { flags: '--receive', description: 'the amount is what arrives' },
    subaccount,
    { flags: '--no-wait', description: 'leave as soon as it is burned' },
    {
      flags: '--until <stage>',
      description: 'how far to wait (default: confirmed)',
      choices: ['queued', 'signed', 'broadcast', 'confirmed'],
    },
    ...careful,
  ],
  exits: [...all, STILL_OPEN],
  seeAlso: 'ckbtc fees, ckbtc status, ckbtc resume',
  run: async () => (await import('../redeem.ts')).redeem,
}

export const approveCommand: CommandDefinition = {
  name: 'approve',
  anyToken: true,
  args: [{ name: '<amount...>', description: 'with a unit; 0sat revokes' }],
  summary: 'let somebody take up to an amount',
  description: `Sets an allowance; it does not add to it. What it was is part of the call, so that
two at the same time cannot both count.`,
  examples: [
    ['ckbtc approve 0.01ckbtc --spender dev1 --expires-in 1h', 'for an hour'],
    ['ckbtc approve 0sat --spender dev1', 'take it back'],
  ],
  options: [
    { flags: '--spender <account>', description: 'who may take it' },
    { flags: '--expires-in <d>', description: 'how long: 1h, 7d (default: no end)' },
    { flags: '--expected <a>', description: 'what it must be now (default: what it is)' },
    subaccount,
    ...careful,
  ],
  exits: all,
  seeAlso: 'ckbtc allowance',
  run: async () => (await import('../approve.ts')).approve,
}

export const allowanceCommand: CommandDefinition = {
  name: 'allowance',
  anyToken: true,
  summary: 'what somebody may take',
  description: 'Shows how much of an account a spender may still take, and until when.',
  examples: [
    ['ckbtc allowance --spender dev1', 'from the selected key'],
    ['ckbtc allowance --spender dev1 --owner dev0', 'from another account'],
  ],
  options: [
    { flags: '--spender <account>', description: 'who may take it' },
    { flags: '--owner <account>', description: 'whose it is (default: the selected key’s)' },
  ],
  exits: [NO_KEY, UNREACHABLE, DOWN],
  seeAlso: 'ckbtc approve',
  run: async () => (await import('../approve.ts')).allowance,
}

export const statusCommand: CommandDefinition = {
  name: 'status',
  anyToken: true,
  args: [{ name: '[operation]', description: 'id, Bitcoin transaction or ledger block' }],
  summary: 'operations and where they are',
  description: `Without a name: what is open. Asks the network and spends nothing, ever.`,
  examples: [
    ['ckbtc status', 'what is open'],
    ['ckbtc status --all', 'everything that the journal has'],
    ['ckbtc status <operation> --wait', 'keep watching one'],
  ],
  options: [
    { flags: '--all', description: 'those that are over, too' },
    { flags: '--wait', description: 'until it is over' },
    { flags: '--account <account>', description: 'of this account (default: of the selected key)' },
  ],
  exits: [
    UNREACHABLE,
    [6, 'it is still open'],
    [7, 'it was refused, or its amount given back'],
    [9, 'its outcome is not known'],
    DOWN,
  ],
  seeAlso: 'ckbtc resume, ckbtc history',
  showsOperations: true,
  run: async () => (await import('../status.ts')).status,
}

export const resumeCommand: CommandDefinition = {
  name: 'resume',
  anyToken: true,
  args: [{ name: '<operation>', description: 'id from ckbtc status' }],
  summary: 'go on with an operation',
  description: `Goes on with what waits for you: a redemption that was approved and not burned, a
transfer whose answer was lost. Shows what it does and asks again.`,
  examples: [
    ['ckbtc resume <operation>', 'go on'],
    ['ckbtc resume <operation> --dry-run', 'where it is, and what would follow'],
  ],
  options: [
    { flags: '--dry-run', description: 'show it, send nothing' },
    { flags: '--max-fee <a>', description: 'stop where fees are above this: 5000sat, 5%' },
    { flags: '--confirm-amount <a>', description: 'the amount again, where it is large' },
  ],
  exits: [...all, STILL_OPEN],
  seeAlso: 'ckbtc status',
  run: async () => (await import('../resume.ts')).resume,
}
