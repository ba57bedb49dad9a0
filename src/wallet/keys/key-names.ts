/** Names of keys: they are typed, and they are names of files. Implements `docs/spec/cli.md` §5.11. */
import { attempt, BadEncoding, UsageInvalid } from '../../core/base/errors.ts'
import { principalOfText } from '../../core/ic/principal.ts'

/** Small letters only: two names that a file system takes for one are one. */
const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/
/** Test keys, and what Windows cannot name a file. */
const RESERVED = /^(?:dev\d+|con|prn|aux|nul|com\d|lpt\d)$/

/** Whether a file may be that of a key. */
export const isKeyName = (name: string): boolean => NAME.test(name) && !RESERVED.test(name)

/** The name, for a key that is to be made; others are `USAGE_INVALID`. */
export function requireKeyName(name: string): string {
  if (RESERVED.test(name)) throw badName(`the name ${name} is reserved`)
  if (!NAME.test(name)) throw badName('this is no name for a key')
  if (!(attempt(() => principalOfText(name)) instanceof BadEncoding))
    throw badName('a principal is no name for a key')
  return name
}

const badName = (message: string): UsageInvalid =>
  new UsageInvalid(message, {
    fix: 'a name has 1 to 32 small letters, digits, - and _, such as savings',
    command: 'ckbtc key --help',
  })
