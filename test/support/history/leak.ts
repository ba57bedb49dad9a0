/**
 * Who kept signatures back makes the whole of a transaction out of them, and a node takes it, whatever
 * the minter was told meanwhile. Source: minter §12 [H 2]. For tests only.
 */
import { concat } from '../../../src/core/base/bytes.ts'
import { derivePublicKey } from '../../../src/core/base/derivation.ts'
import { derOfCompact } from '../../../src/core/btc/signature.ts'
import { ROOT } from '../minter-world.ts'
import type { Known } from './chain.ts'
import { known } from './chain.ts'
import type { Draw } from './draw.ts'
import type { Payment } from './payments.ts'
import type { History } from './world.ts'

/** Undefined while some input has never been asked for. */
function wholeOf({ signer }: History, { known: { id, transaction } }: Payment): Known | undefined {
  const inputs = transaction.inputs.map((input, i) => {
    const request = signer.requestFor(`${id}:${i}`)
    if (request === undefined) return undefined
    const signature = signer.sign(request)
    const { publicKey } = derivePublicKey(ROOT, request.path)
    return { ...input, witness: [concat(derOfCompact(signature), Uint8Array.of(1)), publicKey] }
  })
  const whole = inputs.filter((input) => input !== undefined)
  return whole.length < inputs.length ? undefined : known({ ...transaction, inputs: whole })
}

export function leak(history: History, draw: Draw): void {
  const { chain, books, story } = history
  const unseen = [...books.payments.all.values()]
    .filter(({ known: { id } }) => !chain.tip.confirmed.has(id) && !chain.mempool.has(id))
    .flatMap((payment) => wholeOf(history, payment) ?? [])
  if (unseen.length === 0) return
  const whole = draw.pick(unseen)
  story.push(`${whole.id} is leaked`)
  if (draw.oneIn(2)) chain.offer(whole)
  else chain.mine(() => true, [whole])
  if (draw.oneIn(2)) expire(history, whole)
}

/** The minter hears that nothing came of its requests. */
function expire(history: History, { id }: Known): void {
  for (const { key } of history.signer.takeFor(id)) history.notify({ type: 'signatureFailed', key })
}
