/**
 * Goal: a subnet with coins and calls goes on in the very state that its certificates cover, and
 * executes nothing twice. Method: a node over a real chain mints and transfers; its slots are put on
 * a disk, from which it starts by replay and by snapshot.
 */
import { beforeAll, expect, it } from 'vitest'
import { toHex, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { addNs, NS_PER_SECOND, parseBtc } from '../../../src/core/base/units.ts'
import { txid } from '../../../src/core/btc/transaction.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { furtherToken, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import { ledgerExtension } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { logLength } from '../../../src/core/ledger/state.ts'
import type { TransferArg } from '../../../src/core/ledger/types.ts'
import type { Slot } from '../../../src/core/log/log.ts'
import { minterExtension } from '../../../src/core/minter/interface/extension.ts'
import { encodeItem } from '../../../src/core/subnet/items.ts'
import type { SubnetNode } from '../../../src/core/subnet/node.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { restoreNode } from '../../../src/host/disks/node-restore.ts'
import { MemoryStore, type Store } from '../../../src/host/store/store.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { ingress } from '../../support/ingress.ts'
import { SubnetNet } from '../../support/subnet-net.ts'
import { tokenMinter, tokenOf } from '../../support/token-files.ts'

const KEY_SIZE = 96
const payer = regtestWallet('payer')
const [dev0, dev1] = [devUser(0), devUser(1)]
const account = { owner: dev0.principal }

let net: SubnetNet
let rootKey: Uint8Array
/** A call that moved coins, and what it said. */
let envelope: Uint8Array
let moved: TransferArg & { readonly createdAtTime: TimestampNs }
/** A payment to a deposit address. */
let deposit: Uint8Array
let store: MemoryStore

/** All that clients can be shown, in one hash, and what it stands for. */
function shown(node: SubnetNode) {
  const { state } = present(node.snapshot, 'keys are final')
  const { replica } = node
  return {
    root: replica.stateTree(rootKey.slice(-KEY_SIZE)).hash,
    blocks: Number(logLength(state.ckbtc.ledger)),
    ledger: hashOf(state.ckbtc.ledger),
    tokens: state.tokens.map((token) => hashOf(token)),
    tokenFees: state.tokens.map((token) => token.ledger.config.transferFee),
    tokenBlocks: state.tokens.map((token) => Number(logLength(token.ledger))),
    minterEvents: state.minter.log.count,
    minter: hashOf(state.minter),
    isUpgraded:
      state.minter.state.config.checkFee === 7n && state.minter.settings.concurrentMax === 7,
    chain: hashOf(state.chain),
    requests: [...state.requests.keys()],
    violations: replica.violations(),
  }
}

/** Comparing the states themselves takes minutes. */
const hashOf = (state: unknown): string => toHex(sha256(utf8(JSON.stringify(state, plain))))

/** Blocks know their parents, which are in the state by themselves. */
function plain(name: string, value: unknown): unknown {
  if (name === 'parent') return value === undefined
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Map || value instanceof Set) return [...value]
  return typeof value === 'bigint' ? `${value}n` : value
}

function startAgain(incarnation: bigint, on: Store = store): SubnetNode {
  const disk = new NodeDisk(on)
  const { next: first, previous } = disk.log.position
  disk.restart([...disk.log.starts, { incarnation, first, previous }])
  return restoreNode(disk, { ...net.configOf(0), records: disk.records() })
}

/** What lies on a disk after these slots. */
function founded(slots: readonly Slot[]): MemoryStore {
  const made = new MemoryStore()
  const disk = new NodeDisk(made)
  disk.writeSeed(utf8('secret'))
  disk.found(encodeGenesis(net.genesis))
  for (const slot of slots) disk.commit({ slot })
  return made
}

/** One more slot; nobody is told of it. */
function order(node: SubnetNode, item: Uint8Array, time: TimestampNs): void {
  const number = present(node.snapshot, 'keys are final').slot
  const slot = { number, time, proposers: [], items: [item] }
  node.step({ type: 'slot', slot, later: 2 })
}

/** Other arguments and settings than the subnet was founded with. */
function upgradeMinter(): void {
  const { x_upgrade: method } = minterExtension
  const call = { canisterId: ownCanisterIds.minter, methodName: 'x_upgrade', method, now: net.now }
  const arg = { type: 'upgrade', args: { checkFee: 7n } } as const
  const reply = net.call(ingress(devUser(4), call, [arg, { concurrentMax: 7 }]))
  expect(reply?.type).toBe('replied')
}

