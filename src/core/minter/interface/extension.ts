/** What our minter answers beyond the published interface. Source: `docs/spec/minter.md` §18.2. */
import { blob, nat64, opt, query, text, unit, update, vec } from '../../ic/candid.ts'
import { named, record, variant } from '../../ic/candid-records.ts'
import { outpointCodec, utxoCodec } from '../events/interface-events.ts'
import { settingsChangeCodec } from '../settings-change.ts'
import { viewMethods } from '../views/interface.ts'
import { minterArgCodec } from './interface.ts'

export const minterExtension = {
  /** Every event, ours (`x_…`) included, as the CBOR of the log: what a replay needs. */
  x_get_events: query([record({ start: nat64, length: nat64 })], vec(blob)),
  /** Credited coins that a reorganisation took back, and what they were worth [H 15]. */
  x_lost_coins: query([], record({ amount: nat64, outpoints: vec(outpointCodec) })),
  /** Stuck transactions that are due and not replaced, why, and at what rate (§14.2). */
  x_delayed_replacements: query(
    [],
    vec(record({ txid: blob, reason: text, rate_msat_per_vb: named('rateMsatPerVb', nat64) })),
  ),
  /** Coins that the operator gave up for lost, and that have not come back (§18.8). */
  x_written_off: query([], vec(utxoCodec)),
  /** Of the operator: gives lost coins up, where the rest covers all that was promised (§18.8). */
  x_write_off: update([vec(outpointCodec)], variant({ Ok: unit, Err: named('reason', text) })),
  /** Of the operator: donations become the minter's, and what came back after a loss (§18.8). */
  x_adopt_coins: update([vec(outpointCodec)], variant({ Ok: unit, Err: named('reason', text) })),
  /** Of the operator: an upgrade through the log, with settings to change (§18.4). */
  x_upgrade: update(
    [opt(minterArgCodec), settingsChangeCodec],
    variant({ Ok: unit, Err: named('reason', text) }),
  ),
  ...viewMethods,
}
