/**
 * Goal: a client sees what the interface lets it see, its own requests among them, and no user's
 * request is shown to another.
 * Method: IC interface §§10, 26 (75 to 84): every path that may be asked and every one that may
 * not, asked of a canister and of the subnet.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import type { Path } from '../../../src/core/ic/hash-tree.ts'
import { anonymous, principal } from '../../../src/core/ic/principal.ts'
import type { FindRequest, StateRead } from '../../../src/core/ic/read-state.ts'
import { judgeRead } from '../../../src/core/ic/read-state.ts'

const SENDER = principal(Uint8Array.of(1, 2, 2))
const OTHER = principal(Uint8Array.of(3, 2, 2))
const CANISTER = principal(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7, 1, 1))
const NEIGHBOUR = principal(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 8, 1, 1))
const SUBNET = principal(new Uint8Array(29).fill(5))
const KNOWN = new Uint8Array(32).fill(1)
const UNKNOWN = new Uint8Array(32).fill(2)
const FORGOTTEN = new Uint8Array(32).fill(3)

/** Labels divided by `/`; names in angle brackets stand for bytes. */
const names: Readonly<Record<string, Uint8Array>> = {
  '<canister>': CANISTER,
  '<neighbour>': NEIGHBOUR,
  '<subnet>': SUBNET,
  '<other>': OTHER,
  '<known>': KNOWN,
  '<unknown>': UNKNOWN,
  '<forgotten>': FORGOTTEN,
  '<short>': KNOWN.slice(1),
  '<ff>': Uint8Array.of(0xff),
  '<empty>': new Uint8Array(),
}
const path = (text: string): Path =>
  text === '' ? [] : text.split('/').map((label) => names[label] ?? utf8(label))

const find: FindRequest = (id) => {
  if (id[0] === 3) return 'forgotten'
  return id[0] === 1 ? { sender: SENDER, canisterId: CANISTER } : undefined
}
const canisterRead: StateRead = {
  scope: 'canister',
  effectiveId: CANISTER,
  version: 3,
  sender: SENDER,
  targets: undefined,
  paths: [],
}
const subnetRead: StateRead = { ...canisterRead, scope: 'subnet', effectiveId: SUBNET }
const judge = (read: StateRead, ...paths: readonly string[]) =>
  judgeRead({ ...read, paths: paths.map(path) }, find)
const statusOf = (read: StateRead, ...paths: readonly string[]) => {
  const verdict = judge(read, ...paths)
  return verdict.type === 'allowed' ? 200 : verdict.status
}

describe('a path', () => {
  test.each<[string, canister: number, subnet: number]>([
    ['time', 200, 200],
    ['time/x', 404, 404],
    ['subnet', 200, 200],
    ['subnet/<subnet>', 200, 200],
    ['subnet/<other>', 200, 200],
    ['subnet/<subnet>/public_key', 200, 200],
    ['subnet/<subnet>/public_key/x', 404, 404],
    ['subnet/<subnet>/type', 200, 200],
    ['subnet/<subnet>/canister_ranges', 200, 200],
    ['subnet/<subnet>/canister_ranges/x', 404, 404],
    ['subnet/<subnet>/node', 200, 200],
    ['subnet/<subnet>/node/<other>', 200, 200],
    ['subnet/<subnet>/node/<other>/public_key', 200, 200],
    ['subnet/<subnet>/node/<other>/public_key/x', 404, 404],
    ['subnet/<subnet>/node/<other>/secret', 404, 404],
    ['subnet/<subnet>/metrics', 404, 200],
    ['subnet/<subnet>/metrics/x', 404, 404],
    ['subnet/<other>/metrics', 404, 404],
    ['subnet/<subnet>/foo', 404, 404],
    ['subnet/<subnet>/<ff>', 404, 404],
    ['subnet/<subnet>/<empty>', 404, 404],
    ['canister_ranges', 404, 404],
    ['canister_ranges/<subnet>', 404, 200],
    ['canister_ranges/<subnet>/<canister>', 404, 404],
    ['api_boundary_nodes', 200, 200],
    ['api_boundary_nodes/<other>', 200, 200],
    ['api_boundary_nodes/<other>/domain', 200, 200],
    ['api_boundary_nodes/<other>/domain/x', 404, 404],
    ['request_status', 404, 404],
    ['request_status/<short>', 400, 400],
    ['request_status/<unknown>', 200, 200],
    ['request_status/<known>', 200, 403],
    ['request_status/<known>/status', 200, 403],
    ['request_status/<known>/reply', 200, 403],
    ['request_status/<known>/reject_code', 200, 403],
    ['request_status/<known>/reject_message', 200, 403],
    ['request_status/<known>/error_code', 200, 403],
    ['request_status/<known>/sender', 404, 404],
    ['request_status/<known>/status/x', 404, 404],
    ['request_status/<forgotten>', 403, 403],
    ['canister', 404, 404],
    ['canister/<canister>', 404, 404],
    ['canister/<canister>/module_hash', 200, 404],
    ['canister/<canister>/module_hash/x', 404, 404],
    ['canister/<canister>/controllers', 200, 404],
    ['canister/<canister>/canister_creation_timestamp', 200, 404],
    ['canister/<canister>/last_install_timestamp', 200, 404],
    ['canister/<canister>/certified_data', 404, 404],
    ['canister/<canister>/metadata', 404, 404],
    ['canister/<canister>/metadata/candid:service', 200, 404],
    ['canister/<canister>/metadata/candid:service/x', 404, 404],
    ['canister/<canister>/metadata/<ff>', 400, 404],
    ['canister/<canister>/foo', 404, 404],
    ['canister/<neighbour>/module_hash', 400, 404],
    ['canister/<neighbour>/metadata/candid:service', 400, 404],
    ['foo', 404, 404],
    ['<ff>', 404, 404],
    ['<empty>', 404, 404],
    ['', 404, 404],
  ])('/%s is answered %i to a read of a canister, %i to one of the subnet', (text, ...status) => {
    expect([canisterRead, subnetRead].map((read) => statusOf(read, text))).toEqual(status)
  })

  test('that may not be read is refused beside one that may', () => {
    expect(judge(canisterRead, 'time', 'foo')).toEqual({
      type: 'refused',
      status: 404,
      reason: 'Invalid path requested.',
    })
  })
})