/** One token is minted, and its fee is another one from then on; the other token stays as it is. */
function useToken(): void {
  const { ledger: canisterId } = furtherToken(0)
  const { icrc1_transfer: transfer } = ledgerInterface
  const minted = { canisterId, methodName: 'icrc1_transfer', method: transfer, now: net.now }
  net.call(ingress(tokenMinter, minted, [{ to: account, amount: 7n }]))
  const { x_upgrade: method } = ledgerExtension
  const upgrade = { canisterId, methodName: 'x_upgrade', method, now: net.now }
  net.call(ingress(devUser(4), upgrade, [{ type: 'upgrade', args: { transferFee: 1n } }]))
}

beforeAll(async () => {
  const tokens = [tokenOf(), tokenOf({ token_symbol: 'WIDE', token_width: 256 })]
  net = new SubnetNet(1, { ledgers: { ckbtc: {}, tokens } })
  net.settle()
  net.mine(101, payer.script)
  net.pass(1)
  rootKey = present(net.backend.rootKey, 'a root is certified')
  const { ledger: ledgerId, minter: minterId } = ownCanisterIds
  const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
  const deployment = { url: 'http://127.0.0.1', rootKey, ledgerId, minterId, masterPublicKey }
  const canisters = canistersAt(deployment, { signer: dev0, fetch: net.fetch })
  const { address } = await canisters.depositAddress(account)
  const coinbase = present(net.bitcoin.blockAt(1)?.transactions[0], 'a coinbase')
  const utxos = [
    {
      outpoint: { txid: txid(coinbase), vout: 0 },
      value: present(coinbase.outputs[0], 'it pays').value,
    },
  ]
  const payment = payer.pay({ utxos, to: address, amount: parseBtc('0.5'), feeRateSatPerVb: 5n })
  if (payment.type !== 'signed') throw new Error(payment.type)
  deposit = payment.bytes
  net.bitcoin.submit(deposit, net.nowSeconds)
  net.mine(6, payer.script)
  moved = { to: { owner: dev1.principal }, amount: 1_000n, createdAtTime: net.now }
  await canisters.transfer(moved)
  envelope = present(net.envelopes.at(-1), 'a call was handed in')
  net.settle()
  upgradeMinter()
  useToken()
  store = founded(net.slots)
})

it('the root of the state is the one before, by replay and by snapshot', () => {
  const before = shown(net.node(0))
  expect(before.blocks).toBe(2)
  expect(before.minterEvents).toBeGreaterThan(2)
  expect(before.violations).toEqual([])
  expect(before.isUpgraded).toBe(true)
  expect([before.tokenBlocks, before.tokenFees]).toEqual([
    [1, 0],
    [1n, 10n],
  ])
  expect(shown(startAgain(101n))).toEqual(before)
  // Now there is a snapshot, and no slot before it is read.
  store.transaction((writer) => {
    for (const { key } of writer.range({ prefix: utf8('slot/') }).slice(1, 4))
      writer.put(key, new Uint8Array(40))
  })
  expect(shown(startAgain(102n))).toEqual(before)
})

it('ledger §20.126: a node is ready once it has caught up with its log', () => {
  const node = startAgain(110n, founded(net.slots))
  const { is_ledger_ready: method } = ledgerInterface
  const ask = (methodName: string) =>
    node.replica.query({
      caller: dev0.principal,
      canisterId: ownCanisterIds.ledger,
      methodName,
      arg: encodeArgs([], []),
    })
  const isReady = (): unknown => {
    const reply = ask('is_ledger_ready')
    const isServed = ask('icrc1_total_supply').type === 'replied'
    return reply.type === 'replied' && [...decodeArgs([method.result], reply.arg), isServed]
  }
  const slot = (later: 0 | 1 | 2): void => {
    const { slot: number } = present(node.snapshot, 'keys are final')
    const time = addNs(net.now, (number + 1n) * NS_PER_SECOND)
    node.step({ type: 'slot', slot: { number, time, proposers: [], items: [] }, later })
  }
  expect(isReady()).toEqual([false, false])
  slot(2)
  expect(isReady()).toEqual([false, false])
  slot(1)
  expect(isReady()).toEqual([true, true])
  slot(2)
  expect(isReady()).toEqual([false, false])
})

it('slots that were on disk and not executed yet are executed at the next start', () => {
  startAgain(105n)
  const disk = new NodeDisk(store)
  const first = disk.log.position.next
  const time = addNs(present(disk.log.position.time, 'there are slots'), NS_PER_SECOND)
  for (const number of [first, first + 1n]) {
    const items = [utf8('no item')]
    disk.commit({ slot: { number, time: addNs(time, number), proposers: [], items } })
  }
  const next = startAgain(106n)
  expect(present(next.snapshot, 'keys are final').slot).toBe(first + 2n)
  expect(next.replica.state.time).toBe(addNs(time, first + 1n))
})

