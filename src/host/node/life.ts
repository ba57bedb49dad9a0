/**
 * One node where it lives, in whatever thread or process: keys, disk, runner, adapter. It alone
 * holds the node's secrets. Source: architecture §3.
 */
import { CkbtcError, present } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { Seed } from '../../core/base/seed.ts'
import { encodeBlock, encodeHeader } from '../../core/btc/block.ts'
import { networks } from '../../core/btc/network.ts'
import { isLoopback } from '../../core/btc/network-address.ts'
import { principal } from '../../core/ic/principal.ts'
import type { LiedMessage } from '../../core/subnet/liar.ts'
import { Liar } from '../../core/subnet/liar.ts'
import type { Lie } from '../../core/subnet/lies.ts'
import type { NodeInput } from '../../core/subnet/node-io.ts'
import { OrderedNode } from '../../core/subnet/ordered-node.ts'
import type { Genesis } from '../../core/tecdsa/membership.ts'
import { decodeGenesis } from '../../core/tecdsa/membership.ts'
import { NodeKeys } from '../../core/tecdsa/node-keys.ts'
import { REFRESH_INTERVAL_MS } from '../../core/tecdsa/refresh.ts'
import { nativeEd25519 } from '../../native/ed25519.ts'
import { startBitcoinConnection } from '../bitcoin/connection.ts'
import { systemClock } from '../clock.ts'
import { encodeFounding } from '../disks/founding-settings.ts'
import { LogScrub } from '../disks/log-scrub.ts'
import { NodeDisk } from '../disks/node-disk.ts'
import { restoreNode, saveNode } from '../disks/node-restore.ts'
import { RunningSnapshots } from '../disks/running-snapshots.ts'
import { openDisk } from '../disks/subnet-disks.ts'
import { entropy } from '../entropy.ts'
import { linkIdentity } from '../links/identity.ts'
import type { PeerLinks } from '../links/peer-links.ts'
import { storeBehind } from '../store/problem.ts'
import { SharedStore } from '../store/shared-store.ts'
import { USER_AGENT } from '../version.ts'
import { wordsOf } from './failures.ts'
import type { FromNode, SharedOutput, Storage, ToNode } from './protocol.ts'
import { sentProblem } from './protocol.ts'
import { NodeRunner } from './runner.ts'

const SEED_SIZE = 32
/** How long a query waits for the state that it is asked of to be certified. */
const SETTLING_MS_MAX = 2_000

type Self = { readonly me: NodeIndex; readonly keys: NodeKeys; readonly genesis: Genesis }
type Kept = {
  readonly root: Seed
  readonly keys: NodeKeys
  readonly disk: NodeDisk
  /** Memory keeps all that was ever written: no snapshots there but at a stop. */
  readonly isOnDisk: boolean
}

export type LifePorts = {
  /** To the subnet. */
  readonly tell: (message: FromNode) => void
  /** To its peers; without them the subnet carries what nodes say to each other. */
  readonly links?: PeerLinks
}

export class NodeLife {
  readonly #ports: LifePorts
  #kept: Kept | undefined
  #runner: NodeRunner | undefined
  #liar: Liar | undefined
  /** Who it is where it runs. */
  #self: Self | undefined

  constructor(ports: LifePorts) {
    this.#ports = ports
  }

  hear(message: ToNode): void {
    switch (message.type) {
      case 'create':
        this.#guarded(() => this.#create(message.storage))
        return
      case 'start':
        this.#guarded(() => this.#start(message))
        return
      case 'input':
        this.#input(message.input)
        return
      case 'ask':
        void this.#ask(message)
        return
      case 'peers':
        this.#ports.links?.peers(message.ports)
        return
      case 'corrupt':
        this.#corrupt(message.lie)
        return
      case 'kill':
        this.#end()
        return
      case 'close':
        this.#save()
        this.#end()
    }
  }

