/**
 * A subnet of seven of which two nodes are killed and one lies: users are served all the same, and
 * the log names who lied and how; with three gone everything waits, says for whom, and is done
 * after. By the built program alone. Source: cli §5.16, threshold §22.4.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Home } from '../support/e2e-home.ts'
import type { Dice } from './dice.ts'
import type { Fault } from './faults.ts'

export const NODES = 7
const TOLERATED = 2
const BITCOIN = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
/** Messages that are signed until a liar is found out: each takes a presignature, and makes one. */
const SIGNATURES_MAX = 30
const AMOUNT_SAT = 1_000_000
const LOOK_MS = 200
const LOOKS_MAX = 600
/** Looks at a subnet in which nothing must happen. */
const LOOKS = 3

export type Played = {
  readonly name: string
  readonly killed: readonly number[]
  readonly liar: number | undefined
  /** What the liar was blamed for. */
  readonly blamed: readonly string[]
  readonly seconds: number
  /** What is not as it must be, in words; empty in a sound subnet. */
  readonly wrong: readonly string[]
}

type LogLine = { readonly at: string; readonly level: string; readonly text: string }

export class FaultyNodes {
  readonly home = new Home()
  readonly #dice: Dice
  #transfers = 0
  /** Of this round and the one before: what they said is still found out. */
  #liars: readonly number[] = []
  #wrong: string[] = []

  constructor(dice: Dice) {
    this.#dice = dice
  }

  start(isolation: string): void {
    const options = `--isolation ${isolation} --min-confirmations 1`
    this.home.json(`subnet start --nodes ${NODES} ${options} --set minter.max-time-in-queue=1s`)
  }

  /** Kills nodes, has another one lie, trades, ends and heals nodes meanwhile. */
  async play(fault: Fault): Promise<Played> {
    const start = performance.now()
    const since = Date.now()
    const [liar = 0, ...others] = this.#shuffled()
    const killed = others.slice(0, fault.killed)
    this.#liars = [...this.#liars.slice(-1), liar]
    this.#run(`subnet kill-node ${killed.join(' ')}`)
    this.#run(`subnet corrupt-node ${liar} --fault ${fault.option}`)
    this.#trade()
    // Who comes back has missed slots, and takes the place of one who goes.
    const [first = 0] = killed
    const next = others[fault.killed] ?? 0
    this.#run(`subnet heal-node ${first}`)
    this.#run(`subnet kill-node ${next}`)
    this.#trade()
    if (fault.killed < TOLERATED) await this.#waitForTheLiar(fault, { liar, another: first })
    const blamed = this.#untilBlamed(fault, { liar, since })
    this.#heal()
    this.#judgeLog(since)
    return this.#played(fault.kind, { killed: [...killed, next], liar, blamed, start })
  }

  /** One more than is tolerated: a transfer waits, it is said for whom, and it is done once. */
  async playTooManyDown(): Promise<Played> {
    const [start, since] = [performance.now(), Date.now()]
    const killed = this.#shuffled()
      .slice(0, TOLERATED + 1)
      .toSorted((a, b) => a - b)
    this.#run(`subnet kill-node ${killed.join(' ')}`)
    const transfer = this.#startTransfer()
    const waits = await this.#until(() => this.#run('subnet status').waiting?.calls === 1)
    if (!waits) this.#wrong.push('no call waits')
    const { waiting } = this.#run('subnet status')
    const expected = { nodes_missing: 1, nodes_down: killed }
    const { nodes_missing, nodes_down } = waiting ?? {}
    if (JSON.stringify({ nodes_missing, nodes_down }) !== JSON.stringify(expected))
      this.#wrong.push(`the status says ${JSON.stringify(waiting)}`)
    this.#heal()
    await transfer
    this.#trade()
    this.#judgeLog(since)
    return this.#played('too many down', { killed, liar: undefined, blamed: [], start })
  }

  /** Nothing was lost over all rounds. */
  judgeReserves(): readonly string[] {
    const { verdict } = this.#run('verify-reserves')
    return verdict === 'backed' ? [] : [`reserves: ${verdict}`]
  }

