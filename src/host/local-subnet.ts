/**
 * A subnet with its own Bitcoin: what `demo` and the local commands start, ask and end. Source:
 * architecture §1.
 */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../core/base/bytes.ts'
import { assert, Bug } from '../core/base/errors.ts'
import { installSha256 } from '../core/base/hash.ts'
import type { KeyScheme } from '../core/base/key-scheme.ts'
import type { NodeIndex } from '../core/base/party.ts'
import { agreementQuorum, reconstructionThreshold } from '../core/base/party.ts'
import type { MempoolOptions } from '../core/btc/regtest/mempool.ts'
import type { CanisterIds, IdsKind } from '../core/ic/canister-ids.ts'
import { canisterIdsOf } from '../core/ic/canister-ids.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principal } from '../core/ic/principal.ts'
import type { Observation } from '../core/subnet/node-io.ts'
import type { LedgerSettings, MinterSettings } from '../core/subnet/settings.ts'
import type { RefreshStage } from '../core/tecdsa/refresh.ts'
import { nativeEd25519 } from '../native/ed25519.ts'
import { nativeSha256 } from '../native/sha256.ts'
import { AttachedBitcoin } from './bitcoin/attached-node.ts'
import { EmbeddedBitcoin } from './bitcoin/embedded-node.ts'
import type { AttachedPlace } from './bitcoin-place.ts'
import { systemClock } from './clock.ts'
import type { Answered } from './ic/gateway.ts'
import { IcGateway } from './ic/gateway.ts'
import { gatewayFetch } from './ic/gateway-fetch.ts'
import type { Isolation } from './isolation.ts'
import { NodeWatch } from './node-watch.ts'
import { SignatureWatch } from './signature-watch.ts'
import { LmdbStore } from './store/lmdb-store.ts'
import { Subnet } from './subnet.ts'
import type { SubnetEvent } from './subnet-events.ts'
import { IMPLEMENTATION, USER_AGENT } from './version.ts'

export type LocalSubnetOptions = {
  readonly nodes: number
  /** Presignatures kept ready. */
  readonly stockTarget: number
  /** Presignatures in the making at one time. */
  readonly creationMax: number
  readonly minter: MinterSettings
  /** ckBTC's profile and no further token unless told. */
  readonly ledgers?: LedgerSettings
  /** Of the canisters; its own unless told. */
  readonly ids?: IdsKind
  /** Who may change replicated settings; without one nobody may. */
  readonly operator?: Principal
  /** Where nodes and chain keep what they know; the subnet goes on from there. */
  readonly directory?: string | undefined
  /** Where each node lives; a thread of its own unless told. */
  readonly isolation?: Isolation
  /**
   * Where processes of nodes keep what they know while there is no `directory`: emptied now and
   * removed in the end.
   */
  readonly scratch?: string
  /** A node of the user's that it follows; without it, one of its own. */
  readonly attachTo?: AttachedPlace | undefined
  /** What the mempool of its own node takes. */
  readonly mempool?: MempoolOptions
  /** Bytes of log after which nodes put their state on disk; see `disks/running-snapshots.ts`. */
  readonly snapshotLogMin?: number | undefined
  /** Off: calls are answered before they are executed, and their callers poll. */
  readonly syncCalls?: boolean
  /** Hears of every request of a client and how it ended. */
  readonly onAnswer?: (answered: Answered) => void
}

/** The management canister, which calls nobody. */
const NOBODY = principal(new Uint8Array())
const LOOPBACK = '127.0.0.1'
/** Agents want one; nothing is sent there. */
export const IN_PROCESS_URL = `http://${LOOPBACK}`

type Progress = Extract<Observation, { type: 'executed' }>

