/** Commands of the group "SETUP". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'
import { networkGroup } from './network.ts'

export const setup: Section = { title: 'SETUP', commands: [networkGroup] }
