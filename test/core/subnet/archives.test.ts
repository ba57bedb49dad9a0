/**
 * Goal: archiving is part of what all nodes of a subnet do alike, slot by slot: canisters that
 * appear are certified, a node that was away or starts again comes to the same state, and calls are
 * answered as if nothing moved. Method: a subnet of four whose token archives from six blocks on;
 * ledger §§10, 12.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { concat, toHex, u64be } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { furtherToken, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { replay } from '../../../src/core/ledger/replay.ts'
import { moduleHash } from '../../../src/core/subnet/canister.ts'
import type { LedgerSettings } from '../../../src/core/subnet/settings.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { restoreNode, saveNode } from '../../../src/host/disks/node-restore.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import type { Canisters } from '../../../src/wallet/canisters.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { verifyTip } from '../../../src/wallet/reserve-supply.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const [dev0, dev1] = [devUser(0), devUser(1)]
const ids = furtherToken(0)
const KEY_BYTES = 96
/** Fee and archives are small; there are tokens from the beginning. */
const ledgers: LedgerSettings = {
  ckbtc: {},
  tokens: [
    {
      tokenName: 'Small',
      tokenSymbol: 'ckSMALL',
      decimals: 8,
      transferFee: 1n,
      memoLengthMax: 32,
      metadata: [],
      mintingAccount: { owner: devUser(4).principal },
      initialBalances: [{ account: { owner: dev0.principal }, amount: 1_000_000n }],
      tokenWidth: 64,
      archiveOptions: {
        triggerThreshold: 6n,
        numBlocksToArchive: 5n,
        nodeMaxMemorySizeBytes: 1_000n,
        maxMessageSizeBytes: 500n,
      },
    },
  ],
}

let net: SubnetNet
let canisters: Canisters
let rootKey: Uint8Array

beforeAll(() => {
  net = new SubnetNet(4, { ledgers })
  net.settle()
  net.pass(1)
  rootKey = present(net.backend.rootKey, 'a root is certified')
  const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
  const deployment = {
    url: 'http://127.0.0.1',
    rootKey,
    ledgerId: ids.ledger,
    minterId: ownCanisterIds.minter,
    masterPublicKey,
  }
  canisters = canistersAt(deployment, { signer: dev0, fetch: net.fetch })
})

const token = (me: number) => present(net.node(me).replica.state.tokens[0], 'a token')
const blocksIn = (me: number): readonly number[] =>
  token(me).archives.map(({ blocks }) => blocks.count)
const roots = (): readonly string[] =>
  [...net.nodes.keys()].map((me) => toHex(present(net.node(me).root, 'a certified state')))

/** Block indices that the calls were answered with. */
async function transfer(count: number): Promise<readonly bigint[]> {
  const indices: bigint[] = []
  for (let i = 0; i < count; i++) {
    const to = { owner: dev1.principal }
    indices.push(await canisters.transfer({ to, amount: 1n, createdAtTime: net.now }))
    net.pass(1)
  }
  return indices
}

const numbers = (from: number, count: number): readonly bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt(from + i))

describe('a subnet whose blocks move to archives', () => {
  it('answers its calls as ever, and all nodes move the same', async () => {
    expect(await transfer(10)).toEqual(numbers(1, 10))
    net.pass(1)
    expect(blocksIn(0).length).toBeGreaterThan(1)
    expect(new Set([0, 1, 2, 3].map((me) => String(blocksIn(me)))).size).toBe(1)
    expect(new Set(roots()).size).toBe(1)
    const { ledger, archives } = token(0)
    expect(ledger.chain.blocks.length).toBeLessThan(6)
    expect(violations(ledger, archives)).toEqual([])
    expect(net.faults).toEqual([])
  })

  it('certifies its archives like any canister', async () => {
    expect(await canisters.client.moduleHash(ids.archive(0))).toEqual(moduleHash('archive'))
    expect(await canisters.client.moduleHash(ids.archive(1))).toEqual(moduleHash('archive'))
    expect(await canisters.client.moduleHash(ids.archive(99))).toBeUndefined()
  })

  it.each([false, true])(
    'is read back from its certified tip, certified: %s',
    async (certified) => {
      const { blocks, ledger } = canisters.client
      const certificate = present(await ledger.tipCertificate(), 'a certificate')
      const last = verifyTip(certificate, { rootKey, ledgerId: ids.ledger, now: undefined })
      const all = await blocks.range(0n, 1_000n, { certified })
      expect(last).toMatchObject({ type: 'tip', index: BigInt(all.length) - 1n })
      const again = replay(token(0).ledger.config, all)
      expect(again).toMatchObject({ state: { chain: { tipHash: 'hash' in last ? last.hash : 0 } } })
    },
  )

  it('has an index of all blocks', () => {
    const { get_account_transactions: method } = indexInterface
    const arg = encodeArgs(method.args, [
      { account: { owner: dev1.principal }, start: undefined, maxResults: 99n },
    ])
    const call = { caller: anonymous, methodName: 'get_account_transactions', arg }
    const reply = net.node(0).replica.query({ ...call, canisterId: ids.index })
    if (reply.type !== 'replied') throw new RangeError(reply.message)
    const [found] = decodeArgs([method.result], reply.arg)
    expect(found).toMatchObject({ page: { balance: 10n, oldestTxId: 1n } })
    expect(found).toMatchObject({ page: { transactions: { length: 10 } } })
  })

  it('has a node come back to the same archives after it was away', async () => {
    net.stop(3)
    const before = blocksIn(0).reduce((sum, count) => sum + count, 0)
    expect(await transfer(7)).toEqual(numbers(11, 7))
    expect(blocksIn(0).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(before)
    net.start(3)
    net.settle()
    await transfer(1)
    expect(blocksIn(3)).toEqual(blocksIn(0))
    expect(new Set(roots()).size).toBe(1)
    expect(net.faults).toEqual([])
  })

  it('goes on in the same state from its disk, by replay and by snapshot', () => {
    const store = new MemoryStore()
    const founded = new NodeDisk(store)
    founded.writeSeed(new Uint8Array(32))
    founded.found(encodeGenesis(net.genesis))
    for (const slot of net.slots) founded.commit({ slot })
    const again = (incarnation: bigint) => {
      const disk = new NodeDisk(store)
      const { next: first, previous } = disk.log.position
      disk.restart([...disk.log.starts, { incarnation, first, previous }])
      return { disk, node: restoreNode(disk, { ...net.configOf(0), records: disk.records() }) }
    }
    const shown = (node: ReturnType<typeof again>['node']) => ({
      root: toHex(node.replica.stateTree(rootKey.slice(-KEY_BYTES)).hash),
      archives: present(node.replica.state.tokens[0], 'a token').archives.map(({ blocks }) =>
        toHex(concat(u64be(BigInt(blocks.count)), ...blocks.chunks.map(({ bytes }) => bytes))),
      ),
    })
    const running = shown(net.node(0))
    const replayed = again(2n)
    expect(shown(replayed.node)).toEqual(running)
    saveNode(replayed.disk, replayed.node)
    expect(shown(again(3n).node)).toEqual(running)
  })
})
