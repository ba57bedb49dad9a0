/**
 * Refresh and change of membership: from the wish to the switch, for all keys together. Source:
 * threshold §§11.2, 11.4.
 *
 * The log's side (`take`, `start`, `endSlot`) is a function of the log. A refresh begins with f + 1
 * wishes or the operator's; then the new members give their new encryption keys; then every key is
 * dealt on; and at the end of the slot in which the last of them is final, all are switched.
 */
import { attempt, BadEncoding, present } from '../base/errors.ts'
import { decodeNonZero } from '../base/group.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { faultyMax, reconstructionThreshold } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs, NS_PER_MS } from '../base/units.ts'
import type { Epochs } from './epochs.ts'
import type { EvidenceContext } from './evidence.ts'
import { NODES_MAX } from './membership.ts'
import type { MembershipChange } from './refresh-item.ts'
import {
  decodeMembershipChange,
  decodeRefresh,
  encodeRefresh,
  isJoiningSigned,
  isRefreshSigned,
  signRefresh,
} from './refresh-item.ts'
import type { NumberedKey, NumberedMembership, Roster } from './roster.ts'
import { ROSTER_MAX } from './roster.ts'
import type { Epoch } from './run-ledger.ts'
import type { SignerOutputs } from './signer-context.ts'
import { ecdsaSecp256k1 } from './suite.ts'

/** All keys of one algorithm. */
export interface Refreshable {
  beginRefresh(next: Epoch): void
  readonly isReshared: boolean
  switch(): void
}

export type RefreshConfig = Pick<EvidenceContext, 'prefix' | 'ed25519'> & {
  readonly roster: Roster
  readonly membership: NumberedMembership
  readonly epochs: Epochs
  readonly me: NodeIndex
  readonly parts: readonly Refreshable[]
  /** Whether the keys without which the subnet is not itself are final. */
  readonly isReady: () => boolean
  /** A node wishes a refresh when the last one is older; without it, never by itself. */
  readonly intervalMs: number | undefined
}

/** Of keys that run as a service; threshold §23. */
export const REFRESH_INTERVAL_MS = 24 * 60 * 60 * 1_000

/** Where a refresh stands, for people. */
export type RefreshStage = 'none' | 'gathering' | 'resharing'

const keyOf =
  (me: NodeIndex) =>
  ({ node, encryptionKey }: NumberedKey): readonly Uint8Array[] =>
    node === me ? [encryptionKey] : []

const suite = ecdsaSecp256k1(secp256k1)

export class Refresh {
  readonly #config: RefreshConfig
  #membership: NumberedMembership
  /** Of the membership that it replaced, as long as kept keys were dealt by it. */
  #former: NumberedMembership | undefined
  /** Keys given for the next version, by number. */
  #given = new Map<NodeIndex, Uint8Array>()
  #go = new Set<NodeIndex>()
  /** Who will be the members, once the refresh is decided. */
  #target: readonly NodeIndex[] | undefined
  #next: NumberedMembership | undefined
  /** Time of the last switch, or of the first slot. */
  #since: TimestampNs | undefined
  /** This node's encryption key in the newest membership that is over and had it. */
  #over: Uint8Array | undefined
  /** A slot ended that may have let go of secrets of an epoch that is over. */
  #mayErase = false
  /** What this node has said for the next version, and whether it is to give its key unasked. */
  #said = { key: false, go: false }
  #wishes = false

  constructor(config: RefreshConfig & { readonly former: NumberedMembership | undefined }) {
    this.#config = config
    this.#membership = config.membership
    this.#former = config.former
    this.#over = this.#ownIn(config.former)[0]
  }

