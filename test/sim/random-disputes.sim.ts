/**
 * Goal: whatever f liars deal, complain about and open, honest nodes have their keys, their
 * presignatures and all their shares in the end, blame nobody else, and open nothing of each other.
 * Method: threshold specification §§10, 22.3. Whole signers over the sequencer; messages overtake
 * each other, nodes start again with messages lost. Liars deal bad shares to random receivers (too
 * many at times, so that nobody vouches), falsify or withhold what they open, and complain in their
 * own name with what they heard of others. `SEED=…` repeats one run.
 */
import { describe, expect, it } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import { mod } from '../../src/core/base/group.ts'
import { KEY_SCHEMES } from '../../src/core/base/key-scheme.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import type { SignedComplaint } from '../../src/core/tecdsa/dispute.ts'
import { complaintContent, openingContent } from '../../src/core/tecdsa/dispute.ts'
import { lanePrefix } from '../../src/core/tecdsa/evidence.ts'
import type { Lane, SignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeOpening, encodeOpening } from '../../src/core/tecdsa/object-codec.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { inLane } from '../support/lanes.ts'
import { LyingDealer, lateNet } from '../support/lying-dealer.ts'
import { Random } from '../support/random.ts'
import { MAIN_KEY, SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, request } from '../support/signer-story.ts'

type OpeningMessage = Extract<SignerMessage, { readonly type: 'opening' }>

class Run {
  readonly net: SignerNet
  readonly liars: readonly NodeIndex[]
  readonly honest: readonly NodeIndex[]
  readonly random: Random
  /** Openings that honest nodes sent: who opened, of whose dealing. */
  readonly opened: { readonly from: NodeIndex; readonly dealer: NodeIndex; readonly id: string }[] =
    []

  constructor(nodes: number, seed: string) {
    this.random = new Random(seed)
    const all = Array.from({ length: nodes }, (_, i) => i)
    this.liars = this.random.shuffle(all).slice(0, faultyMax(nodes))
    this.honest = all.filter((node) => !this.liars.includes(node))
    const { net: held, build } = lateNet()
    const dealers = this.liars.map((liar) => {
      const victims = (): readonly NodeIndex[] =>
        this.random.shuffle(all).slice(0, this.random.below(faultyMax(nodes) + 2))
      const dealsProducts = this.random.oneIn(2)
      return new LyingDealer({ net: held, liar, victims, dealsProducts })
    })
    this.net = new SignerNet({
      nodes,
      seed,
      next: (count) => this.random.below(count),
      build: (net) => {
        build(net)
        net.watch = (message) => this.#watch(message)
      },
      tamper: (from, to, message) => {
        let sent: SignerMessage | undefined = message
        for (const { tamper } of dealers) sent = sent && tamper(from, to, sent)
        if (this.liars.includes(to) && sent?.type === 'complaint')
          this.#copy(held(), to, sent.lane, sent.signed)
        return sent !== undefined && this.liars.includes(from) && from !== to
          ? this.#lie(held(), from, sent)
          : sent
      },
    })
  }

  #watch(message: SignerMessage & { readonly from: NodeIndex }): void {
    if (!this.honest.includes(message.from)) return
    if (message.type !== 'opening') return
    const { transcriptId, dealer, complainer } = message.signed
    const id = `${message.lane}/${transcriptId}/${complainer}`
    this.opened.push({ from: message.from, dealer, id })
  }

  #lie(net: SignerNet, liar: NodeIndex, message: SignerMessage): SignerMessage | undefined {
    if (message.type === 'opening') {
      const falsified = inLane(message.lane, (suite) =>
        this.#falsified(suite, { net, liar, message }),
      )
      return [undefined, message, falsified][this.random.below(3)]
    }
    return message.type === 'support' && this.random.oneIn(3) ? undefined : message
  }

  #falsified<P>(
    suite: Suite<P>,
    { net, liar, message }: { net: SignerNet; liar: NodeIndex; message: OpeningMessage },
  ): SignerMessage {
    const opening = decodeOpening(suite, message.signed.opening)
    const value = mod(opening.value + 1n, suite.group.order)
    const statement = { ...message.signed, opening: encodeOpening(suite, { ...opening, value }) }
    const content = openingContent(lanePrefix(net.genesis, suite.algorithm), statement)
    return {
      ...message,
      signed: { ...statement, signature: net.keysOf(liar).sign('opening', content) },
    }
  }

  /** The complaint of another node in the liar's name, about this or something else. */
  #copy(net: SignerNet, liar: NodeIndex, lane: Lane, heard: SignedComplaint): void {
    const { random } = this
    if (!random.oneIn(3)) return
    const statement = {
      ...heard,
      transcriptId: random.pick([heard.transcriptId, BigInt(random.below(40))]),
      dealer: random.pick([heard.dealer, random.below(this.honest.length + this.liars.length)]),
    }
    const algorithm = inLane(lane, (suite) => suite.algorithm)
    const content = complaintContent(lanePrefix(net.genesis, algorithm), statement)
    const signature = net.keysOf(liar).sign('complaint', content)
    const message = { type: 'complaint', lane, signed: { ...statement, signature } } as const
    net.take(liar, [{ type: 'send', to: 'all', message }])
  }

  /** Some nodes start again in between, one after the other. */
  play(): void {
    for (let restarts = 0; restarts < 4; restarts++) {
      let steps = 50 + this.random.below(600)
      this.net.run(() => --steps < 0)
      const node = this.random.below(this.honest.length + this.liars.length)
      this.net.stop(node)
      this.net.start(node)
    }
    this.net.settle()
  }
}

const { SEED } = process.env
const seeds = SEED === undefined ? [5, 6, 7] : [Number(SEED)]
const cases = seeds.map((seed) => ({ seed, nodes: [4, 5, 7][seed % 3] ?? 4 }))

describe('with f random liars', () => {
  it.each(cases)('$nodes nodes of seed $seed recover and sign', ({ seed, nodes }) => {
    const run = new Run(nodes, `disputes ${seed}`)
    const { net, honest, liars } = run
    run.play()
    expect(run.opened).not.toEqual([])
    for (const node of honest) expect(net.signer(node).stock).toBe(1)
    const asked = request('in the end', MAIN_KEY, run.random.pick(KEY_SCHEMES))
    net.ask(asked)
    net.settle()
    expectValid(net, asked, present(honest[0], 'an honest node'))
    expectCertifies(net, honest)
    const shares = honest.map((node) => net.signer(node).certificationShare(new Uint8Array(32)))
    expect(shares.every((share) => share !== undefined)).toBe(true)
    const blamed = net.faults.filter(({ seenBy }) => honest.includes(seenBy))
    expect(blamed.filter(({ culprit }) => !liars.includes(culprit))).toEqual([])
    expect(run.opened.filter(({ dealer }) => !liars.includes(dealer))).toEqual([])
  })
})
