/**
 * The story of the demo: bitcoin becomes ckBTC and bitcoin again, and the books are checked.
 * Implements cli §5.1.
 */
import { faultyMax } from '../../core/base/party.ts'
import { NS_PER_SECOND } from '../../core/base/units.ts'
import { monotonicMs } from '../../host/clock.ts'
import { LocalSubnet } from '../../host/local-subnet.ts'
import { minterSettings } from '../../host/set-values.ts'
import { devUser } from '../../wallet/identity.ts'
import type { Stage } from './stage.ts'
import { canistersOf, waitFor } from './stage.ts'
import {
  checkReserves,
  depositBitcoin,
  mineFirstCoins,
  redeem,
  requestAddress,
  transfer,
  waitForMint,
} from './steps.ts'
import type { DemoEvent, DemoOptions, DemoResult, DemoStep, DemoStepName } from './types.ts'

/** Enough for the redemption, and one more, so that the stock is seen to work. */
const STOCK_TARGET = 2
const CREATION_MAX = 2
const TIME_IN_QUEUE_NS = NS_PER_SECOND

/** What tests do to the subnet before a step begins. */
export type DemoHooks = {
  readonly beforeStep?: (name: DemoStepName, local: LocalSubnet) => void | Promise<void>
}

/** Plays a step: tells its beginning and end, keeps its time and what came of it. */
export type Play = <S extends DemoStep>(name: S['name'], act: () => Promise<S>) => Promise<S>

export async function runDemo(
  { nodes, chaos, signal }: DemoOptions,
  observe: (event: DemoEvent) => void,
  hooks: DemoHooks = {},
): Promise<DemoResult> {
  const startedMs = monotonicMs()
  const steps: DemoStep[] = []
  observe({ type: 'step-started', name: 'subnet' })
  const local = await LocalSubnet.start({
    nodes,
    stockTarget: STOCK_TARGET,
    creationMax: CREATION_MAX,
    minter: minterSettings(new Map([['minter.max-time-in-queue', TIME_IN_QUEUE_NS]])),
  })
  let beganMs = startedMs
  const elapsedMs = (): number => Math.round(monotonicMs() - beganMs)
  const play: Play = async (name, act) => {
    await hooks.beforeStep?.(name, local)
    if (name !== 'subnet') {
      beganMs = monotonicMs()
      observe({ type: 'step-started', name })
    }
    const step = await act()
    steps.push(step)
    observe({ type: 'step-done', step })
    return step
  }
  try {
    const ending = await tell(
      { local, signal, observe, elapsedMs, stall: { told: false } },
      play,
      chaos,
    )
    const durationMs = Math.round(monotonicMs() - startedMs)
    return { nodes, tolerates: faultyMax(nodes), durationMs, steps, ...ending }
  } finally {
    await local.close()
  }
}

async function tell(
  stage: Stage,
  play: Play,
  chaos: boolean,
): Promise<Pick<DemoResult, 'publicKey' | 'verdict' | 'surplusSat'>> {
  const { publicKey } = await play('subnet', async () => {
    mineFirstCoins(stage)
    const key = await waitFor(stage, () =>
      stage.local.rootKey === undefined ? undefined : stage.local.publicKey,
    )
    return { name: 'subnet', ok: true, ms: stage.elapsedMs(), publicKey: key }
  })
  const user = devUser(0)
  const canisters = canistersOf(stage, user, publicKey)
  const account = { owner: user.principal }
  const { address } = await play('deposit-address', () => requestAddress(canisters, account, stage))
  const deposit = await play('deposit', () => depositBitcoin(stage, canisters, address))
  await play('mint', () => waitForMint(stage, canisters, deposit))
  await play('transfer', () => transfer(stage, canisters))
  if (chaos) await stopOne(stage)
  await play('redeem', () => redeem(stage, canisters))
  const { verdict, surplusSat } = await play('reserves', () => checkReserves(stage, canisters))
  return { publicKey, verdict, surplusSat }
}

/** One node stops before the redemption; the others make the signature. */
async function stopOne({ local: { subnet }, observe }: Stage): Promise<void> {
  const last = subnet.size - 1
  await subnet.stopNode(last)
  observe({ type: 'note', text: `node ${last + 1} stopped; the other ${last} go on without it` })
}
