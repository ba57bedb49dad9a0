/** Our identities and principals as the SDK knows them. Source: IC interface §§4, 5, 7. */
import type { HttpAgentRequest, Identity as SdkIdentity } from '@icp-sdk/core/agent'
import { AnonymousIdentity, requestIdOf } from '@icp-sdk/core/agent'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import { hash32 } from '../../core/base/bytes.ts'
import { requestMessage } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { principal } from '../../core/ic/principal.ts'
import type { User } from '../identity.ts'

export const sdkPrincipal = (id: Principal): SdkPrincipal => SdkPrincipal.fromUint8Array(id)

export const ourPrincipal = (id: SdkPrincipal): Principal => principal(id.toUint8Array())

/** Whoever reads needs no key. */
export const nobody: SdkIdentity = new AnonymousIdentity()

/** The user as the agent's library knows one. The secret stays where it is. */
export function sdkIdentity({ principal: id, publicKeyDer, sign, chain }: User): SdkIdentity {
  const delegations = chain?.delegations.map(({ delegation, signature }) => ({
    delegation: {
      pubkey: delegation.pubkey,
      expiration: delegation.expiration,
      ...(delegation.targets === undefined ? {} : { targets: delegation.targets }),
      ...(delegation.permissions === undefined ? {} : { permissions: delegation.permissions }),
    },
    signature,
  }))
  return {
    getPrincipal: () => sdkPrincipal(id),
    transformRequest: async ({ body, ...rest }: HttpAgentRequest) => ({
      ...rest,
      body: {
        content: body,
        sender_pubkey: chain?.rootKeyDer ?? publicKeyDer,
        sender_sig: await sign(requestMessage(hash32(requestIdOf(body)))),
        ...(delegations === undefined ? {} : { sender_delegation: delegations }),
      },
    }),
  }
}