export class LocalSubnet {
  readonly ids: CanisterIds
  /** The chain that it stands on. */
  readonly chain: EmbeddedBitcoin | AttachedBitcoin
  readonly subnet: Subnet
  /** Id of the key from which the minter's are derived. */
  readonly mainKeyName: string
  /** What each node has executed last. */
  readonly #progress = new Map<NodeIndex, Progress>()
  readonly #keys = new Map<NodeIndex, string>()
  readonly #operatorKeys = new Map<KeyScheme, string>()
  /** What is seen of single nodes. */
  readonly watch = new NodeWatch()
  readonly signatures = new SignatureWatch()
  readonly #wake = new Set<() => void>()
  readonly #clean: () => void
  #end: Error | undefined
  /** Rejects with `Bug` when too many nodes broke, with a problem when too few disks are left. */
  readonly broken: Promise<never>
  /** The interface of the Internet Computer over this subnet. */
  readonly gateway: IcGateway

  private constructor(
    chain: EmbeddedBitcoin | AttachedBitcoin,
    subnet: Subnet,
    options: LocalSubnetOptions & { readonly clean: () => void },
  ) {
    const { minter, ids = 'own', syncCalls = true, onAnswer = () => undefined } = options
    this.#clean = options.clean
    this.mainKeyName = minter.init.ecdsaKeyName
    this.ids = canisterIdsOf[ids]
    this.chain = chain
    this.subnet = subnet
    this.gateway = new IcGateway({
      backend: subnet.backend,
      clock: systemClock,
      ed25519: nativeEd25519,
      implementation: IMPLEMENTATION,
      syncCalls,
      onAnswer,
    })
    this.broken = new Promise((_, reject) => {
      subnet.listen((event) => {
        this.#hear(event)
        const end = endOf(event)
        if (end !== undefined) reject(end)
      })
    })
    this.broken.catch(() => undefined) // Whoever waits for it is told; it need not be anybody.
  }

  /**
   * Starts the chain and every node. Throws `HostPortBusy`, and what `Subnet.start` does when there
   * is a directory.
   */
  static async start(options: LocalSubnetOptions): Promise<LocalSubnet> {
    installSha256(nativeSha256) // For the Bitcoin node, which lives in this thread.
    const { stockTarget, creationMax, minter, nodes, directory, attachTo } = options
    const chain = await openChain(options)
    const scratch = options.isolation === 'process' ? options.scratch : undefined
    const clean = (): void => {
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    }
    try {
      clean() // A subnet that was killed leaves it behind.
      const embedded = { host: LOOPBACK, port: chain.port, network: 'regtest' } as const
      const bitcoin = { ...(attachTo ?? embedded), isAttached: attachTo !== undefined }
      const subnet = await Subnet.start({
        nodes,
        directory: directory ?? scratch,
        isolation: options.isolation,
        settings: {
          stockTarget,
          creationMax,
          minter,
          ledgers: options.ledgers,
          ids: options.ids ?? 'own',
          bitcoin,
          operator: options.operator ?? NOBODY,
          snapshotLogMin: options.snapshotLogMin,
        },
      })
      return new LocalSubnet(chain, subnet, { ...options, clean })
    } catch (error) {
      await chain.close()
      clean()
      throw error
    }
  }

  /** Its own chain, which it can mine. */
  get bitcoin(): EmbeddedBitcoin {
    assert(this.chain instanceof EmbeddedBitcoin, 'the chain is not that of another')
    return this.chain
  }

  #hear(event: SubnetEvent): void {
    this.#end ??= endOf(event)
    this.watch.hear(event)
    if (event.type === 'observed') this.#observe(event.node, event.event)
    for (const wake of this.#wake) wake()
  }

