/**
 * Public key derivation along byte-string paths: BIP32 without hardening, generalised, and its
 * likeness for Ed25519. Source: threshold §13.
 */
import { concat, fromBigEndian } from './bytes.ts'
import { BadEncoding } from './errors.ts'
import type { Group } from './group.ts'
import { decodeNonZero, encodePoint, mod } from './group.ts'
import { hkdfSha512, hmacSha512 } from './hash.ts'
import { ed25519Group } from './noble-ed25519.ts'
import { secp256k1 } from './noble-secp256k1.ts'

export const PATH_ELEMENTS_MAX = 255
const RETRY_TAG = Uint8Array.of(1)
const ED25519_INFO = 'Ed25519'
const CHAIN_CODE_SIZE = 32
/** 512 bits for an offset of 252, so that its bias is negligible. */
const WIDE_OFFSET_SIZE = 64

/**
 * Key (SEC1 compressed, 33 bytes, or RFC 8032, 32 bytes) and chain code (32 bytes). Both are
 * public.
 */
export type ExtendedKey = { readonly publicKey: Uint8Array; readonly chainCode: Uint8Array }

/** `tweak` is public: derived key = start + tweak·g. */
export type DerivedKey = ExtendedKey & { readonly tweak: bigint }

/** The start of every derivation: a master key with a chain code of zeros. */
export const masterKey = (publicKey: Uint8Array): ExtendedKey => ({
  publicKey,
  chainCode: new Uint8Array(32),
})

/** What the derivation asks of a group. */
export type DerivationGroup<P> = Pick<
  Group<P>,
  'name' | 'order' | 'g' | 'decode' | 'encode' | 'isZero' | 'add'
>

type Step<P> = {
  readonly point: P
  readonly chainCode: Uint8Array
  readonly tweak: bigint
}

/**
 * Derives along `path`, whose elements have any length, 0 included. On the subnet the first element
 * is the caller's principal, so that a caller reaches only keys below its own.
 *
 * Throws `BadEncoding` for a key that does not decode and for a path of more than 255 + 1 elements.
 */
export const derivePublicKey = (from: ExtendedKey, path: readonly Uint8Array[]): DerivedKey =>
  deriveInGroup(secp256k1, from, path)

/** The same in any group of SEC1 points; published answers for the retry exist only on P-256. */
export const deriveInGroup = <P>(
  group: DerivationGroup<P>,
  from: ExtendedKey,
  path: readonly Uint8Array[],
): DerivedKey => deriveBy(sec1Step, group, { from, path })

/** The same for keys of Ed25519 (§13.2): other offsets, no clamping. */
export const deriveEd25519Key = (from: ExtendedKey, path: readonly Uint8Array[]): DerivedKey =>
  deriveBy(ed25519Step, ed25519Group, { from, path })

type Stepper = <P>(group: DerivationGroup<P>, step: Step<P>, element: Uint8Array) => Step<P>

function deriveBy<P>(
  stepper: Stepper,
  group: DerivationGroup<P>,
  { from, path }: { readonly from: ExtendedKey; readonly path: readonly Uint8Array[] },
): DerivedKey {
  if (path.length > PATH_ELEMENTS_MAX + 1)
    throw new BadEncoding(`a path of ${path.length} elements`)
  const point = decodeNonZero(group, from.publicKey)
  const start: Step<P> = { point, chainCode: from.chainCode, tweak: 0n }
  const end = path.reduce((step, element) => stepper(group, step, element), start)
  return { publicKey: encodePoint(group, end.point), chainCode: end.chainCode, tweak: end.tweak }
}

function sec1Step<P>(
  group: DerivationGroup<P>,
  { point, chainCode, tweak }: Step<P>,
  element: Uint8Array,
): Step<P> {
  let message = concat(encodePoint(group, point), element)
  for (;;) {
    const mac = hmacSha512(chainCode, message)
    const left = fromBigEndian(mac.subarray(0, 32))
    const right = mac.slice(32)
    const child = group.add(point, group.g.multiplyPublic(left))
    if (left < group.order && !group.isZero(child))
      return { point: child, chainCode: right, tweak: mod(tweak + left, group.order) }
    message = concat(RETRY_TAG, right, element) // SLIP-0010's retry.
  }
}

function ed25519Step<P>(
  group: DerivationGroup<P>,
  { point, chainCode, tweak }: Step<P>,
  element: Uint8Array,
): Step<P> {
  const size = WIDE_OFFSET_SIZE + CHAIN_CODE_SIZE
  const keying = concat(encodePoint(group, point), element)
  const expanded = hkdfSha512({ salt: chainCode, keying, info: ED25519_INFO, size })
  const offset = mod(fromBigEndian(expanded.subarray(0, WIDE_OFFSET_SIZE)), group.order)
  return {
    point: group.add(point, group.g.multiplyPublic(offset)),
    chainCode: expanded.slice(WIDE_OFFSET_SIZE),
    tweak: mod(tweak + offset, group.order),
  }
}
