/** When the embedded chain gets blocks, and how that is written. Source: `docs/spec/cli.md` §5.16. */

/** `interval`: a block at fixed times, whatever waits. */
export type MiningMode =
  | { readonly type: 'auto' }
  | { readonly type: 'manual' }
  | { readonly type: 'interval'; readonly everySeconds: number }

const SECONDS_MAX = 7 * 86_400
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** Reads `auto`, `manual` or a duration of whole seconds: `10s`, `2m`. */
export function miningModeOfText(text: string): MiningMode | undefined {
  if (text === 'auto' || text === 'manual') return { type: text }
  const [, digits = '', unit = ''] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const everySeconds = Number(digits) * (unitSeconds[unit] ?? 0)
  return everySeconds >= 1 && everySeconds <= SECONDS_MAX
    ? { type: 'interval', everySeconds }
    : undefined
}

export const textOfMiningMode = (mode: MiningMode): string =>
  mode.type === 'interval' ? `${mode.everySeconds}s` : mode.type
