/** Where the demo plays: a local subnet, two users and a payer, and a way to wait for things. */

import { fromHex } from '../../core/base/bytes.ts'
import { faultyMax } from '../../core/base/party.ts'
import { systemClock } from '../../host/clock.ts'
import { entropy } from '../../host/entropy.ts'
import type { LocalSubnet } from '../../host/local-subnet.ts'
import { Agent } from '../../wallet/agent.ts'
import { Canisters } from '../../wallet/canisters.ts'
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
}

/** The canisters as a user calls them, once the key is made. */
export function canistersOf({ local }: Stage, user: User, masterPublicKey: string): Canisters {
  const agent = new Agent(user, { transport: local.subnet, now: systemClock, entropy })
  const { ledger: ledgerId, minter: minterId } = local.ids
  return new Canisters(agent, { ledgerId, minterId, masterPublicKey: fromHex(masterPublicKey) })
}

/** Rejects with the signal's reason as soon as the run is to end; whatever is awaited is left to itself. */
export function unlessAborted<T>({ signal }: Pick<Stage, 'signal'>, work: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Looks whenever something has happened until there is an answer; says so when too few nodes run. */
export async function waitFor<T>(
  stage: Stage,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  let told = false
  for (;;) {
    const { subnet } = stage.local
    if (!subnet.canProgress && !told) stage.observe({ type: 'note', text: stalled(stage) })
    told = !subnet.canProgress
    // Below the quorum nothing new is ordered, and a question may find too few nodes to agree on an answer.
    const found = told ? undefined : await unlessAborted(stage, Promise.resolve(look()))
    if (found !== undefined) return found
    await unlessAborted(stage, stage.local.happening(LOOK_AGAIN_MS))
  }
}

function stalled({ local: { subnet } }: Stage): string {
  const needed = subnet.size - faultyMax(subnet.size)
  return `${subnet.up.length} of ${subnet.size} nodes up, ordering and signing need ${needed}: waiting, nothing is lost`
}
