/**
 * Redemptions that this machine's journal does not know, from the minter's list: losing the journal
 * loses nothing. Implements `docs/spec/cli.md` §5.6.
 */
import { toDisplayHex } from '../core/base/bytes.ts'
import type { Account } from '../wallet/account-text.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import type { Client } from '../wallet/client.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { outcomeOf } from '../wallet/operations/redemption-status.ts'
import { chainFacts, waitWords } from '../wallet/operations/redemption-story.ts'

const TXID = /^[0-9a-f]{64}$/
const BLOCK = /^\d{1,18}$/

/** By ledger block, or by Bitcoin transaction among the account's. */
export async function foundElsewhere(
  wanted: string,
  client: Client,
  account: Account,
): Promise<Operation | undefined> {
  if (!TXID.test(wanted) && !BLOCK.test(wanted)) return undefined
  const redemptions = await client.minter.redemptions(account)
  const found = redemptions.find(({ blockIndex, status }) =>
    BLOCK.test(wanted)
      ? blockIndex === BigInt(wanted)
      : status !== undefined && 'txid' in status && toDisplayHex(status.txid) === wanted,
  )
  if (found?.status === undefined) return undefined
  const { state, facts } = outcomeOf(found.status)
  const block = await client.blocks.range(found.blockIndex, found.blockIndex + 1n)
  const at = new Date(Number((block[0]?.timestamp ?? 0n) / 1_000_000n)).toISOString()
  const transaction = block[0]?.transaction
  const story = await client.views.withdrawal(found.blockIndex)
  return {
    id: `block ${found.blockIndex}`,
    kind: 'redeem',
    network: client.network.name,
    key: null,
    account: textOfAccount(account),
    startedAt: at,
    updatedAt: at,
    state,
    facts: {
      ...facts,
      ...(story && { ...chainFacts(story), waits: waitWords(story) ?? null }),
      burnBlockIndex: String(found.blockIndex),
      ...(transaction?.type === 'burn' ? { amountSat: String(transaction.amount) } : {}),
    },
  }
}
