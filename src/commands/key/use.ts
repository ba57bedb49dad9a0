/** `ckbtc key use` and `ckbtc key rename`. Implements `docs/spec/cli.md` §5.11. */
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { permissionWarnings, unlockedOf } from '../keys.ts'
import { openOperationsOf } from './open-operations.ts'
import { answerKey, openSession } from './session.ts'

export async function keyUse(
  { args: [name = ''] }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const session = await openSession(context, ports)
  const entry = await session.store.setDefault(name)
  answerKey(session, {
    schema: 'key-use',
    entry,
    warnings: permissionWarnings(session.store, name),
  })
}

export async function keyRename(
  { args: [from = '', to = ''] }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const session = await openSession(context, ports)
  const entry = await session.store.rename(from, to, openOperationsOf(context))
  unlockedOf(context, ports).drop(from)
  answerKey(session, { schema: 'key-rename', entry })
}
