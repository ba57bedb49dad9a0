/**
 * The result of a request as an item of the log, and which nodes put it there. Source: threshold
 * §18.5.
 */
import { Reader, Writer } from '../base/codec.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import { BLS_SHARE_SIZE } from './bls.ts'

/** The same bytes at every node, and whoever has the log can judge it. */
export type Completion = {
  readonly requestId: Uint8Array
  readonly signature: Uint8Array
  /** σ of the pairing slot, 48 bytes. */
  readonly tape: Uint8Array
}

export const encodeCompletion = ({ requestId, signature, tape }: Completion): Uint8Array =>
  new Writer().raw(requestId).raw(signature).raw(tape).done()

export function decodeCompletion(bytes: Uint8Array): Completion {
  const reader = new Reader(bytes)
  return reader.end({
    requestId: reader.raw(32),
    signature: reader.raw(64),
    tape: reader.raw(BLS_SHARE_SIZE),
  })
}

/** Nodes that submit at once. */
export const submittersOf = (nodes: number, slot: bigint): readonly NodeIndex[] =>
  Array.from({ length: nodes }, (_, node) => node).filter((node) => submitsFirst(node, nodes, slot))

/**
 * Whether a node submits a completion at once: for each pairing slot f + 1 others, so that an honest
 * one is among them. To the rest it is another node's item.
 */
export function submitsFirst(me: NodeIndex, nodes: number, slot: bigint): boolean {
  const all = BigInt(nodes)
  const place = (((BigInt(me) - slot) % all) + all) % all
  return place < BigInt(reconstructionThreshold(nodes))
}
