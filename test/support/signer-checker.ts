/**
 * A witness of what honest signers say: over all its lives a node deals, supports and shares one
 * thing, a presignature serves one request under one nonce, and no share leaves before that is on
 * disk. Source: threshold §§18.3, 18.4, 22.4, 22.7.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import { attempt } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { decodeCompletion } from '../../src/core/tecdsa/completion.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import { Wrong } from './log-checker.ts'

const ID_SIZE = 32

export class SignerChecker {
  /** What was said under each name, as text. */
  readonly #said = new Map<string, string>()
  /** By hash of a signed dealing, whoever dealt it: what it is of. */
  readonly #dealings = new Map<string, string>()
  /** Pairings on the disk of each node, by request. */
  readonly #paired = new Map<string, string>()
  /** Shares of signatures that honest nodes sent. */
  shares = 0
  readonly #completions = new Map<string, string>()

  /** One name, one value, for ever. */
  #once(name: string, value: string): void {
    const before = this.#said.get(name)
    if (before !== undefined && before !== value)
      throw new Wrong(`${name}: ${before}, then ${value}`)
    this.#said.set(name, value)
  }

  /** Anybody's message is on its way: learns what hashes are of. */
  heard(bytes: Uint8Array): void {
    const message = attempt(() => decodeSignerMessage(bytes))
    if (message instanceof Error || message.type !== 'dealing') return
    const { transcriptId, dealer, hash } = message.signed
    this.#dealings.set(toHex(hash), `${message.lane}/${transcriptId}/${dealer}`)
  }

  /** A record of an honest node is on its disk. */
  kept(node: NodeIndex, key: string, value: Uint8Array): void {
    const [presignature] = /\d+\/(?:\w+\/)?pairing\/\d+$/.exec(key) ?? []
    if (presignature === undefined) return
    const request = toHex(value.subarray(0, ID_SIZE))
    const nonce = toHex(value.subarray(ID_SIZE))
    this.#once(`presignature ${presignature}`, `${request} ${nonce}`)
    this.#once(`request ${request}`, presignature)
    this.#paired.set(`${node}/${request}`, presignature)
  }

  /** An honest node sends a message. */
  sent(node: NodeIndex, bytes: Uint8Array): void {
    this.#judge(node, decodeSignerMessage(bytes))
  }

  #judge(node: NodeIndex, message: SignerMessage): void {
    switch (message.type) {
      case 'dealing': {
        const { transcriptId, hash } = message.signed
        this.#once(`dealing of ${node} for ${message.lane}/${transcriptId}`, toHex(hash))
        return
      }
      case 'support':
        for (const hash of message.support.hashes) {
          const of = this.#dealings.get(toHex(hash))
          if (of === undefined) throw new Wrong(`node ${node} supports what nobody dealt`)
          this.#once(`support of ${node} for ${of}`, toHex(hash))
        }
        return
      case 'share': {
        const request = toHex(message.requestId)
        this.shares += 1
        if (!this.#paired.has(`${node}/${request}`))
          throw new Wrong(`a share of node ${node} left before its pairing was on disk`)
        this.#once(`share of ${node} for ${request}`, toHex(message.share))
        return
      }
      case 'tape-share':
        this.#once(`tape share of ${node} for ${message.slot}`, toHex(message.share))
        return
      case 'tape':
        this.#once(`tape of ${message.slot}`, toHex(message.signature))
        return
      case 'complaint':
      case 'opening':
      case 'resend':
    }
  }

  /** An honest node wants a completion in the log: the same bytes at all. */
  completed(bytes: Uint8Array): void {
    const { requestId, signature } = decodeCompletion(bytes)
    this.#once(`signature of ${toHex(requestId)}`, toHex(signature))
    this.#completions.set(toHex(requestId), toHex(signature))
  }

  /** Requests that some honest node was about to sign. */
  get requests(): number {
    return new Set([...this.#paired.keys()].map((name) => name.split('/')[1])).size
  }

  /** Requests for which there is a signature. */
  get signatures(): number {
    return this.#completions.size
  }
}
