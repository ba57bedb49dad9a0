/**
 * Is every ckBTC backed? Recomputed from the ledger's blocks, the minter's events, the key and the
 * chain; nothing is repeated that the minter says about itself. Implements cli §5.13.
 */
import type { ExtendedKey } from '../core/base/derivation.ts'
import { attempt, BadEncoding, ReservesInconclusive } from '../core/base/errors.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import { outpointKey } from '../core/btc/transaction.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { Block } from '../core/ledger/blocks/block.ts'
import type { TipCertificate } from '../core/ledger/interface/ledger-interface.ts'
import type { Event } from '../core/minter/events/events.ts'
import { replay as replayMinter } from '../core/minter/events/replay.ts'
import type { State as MinterState } from '../core/minter/state/state.ts'
import type { ChainOutput } from './bitcoin-source.ts'
import type { Client } from './client.ts'
import { derivations, minterKeyOf } from './deposit-address.ts'
import { compareBooks } from './reserve-books.ts'
import type { BitcoinView, OneChain } from './reserve-coins.ts'
import { claimsOf, countCoins, noCoins, viewOfChain } from './reserve-coins.ts'
import type { CertifiedTip } from './reserve-supply.ts'
import { supplyOf, verifyTip } from './reserve-supply.ts'

/** Readings until all views are of one moment: under steady traffic some fail. */
const READINGS_MAX = 10

/** All that a judgement rests on. */
export type ReserveViews = {
  readonly network: string
  readonly ledgerId: Principal
  readonly minterId: Principal
  /** The minter's root key. */
  readonly minterKey: ExtendedKey
  readonly height: number
  readonly blocks: readonly Block[]
  readonly events: readonly Event[]
  /** Where the network offers it, with the key under which it verifies (DER). */
  readonly tip: (TipCertificate & { readonly rootKey: Uint8Array }) | undefined
  /** What the chain said of every output that was asked for. */
  readonly outputs: readonly { readonly outpoint: OutPoint; readonly output: ChainOutput }[]
}

export type ReserveCheck = { readonly name: string; readonly ok: boolean; readonly count: number }

export type ReserveReport = {
  /**
   * `mismatch`: two views contradict each other; `inconclusive`: the views never stood still
   * together.
   */
  readonly verdict: 'backed' | 'shortfall' | 'mismatch' | 'inconclusive'
  readonly height: number
  readonly supplySat: bigint
  /** Whether the network has signed the last block that the supply is from. */
  readonly supplyCertified: boolean
  /** Accepted redemptions that are not paid, and reimbursements due. */
  readonly owedSat: bigint
  /** Coins found unspent on the chain, with the value and the script that they should have. */
  readonly reservesSat: bigint
  /**
   * Own change in mined transactions that are not final; the payments in them are no longer owed.
   */
  readonly inFlightSat: bigint
  /** Too small to be credited, or in quarantine; not counted. */
  readonly excludedSat: bigint
  /** reserves + in flight − supply − owed; negative when short. */
  readonly surplusSat: bigint
  readonly coins: {
    readonly total: number
    readonly verified: number
    readonly missing: number
    readonly mismatched: number
  }
  readonly events: number
  readonly blocks: number
  readonly checks: readonly ReserveCheck[]
  /** What contradicts what, in words; empty when nothing does. */
  readonly contradictions: readonly string[]
}

export type ReserveOptions = {
  /** How much may be missing. */
  readonly toleranceSat?: bigint
  readonly failFast?: boolean
  /** Is told what is being read. */
  readonly onStep?: (text: string) => void
}

export type ReserveFinding = { readonly report: ReserveReport; readonly views: ReserveViews }

/** Judged by one chain that is at hand. */
export async function verifyReserves(
  client: Client,
  chain: OneChain,
  options: ReserveOptions = {},
): Promise<ReserveReport> {
  return (await investigateReserves(client, viewOfChain(chain), options)).report
}

/** Reads everything and judges it, until a reading in which nothing moved. */
export async function investigateReserves(
  client: Client,
  bitcoin: BitcoinView,
  options: ReserveOptions = {},
): Promise<ReserveFinding> {
  const minterKey = await keyOf(client)
  let finding = await readOnce(client, bitcoin, { ...options, minterKey })
  for (let reading = 1; isMoving(finding) && reading < READINGS_MAX; reading++)
    finding = await readOnce(client, bitcoin, { ...options, minterKey })
  return finding
}

const isMoving = ({ report }: ReserveFinding): boolean => report.verdict === 'inconclusive'

/** With several keys to choose from, the one that leads to the minter's own address. */
export async function keyOf({ network, minter }: Client): Promise<ExtendedKey> {
  const account = { owner: network.ids.minter }
  const [first, ...others] = derivations(network, account)
  if (first === undefined)
    throw new ReservesInconclusive('the key of this network is not known, so no address is')
  if (others.length === 0) return first.minterKey
  const named = await minter.address(account)
  const found = [first, ...others].find(({ address }) => address === named)
  if (found === undefined) throw new ReservesInconclusive('no known key leads to the minter')
  return minterKeyOf(network, found.masterKey)
}

