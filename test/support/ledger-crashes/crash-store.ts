/** A store whose process dies at one of its writes, in every way in which it can. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostDisk } from '../../../src/core/base/errors.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import type { Entry, KeyRange, Store, StoreWriter } from '../../../src/host/store/store.ts'
import type { TornWrite } from './torn-file.ts'
import { tornWrite } from './torn-file.ts'

/**
 * `before`: nothing of the write is on disk. `after`: all is, and nobody was told. `torn`: a part
 * is. `refused`: the disk takes nothing, and says so.
 */
export const crashKinds = ['before', 'after', 'torn', 'refused'] as const
export type CrashKind = (typeof crashKinds)[number]

export type CrashPlan = {
  /** Number of the write, from 0. */
  readonly at: number
  readonly kind: CrashKind
}

/** The end of a process, as far as what runs in it can tell. */
export class Crashed extends Error {}

export class CrashStore implements Store {
  readonly #store: LmdbStore
  readonly #directory: string
  #plan: CrashPlan | undefined
  #writes = 0
  #hasCrashed = false
  #torn: TornWrite | undefined

  constructor(directory: string, plan: CrashPlan | undefined) {
    this.#directory = directory
    this.#store = LmdbStore.open(directory)
    this.#plan = plan
  }

  get name(): string {
    return this.#store.name
  }

  crashNext(kind: CrashKind): void {
    this.#plan = { at: this.#writes, kind }
  }

  get hasCrashed(): boolean {
    return this.#hasCrashed
  }

  /** What may be left of the write, where it was torn. */
  get torn(): TornWrite | undefined {
    return this.#torn
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#store.get(key)
  }

  has(key: Uint8Array): boolean {
    return this.#store.has(key)
  }

  range(range: KeyRange): readonly Entry[] {
    return this.#store.range(range)
  }

  keys(range: KeyRange): readonly Uint8Array[] {
    return this.#store.keys(range)
  }

  transaction<T>(work: (writer: StoreWriter) => T): T {
    if (this.#hasCrashed) throw new Crashed('a process that has ended writes')
    const { at, kind } = this.#plan ?? {}
    if (this.#writes++ !== at) return this.#store.transaction(work)
    this.#hasCrashed = true
    if (kind === 'refused') throw new HostDisk(this.name, 'no space left', undefined)
    if (kind !== 'before') this.#write(work, kind === 'torn')
    throw new Crashed(`${kind} write ${at}`)
  }

  #write<T>(work: (writer: StoreWriter) => T, isTorn: boolean): void {
    const file = join(this.#directory, 'data.mdb')
    const before = isTorn ? readFileSync(file) : undefined
    this.#store.transaction(work)
    if (before !== undefined) this.#torn = tornWrite(before, readFileSync(file))
  }

  close(): void {
    this.#store.close()
  }
}
