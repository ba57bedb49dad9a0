/** What the control port is asked about minter, ledgers and checker. Implements `docs/spec/cli.md` §§5.16, 5.17. */
import { count, flag, list, nullable, object, oneOf, text } from '../../core/base/json.ts'
import { CHECKER_MODES } from './checker-modes.ts'
import { losses } from './losses.ts'

/** Names of settings in one request or answer. */
const SETTINGS_MAX = 100

export const minterShapes = {
  /** What the running minter is set to; asked for nothing: every name. */
  'minter-settings': {
    request: object({ set: list(object({ name: text, value: text }), SETTINGS_MAX) }),
    reply: object({
      values: list(
        object({ name: text, before: nullable(text), value: nullable(text) }),
        SETTINGS_MAX,
      ),
    }),
  },
  /** The same of a ledger; `symbol`: of a token beside ckBTC. */
  'ledger-settings': {
    request: object({
      symbol: nullable(text),
      set: list(object({ name: text, value: text }), SETTINGS_MAX),
    }),
    reply: object({
      values: list(
        object({ name: text, before: nullable(text), value: nullable(text) }),
        SETTINGS_MAX,
      ),
    }),
  },
  losses: { request: losses, reply: object({}) },
  flag: { request: object({ target: text, flagged: flag }), reply: object({}) },
  /** `times`: for so many checks; absent: until another mode is set. */
  'checker-mode': {
    request: object({ mode: oneOf(...CHECKER_MODES), times: nullable(count) }),
    reply: object({}),
  },
} as const