/** One reading of all views. It counts only if none of them moved meanwhile. */
async function readOnce(
  client: Client,
  bitcoin: BitcoinView,
  { minterKey, onStep, ...options }: ReserveOptions & { readonly minterKey: ExtendedKey },
): Promise<ReserveFinding> {
  const { ledger: ledgerId, minter: minterId } = client.network.ids
  const height = await bitcoin.height()
  const events = await client.events((count) => onStep?.(`${count} events read`))
  const blocks = await client.blocks.all((read, total) =>
    onStep?.(`${read} of ${total} blocks read`),
  )
  const certificate = await client.ledger.tipCertificate()
  const { network } = client
  const tip = certificate && { ...certificate, rootKey: network.rootKey }
  const certified =
    tip && verifyTip(tip, { ...tip, ledgerId, now: await client.clockFor(tip.certificate) })
  onStep?.('asking the chain for every coin')
  const minter = minterState(events, minterId, [])
  const claims = minter === undefined ? [] : claimsOf({ minter, minterKey, minterId })
  const viewed = await bitcoin.outputs(claims)
  const outputs = claims.map(({ outpoint }, index) => ({
    outpoint,
    output: viewed?.outputs[index] ?? ({ type: 'unknown' } as const),
  }))
  const read = { network: network.name, ledgerId, minterId, minterKey, height, blocks, events, tip }
  const views: ReserveViews = { ...read, outputs }
  const report = judge(views, { ...options, certified })
  const moved =
    viewed?.height !== height ||
    isAhead(certified, blocks) ||
    (await client.events()).length !== events.length ||
    (await bitcoin.height()) !== height
  return { views, report: moved ? { ...report, verdict: 'inconclusive' } : report }
}

/** A block came in between the reading of the blocks and that of the certificate. */
const isAhead = (certified: CertifiedTip | undefined, blocks: readonly Block[]): boolean =>
  certified !== undefined &&
  (certified.type === 'empty' ? 0n : certified.index + 1n) !== BigInt(blocks.length)

/** Judges what was read before; the same every time. */
export function judgeAgain(
  views: ReserveViews,
  options: Pick<ReserveOptions, 'toleranceSat'>,
): ReserveReport {
  const { tip, ledgerId } = views
  const certified = tip && verifyTip(tip, { rootKey: tip.rootKey, ledgerId, now: undefined })
  return judge(views, { ...options, certified })
}

/** Contradictions, by what was looked at. */
type Found = Readonly<Record<'ledger' | 'minter' | 'books' | 'coins', string[]>>

type Judging = Pick<ReserveOptions, 'toleranceSat' | 'failFast'> & {
  readonly certified: CertifiedTip | undefined
}

function judge(
  views: ReserveViews,
  { toleranceSat = 0n, failFast = false, certified }: Judging,
): ReserveReport {
  const { minterId, minterKey, height, blocks, events } = views
  const known = new Map(
    views.outputs.map(({ outpoint, output }) => [outpointKey(outpoint), output]),
  )
  const outputOf = (outpoint: OutPoint): ChainOutput =>
    known.get(outpointKey(outpoint)) ?? { type: 'unknown' }
  const found: Found = { ledger: [], minter: [], books: [], coins: [] }
  const supplySat = supplyOf(blocks, { minterId, certified }, found.ledger)
  const minter = minterState(events, minterId, found.minter)
  compareBooks({ blocks, events }, found.books)
  const count =
    minter === undefined
      ? noCoins
      : countCoins({ minterId, minterKey, outputOf, minter, failFast }, found.coins)
  const contradictions = Object.values(found).flat()
  const surplusSat = count.reservesSat + count.inFlightSat - supplySat - count.owedSat
  return {
    ...count,
    verdict: verdictOf(surplusSat + toleranceSat, minter !== undefined, contradictions),
    height,
    supplySat,
    supplyCertified: certified !== undefined,
    surplusSat,
    events: events.length,
    blocks: blocks.length,
    checks: [
      { name: 'supply-replayed', ok: found.ledger.length === 0, count: blocks.length },
      { name: 'events-replayed', ok: minter !== undefined, count: events.length },
      { name: 'books-agree', ok: found.books.length === 0, count: blocks.length },
      {
        name: 'addresses-derived',
        ok: count.coins.mismatched === 0,
        count: count.coins.total - count.coins.mismatched,
      },
      {
        name: 'coins-unspent',
        ok: count.coins.verified === count.coins.total,
        count: count.coins.verified,
      },
    ],
    contradictions,
  }
}

/** Books that cannot be replayed say nothing of a sum. */
function verdictOf(
  margin: bigint,
  replayed: boolean,
  contradictions: readonly string[],
): ReserveReport['verdict'] {
  if (!replayed) return 'mismatch'
  if (margin < 0n) return 'shortfall'
  return contradictions.length > 0 ? 'mismatch' : 'backed'
}

function minterState(
  events: readonly Event[],
  minterId: Principal,
  found: string[],
): MinterState | undefined {
  const state = attempt(() => replayMinter(events, minterId))
  if (!(state instanceof BadEncoding)) return state
  found.push(`the minter's events contradict each other: ${state.message}`)
  return undefined
}