  #ownIn(membership: NumberedMembership | undefined): readonly Uint8Array[] {
    return membership?.members.flatMap(keyOf(this.#config.me)) ?? []
  }

  get membership(): NumberedMembership {
    return this.#membership
  }

  get former(): NumberedMembership | undefined {
    return this.#former
  }

  get stage(): RefreshStage {
    if (this.#next !== undefined) return 'resharing'
    return this.#target === undefined ? 'none' : 'gathering'
  }

  /** f + 1 of the members: an honest one is among them. */
  get quorum(): number {
    return reconstructionThreshold(this.#membership.members.length)
  }

  isMember(node: NodeIndex): boolean {
    return this.#membership.members.some((one) => one.node === node)
  }

  get #version(): bigint {
    return this.#membership.version + 1n
  }

  /** An item of the log: the word of a node. False when it does not count. */
  take(bytes: Uint8Array): boolean {
    const word = attempt(() => decodeRefresh(bytes))
    if (word instanceof BadEncoding || this.#next !== undefined) return false
    if (word.version !== this.#version || !this.#config.isReady()) return false
    const { roster, prefix, ed25519 } = this.#config
    const { node, encryptionKey } = word
    const mayGive = this.isMember(node) || this.#target?.includes(node) === true
    const isNews = encryptionKey === undefined ? !this.#go.has(node) : !this.#given.has(node)
    if (!mayGive || !isNews) return false
    if (encryptionKey === undefined && !(this.isMember(node) && this.#enoughGiven())) return false
    if (!isRefreshSigned({ members: roster.records, prefix, ed25519 }, word)) return false
    if (encryptionKey === undefined) this.#go.add(node)
    else {
      if (attempt(() => decodeNonZero(secp256k1, encryptionKey)) instanceof BadEncoding)
        return false
      this.#given.set(node, encryptionKey)
    }
    if (this.#target === undefined && this.#wishing().length >= this.quorum)
      this.#target = this.#membership.members.map((one) => one.node)
    return true
  }

  #wishing(): readonly NodeIndex[] {
    return [...this.#given.keys()].filter((node) => this.isMember(node))
  }

  /** The operator asks for it. False while one runs, or before there is anything to refresh. */
  start(): boolean {
    if (this.stage !== 'none' || !this.#config.isReady()) return false
    this.#target = this.#membership.members.map((one) => one.node)
    return true
  }

  /** The operator changes the membership. False when it does not count; the caller has seen to who asks. */
  change(bytes: Uint8Array): boolean {
    const change = attempt(() => decodeMembershipChange(bytes))
    if (change instanceof BadEncoding || this.stage !== 'none' || !this.#config.isReady())
      return false
    const target = this.#changed(change)
    if (target === undefined) return false
    this.#target = target
    return true
  }

  #changed({ version, joining, leaving }: MembershipChange): readonly NodeIndex[] | undefined {
    const { roster } = this.#config
    const isNew = ({ record: { id } }: MembershipChange['joining'][number]): boolean => {
      const number = roster.numberOf(id)
      return number === undefined || !this.isMember(number)
    }
    const isGood = (one: MembershipChange['joining'][number]): boolean =>
      isNew(one) &&
      isJoiningSigned(this.#config, version, one) &&
      !(attempt(() => decodeNonZero(secp256k1, one.record.encryptionKey)) instanceof BadEncoding)
    const ids = new Set([...joining.map(({ record }) => record.id), ...leaving].map(String))
    const isWhole = ids.size === joining.length + leaving.length
    const leavers = leaving.map((id) => roster.numberOf(id))
    const areMembers = leavers.every((node) => node !== undefined && this.isMember(node))
    const members = this.#membership.members.map(({ node }) => node)
    const size = members.length - leavers.length + joining.length
    const fits = size >= 1 && size <= NODES_MAX && roster.records.length + size <= ROSTER_MAX
    if (version !== this.#version || !isWhole || !areMembers || !fits) return undefined
    if (!joining.every(isGood)) return undefined
    const joiners = joining.map(({ record }) => {
      const node = roster.add(record)
      this.#given.set(node, record.encryptionKey)
      return node
    })
    return [...members.filter((node) => !leavers.includes(node)), ...joiners]
  }

  /** n − f of those that will be members have given a key. */
  #enoughGiven(): boolean {
    const target = this.#target ?? []
    const given = target.filter((node) => this.#given.has(node)).length
    return target.length > 0 && given >= target.length - faultyMax(target.length)
  }

  #allGiven(): boolean {
    return this.#target?.every((node) => this.#given.has(node)) ?? false
  }

  /** The items of a slot are executed: what they bring about. True at the switch. */
  endSlot(time: TimestampNs): boolean {
    this.#since ??= time
    this.#mayErase = true
    const { parts } = this.#config
    if (this.#target !== undefined && this.#next === undefined) {
      const mayBegin = this.#enoughGiven() && this.#go.size >= this.quorum
      if (mayBegin || this.#allGiven()) this.#begin(this.#target)
    }
    const next = this.#next
    if (next === undefined || !parts.every((part) => part.isReshared)) return false
    for (const part of parts) part.switch()
    this.#over = this.#ownIn(this.#membership)[0] ?? this.#over
    this.#former = this.#membership
    this.#membership = next
    this.#forget()
    this.#since = time
    this.#mayErase = false
    return true
  }

  #begin(target: readonly NodeIndex[]): void {
    const { roster, parts } = this.#config
    const keys = target.map((node): NumberedKey => {
      const former = this.#membership.members.find((one) => one.node === node)
      const encryptionKey = this.#given.get(node) ?? former?.encryptionKey
      return { node, encryptionKey: present(encryptionKey, 'who joins brings a key') }
    })
    this.#next = roster.membership(this.#version, keys)
    const epoch = roster.epoch(suite, this.#next)
    for (const part of parts) part.beginRefresh(epoch)
  }

  #forget(): void {
    this.#given = new Map()
    this.#go = new Set()
    this.#target = undefined
    this.#next = undefined
    this.#said = { key: false, go: false }
    this.#wishes = false
  }

  /** This node's clock has to be told to it then; undefined when it waits for no time. */
  get due(): TimestampNs | undefined {
    const { intervalMs, me } = this.#config
    const isIdle = this.stage === 'none' && !this.#wishes && this.isMember(me)
    if (intervalMs === undefined || this.#since === undefined || !isIdle) return undefined
    return addNs(this.#since, BigInt(intervalMs) * NS_PER_MS)
  }

  /** This node's clock; `work` says the word. */
  clock(now: TimestampNs): void {
    const { due } = this
    if (due !== undefined && due <= now) this.#wishes = true
  }

  /** This node wishes a refresh. */
  wish(): void {
    if (this.stage === 'none' && this.isMember(this.#config.me)) this.#wishes = true
  }

  /** What this node owes a refresh, and the end of secrets that nothing refers to any more. */
  work(): SignerOutputs | undefined {
    return this.#speak() ?? this.#erase()
  }

  #speak(): SignerOutputs | undefined {
    const { me } = this.#config
    if (this.#next !== undefined || !this.#config.isReady()) return undefined
    const isAsked = this.#target?.includes(me) ?? (this.#wishes && this.isMember(me))
    if (isAsked && !this.#given.has(me) && !this.#said.key) return this.#give()
    const isShort = this.#enoughGiven() && !this.#allGiven() && this.isMember(me)
    if (!isShort || this.#go.has(me) || this.#said.go) return undefined
    this.#said.go = true
    return [this.#submission(undefined)]
  }

  #give(): SignerOutputs {
    this.#said.key = true
    const { epoch, record } = this.#config.epochs.ofVersion(this.#version)
    return [...record, this.#submission(epoch.publicKey)]
  }

  #submission(encryptionKey: Uint8Array | undefined): SignerOutputs[number] {
    const { epochs, prefix, me } = this.#config
    const statement = { version: this.#version, node: me, encryptionKey }
    const bytes = encodeRefresh(signRefresh(epochs.keys, prefix, statement))
    return { type: 'submit', item: { type: 'refresh', bytes } }
  }

  /** Not before a slot after the switch is over: then f + 1 honest nodes have the switch on disk. */
  #erase(): SignerOutputs | undefined {
    if (!this.#mayErase) return undefined
    this.#mayErase = false
    const { epochs, me } = this.#config
    const given = this.#given.get(me)
    const keys = [...this.#ownIn(this.#membership), ...this.#ownIn(this.#next)]
    return epochs.erase(this.#membership.version, {
      keys: given === undefined ? keys : [...keys, given],
      over: this.#over,
    })
  }
}