  /** What is wrong with its disk is the end of this node alone. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof CkbtcError)) throw error
      this.#ports.tell({ type: 'failed', problem: sentProblem(error) })
    }
  }

  #create(storage: Storage): void {
    const disk =
      storage.type === 'memory'
        ? new NodeDisk(new SharedStore(storage.journal))
        : openDisk(storage.path)
    if (disk.seed === undefined) disk.writeSeed(entropy(SEED_SIZE), entropy(SEED_SIZE))
    const root = Seed.fromBytes(present(disk.seed, 'it was written just now'))
    const first = disk.firstEpoch
    const keys = new NodeKeys(root, nativeEd25519, entropy, first && Seed.fromBytes(first))
    this.#kept = { root, keys, disk, isOnDisk: storage.type === 'directory' }
    const { signingKey, encryptionKey } = keys.record
    const port = this.#ports.links?.port
    this.#ports.tell({ type: 'keys', signingKey, encryptionKey, port })
  }

  #start({ me, genesis: encoded, settings }: Extract<ToNode, { type: 'start' }>): void {
    const { root, keys, disk, isOnDisk } = present(
      this.#kept,
      'a node is created before it is started',
    )
    if (disk.genesis === undefined) disk.found(encoded, encodeFounding(settings))
    const genesis = decodeGenesis(encoded)
    const { incarnation } = present(disk.log.starts.at(-1), 'a log has a start record')
    if (incarnation !== genesis.incarnation) throw storeBehind(disk.name)
    const config = {
      genesis,
      keys,
      me,
      ed25519: nativeEd25519,
      records: disk.records(),
      stockTarget: settings.stockTarget,
      creationMax: settings.creationMax,
      minter: settings.minter,
      ledgers: settings.ledgers,
      ids: settings.ids,
      operator: principal(settings.operator),
      bitcoinNetwork: settings.bitcoin.network,
      refreshIntervalMs: REFRESH_INTERVAL_MS,
    }
    const now = systemClock()
    const node = new OrderedNode(restoreNode(disk, config), { disk: disk.log, now })
    const nodes = genesis.membership.members.length
    const pace = { me, nodes, logMin: settings.snapshotLogMin }
    const runner = new NodeRunner(node, {
      disk,
      snapshots: isOnDisk ? new RunningSnapshots(disk, pace) : undefined,
      clock: systemClock,
      share: (outputs) => this.#share(me, runner, outputs),
      broken: (error) => this.#ports.tell({ type: 'bug', message: wordsOf(error) }),
      failed: (problem) => this.#ports.tell({ type: 'failed', problem: sentProblem(problem) }),
    })
    const { network, host, port } = settings.bitcoin
    runner.attach(
      startBitcoinConnection({
        network: networks[network],
        // The chain of regtest is short, and another one after each start of its node.
        keeper: network === 'regtest' ? undefined : disk.bitcoinHeaders(),
        peers: [{ host, port }],
        seed: root.derive('ckbtc-bitcoin-adapter'),
        userAgent: USER_AGENT,
        push: isLoopback(host), // TX-4
        clock: systemClock,
        onHeaders: (headers) =>
          runner.input({ type: 'headers', headers: headers.map(encodeHeader) }),
        onBlock: (_hash, block) => runner.input({ type: 'block', block: encodeBlock(block) }),
      }),
    )
    this.#runner = runner
    this.#self = { me, keys, genesis }
    this.#openLinks(this.#self)
    runner.input({ type: 'start' })
    if (isOnDisk) runner.readThrough(new LogScrub(disk.log))
  }

  #openLinks(self: Self): void {
    const { links, tell } = this.#ports
    links?.begin(linkIdentity(self), {
      hear: (from, bytes) => this.#input({ type: 'message', from, bytes }),
      linked: (peer) => {
        tell({ type: 'link', peer, state: 'up' })
        this.#input({ type: 'linked', peer })
      },
      ended: (state, peer) => tell({ type: 'link', peer, state }),
    })
  }

  #corrupt(lie: Lie | undefined): void {
    const seed = Seed.fromBytes(entropy(SEED_SIZE))
    this.#liar = lie && this.#self && new Liar({ ...this.#self, lie, seed })
  }

  #input(input: NodeInput): void {
    if (input.type === 'message')
      for (const lied of this.#liar?.hear(input.from, input.bytes) ?? []) this.#sendLie(lied)
    this.#runner?.input(input)
  }

  /** What a node sends to itself needs no link. */
  #share(me: NodeIndex, runner: NodeRunner, outputs: readonly SharedOutput[]): void {
    const told: SharedOutput[] = []
    for (const output of outputs) {
      if (output.type !== 'send') {
        told.push(output)
        continue
      }
      const { to, bytes } = output
      if (to === me || to === 'all')
        setImmediate(() => runner.input({ type: 'message', from: me, bytes }))
      if (to === me) continue
      if (this.#liar !== undefined) this.#lie(this.#liar, output)
      else if (this.#ports.links === undefined) told.push(output)
      else this.#ports.links.send(to, bytes)
    }
    if (told.length > 0) this.#ports.tell({ type: 'outputs', outputs: told })
  }

  #lie(liar: Liar, { to, bytes }: Extract<SharedOutput, { type: 'send' }>): void {
    const nodes = this.#self?.genesis.membership.members.length ?? 0
    for (let peer = 0; peer < nodes; peer++)
      if (peer !== this.#self?.me && (to === 'all' || to === peer))
        for (const lied of liar.say(peer, bytes)) this.#sendLie(lied)
  }

  #sendLie({ to, bytes, afterMs }: LiedMessage): void {
    const send = (): void => {
      if (this.#ports.links !== undefined) this.#ports.links.send(to, bytes)
      else this.#ports.tell({ type: 'outputs', outputs: [{ type: 'send', to, bytes }] })
    }
    if (afterMs === 0) send()
    else setTimeout(send, afterMs).unref()
  }

  /** Not before the state is certified, or it is clear that this takes long (IC interface §16). */
  async #ask({ id, question }: Extract<ToNode, { type: 'ask' }>): Promise<void> {
    const runner = this.#runner
    if (question.type === 'bitcoin') {
      const answer = runner?.bitcoin
      if (answer !== undefined) this.#ports.tell({ type: 'answer', id, answer })
      return
    }
    if (question.type === 'query') await runner?.settled(SETTLING_MS_MAX)
    // Ended since: whoever asks has been told.
    if (runner === undefined || this.#runner !== runner) return
    const answer = runner.ask(question, systemClock())
    if (answer !== undefined) this.#ports.tell({ type: 'answer', id, answer })
  }

  /** Without what it has come to on its disk, a later start replays more. */
  #save(): void {
    const { runner, kept } = { runner: this.#runner, kept: this.#kept }
    if (runner === undefined || kept === undefined || runner.isBroken) return
    runner.end()
    this.#guarded(() => saveNode(kept.disk, runner.node))
  }

  #end(): void {
    this.#runner?.end()
    this.#ports.links?.close()
    this.#runner = undefined
    this.#kept?.disk.close()
    this.#kept = undefined
    this.#ports.tell({ type: 'closed' })
  }
}
