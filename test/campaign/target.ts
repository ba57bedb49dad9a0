/**
 * The subnet that is killed: the built daemon with a directory of its own. Source: threshold
 * specification §18.4.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { fromHex } from '../../src/core/base/bytes.ts'
import { NS_PER_SECOND } from '../../src/core/base/units.ts'
import { principalOfText } from '../../src/core/ic/principal.ts'
import { ControlBitcoin } from '../../src/host/control/bitcoin.ts'
import type { ControlClient } from '../../src/host/control/client.ts'
import type { StatusReply } from '../../src/host/control/protocol.ts'
import type * as ProcessLock from '../../src/host/daemon/process-lock.ts'
import type * as Daemon from '../../src/host/daemon.ts'
import type { Canisters } from '../../src/wallet/canisters.ts'
import { canistersAt } from '../../src/wallet/canisters.ts'
import { devUser } from '../../src/wallet/identity.ts'

/** Both `vitest` and the compiled script run at the root of the tree. */
const built = (path: string): string => pathToFileURL(join(process.cwd(), 'dist', path)).href
// Names that are computed keep the type checker from asking for what is built later.
const daemon: typeof Daemon = await import(built('host/daemon.js'))
const { lockHolder }: typeof ProcessLock = await import(built('host/daemon/process-lock.js'))

const LOOK_MS = 10
/** Redemptions do not wait for company, so that signatures are made all the time. */
const given = {
  set: new Map([
    ['minter.max-time-in-queue', NS_PER_SECOND],
    ['nodes.snapshot-log', 65_536n], // Every few slots: kills meet them, and starts go on from them.
  ]),
}

export type Live = {
  readonly status: StatusReply
  readonly control: ControlClient
  readonly bitcoin: ControlBitcoin
  /** As dev0 calls them. */
  readonly canisters: Canisters
}

export class Target {
  readonly #home = mkdtempSync(join(tmpdir(), 'ckbtc-campaign-'))
  readonly #directories = { state: join(this.#home, 'state'), runtime: join(this.#home, 'run') }
  /** Nobody waits for answers of who is dead. */
  #life = new AbortController()

  async start(): Promise<Live> {
    const { status } = await this.#launch()
    this.#life = new AbortController()
    const control = await daemon.openControl(this.#directories)
    return {
      status,
      control,
      bitcoin: new ControlBitcoin(control),
      canisters: canistersOf(status, this.#life.signal),
    }
  }

  #launch(): ReturnType<typeof Daemon.startSubnet> {
    const request = { directories: this.#directories, given, isEphemeral: false }
    return daemon.startSubnet(request, () => undefined, new AbortController().signal)
  }

  /** Kills a start in its middle. */
  async startAndKill(afterMs: number): Promise<void> {
    const starting = this.#launch().then(
      () => undefined,
      () => undefined, // It was killed.
    )
    await pause(afterMs)
    await this.kill()
    await starting
  }

  async kill(): Promise<void> {
    const holder = lockHolder(join(this.#directories.state, 'subnet.lock'))
    if (holder === undefined) return
    process.kill(holder.pid, 'SIGKILL')
    while (isThere(holder.pid)) await pause(LOOK_MS)
    this.#life.abort()
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#home, { recursive: true, force: true })
  }

  get home(): string {
    return this.#home
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function canistersOf(
  { url, rootKey, ids, masterPublicKey }: StatusReply,
  signal: AbortSignal,
): Canisters {
  const deployment = {
    url,
    rootKey: fromHex(rootKey),
    ledgerId: principalOfText(ids.ledger),
    minterId: principalOfText(ids.minter),
    masterPublicKey: fromHex(masterPublicKey),
  }
  return canistersAt(deployment, { signer: devUser(0), signal })
}
