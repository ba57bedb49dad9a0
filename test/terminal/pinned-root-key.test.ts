/**
 * Goal: on the Internet Computer the pinned root key is the only one: nobody is asked for another.
 * Method: IC interface §21.1 and §26 (98): every command that reads, on `ic` and `testnet4`, with
 * the `fetch` of the platform replaced by one that leads to another network and lists what it is
 * asked.
 */
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { address } from '../../src/commands/address.ts'
import { balance } from '../../src/commands/balance.ts'
import { fees } from '../../src/commands/fees.ts'
import { history } from '../../src/commands/history.ts'
import { info } from '../../src/commands/info.ts'
import { verifyReserves } from '../../src/commands/verify-reserves.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const asked: string[] = []
beforeEach(() => {
  asked.length = 0
  vi.stubGlobal('fetch', (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init)
    asked.push(request.url)
    return net.fetch(request)
  })
})
afterAll(() => {
  vi.unstubAllGlobals()
  desk.close()
})

/** One that anybody may look at. */
const account = 'fdsgv-62ihb-nbiqv-xgic5-iefsv-3cscz-tmbzv-63qd5-vh43v-dqfrt-pae'
/** Whether what it asks is answered with a signature, be it a refusal. */
const isSigned = (name: string): boolean => !['address', 'verifyReserves'].includes(name)
const commands = { address, balance, fees, history, info, verifyReserves } as const

describe.each(['ic', 'testnet4'])('on %s', (network) => {
  test.each(Object.entries(commands))(
    '98: %s asks nobody for a root key, and believes no other one',
    async (name, command) => {
      const args = ['fees', 'info', 'verifyReserves'].includes(name) ? [] : [account]
      const { exit, err, out } = await desk.run(
        (invocation, context) => command(invocation, context), // With a session of its own.
        { args, globals: { network } },
      )
      expect(out).toBe('')
      expect(exit).toBeGreaterThan(0)
      if (isSigned(name)) expect(err).toContain('NETWORK_BAD_CERTIFICATE')
      for (const url of asked) {
        expect(url).toMatch(/^https:\/\/icp-api\.io\/api\/v[234]\/canister\//)
        expect(url).not.toContain('status')
      }
    },
  )
})
