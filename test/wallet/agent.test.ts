/**
 * Goal: what a user asks reaches the subnet as signed, and no answer is taken for more than it
 * says.
 * Method: IC interface §§5 to 9.
 */
import { describe, expect, test } from 'vitest'
import { BadEncoding, CanisterRefused, present } from '../../src/core/base/errors.ts'
import { addNs, NS_PER_SECOND, timestampNs } from '../../src/core/base/units.ts'
import { admit } from '../../src/core/ic/admission.ts'
import type { CallReply } from '../../src/core/ic/call-reply.ts'
import { rejected } from '../../src/core/ic/call-reply.ts'
import { decodeArgs, encodeArgs, nat, query, text, update } from '../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { decodeEnvelope } from '../../src/core/ic/envelope.ts'
import { hostEd25519 } from '../../src/host/ed25519.ts'
import type { Transport } from '../../src/wallet/agent.ts'
import { Agent } from '../../src/wallet/agent.ts'
import { devUser } from '../../src/wallet/identity.ts'

const NOW = timestampNs(1_800_000_000_000_000_000n)
const user = devUser(0)
const canisterId = ownCanisterIds.ledger
const add = {
  canister: 'ledger',
  canisterId,
  methodName: 'add',
  method: update([nat, text], nat),
} as const
const get = {
  canister: 'ledger',
  canisterId,
  methodName: 'get',
  method: query([text], nat),
} as const

/** An agent whose subnet answers every call in the same way, and what it was asked. */
function agentFor(reply: CallReply) {
  const calls: Uint8Array[] = []
  const queries: Parameters<Transport['query']>[0][] = []
  const transport: Transport = {
    call: async (envelope) => {
      calls.push(envelope)
      return reply
    },
    query: async (asked) => {
      queries.push(asked)
      return reply
    },
  }
  let drawn = 0
  const entropy = (size: number): Uint8Array => new Uint8Array(size).fill(++drawn)
  return { calls, queries, agent: new Agent(user, { transport, now: () => NOW, entropy }) }
}

const seven: CallReply = { type: 'replied', arg: encodeArgs([nat], [7n]) }

describe('an update', () => {
  test('is an envelope that the subnet admits for four minutes, with a nonce of its own', async () => {
    const { agent, calls } = agentFor(seven)
    for (const _ of [1, 2]) expect(await agent.update(add, [5n, 'x'])).toBe(7n)
    const contents = calls.map((bytes) => {
      const context = { now: NOW, ed25519: hostEd25519, sizeBytes: bytes.length }
      const admitted = admit(decodeEnvelope(bytes), context)
      if (admitted.type === 'refused' || admitted.content.type !== 'call')
        throw new Error(admitted.type)
      return admitted.content
    })
    const [first, second] = contents
    const ingressExpiry = addNs(NOW, 240n * NS_PER_SECOND)
    const { methodName } = add
    expect(first).toMatchObject({ sender: user.principal, canisterId, methodName, ingressExpiry })
    expect(decodeArgs([nat, text], present(first, 'a call').arg)).toEqual([5n, 'x'])
    expect(first?.nonce).toHaveLength(16)
    expect(first?.nonce).not.toEqual(second?.nonce)
  })
})

describe('a query', () => {
  test('names caller, canister, method and arguments', async () => {
    const { agent, queries } = agentFor(seven)
    expect(await agent.query(get, ['x'])).toBe(7n)
    const arg = encodeArgs([text], ['x'])
    expect(queries).toEqual([{ caller: user.principal, canisterId, methodName: 'get', arg }])
    expect(agent.principal).toEqual(user.principal)
  })
})

describe.each([
  ['an update', (reply: CallReply) => agentFor(reply).agent.update(add, [5n, 'x'])],
  ['a query', (reply: CallReply) => agentFor(reply).agent.query(get, ['x'])],
])('the answer to %s', (_, ask) => {
  test.each([
    [2, 'IC0202'],
    [3, 'IC0301'],
    [4, 'IC0406'],
    [5, 'IC0503'],
  ] as const)(
    'that rejects with code %i throws the code and the words',
    async (code, errorCode) => {
      const answer = ask(rejected(errorCode, 'no room'))
      await expect(answer).rejects.toThrow(CanisterRefused)
      await expect(answer).rejects.toMatchObject({
        reason: 'no room',
        details: { rejectCode: code },
        message: expect.stringMatching(/^(add|get): the ledger refused: no room$/),
      })
    },
  )

  test.each<[string, Uint8Array]>([
    ['is empty', new Uint8Array()],
    ['is no Candid', Uint8Array.of(1, 2, 3, 4)],
    ['holds nothing', encodeArgs([], [])],
    ['is of another type', encodeArgs([text], ['7'])],
    ['is cut off', encodeArgs([nat], [7n]).slice(0, -1)],
    ['goes on', Uint8Array.of(...encodeArgs([nat], [7n]), 0)],
  ])('that %s is refused', async (_, arg) => {
    await expect(ask({ type: 'replied', arg })).rejects.toThrow(BadEncoding)
  })
})
