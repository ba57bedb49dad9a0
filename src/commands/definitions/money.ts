/** Commands of the group "MONEY". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'
import { balanceCommand, exportCommand, feesCommand, historyCommand } from './reading.ts'
import {
  allowanceCommand,
  approveCommand,
  depositCommand,
  redeemCommand,
  resumeCommand,
  statusCommand,
  transferCommand,
} from './spending.ts'

export const money: Section = {
  title: 'MONEY',
  commands: [
    depositCommand,
    balanceCommand,
    transferCommand,
    redeemCommand,
    statusCommand,
    resumeCommand,
    historyCommand,
    exportCommand,
    feesCommand,
    approveCommand,
    allowanceCommand,
  ],
}
