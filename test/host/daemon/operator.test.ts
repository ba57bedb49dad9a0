/**
 * Goal: what the operator changes is ordered like any other call, by the operator alone, and a
 * subnet that cannot answer is told of as it is.
 * Method: IC interface §18, cli §6; calls to real subnets in this process.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { checkerInterface } from '../../../src/core/subnet/checker-interface.ts'
import { callAsOperator } from '../../../src/host/daemon/operator.ts'
import type { IcBackend } from '../../../src/host/ic/backend.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const ANSWER_MS_MAX = 60_000
const operator = devUser(4)
const target = regtestWallet('payer').address
const flag = (backend: IcBackend, by = operator): Promise<boolean> =>
  callAsOperator(
    { backend, operator: by },
    { canisterId: ownCanisterIds.checker, methodName: 'x_flag', method: checkerInterface.x_flag },
    [{ target, flagged: true }],
  )

function founded(nodes: number): SubnetNet {
  const net = new SubnetNet(nodes)
  net.settle()
  net.pass(1)
  return net
}
const isFlagged = (net: SubnetNet): boolean => net.node(0).replica.state.checker.flagged.has(target)

afterEach(() => vi.useRealTimers())

describe('a call of the operator', () => {
  test('is executed, and nobody else’s is', async () => {
    const net = founded(1)
    await expect(flag(net.backend, devUser(0))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('only the operator'),
    })
    expect(isFlagged(net)).toBe(false)
    expect(await flag(net.backend)).toBe(true)
    expect(isFlagged(net)).toBe(true)
  })

  test('that finds too few nodes is SUBNET_SIGNING_STALLED, and is done once they are back', async () => {
    const net = founded(2)
    net.stop(1)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const refused = expect(flag(net.backend)).rejects.toMatchObject({
      code: 'SUBNET_SIGNING_STALLED',
      message: 'x_flag was sent and has no answer yet',
    })
    await vi.advanceTimersByTimeAsync(ANSWER_MS_MAX)
    await refused
    expect(isFlagged(net)).toBe(false)
    net.start(1)
    net.settle()
    net.pass(1)
    expect(isFlagged(net)).toBe(true)
  })

  test('that finds no room is SUBNET_SIGNING_STALLED, and was not done', async () => {
    const full: IcBackend = Object.assign(Object.create(founded(1).backend), {
      call: async () => ({ type: 'busy' }),
    })
    await expect(flag(full)).rejects.toMatchObject({
      code: 'SUBNET_SIGNING_STALLED',
      fix: expect.stringContaining('nothing was done'),
    })
  })
})
