/** Is every ckBTC backed? Recomputed from the ledger's blocks, the minter's events, the key and the chain. Source: cli §5.13. */
import { equalBytes, toDisplayHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import { outpointKey } from '../core/btc/transaction.ts'
import type { Block } from '../core/ledger/block.ts'
import { ckbtcConfig } from '../core/ledger/config.ts'
import { totalSupply } from '../core/ledger/queries.ts'
import { replay as replayLedger } from '../core/ledger/replay.ts'
import { scriptOf } from '../core/minter/addresses.ts'
import type { Event } from '../core/minter/events.ts'
import { replay as replayMinter } from '../core/minter/replay.ts'
import { reserveEquation } from '../core/minter/reserve.ts'
import type { State as MinterState } from '../core/minter/state.ts'
import type { Utxo } from '../core/minter/types.ts'
import type { Canisters } from './canisters.ts'

/** What the chain says of an output. */
export type ChainOutput =
  | {
      readonly type: 'unspent'
      readonly value: bigint
      readonly script: Uint8Array
      readonly height: number
    }
  | { readonly type: 'spent' }
  | { readonly type: 'unknown' }

/** A view of Bitcoin that the subnet has no part in. */
export interface BitcoinSource {
  output(outpoint: OutPoint): Promise<ChainOutput>
  height(): Promise<number>
}

export type ReserveReport = {
  readonly verdict: 'backed' | 'shortfall' | 'mismatch'
  readonly height: number
  readonly supplySat: bigint
  /** Accepted redemptions that are not paid, and reimbursements due. */
  readonly owedSat: bigint
  /** Coins found unspent on the chain, with the value and the script that they should have. */
  readonly reservesSat: bigint
  /** Own change in transactions that are not final. */
  readonly inFlightSat: bigint
  /** reserves + in flight − supply − owed; negative when short. */
  readonly surplusSat: bigint
  readonly coins: { readonly total: number; readonly verified: number }
  readonly events: number
  readonly blocks: number
  /** What contradicts what, in words; empty when nothing does. */
  readonly contradictions: readonly string[]
}

/** Reads everything and computes; repeats nothing that the minter says about itself. */
export async function verifyReserves(
  canisters: Canisters,
  bitcoin: BitcoinSource,
): Promise<ReserveReport> {
  const [blocks, events] = [await canisters.blocks(), await canisters.events()]
  const height = await bitcoin.height()
  const found: string[] = []
  const supplySat = supplyOf(canisters, blocks, found)
  const minter = minterState(canisters, events, found)
  compareLogs(blocks, events, found)
  const coins = minter === undefined ? [] : [...minter.availableUtxos.values()]
  const verified: Utxo[] = []
  for (const coin of coins)
    if (await isThere(canisters, bitcoin, { coin, minter, found })) verified.push(coin)
  const reservesSat = verified.reduce((sum, { value }) => sum + value, 0n)
  const equation = minter === undefined ? undefined : reserveEquation(minter, supplySat)
  const owedSat = (equation?.pending ?? 0n) + (equation?.reimbursements ?? 0n)
  const inFlightSat = inFlight(minter)
  const surplusSat = reservesSat + inFlightSat - supplySat - owedSat
  return {
    verdict: surplusSat < 0n ? 'shortfall' : found.length > 0 ? 'mismatch' : 'backed',
    height,
    supplySat,
    owedSat,
    reservesSat,
    inFlightSat,
    surplusSat,
    coins: { total: coins.length, verified: verified.length },
    events: events.length,
    blocks: blocks.length,
    contradictions: found,
  }
}

/** Replays the blocks: every parent hash, balance and fee is checked on the way. */
function supplyOf(
  { deployment: { minterId } }: Canisters,
  blocks: readonly Block[],
  found: string[],
): bigint {
  const config = ckbtcConfig({ minter: minterId, archiveController: minterId })
  const replayed = replayLedger(config, blocks)
  if (replayed.type === 'replayed') return totalSupply(replayed.state)
  found.push(`ledger block ${replayed.blockIndex}: ${replayed.reason}`)
  return 0n
}

function minterState(
  { deployment: { minterId } }: Canisters,
  events: readonly Event[],
  found: string[],
): MinterState | undefined {
  const state = attempt(() => replayMinter(events, minterId))
  if (!(state instanceof BadEncoding)) return state
  found.push(`the minter's events contradict each other: ${state.message}`)
  return undefined
}

/** Every mint and burn has its event, and every event its block. */
function compareLogs(blocks: readonly Block[], events: readonly Event[], found: string[]): void {
  const kinds = blocks.map(({ transaction }) => transaction.type)
  const indices = (kind: 'mint' | 'burn'): Set<bigint> =>
    new Set(kinds.flatMap((each, index) => (each === kind ? [BigInt(index)] : [])))
  const [mints, burns] = [indices('mint'), indices('burn')]
  for (const { payload } of events) {
    if (payload.type === 'receivedUtxos' && payload.mintTxid !== undefined)
      take(mints, payload.mintTxid, 'mint', found)
    if (payload.type === 'acceptedRetrieveBtcRequest')
      take(burns, payload.blockIndex, 'burn', found)
    if (payload.type === 'reimbursedWithdrawal') take(mints, payload.mintBlockIndex, 'mint', found)
  }
  for (const index of mints) found.push(`mint block ${index} has no event`)
  for (const index of burns) found.push(`burn block ${index} has no event`)
}

function take(indices: Set<bigint>, index: bigint, kind: string, found: string[]): void {
  if (!indices.delete(index)) found.push(`an event names ${kind} block ${index}, which is none`)
}

type Claim = {
  readonly coin: Utxo
  readonly minter: MinterState | undefined
  readonly found: string[]
}

/** Whether the chain holds the coin, unspent, of the value claimed and on an address derived from the key. */
async function isThere(
  { minterKey }: Canisters,
  bitcoin: BitcoinSource,
  { coin, minter, found }: Claim,
): Promise<boolean> {
  const { outpoint, value } = coin
  const key = outpointKey(outpoint)
  const owner = minter?.outpointAccount.get(key)
  const name = `coin ${toDisplayHex(outpoint.txid)}:${outpoint.vout}`
  const output = await bitcoin.output(outpoint)
  if (owner === undefined) found.push(`${name} belongs to no account`)
  else if (output.type !== 'unspent') found.push(`${name} is ${output.type} on the chain`)
  else if (output.value !== value) found.push(`${name} is worth ${output.value}, not ${value}`)
  else if (!equalBytes(output.script, scriptOf(minterKey, owner)))
    found.push(`${name} is not on the address of its account`)
  else return true
  return false
}

const inFlight = (minter: MinterState | undefined): bigint =>
  [...(minter?.submitted.values() ?? [])].reduce(
    (sum, { changeOutput }) => sum + (changeOutput?.value ?? 0n),
    0n,
  )
