/**
 * The rate below which a full mempool takes nothing: raised by each eviction, halved as time goes
 * by. Source: RN-7, `docs/spec/bitcoin.md` §10.6 (dynamic minimum), as in Core 28.
 */
import { INCREMENTAL_RATE_SAT_PER_KVB } from './replacement.ts'

const HALF_LIFE_S = 12 * 3_600
/** Between two steps of the decline. */
const STEP_S = 10

export class MinimumRate {
  #rate = 0
  #updated = 0
  /** It declines only once a block has made room. */
  #declines = false

  /** What was evicted paid this rate: the next one has to pay more. */
  raise(evictedSatPerKvb: bigint): void {
    const rate = Number(evictedSatPerKvb + INCREMENTAL_RATE_SAT_PER_KVB)
    if (rate <= this.#rate) return
    this.#rate = rate
    this.#declines = false
  }

  blockCame(nowSeconds: number): void {
    this.#updated = nowSeconds
    this.#declines = true
  }

  /** `usage`: how full the mempool is, 0 to 1; the emptier, the faster the decline. */
  at(nowSeconds: number, usage: number): bigint {
    if (!this.#declines || this.#rate === 0) return BigInt(Math.round(this.#rate))
    if (nowSeconds > this.#updated + STEP_S) {
      const halfLife = HALF_LIFE_S / (usage < 0.25 ? 4 : usage < 0.5 ? 2 : 1)
      this.#rate /= 2 ** ((nowSeconds - this.#updated) / halfLife)
      this.#updated = nowSeconds
      if (this.#rate < Number(INCREMENTAL_RATE_SAT_PER_KVB) / 2) {
        this.#rate = 0
        return 0n
      }
    }
    const rate = BigInt(Math.round(this.#rate))
    return rate > INCREMENTAL_RATE_SAT_PER_KVB ? rate : INCREMENTAL_RATE_SAT_PER_KVB
  }
}