  #played(
    name: string,
    { start, ...facts }: Omit<Played, 'name' | 'seconds' | 'wrong'> & { readonly start: number },
  ): Played {
    const wrong = this.#wrong
    this.#wrong = []
    return { name, ...facts, seconds: Math.round((performance.now() - start) / 1_000), wrong }
  }

  #shuffled(): readonly number[] {
    const left = Array.from({ length: NODES }, (_, i) => i + 1)
    return Array.from({ length: NODES }, () =>
      left.splice(this.#dice.between(0, left.length - 1), 1),
    ).flat()
  }

  // biome-ignore lint/suspicious/noExplicitAny: readers name what they read.
  #run(line: string): any {
    return this.home.json(line)
  }

  #trade(): void {
    this.#run('deposit --faucet 0.1btc --key dev0')
    this.#transfers += 1
    this.#run('transfer 0.01ckbtc --key dev0 --to dev1')
    const redeemed = this.#run(`redeem 0.05btc --key dev0 --to ${BITCOIN}`)
    if (redeemed.state !== 'done') this.#wrong.push(`a redemption is ${redeemed.state}`)
    this.#judgeTransfers()
  }

  #hasAll(): boolean {
    return this.#run('balance --key dev1').accounts[0].balance_sat === this.#transfers * AMOUNT_SAT
  }

  #judgeTransfers(): void {
    if (!this.#hasAll()) this.#wrong.push(`dev1 has not got ${this.#transfers} transfers`)
  }

  /** Resolves when it is done: who waits for long is told to look what became of it. */
  async #startTransfer(): Promise<void> {
    this.#transfers += 1
    const { end } = this.home.start('transfer 0.01ckbtc --key dev0 --to dev1 --json')
    const { exit, out } = await end
    if (exit !== 0 && JSON.parse(out).error.code !== 'OPERATION_UNKNOWN')
      this.#wrong.push(`a transfer that had to wait: ${out}`)
    await this.#until(() => this.#hasAll())
    this.#judgeTransfers()
  }

  /** As many killed as are tolerated, and one more of no use: what waits for it is done at last. */
  async #waitForTheLiar(
    { kind }: Fault,
    { liar, another }: { readonly liar: number; readonly another: number },
  ): Promise<void> {
    this.#run(`subnet kill-node ${another}`)
    let isDone = false
    const transfer = this.#startTransfer().then(() => {
      isDone = true
    })
    for (let look = 0; look < LOOKS; look++) {
      await pause(LOOK_MS)
      this.#run('subnet status')
    }
    if (isDone) this.#wrong.push('fewer than n - f nodes have ordered a transfer')
    // Who has contradicted itself is no help before the log takes it in again (threshold §18.4).
    this.#run(`subnet heal-node ${kind === 'equivocate' ? another : liar}`)
    await transfer
  }

  #untilBlamed(
    { kind, option, reasons }: Fault,
    { liar, since }: { readonly liar: number; readonly since: number },
  ): readonly string[] {
    const blamed = (): readonly string[] => [
      ...new Set(
        this.#blame(since).flatMap(({ culprit, reason }) => (culprit === liar ? reason : [])),
      ),
    ]
    if (reasons === undefined) {
      if (blamed().length > 0) this.#wrong.push(`${kind} is blamed for ${blamed()}`)
      return []
    }
    const isFound = (): boolean => blamed().some((reason) => reasons.includes(reason))
    if (isFound()) return blamed()
    // All the others are up, so that presignatures are made whatever one of them deals.
    this.#run('subnet heal-node --all')
    this.#run(`subnet corrupt-node ${liar} --fault ${option}`)
    for (let i = 0; i < SIGNATURES_MAX; i++) {
      if (isFound()) return blamed()
      this.#run(`signer sign --hash ${'ab'.repeat(32)}`)
    }
    this.#wrong.push(`node ${liar} is not blamed for ${reasons.join(' or ')}, but ${blamed()}`)
    return blamed()
  }

  #heal(): void {
    this.#run('subnet heal-node --all')
    const { nodes } = this.#run('subnet nodes')
    for (const { id, state, lie } of nodes)
      if (state !== 'up' || lie !== null) this.#wrong.push(`node ${id} is ${state}, lies: ${lie}`)
    // In these slots the log takes a node in again that has contradicted itself.
    for (let slot = 0; slot < 3; slot++) this.#run(`signer sign --hash ${'cd'.repeat(32)}`)
  }

  #lines(since: number): readonly LogLine[] {
    const { out } = this.home.run('subnet logs --json')
    return out
      .split('\n')
      .flatMap((line): LogLine[] => (line === '' ? [] : [JSON.parse(line).data]))
      .filter(({ at }) => Date.parse(at) >= since)
  }

  #blame(since: number): readonly { readonly culprit: number; readonly reason: string }[] {
    return this.#lines(since).flatMap(({ text }) => {
      const [, culprit, reason] = /^node (\d+) is at fault: (\w+)/.exec(text) ?? []
      return reason === undefined ? [] : [{ culprit: Number(culprit), reason }]
    })
  }

  /** Blame for liars alone, and no errors. */
  #judgeLog(since: number): void {
    for (const { culprit, reason } of this.#blame(since))
      if (!this.#liars.includes(culprit))
        this.#wrong.push(`node ${culprit}, which is honest, is blamed: ${reason}`)
    for (const { level, text } of this.#lines(since))
      if (level === 'error') this.#wrong.push(`in the log: ${text}`)
  }

  async #until(isSo: () => boolean): Promise<boolean> {
    for (let look = 0; look < LOOKS_MAX; look++) {
      if (isSo()) return true
      await pause(LOOK_MS)
    }
    return false
  }
}
