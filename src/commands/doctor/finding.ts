/** What one check of `ckbtc doctor` found. Source: `docs/spec/cli.md` §5.19. */
import { CkbtcError } from '../../core/base/errors.ts'

export type Finding = {
  /** What was looked at, one or two words. */
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do, for all but `ok`. */
  readonly remedy?: string
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found })

export const warn = (check: string, found: string, remedy: string): Finding => ({
  check,
  state: 'warn',
  found,
  remedy,
})

export const fail = (check: string, found: string, remedy: string): Finding => ({
  check,
  state: 'fail',
  found,
  remedy,
})

/**
 * An error of ours is a finding; everything else is a bug and passes through. That the local subnet
 * does not run is no failure.
 */
export async function tried(
  check: string,
  look: () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    const found = await look()
    return 'check' in found ? [found] : found
  } catch (error) {
    if (!(error instanceof CkbtcError) || error.code === 'INTERRUPTED') throw error
    const judged = error.code === 'SUBNET_DOWN' ? warn : fail
    return [judged(check, `${error.message} (${error.code})`, remedyOf(error))]
  }
}

export const remedyOf = ({ fix, command }: CkbtcError): string =>
  command === undefined ? fix : `${fix.replace(/:$/, '')}: ${command}`
