/**
 * Goal: a call reaches the method it names, as the kind of call it is, or is rejected.
 * Method: IC interface §§8, 12, 25.
 */
import { describe, expect, test } from 'vitest'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { encodeArgs, nat, query, text, update } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Handlers } from '../../../src/core/subnet/dispatch.ts'
import { dispatch, getter, handler, REPLY_BYTES_MAX } from '../../../src/core/subnet/dispatch.ts'

/** Handlers over one number, and the number. */
function counter() {
  const state = { value: 1n }
  const handlers: Handlers = {
    get: getter(query([], nat), () => state.value),
    add: handler(update([nat], nat), (amount) => {
      if (amount > 100n) return { type: 'trap', message: 'too much' }
      state.value += amount
      return { type: 'result', value: state.value }
    }),
    echo: getter(query([nat, text], text), (count, word) => word.repeat(Number(count))),
  }
  return { state, handlers }
}

const none = encodeArgs([], [])
const canisterId = ownCanisterIds.ledger
const from = 'Error from Canister 23xb3-ep777-777s3-4aaaa-cai: '
const replied = (reply: CallReply) => (reply.type === 'replied' ? reply.arg : reply)

describe('a call', () => {
  test.each(['query', 'update'] as const)('as %s asks a query', (kind) => {
    const { handlers } = counter()
    const reply = dispatch(handlers, { canisterId, methodName: 'get', arg: none }, kind)
    expect(replied(reply)).toEqual(encodeArgs([nat], [1n]))
  })

  test('hands over its arguments in order', () => {
    const arg = encodeArgs([nat, text], [3n, 'ab'])
    const reply = dispatch(counter().handlers, { canisterId, methodName: 'echo', arg }, 'query')
    expect(replied(reply)).toEqual(encodeArgs([text], ['ababab']))
  })

  test.each([
    ['update', 2_097_152],
    ['query', 3_145_728],
  ] as const)('as %s is replied to with %i bytes at most', (kind, bytesMax) => {
    expect(REPLY_BYTES_MAX[kind]).toBe(bytesMax)
    const overhead = encodeArgs([text], ['x'.repeat(bytesMax - 100)]).length - (bytesMax - 100)
    const echoed = (length: number) => {
      const arg = encodeArgs([nat, text], [BigInt(length), 'x'])
      return dispatch(counter().handlers, { canisterId, methodName: 'echo', arg }, kind)
    }
    const longest = echoed(bytesMax - overhead)
    expect(longest.type === 'replied' && longest.arg.length).toBe(bytesMax)
    expect(echoed(bytesMax - overhead + 1)).toEqual({
      type: 'rejected',
      code: 5,
      errorCode: 'IC0503',
      message: expect.stringContaining(`'a reply of ${bytesMax + 1} bytes, at most ${bytesMax}`),
    })
  })

  test('as update changes state, as query is rejected and changes none', () => {
    const { handlers, state } = counter()
    const call = { canisterId, methodName: 'add', arg: encodeArgs([nat], [5n]) }
    expect(dispatch(handlers, call, 'query')).toMatchObject({ type: 'rejected', code: 5 })
    expect(state.value).toBe(1n)
    expect(replied(dispatch(handlers, call, 'update'))).toEqual(encodeArgs([nat], [6n]))
    expect(state.value).toBe(6n)
  })

  test('that traps is rejected with code 5 and the words of the trap', () => {
    const call = { canisterId, methodName: 'add', arg: encodeArgs([nat], [101n]) }
    const reply = dispatch(counter().handlers, call, 'update')
    const message = `${from}Canister called \`ic0.trap\` with message: 'too much'`
    expect(reply).toEqual({ type: 'rejected', code: 5, errorCode: 'IC0503', message })
  })

  test.each(['', 'Get', 'get ', 'toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'of the method "%s", which is none, is rejected with code 5',
    (methodName) => {
      const reply = dispatch(counter().handlers, { canisterId, methodName, arg: none }, 'update')
      const message = `${from}Canister has no update method '${methodName}'.`
      expect(reply).toEqual({ type: 'rejected', code: 5, errorCode: 'IC0536', message })
    },
  )

  test.each<[string, Uint8Array]>([
    ['missing', none],
    ['of another type', encodeArgs([text], ['5'])],
    ['cut off', encodeArgs([nat], [5n]).slice(0, -1)],
    ['followed by more bytes', Uint8Array.of(...encodeArgs([nat], [5n]), 0)],
    ['no Candid', new Uint8Array()],
  ])('with arguments %s is rejected with code 5 and changes nothing', (_, arg) => {
    const { handlers, state } = counter()
    const reply = dispatch(handlers, { canisterId, methodName: 'add', arg }, 'update')
    expect(reply).toMatchObject({ type: 'rejected', code: 5 })
    expect(state.value).toBe(1n)
  })
})
