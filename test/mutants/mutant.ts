/**
 * A mutant: one change of the program that some tests must notice. `test/sim/mutants.md` tells what
 * they are for; `run.ts` tries them.
 */
export type Mutant = {
  /** What is wrong with it, in a few words. */
  readonly name: string
  /** Below `src/core`, or from there: `../wallet/…`. */
  readonly file: string
  /** Stands once in the file. */
  readonly from: string
  readonly to: string
  /** Files below `test`, or `file#words` for the tests whose names hold the words; each goes red. */
  readonly tests: readonly string[]
}

/** The text with the mutant in it; undefined unless what it changes stands there once. */
export function mutated(
  text: string,
  { from, to }: Pick<Mutant, 'from' | 'to'>,
): string | undefined {
  const [before, after, ...more] = text.split(from)
  if (before === undefined || after === undefined || more.length > 0) return undefined
  return `${before}${to}${after}`
}
