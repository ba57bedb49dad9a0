/** Modes of the checker in the words of `docs/spec/cli.md` §5.17. */

/** What the checker can be told to answer (minter §6). */
export const CHECKER_MODES = [
  'normal',
  'accept-all',
  'reject-all',
  'unavailable',
  'not-enough-cycles',
  'pending',
  'high-load',
  'transient-error',
  'too-large',
  'invalid-id',
  'invalid-transaction',
] as const
export type CheckerModeName = (typeof CHECKER_MODES)[number]
