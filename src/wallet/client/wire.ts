/**
 * The agent that every call of the wallet goes through, on any network: the SDK's, with the rules of
 * IC interface §21. Certificates and node signatures are always verified.
 */
import type { Agent as SdkAgent } from '@icp-sdk/core/agent'
import { Certificate, HttpAgent, isV2ResponseBody, isV4ResponseBody } from '@icp-sdk/core/agent'
import type { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import { Principal } from '@icp-sdk/core/principal'
import { toHex, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, CanisterRefused, Problem } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { NS_PER_MS, NS_PER_SECOND, timestampNs } from '../../core/base/units.ts'
import { decodeCertificate } from '../../core/ic/certificate.ts'
import { lookup } from '../../core/ic/hash-tree.ts'
import type { User } from '../identity.ts'
import type { Network } from '../network.ts'
import type { Delivery, Fetch, OnSubmit } from './deliveries.ts'
import { Deliveries, pause } from './deliveries.ts'
import type { Callee } from './failures.ts'
import { clockOff, failureOf, isInterruption, outcomeUnknown } from './failures.ts'
import type { NodeKeyStore } from './node-keys.ts'
import type { RequestStatus } from './request-status.ts'
import { leb128, statusIn, verifiedTree } from './request-status.ts'
import { nobody, ourPrincipal, sdkIdentity, sdkPrincipal } from './sdk-identity.ts'

export type WireOptions = {
  readonly network: Network
  /** Signs the calls; without one they are anonymous. */
  readonly signer: User | undefined
  readonly fetch: Fetch
  readonly nodeKeys: NodeKeyStore
  readonly entropy: (size: number) => Uint8Array
  readonly signal?: AbortSignal | undefined
  readonly trace?: ((line: string) => void) | undefined
}

/** What the caller of an update says beside its arguments. */
export type CallOptions = {
  /** Value may move: an answer that is lost is no failure but an unknown outcome. */
  readonly movesValue: boolean
  readonly onSubmit?: OnSubmit | undefined
}

type Submission = {
  readonly nonce: Uint8Array
  readonly delivery: Delivery
  readonly callee: Callee
  readonly options: CallOptions
}

export type Fields = { readonly methodName: string; readonly arg: Uint8Array }
type UpdateResult = Awaited<ReturnType<SdkAgent['update']>>

/** How long a call may wait before it must not be executed any more. */
const EXPIRY_MINUTES = 4
const NONCE_BYTES = 16
const RETRIES_ON_NETWORKS = 3
/** Waits between two looks at a call that is not finished. */
const POLL_MS = { first: 200, factor: 1.5, max: 2_000 } as const
/** Looks end this long after the call can no longer be executed. */
const PATIENCE_NS = 60n * NS_PER_SECOND
/** An endpoint that does not answer at all for so long is given up. */
const SILENCE_MS_MAX = 20_000
/** Both directions (§15.2 step 5). */
const CLOCK_NS_MAX = 300n * NS_PER_SECOND

export class Wire {
  readonly network: Network
  readonly #http: HttpAgent
  readonly #deliveries: Deliveries
  readonly #options: WireOptions

  constructor(options: WireOptions) {
    const { network, signer, fetch, nodeKeys, signal, trace } = options
    const ownSubnet = network.kind === 'local'
    const retries = ownSubnet ? 0 : RETRIES_ON_NETWORKS
    this.network = network
    this.#options = options
    this.#deliveries = new Deliveries({ fetch, retries, ownSubnet, signal, trace })
    this.#http = HttpAgent.createSync({
      host: network.url,
      rootKey: network.rootKey,
      identity: signer === undefined ? nobody : sdkIdentity(signer),
      fetch: this.#deliveries.fetch,
      retryTimes: 0, // Repetitions are made below, with the same envelope.
      ingressExpiryInMinutes: EXPIRY_MINUTES,
      verifyQuerySignatures: true,
      subnetNodeKeyExpirableStore: nodeKeys,
    })
  }

  /** The network's time, as far as it is known to differ from this computer's. */
  now(): TimestampNs {
    return timestampNs(BigInt(Date.now() + this.#http.getTimeDiffMsecs()) * NS_PER_MS)
  }

  /** Network minus this computer; 0 until a difference was found. */
  get clockOffsetMs(): number {
    return this.#http.getTimeDiffMsecs()
  }

  /** The agent to be handed to the SDK's canisters, for calls with these options. */
  agent(options: CallOptions = { movesValue: false }): SdkAgent {
    const http = this.#http
    return {
      rootKey: http.rootKey,
      getPrincipal: () => http.getPrincipal(),
      readState: (...args) => http.readState(...args),
      status: () => http.status(),
      fetchRootKey: async () => this.network.rootKey,
      call: (canister, fields) => http.call(canister, fields),
      query: async (canister, fields) => this.query(Principal.from(canister), fields),
      update: (canister, fields) => this.update(Principal.from(canister), fields, options),
    }
  }

  /** A question to the state as one node has it; the node's signature is verified. Throws as `update`. */
  async query(canister: SdkPrincipal, fields: Fields) {
    const callee = this.#callee(canister, fields)
    const answer = await this.#http.query(canister, { ...fields }, nobody).catch((error) => {
      throw failureOf(error, callee)
    })
    if (answer.status === 'rejected')
      throw refusal(callee, answer.reject_code, answer.reject_message)
    return answer
  }

  /**
   * A call that the network orders, executes and certifies.
   *
   * `NETWORK_…` and `HOST_CLOCK`: nothing was done. `CanisterRefused`: nothing was done.
   * `OPERATION_UNKNOWN`: it was sent, and may have been done.
   */
  async update(
    canister: SdkPrincipal,
    fields: Fields,
    options: CallOptions,
  ): Promise<UpdateResult> {
    const callee = this.#callee(canister, fields)
    const nonce = this.#options.entropy(NONCE_BYTES)
    const delivery = this.#deliveries.follow(nonce, options.onSubmit)
    try {
      return await this.#submit(canister, fields, { nonce, delivery, callee, options })
    } catch (error) {
      const failure = failureOf(error, callee)
      const { request, arrived } = delivery
      const settled = failure instanceof CanisterRefused || isExpired(failure)
      if (settled || request === undefined || arrived === 'no') throw failure
      if (!options.movesValue || isInterruption(failure)) throw failure
      const { requestId, expiresAt: expiresAtNs } = request
      throw outcomeUnknown(callee, { requestId: toHex(requestId), expiresAtNs }, failure)
    } finally {
      this.#deliveries.end(nonce)
    }
  }

  async #submit(
    canister: SdkPrincipal,
    fields: Fields,
    { nonce, delivery, callee, options }: Submission,
  ): Promise<UpdateResult> {
    const call = { ...fields, nonce, effectiveCanisterId: canister }
    let response: Awaited<ReturnType<HttpAgent['call']>>['response'] | undefined
    try {
      response = (await this.#http.call(canister, call)).response
    } catch (error) {
      // The answer was lost: what became of the call can still be asked.
      const worthIt = options.movesValue && delivery.arrived === 'maybe'
      if (!worthIt || isInterruption(error)) throw error
    }
    const body = response?.body ?? null
    const { request } = delivery
    if (request === undefined) throw new BadEncoding('the call left no trace')
    if (isV2ResponseBody(body)) {
      const { reject_code: code, reject_message: message } = body
      // Nobody has signed this: elsewhere it does not prove that no value has moved (§21.2).
      throw options.movesValue && this.network.kind !== 'local'
        ? unsigned(callee, message)
        : refusal(callee, code, message)
    }
    if (isV4ResponseBody(body)) {
      const status = await this.#statusIn(body.certificate, canister, request.requestId)
      const settled = await settle(status, callee, body.certificate, this.#certify(canister))
      if (settled !== undefined) return settled
    }
    return this.#poll(canister, request, callee)
  }

  /** Looks again and again until the network certifies an outcome, or that there will be none. */
  async #poll(
    canister: SdkPrincipal,
    { requestId, expiresAt }: NonNullable<Delivery['request']>,
    callee: Callee,
  ): Promise<UpdateResult> {
    let wait: number = POLL_MS.first
    let silentSince: number | undefined
    do {
      await pause(wait, this.#options.signal)
      wait = Math.min(POLL_MS.max, wait * POLL_MS.factor)
      const read = await this.#readState(canister, requestId).catch((error: unknown) => {
        silentSince ??= performance.now()
        const silence = performance.now() - silentSince
        if (silence > SILENCE_MS_MAX || !isUnreachable(failureOf(error, callee))) throw error
        return undefined
      })
      if (read === undefined) continue
      silentSince = undefined
      if (read.status.type === 'absent' && read.status.certifiedAtNs > expiresAt)
        throw expired(callee)
      const { status, certificate } = read
      const settled = await settle(status, callee, certificate, this.#certify(canister))
      if (settled !== undefined) return settled
    } while (this.now() < expiresAt + PATIENCE_NS)
    throw timedOut(callee)
  }

  /** What the network certifies of a call that was sent before, in the name of its sender. */
  async requestStatus(canister: SdkPrincipal, requestId: Uint8Array): Promise<RequestStatus> {
    try {
      return (await this.#readState(canister, requestId)).status
    } catch (error) {
      throw failureOf(error, { canister: 'ledger', methodName: 'read_state' })
    }
  }

  async #readState(canister: SdkPrincipal, requestId: Uint8Array) {
    const paths = [[utf8('request_status'), requestId]]
    const { certificate } = await this.#timely(canister, paths)
    return { certificate, status: await this.#statusIn(certificate, canister, requestId) }
  }

  /**
   * A request that comes out of time is made again once the clocks have been compared: the library
   * repeats the one that was too early or too late.
   */
  async #timely(canister: SdkPrincipal, paths: Uint8Array[][]) {
    try {
      return await this.#http.readState(canister, { paths })
    } catch (error) {
      const failure = failureOf(error, { canister: 'ledger', methodName: 'read_state' })
      const isClock = failure instanceof Problem && failure.code === 'HOST_CLOCK'
      if (!isClock) throw error
      if (!this.#http.hasSyncedTime()) await this.#http.syncTime(canister)
      return this.#http.readState(canister, { paths })
    }
  }

  /** A value of the state tree that the network certifies; undefined where there is none. */
  async readCertified(
    canister: SdkPrincipal,
    path: readonly Uint8Array[],
  ): Promise<Uint8Array | undefined> {
    const callee = { canister: 'ledger', methodName: 'read_state' } as const
    const { certificate } = await this.#timely(canister, [[...path]]).catch((error: unknown) => {
      throw failureOf(error, callee)
    })
    const now = await this.clockFor(certificate, canister)
    const { rootKey } = this.network
    const tree = verifiedTree(certificate, { rootKey, canisterId: ourPrincipal(canister), now })
    const found = lookup(tree, path)
    return found.type === 'found' ? found.value : undefined
  }

  async #statusIn(
    certificate: Uint8Array,
    canister: SdkPrincipal,
    requestId: Uint8Array,
  ): Promise<RequestStatus> {
    const { rootKey } = this.network
    const now = await this.clockFor(certificate, canister)
    return statusIn(certificate, { rootKey, canisterId: ourPrincipal(canister), requestId, now })
  }

  /** The time to judge a certificate by: the clock is compared once when it does not fit. */
  async clockFor(certificate: Uint8Array, canister: SdkPrincipal): Promise<TimestampNs> {
    const time = attempt(() => {
      const found = lookup(decodeCertificate(certificate).tree, [utf8('time')])
      return found.type === 'found' ? leb128(found.value) : 0n
    })
    if (time instanceof BadEncoding || this.#fits(time)) return this.now()
    if (!this.#http.hasSyncedTime()) await this.#http.syncTime(canister)
    if (!this.#fits(time)) throw clockOff(Number((time - this.now()) / NS_PER_SECOND))
    return this.now()
  }

  #fits(time: bigint): boolean {
    const off = time - this.now()
    return off <= CLOCK_NS_MAX && off >= -CLOCK_NS_MAX
  }

  /** A certificate that has been verified, as the library's actors want to see it. */
  #certify(canister: SdkPrincipal): (certificate: Uint8Array) => Promise<Certificate> {
    return (certificate) =>
      Certificate.create({
        certificate,
        rootKey: this.network.rootKey,
        principal: { canisterId: canister },
        blsVerify: async () => true,
        disableTimeVerification: true,
      })
  }

  #callee(canister: SdkPrincipal, { methodName }: Fields): Callee {
    const minter = canister.compareTo(sdkPrincipal(this.network.ids.minter)) === 'eq'
    return { canister: minter ? 'minter' : 'ledger', methodName }
  }
}

