/** bcoin as a peer: the child that `bcoin/peer.mjs` is, over its channel. */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toHex } from '../../src/core/base/bytes.ts'
import type { ForeignKind, ForeignNode } from './bitcoin-peer.ts'
import { freePort } from './bitcoin-peer.ts'

const folder = new URL('./bcoin/', import.meta.url)

type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string }

class BcoinNode implements ForeignNode {
  readonly port: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #count = 0

  constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  async #call<T>(call: string, ...args: readonly unknown[]): Promise<T> {
    const id = ++this.#count
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ id, call, args })
    })
    if (answer.error !== undefined) throw new Error(`bcoin ${call}: ${answer.error}`)
    return answer.result as T
  }

  mine = (count: number) => this.#call<void>('mine', count)
  connect = (port: number) => this.#call<void>('connect', port)
  tip = () => this.#call<{ readonly hash: string; readonly height: number }>('tip')
  mempool = () => this.#call<readonly string[]>('mempool')
  submitBlock = (hex: string) => this.#call<string>('submitBlock', hex)
  submitTransaction = (hex: string) => this.#call<string>('submitTransaction', hex)

  block = (hash: string) => this.#call<unknown>('rpc', 'getblock', [hash, true, true])

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

export const bcoin: ForeignKind = {
  name: 'bcoin',
  hasHeights: false,
  ownWords: ['bits', 'difficulty', 'type', 'asm'],
  missing: existsSync(new URL('node_modules/bcoin', folder))
    ? undefined
    : 'bcoin is not installed: npm run install:bcoin',
  start: async (script) => {
    const [p2pPort, httpPort] = [await freePort(), await freePort()]
    const options = JSON.stringify({ p2pPort, httpPort, program: toHex(script.subarray(2)) })
    const child = fork(fileURLToPath(new URL('peer.mjs', folder)), [options], {
      env: { ...process.env, NODE_BACKEND: 'js' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    await Promise.race([
      once(child, 'message'), // It is ready.
      once(child, 'exit').then(([code]) => {
        throw new Error(`bcoin did not start: exit ${code}`)
      }),
    ])
    return new BcoinNode(child, p2pPort)
  },
}
