/**
 * Plays a recording against our machines and compares, step by step. Every answer is equal,
 * different for a reason that a rule names, or not compared for a reason; the rest is unexplained.
 */
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { addressText } from '../../../src/core/minter/addresses.ts'
import type { World } from '../../../src/core/minter/context.ts'
import type { Ruled } from '../../../src/core/minter/dialect.ts'
import { reasonOfMoreCalls } from './call-rules.ts'
import { RecordedChain } from './chain.ts'
import { RecordedChecker } from './checker.ts'
import type { Readable, Recording, Step } from './format.ts'
import { field, NotUnderstood, principalOf, timeOf } from './format.ts'
import { guardOf, isPrincipalInside } from './guards.ts'
import { InStep, isWriting } from './in-step.ts'
import type { Judged, Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { LedgerSide, ledgerCodec } from './ledger-side.ts'
import { MinterSide, recordedCodec, Signer } from './minter-side.ts'
import { OurCalls } from './our-calls.ts'
import type { Outcome } from './outcome.ts'
import { ANSWERED, recordedOutcome } from './outcome.ts'
import { isSame } from './readable.ts'
import { archivesOf, callsOf } from './recorded-calls.ts'
import type { Facts } from './rules.ts'
import { DONATION, UNCOMPARED } from './rules.ts'

const FEE_PERCENTILES = 'bitcoin_get_current_fee_percentiles'
const MINUTE_NS = 60n * NS_PER_SECOND

export class Player {
  readonly #recording: Recording
  readonly #calls = new OurCalls()
  readonly #checker = new RecordedChecker(this.#calls)
  readonly #signer: Signer
  readonly verdicts: Verdict[] = []
  chain = new RecordedChain(this.#calls)
  readonly ledger: LedgerSide
  readonly minter: MinterSide
  readonly #inStep: InStep
  #now: TimestampNs
  #isLedgerApart = false
  #section = 'start'
  #place = 0
  /** The step that it could not play. */
  stoppedAt: number | undefined

  constructor(recording: Recording, settings: Ruled) {
    this.#recording = recording
    this.#now = timeOf(recording.start)
    const { master_secret = '01' } = recording.ecdsa ?? {}
    this.#signer = new Signer(master_secret, this.#id('minter'))
    this.minter = new MinterSide(this.#id('minter'), this.#signer, settings)
    this.ledger = new LedgerSide(this.#id('ledger'), this.#calls, archivesOf(recording))
    this.#inStep = new InStep(this.#id('minter'), this.ledger, (what, judged) =>
      this.#judge(what, judged),
    )
  }

  /** A canister of the recording, or the person who plays one. */
  #id(name: string): Principal {
    const { people, canisters } = this.#recording
    if (people[name] === undefined && canisters[name] === undefined)
      throw new NotUnderstood(`a recording without ${name}`)
    return principalOf(this.#recording, name)
  }

  /** Why our minter holds other requests or coins than the recorded one. */
  get diverged(): string | undefined {
    return this.#inStep.diverged
  }

  get root() {
    return this.#signer.root
  }

  play(): readonly Verdict[] {
    for (const [place, step] of this.#recording.steps.entries()) {
      this.#place = place
      this.#section = step.g ?? this.#section
      try {
        this.#play(step)
      } catch (error) {
        if (!(error instanceof Error)) throw error
        const reason = `the player stopped: ${error.message}`
        this.#judge(nameOf(step), { kind: 'unexplained', reason, ours: error.stack })
        this.stoppedAt = place
        return this.verdicts
      }
    }
    return this.verdicts
  }

  #judge(what: string, judged: Judged): void {
    this.verdicts.push({ section: this.#section, place: this.#place, what, ...judged })
  }

  #world(now = this.#now): World {
    const { checkFee } = this.#facts()
    const ledger = this.ledger.port({ minter: this.#id('minter'), now, checkFee })
    return { now, ports: { ledger, bitcoin: this.chain, checker: this.#checker } }
  }

  #play(step: Step): void {
    this.#checker.listen(step.calls ?? [])
    this.chain.isAsked = (step.calls ?? []).some(({ m }) => m === FEE_PERCENTILES)
    switch (step.op) {
      case 'install':
      case 'upgrade':
        this.#change(step)
        return
      case 'u':
      case 'q':
        this.#call(step)
        return
      case 'together':
        this.#together(step)
        return
      case 'wait':
        this.#wait(step, until(step))
        return
      case 'jump':
        this.#jump(step)
        return
      case 'world':
        this.#worldChanges(step)
        return
      case 'repeat':
        this.#repeat(step)
        return
      default:
        throw new NotUnderstood(`a step of op "${step.op}"`)
    }
  }

  /** Installs and upgrades; what is refused leaves everything as it was. */
  #change(step: Step): void {
    this.#moveClock(step)
    const world = () => this.#world()
    const isInstall = step.op === 'install'
    let ours: Outcome
    if (step.c === 'ledger') {
      if (isInstall) this.#newWorld()
      ours = isInstall ? this.ledger.install(step, this.#now) : this.ledger.upgrade(step)
    } else if (step.c === 'minter') {
      const network = networkOfInit(step)
      if (isInstall && network !== undefined) this.chain.network = network
      ours = isInstall
        ? this.minter.install(step, this.#now, world)
        : this.minter.upgrade(step, this.#now, world)
    } else if (step.c === 'kyt') {
      this.#judge(nameOf(step), { kind: 'uncompared', reason: 'the checker is played' })
      return
    } else throw new NotUnderstood(`${step.op} of a canister "${step.c}"`)
    const recorded: Outcome = step.x ?? ANSWERED
    const compared = { step, recorded, ours, facts: this.#facts() }
    this.#judge(nameOf(step), judge(compared))
    this.#calls.take()
  }

  /** A new ledger begins a new story: no coin of the one before is there. */
  #newWorld(): void {
    const { rates } = this.chain
    this.chain = new RecordedChain(this.#calls)
    this.chain.rates = rates
    this.#inStep.diverged = undefined
    this.#isLedgerApart = false
    this.chain.told = rates
    this.#checker.reset()
  }

  #facts(): Facts {
    const minterId = textOfPrincipal(this.#id('minter'))
    const facts = {
      minterId,
      isSendingDown: this.chain.sendTransaction.type !== 'normal',
      diverged: this.#inStep.diverged,
      ledgerApart: this.ledger.apart,
    }
    if (!this.minter.isInstalled) return { ...facts, mainAddress: '', checkFee: 0n, network: '' }
    const { config, volatile } = this.minter.minter.state
    const mainScript = volatile.root?.mainScript
    return {
      ...facts,
      mainAddress: mainScript === undefined ? '' : addressText(mainScript, config.network),
      checkFee: config.checkFee,
      network: config.network,
    }
  }

  #moveClock({ t }: Step): void {
    if (t !== undefined) this.#now = timeOf(t)
  }

  #call(step: Step): void {
    this.#moveClock(step)
    const ours = this.#answer(step)
    const judged = this.#judgeCall(step, ours)
    this.#compareCalls(step, judged.kind !== 'equal' || isShortened(step))
  }

  #answer(step: Step, callsOverlap = false): Outcome {
    const caller = principalOf(this.#recording, step.as)
    if (step.c === 'minter')
      return this.minter.answer(step, caller, { ...this.#world(), callsOverlap })
    if (step.c === 'kyt') return ANSWERED
    return this.ledger.answer(step, { id: this.#canister(step), caller, now: this.#now })
  }

  /** The ledger or one of its archives. */
  #canister({ c }: Step): Principal {
    const id = attempt(() => principalOf(this.#recording, c))
    if (id instanceof BadEncoding) throw new NotUnderstood(`a call of a canister "${c}"`)
    return id
  }

  #judgeCall(step: Step, ours: Outcome): Judged {
    const judged = this.#judgedCall(step, ours)
    this.#judge(nameOf(step), judged)
    if (judged.diverges === true) this.#inStep.diverged ??= judged.reason
    if (judged.isCarriedOut === true) this.#carryOut(step)
    return judged
  }

  #carryOut(step: Step): void {
    const caller = principalOf(this.#recording, step.as)
    const cut = JSON.stringify(step.in ?? null).replace(
      /("subaccount":"[0-9a-f]{64})[0-9a-f]*/g,
      '$1',
    )
    this.ledger.instead(step.m ?? '', JSON.parse(cut) as Readable, caller, this.#now)
  }

  #judgedCall(step: Step, ours: Outcome): Judged {
    const { c, m = '' } = step
    const reason = UNCOMPARED.get(m)
    if (reason !== undefined) return { kind: 'uncompared', reason }
    if (c === 'kyt') return { kind: 'uncompared', reason: 'the checker is played' }
    const codec = c === 'minter' ? recordedCodec(m) : ledgerCodec(m, c)
    if (codec === undefined && step.x === undefined) return unknownMethod(m)
    const recorded = this.chain.translated(recordedOutcome(step, codec))
    return judge({ step, recorded, ours, facts: this.#facts() })
  }

  /**
   * All arrive at once: who has come to a call of its own is inside until all have arrived. The
   * guards of that release were by principal: whoever comes under a principal that is inside finds
   * its own account inside.
   */
  #together(step: Step): void {
    this.#moveClock(step)
    let isDifferent = false
    for (const part of step.parts ?? []) {
      const full: Step = { ...part, op: part.op ?? 'u' }
      const guard = guardOf(this.#recording, full)
      const inside = guard === undefined ? undefined : this.minter.inside[guard.kind]
      const isOther = guard !== undefined && isPrincipalInside(inside, guard)
      if (isOther) inside?.add(guard.account)
      const ours = this.#answer(full, true)
      if (isOther) inside?.delete(guard.account)
      if (this.#judgeCall(full, ours).kind !== 'equal') isDifferent = true
    }
    if (this.minter.isInstalled) this.minter.endSlot()
    this.#compareCalls(step, isDifferent)
  }

  #wait(step: Step, end: TimestampNs): void {
    this.minter.wait(end, (now) => this.#world(now), this.#now)
    this.#now = end
    this.#compareCalls(step, false)
  }

  #jump(step: Step): void {
    const end = until(step)
    this.#now = timestampNs(end - MINUTE_NS)
    if (this.minter.isInstalled) this.minter.tickLate(this.#world())
    this.#wait(step, end)
  }

  #worldChanges(step: Step): void {
    this.#moveClock(step)
    if (step.what === 'stop' || step.what === 'start') {
      const isStopped = step.what === 'stop'
      if (step.c === 'ledger') this.ledger.isStopped = isStopped
      else if (step.c === 'minter') this.minter.isStopped = isStopped
      else if (step.c === 'kyt') this.#checker.isStopped = isStopped
      else this.ledger.stopArchive(this.#canister(step), isStopped)
      return
    }
    if (step.what === 'kyt') {
      this.#checker.change(step)
      return
    }
    if (!this.chain.change(step)) throw new NotUnderstood(`a world step of "${step.what}"`)
    this.#checker.tainted = this.chain.tainted
    if (step.what === 'coin' && field(step, 'address') === this.#facts().mainAddress)
      this.#inStep.diverged ??= DONATION
    if (this.minter.isInstalled && CHAIN_CHANGES.has(step.what ?? ''))
      this.minter.bitcoinChanged(this.#world())
  }

  #repeat(step: Step): void {
    const { count, times = count, steps } = step as { readonly [field: string]: unknown }
    // Its parts, or the call that it is itself.
    const parts = step.parts ?? (steps as readonly Step[] | undefined) ?? callsOfRepeat(step)
    if (parts.length === 0 || typeof times !== 'number')
      throw new NotUnderstood(`repeat: ${step.n ?? JSON.stringify(step)}`)
    for (let round = 0; round < times; round++)
      for (const part of parts) this.#play({ ...part, op: part.op ?? 'u' })
  }

  /**
   * The newest block of the ledger: by it every block before, each with its memo and time. One
   * difference is in all that come later, so the first is the last that is judged.
   */
  #compareCertified({ cd, op }: Step): void {
    const recorded = field(cd, 'ledger')
    if (recorded === undefined || this.#isLedgerApart || this.diverged !== undefined) return
    const ours = this.ledger.certifiedOfThen()
    this.#isLedgerApart = ours !== recorded
    const what = 'certified data of the ledger'
    if (ours === recorded) this.#judge(what, { kind: 'equal' })
    else if (this.ledger.apart !== undefined)
      this.#judge(what, { kind: 'different', reason: this.ledger.apart, recorded, ours })
    else if (op === 'wait' || op === 'jump')
      this.#judge(what, { kind: 'different', reason: 'rounds are planned today', recorded, ours })
    else this.#judge(what, { kind: 'unexplained', recorded, ours })
  }

  /** Compares what the two minters asked of others, and keeps the ledger in step. */
  #compareCalls(step: Step, isDifferent: boolean): void {
    const ours = this.#calls.take()
    if (isShortened(step)) {
      this.#compareCertified(step)
      return
    }
    const recorded = (step.calls ?? []).flatMap((call) => callsOf(call, this.chain))
    this.#inStep.compareLedger({ recorded, ours }, isDifferent, this.#now)
    this.#inStep.compareSent({ recorded, ours }, this.chain)
    this.#compareCertified(step)
    if (step.op === 'wait' || step.op === 'jump' || isDifferent) return
    const asked = [...recorded, ...ours].filter((call) => !isWriting(call))
    for (const m of new Set(asked.map((call) => call.m))) {
      const [theirs, our] = [recorded, ours].map((calls) =>
        calls.filter((call) => call.m === m).map((call) => ({ in: call.in, out: call.out })),
      )
      const what = `${nameOf(step)}: calls of ${m}`
      const reason = reasonOfMoreCalls(step, m)
      if (isSame(theirs, our)) this.#judge(what, { kind: 'equal' })
      else if (reason !== undefined && theirs?.length === 0)
        this.#judge(what, { kind: 'different', reason })
      else this.#judge(what, { kind: 'unexplained', recorded: theirs, ours: our })
    }
  }
}

/** World steps that bring a block, or stand for one. */
const CHAIN_CHANGES: ReadonlySet<string> = new Set(['coin', 'coins', 'tip', 'mine'])

const until = ({ t, op }: Step): TimestampNs => {
  if (t === undefined) throw new NotUnderstood(`${op} without a time`)
  return timeOf(t)
}

const callsOfRepeat = (step: Step): readonly Step[] =>
  step.m === undefined ? [] : [{ ...step, op: 'u' }]

const unknownMethod = (m: string): Judged => ({
  kind: 'unexplained',
  reason: `no method "${m}" is known here`,
})

const nameOf = ({ op, c = '', m = '', n = '', what }: Step): string =>
  [op, String(what ?? ''), c, m, n].filter((word) => word !== '').join(' ')

/** The answer was too long to keep; so were the calls. */
const isShortened = ({ op, r, x }: Step): boolean =>
  (op === 'u' || op === 'q') && r === undefined && x === undefined

const NETWORKS = { Mainnet: 'mainnet', Testnet: 'testnet', Regtest: 'regtest' } as const

function networkOfInit(step: Step) {
  const [name] = Object.keys(Object(field(field(step.in, 'Init'), 'btc_network')))
  return name === undefined ? undefined : NETWORKS[name as keyof typeof NETWORKS]
}
