/**
 * Goal: whoever reads the log believes the certified blocks and no others. Method: ledger §10,
 * checklist 84 to 86; a subnet whose key is known certifies its state tree after every call, and
 * what a client reads is changed byte by byte.
 */
import { describe, expect, test } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding, present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs, NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeCbor, encodeCbor } from '../../../src/core/ic/cbor.ts'
import { leb128 } from '../../../src/core/ic/cursor.ts'
import { cborOfHashTree, hashTreeOfCbor } from '../../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { branch, witness } from '../../../src/core/ic/state-tree.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import { decodeBlock, encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import { hashBlock, hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import { certifiedTip } from '../../../src/core/ledger/blocks/certification.ts'
import {
  certifiedDataPath,
  stateTree,
  TIME_PATH,
} from '../../../src/core/subnet/certified-state.ts'
import type { CertifiedTip, TipCheck } from '../../../src/wallet/reserve-supply.ts'
import { supplyOf, verifyTip } from '../../../src/wallet/reserve-supply.ts'
import { LOCAL_SUBNET } from '../ic/certificates.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  collector,
  FEE,
  LedgerUnderTest,
  minter,
  of,
  START,
  spender,
} from './ledger-under-test.ts'

const { ledger: ledgerId, index: indexId } = ownCanisterIds

/** What the subnet certifies of a canister with this certified data. */
function certificateOf(id: Principal, certifiedData: Uint8Array, time: TimestampNs): Uint8Array {
  const moduleHash = sha256(id)
  const tree = stateTree({
    time,
    certificationKey: LOCAL_SUBNET.key,
    nodes: [],
    canisters: [{ id, certifiedData, controllers: [], moduleHash, metadata: new Map() }],
    requests: branch([]),
    updatesTotal: 0n,
  })
  return LOCAL_SUBNET.certify(witness(tree, [TIME_PATH, certifiedDataPath(id)]))
}

/** The tip as the ledger serves it in a query, certified at the ledger's time. */
function servedTip(ledger: LedgerUnderTest) {
  const certificate = certificateOf(ledgerId, certifiedTip(ledger.state), ledger.now)
  const dataCertificate = (): Uint8Array => certificate
  return present(
    new CanistersUnderTest(ledger).ask(['ledger', 'icrc3_get_tip_certificate'], [], {
      dataCertificate,
    }),
    'a query is given a certificate',
  )
}

const check = (ledger: LedgerUnderTest, change: Partial<TipCheck> = {}): TipCheck => ({
  rootKey: LOCAL_SUBNET.der,
  ledgerId,
  now: ledger.now,
  ...change,
})

const calls: readonly ((ledger: LedgerUnderTest) => unknown)[] = [
  (ledger) => ledger.fund(alice, 10_000_000n),
  (ledger) => ledger.transfer(alice, bob, 5n, { memo: Uint8Array.of(1), createdAtTime: START }),
  (ledger) => ledger.approve(alice, spender, 900_000n, { expiresAt: timestampNs(START + 99n) }),
  (ledger) => ledger.transferFrom(spender, [alice, bob], 6n, { fee: FEE }),
  (ledger) => ledger.transfer(alice, minter, FEE),
]

function lived(): LedgerUnderTest {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
  for (const call of calls) call(ledger)
  return ledger
}

const tipOf = (block: Block, index: number): CertifiedTip => ({
  type: 'tip',
  index: BigInt(index),
  hash: hashBlock(block, hashTransaction(block.transaction)),
})

test('ledger §20.84: after each call the certified tip is the last block, under the root key', () => {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
  expect(verifyTip(servedTip(ledger), check(ledger))).toEqual({ type: 'empty' })
  for (const [index, call] of calls.entries()) {
    call(ledger)
    expect(verifyTip(servedTip(ledger), check(ledger))).toEqual(tipOf(ledger.lastBlock(), index))
  }
  // A call that is refused, or traps, leaves the tip where it was.
  ledger.transfer(bob, alice, 1_000_000n)
  ledger.approve(alice, alice, 1n)
  expect(verifyTip(servedTip(ledger), check(ledger))).toEqual(tipOf(ledger.lastBlock(), 4))
})

/** Every `step`th byte in turn, one bit of it flipped. */
function flipped(bytes: Uint8Array, step = 1): readonly Uint8Array[] {
  const places = [...bytes.keys()].filter((place) => place % step === 0)
  return places.map((place) => bytes.map((byte, at) => (at === place ? byte ^ 4 : byte)))
}

/** What a client that has read these blocks finds wrong with them. */
function problemsOf(blocks: readonly Block[], certified: CertifiedTip): readonly string[] {
  const found: string[] = []
  supplyOf(blocks, { minterId: minter, certified }, found)
  return found
}

describe('ledger §20.85: a client notices one byte that is changed', () => {
  const ledger = lived()
  const { blocks } = ledger.state.chain
  const tip = servedTip(ledger)
  const certified = verifyTip(tip, check(ledger))

  test('in nothing', () => {
    expect(problemsOf(blocks, certified)).toEqual([])
  })

  test('in a block, its phash included', () => {
    for (const [place, block] of blocks.entries())
      for (const bytes of flipped(encodeBlock(block))) {
        const changed = attempt(() => decodeBlock(bytes))
        if (changed instanceof BadEncoding) continue
        const read = blocks.map((one, index) => (index === place ? changed : one))
        expect(problemsOf(read, certified)).not.toEqual([])
      }
  })

  test('in the phash alone', () => {
    const read = blocks.map((block, index) => {
      const { parentHash } = block
      if (index !== 3 || parentHash === undefined) return block
      return {
        ...block,
        parentHash: hash32(parentHash.map((byte, at) => (at === 31 ? byte ^ 1 : byte))),
      }
    })
    expect(problemsOf(read, certified)).not.toEqual([])
  })

  test('in the hash tree', () => {
    for (const hashTree of flipped(tip.hashTree, 3))
      expect(() => verifyTip({ ...tip, hashTree }, check(ledger))).toThrow('not certified')
  })

  test('in the certificate', () => {
    for (const certificate of flipped(tip.certificate, 11))
      expect(() => verifyTip({ ...tip, certificate }, check(ledger))).toThrow('not certified')
  })

  test('in the index: another one in the tree, or in what is read', () => {
    const tree = hashTreeOfCbor(decodeCbor(tip.hashTree))
    if (tree.type !== 'fork' || tree.right.type !== 'labeled') throw new RangeError('a tip')
    const right = { ...tree.right, tree: { type: 'leaf', value: leb128(5n) } } as const
    const hashTree = encodeCbor(cborOfHashTree({ ...tree, right }))
    expect(() => verifyTip({ ...tip, hashTree }, check(ledger))).toThrow('another last block')
    expect(problemsOf(blocks.slice(0, -1), certified)).not.toEqual([])
    expect(problemsOf(blocks, { ...tipOf(ledger.lastBlock(), 5) })).not.toEqual([])
    expect(problemsOf([...blocks.slice(0, 3), ...blocks.slice(4)], certified)).not.toEqual([])
  })
})

describe('ledger §20.86: a certificate is refused', () => {
  const ledger = lived()
  const tip = servedTip(ledger)
  const FIVE_MINUTES = 300n * NS_PER_SECOND
  const seen = (now: TimestampNs) => () => verifyTip(tip, check(ledger, { now }))

  test('more than five minutes after its time, or before it', () => {
    const { now } = ledger
    expect(seen(addNs(now, FIVE_MINUTES))()).toEqual(tipOf(ledger.lastBlock(), 4))
    expect(seen(timestampNs(now - FIVE_MINUTES))()).toEqual(tipOf(ledger.lastBlock(), 4))
    expect(seen(addNs(now, FIVE_MINUTES + 1n))).toThrow('off the clock')
    expect(seen(timestampNs(now - FIVE_MINUTES - 1n))).toThrow('off the clock')
  })

  test('that is of another canister, though it shows the same data', () => {
    const certificate = certificateOf(indexId, certifiedTip(ledger.state), ledger.now)
    expect(() => verifyTip({ ...tip, certificate }, check(ledger))).toThrow('another last block')
    expect(() => verifyTip(tip, check(ledger, { ledgerId: indexId }))).toThrow('another last block')
  })

  test('that another subnet has signed', () => {
    const rootKey = LOCAL_SUBNET.der.map((byte, at) => (at === 100 ? byte ^ 1 : byte))
    expect(() => verifyTip(tip, check(ledger, { rootKey }))).toThrow('not certified')
  })
})
