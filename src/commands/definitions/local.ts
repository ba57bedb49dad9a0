/** Commands of the group "LOCAL SUBNET". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'

export const local: Section = { title: 'LOCAL SUBNET', commands: [] }
