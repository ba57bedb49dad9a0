/**
 * Where a node keeps its durable records. Memory for an ephemeral subnet; a database fits the same
 * port.
 */

export interface Store {
  put(key: string, value: Uint8Array): void
  /** All records, ascending by key. */
  entries(): readonly (readonly [string, Uint8Array])[]
}

export class MemoryStore implements Store {
  readonly #records = new Map<string, Uint8Array>()

  put(key: string, value: Uint8Array): void {
    this.#records.set(key, value)
  }

  entries(): readonly (readonly [string, Uint8Array])[] {
    return [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
