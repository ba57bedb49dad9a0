/** Where the demo plays: a local subnet, two users and a payer, and a way to wait for things. */

import { fromHex } from '../../core/base/bytes.ts'
import { present } from '../../core/base/errors.ts'
import { faultyMax } from '../../core/base/party.ts'
import type { LocalSubnet } from '../../host/local-subnet.ts'
import { IN_PROCESS_URL } from '../../host/local-subnet.ts'
import type { Canisters } from '../../wallet/canisters.ts'
import { canistersAt } from '../../wallet/canisters.ts'
import type { User } from '../../wallet/identity.ts'
import type { DemoEvent } from './types.ts'

/** How long to sleep at most between two looks at what is waited for. */
const LOOK_AGAIN_MS = 250

export type Stage = {
  readonly local: LocalSubnet
  readonly signal: AbortSignal
  readonly observe: (event: DemoEvent) => void
  /** Whole milliseconds since the step began. */
  readonly elapsedMs: () => number
  /** Whether the present lack of nodes has been told. */
  readonly stall: { told: boolean }
}

/** The canisters as a user calls them, once the key is made. */
export function canistersOf({ local }: Stage, user: User, masterPublicKey: string): Canisters {
  const rootKey = present(local.rootKey, 'the root key is made before anybody calls')
  const { ledger: ledgerId, minter: minterId } = local.ids
  const key = { rootKey, masterPublicKey: fromHex(masterPublicKey) }
  const deployment = { url: IN_PROCESS_URL, ledgerId, minterId, ...key }
  return canistersAt(deployment, { signer: user, fetch: local.fetch })
}

/**
 * Waits for work of the subnet; says so when too few nodes run, and ends as soon as the run is to
 * end.
 */
export async function awaited<T>(stage: Stage, work: Promise<T>): Promise<T> {
  let settled = false
  const ending = work.then(
    () => undefined,
    () => undefined,
  )
  ending.then(() => {
    settled = true
  })
  while (!settled) {
    noteStall(stage)
    await unlessAborted(stage, Promise.race([ending, stage.local.happening(LOOK_AGAIN_MS)]))
  }
  return work
}

/** Looks whenever something has happened until there is an answer. */
export async function waitFor<T>(
  stage: Stage,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (;;) {
    const found = await awaited(stage, Promise.resolve(look()))
    if (found !== undefined) return found
    noteStall(stage)
    await unlessAborted(stage, stage.local.happening(LOOK_AGAIN_MS))
  }
}

/**
 * Rejects with the signal's reason as soon as the run is to end; whatever is awaited is left to
 * itself.
 */
function unlessAborted<T>({ signal }: Stage, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Said once for each time that the subnet falls below its quorum. */
function noteStall({ local: { subnet }, observe, stall }: Stage): void {
  const needed = subnet.size - faultyMax(subnet.size)
  const up = subnet.up.length
  if (up < needed && !stall.told) {
    const counts = `${up} of ${subnet.size} nodes up, ordering and signing need ${needed}`
    observe({ type: 'note', text: `${counts}: waiting, nothing is lost` })
  }
  stall.told = up < needed
}
