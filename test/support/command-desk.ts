/** Runs commands that ask a network in this process, against a network in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context, Globals } from '../../src/commands/context.ts'
import type { Invocation } from '../../src/commands/definitions/command.ts'
import { Options } from '../../src/commands/definitions/command.ts'
import { journalOf } from '../../src/commands/journal.ts'
import type { openSession, Session } from '../../src/commands/session.ts'
import { sessionOf, signalOf, tokenSession } from '../../src/commands/session.ts'
import { directoriesOf } from '../../src/core/base/directories.ts'
import { printFailure } from '../../src/terminal/failure.ts'
import type { Settings } from '../../src/terminal/terminal.ts'
import { Client } from '../../src/wallet/client.ts'
import { loadConfiguration } from '../../src/wallet/config.ts'
import { KeyStore } from '../../src/wallet/keys/key-store.ts'
import type { Network } from '../../src/wallet/network.ts'
import type { Journal } from '../../src/wallet/operations/journal.ts'
import { noGlobals } from './globals.ts'
import type { NetworkUnderTest } from './network-under-test.ts'
import { recordingTerminal } from './recording-terminal.ts'

type Command = (invocation: Invocation, context: Context, open: typeof openSession) => Promise<void>

export type Typed = {
  readonly args?: readonly string[]
  readonly options?: Readonly<Record<string, unknown>>
  readonly settings?: Partial<Settings>
  readonly globals?: Partial<Globals>
  readonly environment?: Readonly<Record<string, string>>
}

export class CommandDesk {
  readonly folder = mkdtempSync(join(tmpdir(), 'ckbtc-desk-'))
  readonly #net: NetworkUnderTest
  readonly #change: Partial<Network>
  /** What requests pass through on their way; the network itself unless set. */
  fetch: typeof fetch

  constructor(net: NetworkUnderTest, change: Partial<Network> = {}) {
    this.#net = net
    this.#change = change
    this.fetch = net.fetch
  }

  /** Keys that `-k` names; opened by `CKBTC_PASSPHRASE_FILE`. */
  get keys(): KeyStore {
    return new KeyStore({
      folder: this.directories.data,
      nowMs: Date.now,
      cost: { n: 2, r: 8, p: 1 },
    })
  }

  get journal(): Journal {
    return journalOf(this)
  }

  close(): void {
    rmSync(this.folder, { recursive: true })
  }

  get directories() {
    const environment = { CKBTC_HOME: this.folder }
    return directoriesOf({ environment, home: this.folder, platform: 'linux' })
  }

  #session(context: Context): Session {
    const network = { ...this.#net.network, ...this.#change }
    const signal = signalOf(context)
    const client = new Client({ network, fetch: this.fetch, signal })
    return sessionOf(client, signal)
  }

  /** What a signal would say, from the newest command on. */
  stopped: string | undefined

  async run(command: Command, typed: Typed = {}) {
    const { args = [], options = {}, settings = {}, globals = {}, environment = {} } = typed
    const { terminal, written } = await recordingTerminal(settings)
    const path = join(this.folder, 'config.json')
    const facts = { path, isNamed: false, workingFolder: undefined, environment, options: {} }
    const context: Context = {
      terminal,
      signal: new AbortController().signal,
      whenStopped: ({ line }) => {
        this.stopped = line
      },
      globals: { ...noGlobals, ...globals },
      environment,
      directories: this.directories,
      configuration: loadConfiguration(facts),
      version: '0.0.0',
    }
    const invocation = { args, options: new Options(options), program: [] }
    let exit = 0
    try {
      await command(invocation, context, async () => tokenSession(this.#session(context), context))
    } catch (error) {
      exit = printFailure(terminal, error)
    }
    return { out: written.out, err: written.err, exit }
  }

  /** The one document that `--json` prints. */
  async json(command: Command, typed: Typed = {}) {
    const { out } = await this.run(command, { ...typed, settings: { json: true } })
    return JSON.parse(out)
  }
}
