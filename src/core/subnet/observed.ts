/** What a node tells people who watch it; nothing depends on it. Source: architecture §3. */

import type { Completion } from '../tecdsa/completion.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { NodeOutput, Observation } from './node-io.ts'
import { OPERATOR_KEY } from './operator-requests.ts'
import type { Replica } from './replica.ts'

export const observed = (event: Observation): NodeOutput => ({ type: 'observed', event })

export const operatorSigned = ({ requestId, signature }: Completion): NodeOutput =>
  observed({ type: 'operatorSigned', requestId, signature })

export const executed = (
  slot: bigint,
  { bitcoinHeight }: Pick<Replica, 'bitcoinHeight'>,
  { stock, openRequests }: Pick<Signer, 'stock' | 'openRequests'>,
): NodeOutput => observed({ type: 'executed', slot, bitcoinHeight, stock, openRequests })

/** Keys that have become final, each told once in the life of the node. */
export class KeyNews {
  readonly #signer: Pick<Signer, 'publicKey' | 'publicKeyOf'>
  readonly #told = new Set<string>()

  constructor(signer: Pick<Signer, 'publicKey' | 'publicKeyOf'>) {
    this.#signer = signer
  }

  take(): readonly NodeOutput[] {
    return [
      ...this.#once('keyMade', this.#signer.publicKey),
      ...this.#once('operatorKey', this.#signer.publicKeyOf(OPERATOR_KEY)),
    ]
  }

  #once(type: 'keyMade' | 'operatorKey', publicKey: Uint8Array | undefined): NodeOutput[] {
    if (publicKey === undefined || this.#told.has(type)) return []
    this.#told.add(type)
    return [observed({ type, publicKey })]
  }
}
