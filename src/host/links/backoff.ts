/** How long a node waits before it dials a peer again. Implements threshold §2.1 "Links". */

export const BACKOFF_MS_MIN = 50
export const BACKOFF_MS_MAX = 5_000

export class Backoff {
  #waitMs = BACKOFF_MS_MIN

  /**
   * `livedMs`: how long the link was up that ended now. One that lasted begins from the shortest wait
   * again; who lets itself be linked only to end the link does not.
   */
  next(livedMs: number): number {
    const waitMs = livedMs >= BACKOFF_MS_MAX ? BACKOFF_MS_MIN : this.#waitMs
    this.#waitMs = Math.min(2 * waitMs, BACKOFF_MS_MAX)
    return waitMs
  }
}
