/**
 * One node of the subnet: signer and replica over the log. Source: architecture §3, threshold
 * §17.1. Sans-IO.
 */
import type { Hash32 } from '../base/bytes.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { IdsKind } from '../ic/canister-ids.ts'
import type { Principal } from '../ic/principal.ts'
import { principal } from '../ic/principal.ts'
import { encodePublicKey } from '../ic/public-key.ts'
import type { Slot } from '../log/log.ts'
import { Signer } from '../tecdsa/signer.ts'
import type { SignerConfig } from '../tecdsa/signer-config.ts'
import type { SignerOutput, SignerOutputs } from '../tecdsa/signer-context.ts'
import { alarmAt, wantsSlot, workAlarm } from './alarms.ts'
import { Certification } from './certification.ts'
import type { NamedRoot } from './certifier.ts'
import type { AnswerContext } from './client-answers.ts'
import { answer } from './client-answers.ts'
import { HeaderProposals } from './header-proposals.ts'
import type { Item } from './items.ts'
import { encodeItem, itemOf } from './items.ts'
import { Lives } from './lives.ts'
import type { AlarmName, Answer, NodeInput, NodeOutput, Question } from './node-io.ts'
import { AlarmNews, executed, KeyNews, signingReport, WithheldNews } from './observed.ts'
import { OperatorRequests } from './operator-requests.ts'
import { decodePeerMessage } from './peer-message.ts'
import { Replica } from './replica.ts'
import type { ReplicaConfig } from './replica-config.ts'
import type { ReplicaState } from './replica-state.ts'
import { RequestAlarm } from './request-alarm.ts'
import { said } from './said.ts'
import type { MinterSettings } from './settings.ts'
import type { SignerSlot } from './signer-past.ts'
import type { Machines } from './slot-execution.ts'
import { executeSlot, repeatForSigner } from './slot-execution.ts'
import { Unserved } from './unserved.ts'

export type NodeConfig = Omit<SignerConfig, 'mainKey'> & {
  readonly minter: MinterSettings
  readonly ledgers?: ReplicaConfig['ledgers']
  /** Of the canisters; the subnet's own unless told. */
  readonly ids?: IdsKind | undefined
  /** Who may change replicated settings. */
  readonly operator: Principal
  /** Which chain the canisters follow; regtest unless told. */
  readonly bitcoinNetwork?: ReplicaConfig['bitcoinNetwork']
  /**
   * Where this life begins: the first slot to execute and the state before it. Without it, slot 0
   * of a subnet that is being founded. `past`: where that is in the midst of a time line, the slots
   * of it that left their mark on the signer.
   */
  readonly from?:
    | {
        readonly slot: bigint
        readonly state: ReplicaState
        readonly past?: Iterable<SignerSlot> | undefined
      }
    | undefined
}

export type NodeOutputs = readonly NodeOutput[]

/** The first slot that is not in it, the subnet's keys, and the canisters' state. */
export type NodeSnapshot = {
  readonly slot: bigint
  readonly keys: Uint8Array
  readonly state: View<ReplicaState>
}

type DecidedSlot = Extract<NodeInput, { readonly type: 'slot' }>

/**
 * A node that starts again replays the slots of its time line: its state is a function of where
 * that begins, the log, its keys and its records.
 */
export class SubnetNode {
  readonly config: NodeConfig
  /** The life of each node, for the log. */
  readonly lives: Lives
  readonly #signer: Signer
  readonly #replica: Replica
  readonly #certification: Certification
  /** Number of the slot it works on. */
  #slot: bigint
  /** Decided, and not to be executed before the slot before it is settled (IC interface §16). */
  #held: DecidedSlot | undefined
  /** Of the last slot executed. */
  #time: TimestampNs
  readonly #unserved = new Unserved()
  readonly #headers: HeaderProposals
  readonly #operator: OperatorRequests
  readonly #keyNews: KeyNews
  readonly #withheld = new WithheldNews()
  readonly #alarms = new AlarmNews()
  readonly #requestAlarm: RequestAlarm

