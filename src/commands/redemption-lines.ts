/** The lines that a redemption leaves behind on its way. Implements `docs/spec/cli.md` §5.5. */
import type { Operation } from '../wallet/operations/operation.ts'
import { textFact } from '../wallet/operations/operation.ts'
import type { Context } from './context.ts'
import { feeRateWords, replacedIds } from './operation-words.ts'

/** How far each stage of the minter is: queued, signed, broadcast, confirmed. */
export const reached: Readonly<Record<string, number>> = {
  queued: 0,
  signing: 0,
  sending: 1,
  broadcast: 2,
  confirmed: 3,
}

const passedLines = ['Queued, batched with other requests', 'Signed by the subnet', 'Broadcast']

/** A line for each stage that was passed, each replacement, and a cancellation. */
export function stageTeller({ terminal }: Context): (operation: Operation) => void {
  const { json, quiet, plain } = terminal.settings
  const { answer, paint } = terminal
  let passed = 0
  /** The newest transaction that was told of. */
  let told: string | undefined
  let isCancelled = false
  return (operation) => {
    if (json || quiet || plain) return
    const stage = textFact(operation, 'stage') ?? 'queued'
    const place = (reached[stage] ?? 0) + 1
    const txid = textFact(operation, 'txid')
    const rate = feeRateWords(operation)
    const paying =
      txid === undefined ? '' : `   tx ${txid}${rate === undefined ? '' : `   ${rate}`}`
    for (; passed < Math.min(place, passedLines.length); passed++) {
      const isSent = passed === passedLines.length - 1
      answer(`${paint.good('✓')} ${passedLines[passed]}${isSent ? paying : ''}`)
      if (isSent) told = txid
    }
    const isReplaced = told !== undefined && txid !== undefined && txid !== told
    if (isReplaced && replacedIds(operation).includes(told ?? '')) {
      answer(`${paint.good('✓')} Replaced, with a higher fee${paying}`)
      told = txid
    }
    const cancelling = textFact(operation, 'cancelledByTxid')
    if (cancelling === undefined || isCancelled) return
    isCancelled = true
    answer(`! Cancelled   tx ${cancelling}   the ckBTC comes back when it is final`)
  }
}
