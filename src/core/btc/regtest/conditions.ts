/**
 * The open IFs of a script, in constant time and space for any depth: tapscript limits neither.
 * Source: Bitcoin Core ConditionStack.
 */

/** Only how deep the outermost branch that does not run lies matters: all inside it is skipped. */
export class Conditions {
  #depth = 0
  #firstFalse: number | undefined

  get depth(): number {
    return this.#depth
  }
  /** Whether the current branch, and every one around it, runs. */
  get running(): boolean {
    return this.#firstFalse === undefined
  }
  open(runs: boolean): void {
    if (!runs) this.#firstFalse ??= this.#depth
    this.#depth += 1
  }
  /** ELSE. Inside a branch that is skipped anyway it changes nothing. */
  toggle(): void {
    const innermost = this.#depth - 1
    if (this.#firstFalse === undefined) this.#firstFalse = innermost
    else if (this.#firstFalse === innermost) this.#firstFalse = undefined
  }
  close(): void {
    this.#depth -= 1
    if (this.#firstFalse === this.#depth) this.#firstFalse = undefined
  }
}
