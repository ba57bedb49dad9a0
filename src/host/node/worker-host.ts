/** A node in a worker thread of its own. Source: architecture §3. */
import { Worker } from 'node:worker_threads'
import { Bug } from '../../core/base/errors.ts'
import type { HostEars, HostEnd, NodeHost } from './node-host.ts'
import { CLOSING_MS_MAX, hostGone } from './node-host.ts'
import type { FromNode, ToNode } from './protocol.ts'

/** Of a thread's heap: V8 keeps three times 16 MB unless told, and a node has no use for them. */
const YOUNG_GENERATION_MB = 3

export class WorkerHost implements NodeHost {
  readonly #worker: Worker
  readonly #closed: Promise<void>
  readonly #isKilled = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #ended = false

  constructor(ears: HostEars) {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: this.#isKilled.buffer,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    })
    this.#worker = worker
    const end = (found: HostEnd): void => {
      if (this.#ended) return
      this.#ended = true
      ears.ended(found)
    }
    this.#closed = new Promise((resolve) => {
      worker.on('message', (message: FromNode) => {
        if (message.type === 'closed') resolve()
        else if (!this.#ended) ears.hear(message)
      })
      worker.on('error', (error) => {
        end(endOf(error))
        resolve()
      })
      worker.on('exit', () => {
        end({ type: 'broken', error: new Bug('the thread of a node ended by itself') })
        resolve()
      })
    })
  }

  tell(message: ToNode): void {
    if (!this.#ended) this.#worker.postMessage(message)
  }

  close(): Promise<void> {
    return this.#end('close')
  }

  kill(): Promise<void> {
    return this.#end('kill')
  }

  /**
   * A thread that is ended within a write keeps the store locked for ever (`LmdbStore`), so it lets
   * go of that first.
   */
  async #end(type: 'close' | 'kill'): Promise<void> {
    if (type === 'kill') Atomics.store(this.#isKilled, 0, 1)
    if (!this.#ended) this.#worker.postMessage({ type } satisfies ToNode)
    this.#ended = true
    await Promise.race([this.#closed, after(CLOSING_MS_MAX)])
    await this.#worker.terminate()
  }
}

/** Whoever has too much to do is not at fault. */
function endOf(error: unknown): HostEnd {
  if (!(error instanceof Error))
    return { type: 'broken', error: new Bug('the thread of a node broke') }
  const isFull = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return isFull
    ? { type: 'gone', problem: hostGone('its thread has no memory left') }
    : { type: 'broken', error }
}

const after = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
