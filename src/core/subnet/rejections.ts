/** What the subnet itself says to calls that reach no canister. Source: IC interface §12. */
import type { Hash32 } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { CallReply } from '../ic/call-reply.ts'
import { rejected } from '../ic/call-reply.ts'
import { textOfPrincipal } from '../ic/principal.ts'
import type { CanisterCall } from './dispatch.ts'

export const unknownCanister = ({ canisterId }: CanisterCall): CallReply =>
  rejected('IC0301', `Canister ${textOfPrincipal(canisterId)} not found`)

export const tooLate = (requestId: Hash32): CallReply =>
  rejected('IC0202', `Ingress message 0x${toHex(requestId)} timed out waiting to start executing.`)
