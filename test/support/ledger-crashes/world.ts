/**
 * A subnet of one node with a token whose minting account is a user's: its real disk, its real
 * runner, a clock and a queue of its own, so that a seed plays the same run again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../../../src/core/base/units.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { furtherToken } from '../../../src/core/ic/canister-ids.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import type { SubnetNode } from '../../../src/core/subnet/node.ts'
import type { NodeInput } from '../../../src/core/subnet/node-io.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import type { ReplicaState } from '../../../src/core/subnet/replica-state.ts'
import { tokenConfig } from '../../../src/core/subnet/replica-state.ts'
import type { TokenSettings } from '../../../src/core/subnet/settings.ts'
import { embeddedLedgers } from '../../../src/core/subnet/settings.ts'
import { encodeGenesis } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import type { RestoreConfig } from '../../../src/host/disks/node-restore.ts'
import { restoreNode, saveNode } from '../../../src/host/disks/node-restore.ts'
import { RunningSnapshots, SLOT_WEIGHT } from '../../../src/host/disks/running-snapshots.ts'
import { NodeRunner } from '../../../src/host/node/runner.ts'
import type { Entry, Store } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { foundSubnet, onlyNode } from '../founded.ts'
import { FEE, mintingAccount } from './calls.ts'
import { Crashed, CrashStore } from './crash-store.ts'

/** Archives of a few blocks, so that these move while things go wrong. */
const token: TokenSettings = {
  tokenName: 'Crash',
  tokenSymbol: 'CRSH',
  decimals: 8,
  transferFee: FEE,
  memoLengthMax: 32,
  metadata: [],
  mintingAccount,
  initialBalances: [],
  tokenWidth: 64,
  archiveOptions: { triggerThreshold: 12n, numBlocksToArchive: 5n },
}
const founded = foundSubnet(1)
export const ledgerId = furtherToken(0).ledger
export const ledgerConfig: Config = tokenConfig(token, 0)
/** A snapshot after every few slots. */
const SNAPSHOT_SLOTS = 5
const TURNS_MAX = 100_000

const configOf = (disk: NodeDisk): RestoreConfig => ({
  ...onlyNode(founded),
  stockTarget: 0,
  ledgers: { ...embeddedLedgers, tokens: [token] },
  records: disk.records(),
})

/** What somebody was told, by request id in hexadecimal. */
export type Acknowledged = Map<string, CallReply>

/** One life of the node, from a start of the subnet to the crash or the end. */
export class Life {
  readonly node: SubnetNode
  readonly disk: NodeDisk
  readonly problems: string[] = []
  readonly #runner: NodeRunner
  readonly #queue: { readonly due: bigint; readonly act: () => void }[] = []
  #now: bigint
  #ended = false
  #certificationKey: Uint8Array | undefined

