/**
 * Blocks of a ledger as the history of an account takes them: kinds that are not known here are shown
 * as such, and break nothing. Source: ledger §9, ICRC-3 (foreign block types).
 */
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { TIMESTAMP_MAX, timestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { SUBACCOUNT_BYTES, sameAccount } from '../../core/ic/account.ts'
import { principal } from '../../core/ic/principal.ts'
import { blockOfValue, typeOfBlock } from '../../core/ledger/blocks/block-value.ts'
import type { TimedMovement } from '../../core/ledger/blocks/log-queries.ts'
import { timedMovement } from '../../core/ledger/blocks/log-queries.ts'
import type { Value } from '../../core/ledger/blocks/value.ts'
import type { IndexedTransaction, OtherTransaction } from '../client/account-index.ts'

const KNOWN_TYPES: readonly (string | undefined)[] = [
  '1mint',
  '1burn',
  '1xfer',
  '2xfer',
  '2approve',
]
/** Letters of a name that others have given. */
const NAME_MAX = 40

/** The block as a transaction if the account has to do with it. Throws `BadEncoding`. */
export function recordOf(id: bigint, value: Value, account: Account): IndexedTransaction[] {
  const blockType = typeOfBlock(value)
  const isKnown = KNOWN_TYPES.includes(blockType)
  const transaction = isKnown ? timedMovement(blockOfValue(value)) : undefined
  if (transaction === undefined)
    return mentions(value, account) ? [{ id, transaction: otherOf(value, blockType) }] : []
  return concerns(transaction, account) ? [{ id, transaction }] : []
}

/** As the index lists accounts (ledger §13): not under the spender of an approval. */
function concerns(transaction: TimedMovement, account: Account): boolean {
  const parties =
    transaction.type === 'mint'
      ? [transaction.to]
      : transaction.type === 'transfer'
        ? [transaction.from, transaction.to]
        : [transaction.from]
  return parties.some((party) => sameAccount(party, account))
}

const otherOf = (value: Value, blockType = 'unknown'): OtherTransaction => ({
  type: 'other',
  blockType: blockType.slice(0, NAME_MAX),
  timestamp: timeOf(value),
})

function timeOf(value: Value): TimestampNs | undefined {
  const fields = value.type === 'map' ? new Map(value.map) : undefined
  const ts = fields?.get('ts')
  if (ts?.type === 'nat' && ts.nat <= TIMESTAMP_MAX) return timestampNs(ts.nat)
  return undefined
}

/** Whether the account stands anywhere in the block: nobody knows what it means there. */
function mentions(value: Value, account: Account): boolean {
  switch (value.type) {
    case 'array':
      return isAccount(value, account) || value.array.some((part) => mentions(part, account))
    case 'map':
      return value.map.some(([, part]) => mentions(part, account))
    case 'blob':
    case 'text':
    case 'nat':
    case 'int':
      return false
  }
}

function isAccount({ array }: Value & { readonly type: 'array' }, account: Account): boolean {
  const [owner, subaccount, more] = array
  if (owner?.type !== 'blob' || more !== undefined) return false
  const read = attempt(() => principal(owner.blob))
  if (read instanceof BadEncoding) return false
  if (subaccount === undefined) return sameAccount({ owner: read }, account)
  if (subaccount.type !== 'blob' || subaccount.blob.length !== SUBACCOUNT_BYTES) return false
  return sameAccount({ owner: read, subaccount: subaccount.blob }, account)
}
