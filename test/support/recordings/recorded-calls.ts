/** What the recorded minter asked of others, in the words of what ours asks. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { decodeTransaction } from '../../../src/core/btc/transaction.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { ARCHIVING, memoOfToday, NOT_OURS } from './call-rules.ts'
import type { RecordedChain } from './chain.ts'
import type { RecordedCall, Recording } from './format.ts'
import { field, listOf, NotUnderstood, principalOf } from './format.ts'
import type { OurCall } from './our-calls.ts'

/** A recorded call in the words of ours, as often as it was made. */
export function callsOf(call: RecordedCall, chain: RecordedChain): readonly OurCall[] {
  if (NOT_OURS.has(call.m) || ARCHIVING.has(call.m)) return []
  return new Array<OurCall>(call.count ?? 1).fill(callOf(call, chain))
}

function callOf({ m, t, in: args, out, x }: RecordedCall, chain: RecordedChain): OurCall {
  switch (m) {
    case 'bitcoin_get_utxos': {
      const address = field(args, 'address') ?? null
      const minConfirmations = field(field(args, 'filter'), 'MinConfirmations')
      const said =
        minConfirmations === undefined ? { address, page: true } : { address, minConfirmations }
      return { m, in: said, out: x === undefined ? (field(out, 'utxos') ?? null) : 'failed' }
    }
    case 'fetch_utxo_alerts':
      return { m, in: field(args, 'txid') ?? null, out: '' }
    case 'fetch_withdrawal_alerts':
      return { m, in: field(args, 'address') ?? null, out: '' }
    case 'icrc1_balance_of':
      return { m, in: args ?? null, out: x === undefined ? (out ?? null) : 'refused' }
    case 'icrc1_transfer':
    case 'icrc2_transfer_from': {
      const fields = Object.entries(Object(args)).filter(([name]) => SAID.has(name))
      const said = fields.map(([name, value]) => [
        name,
        name === 'memo' ? memoOfToday(String(value)) : value,
      ])
      const outcome = field(out, 'Ok') === undefined ? 'refused' : (out ?? null)
      return { m, t, in: Object.fromEntries(said), out: outcome }
    }
    case 'bitcoin_send_transaction': {
      const said = chain.describe(decodeTransaction(fromHex(longestHex(args))))
      return { m, in: said, out: x === undefined ? 'sent' : 'failed' }
    }
    default:
      throw new NotUnderstood(`a call of "${m}"`)
  }
}

const SAID: ReadonlySet<string> = new Set(['from', 'from_subaccount', 'to', 'amount', 'memo'])

/** The raw transaction, wherever the arguments have it. */
function longestHex(args: unknown): string {
  const found = JSON.stringify(args).match(/[0-9a-f]{20,}/g) ?? []
  const [longest] = [...found].sort((a, b) => b.length - a.length)
  if (longest === undefined) throw new NotUnderstood('a transaction without its bytes')
  return longest
}

/** Archives of a recording in the order in which they first appear. */
export function archivesOf(recording: Recording): readonly Principal[] {
  const named = Object.keys(recording.canisters).filter((name) => /archive/i.test(name))
  const called = recording.steps.flatMap(({ calls = [], parts = [] }) =>
    [...calls, ...parts.flatMap((part) => part.calls ?? [])].flatMap(({ to, m }) =>
      m === 'append_blocks' ? [to] : [],
    ),
  )
  const listed = recording.steps.flatMap(({ m, out }) =>
    m === 'archives' || m === 'icrc3_get_archives'
      ? listOf(out).flatMap((row) => field(row, 'canister_id') ?? [])
      : [],
  )
  const all = [...called, ...listed, ...named].map((name) => principalOf(recording, String(name)))
  const ids = all.map((id) => toHex(id))
  return all.filter((_, place) => ids.indexOf(ids[place] ?? '') === place)
}