it('a call of an earlier life is answered as it was and not executed again', () => {
  const node = startAgain(103n)
  const before = shown(node)
  const id = requestId(decodeEnvelope(envelope).content)
  const reply = net.node(0).replica.findRequest(id)?.reply
  expect(reply).toMatchObject({ type: 'replied' })
  // Handed in again, it does not reach the log.
  expect(node.step({ type: 'ingress', requestId: id, envelope })).toEqual([])
  // A liar puts it there.
  order(node, encodeItem({ type: 'ingress', envelope }), addNs(net.now, NS_PER_SECOND))
  const { ledger, requests } = shown(node)
  expect({ ledger, requests }).toEqual({ ledger: before.ledger, requests: before.requests })
  expect(node.replica.findRequest(id)?.reply).toEqual(reply)
})

it('ledger §20.34: a transfer of an earlier life is a duplicate, after replay and snapshot', () => {
  const disks = founded(net.slots)
  const method = ledgerInterface.icrc1_transfer
  for (const incarnation of [108n, 109n]) {
    const node = startAgain(incarnation, disks)
    const call = { canisterId: ownCanisterIds.ledger, methodName: 'icrc1_transfer', method }
    const nonce = u64be(incarnation)
    const again = ingress(dev0, { ...call, now: net.now, nonce }, [moved])
    order(node, encodeItem({ type: 'ingress', envelope: again }), addNs(net.now, NS_PER_SECOND))
    const reply = node.replica.findRequest(requestId(decodeEnvelope(again).content))?.reply
    if (reply?.type !== 'replied') throw new RangeError('the ledger replies')
    expect(decodeArgs([method.result], reply.arg)).toEqual([
      { type: 'err', error: { type: 'duplicate', duplicateOf: 1n } },
    ])
    expect(shown(node).blocks).toBe(2)
    // The first start has left a snapshot: the slots before it are not read again.
    disks.transaction((writer) => {
      for (const { key } of writer.range({ prefix: utf8('slot/') }).slice(1, 4))
        writer.put(key, new Uint8Array(40))
    })
  }
})

it('a call of an earlier life that has expired and is forgotten is refused', () => {
  const node = startAgain(104n)
  const { ledger } = shown(node)
  const id = requestId(decodeEnvelope(envelope).content)
  const later = addNs(net.now, 3_600n * NS_PER_SECOND)
  order(node, utf8('no item'), later)
  expect(node.replica.findRequest(id)).toBeUndefined()
  order(node, encodeItem({ type: 'ingress', envelope }), addNs(later, 1n))
  expect(node.replica.findRequest(id)).toBeUndefined()
  expect(shown(node).ledger).toEqual(ledger)
})

it('bitcoin §13.9: a restart while a block is applied finds the outputs of before or of after it', () => {
  const outputsOf = ({ replica }: SubnetNode): string => {
    const { utxos, tree, byTxid } = replica.state.chain
    return hashOf([utxos, [...tree.blocks.keys()], [...byTxid.keys()]])
  }
  const before = outputsOf(net.node(0))
  const known = net.slots.length
  net.mine(1, payer.script)
  net.settle()
  const after = outputsOf(net.node(0))
  expect(after).not.toBe(before)
  const found = net.slots.slice(known).map((_, i) => {
    return outputsOf(startAgain(107n, founded(net.slots.slice(0, known + i + 1))))
  })
  expect([found[0], found.at(-1)]).toEqual([before, after])
  expect(found.filter((each) => each !== before && each !== after)).toEqual([])
})

it('bitcoin §13.2: seven blocks that take back a minted deposit are an alarm until it is mined again', () => {
  const lost = () => net.node(0).replica.state.minter.state.volatile.lost.size
  const depth = net.bitcoin.tip().height - 101
  expect(depth).toBe(7)
  const first = net.bitcoin.tip().height + 1 - depth
  net.bitcoin.reorganise(depth, {
    payToScript: payer.script,
    nowSeconds: net.nowSeconds,
    dropTransactions: true,
  })
  net.showHeaders(first)
  expect(net.node(0).replica.bitcoinHeight).toBe(net.bitcoin.tip().height)
  expect(lost()).toBe(1)
  const alarms = () => net.observed.filter(({ event }) => event.type === 'alarmed')
  expect(alarms()).toHaveLength(1)
  expect(net.node(0).replica.violations()).toEqual([])
  net.bitcoin.submit(deposit, net.nowSeconds)
  net.mine(1, payer.script)
  expect(lost()).toBe(0)
  expect(alarms()).toHaveLength(1)
})
