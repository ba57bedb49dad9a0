/** What our minter answers beyond the published interface. Source: `docs/spec/minter.md` §18.2. */
import { blob, nat64, query, vec } from '../ic/candid.ts'
import { record } from '../ic/candid-records.ts'
import { outpointCodec } from './interface-events.ts'

export const minterExtension = {
  /** Every event, ours (`x_…`) included, as the CBOR of the log: what a replay needs. */
  x_get_events: query([record({ start: nat64, length: nat64 })], vec(blob)),
  /** Credited coins that a reorganisation took back, and what they were worth [H 15]. */
  x_lost_coins: query([], record({ amount: nat64, outpoints: vec(outpointCodec) })),
}
