/** Commands of the group "MONEY". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'
import { balanceCommand, feesCommand, historyCommand } from './reading.ts'

export const money: Section = {
  title: 'MONEY',
  commands: [balanceCommand, historyCommand, feesCommand],
}
