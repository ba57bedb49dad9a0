/**
 * A process of its own for a node with a large ledger. `build <directory> <accounts> <blocks>` makes
 * it, puts its snapshot on disk and prints what memory it took; `start <directory>` goes on from
 * there and prints how long that took. Source: performance specification §7 G2.
 */
import { assert, present } from '../../src/core/base/errors.ts'
import { installSha256 } from '../../src/core/base/hash.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { indexInterface } from '../../src/core/ledger/index/index-interface.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { logLength } from '../../src/core/ledger/state.ts'
import { dispatch } from '../../src/core/subnet/dispatch.ts'
import type { SubnetNode } from '../../src/core/subnet/node.ts'
import { OrderedNode } from '../../src/core/subnet/ordered-node.ts'
import type { TokenState } from '../../src/core/subnet/token-canisters.ts'
import { TokenCanisters } from '../../src/core/subnet/token-canisters.ts'
import { encodeGenesis } from '../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../src/host/disks/node-disk.ts'
import { restoreNode, saveNode } from '../../src/host/disks/node-restore.ts'
import { NodeRunner } from '../../src/host/node/runner.ts'
import { LmdbStore } from '../../src/host/store/lmdb-store.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { foundSubnet, onlyNode } from '../../test/support/founded.ts'
import { fillToken, holder } from './large-ledger.ts'

export type BuildReport = {
  /** The token's share of the process, collected: ledger, index and archives. */
  readonly tokenBytes: number
  readonly peakBytes: number
  readonly snapshotBytes: number
  /** Of decisions, effects, blocks and archives. */
  readonly blocksPerSecond: number
}

export type StartReport = {
  /** From the store's file to the node that goes on. */
  readonly restoredMs: number
  /** The first balance, and the first page of an account's history. */
  readonly answeredMs: number
}

const TURNS_MAX = 20_000
const BYTES_PER_KB = 1_024

const founded = foundSubnet(1)

const restored = (disk: NodeDisk): SubnetNode =>
  restoreNode(disk, { ...onlyNode(founded), records: disk.records() })

/**
 * A life of the only node, until it has a presignature. `fill` is called once its keys are final:
 * the slots behind that name the root of what it has made.
 */
async function live(disk: NodeDisk, fill: (token: TokenState) => void): Promise<SubnetNode> {
  const { createdAt } = founded.genesis
  const node = restored(disk)
  let [now, stock, isFilled] = [createdAt, 0, false]
  const whole = new OrderedNode(node, { disk: disk.log, now })
  const runner: NodeRunner = new NodeRunner(whole, {
    clock: () => (now = timestampNs(now + 1_000_000n)),
    disk,
    share: (outputs) => {
      for (const output of outputs) {
        if (output.type === 'observed' && output.event.type === 'executed')
          stock = output.event.stock
        if (output.type === 'send')
          setImmediate(() => runner.input({ type: 'message', from: 0, bytes: output.bytes }))
      }
    },
    broken: (bug) => {
      throw bug
    },
    failed: (problem) => {
      throw problem
    },
  })
  runner.input({ type: 'start' })
  for (let turn = 0; turn < TURNS_MAX && (stock === 0 || node.isSettling); turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (isFilled || node.snapshot === undefined) continue
    assert(stock === 0, 'slots follow that name the root of what is filled in')
    fill(tokenOf(node))
    isFilled = true
  }
  runner.end()
  assert(isFilled && stock > 0, 'a subnet of one comes to its first presignature')
  return node
}

/** As its replica has it, which alone writes to it otherwise. */
const tokenOf = (node: SubnetNode): TokenState =>
  present(node.snapshot, 'the keys of the node are final').state.ckbtc as TokenState

function heldBytes(): number {
  present(globalThis.gc, 'node runs with --expose-gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function build(directory: string, accounts: number, blocks: number): Promise<BuildReport> {
  const store = LmdbStore.open(directory)
  const disk = new NodeDisk(store)
  disk.found(encodeGenesis(founded.genesis))
  let [seconds, tokenBytes] = [0, 0]
  const node = await live(disk, (token) => {
    const before = heldBytes()
    const start = performance.now()
    fillToken(token, { accounts, blocks })
    seconds = (performance.now() - start) / 1_000
    answer(token)
    tokenBytes = heldBytes() - before
  })
  const peakBytes = process.resourceUsage().maxRSS * BYTES_PER_KB
  const snapshotBytes = saveNode(disk, node)
  const { next: first, previous } = disk.log.position
  disk.restart([...disk.log.starts, { incarnation: 8n, first, previous }])
  store.close()
  return { tokenBytes, peakBytes, snapshotBytes, blocksPerSecond: blocks / seconds }
}

/** What a wallet asks first. */
function answer(state: TokenState): void {
  const { canisters } = new TokenCanisters(ckbtcTokenIds(ownCanisterIds), state)
  const account = holder(1)
  const questions = [
    ['ledger', 'icrc1_balance_of', encodeArgs(ledgerInterface.icrc1_balance_of.args, [account])],
    [
      'index',
      'get_account_transactions',
      encodeArgs(indexInterface.get_account_transactions.args, [{ account, maxResults: 10n }]),
    ],
  ] as const
  for (const [name, methodName, arg] of questions) {
    const canister = present(
      canisters.find((one) => one.name === name),
      'a token has a ledger and an index',
    )
    const handlers = canister.handlers({
      caller: account.owner,
      now: state.ledger.time,
      kind: 'query',
      dataCertificate: () => undefined,
    })
    const reply = dispatch(handlers, { canisterId: canister.id, methodName, arg }, 'query')
    assert(reply.type === 'replied', 'a question is answered')
  }
}

function start(directory: string): StartReport {
  const began = performance.now()
  const store = LmdbStore.open(directory)
  const node = restored(new NodeDisk(store))
  const restoredMs = performance.now() - began
  assert(logLength(tokenOf(node).ledger) > 0n, 'the ledger is the one of the snapshot')
  answer(tokenOf(node))
  const answeredMs = performance.now() - began - restoredMs
  store.close()
  return { restoredMs, answeredMs }
}

installSha256(nativeSha256)
const [task, directory = '', ...sizes] = process.argv.slice(2)
const [accounts = 0, blocks = 0] = sizes.map(Number)
const report = task === 'build' ? await build(directory, accounts, blocks) : start(directory)
process.stdout.write(JSON.stringify(report))
