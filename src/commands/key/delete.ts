/** `ckbtc key delete`. Implements `docs/spec/cli.md` §§3.12, 5.11. */
import { Problem } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import type { OpenOperationsOf } from '../../wallet/keys/key-refusals.ts'
import { noSuchKey, requireNoneOpen } from '../../wallet/keys/key-refusals.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { unlockedOf } from '../keys.ts'
import { openOperationsOf } from './open-operations.ts'
import type { KeySession } from './session.ts'
import { openSession } from './session.ts'

export async function keyDelete(
  { args: [name = ''], options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
  openOperations: OpenOperationsOf = openOperationsOf(context),
): Promise<void> {
  const session = await openSession(context, ports)
  const { store, terminal, rules } = session
  if (!store.names().includes(name)) throw noSuchKey(name, store.names())
  requireNoneOpen(name, openOperations)
  terminal.note(`Key ${name} is deleted for good. Without its phrase or another copy,`)
  terminal.note('everything that belongs to it is lost.')
  await requireTyped(session, name, options.text('confirmName'))
  await store.remove(name, openOperations)
  unlockedOf(context, ports).drop(name)
  printAnswer(terminal, {
    schema: 'key-delete',
    network: rules.name,
    data: { name, deleted: true, default: store.defaultName },
    warnings: [],
    essential: name,
    print: () => terminal.answer(`${terminal.paint.good('✓')} Key ${name} is deleted`),
  })
}

/** `--yes` is not enough: the name is typed, or given. */
async function requireTyped(
  { person }: KeySession,
  name: string,
  given: string | undefined,
): Promise<void> {
  const typed = given ?? (await person?.askText(`Type ${name} to delete it`))?.trim()
  if (typed === name) return
  if (typed === undefined)
    throw new Problem('CONSENT_REQUIRED', 'a key is deleted only if its name is given twice', {
      fix: `add --confirm-name ${name} if you mean it`,
    })
  throw new Problem('CONSENT_DECLINED', `that is not the name of the key, which is ${name}`, {
    fix: 'nothing was deleted',
  })
}
