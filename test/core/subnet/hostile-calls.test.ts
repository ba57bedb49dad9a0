/**
 * Whatever a user calls a canister with, the node goes on: every method with random values of its
 * types, and with bytes that are none. Values are made and encoded by the SDK, so they are legal on
 * the wire and absurd in meaning.
 */
import { IDL } from '@icp-sdk/core/candid'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addNs, NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { decodeReply } from '../../../src/core/ic/call-reply.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { encodeEnvelope, signCall } from '../../../src/core/ic/envelope.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { publishedInterface, publishedValues } from '../../support/candid-peer.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const RUNS = 25
const user = devUser(0)
const net = new SubnetNet(1)
net.settle()

let nonce = 0

/** Signs a call with these bytes, puts it through the log, and answers what came back. */
async function call(canisterId: typeof ownCanisterIds.ledger, methodName: string, arg: Uint8Array) {
  const content = {
    type: 'call',
    sender: user.principal,
    ingressExpiry: addNs(net.now, 60n * NS_PER_SECOND),
    nonce: Uint8Array.of(nonce >> 16, nonce >> 8, nonce++),
    canisterId,
    methodName,
    arg,
  } as const
  return net.call(encodeEnvelope(signCall(content, user)))
}

const canisters = [
  ['ledger', ownCanisterIds.ledger, ledgerInterface, 'ledger-icrc/icrc_ledger.idl.js'],
  ['minter', ownCanisterIds.minter, minterInterface, 'ckbtc/minter.idl.js'],
] as const

describe.each(canisters)('the %s', (_, canisterId, methods, declaration) => {
  it('answers or rejects every method, whatever its arguments say', async () => {
    const published = await publishedInterface(declaration)
    for (const name of Object.keys(methods)) {
      const types = published.get(name)?.args ?? []
      const values = fc.tuple(...types.map(publishedValues))
      await fc.assert(
        fc.asyncProperty(values, async (list) => {
          const reply = await call(canisterId, name, IDL.encode([...types], list))
          expect(['replied', 'rejected']).toContain(reply?.type)
        }),
        { numRuns: RUNS },
      )
    }
    expect(net.node(0).replica.violations()).toEqual([])
  })

  it('rejects arguments that are no Candid', async () => {
    for (const name of Object.keys(methods)) {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
          const reply = await call(canisterId, name, bytes)
          expect(reply).toMatchObject({ type: 'rejected', code: 5 })
        }),
        { numRuns: 5 },
      )
    }
  })
})

describe('the encoding of a reply', () => {
  it('is refused when it is none', () => {
    for (const bytes of [[], [2], [1], [1, 5], [1, 5, 0, 0, 0, 9]])
      expect(() => decodeReply(Uint8Array.from(bytes))).toThrow()
  })
})
