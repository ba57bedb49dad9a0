/**
 * Random calls to a ledger whose node crashes at a random write, starts again from what is on its
 * disk, and crashes again. Source: ledger §18, §20 (139 to 147).
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { CkbtcError, present } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { LmdbStore } from '../../../src/host/store/lmdb-store.ts'
import { Random } from '../random.ts'
import { Books, shownBy } from './books.ts'
import type { Asked } from './calls.ts'
import { accounts, drawCall, envelopeOf, users } from './calls.ts'
import type { CrashKind } from './crash-store.ts'
import { Crashed, CrashStore, crashKinds } from './crash-store.ts'
import type { TornWrite } from './torn-file.ts'
import type { Acknowledged } from './world.ts'
import { BEGIN, Life, ledgerId, newDirectory, startAgain } from './world.ts'

/** A crash comes at one of so many writes of a life. */
const WRITES = 22
const ROUNDS_MAX = 20
const CALLS_AT_ONCE_MAX = 7
const FLIPS_ONE_IN = 3

export type Played = {
  /** Crashes, by the kind of write; flipped bits, by what came of them; answers, by what they are. */
  readonly counts: ReadonlyMap<string, number>
  readonly wrong: readonly string[]
}

/** `crashesMax`: of one run, which has at least one. */
export function playCrashes(seed: number, crashesMax: number): Played {
  const run = new Run(seed, crashesMax)
  try {
    return run.play()
  } finally {
    run.remove()
  }
}

class Run {
  readonly #random: Random
  readonly #directory = newDirectory()
  readonly #books = new Books()
  readonly #told: Acknowledged = new Map()
  readonly #counts = new Map<string, number>()
  readonly #wrong: string[] = []
  /** Calls whose answers nobody has heard: their users ask again. */
  #lost: Asked[] = []
  #now: bigint = BEGIN
  #envelopes = 0

  readonly #crashesMax: number

  constructor(seed: number, crashesMax: number) {
    this.#crashesMax = crashesMax
    this.#random = new Random(`ledger crashes ${seed}`)
  }

  remove(): void {
    this.#directory.remove()
  }

