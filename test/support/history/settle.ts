/**
 * The end of a history: users stop, everybody answers, blocks come. Then every burn is paid or given
 * back, every queue is empty, and the minter asks for nothing. Source: minter §18.7. For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { healView, setLevel } from './actions.ts'
import { ancestor } from './chain.ts'
import type { History } from './world.ts'

const HOUR = 3_600n * NS_PER_SECOND
const DAYS_MAX = 12
const BLOCKS_OF_DAY = 3
/** Refreshes of fees and looks for consolidation are hourly. */
const TICKS_OF_IDLE_DAY_MAX = 60

export function settle(history: History): void {
  calm(history)
  for (let day = 0; day < DAYS_MAX && !isSettled(history); day++) {
    for (let block = 0; block < BLOCKS_OF_DAY; block++) hour(history)
    if (!isSettled(history)) history.wait(25n * HOUR)
  }
  if (!isSettled(history)) history.fail(`not settled: ${leftovers(history).join(', ')}`)
  checkOutcomes(history)
  checkPublished(history)
  checkBooks(history)
  checkIdle(history)
}

/** Moods end; what was stolen is back in the chain. */
function calm(history: History): void {
  const { chain, checker, ledger, view } = history
  history.isLazy = false
  ledger.moods = []
  ledger.isBlind = false
  checker.mood = 'passed'
  chain.minedRate = 0n
  chain.mempoolRate = 1_000n
  setLevel(history, 5_000n)
  healView(history)
  while (ledger.held.length > 0) history.landHeldCall()
  giveBackThefts(history)
  const thefts = new Set(history.thefts.map(({ theft }) => theft.id))
  chain.evict(({ known: { id } }) => !thefts.has(id))
  for (const each of [...chain.payments, ...view.sent.values()]) chain.offer(each)
  history.sync()
  history.upgrade({
    type: 'upgrade',
    args: {
      mode: { type: 'generalAvailability' },
      inputsMax: 1_000n,
      consolidationThreshold: 10_000n,
    },
  })
  history.restart(false)
}

function giveBackThefts(history: History): void {
  const { chain, thefts } = history
  const undone = thefts.filter(({ theft }) => chain.tip.confirmed.has(theft.id))
  // Another reorganisation may have put the theft into a lower block since.
  const least = undone.reduce(
    (min, { theft, height }) =>
      Math.min(min, height, (chain.tip.confirmed.get(theft.id) ?? height + 1) - 1),
    Number.POSITIVE_INFINITY,
  )
  if (undone.length === 0) return
  const depth = chain.height - least
  const base = ancestor(chain.tip, depth)
  const names = new Set(undone.map(({ theft }) => theft.id))
  const first = undone.map(({ victim }) => victim)
  chain.reorganise(depth, { first, isKept: ({ id }) => !names.has(id) })
  history.story.push(`back to ${base.height}, thefts undone`)
}

/** What is asked for is signed, and a block takes all there is. */
function hour(history: History): void {
  const { chain, signer, view } = history
  for (let request = signer.take(0); request !== undefined; request = signer.take(0)) {
    const signature = signer.sign(request)
    history.notify({ type: 'signatureReady', key: request.key, signature })
  }
  const { minConfirmations } = history.state.config
  view.relay(minConfirmations)
  for (let i = 0; i < minConfirmations; i++) chain.mine()
  history.sync()
  history.wait(HOUR / 4n)
}

const leftovers = ({ state, signer }: History): readonly string[] =>
  Object.entries({
    queue: state.queue.length,
    signing: state.signing.size,
    submitted: state.submitted.size,
    stuck: state.stuck.size,
    calls: state.calls.size,
    reimbursements: state.reimbursements.size,
    lost: state.volatile.lost.size,
    'wanted signatures': signer.open.size,
  }).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))

const isSettled = (history: History): boolean => leftovers(history).length === 0

/** Every burn ends paid or given back, and never both. */
function checkOutcomes(history: History): void {
  const { books, chain } = history
  const paid = books.payments.paidIn(chain.tip.confirmed)
  for (const burn of books.ledger.burns.keys()) {
    const ways = (paid.get(burn)?.length ?? 0) + (books.ledger.reimbursed.has(burn) ? 1 : 0)
    if (ways !== 1) history.fail(`burn ${burn} ends in ${ways} ways`)
  }
}

/** What `get_events` shows leads to the same coins and the same ends of burns (§18.2). */
function checkPublished(history: History): void {
  const { shadow, published } = history.books
  if (shadow === undefined || published === undefined) return
  const kinds = [
    [shadow.availableUtxos, published.availableUtxos],
    [shadow.finalized, published.finalized],
    [shadow.reimbursed, published.reimbursed],
    [shadow.mintedOutpoints, published.mintedOutpoints],
  ] as const
  for (const [all, some] of kinds) {
    const [one, other] = [[...all.keys()].sort().join(), [...some.keys()].sort().join()]
    if (one !== other) history.fail(`published events lead to ${other} where all lead to ${one}`)
  }
}

/** Supply = UTXOs less what was kept: all of it told by the chain and the ledger's blocks. */
function checkBooks(history: History): void {
  const { books, chain } = history
  const { ledger, payments } = books
  let kept = ledger.consolidationFees
  for (const { fee } of ledger.credits.values()) kept += fee
  for (const [burn, { amount }] of ledger.reimbursed)
    kept += (ledger.burns.get(burn)?.amount ?? 0n) - amount
  for (const [id, { burns, minterFee, bitcoinFee }] of payments.all) {
    if (!chain.tip.confirmed.has(id)) continue
    if (burns.length > 0) kept += minterFee
    else kept -= bitcoinFee // Borne by burns: of a cancellation's requests, or of collected fees.
  }
  let coins = 0n
  const main = toHex(history.mainScript)
  for (const [key, { value, script }] of chain.tip.coins) {
    const isChange = script === main && payments.all.has(key.split(':')[0] ?? '')
    if (isChange || ledger.credits.has(key)) coins += value
  }
  const supply = ledger.supplies.at(-1) ?? 0n
  const expected = supply + kept + ledger.feesBurned
  if (coins !== expected)
    history.fail(`${coins} satoshis back ${supply} tokens, ${expected} should`)
}

function checkIdle(history: History): void {
  const before = history.ticks
  history.wait(24n * HOUR)
  const ticks = history.ticks - before
  if (ticks > TICKS_OF_IDLE_DAY_MAX) history.fail(`an idle minter asks for ${ticks} slots a day`)
}
