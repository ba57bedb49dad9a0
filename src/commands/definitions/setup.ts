/** Commands of the group "SETUP". Implements `docs/spec/cli.md` §§4, 5.19. */
import type { CommandDefinition, Section } from './command.ts'
import { configGroup } from './config.ts'
import { networkGroup } from './network.ts'

/** Of `ckbtc help <topic>`; their texts are loaded when one is asked for. */
export const topicNames = [
  'amounts',
  'accounts',
  'waiting',
  'json',
  'exit-codes',
  'errors',
  'environment',
  'networks',
  'keys',
  'trust',
  'scripting',
] as const
export type TopicName = (typeof topicNames)[number]

const help: CommandDefinition = {
  name: 'help',
  summary: 'commands and topics',
  description: `Explains a command or a topic. The topics are ${topicNames.slice(0, 6).join(', ')},
${topicNames.slice(6).join(', ')}.`,
  examples: [
    ['ckbtc help subnet start', 'the same as ckbtc subnet start --help'],
    ['ckbtc help amounts', 'how amounts are written'],
    ['ckbtc help errors AMOUNT_NO_UNIT', 'what an error means, and what to do'],
  ],
  args: [{ name: '[words...]', description: 'a command, or a topic' }],
  options: [{ flags: '--no-pager', description: 'print long texts without $PAGER' }],
  needsNoConfiguration: true,
  // Words after `help` never reach the parser of commands: see tree.ts.
  run: async () => async () => {},
}

const version: CommandDefinition = {
  name: 'version',
  summary: 'versions of the program and of Node',
  description: 'Prints what a bug report needs first. -V prints the number only.',
  examples: [
    ['ckbtc version', 'for people'],
    ['ckbtc version --json', 'for programs'],
  ],
  seeAlso: 'ckbtc doctor',
  needsNoConfiguration: true,
  run: async () => (await import('../version.ts')).version,
}

const doctor: CommandDefinition = {
  name: 'doctor',
  summary: 'find and fix problems',
  description: `Looks at the machine, your files and keys, the local subnet and the selected network.
Each check is ok, warn or fail, with one remedy. The network's endpoint is
asked; nobody else is.`,
  examples: [
    ['ckbtc doctor', 'everything'],
    ['ckbtc doctor --fix', 'and takes rights from others, and what ended subnets left'],
    ['ckbtc doctor --report', 'a text without secrets for a bug report'],
  ],
  options: [
    { flags: '--fix', description: 'repair what can be repaired without a question' },
    { flags: '--report', description: 'print a text for a bug report' },
  ],
  exits: [[8, 'a check failed']],
  seeAlso: 'ckbtc version, ckbtc help environment',
  needsNoConfiguration: true,
  run: async () => (await import('../doctor.ts')).doctor,
}

export const setup: Section = {
  title: 'SETUP',
  commands: [networkGroup, configGroup, doctor, help, version],
}
