/**
 * From the state after a slot to the state that certificates are of: who asks is told which requests
 * it shows. Source: threshold §16.2, IC interface §16.
 */
import type { Hash32 } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { certifiedMessage } from '../ic/certificate.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { CertifierOutput, CertifierOutputs, NamedRoot } from './certifier.ts'
import { Certifier } from './certifier.ts'
import type { CertifiedState } from './client-answers.ts'
import { showsRequest } from './client-answers.ts'
import type { NodeOutput } from './node-io.ts'
import type { RootVote } from './peer-message.ts'
import { encodePeerMessage } from './peer-message.ts'

type Outputs = readonly NodeOutput[]

export type CertificationConfig = {
  readonly me: NodeIndex
  readonly nodes: number
  /** Whether so many requests are known that no other one is executed. */
  readonly isFull: () => boolean
}

export class Certification {
  readonly #certifier: Certifier
  readonly #signer: Signer
  readonly #isFull: () => boolean
  /** Executed in slots that are not certified yet. */
  #uncertified: Hash32[] = []
  #certified: CertifiedState | undefined
  /** The state after the newest slot, while its root is not settled. */
  #sealed: CertifiedState | undefined

  constructor(signer: Signer, { me, nodes, isFull }: CertificationConfig) {
    this.#signer = signer
    this.#isFull = isFull
    this.#certifier = new Certifier({
      me,
      nodes,
      key: {
        share: (root) => signer.certificationShare(certifiedMessage(root)),
        transcript: () => signer.certificationTranscript,
        combine: (root, shares, transcript) =>
          signer.combineCertification(certifiedMessage(root), shares, transcript),
      },
    })
  }

  /** Whether the state of the newest slot waits for the votes of others. */
  get isWaiting(): boolean {
    return this.#certifier.isWaiting
  }

  /** Whether the others are known to be in another state: nothing is certified here any more. */
  get hasDiverged(): boolean {
    return this.#certifier.hasDiverged
  }

  /** The newest root that this node named to the others. */
  get named(): NamedRoot | undefined {
    return this.#certifier.named
  }

  get certified(): CertifiedState | undefined {
    return this.#certified
  }

  /** Signature over the root of `certified`, combined when first asked for. */
  signature(): { readonly signature: Uint8Array | undefined; readonly outputs: Outputs } {
    const { signature, faults } = this.#certifier.signature()
    return { signature, outputs: this.#translate(faults) }
  }

  /** A request was executed in the slot that is being executed. */
  executedRequest(requestId: Hash32): void {
    if (!this.hasDiverged) this.#uncertified.push(requestId)
  }

  /** The newest slot was executed and led to `state`. */
  executed(state: CertifiedState): Outputs {
    this.#sealed = state
    return this.#translate(this.#certifier.executed(state.slot, state.tree.hash))
  }

  /** A slot was executed whose root nobody signs (any more). */
  passed(): void {
    this.#certifier.passed()
  }

  vote(from: NodeIndex, vote: RootVote): Outputs {
    return this.#translate(this.#certifier.receive(from, vote))
  }

  /** Own newest vote, for a node that starts (again). */
  resend(to: NodeIndex): Outputs {
    return this.#translate(this.#certifier.resend(to))
  }

  /** Says once more that a request is certified; nothing while it is not. */
  announceAgain(requestId: Hash32): Outputs {
    const certified = this.#certified
    if (certified === undefined || !showsRequest(certified, requestId)) return []
    return this.#announce(certified, [requestId])
  }

  #translate(outputs: CertifierOutputs): Outputs {
    return outputs.flatMap((output) => this.#output(output))
  }

  #output(output: CertifierOutput): Outputs {
    switch (output.type) {
      case 'vote': {
        const bytes = encodePeerMessage({ type: 'root', vote: output.vote })
        return [{ type: 'send', to: output.to, bytes }]
      }
      case 'fault':
      case 'diverged':
        return [output]
      case 'released':
        return output.settled ? this.#settle() : []
    }
  }

  #settle(): Outputs {
    this.#certified = this.#sealed
    const requests = this.#uncertified
    this.#uncertified = []
    return this.#certified === undefined ? [] : this.#announce(this.#certified, requests)
  }

  #announce({ slot, time }: CertifiedState, requests: readonly Hash32[]): Outputs {
    const { certificationKey } = this.#signer
    return certificationKey === undefined
      ? []
      : [{ type: 'certified', slot, time, requests, isFull: this.#isFull(), certificationKey }]
  }
}
