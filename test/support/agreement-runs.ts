/**
 * Two ways to play one agreement: chance with liars, and a scheduler that keeps honest nodes apart
 * with the coin, which it learns with the first share. Source: threshold §§17.3, 22.4.
 */
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Bit } from '../../src/core/log/coin.ts'
import type { BitSet } from '../../src/core/log/vote.ts'
import { setOf } from '../../src/core/log/vote.ts'
import type { Sent } from './agreement-net.ts'
import { AgreementNet, anyVote } from './agreement-net.ts'
import { Wrong } from './log-checker.ts'

/** No run needs as many: it is one that does not end. */
const ROUNDS_MAX = 60

/** Any order; liars say any votes to anybody at any time, `term` early among them. */
export function playByChance(nodes: number, seed: number): AgreementNet {
  const net = new AgreementNet(nodes, `agreement/${nodes}/${seed}`)
  const { random, liars, honest } = net
  const isUnanimous = random.oneIn(3)
  const all: Bit = random.oneIn(2) ? 1 : 0
  const late = [...honest]
  if (random.oneIn(2))
    for (const from of liars)
      for (const to of honest) net.lie(from, to, { type: 'term', value: all === 1 ? 0 : 1 })
  for (let lies = nodes * random.pick([0, 10, 40]); ; ) {
    const node = late.at(-1)
    if (node !== undefined && random.oneIn(5)) {
      late.pop()
      net.input(node, isUnanimous ? all : random.oneIn(2) ? 1 : 0)
    }
    if (lies > 0 && random.oneIn(2)) {
      lies -= 1
      for (const from of liars) net.lie(from, random.pick(honest), anyVote(net.round, random))
    }
    if (!net.deliverAny() && late.length === 0) break
  }
  // Everything has arrived: whoever has not decided and stopped never will.
  for (const node of honest)
    if (!net.party(node).isStopped) throw new Wrong(`node ${node} does not stop`)
  net.check()
  return net
}

/** Rounds until all have decided, against a hostile scheduler and f liars. */
export function playHostile(nodes: number, seed: number): number {
  const net = new AgreementNet(nodes, `hostile/${nodes}/${seed}`)
  const [first, ...rest] = net.honest
  for (const node of rest) net.input(node, 0)
  if (first !== undefined) net.input(first, 1)
  let round = 0
  for (; !net.isDecided && round < ROUNDS_MAX; round++) {
    new HostileRound(net, round).play()
    // What is left of the round comes at last.
    const isLeft = ({ vote }: Sent): boolean => !('round' in vote) || vote.round <= round
    net.deliverWhere(isLeft)
  }
  if (net.isDecided) net.check()
  return round
}

/**
 * Leads one victim to both values, so that it shows the coin, and then all others to the value that
 * the coin is not. Whatever the protocol does not allow it leaves out.
 */
class HostileRound {
  readonly #net: AgreementNet
  readonly #round: number

  constructor(net: AgreementNet, round: number) {
    this.#net = net
    this.#round = round
  }

  play(): void {
    const { honest, liars } = this.#net
    const round = this.#round
    const holders = ([0, 1] as const).map((value) =>
      honest.filter((node) => this.#net.estimate(node, round) === value),
    )
    const [zeros = [], ones = []] = holders
    const major: Bit = ones.length > zeros.length ? 1 : 0
    const [many, few] = major === 1 ? [ones, zeros] : [zeros, ones]
    const minor: Bit = major === 1 ? 0 : 1
    const [lone] = few
    const [leader] = many
    if (lone === undefined || leader === undefined) return
    for (const value of [0, 1] as const)
      this.#lies(honest, { type: 'bval', round, value, isEstimate: true })
    this.#feed(leader, 'bval', major, () => this.#has(leader, 'aux'))
    // A coin known so early tells which of two nodes is to be alone with it.
    if (this.#net.knownCoin(round) === major) this.#divide(leader, minor)
    else this.#split({ lone, firm: many.slice(0, liars.length), many }, major)
  }

  #split(
    {
      lone,
      firm,
      many,
    }: {
      readonly lone: NodeIndex
      readonly firm: readonly NodeIndex[]
      readonly many: readonly NodeIndex[]
    },
    major: Bit,
  ): void {
    const minor: Bit = major === 1 ? 0 : 1
    for (const node of firm) this.#feed(node, 'bval', major, () => this.#has(node, 'aux'))
    for (const node of firm) this.#feed(node, 'bval', minor, () => this.#has(node, 'bval', minor))
    for (const node of many.filter((one) => !firm.includes(one)))
      if (firm.length > 1) this.#feed(node, 'bval', minor, () => this.#has(node, 'bval', minor))
    this.#feed(lone, 'bval', minor, () => this.#has(lone, 'aux'))
    this.#feed(lone, 'bval', major)
    this.#mislead(lone, firm, major)
    this.#divide(lone, minor)
  }

  /** The victim sees both values among aux, and among conf; then it shows its share. */
  #mislead(victim: NodeIndex, firm: readonly NodeIndex[], major: Bit): void {
    const round = this.#round
    this.#lies([victim], { type: 'aux', round, value: major })
    this.#lies([victim], { type: 'conf', round, values: 3 })
    this.#feed(victim, 'aux')
    if (!this.#has(victim, 'conf') || this.#net.knownCoin(round) !== undefined) return
    for (const node of firm) {
      this.#lies([node], { type: 'aux', round, value: major })
      this.#feed(node, 'bval')
      this.#feed(node, 'aux')
    }
    this.#feed(victim, 'conf')
  }

  /** All but the victim are to see nothing but the value that the coin is not. */
  #divide(victim: NodeIndex, minor: Bit): void {
    const round = this.#round
    const { honest } = this.#net
    const coin = this.#net.knownCoin(round)
    const value: Bit = coin === undefined ? minor : coin === 1 ? 0 : 1
    const others = honest.filter((node) => node !== victim)
    for (const node of others) this.#feed(node, 'bval', value)
    this.#lies(others, { type: 'aux', round, value })
    this.#lies(others, { type: 'conf', round, values: setOf(value) })
    for (let turn = 0; turn < 2; turn++)
      for (const node of others) {
        this.#feed(node, 'bval', value)
        this.#feed(node, 'aux', value)
        this.#feed(node, 'conf', setOf(value))
      }
    for (const node of [victim, ...others]) this.#feed(node, 'coin')
  }

  #lies(targets: readonly NodeIndex[], vote: Sent['vote']): void {
    for (const from of this.#net.liars) for (const to of targets) this.#net.lie(from, to, vote)
  }

  #has(node: NodeIndex, type: Sent['vote']['type'], value?: Bit): boolean {
    return this.#net.hasSaid(node, type, this.#round, value)
  }

  /** Delivers votes of one kind, and of one value, to a node. */
  #feed(
    node: NodeIndex,
    type: Sent['vote']['type'],
    value?: Bit | BitSet,
    until?: () => boolean,
  ): void {
    const isChosen = ({ to, vote }: Sent): boolean =>
      to === node &&
      vote.type === type &&
      'round' in vote &&
      vote.round === this.#round &&
      (value === undefined ||
        ('value' in vote && vote.value === value) ||
        ('values' in vote && vote.values === value))
    this.#net.deliverWhere(isChosen, until)
  }
}
