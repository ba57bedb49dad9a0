/** Commands of the group "IDENTITY". Implements `docs/spec/cli.md` §§4, 5.11, 5.12. */
import type { CommandDefinition, GroupDefinition, OptionDefinition, Section } from './command.ts'
import { addressCommand } from './reading.ts'

const name = { name: '<name>', description: '1 to 32 small letters, digits, - and _' }
const existing = { name: '<name>', description: 'of a key that exists' }

const withoutPassphrase: OptionDefinition = {
  flags: '--no-passphrase',
  description: 'leave the file open; never where real funds are',
}
const newPassphraseFile: OptionDefinition = {
  flags: '--new-passphrase-file <file>',
  description: 'holds the new passphrase; - is stdin',
}

const KEY_PROBLEM: readonly [number, string] = [4, 'the key is locked, damaged or not there']
const RAIL: readonly [number, string] = [10, 'refused where real funds are']
const TAKEN: readonly [number, string] = [11, 'the name is taken, or keys are in use']

const generate: CommandDefinition = {
  name: 'generate',
  summary: 'make a new key from a new phrase',
  description: `Makes a phrase of BIP-39 and a key from it, for every network. The phrase is
shown once on the terminal, and two of its words are asked back; with --json or
without a terminal it goes to a file. The first key becomes the default one.`,
  examples: [
    ['ckbtc key generate savings', '24 words, a passphrase is asked for'],
    ['ckbtc key generate test --no-passphrase --phrase-out test.txt', 'without any question'],
  ],
  args: [name],
  options: [
    { flags: '--words <n>', description: 'of the phrase (default: 24)', choices: ['12', '24'] },
    withoutPassphrase,
    { flags: '--phrase-out <file>', description: 'new file for the phrase; nothing is shown' },
  ],
  exits: [[3, 'the answer was no'], KEY_PROBLEM, RAIL, TAKEN],
  seeAlso: 'ckbtc key import, ckbtc key export, ckbtc help keys',
  run: async () => (await import('../key/generate.ts')).keyGenerate,
}

const importKey: CommandDefinition = {
  name: 'import',
  summary: 'take a key of another program',
  description: `Takes a phrase, or a PEM file of dfx, quill, icp-cli or OpenSSL, encrypted or
not. The principal is shown before the key is saved: compare it with what the
other program shows.`,
  examples: [
    ['ckbtc key import mine --phrase', 'the phrase is typed without echo, or piped'],
    ['ckbtc key import mine --pem identity.pem', 'a file of another program'],
    ['ckbtc key import mine --pem k.pem --curve secp256k1', 'the file does not name its curve'],
  ],
  args: [name],
  options: [
    { flags: '--phrase', description: '12 or 24 words, on the terminal or standard input' },
    { flags: '--pem <file>', description: 'PEM file; - is stdin' },
    {
      flags: '--curve <curve>',
      description: 'of a phrase (default: secp256k1), or of a file that does not say',
      choices: ['secp256k1', 'ed25519', 'p256'],
    },
    { flags: '--pem-passphrase-file <file>', description: 'holds the passphrase of the PEM file' },
    { flags: '--expect-principal <p>', description: 'saves without a question if it is this one' },
    withoutPassphrase,
  ],
  exits: [[3, 'the answer was no'], KEY_PROBLEM, [8, 'another principal'], RAIL, TAKEN],
  seeAlso: 'ckbtc key generate, ckbtc help keys',
  run: async () => (await import('../key/import.ts')).keyImport,
}

const list: CommandDefinition = {
  name: 'list',
  summary: 'names, principals, protection, last use',
  description: 'Lists all keys. No passphrase is needed.',
  examples: [
    ['ckbtc key list', 'a table'],
    ['ckbtc key list --quiet', 'the names'],
  ],
  run: async () => (await import('../key/list.ts')).keyList,
}

const show: CommandDefinition = {
  name: 'show',
  summary: 'principal, account, deposit addresses',
  description: `Shows the key that commands use, or another one. Never shows secrets and needs
no passphrase. Addresses follow from the keys of the networks; nobody is asked.`,
  examples: [
    ['ckbtc key show', 'the selected key'],
    ['ckbtc key show dev1', 'a test key of the local network'],
  ],
  args: [{ name: '[name]', description: 'the selected key otherwise' }],
  exits: [KEY_PROBLEM],
  run: async () => (await import('../key/show.ts')).keyShow,
}

const use: CommandDefinition = {
  name: 'use',
  summary: 'select the default key',
  description: 'Commands use this key from now on, where -k and CKBTC_KEY name no other one.',
  examples: [['ckbtc key use savings', 'commands use it from now on']],
  args: [existing],
  exits: [KEY_PROBLEM, TAKEN],
  run: async () => (await import('../key/use.ts')).keyUse,
}

