/** What a recording says of its end: the minter's events, and coins selected for amounts. */
import type { Txid } from '../../../src/core/base/bytes.ts'
import { fromHex, hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { hashBlock, hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import { valueOfBlock } from '../../../src/core/ledger/blocks/block-value.ts'
import { DEFAULT_INPUTS_MAX, DEFAULT_SETTINGS } from '../../../src/core/minter/constants.ts'
import { eventsOf } from '../../../src/core/minter/events/event-log.ts'
import { isExtension } from '../../../src/core/minter/events/events.ts'
import { payloadCodec } from '../../../src/core/minter/events/interface-events.ts'
import { addCoin, newCoinSet } from '../../../src/core/minter/state/coin-set.ts'
import { selectCoins } from '../../../src/core/minter/transactions/coin-selection.ts'
import type { Utxo } from '../../../src/core/minter/types.ts'
import { eventOfToday, plainEvent } from './event-rules.ts'
import type { Fields, Readable, Recording } from './format.ts'
import { field, fieldsOf, listOf, NotUnderstood } from './format.ts'
import type { Judged } from './judge.ts'
import { legacyForm } from './ledger-arguments.ts'
import type { Player } from './player.ts'
import { canonical, isSame, readableOf } from './readable.ts'

export type Ending = { readonly what: string } & Judged

/** Every recorded block: what is in it, and its hash. */
export function compareBlocks(player: Player, { blocks }: Recording): Ending[] {
  if (blocks === undefined || player.diverged !== undefined) return []
  const ours = player.ledger.blocks
  const { apart } = player.ledger
  const unlike: Judged =
    apart === undefined ? { kind: 'unexplained' } : { kind: 'different', reason: apart }
  const verdicts = blocks.map(({ i, h, b }): Ending => {
    const block = ours[i]
    const what = `block ${i}`
    if (block === undefined) return { what, ...unlike, recorded: b }
    const said = legacyForm(valueOfBlock(block))
    const hash = toHex(hashBlock(block, hashTransaction(block.transaction)))
    return isSame(said, b) && hash === h
      ? { what, kind: 'equal' }
      : { what, ...unlike, recorded: b, ours: said }
  })
  const isMore = ours.length > (blocks.at(-1)?.i ?? -1) + 1
  const more: Ending = { what: 'blocks', ...unlike, ours: ours.length }
  return isMore ? [...verdicts, more] : verdicts
}

/** Every recorded event, in order, against ours without those that only we have. */
export function compareEvents(player: Player, { events, events_note }: Recording): Ending[] {
  if (events === undefined) return []
  const leftOut = /worth (\d+)/.exec(events_note ?? '')?.[1]
  const ours = [...eventsOf(player.minter.minter.log)]
    .map(({ payload }) => payload)
    .filter((payload) => !isExtension(payload.type))
    .map((payload) => fieldsOf(readableOf(payloadCodec, payload)))
    .filter((payload) => leftOut === undefined || !isOfCoinWorth(payload, leftOut))
  const expected = events.map((event) => player.chain.translated(eventOfToday(event)))
  return inOrder({ events, expected, ours, diverged: player.diverged })
}

/** One after the other; once the minters hold different things, each wherever it is. */
function inOrder({
  events,
  expected,
  ours,
  diverged,
}: {
  readonly events: readonly Fields[]
  readonly expected: readonly (Fields | undefined)[]
  readonly ours: readonly Fields[]
  readonly diverged: string | undefined
}): Ending[] {
  const left = ours.map((payload) => canonical(plainEvent(payload)))
  const checked = new Set<string>()
  const verdicts = events.map((event, i): Ending => {
    const what = `event ${Object.keys(event).join()}`
    const today = expected[i]
    if (today === undefined)
      return { what, kind: 'different', reason: 'no event of today’s release' }
    const said = canonical(plainEvent(today))
    if (checked.has(said))
      return { what, kind: 'different', reason: 'a checked coin is recorded once today' }
    if ('checked_utxo_v2' in today) checked.add(said)
    const at = diverged === undefined ? (left[0] === said ? 0 : -1) : left.indexOf(said)
    if (at >= 0) {
      left.splice(at, 1)
      return { what, kind: 'equal' }
    }
    if (diverged !== undefined) return { what, kind: 'different', reason: diverged }
    return { what, kind: 'unexplained', recorded: event, ours: left.shift() }
  })
  const rest = left.map((our): Ending => {
    const what = 'an event of ours'
    if (diverged !== undefined) return { what, kind: 'different', reason: diverged }
    return { what, kind: 'unexplained', ours: our }
  })
  return [...verdicts, ...rest]
}

function isOfCoinWorth(payload: Fields, worth: string): boolean {
  const [content] = Object.values(payload)
  const utxos = field(content, 'utxos')
  const first = Array.isArray(utxos) ? utxos[0] : field(content, 'utxo')
  return field(first, 'value') === worth
}

/** Names that a recorded selection may give to what was asked for, and to what was taken. */
const WANTED = ['amount', 'target', 'goal', 'amounts'] as const
const TAKEN = ['inputs', 'utxos', 'coins', 'chosen', 'selected', 'selection', 'out'] as const

/** Coins as they were recorded: listed, or by the formula of `coins` steps. */
function coinsOf(coins: unknown): readonly Utxo[] {
  const chain = new Map<string, Utxo>()
  const add = (txid: string, rest: unknown, at: number): void => {
    const { vout = 0, value = rest as Readable, height = 0 } = Object(rest) as Fields
    const outpoint = { txid: hash32(fromHex(txid)) as Txid, vout: Number(vout) }
    const coin = { outpoint, value: sat(BigInt(String(value))), height: Number(height) }
    chain.set(`${at}`, coin)
  }
  listOf(coins).forEach((coin, at) => {
    const txid = field(typeof coin === 'object' ? coin : null, 'txid')
    add(txid === undefined ? at.toString(16).padStart(64, '0') : String(txid), coin, at)
  })
  const { seed, count, value } = Array.isArray(coins) ? {} : fieldsOf(coins)
  for (let number = 0; number < Number(count ?? 0); number++)
    add(toHex(sha256(utf8(`${seed} ${number}`))), { value: value ?? null }, number)
  return [...chain.values()]
}

/** What each selection took of all coins, by §9. */
export function compareSelections({ coins, selections }: Recording): Ending[] {
  if (selections === undefined) return []
  const all = coinsOf(coins)
  const set = newCoinSet()
  for (const coin of all) addCoin(set, coin)
  const spendable = { coins: set, without: new Map() }
  return listOf(selections).map((selection, at): Ending => {
    const wanted = WANTED.find((name) => field(selection, name) !== undefined)
    const taken = TAKEN.find((name) => field(selection, name) !== undefined)
    if (wanted === undefined || taken === undefined)
      throw new NotUnderstood(`a selection: ${JSON.stringify(selection).slice(0, 200)}`)
    const said = field(selection, wanted) ?? null
    const amounts = (Array.isArray(said) ? said : [said]).map((each) => BigInt(String(each)))
    const target = amounts.reduce((sum, amount) => sum + amount, 0n)
    const { utxosCountThreshold: countThreshold } = DEFAULT_SETTINGS
    const ours =
      selectCoins(spendable, {
        target,
        recipients: amounts.length,
        countThreshold,
        inputsMax: DEFAULT_INPUTS_MAX,
      }) ?? []
    const recorded = field(selection, taken) ?? null
    const isEqual = isTaken(recorded, ours, all)
    const what = `selection ${at} for ${target}`
    return isEqual ? { what, kind: 'equal' } : { what, kind: 'unexplained', recorded, ours }
  })
}

/** By count, or one by one: index among all coins, outpoint, or value. */
function isTaken(recorded: Readable, ours: readonly Utxo[], all: readonly Utxo[]): boolean {
  if (typeof recorded === 'number') return recorded === ours.length
  const list = listOf(recorded)
  return (
    list.length === ours.length &&
    list.every((each, i) => {
      const our = ours[i]
      if (our === undefined) return false
      if (typeof each === 'number') return isSameCoin(all[each], our)
      if (typeof each === 'string') return each === String(our.value) || each === nameOfCoin(our)
      const txid = field(each, 'txid') ?? field(field(each, 'outpoint'), 'txid')
      const vout = field(each, 'vout') ?? field(field(each, 'outpoint'), 'vout')
      return `${txid}:${vout}` === nameOfCoin(our)
    })
  )
}

const isSameCoin = (a: Utxo | undefined, b: Utxo): boolean =>
  a !== undefined && nameOfCoin(a) === nameOfCoin(b)

const nameOfCoin = ({ outpoint }: Utxo): string => `${toHex(outpoint.txid)}:${outpoint.vout}`