/** The outcome if the status tells one. */
async function settle(
  status: RequestStatus,
  callee: Callee,
  rawCertificate: Uint8Array,
  certify: (certificate: Uint8Array) => Promise<Certificate>,
): Promise<UpdateResult | undefined> {
  if (status.type === 'rejected') throw refusal(callee, status.code, status.message)
  if (status.type !== 'replied') return undefined
  const certificate = await certify(rawCertificate)
  const ok = { ok: true, status: 200, statusText: 'OK', headers: [] }
  const callResponse = { ...ok, body: { certificate: rawCertificate } }
  return { reply: status.reply, certificate, rawCertificate, callResponse }
}

const SYS_TRANSIENT = 2

/** A transient reject is the network's: the call was not executed, and may be repeated. */
function refusal(callee: Callee, code: number, message: string): CanisterRefused | Problem {
  if (code === SYS_TRANSIENT) return expired(callee, message)
  return new CanisterRefused(callee.canister, {
    methodName: callee.methodName,
    reason: message.split('\n')[0]?.slice(0, 300) ?? '',
    rejectCode: code,
  })
}

const unsigned = ({ methodName }: Callee, message: string): Problem =>
  new Problem(
    'NETWORK_BAD_CERTIFICATE',
    `${methodName} is refused, which the network has not signed: ${message.slice(0, 300)}`,
    { fix: 'look what became of it first', command: 'ckbtc status' },
  )

/** Details that mark a call which will certainly never be executed. */
const NEVER = { submitted: false } as const

const expired = (
  { methodName }: Callee,
  why = 'the network did not execute it in time, and never will',
): Problem =>
  new Problem('NETWORK_TIMEOUT', `${methodName}: ${why}`, {
    fix: 'nothing was done; run the command again',
    details: NEVER,
  })

const timedOut = ({ methodName }: Callee): Problem =>
  new Problem('NETWORK_TIMEOUT', `${methodName}: the network did not answer in time`, {
    fix: 'run the command again',
  })

const isExpired = (error: unknown): boolean => error instanceof Problem && error.details === NEVER

const SILENT: readonly string[] = ['NETWORK_UNREACHABLE', 'NETWORK_TIMEOUT', 'SUBNET_DOWN']

const isUnreachable = (error: unknown): boolean =>
  error instanceof Problem && SILENT.includes(error.code)
