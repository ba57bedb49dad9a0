/** Definitions of `ckbtc signer …`. Implements `docs/spec/cli.md` §5.18. */
import type { CommandDefinition, GroupDefinition, OptionDefinition } from './command.ts'

const LOCAL: readonly [number, string] = [10, 'another network than local was selected']
const DOWN: readonly [number, string] = [11, 'no local subnet is running']
const STALLED: readonly [number, string] = [6, 'too few nodes run']

const scheme: OptionDefinition = {
  flags: '--scheme <scheme>',
  description: 'ecdsa (default), bip340 or ed25519',
}
const taprootRoot: OptionDefinition = {
  flags: '--taproot-root <hex>',
  description: 'with bip340: sign under the output key of this root, 32 bytes or ""',
}
const message: OptionDefinition = {
  flags: '--message <file>',
  description: 'a file, or - for standard input; ecdsa signs its SHA-256',
}
const account: OptionDefinition = {
  flags: '--account <account>',
  description: 'the path of this account instead of the empty one',
}

const info: CommandDefinition = {
  name: 'info',
  summary: 'keys, thresholds, presignatures in stock',
  description: `Shows the keys that the nodes hold together, how many nodes it takes to sign, and
how many learn nothing.`,
  examples: [['ckbtc signer info', '']],
  exits: [LOCAL, DOWN],
  run: async () => (await import('../signer/info.ts')).info,
}

const publicKey: CommandDefinition = {
  name: 'public-key',
  summary: 'master and derived public key',
  description: `Shows the public key test_key_1 of the nodes and the one derived from it. The
nodes make that key when it is asked for first.`,
  examples: [
    ['ckbtc signer public-key', 'of the empty path'],
    ['ckbtc signer public-key --account dev0 --explain', 'step by step'],
  ],
  options: [account, { flags: '--explain', description: 'the path and the values on it' }, scheme],
  exits: [STALLED, LOCAL, DOWN],
  run: async () => (await import('../signer/public-key.ts')).publicKey,
}

const sign: CommandDefinition = {
  name: 'sign',
  summary: 'one threshold signature',
  description: `Has the nodes sign a hash or a message together. The key test_key_1 signs nothing that could
spend coins of the minter.`,
  examples: [
    ['ckbtc signer sign --message letter.txt', 'its SHA-256'],
    ['echo hello | ckbtc signer sign --message -', 'from standard input'],
    ['ckbtc signer sign --scheme ed25519 --message letter.txt', 'the letter itself'],
    ['ckbtc signer sign --message letter.txt --transcript made.json', 'and how it was made'],
  ],
  options: [
    { flags: '--hash <hex>', description: '32 bytes in hexadecimal' },
    message,
    scheme,
    taprootRoot,
    account,
    { flags: '--nodes <ids>', description: 'combine the shares of these nodes alone: 1,2,4' },
    {
      flags: '--transcript <file>',
      description: 'write all that is public of the signature to a new file',
    },
  ],
  exits: [STALLED, LOCAL, DOWN],
  seeAlso: 'ckbtc signer verify',
  run: async () => (await import('../signer/sign.ts')).sign,
}

const verify: CommandDefinition = {
  name: 'verify',
  summary: 'check a signature',
  description: `Checks a signature with a library that knows nothing of thresholds. Needs no
subnet.`,
  examples: [['ckbtc signer verify --hash <hex> --signature <hex> --public-key <hex>', '']],
  options: [
    { flags: '--hash <hex>', description: '32 bytes, for ecdsa' },
    message,
    { flags: '--signature <hex>', description: '64 bytes' },
    {
      flags: '--public-key <hex>',
      description: 'of ecdsa 33 or 65 bytes, of bip340 33 or 32, of ed25519 32',
    },
    scheme,
    taprootRoot,
  ],
  exits: [[8, 'the signature is not good']],
  run: async () => (await import('../signer/verify.ts')).verify,
}

const refresh: CommandDefinition = {
  name: 'refresh',
  summary: 'new shares of every key, same keys',
  description: `Has the nodes deal all their keys to themselves anew. Public keys and addresses stay;
shares from before are useless with those from after. It also happens every 24 hours.`,
  examples: [['ckbtc signer refresh', '']],
  exits: [STALLED, LOCAL, DOWN],
  seeAlso: 'ckbtc signer info',
  run: async () => (await import('../signer/refresh.ts')).refresh,
}

const bench: CommandDefinition = {
  name: 'bench',
  summary: 'how long signatures take here',
  description: `Has the nodes sign random messages and shows how long each phase takes, a histogram,
and the machine. Ctrl-C shows what is there. The phases: presign, until a
presignature is paired with the request; sign, until enough shares are there;
combine; order, until the log has the signature; total.`,
  examples: [
    ['ckbtc signer bench', 'twenty, one after another'],
    ['ckbtc signer bench --count 50 --concurrency 5 --warm', ''],
    ['ckbtc signer bench --scheme ed25519 --json', 'for a script'],
  ],
  options: [
    { flags: '--count <n>', description: 'signatures, 20 unless given' },
    { flags: '--concurrency <n>', description: 'so many at a time, 1 unless given, at most 20' },
    { flags: '--warm', description: 'one more before, which is not counted: it makes the key' },
    scheme,
  ],
  exits: [STALLED, LOCAL, DOWN],
  seeAlso: 'ckbtc signer sign',
  run: async () => (await import('../signer/bench.ts')).bench,
}

export const signerGroup: GroupDefinition = {
  name: 'signer',
  summary: 'threshold signatures of the local subnet',
  description: 'Asks the nodes of the local subnet for signatures, and checks them.',
  commands: [info, publicKey, sign, verify, bench, refresh],
}
