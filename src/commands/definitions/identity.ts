/** Commands of the group "IDENTITY". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'

export const identity: Section = { title: 'IDENTITY', commands: [] }