  /** A start of the whole subnet. */
  constructor(store: Store, { now, told }: { readonly now: bigint; readonly told: Acknowledged }) {
    this.disk = new NodeDisk(store)
    this.#now = now
    this.node = startAgain(this.disk, now)
    const ordered = new OrderedNode(this.node, { disk: this.disk.log, now: this.now })
    const logMin = SNAPSHOT_SLOTS * SLOT_WEIGHT
    this.#runner = new NodeRunner(ordered, {
      disk: this.disk,
      clock: () => this.now,
      snapshots: new RunningSnapshots(this.disk, { me: 0, nodes: 1, logMin }),
      schedule: (afterMs, act) => this.#schedule(afterMs, act),
      share: (outputs) => {
        for (const output of outputs) {
          if (output.type === 'send')
            this.#schedule(0, () =>
              this.#runner.input({ type: 'message', from: 0, bytes: output.bytes }),
            )
          if (output.type === 'certified') {
            this.#certificationKey = output.certificationKey
            for (const id of output.requests) this.#tell(told, id)
          }
          if (output.type === 'fault' || output.type === 'diverged')
            this.problems.push(JSON.stringify(output))
        }
      },
      broken: (error) => {
        this.#ended = true
        if (!(error instanceof Crashed)) this.problems.push(error.stack ?? error.message)
      },
      failed: ({ code, message }) => {
        this.#ended = true
        if (code !== 'HOST_DISK') this.problems.push(message)
      },
    })
    this.#runner.input({ type: 'start' })
  }

  #tell(told: Acknowledged, id: Uint8Array): void {
    if (this.#ended) this.problems.push('a node that has ended tells of a call')
    const request = this.node.replica.findRequest(id)
    told.set(toHex(id), present(request, 'what is certified was executed').reply)
  }

  get now(): TimestampNs {
    return timestampNs(this.#now)
  }

  get certificationKey(): Uint8Array | undefined {
    return this.#certificationKey
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  #schedule(afterMs: number, act: () => void): () => void {
    const entry = { due: this.#now + BigInt(afterMs) * NS_PER_MS, act }
    this.#queue.push(entry)
    return () => {
      const place = this.#queue.indexOf(entry)
      if (place >= 0) this.#queue.splice(place, 1)
    }
  }

  pass(ns: bigint): void {
    this.#now += ns
  }

  /** Hands in a call; its request id in hexadecimal. */
  call(envelope: Uint8Array): string {
    const id = requestId(decodeEnvelope(envelope).content)
    this.#runner.input({ type: 'ingress', requestId: id, envelope } satisfies NodeInput)
    return toHex(id)
  }

  /** Works off all that is due within a second, or until the crash. */
  settle(): void {
    const until = this.#now + 1_000n * NS_PER_MS
    for (let turn = 0; turn < TURNS_MAX && !this.#ended; turn++) {
      let first = 0
      for (let i = 1; i < this.#queue.length; i++)
        if ((this.#queue[i]?.due ?? 0n) < (this.#queue[first]?.due ?? 0n)) first = i
      const next = this.#queue[first]
      if (next === undefined || next.due > until) return
      this.#queue.splice(first, 1)
      if (next.due > this.#now) this.#now = next.due
      this.#now += 1_000n
      next.act()
    }
  }

  end(): void {
    this.#ended = true
    this.#runner.end()
  }
}

/** Opens a new time line; the incarnation follows from the time, so that a seed repeats it. */
export function startAgain(disk: NodeDisk, now: bigint): SubnetNode {
  const { next: first, previous } = disk.log.position
  disk.restart([...used(disk), { incarnation: now & 0xffff_ffff_ffffn, first, previous }])
  return restoreNode(disk, configOf(disk))
}

/** As a start does it: a time line without slots leaves no trace. */
const used = ({ log: { starts, position } }: NodeDisk) =>
  starts.filter(
    ({ first }, i) => i === 0 || (first < position.next && first !== starts[i + 1]?.first),
  )

/** When a run begins. */
export const BEGIN = founded.genesis.createdAt + 3_600_000_000_000n

type Founding = {
  /** What is on the disk. */
  readonly entries: readonly Entry[]
  /** The first slot that is not in it. */
  readonly slot: bigint
  readonly state: ReplicaState
  readonly certificationKey: Uint8Array
}
let made: Founding | undefined

/** The subnet once its keys are made; the same for all runs. */
export function founding(): Founding {
  made ??= makeFounding()
  return made
}

function makeFounding(): Founding {
  const store = new MemoryStore()
  const disk = new NodeDisk(store)
  disk.writeSeed(utf8('secret'))
  disk.found(encodeGenesis(founded.genesis))
  const life = new Life(store, { now: founded.genesis.createdAt + 1n, told: new Map() })
  for (let i = 0; i < 100 && life.certificationKey === undefined; i++) life.settle()
  life.settle()
  life.end()
  saveNode(disk, life.node)
  return {
    entries: store.range({ prefix: new Uint8Array() }),
    slot: life.node.slot,
    state: structuredClone(life.node.replica.state) as ReplicaState,
    certificationKey: present(life.certificationKey, 'the keys are made'),
  }
}

/** Its canisters alone. */
export function foundedReplica(): Replica {
  const { genesis } = founded
  const { minter, operator, ed25519 } = onlyNode(founded)
  const nodes = genesis.membership.members.map(({ id, signingKey: key }) => ({
    id: principal(id),
    publicKeyDer: encodePublicKey({ type: 'ed25519', key }),
  }))
  const { incarnation, createdAt } = genesis
  const ledgers = { ...embeddedLedgers, tokens: [token] }
  const config = { minter, operator, ed25519, nodes, ledgers, incarnation, createdAt }
  return new Replica(config, structuredClone(founding().state))
}

/** A directory with the disk of the subnet; the last one to hold it removes it. */
export function newDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'ckbtc-crashes-'))
  const store = new CrashStore(path, undefined)
  const { entries } = founding()
  store.transaction((writer) => {
    for (const { key, value } of entries) writer.put(key, value)
  })
  store.close()
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
