/**
 * Nodes that are driven over JSON-RPC: `btcd` and `bitcoind`, when the environment variable
 * `BITCOIND` or the search path has one. Source: RN-26.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { present } from '../../src/core/base/errors.ts'
import { addressOfScript } from '../../src/core/btc/address.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { ForeignKind, ForeignNode } from './bitcoin-peer.ts'
import { freePort } from './bitcoin-peer.ts'

const USER = 'test'
const PASSWORD = 'loopback-only'
/** It may take so long until it answers. */
const START_ATTEMPTS_MAX = 150
const ATTEMPT_MS = 100

type Places = {
  readonly p2pPort: number
  readonly rpcPort: number
  readonly folder: string
  readonly address: string
}

/** What differs between the programs. */
type Dialect = {
  readonly options: (places: Places) => readonly string[]
  readonly mine: (count: number, address: string) => readonly [string, readonly unknown[]]
}

const dialects: Readonly<Record<string, Dialect>> = {
  btcd: {
    options: ({ p2pPort, rpcPort, folder, address }) => [
      '--regtest',
      `--listen=127.0.0.1:${p2pPort}`,
      `--rpclisten=127.0.0.1:${rpcPort}`,
      `--rpcuser=${USER}`,
      `--rpcpass=${PASSWORD}`,
      '--notls',
      '--nodnsseed',
      `--configfile=${join(folder, 'none.conf')}`,
      `--datadir=${join(folder, 'data')}`,
      `--logdir=${join(folder, 'log')}`,
      '--debuglevel=error',
      '--trickleinterval=100ms',
      `--miningaddr=${address}`,
    ],
    mine: (count) => ['generate', [count]],
  },
  bitcoind: {
    options: ({ p2pPort, rpcPort, folder }) => [
      '-regtest',
      `-datadir=${folder}`,
      `-bind=127.0.0.1:${p2pPort}`,
      `-rpcport=${rpcPort}`,
      `-rpcuser=${USER}`,
      `-rpcpassword=${PASSWORD}`,
      '-dnsseed=0',
      '-fixedseeds=0',
      '-discover=0',
      '-listen=1',
      // Transactions leave at once.
      '-whitelist=noban@127.0.0.1',
      '-printtoconsole=0',
    ],
    mine: (count, address) => ['generatetoaddress', [count, address]],
  },
}

type RpcAnswer = {
  readonly result: unknown
  readonly error: { readonly code: number; readonly message: string } | null
}

class RpcNode implements ForeignNode {
  readonly port: number
  readonly #child: ChildProcess
  readonly #places: Places
  readonly #dialect: Dialect

  constructor(child: ChildProcess, places: Places, dialect: Dialect) {
    this.#child = child
    this.#places = places
    this.#dialect = dialect
    this.port = places.p2pPort
  }

  async #ask(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.#places.rpcPort}/`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${USER}:${PASSWORD}`)}` },
      body: JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }),
    })
    return (await response.json()) as RpcAnswer
  }

  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const { result, error } = await this.#ask(method, params)
    if (error !== null) throw new Error(`${method}: ${error.message} (${error.code})`)
    return result
  }

  async ready(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.call('getblockcount')
        return
      } catch (error) {
        if (attempt === START_ATTEMPTS_MAX || this.#child.exitCode !== null) throw error
        await after(ATTEMPT_MS)
      }
    }
  }

  async mine(count: number): Promise<void> {
    const [method, params] = this.#dialect.mine(count, this.#places.address)
    await this.call(method, ...params)
  }

  async connect(port: number): Promise<void> {
    await this.call('addnode', `127.0.0.1:${port}`, 'add')
  }

  async tip(): Promise<{ readonly hash: string; readonly height: number }> {
    const hash = String(await this.call('getbestblockhash'))
    return { hash, height: Number(await this.call('getblockcount')) }
  }

  async mempool(): Promise<readonly string[]> {
    return (await this.call('getrawmempool')) as readonly string[]
  }

  async submitBlock(hex: string): Promise<string> {
    const { result, error } = await this.#ask('submitblock', [hex])
    return error?.message ?? (typeof result === 'string' ? result : 'accepted')
  }

  async submitTransaction(hex: string): Promise<string> {
    const { error } = await this.#ask('sendrawtransaction', [hex])
    return error?.message ?? 'accepted'
  }

  async block(hash: string): Promise<unknown> {
    const block = (await this.call('getblock', hash, 2)) as { readonly rawtx?: unknown }
    return block.rawtx === undefined ? block : { ...block, tx: block.rawtx } // As btcd has it.
  }

  async close(): Promise<void> {
    const exited = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined
    this.#child.kill('SIGKILL')
    await exited
    rmSync(this.#places.folder, { recursive: true, force: true })
  }
}

function find(program: string): string | undefined {
  const { BITCOIND: named, PATH: path = '' } = process.env
  if (named !== undefined && basename(named).startsWith(program)) return named
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(existsSync)
}

function kind(program: 'btcd' | 'bitcoind'): ForeignKind {
  const path = find(program)
  return {
    name: program,
    hasHeights: program === 'bitcoind',
    // Relative to the limit of its own network.
    ownWords: program === 'btcd' ? ['difficulty'] : [],
    missing: path === undefined ? `${program} is not on the PATH nor named by BITCOIND` : undefined,
    start: async (script) => {
      const address = present(addressOfScript(script, regtest), 'a script with an address')
      const folder = mkdtempSync(join(tmpdir(), `ckbtc-${program}-`))
      const places = { p2pPort: await freePort(), rpcPort: await freePort(), folder, address }
      const dialect = dialects[program] as Dialect
      const child = spawn(path ?? program, dialect.options(places), { stdio: 'ignore' })
      const node = new RpcNode(child, places, dialect)
      try {
        await node.ready()
      } catch (error) {
        await node.close()
        throw error
      }
      return node
    },
  }
}

export const btcd = kind('btcd')
export const bitcoind = kind('bitcoind')
