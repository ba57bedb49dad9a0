/**
 * All nodes that have ever been members, and who of them is one now. Source: threshold §§2.1, 11.2.
 *
 * A node keeps its number for ever, whoever joins or leaves: it names the node in messages and in
 * what it signs. Where it stands among dealers and receivers is another thing, and each transcript's.
 */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { BadEncoding, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { MemberRecord } from './membership.ts'
import { NODES_MAX } from './membership.ts'
import type { Member } from './parameters.ts'
import { member } from './parameters.ts'
import type { Epoch } from './run-ledger.ts'
import type { Suite } from './suite.ts'

/** Nodes that there may ever have been. */
export const ROSTER_MAX = 1_000

export type NumberedKey = { readonly node: NodeIndex; readonly encryptionKey: Uint8Array }

/** Members in canonical order. */
export type NumberedMembership = {
  readonly version: bigint
  readonly members: readonly NumberedKey[]
}

export class Roster {
  readonly #records: MemberRecord[]

  /** In the order of their numbers. */
  constructor(records: readonly MemberRecord[]) {
    this.#records = [...records]
  }

  /** By number; the same list as nodes join. Encryption keys are those that nodes came with. */
  get records(): readonly MemberRecord[] {
    return this.#records
  }

  numberOf(id: Uint8Array): NodeIndex | undefined {
    const number = this.#records.findIndex((record) => equalBytes(record.id, id))
    return number < 0 ? undefined : number
  }

  /** A node that was a member before has its number still. */
  add(record: MemberRecord): NodeIndex {
    const known = this.numberOf(record.id)
    if (known !== undefined) return known
    this.#records.push(record)
    return this.#records.length - 1
  }

  membership(version: bigint, keys: readonly NumberedKey[]): NumberedMembership {
    const idOf = ({ node }: NumberedKey): Uint8Array =>
      present(this.#records[node], 'a member is on the roster').id
    return { version, members: keys.toSorted((a, b) => compareBytes(idOf(a), idOf(b))) }
  }

  /** Who receives and deals while this is the membership. Throws `BadEncoding` for a key that is none. */
  epoch<P>(suite: Suite<P>, { version, members }: NumberedMembership): Epoch {
    const known = members.map(({ node, encryptionKey }): Member => {
      const record = this.#records[node]
      if (record === undefined) throw new BadEncoding('a member that is not on the roster')
      return member(suite, record.id, encryptionKey)
    })
    if (known.length === 0 || known.length > NODES_MAX)
      throw new BadEncoding(`a membership of ${known.length} nodes`)
    return { members: known, membershipVersion: version }
  }
}
