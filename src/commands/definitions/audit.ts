/** Commands of the group "AUDIT". Implements `docs/spec/cli.md` §4. */
import type { Section } from './command.ts'
import { eventsCommand, infoCommand, utxosCommand, verifyReservesCommand } from './reading.ts'

export const audit: Section = {
  title: 'AUDIT',
  commands: [verifyReservesCommand, utxosCommand, eventsCommand, infoCommand],
}
