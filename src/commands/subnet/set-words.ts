/** `<part>.<name>=<value>` as people type it. Implements `docs/spec/cli.md` §5.16 (`--set`). */
import type { Denomination } from '../../core/base/amounts.ts'
import { parseAmount, parseCount, parseDuration, parseUnits } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import { nearest } from '../../core/base/nearest.ts'
import { ledgerNameOf, NO_ACCOUNT } from '../../host/ledger-values.ts'
import type { SetKind, SetValue } from '../../host/minter-values.ts'
import { setKind, setNames } from '../../host/set-values.ts'
import { SET_MAX } from '../../host/subnet-settings.ts'
import { textOfAccount, textOfId } from '../../wallet/account-text.ts'
import { parseAccount } from '../../wallet/destinations.ts'

const NS_PER_MS = 1_000_000n

/** Tokens beside ckBTC that the subnet has. */
type Tokens = readonly Denomination[]

/** Whose setting it is; undefined: ckBTC's, or of something else. */
function tokenOf(name: string, tokens: Tokens): Denomination | undefined {
  const symbol = ledgerNameOf(name)?.symbol?.toLowerCase()
  return tokens.find((token) => token.symbol.toLowerCase() === symbol)
}

/** Each word is one setting. Throws `USAGE_INVALID`, `AMOUNT_…`; `command` names where more is said. */
export function parseSet(
  words: readonly string[],
  command: string,
  tokens: Tokens = [],
): ReadonlyMap<string, SetValue> {
  const invalid = (message: string, fix: string): UsageInvalid =>
    new UsageInvalid(message, { fix, command })
  if (words.length > SET_MAX) throw invalid('too many values are set', `set at most ${SET_MAX}`)
  return new Map(
    words.map((word) => {
      const [name = '', ...rest] = word.split('=')
      if (rest.length === 0)
        throw invalid(`a setting is <part>.<name>=<value>, found "${word}"`, 'add = and the value')
      const kind = setKind(name)
      if (ledgerNameOf(name)?.symbol !== undefined && tokenOf(name, tokens) === undefined)
        throw invalid(`${name} is of no token of a running subnet`, 'see ckbtc subnet status')
      if (kind === undefined) {
        const close = nearest(name, setNames)
        const names = `the names are ${setNames.join(', ')}`
        const fix = close === undefined ? names : `the nearest name is ${close}`
        throw invalid(`nothing is called "${name}"`, fix)
      }
      const text = rest.join('=')
      const value = parseValue({ name, kind, tokens }, text)
      if (value !== undefined) return [name, value] as const
      throw invalid(`${name} does not take "${text}"`, `give one of ${wordsOf(kind)}`)
    }),
  )
}

/** Undefined for a word that is none of those that there are. */
function parseValue(
  {
    name,
    kind,
    tokens,
  }: { readonly name: string; readonly kind: SetKind; readonly tokens: Tokens },
  text: string,
): SetValue | undefined {
  switch (kind.type) {
    case 'amount': {
      const token = tokenOf(name, tokens)
      return token === undefined ? parseAmount(text) : parseUnits(text, token)
    }
    case 'duration':
      return BigInt(parseDuration(text)) * NS_PER_MS
    case 'count':
      return BigInt(parseCount(text, { what: name, min: Number(kind.min), max: Number(kind.max) }))
    case 'account':
      return text === NO_ACCOUNT ? text : textOfAccount(parseAccount(text, { isLocal: true }))
    case 'word':
      return kind.words.includes(text) ? text : undefined
    case 'mode':
      return kind.words.includes(text) ? text : listing(kind.listing, text)
  }
}

/** `restricted-to:dev0,aaaaa-aa`, each name as the principal that it stands for. */
function listing(words: readonly string[], text: string): string | undefined {
  const [word = '', ...rest] = text.split(':')
  const names = rest.join(':').split(',').filter(Boolean)
  if (!words.includes(word) || names.length === 0) return undefined
  const principals = names.map((name) => textOfId(parseAccount(name, { isLocal: true }).owner))
  return `${word}:${principals.join(',')}`
}

function wordsOf(kind: SetKind): string {
  if (kind.type === 'mode')
    return [...kind.words, ...kind.listing.map((word) => `${word}:<principal>,…`)].join(', ')
  return kind.type === 'word' ? kind.words.join(', ') : 'its values'
}