const rename: CommandDefinition = {
  name: 'rename',
  summary: 'give a key another name',
  description: 'The principal stays the same. Refused while operations of the key are open.',
  examples: [['ckbtc key rename savings old', 'savings is free again']],
  args: [existing, { name: '<new>', description: 'the new name' }],
  exits: [KEY_PROBLEM, [6, 'operations of the key are open'], TAKEN],
  run: async () => (await import('../key/use.ts')).keyRename,
}

const passwd: CommandDefinition = {
  name: 'passwd',
  summary: 'set or change the passphrase',
  description: `Asks for the old passphrase, if there is one, and for the new one. The old one
may come from --passphrase-file.`,
  examples: [['ckbtc key passwd savings', 'old and new one are asked for']],
  args: [existing],
  options: [newPassphraseFile, withoutPassphrase],
  exits: [KEY_PROBLEM, RAIL, TAKEN],
  run: async () => (await import('../key/passwd.ts')).keyPasswd,
}

const exportKey: CommandDefinition = {
  name: 'export',
  summary: 'write the secret for another program',
  description: `Writes a PEM file that dfx, quill and icp-cli read, or the phrase. Asks first;
the file is new and readable for its owner alone.`,
  examples: [
    ['ckbtc key export savings --format pem --encrypt --out savings.pem', 'with a passphrase'],
    ['ckbtc key export savings --format phrase --out words.txt', 'the words'],
  ],
  args: [existing],
  options: [
    { flags: '--format <f>', description: 'what is written', choices: ['pem', 'phrase'] },
    { flags: '--out <file>', description: 'new file; - is stdout' },
    { flags: '--encrypt', description: 'under a passphrase of its own (PEM only)' },
    newPassphraseFile,
    { flags: '--reveal', description: 'allow the secret on a terminal' },
  ],
  exits: [[3, 'the answer was no'], KEY_PROBLEM],
  run: async () => (await import('../key/export.ts')).keyExport,
}

const deleteKey: CommandDefinition = {
  name: 'delete',
  summary: 'remove a key for good',
  description: `Asks for the name to be typed. Refused while operations of the key are open.
What belongs to the key is lost, unless its phrase or another copy exists.`,
  examples: [['ckbtc key delete old', 'the name is typed again']],
  args: [existing],
  options: [{ flags: '--confirm-name <name>', description: 'the name, in place of the question' }],
  exits: [[3, 'the answer was no'], KEY_PROBLEM, [6, 'operations of the key are open'], TAKEN],
  run: async () => (await import('../key/delete.ts')).keyDelete,
}

const unlock: CommandDefinition = {
  name: 'unlock',
  summary: 'ask for the passphrase once, for a while',
  description: `Makes a delegation that signs for ledger and minter of one network in place of
the key, and ends by itself. The key itself stays locked.`,
  examples: [
    ['ckbtc key unlock', 'the selected key, for 15 minutes'],
    ['ckbtc key unlock -k savings --for 1h', 'another key, for an hour'],
  ],
  options: [{ flags: '--for <d>', description: 'like 10m, 1h; 24h at most (default: 15m)' }],
  exits: [KEY_PROBLEM, [10, 'the key is refused on this network'], [11, 'no local subnet']],
  seeAlso: 'ckbtc key lock',
  run: async () => (await import('../key/unlock.ts')).keyUnlock,
}

const lock: CommandDefinition = {
  name: 'lock',
  summary: 'end every temporary unlock',
  description: 'Removes what key unlock has made, for all keys and networks.',
  examples: [['ckbtc key lock', 'the next command asks for the passphrase again']],
  run: async () => (await import('../key/unlock.ts')).keyLock,
}

const key: GroupDefinition = {
  name: 'key',
  summary: 'make, take, show and protect keys',
  description: `Keys sign what moves ckBTC. Each lies in a file of its own, under a passphrase.
On the local network dev0 to dev4 are there without any key.`,
  commands: [
    generate,
    importKey,
    list,
    show,
    use,
    rename,
    passwd,
    exportKey,
    deleteKey,
    unlock,
    lock,
  ],
}

const principal: CommandDefinition = {
  name: 'principal',
  anyToken: true,
  summary: 'the principal of the selected key',
  description: 'Prints one line: who you are, and the account that others send ckBTC to.',
  examples: [
    ['ckbtc principal', 'of the selected key'],
    ['ckbtc principal -k dev1', 'of a test key'],
  ],
  exits: [KEY_PROBLEM, [10, 'the key is refused on this network']],
  seeAlso: 'ckbtc address, ckbtc key show',
  run: async () => (await import('../principal.ts')).principal,
}

export const identity: Section = { title: 'IDENTITY', commands: [key, principal, addressCommand] }