  constructor(config: NodeConfig) {
    const { genesis, ed25519 } = config
    this.config = config
    this.lives = new Lives(config)
    this.#slot = config.from?.slot ?? 0n
    this.#time = config.from?.state.time ?? genesis.createdAt
    this.#headers = new HeaderProposals(config)
    this.#operator = new OperatorRequests(config)
    this.#signer = new Signer({ ...config, mainKey: config.minter.init.ecdsaKeyName })
    const nodes = genesis.membership.members.length
    this.#keyNews = new KeyNews(this.#signer)
    this.#requestAlarm = new RequestAlarm(this.#signer)
    const isFull = (): boolean => this.#replica.isFull
    this.#certification = new Certification(this.#signer, { me: config.me, nodes, isFull })
    const replicaConfig = {
      minter: config.minter,
      ledgers: config.ledgers,
      ids: config.ids,
      operator: config.operator,
      bitcoinNetwork: config.bitcoinNetwork,
      ed25519,
      nodes: genesis.membership.members.map(({ id, signingKey }) => ({
        id: principal(id),
        publicKeyDer: encodePublicKey({ type: 'ed25519', key: signingKey }),
      })),
      incarnation: genesis.incarnation,
      createdAt: genesis.createdAt,
    }
    this.#replica = new Replica(replicaConfig, config.from?.state)
    // What follows on its disk is replayed first; a new time line asks for its first slot.
    this.#replica.isRecovering = config.restored !== undefined
    if (config.from !== undefined && config.from.state.incarnation !== genesis.incarnation)
      this.#replica.startAgain(genesis.incarnation, this.#time)
    for (const past of config.from?.past ?? []) repeatForSigner(this.#machines, past)
  }

  /** For queries: the state after the last slot executed. */
  get replica(): Replica {
    return this.#replica
  }

  /** The first slot that it has not executed. */
  get slot(): bigint {
    return this.#slot
  }

  /** For the coin of the log, and for people. */
  get signer(): Pick<Signer, 'tapeKeySlot' | 'coinShare' | 'combineCoin' | 'epoch'> {
    return this.#signer
  }

  get publicKey(): Uint8Array | undefined {
    return this.#signer.publicKey
  }

  /** What a later start goes on from (threshold §18.4), once keys are final; who takes it copies `state`. */
  get snapshot(): NodeSnapshot | undefined {
    const keys = this.#signer.finalKeys
    if (keys === undefined) return undefined
    return { slot: this.#slot, keys, state: this.#replica.state }
  }

  /** The newest root that was named to the others; a replay has to lead there again. */
  get namedRoot(): NamedRoot | undefined {
    return this.#certification.named
  }

  /** Of the state after the last slot executed; undefined until there is a key to certify it. */
  get root(): Hash32 | undefined {
    const { certificationKey } = this.#signer
    return certificationKey && this.#replica.stateTree(certificationKey).hash
  }

  /** Whether queries would be asked of a state that may be certified in a moment. */
  get isSettling(): boolean {
    return this.#certification.isWaiting
  }

  /** Answers a client outside the log. `now`: the node's clock. Total. */
  ask(question: Question, now: TimestampNs): { answer: Answer; outputs: NodeOutputs } {
    const { me, keys, genesis } = this.config
    const outputs: NodeOutput[] = []
    const { certified } = this.#certification
    const context: AnswerContext = {
      replica: this.#replica,
      certified,
      isCurrent: certified?.slot === this.#slot - 1n,
      signature: () => {
        const { signature, outputs: said } = this.#certification.signature()
        outputs.push(...said)
        return signature
      },
      nodeId: principal(present(genesis.membership.members[me], 'a node is a member').id),
      signAnswer: (hash) => keys.sign('response', hash),
      now,
    }
    return { answer: answer(context, question), outputs }
  }

  /** Synchronous and total: neither peers nor users make it throw. */
  step(input: NodeInput): NodeOutputs {
    switch (input.type) {
      case 'start':
        return [
          said('all', { type: 'hello' }),
          ...this.#perform(this.#signer.step({ type: 'start' })),
          // In a new time line nothing is certified before its first slot.
          ...(this.config.restored === undefined ? [] : [wantsSlot('read')]),
          workAlarm,
        ]
      case 'message':
        return this.#hear(input.from, input.bytes)
      case 'linked':
        return [said(input.peer, { type: 'hello' }), said(input.peer, { type: 'resend' })]
      case 'slot':
        return this.#take(input)
      case 'ingress':
        return this.#admit(input.requestId, input.envelope)
      case 'refresh':
        return [wantsSlot('read')]
      case 'operator':
        return [this.#submit({ type: 'operator', request: input.request })]
      case 'headers':
        return this.#propose(input.headers)
      case 'block':
        // One that nobody waits for (any more) would only cost the others their room.
        return this.#replica.wantsBlock(input.block)
          ? [this.#submit({ type: 'block', slot: this.#slot, block: input.block })]
          : []
      case 'alarm':
        return this.#wake(input.name)
    }
  }

  #hear(from: NodeIndex, bytes: Uint8Array): NodeOutputs {
    const message = attempt(() => decodePeerMessage(bytes))
    if (message instanceof BadEncoding)
      return [{ type: 'fault', culprit: from, reason: `BadEncoding: ${message.message}` }]
    switch (message.type) {
      case 'root':
        return this.#whenReleased(this.#certification.vote(from, message.vote))
      case 'hello':
        return this.#certification.resend(from)
      case 'signer':
        return [
          ...this.#perform(this.#signer.step({ type: 'message', from, bytes: message.bytes })),
          workAlarm,
        ]
    }
  }

  /** A request that is known needs no slot: its outcome is told again. */
  #admit(requestId: Hash32, envelope: Uint8Array): NodeOutputs {
    if (this.#replica.findRequest(requestId) === undefined)
      return [this.#submit({ type: 'ingress', envelope })]
    return this.#certification.announceAgain(requestId) // What is not certified yet will be told.
  }

  #wake(name: AlarmName): NodeOutputs {
    if (name === 'work') return this.#work()
    if (name === 'timer') return this.#tick()
    const { aborts, next } = this.#requestAlarm.ring()
    return [...this.#perform(aborts), ...next]
  }

  /** One piece of heavy work, and the next one when others have had their turn. */
  #work(): NodeOutputs {
    const outputs = this.#certification.hasDiverged ? undefined : this.#signer.work()
    return outputs === undefined ? [] : [...this.#perform(outputs), workAlarm]
  }

  /** Asks for a slot in which the timer fires. */
  #tick(): NodeOutputs {
    return this.#replica.nextTimer() === undefined ? [] : [wantsSlot('due')]
  }

  #submit(item: Item): NodeOutput {
    const bytes = encodeItem(item)
    // A block stands for its moment: later ones are made anew.
    if (item.type !== 'block') this.#unserved.add(bytes, this.#slot)
    return { type: 'log', input: { type: 'submit', item: bytes } }
  }

  #propose(headers: readonly Uint8Array[]): NodeOutputs {
    const item = this.#headers.propose(headers, this.#knowsHeader, this.#time)
    return item === undefined ? [] : [this.#submit(item)]
  }

  /** The next headers of a long chain, once those before them are in the chain view. */
  #proposeMore(): NodeOutputs {
    const item = this.#headers.goOn(this.#knowsHeader, this.#time)
    return item === undefined ? [] : [this.#submit(item)]
  }

  #knowsHeader = (header: Uint8Array): boolean => this.#replica.knowsHeader(header)

  /**
   * A decided slot waits until the one before it is settled, so that the state that queries see is
   * the one that certificates are of.
   */
  #take(decided: DecidedSlot): NodeOutputs {
    if (decided.slot.number !== this.#slot) return [] // Delivered already.
    if (!this.#certification.isWaiting) return this.#execute(decided)
    this.#held = decided
    return []
  }

  #execute({ slot, later }: DecidedSlot): NodeOutputs {
    this.#slot += 1n
    this.#time = slot.time
    // One slot ahead is how the log keeps pace; two are a backlog.
    this.#replica.isRecovering = later === 2
    const { outputs, counted } = executeSlot(this.#machines, slot)
    const signing = this.#signer.endSlot(slot.number, slot.time)
    const again = this.#unserved.afterSlot(slot.number, slot.items)
    return [
      ...outputs,
      { type: 'log', input: { type: 'executed', wasQuiet: !counted } },
      ...this.#perform(signing),
      ...again.map((item): NodeOutput => ({ type: 'log', input: { type: 'submit', item } })),
      ...this.#afterSlot(slot),
      ...this.#vote(later),
    ]
  }

  /** Names the root of a slot that others may wait for; who is further behind leaves that to them. */
  #vote(later: DecidedSlot['later']): NodeOutputs {
    const { certificationKey } = this.#signer
    if (later === 2 || certificationKey === undefined) {
      this.#certification.passed()
      return []
    }
    const tree = this.#replica.stateTree(certificationKey)
    const [slot, time] = [this.#slot - 1n, this.#time]
    const named = this.#certification.executed({ slot, time, tree })
    // The next one is there: others may wait for this root, this node need not.
    if (later === 1) this.#certification.passed()
    return this.#whenReleased(named)
  }

  /** Once nothing waits for votes any more, the slot that was held is executed. */
  #whenReleased(outputs: NodeOutputs): NodeOutputs {
    const held = this.#held
    if (held === undefined || this.#certification.isWaiting) return outputs
    this.#held = undefined
    return [...outputs, ...this.#take(held)]
  }

  #afterSlot(slot: Slot): NodeOutputs {
    const { wanted, announce } = this.#replica.adapterWork()
    return [
      { type: 'adapter', wanted, announce },
      ...this.#withheld.take(announce),
      ...this.#alarms.take(this.#replica.state),
      ...this.#proposeMore(),
      ...alarmAt('timer', this.#replica.nextTimer(), slot.time),
      ...this.#requestAlarm.arm(slot.time),
      workAlarm,
      executed(slot.number, this.#replica, this.#signer),
      ...this.#keyNews.take(),
    ]
  }

  get #machines(): Machines {
    return {
      signer: this.#signer,
      replica: this.#replica,
      certification: this.#certification,
      headers: this.#headers,
      operator: this.#operator,
      lives: this.lives,
    }
  }

  /**
   * A node that has diverged signs nothing more (§16.2): what its canisters ask for is paired here
   * with presignatures that serve other requests elsewhere.
   */
  #perform(outputs: SignerOutputs): NodeOutputs {
    if (this.#certification.hasDiverged) return []
    return outputs.flatMap((output) => this.#translate(output))
  }

  #translate(output: SignerOutput): NodeOutputs {
    switch (output.type) {
      case 'send':
        return [said(output.to, output.message)]
      case 'submit':
        return [this.#submit(itemOf(output.item))]
      case 'record':
      case 'forget':
      case 'fault':
        return [output]
      case 'signed':
        return [{ type: 'observed', event: output }]
      case 'report':
        return [signingReport(output, this.#signer)]
    }
  }
}
