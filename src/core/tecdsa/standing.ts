/**
 * Who the members are after a slot, as it is kept with the keys: all nodes by number, the membership,
 * and the one before it, by which keys were dealt on. Source: threshold §§2.1, 11.2, 18.4.
 */
import { equalBytes } from '../base/bytes.ts'
import type { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { Genesis, MemberRecord } from './membership.ts'
import { memberId, NODES_MAX } from './membership.ts'
import type { NumberedMembership } from './roster.ts'
import { ROSTER_MAX, Roster } from './roster.ts'

export type Standing = {
  readonly roster: Roster
  readonly membership: NumberedMembership
  /** Undefined while the membership is the first one. */
  readonly former: NumberedMembership | undefined
}

export function firstStanding({ membership: { version, members } }: Genesis): Standing {
  const numbered = members.map(({ encryptionKey }, node) => ({ node, encryptionKey }))
  return {
    roster: new Roster(members),
    membership: { version, members: numbered },
    former: undefined,
  }
}

export function writeStanding(writer: Writer, { roster, membership, former }: Standing): void {
  writer
    .list(roster.records, (list, { signingKey, encryptionKey }) =>
      list.raw(signingKey).raw(encryptionKey),
    )
    .optional(former, writeMembership)
  writeMembership(writer, membership)
}

const writeMembership = (writer: Writer, { version, members }: NumberedMembership): Writer =>
  writer
    .u64(version)
    .list(members, (list, { node, encryptionKey }) => list.u16(node).raw(encryptionKey))

/** Whatever does not follow from the genesis by refreshes is `BadEncoding`. */
export function readStanding(reader: Reader, genesis: Genesis): Standing {
  const roster = new Roster(reader.list(readRecord, ROSTER_MAX))
  const read = (from: Reader): NumberedMembership => readMembership(from, roster)
  const former = reader.optional(read)
  const membership = read(reader)
  const first = firstStanding(genesis)
  const isFirst = membership.version === genesis.membership.version
  requireRoster(roster.records, genesis.membership.members)
  if (isFirst ? former !== undefined : former?.version !== membership.version - 1n)
    throw new BadEncoding('a membership does not follow the one before it')
  for (const one of [membership, former])
    if (one?.version === first.membership.version) requireSame(one, first.membership)
  return { roster, membership, former }
}

function readRecord(reader: Reader): MemberRecord {
  const signingKey = reader.raw(32)
  return { id: memberId(signingKey), signingKey, encryptionKey: reader.raw(33) }
}

function readMembership(reader: Reader, roster: Roster): NumberedMembership {
  const version = reader.u64()
  const members = reader.list(
    (list) => ({ node: list.u16(), encryptionKey: list.raw(33) }),
    NODES_MAX,
  )
  const isKnown = members.every(({ node }) => roster.records[node] !== undefined)
  if (!isKnown || new Set(members.map(({ node }) => node)).size !== members.length)
    throw new BadEncoding('a member is unknown or occurs twice')
  const ordered = roster.membership(version, members)
  if (!ordered.members.every((one, i) => one === members[i]))
    throw new BadEncoding('members are not in canonical order')
  return ordered
}

/** The first numbers are those of the first members. */
function requireRoster(records: readonly MemberRecord[], first: readonly MemberRecord[]): void {
  const begins = first.every((member, i) => {
    const record = records[i]
    return (
      record !== undefined &&
      equalBytes(record.signingKey, member.signingKey) &&
      equalBytes(record.encryptionKey, member.encryptionKey)
    )
  })
  const ids = new Set(records.map(({ id }) => String(id)))
  if (!begins || ids.size !== records.length)
    throw new BadEncoding('a roster does not begin with the first members, or names a node twice')
}

function requireSame(one: NumberedMembership, first: NumberedMembership): void {
  const isSame =
    one.members.length === first.members.length &&
    one.members.every(({ node, encryptionKey }, i) => {
      const member = first.members[i]
      return member?.node === node && equalBytes(member.encryptionKey, encryptionKey)
    })
  if (!isSame) throw new BadEncoding('the first membership is not that of the genesis')
}
