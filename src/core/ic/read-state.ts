/**
 * Which parts of the state a client may read, and what a certificate must show for them. Implements
 * `docs/spec/ic-interface.md` §§10, 13.3.
 */
import { compareBytes, equalBytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { Path } from './hash-tree.ts'
import type { Principal } from './principal.ts'

/** A read that was admitted as a request; its paths are judged here. */
export type StateRead = {
  readonly scope: 'canister' | 'subnet'
  /** The id of the URL. */
  readonly effectiveId: Principal
  /** Of the endpoint. */
  readonly version: 2 | 3
  readonly sender: Principal
  /** Canisters that the sender's delegations allow; undefined: all. */
  readonly targets: readonly Principal[] | undefined
  readonly paths: readonly Path[]
}

/** What is known of a request, by its id. */
export type FindRequest = (
  requestId: Uint8Array,
) => { readonly sender: Principal; readonly canisterId: Principal } | undefined

export type ReadVerdict =
  /** `paths`: what the certificate shows, `/time` included. */
  | { readonly type: 'allowed'; readonly paths: readonly Path[] }
  | { readonly type: 'refused'; readonly status: 400 | 403 | 404; readonly reason: string }

const TIME = utf8('time')
const SUBNET = utf8('subnet')
const REQUEST_ID_SIZE = 32

const refused = (status: 400 | 403 | 404, reason: string): ReadVerdict => ({
  type: 'refused',
  status,
  reason,
})
const invalidPath = refused(404, 'Invalid path requested.')

/** Judges the paths in their order; the first that may not be read decides. */
export function judgeRead(read: StateRead, find: FindRequest): ReadVerdict {
  const asked = new Map<string, Uint8Array>()
  const shown: Path[] = [[TIME]]
  for (const path of read.paths) {
    const verdict = judgePath(read, path, find)
    if (verdict.type === 'refused') return verdict
    const [label, id] = path
    if (label !== undefined && nameOf(label) === 'request_status' && id !== undefined)
      asked.set(toHex(id), id)
    shown.push(...verdict.paths)
  }
  if (asked.size > 1)
    return refused(400, 'Can only request a single request ID in request_status paths.')
  return { type: 'allowed', paths: shown }
}

/** A label as text; labels that are no text name nothing of the upper levels. */
function nameOf(label: Uint8Array): string {
  const name = attempt(() => fromUtf8(label))
  return name instanceof BadEncoding ? '' : name
}

const allowed = (...paths: readonly Path[]): ReadVerdict => ({ type: 'allowed', paths })

function judgePath(read: StateRead, path: Path, find: FindRequest): ReadVerdict {
  const [first] = path
  switch (first === undefined ? '' : nameOf(first)) {
    case 'time':
      return path.length === 1 ? allowed(path) : invalidPath
    case 'api_boundary_nodes':
      return path.length <= 3 ? allowed(path) : invalidPath
    case 'subnet':
      return judgeSubnet(read, path)
    case 'canister_ranges':
      return read.scope === 'subnet' && path.length === 2 ? allowed(path) : invalidPath
    case 'request_status':
      return judgeRequest(read, path, find)
    case 'canister':
      return judgeCanister(read, path)
    default:
      return invalidPath
  }
}

/** A subnet that is its own root prunes nothing of itself: clients depend on all of it. */
function judgeSubnet({ scope, effectiveId }: StateRead, path: Path): ReadVerdict {
  const [, subnet, field, node, leaf] = path.map((label, place) =>
    place === 1 || place === 3 ? '' : nameOf(label),
  )
  if (subnet === undefined || field === undefined) return allowed([SUBNET])
  if (field === 'node') {
    const known = leaf === undefined || (leaf === 'public_key' && path.length === 5)
    return known ? allowed([SUBNET]) : invalidPath
  }
  if (node !== undefined) return invalidPath
  if (field === 'metrics') {
    const own = path[1] !== undefined && equalBytes(path[1], effectiveId)
    return scope === 'subnet' && own ? allowed([SUBNET]) : invalidPath
  }
  return ['public_key', 'type', 'canister_ranges'].includes(field) ? allowed([SUBNET]) : invalidPath
}

/** §10.1. All of a request is shown, so that what it does not have is provably absent. */
function judgeRequest(read: StateRead, path: Path, find: FindRequest): ReadVerdict {
  const [label, id] = path
  if (label === undefined || id === undefined || path.length > 3) return invalidPath
  if (id.length !== REQUEST_ID_SIZE) return refused(400, 'Invalid request id.')
  const request = find(id)
  if (request !== undefined) {
    if (!equalBytes(request.sender, read.sender))
      return refused(403, 'The user tries to access Request ID not signed by the caller.')
    const { targets } = read
    if (targets !== undefined && !targets.some((target) => equalBytes(target, request.canisterId)))
      return refused(
        403,
        'The user tries to access request IDs for canisters not belonging to sender delegation targets.',
      )
  }
  return allowed([label, id])
}

const CANISTER_FIELDS = [
  'module_hash',
  'controllers',
  'canister_creation_timestamp',
  'last_install_timestamp',
]

function judgeCanister({ scope, effectiveId }: StateRead, path: Path): ReadVerdict {
  const [, id, field] = path
  if (scope !== 'canister' || id === undefined || field === undefined) return invalidPath
  if (compareBytes(id, effectiveId) !== 0)
    return refused(400, 'Effective canister id in URL does not match the canister id of the path.')
  const name = nameOf(field)
  if (CANISTER_FIELDS.includes(name) && path.length === 3) return allowed(path)
  return name === 'metadata' && path.length === 4 ? allowed(path) : invalidPath
}
