/**
 * A worker thread that runs nodes: it alone holds their secrets. Started from `dist` by
 * `subnet.ts`.
 */
import { parentPort } from 'node:worker_threads'
import { CkbtcError, present } from '../../core/base/errors.ts'
import { installSha256 } from '../../core/base/hash.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { Seed } from '../../core/base/seed.ts'
import { encodeBlock, encodeHeader } from '../../core/btc/block.ts'
import { regtest } from '../../core/btc/network.ts'
import { principal } from '../../core/ic/principal.ts'
import { decodeGenesis } from '../../core/tecdsa/membership.ts'
import { NodeKeys } from '../../core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../native/ed25519.ts'
import { nativeSha256 } from '../../native/sha256.ts'
import { startBitcoinConnection } from '../bitcoin/connection.ts'
import { systemClock } from '../clock.ts'
import { encodeFounding } from '../disks/founding-settings.ts'
import { NodeDisk } from '../disks/node-disk.ts'
import { restoreNode, saveNode } from '../disks/node-restore.ts'
import { openDisk } from '../disks/subnet-disks.ts'
import { entropy } from '../entropy.ts'
import { MemoryStore } from '../store/store.ts'
import { NodeRunner } from './runner.ts'
import type { FromWorker, KeyNumber, ToWorker } from './worker-protocol.ts'
import { sentProblem } from './worker-protocol.ts'

const SEED_SIZE = 32
const LOOPBACK = '127.0.0.1'
const USER_AGENT = '/ckbtc:0.1.0/'
/** How long a query waits for the state that it is asked of to be certified. */
const SETTLING_MS_MAX = 2_000

/**
 * What stays of a node while it is stopped: its keys and its records, as a disk would keep them.
 */
type Kept = { readonly root: Seed; readonly keys: NodeKeys; readonly disk: NodeDisk }

/** A node that runs. */
type Life = { readonly runner: NodeRunner; readonly disk: NodeDisk }

const inbox = present(parentPort ?? undefined, 'this file runs in a worker')
const kept = new Map<KeyNumber, Kept>()
const running = new Map<NodeIndex, Life>()

const tell = (message: FromWorker): void => inbox.postMessage(message)

/** What is wrong with one disk is the end of its node alone. */
function guarded(name: KeyNumber, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    tell({ type: 'failed', name, problem: sentProblem(error) })
  }
}

/** `directory`: of the node's store; memory without one. */
function create({ name, directory }: Extract<ToWorker, { type: 'create' }>): void {
  const disk = directory === undefined ? new NodeDisk(new MemoryStore()) : openDisk(directory)
  if (disk.seed === undefined) disk.writeSeed(entropy(SEED_SIZE))
  const root = Seed.fromBytes(present(disk.seed, 'it was written just now'))
  const keys = new NodeKeys(root, nativeEd25519)
  kept.set(name, { root, keys, disk })
  const { signingKey, encryptionKey } = keys.record
  tell({ type: 'keys', name, signingKey, encryptionKey })
}

function start({ name, me, genesis, settings }: Extract<ToWorker, { type: 'start' }>): void {
  const { root, keys, disk } = present(kept.get(name), 'a node is created before it is started')
  if (disk.genesis === undefined) disk.found(genesis, encodeFounding(settings))
  const node = restoreNode(disk, {
    genesis: decodeGenesis(genesis),
    keys,
    me,
    ed25519: nativeEd25519,
    records: disk.records(),
    stockTarget: settings.stockTarget,
    creationMax: settings.creationMax,
    minter: settings.minter,
    ids: settings.ids,
    operator: principal(settings.operator),
  })
  const runner = new NodeRunner(node, {
    disk,
    share: (outputs) => tell({ type: 'outputs', me, outputs }),
    broken: (bug) => tell({ type: 'bug', me, message: bug.message }),
    failed: (problem) => {
      running.delete(me)
      tell({ type: 'failed', name, problem: sentProblem(problem) })
    },
  })
  runner.attach(
    startBitcoinConnection({
      network: regtest,
      peers: [{ host: LOOPBACK, port: settings.bitcoinPort }],
      seed: root.derive('ckbtc-bitcoin-adapter'),
      userAgent: USER_AGENT,
      push: true,
      clock: systemClock,
      onHeaders: (headers) => runner.input({ type: 'headers', headers: headers.map(encodeHeader) }),
      onBlock: (_hash, block) => runner.input({ type: 'block', block: encodeBlock(block) }),
    }),
  )
  running.set(me, { runner, disk })
  runner.input({ type: 'start' })
}

/** Not before the state is certified, or it is clear that this takes long (IC interface §16). */
async function ask({ me, id, question }: Extract<ToWorker, { type: 'ask' }>): Promise<void> {
  const life = running.get(me)
  if (question.type === 'query') await life?.runner.settled(SETTLING_MS_MAX)
  // Stopped since: whoever asks has been told.
  if (life === undefined || running.get(me) !== life) return
  tell({ type: 'answer', me, id, answer: life.runner.ask(question, systemClock()) })
}

/** Ends every node, with what it has come to on its disk; without that, a later start replays more. */
function close(): void {
  for (const { runner, disk } of running.values()) {
    runner.end()
    if (!runner.isBroken) save(disk, runner.node)
  }
  running.clear()
  for (const { disk } of kept.values()) disk.close()
  kept.clear()
  tell({ type: 'closed' })
}

function save(disk: NodeDisk, node: NodeRunner['node']): void {
  try {
    saveNode(disk, node)
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
  }
}

installSha256(nativeSha256)

inbox.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'create':
      guarded(message.name, () => create(message))
      return
    case 'start':
      guarded(message.name, () => start(message))
      return
    case 'input':
      running.get(message.me)?.runner.input(message.input)
      return
    case 'ask':
      void ask(message)
      return
    case 'close':
      close()
      return
    case 'stop':
      running.get(message.me)?.runner.end()
      running.delete(message.me)
  }
})
