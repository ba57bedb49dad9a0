/**
 * Goal: what a slot holds is judged alike by all nodes; what is malformed, or said in another's
 * name, leaves no trace.
 * Method: threshold specification §§2.1, 17.1; nodes of a subnet of four, fed with slots by hand.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs } from '../../../src/core/base/units.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { HeadersItem } from '../../../src/core/subnet/items.ts'
import { encodeItem, headersContent } from '../../../src/core/subnet/items.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import type { NodeOutput } from '../../../src/core/subnet/node-io.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import type { Genesis } from '../../../src/core/tecdsa/membership.ts'
import type { EvidenceKind } from '../../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { ChainBuilder } from '../../support/chain-builder.ts'
import { foundSubnet } from '../../support/founded.ts'
import { ingress } from '../../support/ingress.ts'

const { genesis, keys } = foundSubnet(4)
const NOW = genesis.createdAt
const block = new ChainBuilder().mine()
const header = encodeHeader(block.header)
const user = devUser(0)
const ids = ownCanisterIds

const makeNode = (me: number): SubnetNode =>
  new SubnetNode({
    genesis,
    keys: present(keys[me], 'a node'),
    me,
    ed25519: nativeEd25519,
    records: new Map(),
    stockTarget: 1,
    creationMax: 1,
    minter: embeddedMinter,
    operator: ids.minter,
  })

function execute(node: SubnetNode, number: bigint, items: readonly Uint8Array[], time = NOW) {
  const slot = { number, time: addNs(time, number), proposers: [], items }
  return node.step({ type: 'slot', slot, later: 0 })
}

const transfer = (nonce: number, now: TimestampNs = NOW): Uint8Array => {
  const call = {
    canisterId: ids.ledger,
    methodName: 'icrc1_transfer',
    method: ledgerInterface.icrc1_transfer,
    now,
    nonce: Uint8Array.of(nonce),
  }
  return ingress(user, call, [{ to: { owner: devUser(1).principal }, amount: 5n }])
}
const ingressItem = (nonce: number): Uint8Array =>
  encodeItem({ type: 'ingress', envelope: transfer(nonce) })

/** Headers in the name of a node, signed as told. */
function headersItem({
  node,
  by = node,
  run = genesis,
  kind = 'item',
}: {
  readonly node: number
  readonly by?: number
  readonly run?: Genesis
  readonly kind?: EvidenceKind
}): HeadersItem {
  const said = { node, headers: [header] }
  const content = headersContent(runPrefix(run), said)
  return { type: 'headers', ...said, signature: present(keys[by], 'a node').sign(kind, content) }
}

/** What of the outputs everybody must agree on. */
const shared = (outputs: readonly NodeOutput[]): readonly NodeOutput[] =>
  outputs.filter(({ type }) => ['adapter', 'observed'].includes(type))

/** Calls that a slot made a node execute. */
function callsIn(node: SubnetNode, number: bigint, items: readonly Uint8Array[]): number {
  const before = node.replica.updatesTotal
  execute(node, number, items)
  return Number(node.replica.updatesTotal - before)
}

const wantedOf = (outputs: readonly NodeOutput[]): number =>
  outputs.flatMap((output) => (output.type === 'adapter' ? output.wanted : [])).length

/** The minter's events, as a client gets them. */
function eventsOf({ replica }: SubnetNode): string {
  const arg = encodeArgs(minterInterface.get_events.args, [{ start: 0n, length: 100n }])
  const asked = { caller: user.principal, canisterId: ids.minter, methodName: 'get_events', arg }
  const reply = replica.query(asked)
  return reply.type === 'replied' ? toHex(reply.arg) : reply.message
}

const good = headersItem({ node: 0 })
const junk = new Uint8Array(200).fill(0xa5)
const malformed: readonly Uint8Array[] = [
  new Uint8Array(),
  junk,
  Uint8Array.of(0),
  ...[1, 2, 3, 4, 5, 6].flatMap((kind) => [Uint8Array.of(kind), Uint8Array.of(kind, ...junk)]),
  encodeItem(good).slice(0, -1),
  Uint8Array.of(...encodeItem(good), 0),
  encodeItem({ type: 'block', slot: 0n, block: encodeBlock(block).slice(0, -1) }),
  encodeItem({ type: 'ingress', envelope: transfer(9).slice(0, -1) }),
]

