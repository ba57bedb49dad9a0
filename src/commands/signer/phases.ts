/** The phases of a signature, in words. Source: `docs/spec/cli.md` §5.18. */
import type { ReplyOf } from '../../host/control/protocol.ts'

export type Phases = ReplyOf<'signer-sign'>['ms']
export type Phase = keyof Phases

/** In the order in which they pass. */
export const PHASES: readonly Phase[] = ['presign', 'sign', 'combine', 'order', 'total']

/** What was not seen is left out. */
export const phasesText = (ms: Phases): string =>
  PHASES.flatMap((phase) => {
    const value = ms[phase]
    return value === undefined || phase === 'total' ? [] : [`${phase} ${value} ms`]
  }).join(', ')
