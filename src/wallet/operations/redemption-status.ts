/** Where a burned redemption is: what the minter says, as the journal has it. Implements cli §5.5. */
import { toDisplayHex } from '../../core/base/bytes.ts'
import type { RetrieveBtcStatusV2 } from '../../core/minter/types.ts'
import type { Operating } from './operating.ts'
import type { Facts, Operation, OperationState } from './operation.ts'
import { bigintFact, isOpen, textFact } from './operation.ts'
import { chainFacts, REPLACED_MAX, waitWords } from './redemption-story.ts'

const stages: Readonly<
  Record<RetrieveBtcStatusV2['type'], { readonly stage: string; readonly state: OperationState }>
> = {
  unknown: { stage: 'queued', state: 'waiting' },
  pending: { stage: 'queued', state: 'waiting' },
  signing: { stage: 'signing', state: 'waiting' },
  sending: { stage: 'sending', state: 'waiting' },
  submitted: { stage: 'broadcast', state: 'waiting' },
  confirmed: { stage: 'confirmed', state: 'done' },
  amountTooLow: { stage: 'rejected', state: 'refused' },
  willReimburse: { stage: 'returning', state: 'waiting' },
  reimbursed: { stage: 'returned', state: 'returned' },
}

/** What an answer of the minter says, as state and facts. */
export function outcomeOf(status: RetrieveBtcStatusV2): {
  readonly state: OperationState
  readonly facts: Facts
} {
  const { stage, state } = stages[status.type]
  const facts: Facts = {
    stage,
    ...('txid' in status ? { txid: toDisplayHex(status.txid) } : {}),
    ...(status.type === 'reimbursed'
      ? {
          returnedSat: String(status.deposit.amount),
          returnedBlockIndex: String(status.deposit.mintBlockIndex),
          reason: status.deposit.reason.type,
        }
      : {}),
  }
  return { state, facts }
}

/**
 * Asks the minter where a burned redemption is, and writes down what is new. `waits` among the facts
 * of what is given says why it has not gone on, and is not written down.
 */
export async function refreshRedemption(
  operating: Operating,
  operation: Operation,
): Promise<Operation> {
  const { client, journal } = operating
  const burnIndex = bigintFact(operation, 'burnBlockIndex')
  if (burnIndex === undefined) return operation
  const status = await client.minter.redemptionStatus(burnIndex)
  // Of the oldest ones the minter forgets what became of them: the journal knows more.
  if (status.type === 'unknown' && textFact(operation, 'stage') !== undefined) return operation
  const story = await client.views.withdrawal(burnIndex)
  const told = outcomeOf(status)
  // One node may say where it is; that it is over the whole network says.
  const { state, facts } = isOpen(told)
    ? told
    : outcomeOf(await client.minter.redemptionStatus(burnIndex, { certified: true }))
  const known = { ...facts, ...replacement(operation, facts), ...(story && chainFacts(story)) }
  const isKnown = Object.entries(known).every(([name, value]) => operation.facts[name] === value)
  const now =
    isKnown && state === operation.state
      ? operation
      : journal.update(operation.id, { state, facts: known })
  return { ...now, facts: { ...now.facts, waits: (story && waitWords(story)) ?? null } }
}

/** The minter has sent it again with a higher fee: both transactions stay known. */
function replacement(operation: Operation, { txid }: Facts): Facts {
  const before = textFact(operation, 'txid')
  if (before === undefined || typeof txid !== 'string' || before === txid) return {}
  const earlier = (textFact(operation, 'replacedTxids') ?? '').split(' ').filter(Boolean)
  const replaced = [...new Set([...earlier, before])].filter((other) => other !== txid)
  return { replacedTxids: replaced.slice(-REPLACED_MAX).join(' ') }
}
