/**
 * Goal: nobody reads what another's call was answered, whatever name they read under.
 * Method: IC interface §§10, 10.1, 26 (76): the gateway before a subnet in this process; reads that
 * are signed by others, by nobody, and sent to the subnet, where signatures are not checked.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Content } from '../../../src/core/ic/envelope.ts'
import {
  decodeEnvelope,
  encodeEnvelope,
  requestId,
  signCall,
} from '../../../src/core/ic/envelope.ts'
import {
  anonymous,
  principalOfText,
  selfAuthenticating,
  textOfPrincipal,
} from '../../../src/core/ic/principal.ts'
import { requestPath } from '../../../src/core/subnet/certified-state.ts'
import { clientOf } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const URL = 'http://127.0.0.1'
const [owner, stranger] = [devUser(0), devUser(1)]
const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const subnet = textOfPrincipal(selfAuthenticating(rootKey))
const ledger = textOfPrincipal(ownCanisterIds.ledger)
const { ledger: ledgerId, minter: minterId } = ownCanisterIds
const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
await clientOf(
  { url: URL, rootKey, ledgerId, minterId, masterPublicKey },
  { signer: owner, fetch: net.fetch },
).ledger.transfer({ to: { owner: stranger.principal }, amount: 1n })
const call = decodeEnvelope(present(net.envelopes.at(-1), 'the call was handed in'))

const contentOf = (sender: Content['sender']): Content => ({
  type: 'readState',
  sender,
  ingressExpiry: addNs(net.now, 60n * NS_PER_SECOND),
  paths: [requestPath(requestId(call.content))],
})
const read = (where: string, body: Uint8Array): Promise<Response> =>
  net.fetch(`${URL}/api/v3/${where}/read_state`, {
    method: 'POST',
    headers: { 'content-type': 'application/cbor' },
    body: new Uint8Array(body),
  })
const own = encodeEnvelope(signCall(contentOf(owner.principal), owner))

describe('the answer to a call', () => {
  test('is read by who made the call', async () => {
    expect((await read(`canister/${ledger}`, own)).status).toBe(200)
  })

  test.each<[string, where: string, body: Uint8Array, status: number]>([
    [
      'another user',
      `canister/${ledger}`,
      encodeEnvelope(signCall(contentOf(stranger.principal), stranger)),
      403,
    ],
    ['nobody', `canister/${ledger}`, encodeEnvelope({ content: contentOf(anonymous) }), 403],
    [
      'anybody in the name of its sender, unsigned',
      `canister/${ledger}`,
      encodeEnvelope({ content: contentOf(owner.principal) }),
      400,
    ],
    [
      'anybody in the name of its sender, unsigned, of the subnet',
      `subnet/${subnet}`,
      encodeEnvelope({ content: contentOf(owner.principal) }),
      403,
    ],
    ['its sender of the subnet, where nobody checks who asks', `subnet/${subnet}`, own, 403],
  ])('is not read by %s', async (_, where, body, status) => {
    const response = await read(where, body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('text/plain')
  })

  test('is not read of a subnet that is not here', async () => {
    const other = textOfPrincipal(principalOfText('aaaaa-aa'))
    expect((await read(`subnet/${other}`, own)).status).toBe(400)
  })
})
