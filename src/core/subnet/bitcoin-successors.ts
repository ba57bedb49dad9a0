/** `bitcoin_get_successors`, as the management canister answers it. Source: bitcoin §9.9. */
import { toHex } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { State } from '../btc/chain-state.ts'
import { pageOfSuccessors, successorsOf } from '../btc/successors.ts'
import type { Principal } from '../ic/principal.ts'
import { interfaceNetwork } from './bitcoin-api.ts'
import type { GetSuccessorsRequest, GetSuccessorsResponse } from './bitcoin-interface.ts'
import type { Outcome } from './dispatch.ts'

const reject = (message: string): Outcome<never> => ({ type: 'reject', message })

/** `followUps`: by caller, the parts that have not been fetched; a first request forgets them. */
export function getSuccessors(
  chain: View<State>,
  followUps: Map<string, readonly Uint8Array[]>,
  { caller, request }: { readonly caller: Principal; readonly request: GetSuccessorsRequest },
): Outcome<GetSuccessorsResponse> {
  const name = toHex(caller)
  if (request.type === 'followUp') {
    const bytes = followUps.get(name)?.[request.page]
    return bytes === undefined
      ? reject(`Page ${request.page} not found.`)
      : { type: 'result', value: { type: 'followUp', bytes } }
  }
  followUps.delete(name)
  const own = interfaceNetwork(chain.config.network.name)
  if (request.network !== own) return reject(`Network must be ${own}. Found ${request.network}`)
  const { anchor, processedBlockHashes: processed } = request
  const found = successorsOf(chain, { anchor, processed })
  if (found === undefined) return reject('The anchor is not known.')
  const page = pageOfSuccessors(found)
  if (page.type === 'complete') return { type: 'result', value: page }
  const { partialBlock, next, followUps: parts } = page
  followUps.set(name, parts)
  const remainingFollowUps = parts.length
  return { type: 'result', value: { type: 'partial', partialBlock, next, remainingFollowUps } }
}
