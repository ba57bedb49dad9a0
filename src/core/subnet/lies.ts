/** The ways in which a node can be made to misbehave. Implements `docs/spec/cli.md` §5.16. */

export const lieKinds = [
  'silent',
  'slow',
  'bad-share',
  'bad-dealing',
  'bad-opening',
  'bad-complaint',
  'equivocate',
  'random',
] as const
export type LieKind = (typeof lieKinds)[number]

export type Lie =
  /** Everything it says comes later. */
  { readonly type: 'slow'; readonly delayMs: number } | { readonly type: Exclude<LieKind, 'slow'> }

/** Longer ones are as good as silence. */
export const DELAY_MS_MAX = 600_000

/** As it is typed; delays are whole seconds. */
export const lieText = (lie: Lie): string =>
  lie.type === 'slow' ? `slow=${lie.delayMs / 1_000}s` : lie.type
