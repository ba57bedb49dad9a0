/** What the signer is asked for, and under which key. Source: threshold §§18.1, 19. */
import type { KeyScheme } from '../base/key-scheme.ts'
import type { NodeIndex } from '../base/party.ts'

/** Keys are held by algorithm and name: each has its own transcripts, stock and queue. */
export type KeyId = { readonly scheme: KeyScheme; readonly name: string }

/** A signature that an executed canister, or the operator, asked for. */
export type SigningRequest = {
  /** 32 bytes, equal at all nodes; never used twice. */
  readonly id: Uint8Array
  readonly key: KeyId
  /** The caller's principal first, then the rest of the derivation path. */
  readonly path: readonly Uint8Array[]
  /** Of `ecdsa` the hash, 32 bytes; else of any length. */
  readonly message: Uint8Array
  /** For `bip340` alone; 0 or 32 bytes, and an empty one is not the same as none. */
  readonly taprootRoot: Uint8Array | undefined
  /** Whose shares are combined, t nodes at least; anybody's unless told. */
  readonly only?: readonly NodeIndex[] | undefined
  /** Whether the nodes that combine tell all that is public of it. */
  readonly isReported?: boolean
}

/** Keys that a subnet makes when they are first asked for, of every algorithm. */
export const KEY_NAMES: readonly string[] = ['dfx_test_key', 'test_key_1', 'key_1']

/** Elements of a path below the caller, and bytes in all of them; §23. */
export const PATH_BYTES_MAX = 64 * 1024
/** Bytes of a message; §23. */
export const MESSAGE_SIZE_MAX = 2 * 1024 * 1024

/** As the Internet Computer writes it in what it refuses. */
const KINDS: Readonly<Record<KeyScheme, string>> = {
  ecdsa: 'ecdsa:Secp256k1',
  bip340: 'schnorr:Bip340Secp256k1',
  ed25519: 'schnorr:Ed25519',
}

export const textOfKey = ({ scheme, name }: KeyId): string => `${KINDS[scheme]}:${name}`
