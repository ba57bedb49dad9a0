/**
 * What one node keeps on disk, and how it lies in its store. Source: architecture §7, threshold
 * §18.4.
 */
import {
  compareBytes,
  concat,
  equalBytes,
  fromBigEndian,
  fromUtf8,
  toHex,
  u64be,
  utf8,
} from '../../core/base/bytes.ts'
import { assert, attempt, BadEncoding, CkbtcError, present } from '../../core/base/errors.ts'
import type { LogPosition, Slot } from '../../core/log/log.ts'
import type { StartRecord } from '../../core/log/slot-codec.ts'
import { decodeSlot } from '../../core/log/slot-codec.ts'
import { EPOCH_RECORDS } from '../../core/tecdsa/epochs.ts'
import { decodeGenesis, subnetIdOf } from '../../core/tecdsa/membership.ts'
import { HeaderKeeper } from '../bitcoin/header-keeper.ts'
import { storeDamaged } from '../store/problem.ts'
import type { Store, StoreWriter } from '../store/store.ts'
import { DiskLog, incarnationAt } from './disk-log.ts'
import { readParts, removeParts, writeParts } from './snapshot-parts.ts'

const SEED = utf8('seed')
const GENESIS = utf8('genesis')
const SETTINGS = utf8('settings')
const RECORDS = utf8('record/')
const FIRST_EPOCH = `${EPOCH_RECORDS}first`
/** Hash of the slot that a snapshot is of. */
const SNAPSHOTS = utf8('snapshot/')
const SNAPSHOTS_KEPT = 2
/** What the canisters asked of the signer, under the number of the slot, 8 bytes big-endian. */
const SIGNER_PAST = utf8('signer/')
/** Looked at together when old ones are removed. */
const PAST_BATCH = 1_000
/** Number of a slot, 8 bytes big-endian, and the root of the state that it led to. */
const ROOT = utf8('root')
const ROOT_BYTES = 8 + 32

/** What a node vouches for, under its key (§18.4). */
export type DurableRecord = { readonly key: string; readonly value: Uint8Array }

/** State right after a slot, before any start record that follows it. */
export type Snapshot = { readonly slot: bigint; readonly bytes: Uint8Array }

/** A slot that left its mark on the signer; encoded as `core/subnet/signer-past.ts` does. */
export type SignerPast = { readonly slot: bigint; readonly calls: Uint8Array }

/** What this node told the others that a slot led to. */
export type NamedRoot = { readonly slot: bigint; readonly root: Uint8Array }

/** Written as one, before anything that follows from it leaves the node. */
export type DiskStep = {
  /** The next one of the log. */
  readonly slot?: Slot | undefined
  readonly records?: readonly DurableRecord[]
  /** Keys of records that nobody needs any more. */
  readonly forget?: readonly string[]
  /** Of slots executed. */
  readonly past?: readonly SignerPast[]
  /** Of a slot on disk, that of this step included. */
  readonly snapshot?: Snapshot | undefined
  /** In place of the one before; at the latest with the slot that follows. */
  readonly root?: NamedRoot | undefined
}

/** Slots of another copy that follow the end of this one, in order: canonical bytes. */
export type CopiedSlots = {
  readonly contents: readonly Uint8Array[]
  /** Of the copy; those beyond the slots are left out. */
  readonly starts: readonly StartRecord[]
}

export class NodeDisk {
  readonly #store: Store
  #log: DiskLog | undefined

  /** Throws the problem of a damaged store. */
  constructor(store: Store) {
    this.#store = store
    const { genesis } = this
    this.#log = genesis === undefined ? undefined : this.#openLog(genesis)
  }

  get name(): string {
    return this.#store.name
  }

  /** The node's root secret; undefined on a fresh disk. */
  get seed(): Uint8Array | undefined {
    return this.#store.get(SEED)
  }

  /** Without reading it: who only starts the nodes has no business with it. */
  get hasSeed(): boolean {
    return this.#store.has(SEED)
  }

