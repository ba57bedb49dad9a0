/** Every command, in the order of the help. Implements `docs/spec/cli.md` §4. */
import { audit } from './audit.ts'
import type { Section } from './command.ts'
import { demoCommand } from './demo.ts'
import { identity } from './identity.ts'
import { local } from './local.ts'
import { money } from './money.ts'
import { setup } from './setup.ts'

export const sections: readonly Section[] = [
  { title: 'FIRST', commands: [demoCommand] },
  money,
  identity,
  audit,
  local,
  setup,
]
