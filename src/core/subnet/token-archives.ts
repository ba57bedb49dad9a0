/** The archives of one token, as its ledger calls them. Source: ledger §12, IC interface §3.1. */
import { equalBytes } from '../base/bytes.ts'
import type { TokenCanisterIds } from '../ic/canister-ids.ts'
import type { Principal } from '../ic/principal.ts'
import type { Archive, ArchiveInit } from '../ledger/archive/archive.ts'
import { newArchive, remainingCapacity } from '../ledger/archive/archive.ts'
import type { ArchivePort, PortReply } from '../ledger/archive/archiving.ts'
import type { BlockType } from '../ledger/interface/metadata.ts'
import { SUPPORTED_BLOCK_TYPES } from '../ledger/interface/metadata.ts'
import { ArchiveCanister } from './archive-canister.ts'

type Ids = Pick<TokenCanisterIds, 'ledger' | 'archive' | 'archivesMax'>

export class TokenArchives implements ArchivePort {
  readonly #ids: Ids
  readonly #states: Archive[]
  readonly #canisters: ArchiveCanister[]
  readonly #blockTypes: readonly BlockType[]

  /** `states`: in the order of their creation, which is that of their ids; more are added there. */
  constructor(ids: Ids, states: Archive[], blockTypes = SUPPORTED_BLOCK_TYPES) {
    this.#ids = ids
    this.#states = states
    this.#blockTypes = blockTypes
    this.#canisters = states.map(
      (state, number) => new ArchiveCanister(ids.archive(number), state, blockTypes),
    )
  }

  /** Those there are now. */
  get canisters(): readonly ArchiveCanister[] {
    return this.#canisters
  }

  create(number: number, init: Omit<ArchiveInit, 'ledgerId'>): PortReply<Principal> {
    if (number >= this.#ids.archivesMax) return failed(`no id for archive ${number}`)
    const id = this.#ids.archive(number)
    if (number === this.#canisters.length) {
      const state = newArchive({ ...init, ledgerId: this.#ids.ledger })
      this.#states.push(state)
      this.#canisters.push(new ArchiveCanister(id, state, this.#blockTypes))
    }
    return { type: 'ok', value: id }
  }

  remainingCapacity(archive: Principal): PortReply<bigint> {
    const state = this.#states[this.#placeOf(archive)]
    return state === undefined
      ? failed('no such archive')
      : { type: 'ok', value: remainingCapacity(state) }
  }

  append(archive: Principal, blocks: readonly Uint8Array[]): PortReply<undefined> {
    const outcome = this.#canisters[this.#placeOf(archive)]?.append(this.#ids.ledger, blocks)
    if (outcome === undefined) return failed('no such archive')
    return outcome.type === 'result' ? { type: 'ok', value: undefined } : failed(outcome.message)
  }

  #placeOf(archive: Principal): number {
    return this.#canisters.findLastIndex(({ id }) => equalBytes(id, archive))
  }
}

const failed = (message: string): PortReply<never> => ({ type: 'failed', message })
