/** A node in this thread: its turns come between those of everything else. Source: architecture §3. */
import { NodeLife } from './life.ts'
import type { HostEars, NodeHost } from './node-host.ts'
import type { FromNode, ToNode } from './protocol.ts'

export class InlineHost implements NodeHost {
  readonly #ears: HostEars
  readonly #life: NodeLife
  #ended = false

  constructor(ears: HostEars) {
    this.#ears = ears
    this.#life = new NodeLife({ tell: (message) => this.#hear(message) })
  }

  /** In a later turn, as with every other host: who tells is never answered before it goes on. */
  tell(message: ToNode): void {
    setImmediate(() => {
      if (!this.#ended) this.#guarded(() => this.#life.hear(message))
    })
  }

  #hear(message: FromNode): void {
    setImmediate(() => {
      if (!this.#ended) this.#ears.hear(message)
    })
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#ended = true
      if (!(error instanceof Error)) throw error
      this.#life.hear({ type: 'kill' }) // There is no thread that would end with it.
      this.#ears.ended({ type: 'broken', error })
    }
  }

  close(): Promise<void> {
    return this.#end('close')
  }

  kill(): Promise<void> {
    return this.#end('kill')
  }

  async #end(type: 'close' | 'kill'): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#life.hear({ type })
  }
}
