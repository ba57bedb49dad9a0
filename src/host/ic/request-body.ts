/**
 * Bodies as they arrive, within a bound of each and of all together. Implements
 * `docs/spec/ic-interface.md` §6 check 2, §§19 and 25.
 */
import type { Readable } from 'node:stream'

/** Room for the bodies and answers of all requests in work. */
export class ByteBudget {
  #free: number

  constructor(bytes: number) {
    this.#free = bytes
  }

  take(bytes: number): boolean {
    if (bytes > this.#free) return false
    this.#free -= bytes
    return true
  }

  /** What must be held whether or not there is room; the next ones wait for it. */
  hold(bytes: number): void {
    this.#free -= bytes
  }

  give(bytes: number): void {
    this.#free += bytes
  }
}

export type ReadBody =
  /** `heldBytes`: taken of the budget, to be given back when the bytes are let go. */
  | { readonly type: 'body'; readonly bytes: Uint8Array; readonly heldBytes: number }
  | { readonly type: 'tooLarge' }
  | { readonly type: 'noRoom' }
  /** The client went away. */
  | { readonly type: 'gone' }

const FIRST_BYTES = 4 * 1024

/**
 * Collects the body in one buffer, so that a body of many tiny pieces takes no more than its bytes.
 * After a refusal the stream goes on flowing, and what it brings is dropped.
 */
export function readBody(
  stream: Readable,
  { bytesMax, budget }: { readonly bytesMax: number; readonly budget: ByteBudget },
): Promise<ReadBody> {
  return new Promise((resolve) => {
    let buffer = new Uint8Array()
    let size = 0
    const settle = (outcome: ReadBody): void => {
      stream.off('data', add)
      stream.off('end', end)
      stream.off('close', gone)
      if (outcome.type !== 'body') {
        budget.give(buffer.length)
        buffer = new Uint8Array()
        stream.resume()
      }
      resolve(outcome)
    }
    const add = (chunk: Uint8Array): void => {
      const needed = size + chunk.length
      if (needed > bytesMax) settle({ type: 'tooLarge' })
      else if (!makeRoom(needed)) settle({ type: 'noRoom' })
      else {
        buffer.set(chunk, size)
        size = needed
      }
    }
    const makeRoom = (needed: number): boolean => {
      if (needed <= buffer.length) return true
      const capacity = Math.min(bytesMax, Math.max(needed, 2 * buffer.length, FIRST_BYTES))
      if (!budget.take(capacity - buffer.length)) return false
      const larger = new Uint8Array(capacity)
      larger.set(buffer.subarray(0, size))
      buffer = larger
      return true
    }
    const end = (): void => {
      budget.give(buffer.length - size)
      // A copy of its size: threads that are sent a part of a buffer are sent all of it.
      settle({ type: 'body', bytes: buffer.slice(0, size), heldBytes: size })
    }
    const gone = (): void => settle({ type: 'gone' })
    stream.on('error', () => undefined) // `close` follows.
    stream.on('data', add)
    stream.once('end', end)
    stream.once('close', gone)
  })
}