describe('a slot with malformed items', () => {
  const whole = [ingressItem(1), encodeItem(good), encodeItem(headersItem({ node: 2 }))]
  const mixed = whole.flatMap((item) => [...malformed, item])

  test('is executed alike by all nodes, as if they were not there', () => {
    const [first, second, clean] = [0, 1, 2].map(makeNode)
    const nodes = [present(first, '0'), present(second, '1'), present(clean, '2')] as const
    const outputs = [mixed, mixed, whole].map((items, i) =>
      shared(execute(present(nodes[i], 'a node'), 0n, items)),
    )
    expect(outputs[0]).toEqual(outputs[1])
    expect(outputs[0]).toEqual(outputs[2])
    expect(nodes.map(({ replica }) => replica.updatesTotal)).toEqual([1n, 1n, 1n])
    expect(wantedOf(outputs[0] ?? [])).toBe(1)
    expect(new Set(nodes.map(eventsOf)).size).toBe(1)
    for (const { replica } of nodes) expect(replica.violations()).toEqual([])
  })
})

describe('headers in the name of a node', () => {
  const otherEntropy = genesis.entropy.map((byte) => byte ^ 1)
  const signed = headersItem({ node: 2 })

  test('count with those of f others', () => {
    const node = makeNode(1)
    expect(wantedOf(execute(node, 0n, [encodeItem(good)]))).toBe(0)
    expect(wantedOf(execute(node, 1n, [encodeItem(good)]))).toBe(0)
    expect(wantedOf(execute(node, 2n, [encodeItem(signed)]))).toBe(1)
  })

  test.each<[string, HeadersItem]>([
    ['signed by another node', headersItem({ node: 2, by: 3 })],
    ['signed by the node that has spoken', headersItem({ node: 2, by: 0 })],
    ['of no member', headersItem({ node: 4, by: 3 })],
    ['signed in another time line', headersItem({ node: 2, run: { ...genesis, incarnation: 8n } })],
    [
      'signed for another subnet',
      headersItem({ node: 2, run: { ...genesis, entropy: otherEntropy } }),
    ],
    ['signed as something else', headersItem({ node: 2, kind: 'support' })],
    ['that sign other headers', { ...signed, headers: [header, header] }],
    ['with the signature changed', { ...signed, signature: signed.signature.map((b) => b ^ 1) }],
  ])('%s do not count', (_, item) => {
    const node = makeNode(1)
    expect(wantedOf(execute(node, 0n, [encodeItem(good), encodeItem(item)]))).toBe(0)
    expect(wantedOf(execute(node, 1n, [encodeItem(signed)]))).toBe(1)
  })

  test('are proposed once, signed so that the others count them', () => {
    const [node, other] = [makeNode(2), makeNode(1)]
    const outputs = node.step({ type: 'headers', headers: [header] })
    const items = outputs.flatMap((output) =>
      output.type === 'log' && output.input.type === 'submit' ? [output.input.item] : [],
    )
    expect(items).toHaveLength(1)
    expect(node.step({ type: 'headers', headers: [header] })).toEqual([])
    expect(wantedOf(execute(other, 0n, [encodeItem(good), ...items]))).toBe(1)
  })
})

describe('a slot without an item', () => {
  test('is asked for when a timer is due, and leaves no trace', () => {
    const [ticked, idle] = [makeNode(0), makeNode(1)]
    expect(ticked.step({ type: 'alarm', name: 'timer' })).toEqual([
      { type: 'log', input: { type: 'due' } },
    ])
    expect(shared(execute(ticked, 0n, []))).toEqual(shared(execute(idle, 0n, [])))
    expect(eventsOf(ticked)).toBe(eventsOf(idle))
  })

  test('is quiet, and one whose items count is not', () => {
    const node = makeNode(0)
    const isQuiet = (number: bigint, items: readonly Uint8Array[]): unknown =>
      execute(node, number, items).find(({ type }) => type === 'log')
    const quiet = { type: 'log', input: { type: 'executed', wasQuiet: true } }
    expect(isQuiet(0n, [])).not.toEqual(quiet) // The first timers fire.
    expect(isQuiet(1n, [])).toEqual(quiet)
    expect(isQuiet(2n, [ingressItem(1)])).not.toEqual(quiet)
    expect(isQuiet(3n, [ingressItem(1)])).toEqual(quiet)
    expect(isQuiet(4n, [Uint8Array.of(99)])).toEqual(quiet)
  })
})

describe('slots', () => {
  test('are executed in order and once, whatever is delivered', () => {
    const node = makeNode(0)
    const calls = (number: bigint, nonce: number): number =>
      callsIn(node, number, [ingressItem(nonce)])
    expect([calls(1n, 1), calls(0n, 1), calls(0n, 2), calls(1n, 2)]).toEqual([0, 1, 0, 1])
  })

  test('hold a call once, in one slot or in several', () => {
    const node = makeNode(0)
    expect(callsIn(node, 0n, [ingressItem(1), ingressItem(1)])).toBe(1)
    expect(callsIn(node, 1n, [ingressItem(1), ingressItem(2)])).toBe(1)
  })
})
