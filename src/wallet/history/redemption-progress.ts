/** How far the redemptions among the rows are; only the minter knows. Implements cli §5.7. */
import { toDisplayHex } from '../../core/base/bytes.ts'
import type { RetrieveBtcStatusV2 } from '../../core/minter/types.ts'
import type { MinterClient } from '../client/minter.ts'
import type { HistoryEntry } from './entry.ts'

export type MinterPort = { readonly minter: Pick<MinterClient, 'redemptionStatus'> }

/** Questions under way at once. */
const AT_ONCE = 16

export async function* withProgress(
  client: MinterPort,
  entries: readonly HistoryEntry[],
): AsyncGenerator<HistoryEntry> {
  for (let place = 0; place < entries.length; place += AT_ONCE)
    yield* await Promise.all(
      entries.slice(place, place + AT_ONCE).map((entry) => progressed(client, entry)),
    )
}

async function progressed({ minter }: MinterPort, entry: HistoryEntry): Promise<HistoryEntry> {
  if (entry.type !== 'redeem') return entry
  return { ...entry, ...progressOf(await minter.redemptionStatus(entry.blockIndex)) }
}

function progressOf(status: RetrieveBtcStatusV2): Pick<HistoryEntry, 'status' | 'txid'> {
  switch (status.type) {
    case 'confirmed':
      return { status: 'done', txid: toDisplayHex(status.txid) }
    case 'sending':
    case 'submitted':
      return { status: status.type, txid: toDisplayHex(status.txid) }
    case 'unknown': // The deployed minter forgets what is long done (minter §1.1).
      return { status: 'done', txid: undefined }
    case 'pending':
    case 'signing':
      return { status: status.type, txid: undefined }
    case 'amountTooLow':
      return { status: 'amount-too-low', txid: undefined }
    case 'reimbursed':
      return { status: 'returned', txid: undefined }
    case 'willReimburse':
      return { status: 'returning', txid: undefined }
  }
}
