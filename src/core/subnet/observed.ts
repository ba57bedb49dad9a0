/** What a node tells people who watch it; nothing depends on it. Source: architecture §3. */

import { toHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import { KEY_SCHEMES } from '../base/key-scheme.ts'
import type { Posted } from '../btc/standing.ts'
import type { Completion } from '../tecdsa/completion.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { SignerOutput } from '../tecdsa/signer-context.ts'
import { bitcoinAlarms } from './bitcoin-alarms.ts'
import type { NodeOutput, Observation } from './node-io.ts'
import { operatorKey } from './operator-requests.ts'
import type { Replica } from './replica.ts'

export const observed = (event: Observation): NodeOutput => ({ type: 'observed', event })

export const operatorSigned = (
  { requestId, signature }: Completion,
  slots: { readonly askedSlot: bigint; readonly slot: bigint },
): NodeOutput => observed({ type: 'operatorSigned', requestId, signature, ...slots })

/** How a signature of the operator was made: with the tape's key all of it can be verified. */
export const signingReport = (
  { requestId, report }: Extract<SignerOutput, { type: 'report' }>,
  { tapeKey }: Pick<Signer, 'tapeKey'>,
): NodeOutput => {
  const key = toHex(present(tapeKey, 'nothing is signed before the tape has its key'))
  return observed({ type: 'signingReport', requestId, report: { ...report, tapeKey: key } })
}

export const executed = (
  slot: bigint,
  { bitcoinHeight, state }: Pick<Replica, 'bitcoinHeight' | 'state'>,
  { stock, openRequests, epoch }: Pick<Signer, 'stock' | 'openRequests' | 'epoch'>,
): NodeOutput => {
  const { version, stage: refresh } = epoch
  const alarms = bitcoinAlarms(state)
  const done = { slot, bitcoinHeight, alarms, stock, openRequests, version, refresh }
  return observed({ type: 'executed', ...done })
}

/** Keys that have become final, each told once in the life of the node. */
export class KeyNews {
  readonly #signer: Pick<Signer, 'publicKey' | 'publicKeyOf'>
  readonly #told = new Set<string>()

  constructor(signer: Pick<Signer, 'publicKey' | 'publicKeyOf'>) {
    this.#signer = signer
  }

  take(): readonly NodeOutput[] {
    const { publicKey } = this.#signer
    return [
      ...this.#once('keyMade', publicKey, (key) => ({ type: 'keyMade', publicKey: key })),
      ...KEY_SCHEMES.flatMap((scheme) => this.#operatorKey(scheme)),
    ]
  }

  #operatorKey(scheme: KeyScheme): NodeOutput[] {
    const found = this.#signer.publicKeyOf(operatorKey(scheme))
    return this.#once(scheme, found, (publicKey) => ({ type: 'operatorKey', scheme, publicKey }))
  }

  #once(
    name: string,
    publicKey: Uint8Array | undefined,
    event: (publicKey: Uint8Array) => Observation,
  ): NodeOutput[] {
    if (publicKey === undefined || this.#told.has(name)) return []
    this.#told.add(name)
    return [observed(event(publicKey))]
  }
}

/** What goes wrong with Bitcoin, told when it begins. */
export class AlarmNews {
  #told: readonly string[] = []

  take(state: Replica['state']): readonly NodeOutput[] {
    const before = this.#told
    this.#told = bitcoinAlarms(state)
    const news = this.#told.filter((text) => !before.includes(text))
    return news.map((text) => observed({ type: 'alarmed', text }))
  }
}

/** Transactions that are kept from the network, each told once for each reason. */
export class WithheldNews {
  #told = new Set<string>()

  take(posted: readonly Pick<Posted, 'key' | 'txid' | 'standing'>[]): readonly NodeOutput[] {
    const before = this.#told
    this.#told = new Set()
    return posted.flatMap(({ key, txid, standing }) => {
      if (standing.type !== 'held') return []
      const name = `${key} ${standing.reason}`
      this.#told.add(name)
      if (before.has(name)) return []
      return [observed({ type: 'withheld', txid, reason: standing.reason })]
    })
  }
}
