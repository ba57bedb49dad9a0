/** What the suite found, for people and for programs that read TAP, version 14. */
import type { Verdict } from './suite.ts'

export const heading = (count: number): string => `TAP version 14\n1..${count}`

/** One group; `number` from 1. */
export function line(number: number, verdict: Verdict): string {
  const { name } = verdict
  switch (verdict.type) {
    case 'passed':
      return `ok ${number} - ${name}`
    case 'skipped':
      return `ok ${number} - ${name} # SKIP ${verdict.reason}`
    case 'failed': {
      const reason = verdict.reason.split('\n').map((each) => `# ${each}`)
      return [`not ok ${number} - ${name}`, ...reason].join('\n')
    }
  }
}

export function summary(verdicts: readonly Verdict[]): string {
  const count = (type: Verdict['type']): number =>
    verdicts.filter((verdict) => verdict.type === type).length
  return `# ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}
