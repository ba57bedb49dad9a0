/**
 * A ledger with its archives behind a port that can fail: read as clients read them, in Candid.
 */
import { deserialize, serialize } from 'node:v8'
import { expect } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import type { Codec, ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { anonymous, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import type { Archive } from '../../../src/core/ledger/archive/archive.ts'
import { archiveInterface } from '../../../src/core/ledger/archive/archive-interface.ts'
import type { ArchivePort, PortReply } from '../../../src/core/ledger/archive/archiving.ts'
import { archiveStep, nextArchiving } from '../../../src/core/ledger/archive/archiving.ts'
import { encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import type { ArchiveOptions, Config } from '../../../src/core/ledger/config.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { apply } from '../../../src/core/ledger/machine.ts'
import type { Event } from '../../../src/core/ledger/state.ts'
import type { Canister } from '../../../src/core/subnet/canister.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import { TokenArchives } from '../../../src/core/subnet/token-archives.ts'
import { alice, bob, LedgerUnderTest, testConfig } from './ledger-under-test.ts'

export const ids = ckbtcTokenIds(ownCanisterIds)

/**
 * What becomes of a call to an archive: it does not arrive, its answer is lost, or the process ends
 * before it or right behind it.
 */
export type Fault = 'fails' | 'unanswered' | 'crash before' | 'crash after'

class Crash extends RangeError {}

type LedgerMethods = typeof ledgerInterface
type ArchiveMethods = typeof archiveInterface
type Values<C> = { readonly [K in keyof C]: C[K] extends Codec<infer T> ? T : never }
type ArgsOf<M> = (M extends { readonly args: infer C } ? Values<C> : never) & readonly unknown[]
type ResultOf<M> = M extends { readonly result: infer R } ? ValueOf<R> : never
type AnyMethod = { readonly args: readonly Codec<unknown>[]; readonly result: Codec<unknown> }

export class ArchivesUnderTest {
  readonly ledger: LedgerUnderTest
  readonly archives: Archive[] = []
  /** Of the next calls to archives; those behind them are answered. */
  faults: (Fault | undefined)[] = []
  /** Every message that an archive accepted, as a number of blocks. */
  readonly accepted: number[] = []
  #canisters = new TokenArchives(ids, this.archives)

  constructor(options: Partial<ArchiveOptions> = {}, changes: Partial<Config> = {}) {
    const config = testConfig(changes)
    this.ledger = new LedgerUnderTest({
      ...changes,
      archiveOptions: { ...config.archiveOptions, ...options },
    })
  }

  get #port(): ArchivePort {
    const archives = this.#canisters
    return {
      create: (number, init) => this.#meet(() => archives.create(number, init)),
      remainingCapacity: (archive) => this.#meet(() => archives.remainingCapacity(archive)),
      append: (archive, blocks) =>
        this.#meet(() => {
          const reply = archives.append(archive, blocks)
          if (reply.type === 'ok') this.accepted.push(blocks.length)
          return reply
        }),
    }
  }

  #meet<T>(call: () => PortReply<T>): PortReply<T> {
    const fault = this.faults.shift()
    if (fault === 'crash before') throw new Crash(fault)
    if (fault === 'fails') return { type: 'failed', message: fault }
    const reply = call()
    if (fault === 'crash after') throw new Crash(fault)
    return fault === 'unanswered' ? { type: 'failed', message: fault } : reply
  }

  /** One message, if one is due; a process that ends starts again from what it had recorded. */
  step(): void {
    const { state } = this.ledger
    const record = (event: Event): void => apply(state, event)
    try {
      archiveStep({ state, record, port: this.#port }, this.ledger.now)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      this.restart()
    }
    expect(violations(state, this.archives)).toEqual([])
  }

  /** Steps until nothing is due; the time of a pause passes. */
  settle(): void {
    for (let steps = 0; ; steps++) {
      const due = nextArchiving(this.ledger.state)
      if (due === undefined) return
      expect(steps).toBeLessThan(200)
      if (due > this.ledger.now) this.ledger.pass(due - this.ledger.now)
      this.step()
    }
  }

  /** What a snapshot keeps of them is what they are then. */
  restart(): void {
    const { state } = this.ledger
    Object.assign(state, deserialize(serialize(state)))
    const kept = deserialize(serialize(this.archives)) as Archive[]
    this.archives.splice(0, this.archives.length, ...kept)
    this.#canisters = new TokenArchives(ids, this.archives)
  }

  /** So many transfers more. */
  transfer(count: number): void {
    for (let i = 0; i < count; i++)
      expect(this.ledger.transfer(alice, bob, 1n).type, 'a transfer').toBe('ok')
  }

  /** A log of that length, nothing of it archived yet. */
  grow(length: number): this {
    this.ledger.fund(alice, 1_000_000_000_000n)
    this.transfer(length - 1)
    return this
  }

  /** First and last block of each archive, and the first local one. */
  get places(): readonly (readonly [bigint, bigint])[] {
    return this.ask('archives', []).map(({ blockRangeStart, blockRangeEnd }) => [
      blockRangeStart,
      blockRangeEnd,
    ])
  }

  get local(): number {
    return this.ledger.state.chain.blocks.length
  }

  ask<M extends keyof LedgerMethods & string>(
    methodName: M,
    args: ArgsOf<LedgerMethods[M]>,
  ): ResultOf<LedgerMethods[M]> {
    const canister = new LedgerCanister(ids.ledger, this.ledger.state, this.archives)
    return answered(this.#call(canister, methodName, args, ledgerInterface), methodName)
  }

  askArchive<M extends keyof ArchiveMethods & string>(
    archive: number | Principal,
    methodName: M,
    args: ArgsOf<ArchiveMethods[M]>,
  ): ResultOf<ArchiveMethods[M]> {
    const reply = this.tellArchive(archive, methodName, args)
    return answered(reply, methodName, archiveInterface)
  }

  tellArchive<M extends keyof ArchiveMethods & string>(
    archive: number | Principal,
    methodName: M,
    args: ArgsOf<ArchiveMethods[M]>,
    caller: Principal = anonymous,
  ): CallReply {
    const id = typeof archive === 'number' ? ids.archive(archive) : archive
    const name = textOfPrincipal(id)
    const canister = this.#canisters.canisters.find((one) => textOfPrincipal(one.id) === name)
    const found = present(canister, `an archive ${name}`)
    return this.#call(found, methodName, args, archiveInterface, caller)
  }

  #call(
    canister: Canister,
    methodName: string,
    args: readonly unknown[],
    methods: Readonly<Record<string, AnyMethod>>,
    caller: Principal = anonymous,
  ): CallReply {
    const kind = methodName === 'append_blocks' ? 'update' : 'query'
    const certificate = kind === 'query' ? Uint8Array.of(1) : undefined
    const context = {
      caller,
      kind,
      now: this.ledger.now,
      dataCertificate: () => certificate,
    } as const
    const method = present(methods[methodName], 'a method of the interface')
    const call = { canisterId: canister.id, methodName, arg: encodeArgs(method.args, args) }
    return dispatch(canister.handlers(context), call, kind)
  }
}

/** Archives of two blocks each, and two local blocks behind them. */
export function severalArchives(archives: number, left = 2): ArchivesUnderTest {
  const [, , block] = new ArchivesUnderTest().grow(3).ledger.state.chain.blocks
  const size = encodeBlock(present(block, 'a block')).length
  const length = 2 * archives
  const several = new ArchivesUnderTest({
    triggerThreshold: BigInt(length),
    numBlocksToArchive: BigInt(length),
    nodeMaxMemorySizeBytes: BigInt(2 * size),
  }).grow(length)
  several.settle()
  several.transfer(left)
  return several
}

function answered<R>(
  reply: CallReply,
  methodName: string,
  methods: Readonly<Record<string, AnyMethod>> = ledgerInterface,
): R {
  if (reply.type === 'rejected') throw new RangeError(reply.message)
  const { result } = present(methods[methodName], 'a method of the interface')
  const [value] = decodeArgs([result], reply.arg)
  return value as R
}
