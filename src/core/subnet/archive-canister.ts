/** An archive canister: blocks that have left the ledger. Source: ledger §12. */
import { equalBytes } from '../base/bytes.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import { textOfPrincipal } from '../ic/principal.ts'
import type { Archive } from '../ledger/archive/archive.ts'
import { applyToArchive, decideAppend, remainingCapacity } from '../ledger/archive/archive.ts'
import { archiveInterface } from '../ledger/archive/archive-interface.ts'
import type { Answer } from '../ledger/archive/archive-queries.ts'
import {
  archivedBlocks,
  archivedLegacyBlocks,
  archivedTransaction,
  archivedTransactions,
} from '../ledger/archive/archive-queries.ts'
import { flattened } from '../ledger/interface/flat-transaction.ts'
import { legacyValue } from '../ledger/interface/legacy-interface.ts'
import type { BlockType } from '../ledger/interface/metadata.ts'
import type { CallContext, Canister } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'

export class ArchiveCanister implements Canister {
  readonly name = 'archive'
  readonly service = candidText(archiveInterface)
  readonly id: Principal
  readonly #archive: Archive
  readonly #blockTypes: readonly BlockType[]

  /** `blockTypes`: those of the ledger. */
  constructor(id: Principal, archive: Archive, blockTypes: readonly BlockType[]) {
    this.id = id
    this.#archive = archive
    this.#blockTypes = blockTypes
  }

  /** Nobody but the ledger vouches for blocks. */
  certifiedData(): undefined {
    return undefined
  }

  /** `append_blocks` of `caller`: all of the blocks or none. */
  append(caller: Principal, blocks: readonly Uint8Array[]): Outcome<undefined> {
    const { ledgerId } = this.#archive.init
    if (!equalBytes(caller, ledgerId))
      return trap(`only the ledger ${textOfPrincipal(ledgerId)} may append blocks`)
    const appending = decideAppend(this.#archive, blocks)
    if (appending.type === 'refused') return trap(appending.reason)
    for (const event of appending.events) applyToArchive(this.#archive, event)
    return { type: 'result', value: undefined }
  }

  handlers({ caller }: CallContext): Handlers {
    const methods = archiveInterface
    const archive = this.#archive
    return {
      append_blocks: handler(methods.append_blocks, (blocks) => this.append(caller, blocks)),
      remaining_capacity: getter(methods.remaining_capacity, () => remainingCapacity(archive)),
      get_transaction: getter(methods.get_transaction, (index) => {
        const transaction = archivedTransaction(archive, index)
        return transaction && flattened(transaction)
      }),
      get_transactions: handler(methods.get_transactions, (range) =>
        outcome(archivedTransactions(archive, range), (transactions) => ({
          transactions: transactions.map(flattened),
        })),
      ),
      get_blocks: handler(methods.get_blocks, (range) =>
        outcome(archivedLegacyBlocks(archive, range), (blocks) => ({
          blocks: blocks.map(legacyValue),
        })),
      ),
      icrc3_get_blocks: handler(methods.icrc3_get_blocks, (ranges) =>
        outcome(archivedBlocks(archive, ranges), (blocks) => ({
          logLength: BigInt(archive.blocks.count), // Of this archive, not of the log.
          blocks,
          archivedBlocks: [],
        })),
      ),
      icrc3_get_archives: getter(methods.icrc3_get_archives, () => []),
      icrc3_get_tip_certificate: getter(methods.icrc3_get_tip_certificate, () => undefined),
      icrc3_supported_block_types: getter(
        methods.icrc3_supported_block_types,
        () => this.#blockTypes,
      ),
    }
  }
}

const trap = (message: string): Outcome<never> => ({ type: 'trap', message })

const outcome = <T, R>(answer: Answer<T>, show: (value: T) => R): Outcome<R> =>
  answer.type === 'trap' ? answer : { type: 'result', value: show(answer.value) }
