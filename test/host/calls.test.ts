/** Calls on their way through the log: answered once, never lost, never waited for without end. */
import { expect, it } from 'vitest'
import { present, SubnetDown } from '../../src/core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../src/core/base/units.ts'
import { encodeReply } from '../../src/core/ic/call-reply.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { encodeEnvelope, requestId, signCall } from '../../src/core/ic/envelope.ts'
import { Calls } from '../../src/host/calls.ts'
import { systemClock } from '../../src/host/clock.ts'
import { devUser } from '../../src/wallet/identity.ts'

const user = devUser(0)
const reply = { type: 'replied', arg: Uint8Array.of(7) } as const

function envelopeOf(type: 'call' | 'query', aheadSeconds = 60n) {
  const content = {
    type,
    sender: user.principal,
    ingressExpiry: addNs(systemClock(), aheadSeconds * NS_PER_SECOND),
    canisterId: ownCanisterIds.ledger,
    methodName: 'icrc1_transfer',
    arg: new Uint8Array(),
  } as const
  return { id: requestId(content), envelope: encodeEnvelope(signCall(content, user)) }
}

it('a call is answered by enough equal replies, and once more when it is handed in again', async () => {
  const calls = new Calls(2)
  let sent = 0
  const { id, envelope } = envelopeOf('call')
  const hand = () => calls.call(envelope, () => sent++)
  const [first, second] = [hand(), hand()]
  expect(calls.waiting).toEqual([envelope])
  calls.vote(0, id, encodeReply(reply))
  calls.vote(0, id, encodeReply(reply))
  calls.vote(1, id, encodeReply({ type: 'replied', arg: Uint8Array.of(8) }))
  calls.vote(2, id, encodeReply(reply))
  expect(await first).toEqual(reply)
  expect(await second).toEqual(reply)
  expect(await hand()).toEqual(reply)
  expect([sent, calls.waiting.length]).toEqual([1, 0])
})

it('what the nodes would not admit is rejected at once and not sent', async () => {
  const calls = new Calls(1)
  const send = (): never => {
    throw new Error('it was sent')
  }
  const query = await calls.call(envelopeOf('query').envelope, send)
  expect(query).toMatchObject({ type: 'rejected', message: 'a query is no call' })
  const far = await calls.call(envelopeOf('call', 3_600n).envelope, send)
  expect(far).toMatchObject({ type: 'rejected', message: expect.stringMatching(/expiry/) })
  const { envelope } = envelopeOf('call')
  const last = present(envelope.at(-1), 'bytes')
  const forged = Uint8Array.of(...envelope.slice(0, -1), last ^ 1)
  expect(await calls.call(forged, send)).toMatchObject({ type: 'rejected' })
  await expect(calls.call(Uint8Array.of(1), send)).rejects.toThrow()
})

it('closing ends what waits, and takes nothing more', async () => {
  const calls = new Calls(1)
  const { envelope } = envelopeOf('call')
  const waiting = calls.call(envelope, () => undefined)
  calls.close()
  await expect(waiting).rejects.toThrow(SubnetDown)
  await expect(calls.call(envelope, () => undefined)).rejects.toThrow(SubnetDown)
})
