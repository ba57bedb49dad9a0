/** Which operations are open; whoever would lose their key asks first. Source: cli §§3.10, 5.11. */
import type { OpenOperationsOf } from '../../wallet/keys/key-refusals.ts'
import type { Operation } from '../../wallet/operations/operation.ts'
import { isOpen, textFact } from '../../wallet/operations/operation.ts'
import type { Context } from '../context.ts'
import { journalOf } from '../journal.ts'
import { networkNameOf } from '../network-name.ts'

/** Ids of the operations, on any network, that only this key can end. */
export const openOperationsOf =
  (context: Pick<Context, 'directories'>): OpenOperationsOf =>
  (name) =>
    journalOf(context)
      .all()
      .filter((operation) => isOpen(operation) && isOnItsWay(operation) && operation.key === name)
      .map(({ id }) => id)

/** How many are on their way on the selected network. */
export const openOperationCount = (
  context: Pick<Context, 'directories' | 'globals' | 'environment'>,
): number => journalOf(context).open(networkNameOf(context)).filter(isOnItsWay).length

/** An address that nobody has paid to is no operation to wait for. */
const isOnItsWay = (operation: Operation): boolean =>
  operation.kind !== 'deposit' || (textFact(operation, 'coins') ?? '') !== ''
