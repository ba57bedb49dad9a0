/** When the embedded chain gets blocks, and how that is written. Source: `docs/spec/cli.md` §5.16. */

export type MiningMode =
  | { readonly type: 'auto' }
  | { readonly type: 'manual' }
  /** A block at fixed times, whatever waits; or at random ones of this mean, as miners find them. */
  | { readonly type: 'interval'; readonly everySeconds: number; readonly isRandom?: true }
  /** A block so long after a transaction has come. */
  | { readonly type: 'onTransaction'; readonly delaySeconds: number }

const SECONDS_MAX = 7 * 86_400
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/**
 * Reads `auto`, `manual`, `on-tx`, `on-tx:2s`, or a duration of whole seconds: `10s`, `2m`, and
 * `poisson:10s` for random times of this mean.
 */
export function miningModeOfText(text: string): MiningMode | undefined {
  if (text === 'auto' || text === 'manual') return { type: text }
  if (text === 'on-tx') return { type: 'onTransaction', delaySeconds: 0 }
  const [, kind, digits = '', unit = ''] =
    /^(poisson:|on-tx:)?([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(digits) * (unitSeconds[unit] ?? 0)
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) return undefined
  if (kind === 'on-tx:') return { type: 'onTransaction', delaySeconds: seconds }
  return {
    type: 'interval',
    everySeconds: seconds,
    ...(kind === 'poisson:' ? { isRandom: true } : {}),
  }
}

export function textOfMiningMode(mode: MiningMode): string {
  switch (mode.type) {
    case 'auto':
    case 'manual':
      return mode.type
    case 'interval':
      return `${mode.isRandom ? 'poisson:' : ''}${mode.everySeconds}s`
    case 'onTransaction':
      return mode.delaySeconds === 0 ? 'on-tx' : `on-tx:${mode.delaySeconds}s`
  }
}
