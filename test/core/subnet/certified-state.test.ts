/**
 * Goal: certificates of the subnet show what clients look for, where they look for it.
 * Method: IC interface §§13.3, 14; every part of the tree over the wire, read with the look-up of
 * `@icp-sdk/core`, and all reads that are allowed.
 */
import { Cbor, check_canister_ranges, lookup_path, lookup_subtree } from '@icp-sdk/core/agent'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalBytes, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { rejected } from '../../../src/core/ic/call-reply.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { encodeCbor } from '../../../src/core/ic/cbor.ts'
import { leb128 } from '../../../src/core/ic/cursor.ts'
import type { HashTree, Path } from '../../../src/core/ic/hash-tree.ts'
import { cborOfHashTree, labelsOf, lookup, lookupTree } from '../../../src/core/ic/hash-tree.ts'
import { principalOfText, selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { judgeRead } from '../../../src/core/ic/read-state.ts'
import { branch, witness } from '../../../src/core/ic/state-tree.ts'
import {
  requestPath,
  requestTree,
  rootKeyOf,
  stateTree,
  subnetPrincipal,
  TIME_PATH,
} from '../../../src/core/subnet/certified-state.ts'
import { LOCAL_KEY } from '../ic/certificates.ts'

const { ledger, minter } = ownCanisterIds
const time = timestampNs(1_685_570_340_000_000_000n)
const nodes = [1, 2, 3, 4].map((seed) => {
  const publicKeyDer = new Uint8Array(44).fill(seed)
  return { id: selfAuthenticating(publicKeyDer), publicKeyDer }
})
const known = { sender: ledger, canisterId: ledger, expiry: time }
const REPLIED = sha256(utf8('replied'))
const REJECTED = sha256(utf8('rejected'))
const UNKNOWN = sha256(utf8('unknown'))
const canister = (id: typeof ledger) => ({
  id,
  certifiedData: sha256(id),
  controllers: [minter],
  moduleHash: sha256(utf8('ckbtc/ledger/1.2.3')),
  metadata: new Map([['candid:service', 'service : {}']]),
})
const tree = stateTree({
  time,
  certificationKey: LOCAL_KEY,
  nodes,
  canisters: [canister(ledger), canister(minter)],
  requests: branch([
    [REPLIED, requestTree({ ...known, reply: { type: 'replied', arg: utf8('DIDL') } })],
    [REJECTED, requestTree({ ...known, reply: rejected('IC0503', 'boom') })],
  ]),
  updatesTotal: 2n,
})
const subnetId = subnetPrincipal(LOCAL_KEY)
const words = (...labels: (string | Uint8Array)[]): Path =>
  labels.map((label) => (typeof label === 'string' ? utf8(label) : label))

type AgentTree = Parameters<typeof lookup_path>[1]
const agentTree = (shown: HashTree): AgentTree =>
  Cbor.decode<AgentTree>(encodeCbor(cborOfHashTree(shown)))
/** What an agent finds under a path of a certificate that shows the path `asked`. */
function seen(asked: Path, ...paths: readonly Path[]) {
  const shown = agentTree(witness(tree, [TIME_PATH, asked]))
  return paths.map((path) => {
    const found = lookup_path([...path], shown)
    return found.status === 'Found' ? found.value : found.status
  })
}

describe('an agent finds', () => {
  test('the time', () => {
    expect(seen(TIME_PATH, TIME_PATH)).toEqual([leb128(time)])
  })

  test('the reply of a call', () => {
    const path = (name: string) => [...requestPath(REPLIED), utf8(name)]
    expect(seen(requestPath(REPLIED), path('status'), path('reply'))).toEqual([
      utf8('replied'),
      utf8('DIDL'),
    ])
  })

  test('all parts of a rejection', () => {
    const path = (name: string) => [...requestPath(REJECTED), utf8(name)]
    const names = ['status', 'reject_code', 'reject_message', 'error_code']
    expect(seen(requestPath(REJECTED), ...names.map(path))).toEqual([
      utf8('rejected'),
      Uint8Array.of(5),
      utf8('boom'),
      utf8('IC0503'),
    ])
  })

  test('no status of a request that is not known', () => {
    const [status] = seen(requestPath(UNKNOWN), [...requestPath(UNKNOWN), utf8('status')])
    expect(['Unknown', 'Absent']).toContain(status)
    const shown = witness(tree, [requestPath(UNKNOWN)])
    expect(lookupTree(shown, requestPath(UNKNOWN)).type).toBe('absent')
  })

  test('what is told about a canister', () => {
    const of = (...labels: string[]) => words('canister', ledger, ...labels)
    expect(seen(of('module_hash'), of('module_hash'))).toEqual([sha256(utf8('ckbtc/ledger/1.2.3'))])
    expect(seen(of('metadata', 'candid:service'), of('metadata', 'candid:service'))).toEqual([
      utf8('service : {}'),
    ])
    const [controllers] = seen(of('controllers'), of('controllers'))
    if (!(controllers instanceof Uint8Array)) throw new Error('no controllers')
    expect(Cbor.decode(controllers)).toEqual([Uint8Array.from(minter)])
    expect(seen(of('certified_data'), of('certified_data'))).toEqual([sha256(ledger)])
  })

  test('the keys of the subnet and of its nodes under the principals that follow from them', () => {
    const of = (...labels: (string | Uint8Array)[]) => words('subnet', subnetId, ...labels)
    expect(subnetId).toEqual(selfAuthenticating(rootKeyOf(LOCAL_KEY)))
    expect(seen(words('subnet'), of('public_key'), of('type'))).toEqual([
      rootKeyOf(LOCAL_KEY),
      utf8('application'),
    ])
    const keys = nodes.map(({ id }) => of('node', id, 'public_key'))
    expect(seen(words('subnet'), ...keys)).toEqual(nodes.map(({ publicKeyDer }) => publicKeyDer))
  })

  test('every canister in the ranges, flat and in a shard', () => {
    const sdkSubnet = SdkPrincipal.fromUint8Array(subnetId)
    for (const path of [words('canister_ranges', subnetId), words('subnet')])
      for (const id of [ledger, minter, principalOfText('ryjl3-tyaaa-aaaaa-aaaba-cai')])
        expect(
          check_canister_ranges({
            canisterId: SdkPrincipal.fromUint8Array(id),
            subnetId: sdkSubnet,
            tree: agentTree(witness(tree, [path])),
          }),
        ).toBe(true)
    const shards = lookup_subtree(
      words('canister_ranges', subnetId).slice(),
      agentTree(witness(tree, [words('canister_ranges', subnetId)])),
    )
    expect(shards).toMatchObject({ status: 'Found' })
  })
})

describe('a certificate', () => {
  const ids = [subnetId, ledger, minter, REPLIED, REJECTED, UNKNOWN, new Uint8Array()]
  const fields = ['module_hash', 'controllers', 'metadata', 'public_key', 'node', 'status']
  const label = fc.constantFrom(...ids, ...fields.map(utf8))
  const BOUNDARY = utf8('api_boundary_nodes')
  const tops = ['canister', 'canister_ranges', 'request_status', 'subnet'].map(utf8)
  const top = fc.constantFrom(...tops, BOUNDARY)
  const paths = fc.array(
    fc.tuple(top, fc.array(label, { maxLength: 3 })).map(([first, rest]) => [first, ...rest]),
    { maxLength: 4 },
  )
  const find = (id: Uint8Array) =>
    [REPLIED, REJECTED].some((request) => equalBytes(request, id)) ? known : undefined
  const isEmpty = (shown: HashTree): boolean =>
    shown.type === 'empty' ||
    (shown.type === 'fork' && (isEmpty(shown.left) || isEmpty(shown.right)))

  test('of any read that is allowed proves each path there or absent, and hides the data', () => {
    let allowed = 0
    fc.assert(
      fc.property(fc.constantFrom('canister', 'subnet'), paths, (scope, asked) => {
        const effectiveId = scope === 'canister' ? ledger : subnetId
        const read = { scope, effectiveId, version: 3, sender: ledger, targets: undefined } as const
        const verdict = judgeRead({ ...read, paths: asked }, find)
        if (verdict.type === 'refused') return
        allowed += 1
        const shown = witness(tree, verdict.paths)
        const names = labelsOf(shown).map((name) => new TextDecoder().decode(name))
        expect(names).toContain('time')
        expect(names.includes('canister') && names.includes('canister_ranges')).toBe(false)
        const ranges = lookupTree(shown, words('canister_ranges'))
        if (ranges.type === 'found') expect(isEmpty(ranges.tree)).toBe(false)
        // The absence of boundary nodes is not proven beside canister ranges.
        const proven = asked.filter(([first]) => ranges.type !== 'found' || first !== BOUNDARY)
        for (const path of proven) expect(lookup(shown, path).type).not.toBe('unknown')
        const data = lookup(shown, words('canister', ledger, 'certified_data'))
        expect(data.type).not.toBe('found')
      }),
      { numRuns: 2_000 },
    )
    expect(allowed).toBeGreaterThan(200)
  })

  test('of the whole tree has its parts in order, and a pinned root', () => {
    const shown = witness(tree, [[]])
    expect(labelsOf(shown).map((name) => new TextDecoder().decode(name))).toEqual([
      'canister',
      'canister_ranges',
      'request_status',
      'subnet',
      'time',
    ])
    expect(toHex(tree.hash)).toBe(
      '95c41acd83edbc2f10758086f6c431797c57350b367d9f039f1ea825bc1e50dc',
    )
  })
})
