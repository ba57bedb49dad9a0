/** Paths of the IC interface. Implements `docs/spec/ic-interface.md` §1, and the sizes of §25. */
import { CALL_BYTES_MAX } from '../../core/ic/admission.ts'

/** Any body (§25). */
export const BODY_BYTES_MAX = 4 * 1024 * 1024

export const STATUS_PATH = '/api/v2/status'

type Scope = 'canister' | 'subnet'
type Action = 'call' | 'query' | 'read_state'

export type Route = {
  readonly scope: Scope
  readonly version: number
  /** As it stands in the path. */
  readonly id: string
  readonly action: Action
}

const ROUTE = /^\/api\/v([234])\/(canister|subnet)\/([^/]+)\/(call|query|read_state)$/
const VERSIONS: Readonly<Record<Scope, Readonly<Record<Action, readonly number[]>>>> = {
  canister: { call: [2, 3, 4], query: [2, 3], read_state: [2, 3] },
  subnet: { call: [4], query: [3], read_state: [2, 3] },
}

/** Undefined for every path that the interface does not name. */
export function routeOf(path: string): Route | undefined {
  const [, digit, scope, id, action] = ROUTE.exec(path) ?? []
  if (id === undefined || (scope !== 'canister' && scope !== 'subnet')) return undefined
  if (action !== 'call' && action !== 'query' && action !== 'read_state') return undefined
  const version = Number(digit)
  return VERSIONS[scope][action].includes(version) ? { scope, version, id, action } : undefined
}

/** Whether the answer to a call is its certificate. */
export const isSynchronous = ({ scope, version, action }: Route): boolean =>
  scope === 'canister' && action === 'call' && version > 2

/** A page is asked for without one. */
const BYTES_MAX: Readonly<Record<Action | 'page', number>> = {
  call: CALL_BYTES_MAX,
  query: BODY_BYTES_MAX,
  read_state: BODY_BYTES_MAX,
  page: 0,
}

/** What is read of a body under this path before it is refused (§6 checks 2 and 6). */
export const bodyBytesMax = (path: string): number => BYTES_MAX[routeOf(path)?.action ?? 'page']
