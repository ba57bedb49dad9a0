/**
 * All signers of a subnet in one process, joined by the sequencer without delay: the loopback
 * driver of group D.
 */
import { assert, Bug, present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { addNs, timestampNs } from '../../src/core/base/units.ts'
import type { Ed25519 } from '../../src/core/base/verification.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import { encodeSignerMessage, LANES } from '../../src/core/tecdsa/message.ts'
import { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import { Signer } from '../../src/core/tecdsa/signer.ts'
import type { SignerOutput, SignerOutputs } from '../../src/core/tecdsa/signer-context.ts'
import type { Log, LogDelivery, LogInput } from '../../test/support/sequencer.ts'
import { Sequencer } from '../../test/support/sequencer.ts'
import { benchSeed } from './inputs.ts'

export const BENCH_KEY = 'key_1'
const TAGS = {
  ecdsa: 0,
  completion: 1,
  request: 2,
  bls: 3,
  abort: 4,
  refresh: 7,
  bip340: 5,
  ed25519: 6,
} as const

type Work =
  | { readonly from: NodeIndex; readonly to: NodeIndex; readonly bytes: Uint8Array }
  | LogDelivery

type Options = {
  readonly nodes: number
  readonly ed25519: Ed25519
  /** Presignatures that the nodes keep making until so many are there. */
  readonly stockTarget: number
  /** What orders for them; the sequencer unless told. */
  readonly log?: Log
}

export class SignerLoop {
  readonly #signers: readonly Signer[]
  readonly #log: Log
  #queue: Work[] = []
  #now = timestampNs(0n)
  #asked: SigningRequest | undefined
  /** The signature of the open request, as each node judged it. */
  #judged: Uint8Array[] = []
  /** What crossed the network since the start. */
  messages = 0
  bytes = 0

  constructor({ nodes, ed25519, stockTarget, log }: Options) {
    const seed = benchSeed(`signers ${nodes}`)
    const made = Array.from(
      { length: nodes },
      (_, i) => new NodeKeys(seed.derive(`node ${i}`), ed25519, (size) => new Uint8Array(size)),
    )
    const membership = createMembership(
      made.map(({ record }) => record),
      1n,
    )
    const genesis = {
      membership,
      entropy: seed.derive('entropy').generator().bytes(32),
      incarnation: 1n,
      createdAt: timestampNs(0n),
    }
    this.#log = log ?? new Sequencer(nodes, seed.derive('tape').generator().bytes(32))
    this.#signers = membership.members.map(({ id }, me) => {
      const keys = present(
        made.find(({ record }) => record.id === id),
        'a member is one of the nodes',
      )
      return new Signer({
        genesis,
        mainKey: BENCH_KEY,
        keys,
        me,
        ed25519,
        records: new Map(),
        stockTarget,
        creationMax: 1,
      })
    })
    for (const [me, signer] of this.#signers.entries()) {
      this.#perform(me, signer.step({ type: 'start' }))
      this.#tellLog(me, { type: 'working', slot: 0n })
    }
  }

  /** The smallest stock of any node. */
  get stock(): number {
    return Math.min(...this.#signers.map(({ stock }) => stock))
  }

  /** Runs until every node has `stock` presignatures. */
  fill(stock: number): void {
    this.#run(() => this.stock >= stock)
  }

  /** Runs until no node has work. */
  settle(): void {
    while (this.#turn());
  }

  /** Asks for a signature and runs until every node has it from the log. One request at a time. */
  sign(request: SigningRequest): Uint8Array {
    this.#asked = request
    this.#judged = []
    this.#tellLog(0, { type: 'submit', item: Uint8Array.of(TAGS.request, ...request.id) })
    this.#run(() => this.#judged.length === this.#signers.length)
    return present(this.#judged[0], 'every node has judged')
  }

  /** Key of the subnet, SEC1 compressed. */
  get publicKey(): Uint8Array {
    return present(this.#signers[0]?.publicKey, 'the key comes before the stock')
  }

  #run(until: () => boolean): void {
    while (!until()) assert(this.#turn(), 'the signers do not stop before they are done')
  }

  /** Everything that waits for a node comes first; then each node does one piece of heavy work. */
  #turn(): boolean {
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.#handle(next)
      return true
    }
    let worked = false
    for (const [me, signer] of this.#signers.entries()) {
      const outputs = signer.work()
      if (outputs === undefined) continue
      worked = true
      this.#perform(me, outputs)
    }
    return worked
  }

  #handle(work: Work): void {
    const signer = present(this.#signers[work.to], 'a message goes to a node')
    if ('bytes' in work) {
      const { from, bytes } = work
      this.#perform(work.to, signer.step({ type: 'message', from, bytes }))
    } else if (work.output.type === 'slot') {
      this.#execute(work.to, signer, work.output.slot)
    }
  }

  #execute(
    me: NodeIndex,
    signer: Signer,
    { number, items }: Extract<LogDelivery['output'], { readonly type: 'slot' }>['slot'],
  ): void {
    for (const item of items) {
      const lane = LANES.find((known) => item[0] === TAGS[known])
      if (lane !== undefined) signer.takeDealing(lane, item.subarray(1))
      if (item[0] === TAGS.request) signer.enqueue(present(this.#asked, 'its item is in the log'))
      if (item[0] !== TAGS.completion) continue
      const completion = signer.judge(item.subarray(1))
      if (completion !== undefined) this.#judged.push(completion.signature)
    }
    const outputs = signer.endSlot(number, this.#now)
    this.#tellLog(me, { type: 'working', slot: number + 1n })
    this.#perform(me, outputs)
  }

  #perform(me: NodeIndex, outputs: SignerOutputs): void {
    for (const output of outputs) this.#performOne(me, output)
  }

  #performOne(me: NodeIndex, output: SignerOutput): void {
    switch (output.type) {
      case 'send': {
        const bytes = encodeSignerMessage(output.message)
        const to = output.to === 'all' ? [...this.#signers.keys()] : [output.to]
        for (const receiver of to) this.#queue.push({ from: me, to: receiver, bytes })
        const others = to.filter((receiver) => receiver !== me).length
        this.messages += others
        this.bytes += others * bytes.length
        return
      }
      case 'submit': {
        const { item: made } = output
        const tag = TAGS[made.type === 'dealing' ? made.lane : made.type]
        const item = Uint8Array.of(tag, ...made.bytes)
        this.#tellLog(me, { type: 'submit', item })
        return
      }
      case 'fault':
        throw new Bug(`honest nodes blame nobody: ${output.reason}`)
      case 'record': // Nothing here stops and starts again.
      case 'forget':
      case 'signed':
        return
    }
  }

  #tellLog(me: NodeIndex, input: LogInput): void {
    this.#now = addNs(this.#now, 1n)
    this.#queue.push(...this.#log.step(me, input, this.#now))
  }
}
