/**
 * The secrets of one node: Ed25519 signing key, MEGa key and the root of its dealing seeds. Source:
 * threshold §§2.1, 6.1, 3.8.
 */
import { concat, utf8 } from '../base/bytes.ts'
import { encodePoint } from '../base/group.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { Seed } from '../base/seed.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { MegaSecretKey } from './mega.ts'
import { generateMegaKey } from './mega.ts'
import type { MemberRecord } from './membership.ts'
import { memberId } from './membership.ts'
import { ecdsaSecp256k1 } from './suite.ts'

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

/** Holds the secrets and lends out only what they do. */
export class NodeKeys {
  readonly #root: Seed
  readonly #ed25519: Ed25519
  readonly #signingKey: Uint8Array
  readonly record: MemberRecord
  /** For the MEGa arithmetic of this node alone. */
  readonly encryptionKey: MegaSecretKey

  /** Everything grows from `root`, so a node that starts again is the same node. */
  constructor(root: Seed, ed25519: Ed25519) {
    this.#root = root
    this.#ed25519 = ed25519
    this.#signingKey = root.derive('ckbtc-node-signing-key').generator().bytes(32)
    const generator = root.derive('ckbtc-node-encryption-key').generator()
    this.encryptionKey = generateMegaKey(ecdsaSecp256k1(secp256k1), generator)
    const signingKey = ed25519.publicKey(this.#signingKey)
    this.record = {
      id: memberId(signingKey),
      signingKey,
      encryptionKey: encodePoint(secp256k1, this.encryptionKey.publicKey),
    }
  }

  sign(kind: EvidenceKind, content: Uint8Array): Uint8Array {
    return this.#ed25519.sign(this.#signingKey, evidenceBytes(kind, content))
  }

  /** The seed of one dealing; the label names the statement it is for (§3.8). */
  dealingSeed(label: string): Seed {
    return this.#root.derive(label)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}
