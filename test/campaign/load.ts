/** What users do while the subnet is killed, and what they were told. Source: cli §§5.3, 5.5, 5.7. */
import { setTimeout as pause } from 'node:timers/promises'
import { CanisterRefused, Problem } from '../../src/core/base/errors.ts'
import { tokens } from '../../src/core/base/units.ts'
import { systemClock } from '../../src/host/clock.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { Dice } from './dice.ts'
import type { AnsweredBlock } from './shown-blocks.ts'
import type { Live } from './target.ts'

const DEPOSIT_SAT = { least: 200_000, most: 2_000_000 } as const
const TRANSFER_SAT = { least: 1, most: 1_000 } as const
const REDEMPTION_SAT = { least: 50_000, most: 90_000 } as const
const BETWEEN_DEPOSITS_MS = 700
const AFTER_REFUSAL_MS = 200
const TRANSFERRERS = 3

/** Answers that must never be lost. */
export type Answered = AnsweredBlock | { readonly type: 'deposit'; readonly txid: string }

export class Load {
  readonly answered: Answered[] = []
  /** Refusals, which are answers too, and failures that no kill explains. */
  readonly refused = new Map<string, number>()
  readonly failures: string[] = []
  readonly #live: Live
  readonly #dice: Dice
  readonly #running: Promise<unknown>
  #killed = false

  constructor(live: Live, dice: Dice, address: string) {
    this.#live = live
    this.#dice = dice
    this.#running = Promise.all([
      this.#loop(() => this.#deposit(address)),
      this.#loop(() => this.#redeem()),
      ...Array.from({ length: TRANSFERRERS }, () => this.#loop(() => this.#transfer())),
    ])
  }

  /** The kill is about to come: what fails from now on is forgiven. */
  expectKill(): void {
    this.#killed = true
  }

  /** Every loop has noticed. */
  async end(): Promise<void> {
    await this.#running
  }

  async #loop(act: () => Promise<void>): Promise<void> {
    while (!this.#killed) {
      try {
        await act()
      } catch (error) {
        await this.#note(error)
      }
    }
  }

  async #note(error: unknown): Promise<void> {
    if (error instanceof CanisterRefused) {
      this.refused.set(error.message, (this.refused.get(error.message) ?? 0) + 1)
      await pause(AFTER_REFUSAL_MS)
    } else if (!this.#killed) {
      const text = error instanceof Problem ? `${error.code}: ${error.message}` : String(error)
      this.failures.push(`failed while the subnet ran: ${text}`)
      await pause(AFTER_REFUSAL_MS)
    }
  }

  async #deposit(to: string): Promise<void> {
    const amountSat = this.#dice.between(DEPOSIT_SAT.least, DEPOSIT_SAT.most)
    const asked = { amountSat, to, outputs: 1, mine: true }
    const { txid } = await this.#live.control.ask('faucet', asked)
    this.answered.push({ type: 'deposit', txid })
    await pause(BETWEEN_DEPOSITS_MS)
  }

  async #transfer(): Promise<void> {
    const amount = BigInt(this.#dice.between(TRANSFER_SAT.least, TRANSFER_SAT.most))
    const transfer = { to: { owner: devUser(1).principal }, amount, createdAtTime: systemClock() }
    const blockIndex = await this.#live.canisters.transfer(transfer)
    const from = { owner: devUser(0).principal }
    const transaction = { ...transfer, type: 'transfer', from, amount: tokens(amount) } as const
    this.answered.push({ type: 'transfer', blockIndex, amount, transaction })
  }

  async #redeem(): Promise<void> {
    const amount = BigInt(this.#dice.between(REDEMPTION_SAT.least, REDEMPTION_SAT.most))
    const { address } = regtestWallet('recipient')
    const asked = { address, amount, now: systemClock() }
    const blockIndex = await this.#live.canisters.redeem(asked)
    this.answered.push({ type: 'burn', blockIndex, amount })
  }
}
