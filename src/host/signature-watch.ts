/**
 * What is seen of signatures as nodes make them: by whom, from what, and when. Source:
 * `docs/spec/cli.md` §5.18. Nothing depends on it.
 */
import { toHex } from '../core/base/bytes.ts'
import type { NodeIndex } from '../core/base/party.ts'
import type { Observation } from '../core/subnet/node-io.ts'
import type { SigningReport } from '../core/tecdsa/signing-report.ts'

/** Signatures of which it is remembered who made them. */
const SIGNERS_MAX = 1_000
/** Reports are larger. */
const REPORTS_MAX = 100
/** Slots of each node of which it is remembered when they were executed. */
const SLOTS_MAX = 256

type Executed = Extract<Observation, { type: 'executed' }>
type SignedEvent = Extract<Observation, { type: 'signed' }>
type OperatorSigned = Extract<Observation, { type: 'operatorSigned' }>

/** By this machine's `performance.now()`; undefined where it was not seen. */
export type SigningTimes = {
  /** The node that combined had executed the slot that pairs the request. */
  readonly pairedAtMs: number | undefined
  readonly combinedAtMs: number | undefined
  /** How long combining and verifying took there. */
  readonly combineMs: number | undefined
  /** The first node had it from the log. */
  readonly inLogAtMs: number
}

/** A signature that the operator asked for. */
export type MadeSignature = {
  readonly signature: Uint8Array
  readonly by: readonly NodeIndex[]
  /** Slots of the log from the one with the request to the one with the signature, both counted. */
  readonly slots: number
  /** Of the first node that combined it. */
  readonly report: SigningReport | undefined
  readonly times: SigningTimes
}

type Combined = SignedEvent & { readonly node: NodeIndex; readonly atMs: number }

export class SignatureWatch {
  readonly #signers: (readonly NodeIndex[])[] = []
  /** By request and node. */
  readonly #combined = new Map<string, Combined>()
  readonly #reports = new Map<string, SigningReport>()
  readonly #inLog = new Map<string, OperatorSigned & { readonly atMs: number }>()
  readonly #executedAt = new Map<NodeIndex, Map<bigint, number>>()

  hear(node: NodeIndex, event: Observation): void {
    const atMs = performance.now()
    switch (event.type) {
      case 'executed':
        this.#executed(node, event, atMs)
        return
      case 'signed':
        this.#signers.push(event.by)
        if (this.#signers.length > SIGNERS_MAX) this.#signers.shift()
        remember(this.#combined, toHex(event.requestId), { ...event, node, atMs }, SIGNERS_MAX)
        remember(
          this.#combined,
          byNode(event.requestId, node),
          { ...event, node, atMs },
          SIGNERS_MAX,
        )
        return
      case 'signingReport':
        remember(this.#reports, toHex(event.requestId), event.report, REPORTS_MAX)
        return
      case 'operatorSigned':
        remember(this.#inLog, toHex(event.requestId), { ...event, atMs }, SIGNERS_MAX)
        return
      case 'keyMade':
      case 'operatorKey':
        return
    }
  }

  #executed(node: NodeIndex, { slot }: Executed, atMs: number): void {
    const slots = this.#executedAt.get(node) ?? new Map<bigint, number>()
    this.#executedAt.set(node, slots)
    remember(slots, slot, atMs, SLOTS_MAX)
  }

  /** Nodes whose shares made each signature so far, in the order they were combined anywhere. */
  get signers(): readonly (readonly NodeIndex[])[] {
    return this.#signers
  }

  /** By the id of a request of the operator, in hexadecimal. */
  signatureOf(id: string): MadeSignature | undefined {
    const inLog = this.#inLog.get(id)
    if (inLog === undefined) return undefined
    const report = this.#reports.get(id)
    const name = report === undefined ? id : `${id}/${report.combinedBy}`
    const combined = this.#combined.get(name)
    const slots = combined && this.#executedAt.get(combined.node)
    return {
      signature: inLog.signature,
      by: combined?.by ?? [],
      slots: Number(inLog.slot - inLog.askedSlot) + 1,
      report,
      times: {
        pairedAtMs: report && slots?.get(BigInt(report.pairingSlot)),
        combinedAtMs: combined?.atMs,
        combineMs: combined?.tookMs,
        inLogAtMs: inLog.atMs,
      },
    }
  }
}

const byNode = (requestId: Uint8Array, node: NodeIndex): string => `${toHex(requestId)}/${node}`

/** The first counts; the oldest make room. */
function remember<K, T>(known: Map<K, T>, name: K, value: T, countMax: number): void {
  if (known.has(name)) return
  known.set(name, value)
  const [oldest] = known.keys()
  if (known.size > countMax && oldest !== undefined) known.delete(oldest)
}
