/** The minter of a recording: our machine behind Candid bytes, with signer and checker. */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js'
import { bigEndian, fromBigEndian, fromHex } from '../../../src/core/base/bytes.ts'
import type { ExtendedKey } from '../../../src/core/base/derivation.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { divCeil, NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import { vec } from '../../../src/core/ic/candid.ts'
import { httpInterface } from '../../../src/core/ic/http-request.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { SignatureRequest } from '../../../src/core/minter/calls.ts'
import type { World } from '../../../src/core/minter/context.ts'
import type { Ruled } from '../../../src/core/minter/dialect.ts'
import { payloadCodec } from '../../../src/core/minter/events/interface-events.ts'
import {
  callCandid,
  installCandid,
  upgradeCandid,
} from '../../../src/core/minter/interface/candid-face.ts'
import { standardsInterface } from '../../../src/core/minter/interface/consent.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { Installed, Minter } from '../../../src/core/minter/machine.ts'
import * as machine from '../../../src/core/minter/machine.ts'
import type { Step } from './format.ts'
import { NotUnderstood } from './format.ts'
import type { Outcome } from './outcome.ts'
import { NO_SUCH_METHOD, TRAPPED } from './outcome.ts'
import { readableMessage } from './readable.ts'

const ROUND_NS = 5n * NS_PER_SECOND

const codecs: Readonly<Record<string, { readonly result: Codec<unknown> }>> = {
  ...minterInterface,
  ...standardsInterface,
  ...httpInterface,
}

export const minterCodec = (method: string): Codec<unknown> | undefined =>
  Object.hasOwn(codecs, method) ? codecs[method]?.result : undefined

/** Events of that release bear no time. */
export const recordedCodec = (method: string): Codec<unknown> | undefined =>
  method === 'get_events' ? vec(payloadCodec) : minterCodec(method)

/** Below the master key: the canister, then what the minter asks for. */
export class Signer {
  readonly #secret: bigint
  readonly #id: Principal

  constructor(masterSecret: string, id: Principal) {
    this.#secret = fromBigEndian(fromHex(masterSecret))
    this.#id = id
  }

  get #master(): ExtendedKey {
    return masterKey(curve.getPublicKey(bigEndian(this.#secret, 32)))
  }

  get root(): ExtendedKey {
    const { publicKey, chainCode } = derivePublicKey(this.#master, [this.#id])
    return { publicKey, chainCode }
  }

  sign({ path, digest }: SignatureRequest): Uint8Array {
    const { tweak } = derivePublicKey(this.#master, [this.#id, ...path])
    const secret = (this.#secret + tweak) % curve.Point.Fn.ORDER
    return curve.sign(digest, bigEndian(secret, 32), { prehash: false })
  }
}

export class MinterSide {
  readonly #id: Principal
  readonly #signer: Signer
  readonly #settings: Ruled
  #minter: Minter | undefined
  /** A time at which that release had a round; the others are five seconds apart. */
  #round: TimestampNs = timestampNs(0n)
  isStopped = false

  constructor(id: Principal, signer: Signer, settings: Ruled) {
    this.#id = id
    this.#signer = signer
    this.#settings = settings
  }

  get isInstalled(): boolean {
    return this.#minter !== undefined
  }

  get minter(): Minter {
    if (this.#minter === undefined) throw new NotUnderstood('a call before the minter is there')
    return this.#minter
  }

  install(step: Step, now: TimestampNs, world: () => World): Outcome {
    const options = { self: this.#id, now, settings: this.#settings }
    return this.#take(installCandid(fromHex(step.a ?? ''), options), world)
  }

  /** That release suspended for good; ours forgets over an upgrade when it looked last. */

  upgrade(step: Step, now: TimestampNs, world: () => World): Outcome {
    const outcome = this.#take(upgradeCandid(this.minter, fromHex(step.a ?? ''), now), world)
    const { suspendedUtxos, volatile } = this.minter.state
    for (const suspended of suspendedUtxos.values())
      for (const key of suspended.keys()) volatile.lastChecked.set(key, now)
    return outcome
  }

  #take(installed: Installed, world: () => World): Outcome {
    if (installed.type === 'refused') return { code: TRAPPED, message: installed.reason }
    this.#minter = installed.minter
    this.isStopped = false
    const now = world()
    machine.notify(this.minter, now, { type: 'rootKey', key: this.#signer.root })
    this.#round = now.now
    this.check()
    return { reply: 'answered' }
  }

  answer(step: Step, caller: Principal, world: World): Outcome {
    if (this.isStopped) return { code: TRAPPED }
    const method = step.m ?? ''
    const kind = step.op === 'q' ? 'query' : 'update'
    const call = { method, kind, caller, arg: fromHex(step.a ?? '') } as const
    const answer = callCandid(this.minter, world, call)
    const codec = minterCodec(method)
    if (answer === undefined || codec === undefined) return { code: NO_SUCH_METHOD }
    this.check()
    const { tasks } = this.minter.state.volatile
    if ((tasks.get('process') ?? world.now + 1n) <= world.now) this.#round = world.now
    return answer.type === 'trap'
      ? { code: TRAPPED, message: answer.message }
      : { reply: readableMessage(codec, answer.value) }
  }

  /** Something has happened on the Bitcoin side. */
  bitcoinChanged(world: World): void {
    machine.notify(this.minter, world, { type: 'bitcoinChanged', isReorganised: false })
  }

  /**
   * Runs what falls due until `until`. That release had a round every five seconds, whether it had
   * something to do or not; ours, which plans each round, runs in the next of those.
   */
  wait(until: TimestampNs, worldAt: (now: TimestampNs) => World, from: TimestampNs): void {
    if (!this.isInstalled || this.isStopped) return
    let now = from
    for (;;) {
      const next = machine.nextTimer(this.minter)
      if (next === undefined || next > until) return
      const process = this.minter.state.volatile.tasks.get('process')
      const isRound = process !== undefined && process <= next
      const at = isRound ? this.#roundAt(next) : next
      if (at > until) return
      if (at > now) now = at
      this.tick(worldAt(now))
    }
  }

  /** The first round that is not before `time`. */
  #roundAt(time: TimestampNs): TimestampNs {
    if (time <= this.#round) return this.#round
    return timestampNs(this.#round + divCeil(time - this.#round, ROUND_NS) * ROUND_NS)
  }

  /** What is overdue runs late, and the rounds go on from there. */
  tickLate(world: World): void {
    this.#round = world.now
    this.tick(world)
  }

  tick(world: World): void {
    machine.tick(this.minter, world)
    this.#sign(world)
    this.check()
  }

  #sign(world: World): void {
    for (;;) {
      const [request] = machine.outstanding(this.minter)
      if (request === undefined) return
      const signature = this.#signer.sign(request)
      machine.notify(this.minter, world, { type: 'signatureReady', key: request.key, signature })
    }
  }

  check(): void {
    const problems = machine.violations(this.minter)
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  /** All have arrived; who was inside is not any more. */
  endSlot(): void {
    machine.endSlot(this.minter)
  }

  /** Names of the guards of both kinds: who is inside while a call waits. */
  get inside() {
    const { updating, retrieving } = this.minter.state.volatile
    return { updating, retrieving }
  }
}
