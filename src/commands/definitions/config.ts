/** Definitions of `ckbtc config …`. Implements `docs/spec/cli.md` §5.19. */
import type { CommandDefinition, GroupDefinition } from './command.ts'

const BROKEN: readonly [number, string] = [11, 'the file cannot be read or written']
const name = { name: '<name>', description: 'as in the list: unit, limits.ic.max_send' }
const seeAlso = 'ckbtc help environment'

const list: CommandDefinition = {
  name: 'list',
  summary: 'every setting and where it comes from',
  description: `Shows what holds here and now: of an option, a variable, the project's file, your
file, or the default; the first that is set.`,
  examples: [
    ['ckbtc config list', 'a table'],
    ['CKBTC_UNIT=sat ckbtc config list', 'a variable beats the files'],
  ],
  exits: [BROKEN],
  seeAlso,
  run: async () => (await import('../config/list.ts')).configList,
}

const get: CommandDefinition = {
  name: 'get',
  summary: 'the value of one setting',
  description: 'Prints the value that holds here and now; nothing if there is none.',
  examples: [
    ['ckbtc config get network', 'local, unless another is selected'],
    ['ckbtc config get limits.ic.max_send', 'the spend limit of a network'],
  ],
  args: [name],
  exits: [BROKEN],
  seeAlso,
  run: async () => (await import('../config/list.ts')).configGet,
}

const set: CommandDefinition = {
  name: 'set',
  summary: 'write a setting into your file',
  description: `Checks the value and writes it. Amounts, durations and percentages carry their
unit, as everywhere.`,
  examples: [
    ['ckbtc config set unit sat', 'tables show satoshis'],
    ['ckbtc config set limits.ic.max_send 0.1btc', 'no command sends more on ic'],
    ['ckbtc config set max_fee_percent 2%', 'fees above it are refused'],
  ],
  args: [name, { name: '<value>', description: 'with its unit, if it has one' }],
  exits: [[3, 'the answer was no'], [4, 'there is no such key'], BROKEN],
  seeAlso,
  run: async () => (await import('../config/set.ts')).configSet,
}

const unset: CommandDefinition = {
  name: 'unset',
  summary: 'take a setting out of your file',
  description: 'What is weaker holds again: the default, mostly.',
  examples: [['ckbtc config unset unit', 'back to btc']],
  args: [name],
  exits: [BROKEN],
  seeAlso,
  run: async () => (await import('../config/set.ts')).configUnset,
}

const path: CommandDefinition = {
  name: 'path',
  summary: 'where the file is',
  description: `Prints the path of your configuration file, whether it exists or not; with -v
also that of the project's file.`,
  examples: [['ckbtc config path', 'one line']],
  seeAlso,
  needsNoConfiguration: true,
  run: async () => (await import('../config/list.ts')).configPathOf,
}

export const configGroup: GroupDefinition = {
  name: 'config',
  summary: 'settings, and where they come from',
  description: `Settings of yours, in one file. Options and variables beat it, and so does the
file .ckbtc.json of a project. There is no setting that adds a unit to a number.`,
  commands: [list, get, set, unset, path],
}