  /**
   * Once, before anything is made of it. `first`: secret of the first epoch, which is erased when
   * that is over.
   */
  writeSeed(seed: Uint8Array, first?: Uint8Array): void {
    assert(this.seed === undefined, 'a root secret is written once')
    this.#store.transaction((writer) => {
      writer.put(SEED, seed)
      if (first !== undefined) writer.put(recordKey(FIRST_EPOCH), first)
    })
  }

  /** Undefined once it is over, and on the disk of a node whose root secret is that of its first epoch. */
  get firstEpoch(): Uint8Array | undefined {
    return this.#store.get(recordKey(FIRST_EPOCH))
  }

  /** Encoded; undefined until the subnet is founded. */
  get genesis(): Uint8Array | undefined {
    return this.#store.get(GENESIS)
  }

  /** What the subnet was made with; undefined until that was written. */
  get settings(): Uint8Array | undefined {
    return this.#store.get(SETTINGS)
  }

  writeSettings(settings: Uint8Array): void {
    assert(this.settings === undefined, 'settings are written once')
    this.#store.transaction((writer) => writer.put(SETTINGS, settings))
  }

  /** The log begins: genesis and the first start record. */
  found(genesis: Uint8Array, settings?: Uint8Array): void {
    assert(this.#log === undefined, 'a subnet is founded once')
    const decoded = decodeGenesis(genesis)
    const { incarnation } = decoded
    const start = { incarnation, first: 0n, previous: subnetIdOf(decoded) }
    this.#store.transaction((writer) => {
      writer.put(GENESIS, genesis)
      if (settings !== undefined) writer.put(SETTINGS, settings)
      DiskLog.writeStarts(writer, [start])
    })
    this.#log = this.#openLog(genesis)
  }

  /** Of a founded subnet. */
  get log(): DiskLog {
    return present(this.#log, 'the log begins with the genesis')
  }

  commit({ slot, records = [], forget = [], past = [], snapshot, root }: DiskStep): void {
    const { log } = this
    const isNothing = [slot, snapshot, root].every((part) => part === undefined)
    if (isNothing && [records, forget, past].every(({ length }) => length === 0)) return
    const end = this.#store.transaction((writer) => {
      for (const { key, value } of records) writer.put(recordKey(key), value)
      for (const key of forget) writer.remove(recordKey(key))
      for (const { slot: number, calls } of past) writer.put(pastKey(number), calls)
      const incarnation = incarnationAt(log.starts, log.position.next)
      const reached =
        slot === undefined ? log.position : log.append(writer, log.position, { incarnation, slot })
      if (snapshot !== undefined) this.#putSnapshot(writer, snapshot, reached)
      if (root !== undefined) writer.put(ROOT, concat(u64be(root.slot), root.root))
      return reached
    })
    log.settle(end)
  }

  /** The newest one written. */
  get root(): NamedRoot | undefined {
    const bytes = this.#store.get(ROOT)
    if (bytes?.length !== ROOT_BYTES) return undefined
    return { slot: fromBigEndian(bytes.subarray(0, 8)), root: bytes.slice(8) }
  }

  /** By key. */
  records(): ReadonlyMap<string, Uint8Array> {
    const entries = this.#store.range({ prefix: RECORDS })
    return new Map(entries.map(({ key, value }) => [fromUtf8(key.subarray(RECORDS.length)), value]))
  }

  /** Of this log, newest first; one that cannot be read is passed over. */
  *snapshots(): Generator<Snapshot> {
    for (const key of this.#store.keys({ prefix: SNAPSHOTS, reverse: true })) {
      const slot = fromBigEndian(key.subarray(SNAPSHOTS.length))
      const own = this.log.hashAt(slot)
      const hash = readable(() => this.#store.get(key))
      if (own === undefined || hash === undefined || !equalBytes(own, hash)) continue
      const bytes = readable(() => readParts(this.#store, slot))
      if (bytes !== undefined) yield { slot, bytes }
    }
  }

  /** From slot `first` to slot `last`, both included, ascending. */
  *signerPast(first: bigint, last: bigint): Generator<SignerPast> {
    let from = pastKey(first)
    for (;;) {
      const entries = this.#store.range({ prefix: SIGNER_PAST, from, limit: PAST_BATCH })
      for (const { key, value: calls } of entries) {
        const slot = fromBigEndian(key.subarray(SIGNER_PAST.length))
        if (slot > last) return
        yield { slot, calls }
        from = pastKey(slot + 1n)
      }
      if (entries.length < PAST_BATCH) return
    }
  }

  /**
   * A start of the whole subnet (§18.4): the log goes on at the first slot of the last start
   * record; later slots and their snapshots are dropped. So are all records but the secrets of
   * epochs: each is of a run of an earlier time line, in which nothing is said any more.
   */
  restart(starts: readonly StartRecord[]): void {
    const { log } = this
    const { first, previous } = present(starts.at(-1), 'a restart has a start record')
    const end = this.#store.transaction((writer) => {
      const cut = this.#cut(writer, first)
      assert(equalBytes(cut.previous, previous), 'a start record follows the slot it names')
      DiskLog.writeStarts(writer, starts)
      const lasting = toHex(recordKey(EPOCH_RECORDS))
      for (const key of writer.keys({ prefix: RECORDS }))
        if (!toHex(key).startsWith(lasting)) writer.remove(key)
      return cut
    })
    log.settle(end, starts)
  }

  /** Drops the slots from `length` on, with the start records and snapshots behind them. */
  cut(length: bigint): void {
    const { log } = this
    const starts = log.starts.filter(({ first }) => first <= length)
    const end = this.#store.transaction((writer) => {
      DiskLog.writeStarts(writer, starts)
      return this.#cut(writer, length)
    })
    log.settle(end, starts)
  }

  /** Takes slots that another copy holds beyond this one, and that were found to be whole. */
  catchUp({ contents, starts }: CopiedSlots): void {
    const { log } = this
    const [end, taken] = this.#store.transaction((writer) => {
      let reached = log.position
      for (const content of contents) {
        const logged = decodeSlot(content)
        const incarnation = incarnationAt(starts, logged.slot.number)
        assert(logged.incarnation === incarnation, 'a copied slot is of the time line it lies in')
        reached = log.append(writer, reached, logged)
      }
      const fitting = starts.filter(({ first }) => first <= reached.next)
      DiskLog.writeStarts(writer, fitting)
      return [reached, fitting] as const
    })
    log.settle(end, taken)
  }

  /** Headers of a Bitcoin network, which would take long to fetch again. */
  bitcoinHeaders(): HeaderKeeper {
    return new HeaderKeeper(this.#store)
  }

  close(): void {
    this.#store.close()
  }

  #openLog(genesis: Uint8Array): DiskLog {
    const decoded = attempt(() => decodeGenesis(genesis))
    if (decoded instanceof BadEncoding)
      throw storeDamaged(this.name, 'its genesis is unreadable', decoded)
    return new DiskLog(this.#store, subnetIdOf(decoded))
  }

  #putSnapshot(writer: StoreWriter, { slot, bytes }: Snapshot, end: LogPosition): void {
    const hash = slot === end.next - 1n ? end.previous : this.log.hashAt(slot)
    writer.put(concat(SNAPSHOTS, u64be(slot)), present(hash, 'a snapshot is of a slot on disk'))
    writeParts(writer, slot, bytes)
    const all = writer.keys({ prefix: SNAPSHOTS, reverse: true })
    for (const key of all.slice(SNAPSHOTS_KEPT)) removeSnapshot(writer, key)
    const oldest = present(all.slice(0, SNAPSHOTS_KEPT).at(-1), 'one was written just now')
    this.#forgetPast(writer, fromBigEndian(oldest.subarray(SNAPSHOTS.length)))
  }

  /** Of slots before the time line that the oldest snapshot is in the midst of. */
  #forgetPast(writer: StoreWriter, oldest: bigint): void {
    const line = present(
      this.log.starts.findLast(({ first }) => first <= oldest + 1n),
      'a log has a first time line',
    )
    for (;;) {
      const keys = writer.keys({ prefix: SIGNER_PAST, limit: PAST_BATCH })
      const old = keys.filter((key) => compareBytes(key, pastKey(line.first)) < 0)
      for (const key of old) writer.remove(key)
      if (old.length < PAST_BATCH) return
    }
  }

  #cut(writer: StoreWriter, length: bigint): LogPosition {
    const from = concat(SNAPSHOTS, u64be(length))
    for (const key of writer.keys({ prefix: SNAPSHOTS, from })) removeSnapshot(writer, key)
    for (const key of writer.keys({ prefix: SIGNER_PAST, from: pastKey(length) }))
      writer.remove(key)
    // Its number will be that of another slot.
    if (this.root !== undefined && this.root.slot >= length) writer.remove(ROOT)
    return this.log.cut(writer, length)
  }
}

/** Undefined for what is damaged: an older snapshot and the log stand in for it. */
function readable<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CkbtcError) return undefined
    throw error
  }
}

const pastKey = (slot: bigint): Uint8Array => concat(SIGNER_PAST, u64be(slot))

const recordKey = (key: string): Uint8Array => concat(RECORDS, utf8(key))

/** `key`: of its hash. */
function removeSnapshot(writer: StoreWriter, key: Uint8Array): void {
  writer.remove(key)
  removeParts(writer, fromBigEndian(key.subarray(SNAPSHOTS.length)))
}
