/** What goes wrong with a source of Bitcoin, in our codes. Implements `docs/spec/cli.md` §6. */
import { Problem } from '../../core/base/errors.ts'

const OTHER_SOURCE = 'ckbtc verify-reserves --help'

/** The source has said something that its own chain, or a hash, refutes. */
export const falseAnswer = (endpoint: string, what: string): Problem =>
  new Problem('BTC_SOURCE_FALSE', `${endpoint} cannot be believed: ${what}`, {
    fix: 'nothing of it was used; ask another source',
    command: OTHER_SOURCE,
    details: { endpoint },
  })

/** The source is there, and cannot be used as it is. */
export const unusable = (
  endpoint: string,
  what: string,
  fix: string,
  details: Readonly<Record<string, unknown>> = {},
): Problem =>
  new Problem('BTC_SOURCE_UNUSABLE', `${endpoint} cannot be used: ${what}`, {
    fix,
    command: OTHER_SOURCE,
    details: { endpoint, ...details },
  })

export const unreachable = (endpoint: string, what: string, cause?: unknown): Problem =>
  new Problem('NETWORK_UNREACHABLE', `${endpoint} does not answer: ${what}`, {
    fix: 'check that it runs and that the address is right, or ask another source',
    command: OTHER_SOURCE,
    details: { endpoint },
    cause,
  })

/** Text of others on one line, short, and harmless to a terminal. */
export const quoted = (text: string): string => {
  const line = Array.from(text.slice(0, 300), (c) => (c >= ' ' && c <= '~' ? c : ' ')).join('')
  return line.replace(/ +/g, ' ').trim().slice(0, 160)
}
