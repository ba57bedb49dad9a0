/** Definition of `ckbtc demo`. Implements `docs/spec/cli.md` §5.1. */
import type { CommandDefinition } from './command.ts'

export const demoCommand: CommandDefinition = {
  name: 'demo',
  summary: 'the whole story on a subnet that disappears afterwards',
  description: `Starts a subnet in this process, deposits test bitcoin, mints ckBTC, transfers
some, redeems some, and proves the reserves. Needs no key and no network, keeps
nothing.`,
  examples: [
    ['ckbtc demo', 'four nodes, one of them may fail'],
    ['ckbtc demo --nodes 7', 'seven nodes, two may fail'],
    ['ckbtc demo --chaos', 'a node stops before the redemption'],
    ['ckbtc demo --json', 'one document on standard output'],
  ],
  options: [
    { flags: '--nodes <n>', description: 'nodes of the subnet, 1 to 40 (default: 4)' },
    { flags: '--chaos', description: 'one node stops before the redemption; needs 4 nodes' },
  ],
  exits: [
    [8, 'a check failed'],
    [11, 'this machine cannot run it'],
  ],
  seeAlso: 'ckbtc subnet start, ckbtc help trust',
  needsNoConfiguration: true,
  run: async () => {
    const { demo } = await import('../demo.ts')
    return ({ options }, context) =>
      demo(
        {
          chaos: options.isOn('chaos'),
          ...(options.text('nodes') === undefined ? {} : { nodes: options.text('nodes') ?? '' }),
        },
        context,
      )
  },
}
