/**
 * Goal: no answer is taken for more than the subnet has signed, and a failure says whether anything
 * was sent.
 * Method: IC interface §§8, 9, 21, 26 (66 to 70, 86): the agent over a real subnet in this process,
 * with a proxy between them.
 */
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { CanisterRefused, present } from '../../src/core/base/errors.ts'
import { nat, query, update } from '../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { ledgerInterface } from '../../src/core/ledger/interface.ts'
import { Agent } from '../../src/wallet/agent.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { MAINNET_ROOT_KEY } from '../core/ic/certificates.ts'
import { SubnetNet } from '../support/subnet-net.ts'

const URL = 'http://127.0.0.1'
const canisterId = ownCanisterIds.ledger
const user = devUser(0)
const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')

const fee = {
  canister: 'ledger',
  canisterId,
  methodName: 'icrc1_fee',
  method: ledgerInterface.icrc1_fee,
} as const
const approve = {
  canister: 'ledger',
  canisterId,
  methodName: 'icrc2_approve',
  method: ledgerInterface.icrc2_approve,
} as const

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A proxy that changes one byte of every answer. */
const altering =
  (at: (bytes: Uint8Array) => number): typeof fetch =>
  async (input, init) => {
    const response = await net.fetch(input, init)
    const { status, headers } = response
    const bytes = new Uint8Array(await response.arrayBuffer())
    const place = at(bytes)
    return new Response(
      bytes.map((byte, i) => (i === place ? byte ^ 1 : byte)),
      {
        status,
        headers,
      },
    )
  }

describe('an answer', () => {
  const agent = new Agent(user, { url: URL, rootKey, fetch: net.fetch })

  test('of a query is what the ledger says', async () => {
    expect(await agent.query(fee, [])).toBe(10n)
  })

  test('of a query method asked as a call is certified', async () => {
    expect(await agent.update(fee, [])).toBe(10n)
  })

  test.each(['query', 'update'] as const)(
    'to a method that is none is a refusal: %s',
    async (kind) => {
      const method = kind === 'query' ? query([], nat) : update([], nat)
      const target = { canister: 'ledger', canisterId, methodName: 'nothing', method } as const
      const asked = agent[kind](target, [])
      await expect(asked).rejects.toThrow(CanisterRefused)
      await expect(asked).rejects.toMatchObject({
        details: { rejectCode: 5 },
        reason: expect.stringContaining(`has no ${kind} method 'nothing'`),
      })
    },
  )
})

describe('an altered answer', () => {
  test.each(['query', 'update'] as const)('is never believed: %s', async (kind) => {
    const fetch = altering((bytes) => bytes.length - 70)
    const agent = new Agent(user, { url: URL, rootKey, fetch })
    await expect(agent[kind](fee, [])).rejects.toBeInstanceOf(Error)
  })

  test('under another root key is NETWORK_BAD_CERTIFICATE', async () => {
    const agent = new Agent(user, { url: URL, rootKey: MAINNET_ROOT_KEY, fetch: net.fetch })
    await expect(agent.update(fee, [])).rejects.toMatchObject({ code: 'NETWORK_BAD_CERTIFICATE' })
  })
})

describe('a failure', () => {
  const approval = { spender: { owner: ownCanisterIds.minter }, amount: 5n }

  test('to connect says that nothing was sent', async () => {
    const agent = new Agent(user, { url: `http://127.0.0.1:${await closedPort()}`, rootKey })
    await expect(agent.update(approve, [approval])).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
    })
  })

  test('after the call went out says that its outcome is unknown', async () => {
    const losing: typeof fetch = async (input, init) => {
      await net.fetch(input, init)
      throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } })
    }
    const agent = new Agent(user, { url: URL, rootKey, fetch: losing })
    await expect(agent.update(approve, [approval])).rejects.toMatchObject({
      code: 'OPERATION_UNKNOWN',
    })
  })
})
