/**
 * The secrets of this node's epochs on disk: each is drawn when it is first needed, recorded before
 * it is named to anybody, and erased when nothing refers to it. Source: threshold §§6.1, 11.2 rule 3,
 * 11.4, 18.4.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import type { EpochKey } from './epoch-key.ts'
import type { NodeKeys } from './node-keys.ts'
import type { Member, TranscriptParameters } from './parameters.ts'
import type { Run } from './run.ts'
import type { SignerOutputs } from './signer-context.ts'

/** Begins the keys of these records. They outlast the time line that made them. */
export const EPOCH_RECORDS = 'epoch/'

export type EpochsConfig = {
  readonly keys: NodeKeys
  readonly incarnation: bigint
  /** What earlier lives of this node recorded. */
  readonly records: ReadonlyMap<string, Uint8Array>
  /** All transcripts that are not dropped. */
  readonly runs: () => readonly Run<unknown>[]
}

export class Epochs {
  readonly #config: EpochsConfig
  /** Keys of the records, by encryption key. */
  readonly #names = new Map<string, string>()
  readonly #secrets = new Map<string, Uint8Array>()

  constructor(config: EpochsConfig) {
    this.#config = config
    for (const [name, secret] of config.records)
      if (name.startsWith(EPOCH_RECORDS)) this.#hold(name, secret)
  }

  get keys(): NodeKeys {
    return this.#config.keys
  }

  #hold(name: string, secret: Uint8Array): EpochKey {
    const epoch = this.keys.hold(secret)
    this.#names.set(toHex(epoch.publicKey), name)
    this.#secrets.set(name, secret)
    return epoch
  }

  #prefix(): string {
    return `${EPOCH_RECORDS}${this.#config.incarnation}/`
  }

  /** Own secrets for a membership of this time line; the record comes before anything is said. */
  ofVersion(version: bigint): { readonly epoch: EpochKey; readonly record: SignerOutputs } {
    const key = `${this.#prefix()}${version}`
    const value = this.#secrets.get(key) ?? this.keys.freshSecret()
    return { epoch: this.#hold(key, value), record: [{ type: 'record', key, value }] }
  }

  /**
   * Erases what no transcript and none of these encryption keys refers to, up to the membership of
   * `version`: what is of later ones may be needed yet, when the log is read again. The only epoch
   * that is left may be that of a node which is to join; it goes if it was `over`.
   */
  erase(
    version: bigint,
    { keys, over }: { readonly keys: readonly Uint8Array[]; readonly over: Uint8Array | undefined },
  ): SignerOutputs | undefined {
    const isLast = this.keys.epochCount < 2
    if (this.keys.epochCount === 0 || (isLast && over === undefined)) return undefined
    const named = this.#namedMembers()
    const isNamed = (epoch: EpochKey): boolean =>
      (isLast && over !== undefined && !equalBytes(over, epoch.publicKey)) ||
      this.#isLater(epoch, version) ||
      keys.some((key) => equalBytes(key, epoch.publicKey)) ||
      named.some(({ megaKey }) => epoch.isOf(megaKey.point))
    const erased = this.keys.retain(isNamed)
    if (erased.length === 0) return undefined
    const forgotten = erased.flatMap((key) => this.#forget(toHex(key)))
    return forgotten.length === 0 ? [] : [{ type: 'forget', keys: forgotten }]
  }

  #isLater({ publicKey }: EpochKey, version: bigint): boolean {
    const name = this.#names.get(toHex(publicKey))
    const prefix = this.#prefix()
    return name?.startsWith(prefix) === true && BigInt(name.slice(prefix.length)) > version
  }

  #forget(publicKey: string): readonly string[] {
    const name = this.#names.get(publicKey)
    if (name === undefined) return []
    this.#names.delete(publicKey)
    this.#secrets.delete(name)
    return [name]
  }

  /** This node's own entries: as receiver, and as dealer of what still takes dealings. */
  #namedMembers(): readonly Member[] {
    const { id } = this.keys.record
    const sets = new Set<TranscriptParameters['receivers']>()
    for (const { parameters, transcript } of this.#config.runs()) {
      sets.add(parameters.receivers)
      if (transcript === undefined) sets.add(parameters.dealers)
    }
    return [...sets].flatMap((members) => members.filter((one) => equalBytes(one.id, id)))
  }
}