  play(): Played {
    const crashes = 1 + this.#random.below(this.#crashesMax)
    for (let i = 0; i < crashes && this.#wrong.length === 0; i++) {
      this.#live(this.#random.pick(crashKinds), i === 0)
      if (this.#random.oneIn(FLIPS_ONE_IN)) this.#flip()
    }
    if (this.#wrong.length === 0) this.#live(undefined, false)
    for (const { type } of this.#books.replies.values()) this.#count(`reply ${type}`)
    this.#count('answers told', this.#told.size)
    return { counts: this.#counts, wrong: this.#wrong }
  }

  #count(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times)
  }

  /** Until the crash, or, without one, for a while. */
  #live(kind: CrashKind | undefined, isFirst: boolean): void {
    const plan = kind && { at: this.#random.below(WRITES), kind }
    const store = new CrashStore(this.#directory.path, plan)
    const life = this.#start(store)
    if (life !== undefined) {
      this.#check(life)
      if (isFirst) this.#endow(life)
      const rounds = kind === undefined ? 2 : ROUNDS_MAX
      for (let round = 0; round < rounds && !life.hasEnded; round++) this.#round(life)
      life.end()
      if (kind === undefined) this.#check(life)
      this.#wrong.push(...life.problems)
      this.#now = life.now
    }
    store.close()
    if (store.hasCrashed) this.#count(`crash: ${kind}`)
    if (store.torn !== undefined) this.#tear(store.torn)
    this.#now += NS_PER_SECOND
    this.#lost = [...this.#books.asked]
      .filter(([id]) => !this.#told.has(id))
      .map(([, asked]) => asked)
      .slice(-8)
  }

  /** Undefined when the crash came in the start. */
  #start(store: CrashStore): Life | undefined {
    try {
      return new Life(store, { now: this.#now, told: this.#told })
    } catch (error) {
      if (!store.hasCrashed) throw error
      if (!(error instanceof Crashed || error instanceof CkbtcError)) throw error
      this.#count('crash in a start')
      return undefined
    }
  }

  /** Everybody has something to send. */
  #endow(life: Life): void {
    const user = present(users[0], 'the one who mints')
    for (const to of accounts)
      this.#ask(life, {
        user,
        call: { type: 'icrc1_transfer', arg: { to, amount: 5_000n, createdAtTime: life.now } },
      })
    life.settle()
  }

  #ask(life: Life, asked: Asked): void {
    if (life.hasEnded) return
    const envelope = envelopeOf(asked, {
      ledger: ledgerId,
      now: life.now,
      number: this.#envelopes++,
    })
    this.#books.asked.set(life.call(envelope), asked)
  }

  #round(life: Life): void {
    for (const asked of this.#lost.splice(0)) {
      this.#ask(life, asked)
      this.#count('calls asked again')
    }
    const calls = 1 + this.#random.below(CALLS_AT_ONCE_MAX)
    for (let i = 0; i < calls; i++) this.#ask(life, drawCall(this.#random, life.now))
    life.settle()
    const seconds = this.#random.oneIn(20)
      ? this.#random.pick([600, 3_600, 90_000])
      : this.#random.below(5)
    if (!life.hasEnded) life.pass(BigInt(seconds) * NS_PER_SECOND)
  }

  get #file(): string {
    return join(this.#directory.path, 'data.mdb')
  }

  /** Some of the changed pages, without the new head; or all, and a part of the head. */
  #tear({ body, head, file }: TornWrite): void {
    if (this.#random.oneIn(2)) {
      const seed = this.#random.word()
      const cut = this.#random.below(body.length + 1)
      const last = body[cut] ?? Number.POSITIVE_INFINITY
      const isThere = (page: number): boolean => ((page * 2_654_435_761 + seed) >>> 7) % 2 === 0
      const heads = new Set(head)
      writeFileSync(
        this.#file,
        file((place) => !heads.has(place) && (place < last || isThere(place >> 12))),
      )
      this.#count('torn in its pages')
      return
    }
    const cut = this.#random.below(head.length + 1)
    const missing = new Set(head.slice(cut))
    writeFileSync(
      this.#file,
      file((place) => !missing.has(place)),
    )
    this.#count('torn in its head')
  }

  /** A start leads to what the log says, and to nothing else. */
  #check({ disk, node }: Life): void {
    this.#wrong.push(...this.#books.check(disk, node, this.#told))
  }

  /** One bit of one record: a start refuses, or leads to the very same. */
  #flip(): void {
    const path = `${this.#directory.path}-flipped`
    cpSync(this.#directory.path, path, { recursive: true })
    try {
      const whole = LmdbStore.open(path)
      const expected = this.#books.shownOf(new NodeDisk(whole))
      whole.close()
      const raw = open({ path, encoding: 'binary', keyEncoding: 'binary' })
      const key = this.#random.pick([...raw.getKeys({ start: Buffer.of(1) })])
      const value = Buffer.from(present<Buffer>(raw.get(key), 'a key has a value'))
      const at = this.#random.below(value.length)
      value[at] = (value[at] ?? 0) ^ (1 << this.#random.below(8))
      raw.putSync(key, value)
      void raw.close()
      const shown = this.#shownFrom(path)
      if (shown === 'refused') this.#count('flipped bit: refused')
      else if (shown === expected) this.#count('flipped bit: the same')
      else this.#wrong.push(`a flipped bit in ${String(key)} leads elsewhere`)
    } finally {
      rmSync(path, { recursive: true })
    }
  }

  #shownFrom(path: string): string {
    let store: LmdbStore | undefined
    try {
      store = LmdbStore.open(path)
      return shownBy(startAgain(new NodeDisk(store), this.#now).replica)
    } catch (error) {
      if (error instanceof CkbtcError && error.code === 'HOST_DISK') return 'refused'
      throw error
    } finally {
      store?.close()
    }
  }
}
