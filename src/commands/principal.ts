/** `ckbtc principal`. Implements `docs/spec/cli.md` §5.12. */
import { printAnswer } from '../terminal/answer.ts'
import { principalText } from '../wallet/keys/describe.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import type { KeyPorts } from './key-ports.ts'
import { keyPorts } from './key-ports.ts'
import { keyRulesFor, select } from './keys.ts'

export async function principal(
  _: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const rules = await keyRulesFor(context)
  const { chosen, warnings } = select(context, rules, ports)
  const text = principalText(chosen.principal)
  printAnswer(context.terminal, {
    schema: 'principal',
    network: rules.name,
    data: { principal: text, key: chosen.name, source: chosen.source },
    warnings,
    essential: text,
    print: () => context.terminal.answer(text),
  })
}
