/**
 * Which canister a request may name, and which calls are not even handed to the subnet. Implements
 * checks 4, 5 and 14 of `docs/spec/ic-interface.md` §6, and §18.
 */
import { compareBytes, equalBytes } from '../../core/base/bytes.ts'
import type { Rejection } from '../../core/ic/call-reply.ts'
import { rejected } from '../../core/ic/call-reply.ts'
import type { CallContent, Content } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { textOfPrincipal } from '../../core/ic/principal.ts'
import { CANISTER_RANGE } from '../../core/subnet/certified-state.ts'
import { isManagement, refusedMethod, subjectOf } from '../../core/subnet/management.ts'

/** Why the canister of the URL cannot be the one of this request; undefined when it can. */
export function judgeCanister(content: Content, id: Principal): string | undefined {
  const [low, high] = CANISTER_RANGE
  const isHere = compareBytes(id, low) >= 0 && compareBytes(id, high) <= 0
  if (!isHere && !isManagement(id))
    // Every subnet has one.
    return `canister_not_found: ${textOfPrincipal(id)} lies in no range of this subnet`
  const named = effectiveId(content)
  if (named === undefined || equalBytes(named, id)) return undefined
  const [inContent, inUrl] = [named, id].map(textOfPrincipal)
  return `Specified CanisterId ${inContent} does not match effective canister id in URL ${inUrl}`
}

/** Undefined: whichever. A management call is addressed to the canister it is about. */
function effectiveId(content: Content): Principal | undefined {
  if (content.type === 'readState') return undefined // The paths are judged one by one.
  if (!isManagement(content.canisterId)) return content.canisterId
  return subjectOf(content)
}

/** Why a call is rejected before it is ordered; undefined when the subnet is to say. */
export function inspect(
  { canisterId, methodName }: CallContent,
  hasCanister: (id: Principal) => boolean,
): Rejection | undefined {
  if (isManagement(canisterId)) return refusedMethod(methodName)
  if (hasCanister(canisterId)) return undefined
  return rejected('IC0301', `Canister ${textOfPrincipal(canisterId)} not found`)
}
