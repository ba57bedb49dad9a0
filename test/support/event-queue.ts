/** What is to happen in a simulation, by virtual time: a binary heap; of one moment, first come first. */
import { present } from '../../src/core/base/errors.ts'

export type Timed<E> = { readonly at: number; readonly event: E }
type Entry<E> = Timed<E> & { readonly order: number }

const isBefore = (a: Entry<unknown>, b: Entry<unknown>): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order)

export class EventQueue<E> {
  readonly #heap: Entry<E>[] = []
  #order = 0

  push(at: number, event: E): void {
    const heap = this.#heap
    let i = heap.length
    const entry = { at, event, order: this.#order++ }
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = this.#at(parent)
      if (isBefore(above, entry)) break
      heap[i] = above
      i = parent
    }
    heap[i] = entry
  }

  #at(index: number): Entry<E> {
    return present(this.#heap[index], 'inside the heap')
  }

  /** The next event, if it happens until `end`. */
  pop(end: number): Timed<E> | undefined {
    const heap = this.#heap
    const top = heap[0]
    if (top === undefined || top.at > end) return undefined
    const last = present(heap.pop(), 'it has a top')
    if (heap.length > 0) this.#sink(last)
    return top
  }

  #sink(entry: Entry<E>): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(this.#at(child + 1), this.#at(child))) child += 1
      if (isBefore(entry, this.#at(child))) break
      heap[i] = this.#at(child)
      i = child
    }
    heap[i] = entry
  }
}
