/**
 * What the canisters asked of the signer, slot by slot. With it, and with the items of those slots
 * that concern the signer, the signer comes to where it was without the canisters: a snapshot of
 * these can be taken anywhere in a time line. Source: architecture §7, threshold §18.4.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import { KEY_SCHEMES } from '../base/key-scheme.ts'
import type { Slot } from '../log/log.ts'
import { NODES_MAX } from '../tecdsa/membership.ts'
import type { KeyId, SigningRequest } from '../tecdsa/request.ts'
import { MESSAGE_SIZE_MAX, PATH_BYTES_MAX } from '../tecdsa/request.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { KeyPort } from './key-calls.ts'

export type SignerCall =
  | { readonly type: 'enqueue'; readonly request: SigningRequest }
  | { readonly type: 'hold'; readonly key: KeyId }

/** A slot that left its mark on the signer, and what the canisters asked in it, in order. */
export type SignerSlot = { readonly slot: Slot; readonly calls: readonly SignerCall[] }

const CALLS_MAX = 1_000_000
const PATH_MAX = 256
const TEXT_SIZE_MAX = 256
const ID_SIZE_MAX = 64
const ROOT_SIZE_MAX = 32

/** The signer as canisters reach it; whatever changes it is noted. */
export class NotedSigner implements KeyPort {
  readonly calls: SignerCall[] = []
  readonly #signer: Signer

  constructor(signer: Signer) {
    this.#signer = signer
  }

  get certificationKey(): Uint8Array | undefined {
    return this.#signer.certificationKey
  }

  offersKey(key: KeyId): boolean {
    return this.#signer.offersKey(key)
  }

  publicKeyOf(key: KeyId): Uint8Array | undefined {
    return this.#signer.publicKeyOf(key)
  }

  holdKey(key: KeyId): boolean {
    this.calls.push({ type: 'hold', key })
    return this.#signer.holdKey(key)
  }

  enqueue(request: SigningRequest): boolean {
    this.calls.push({ type: 'enqueue', request })
    return this.#signer.enqueue(request)
  }
}

/** Asks again what was asked; what the answers led to is in the state of who asked. */
export function askAgain(signer: Signer, calls: readonly SignerCall[]): void {
  for (const call of calls)
    if (call.type === 'hold') signer.holdKey(call.key)
    else signer.enqueue(call.request)
}

export const encodeSignerCalls = (calls: readonly SignerCall[]): Uint8Array =>
  new Writer()
    .list(calls, (writer, call) => {
      if (call.type === 'hold') writeKey(writer.u8(0), call.key)
      else writeRequest(writer.u8(1), call.request)
    })
    .done()

/** Throws `BadEncoding`. */
export function decodeSignerCalls(bytes: Uint8Array): readonly SignerCall[] {
  const reader = new Reader(bytes)
  return reader.end(reader.list(readCall, CALLS_MAX))
}

function readCall(reader: Reader): SignerCall {
  const kind = reader.u8()
  if (kind === 0) return { type: 'hold', key: readKey(reader) }
  if (kind !== 1) throw new BadEncoding(`a call of kind ${kind}`)
  return { type: 'enqueue', request: readRequest(reader) }
}

const writeKey = (writer: Writer, { scheme, name }: KeyId): Writer =>
  writer.u8(KEY_SCHEMES.indexOf(scheme)).text(name)

function readKey(reader: Reader): KeyId {
  const scheme = KEY_SCHEMES[reader.u8()]
  if (scheme === undefined) throw new BadEncoding('a key of an unknown algorithm')
  return { scheme, name: reader.text(TEXT_SIZE_MAX) }
}

function writeRequest(writer: Writer, request: SigningRequest): void {
  const { id, key, path, message, taprootRoot, only, isReported = false } = request
  writeKey(writer.bytes(id), key)
    .list(path, (to, element) => to.bytes(element))
    .bytes(message)
    .optional(taprootRoot, (to, bytes) => to.bytes(bytes))
    .optional(only, (to, nodes) => to.list(nodes, (list, node) => list.u8(node)))
    .u8(isReported ? 1 : 0)
}

function readRequest(reader: Reader): SigningRequest {
  const request = {
    id: reader.bytes(ID_SIZE_MAX),
    key: readKey(reader),
    path: reader.list((from) => from.bytes(PATH_BYTES_MAX), PATH_MAX),
    message: reader.bytes(MESSAGE_SIZE_MAX),
    taprootRoot: reader.optional((from) => from.bytes(ROOT_SIZE_MAX)),
    only: reader.optional((from) => from.list((list) => list.u8(), NODES_MAX)),
  }
  return reader.u8() === 1 ? { ...request, isReported: true } : request
}