describe('the status of a request', () => {
  test('is shown to its sender only', () => {
    for (const sender of [OTHER, anonymous])
      expect(statusOf({ ...canisterRead, sender }, 'request_status/<known>')).toBe(403)
    expect(statusOf({ ...canisterRead, sender: OTHER }, 'request_status/<unknown>')).toBe(200)
  })

  test('is shown to a delegate for its canister only', () => {
    const asked = 'request_status/<known>'
    expect(statusOf({ ...canisterRead, targets: [NEIGHBOUR, CANISTER] }, asked)).toBe(200)
    for (const targets of [[NEIGHBOUR], []])
      expect(statusOf({ ...canisterRead, targets }, asked)).toBe(403)
    expect(statusOf({ ...canisterRead, targets: [] }, 'request_status/<unknown>')).toBe(200)
  })

  test('is asked for one request at a time', () => {
    const status = 'request_status/<known>/status'
    expect(statusOf(canisterRead, status, 'request_status/<known>/reply')).toBe(200)
    expect(statusOf(canisterRead, status, 'request_status/<unknown>')).toBe(400)
  })

  test('is shown whole, so that a leaf it lacks is proven absent', () => {
    expect(judge(canisterRead, 'request_status/<known>/reply')).toEqual({
      type: 'allowed',
      paths: [path('time'), path('request_status/<known>')],
    })
  })
})

describe('a read', () => {
  test('of nothing shows the time', () => {
    expect(judge(canisterRead)).toEqual({ type: 'allowed', paths: [path('time')] })
  })

  test('of anything about the subnet shows all about it', () => {
    const { paths } = { paths: [], ...judge(canisterRead, 'subnet/<subnet>/public_key') }
    expect(paths).toEqual([path('time'), path('subnet')])
  })

  test('has at most 1000 paths of 127 labels each', () => {
    const many = (count: number) => judgeRead({ ...subnetRead, paths: Array(count).fill([]) }, find)
    expect(many(1_000)).toMatchObject({ status: 404 })
    expect(many(1_001)).toMatchObject({ status: 400 })
    const long = (labels: number) =>
      judgeRead({ ...subnetRead, paths: [Array(labels).fill(utf8('x'))] }, find)
    expect(long(127)).toMatchObject({ status: 404 })
    expect(long(128)).toMatchObject({ status: 400 })
    const times = Array(1_000).fill(path('time'))
    expect(judgeRead({ ...subnetRead, paths: times }, find).type).toBe('allowed')
  })

  test('names the canister ranges of one subnet', () => {
    const own = 'canister_ranges/<subnet>'
    expect(statusOf(subnetRead, own, own)).toBe(200)
    expect(statusOf(subnetRead, own, 'canister_ranges/<other>')).toBe(400)
  })

  test('of canister ranges leaves out what would show `canister` beside them', () => {
    expect(judge(subnetRead, 'canister_ranges/<subnet>', 'api_boundary_nodes')).toEqual({
      type: 'allowed',
      paths: [path('time'), path('canister_ranges/<subnet>')],
    })
  })

  test('of any bytes is judged', () => {
    const top = ['time', 'subnet', 'canister', 'canister_ranges', 'request_status', 'metadata']
    const label = fc.oneof(
      fc.uint8Array({ maxLength: 33 }),
      fc.constantFrom(...top.map(utf8), ...Object.values(names)),
    )
    const paths = fc.array(fc.array(label, { maxLength: 6 }), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(canisterRead, subnetRead), paths, (read, asked) => {
        const verdict = judgeRead({ ...read, paths: asked }, find)
        expect(['allowed', 'refused']).toContain(verdict.type)
      }),
    )
  })
})
