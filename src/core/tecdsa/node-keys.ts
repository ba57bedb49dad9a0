/**
 * The secrets of one node: its Ed25519 signing key, which stays, and those of each epoch that is not
 * over. Source: threshold §§2.1, 3.8, 6.1, 11.4.
 */
import { concat, equalBytes, fromBigEndian, utf8 } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import { Seed } from '../base/seed.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { Recipient } from './dealing.ts'
import { EpochKey } from './epoch-key.ts'
import type { MegaSecretKey } from './mega.ts'
import type { MemberRecord } from './membership.ts'
import { memberId } from './membership.ts'
import type { Member, TranscriptParameters } from './parameters.ts'
import { receiverIndexOf } from './parameters.ts'

/**
 * Kinds of content that a node signs; the domain string keeps them apart. Source: threshold §§2.1,
 * 7, 8.3, 10.
 */
export type EvidenceKind =
  | 'dealing'
  | 'support'
  | 'complaint'
  | 'opening'
  | 'signature-share'
  | 'abort'
  | 'refresh'
  | 'joining'
  | 'return'
  | 'item'
  | 'vote'
  | 'link'
  | 'response'

const DOMAINS: Readonly<Record<EvidenceKind, string>> = {
  dealing: 'ic-idkg-dealing-domain',
  support: 'ic-idkg-signed-dealing-domain',
  complaint: 'ckbtc-complaint-domain',
  opening: 'ckbtc-opening-domain',
  'signature-share': 'ckbtc-signature-share-domain',
  abort: 'ckbtc-abort-domain',
  refresh: 'ckbtc-refresh-domain',
  joining: 'ckbtc-joining-domain',
  return: 'ckbtc-return-domain',
  item: 'ckbtc-item-domain',
  vote: 'ckbtc-vote-domain',
  link: 'ckbtc-link-domain',
  /** The answer to a query; the domain is the Internet Computer's. */
  response: 'ic-response',
}

/** Bytes signed: length of the domain string (1 byte) ‖ domain string ‖ content. */
function evidenceBytes(kind: EvidenceKind, content: Uint8Array): Uint8Array {
  const domain = utf8(DOMAINS[kind])
  return concat(Uint8Array.of(domain.length), domain, content)
}

/** Checks a node's signature (64 bytes) over `content`. Total. */
export function verifyEvidence(
  ed25519: Ed25519,
  {
    signer,
    kind,
    content,
    signature,
  }: {
    readonly signer: MemberRecord
    readonly kind: EvidenceKind
    readonly content: Uint8Array
    readonly signature: Uint8Array
  },
): boolean {
  return ed25519.verify(signer.signingKey, evidenceBytes(kind, content), signature)
}

/** Fresh secret bytes of the operating system. */
export type Entropy = (size: number) => Uint8Array

const EPOCH_SECRET_SIZE = 32
const LIFE_SIZE = 8

/** Holds the secrets and lends out only what they do. */
export class NodeKeys {
  readonly #ed25519: Ed25519
  readonly #signingKey: Uint8Array
  readonly #entropy: Entropy
  /** Of the epochs whose secrets are kept. */
  #epochs: readonly EpochKey[]
  /** With the encryption key of the first epoch. */
  readonly record: MemberRecord

  /**
   * A node that starts again is the same node. `first`: of the first epoch; where it is kept apart
   * from the root, it can be erased when that epoch is over.
   */
  constructor(root: Seed, ed25519: Ed25519, entropy: Entropy, first: Seed = root) {
    this.#ed25519 = ed25519
    this.#entropy = entropy
    this.#signingKey = root.derive('ckbtc-node-signing-key').generator().bytes(32)
    const epoch = new EpochKey(first)
    this.#epochs = [epoch]
    const signingKey = ed25519.publicKey(this.#signingKey)
    this.record = { id: memberId(signingKey), signingKey, encryptionKey: epoch.publicKey }
  }

  /** For a later epoch, 32 bytes: to be recorded before anything is made of them. */
  freshSecret(): Uint8Array {
    return this.#entropy(EPOCH_SECRET_SIZE)
  }

  /** For a return of this node to the log: to be recorded before anything is said in it. */
  freshLife(): bigint {
    return fromBigEndian(this.#entropy(LIFE_SIZE))
  }

  /** Secrets of a later epoch, 32 bytes that nothing else is made of. */
  hold(secret: Uint8Array): EpochKey {
    const epoch = new EpochKey(Seed.fromBytes(secret))
    const known = this.#epochs.find(({ publicKey }) => equalBytes(publicKey, epoch.publicKey))
    if (known !== undefined) return known
    this.#epochs = [...this.#epochs, epoch]
    return epoch
  }

  get epochCount(): number {
    return this.#epochs.length
  }

  /** Erases all epochs but those `isNamed`; tells the encryption keys of those that were erased. */
  retain(isNamed: (epoch: EpochKey) => boolean): readonly Uint8Array[] {
    const over = this.#epochs.filter((epoch) => !isNamed(epoch))
    this.#epochs = this.#epochs.filter((epoch) => !over.includes(epoch))
    for (const epoch of over) epoch.erase()
    return over.map(({ publicKey }) => publicKey)
  }

  /** Secrets of the epoch in which this is this node's record; undefined once they are erased. */
  epochOf({ megaKey }: Member): EpochKey | undefined {
    return this.#epochs.find((epoch) => epoch.isOf(megaKey.point))
  }

  /** This node as a receiver; undefined if it is none, or the secrets of the epoch are erased. */
  recipientIn({ receivers }: Pick<TranscriptParameters, 'receivers'>): Recipient | undefined {
    const receiverIndex = receiverIndexOf({ receivers }, this.record.id)
    const own = receiverIndex === undefined ? undefined : receivers[receiverIndex]
    const key = own && this.epochOf(own)?.mega
    return receiverIndex === undefined || key === undefined ? undefined : { receiverIndex, key }
  }

  /** MEGa key of the oldest epoch that is kept. */
  get encryptionKey(): MegaSecretKey {
    return present(this.#epochs[0], 'who has not left keeps an epoch').mega
  }

  sign(kind: EvidenceKind, content: Uint8Array): Uint8Array {
    return this.#ed25519.sign(this.#signingKey, evidenceBytes(kind, content))
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}