  #observe(node: NodeIndex, event: Observation): void {
    this.signatures.hear(node, event)
    switch (event.type) {
      case 'keyMade':
        this.#keys.set(node, toHex(event.publicKey))
        return
      case 'executed':
        this.#progress.set(node, event)
        return
      case 'operatorKey':
        this.#operatorKeys.set(event.scheme, toHex(event.publicKey))
        return
      case 'operatorSigned':
      case 'signed':
      case 'signingReport':
        return // Of `signatures`.
      case 'withheld':
      case 'alarmed':
        return // For the log.
    }
  }

  /**
   * The key that n − f nodes hold final and equal, SEC1 compressed hexadecimal; undefined while it
   * is in the making.
   */
  get publicKey(): string | undefined {
    const [key] = this.#keys.values()
    const same = [...this.#keys.values()].filter((other) => other === key).length
    return same >= agreementQuorum(this.subnet.size) ? key : undefined
  }

  /** The key that the operator may use, once it was asked for, in hexadecimal. */
  operatorKey(scheme: KeyScheme): string | undefined {
    return this.#operatorKeys.get(scheme)
  }

  /** The interface without sockets, for agents in this process. */
  get fetch(): typeof fetch {
    return gatewayFetch(this.gateway)
  }

  /** Under which certificates verify (DER); undefined while it is in the making. */
  get rootKey(): Uint8Array | undefined {
    return this.subnet.backend.rootKey
  }

  /** Bitcoin height that f + 1 nodes have reached. */
  get bitcoinHeight(): number {
    return this.#reachedBy(({ bitcoinHeight }) => bitcoinHeight)
  }

  /** What f + 1 nodes find wrong with Bitcoin, so that an honest one is among them. */
  get alarms(): readonly string[] {
    const said = [...this.#progress.values()].flatMap(({ alarms }) => alarms)
    const least = reconstructionThreshold(this.subnet.size)
    return [...new Set(said)].filter(
      (alarm) => said.filter((other) => other === alarm).length >= least,
    )
  }

  /** Presignatures that f + 1 nodes hold ready. */
  get stock(): number {
    return this.#reachedBy(({ stock }) => stock)
  }

  /** Signatures that f + 1 nodes work on. */
  get openRequests(): number {
    return this.#reachedBy(({ openRequests }) => openRequests)
  }

  /** Version of the membership whose keys are in force, at f + 1 nodes. */
  get keyVersion(): number {
    return this.#reachedBy(({ version }) => Number(version))
  }

  /** How far a refresh of the keys has come at the node that is farthest. */
  get refreshStage(): RefreshStage {
    const newest = [...this.#progress.values()].toSorted((a, b) => (a.slot > b.slot ? -1 : 1))[0]
    return newest?.refresh ?? 'none'
  }

  #reachedBy(measure: (progress: Progress) => number): number {
    const values = [...this.#progress.values()].map(measure).toSorted((a, b) => b - a)
    return values[reconstructionThreshold(this.subnet.size) - 1] ?? 0
  }

  /** Nodes whose shares made each signature so far, in the order they were combined anywhere. */
  get signers(): readonly (readonly NodeIndex[])[] {
    return this.signatures.signers
  }

  /**
   * Resolves when something has happened in the subnet, at the latest after `afterMs`. Throws `Bug`
   * if a node broke, a problem if too few disks are left.
   */
  async happening(afterMs: number): Promise<void> {
    const { promise, wake } = waker(afterMs)
    this.#wake.add(wake)
    await promise
    this.#wake.delete(wake)
    if (this.#end !== undefined) throw this.#end
  }

  async close(): Promise<void> {
    await this.subnet.close()
    await this.chain.close()
    this.#clean()
  }
}

async function openChain({
  directory,
  attachTo,
  mempool,
}: LocalSubnetOptions): Promise<EmbeddedBitcoin | AttachedBitcoin> {
  if (attachTo !== undefined) return new AttachedBitcoin(attachTo, USER_AGENT)
  const store = directory === undefined ? undefined : LmdbStore.open(join(directory, 'bitcoin'))
  return EmbeddedBitcoin.start({ store, mempool })
}

function endOf(event: SubnetEvent): Error | undefined {
  if (event.type === 'ended') return event.problem
  return event.type === 'bug' ? new Bug(event.message) : undefined
}

function waker(afterMs: number): { readonly promise: Promise<void>; readonly wake: () => void } {
  let wake = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, afterMs)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
  return { promise, wake: () => wake() }
}
