/**
 * Items of the log as data: what nodes put there and what executing a slot reads back. Source:
 * threshold §17.1.
 */
import { Reader, Writer } from '../base/codec.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Lane } from '../tecdsa/message.ts'
import { LANES } from '../tecdsa/message.ts'
import type { SignerItem } from '../tecdsa/signer-context.ts'

/** Headers that one item proposes at most: one `headers` message of the P2P protocol. */
export const HEADERS_MAX = 2_000
const HEADER_SIZE = 80
const SIGNATURE_SIZE = 64

/**
 * `dealing`, `completion`, `abort` and `refresh` are the signer's; `ingress` is an envelope of the IC interface;
 * `headers` speaks for a node and is signed by it; `block` proves itself, and `slot` is the one that
 * its node worked on. It names when it was made, so that one which came too early to count, a liar's
 * perhaps, does not stand in for later ones: the log orders the same bytes once.
 */
export type Item =
  | { readonly type: 'dealing'; readonly lane: Lane; readonly dealing: Uint8Array }
  | { readonly type: 'completion'; readonly completion: Uint8Array }
  | { readonly type: 'abort'; readonly abort: Uint8Array }
  /** The word of a node in a refresh (threshold §11.2). */
  | { readonly type: 'refresh'; readonly word: Uint8Array }
  | { readonly type: 'ingress'; readonly envelope: Uint8Array }
  | HeadersItem
  | { readonly type: 'block'; readonly slot: bigint; readonly block: Uint8Array }
  | ReturnItem
  /** Signed by the operator: see `operator-requests.ts`. */
  | { readonly type: 'operator'; readonly request: Uint8Array }

/** Block headers that the adapter of `node` has seen, oldest first, 80 bytes each. */
export type HeadersItem = {
  readonly type: 'headers'
  readonly node: NodeIndex
  readonly headers: readonly Uint8Array[]
  /** Of the node, over `headersContent`. */
  readonly signature: Uint8Array
}

/** A node that has lost what it said asks to be taken in with a new life (threshold §18.4). */
export type ReturnItem = {
  readonly type: 'return'
  readonly node: NodeIndex
  readonly life: bigint
  /** Of the node, over `returnContent`. */
  readonly signature: Uint8Array
}

const TAGS = {
  dealing: { ecdsa: 1, bls: 7, bip340: 10, ed25519: 11 },
  completion: 2,
  ingress: 3,
  headers: 4,
  block: 5,
  operator: 8,
  abort: 9,
  refresh: 12,
  return: 13,
} as const

/** What a signer wants in the log. */
export function itemOf({ bytes, ...item }: SignerItem): Item {
  switch (item.type) {
    case 'dealing':
      return { ...item, dealing: bytes }
    case 'completion':
      return { type: 'completion', completion: bytes }
    case 'abort':
      return { type: 'abort', abort: bytes }
    case 'refresh':
      return { type: 'refresh', word: bytes }
  }
}

/** What a node signs with headers; `prefix` names the run: it serves nowhere else (§2.1). */
export function headersContent(
  prefix: Uint8Array,
  { node, headers }: Pick<HeadersItem, 'node' | 'headers'>,
): Uint8Array {
  return new Writer()
    .raw(prefix)
    .u16(node)
    .list(headers, (writer, header) => writer.raw(header))
    .done()
}

/** What a node signs to return; `prefix` names the run, as for headers. */
export const returnContent = (
  prefix: Uint8Array,
  { node, life }: Pick<ReturnItem, 'node' | 'life'>,
): Uint8Array => new Writer().raw(prefix).u16(node).u64(life).done()

export function encodeItem(item: Item): Uint8Array {
  const tag = item.type === 'dealing' ? TAGS.dealing[item.lane] : TAGS[item.type]
  const writer = new Writer().u8(tag)
  switch (item.type) {
    case 'dealing':
      return writer.raw(item.dealing).done()
    case 'completion':
      return writer.raw(item.completion).done()
    case 'abort':
      return writer.raw(item.abort).done()
    case 'refresh':
      return writer.raw(item.word).done()
    case 'ingress':
      return writer.raw(item.envelope).done()
    case 'headers':
      return writer
        .u16(item.node)
        .list(item.headers, (list, header) => list.raw(header))
        .raw(item.signature)
        .done()
    case 'block':
      return writer.u64(item.slot).raw(item.block).done()
    case 'return':
      return writer.u16(item.node).u64(item.life).raw(item.signature).done()
    case 'operator':
      return writer.raw(item.request).done()
  }
}

export function decodeItem(bytes: Uint8Array): Item {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  const rest = (): Uint8Array => reader.raw(reader.remaining)
  const lane = LANES.find((known) => tag === TAGS.dealing[known])
  if (lane !== undefined) return { type: 'dealing', lane, dealing: rest() }
  switch (tag) {
    case TAGS.completion:
      return { type: 'completion', completion: rest() }
    case TAGS.abort:
      return { type: 'abort', abort: rest() }
    case TAGS.refresh:
      return { type: 'refresh', word: rest() }
    case TAGS.ingress:
      return { type: 'ingress', envelope: rest() }
    case TAGS.headers:
      return reader.end({
        type: 'headers',
        node: reader.u16(),
        headers: reader.list((list) => list.raw(HEADER_SIZE), HEADERS_MAX),
        signature: reader.raw(SIGNATURE_SIZE),
      })
    case TAGS.block:
      return { type: 'block', slot: reader.u64(), block: rest() }
    case TAGS.return:
      return reader.end({
        type: 'return',
        node: reader.u16(),
        life: reader.u64(),
        signature: reader.raw(SIGNATURE_SIZE),
      })
    case TAGS.operator:
      return { type: 'operator', request: rest() }
    default:
      throw new BadEncoding(`an item of unknown kind ${tag}`)
  }
}

/** Whether it is an item at all: others take no room in the log. */
export const isPlausible = (bytes: Uint8Array): boolean =>
  !(attempt(() => decodeItem(bytes)) instanceof BadEncoding)
