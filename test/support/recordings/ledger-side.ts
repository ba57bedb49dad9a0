/** The ledger of a recording: our ledger machine, called by people and by our minter. */
import { bigEndian, equalBytes, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import type { TimestampNs, Tokens } from '../../../src/core/base/units.ts'
import { tokens } from '../../../src/core/base/units.ts'
import type { View } from '../../../src/core/base/view.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import { EMPTY_HASH, forkHash, labeledHash, leafHash } from '../../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { archiveInterface } from '../../../src/core/ledger/archive/archive-interface.ts'
import { blocksFrom } from '../../../src/core/ledger/archive/whole-log.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { legacyInterface } from '../../../src/core/ledger/interface/legacy-interface.ts'
import { apply } from '../../../src/core/ledger/machine.ts'
import { balanceOf, tip } from '../../../src/core/ledger/queries.ts'
import type { State } from '../../../src/core/ledger/state.ts'
import {
  decideTransfer,
  decideTransferFrom,
} from '../../../src/core/ledger/transactions/transfer.ts'
import type { BurnFromResult, Ledger, LedgerFailure } from '../../../src/core/minter/ports.ts'
import { ARCHIVING, memoOfThen } from './call-rules.ts'
import type { Fields, Readable, Step } from './format.ts'
import { fieldsOf, NotUnderstood } from './format.ts'
import { accountOf } from './ledger-arguments.ts'
import type { OurCalls } from './our-calls.ts'
import type { Outcome } from './outcome.ts'
import { NO_SUCH_CANISTER, NO_SUCH_METHOD, TRAPPED } from './outcome.ts'
import { readableMessage } from './readable.ts'
import { ArchiveIds, RecordedToken } from './recorded-token.ts'

type Methods = Readonly<Record<string, { readonly result: Codec<unknown> }>>
const methods: Methods = { ...ledgerInterface, ...legacyInterface }
const archiveMethods: Methods = archiveInterface

/** What a method of the ledger answers with, or one of an archive. */
export function ledgerCodec(method: string, canister = 'ledger'): Codec<unknown> | undefined {
  const known = canister === 'ledger' ? methods : archiveMethods
  return Object.hasOwn(known, method) ? known[method]?.result : undefined
}

const STOPPED: LedgerFailure = { type: 'temporarilyUnavailable', message: 'the ledger is stopped' }

/** Readable form of an account as calls have it. */
export function readableAccount({ owner, subaccount }: Account): Readable {
  const text = textOfPrincipal(owner)
  return subaccount === undefined ? { owner: text } : { owner: text, subaccount: toHex(subaccount) }
}

const answerOf = (result: BurnFromResult): Readable =>
  result.type === 'ok' ? { Ok: String(result.blockIndex) } : 'refused'

export type Asked = {
  readonly id: Principal
  readonly caller: Principal
  readonly now: TimestampNs
}

/** Whether the archives of a recording refused what its ledger asked of them. */
const isArchivingRefused = ({ calls = [] }: Step): boolean =>
  calls.some(({ m, x }) => ARCHIVING.has(m) && x !== undefined)

export class LedgerSide {
  readonly #calls: OurCalls
  readonly #id: Principal
  readonly #archives: ArchiveIds
  #installed: RecordedToken | undefined
  isStopped = false
  /** Archives that answer nothing now, by id. */
  readonly #stopped = new Set<string>()

  /** `archives`: ids of those that were recorded, in the order of their creation. */
  constructor(id: Principal, calls: OurCalls, archives: readonly Principal[]) {
    this.#id = id
    this.#calls = calls
    this.#archives = new ArchiveIds(archives)
  }

  get #token(): RecordedToken {
    if (this.#installed === undefined) throw new NotUnderstood('a call before the ledger is there')
    return this.#installed
  }

  get state(): State {
    return this.#token.state
  }

  /** Every block, wherever it is. */
  get blocks(): readonly View<Block>[] {
    return [...blocksFrom(this.#token.log, 0n)]
  }

  /** Why it does not do today what was recorded. */
  get apart(): string | undefined {
    return this.#installed?.apart
  }

  install(step: Step, now: TimestampNs): Outcome {
    const ids = { id: this.#id, archive: this.#archives.forNext() }
    const { token, outcome } = RecordedToken.install(ids, step, now)
    // One that was not installed leaves the canister empty, or as it was.
    if (token !== undefined) this.#installed = token
    if (token !== undefined) this.isStopped = false
    return outcome
  }

  stopArchive(id: Principal, isStopped: boolean): void {
    if (isStopped) this.#stopped.add(toHex(id))
    else this.#stopped.delete(toHex(id))
  }

  upgrade(step: Step): Outcome {
    return this.#token.upgrade(step)
  }

  /** `id`: of the ledger, or of one of its archives. */
  answer(step: Step, { id, caller, now }: Asked): Outcome {
    if (this.isStopped || this.#installed === undefined) return { code: TRAPPED }
    if (this.#stopped.has(toHex(id))) return { code: TRAPPED }
    const isLedger = equalBytes(id, this.#id)
    const canister = this.#token.find(id)
    if (canister === undefined) return { code: NO_SUCH_CANISTER }
    const kind = step.op === 'q' ? 'query' : 'update'
    const context = { caller, now, kind, dataCertificate: () => undefined } as const
    const handlers = canister.handlers(context)
    const method = step.m ?? ''
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
    const codec = ledgerCodec(method, isLedger ? 'ledger' : 'archive')
    if (handler === undefined || codec === undefined || (kind === 'query' && !handler.isQuery))
      return { code: NO_SUCH_METHOD }
    const outcome = this.#token.during(
      () => handler.answer(fromHex(step.a ?? '')),
      now,
      !isArchivingRefused(step) && this.#stopped.size === 0,
    )
    return outcome.type === 'result'
      ? { reply: readableMessage(codec, outcome.value) }
      : { code: TRAPPED, message: outcome.message }
  }

  /**
   * As the minter sees it, in the words of a recording. Blocks are those of then: without a time of
   * creation [H 7], burns with the fee for the check in their memos.
   */
  port({
    minter,
    now,
    checkFee,
  }: {
    readonly minter: Principal
    readonly now: TimestampNs
    readonly checkFee: bigint
  }): Ledger {
    const asked = <R extends BurnFromResult>(m: string, call: Said, memo: Uint8Array): R => {
      const said = {
        ...call.readable,
        amount: String(call.amount),
        memo: toHex(call.memo ?? new Uint8Array()),
      }
      const result = this.isStopped
        ? STOPPED
        : this.#write(m, { ...call, memo }, { caller: minter, now })
      this.#calls.add({ m, in: said, out: answerOf(result) })
      return result as R // Each method of the port has answers of its own.
    }
    const main = { owner: minter }
    const burnMemo = (memo: Uint8Array): Uint8Array => fromHex(memoOfThen(toHex(memo), checkFee))
    return {
      ...this.#token.canisters.ledger.port(minter, now),
      mint: ({ to, amount, memo }) =>
        asked('icrc1_transfer', { to, amount, memo, readable: { to: readableAccount(to) } }, memo),
      burn: ({ subaccount, amount, memo }) => {
        const readable = { from_subaccount: toHex(subaccount), to: readableAccount(main) }
        const call = { to: main, subaccount, amount, memo, readable }
        return asked('icrc1_transfer', call, burnMemo(memo))
      },
      burnFrom: ({ from, amount, memo }) => {
        const readable = { from: readableAccount(from), to: readableAccount(main) }
        const call = { from, to: main, amount, memo, readable }
        return asked('icrc2_transfer_from', call, burnMemo(memo))
      },
      balanceOf: (account) => {
        const balance = balanceOf(this.state, account)
        const out = this.isStopped ? 'refused' : String(balance)
        this.#calls.add({ m: 'icrc1_balance_of', in: readableAccount(account), out })
        return this.isStopped
          ? { type: 'temporarilyUnavailable', message: STOPPED.message }
          : { type: 'balance', balance }
      },
    }
  }

  #write(
    m: string,
    { from, to, subaccount, amount, memo }: Omit<Said, 'readable'>,
    { caller, now }: { readonly caller: Principal; readonly now: TimestampNs },
  ): BurnFromResult {
    const { events, reply } =
      m === 'icrc2_transfer_from' && from !== undefined
        ? decideTransferFrom(this.state, caller, { from, to, amount, memo }, now)
        : decideTransfer(this.state, caller, { fromSubaccount: subaccount, to, amount, memo }, now)
    for (const event of events) apply(this.state, event)
    if (reply.type === 'ok') return reply
    if (reply.type === 'trap') return { type: 'impossible', message: reply.message }
    const { error } = reply
    if (error.type === 'insufficientFunds' || error.type === 'insufficientAllowance') return error
    return { type: 'impossible', message: error.type }
  }

  /** Carries out a recorded call that ours did not make: it keeps the two logs in step. */
  instead(m: string, readable: Readable | undefined, minter: Principal, now: TimestampNs): string {
    const { amount: satoshi, memo: hex, from, from_subaccount: own, to } = fieldsOf(readable)
    const call = {
      amount: tokens(BigInt(String(satoshi))),
      memo: hex === undefined ? undefined : fromHex(String(hex)),
      to: to === undefined ? { owner: minter } : accountOf(to),
      subaccount: own === undefined ? undefined : fromHex(String(own)),
      from: from === undefined ? undefined : accountOf(from),
    }
    const result = this.#write(m, call, { caller: minter, now })
    return result.type === 'ok' ? String(result.blockIndex) : result.type
  }

  /** Hash of what was certified then: the newest block under labels of then. */
  certifiedOfThen(): string {
    const newest = tip(this.state)
    if (newest === undefined) return toHex(EMPTY_HASH)
    const label = (name: string, value: Uint8Array) => labeledHash(utf8(name), leafHash(value))
    return toHex(
      forkHash(
        label('last_block_index', bigEndian(newest.index, 8)),
        label('tip_hash', newest.hash),
      ),
    )
  }
}

/** What the minter asks the ledger to write, and its readable form. */
type Said = {
  readonly from?: Account | undefined
  readonly to: Account
  readonly subaccount?: Uint8Array | undefined
  readonly amount: Tokens
  readonly memo?: Uint8Array | undefined
  readonly readable: Fields
}
