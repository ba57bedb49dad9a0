/** Why a node refuses a transaction, by its own words. Source: `docs/spec/bitcoin.md` §10.3. */
import type { Txid } from '../../core/base/bytes.ts'
import type { BroadcastOutcome, RefusalKind } from '../bitcoin-source.ts'
import { quoted } from './failures.ts'

/** The first that fits; words of Bitcoin Core. */
const kinds: readonly (readonly [RegExp, RefusalKind])[] = [
  [/bad-txns-inputs-missingorspent|missing inputs/i, 'inputs-missing-or-spent'],
  [
    /insufficient fee, rejecting replacement|replacement-adds-unconfirmed|txn-mempool-conflict/i,
    'replacement-refused',
  ],
  [/min relay fee not met|mempool min fee not met|insufficient fee/i, 'fee-too-low'],
  [/max-fee-exceeded|absurdly-high-fee|fee exceeds maximum/i, 'fee-too-high'],
  [/too-long-mempool-chain|too-large-cluster/i, 'too-long-chain'],
  [/\bdust\b/i, 'dust'],
  [/script-verify-flag-failed|script-verify/i, 'script-failure'],
  [
    /scriptpubkey|scriptsig-|tx-size|version|non-standard|bare-multisig|datacarrier/i,
    'non-standard',
  ],
  [/decode failed/i, 'malformed'],
]

/** "Already known" is success: the node has it (−27). */
const isKnown = (text: string): boolean =>
  /already in block ?chain|txn-already-known|txn-already-in-mempool|already in utxo set/i.test(text)

export function outcomeOf(refusal: string, txid: Txid): BroadcastOutcome {
  if (isKnown(refusal)) return { type: 'accepted', txid }
  const kind = kinds.find(([pattern]) => pattern.test(refusal))?.[1] ?? 'other'
  return { type: 'refused', kind, reason: quoted(refusal) }
}
