/**
 * A token beside ckBTC as a JSON object: the file of `subnet start --token`, and how the settings of
 * a subnet keep it. Implements `docs/spec/ledger.md` §14.1.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { fromHex, fromUtf8, toHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding, Problem, UsageInvalid } from '../core/base/errors.ts'
import type { JsonReader } from '../core/base/json.ts'
import {
  integer,
  list,
  matching,
  nullable,
  object,
  parseJson,
  requireDistinctNames,
  text,
} from '../core/base/json.ts'
import type { Account } from '../core/ic/account.ts'
import { accountOfText, textOfAccount } from '../core/ic/account.ts'
import { TOKENS_MAX } from '../core/ic/subnet-descriptor.ts'
import type {
  Extension,
  InitialBalance,
  MetadataEntry,
  MetadataValue,
} from '../core/ledger/config.ts'
import { DEFAULT_DECIMALS, DEFAULT_MEMO_LENGTH_MAX } from '../core/ledger/config.ts'
import { configProblem } from '../core/ledger/settings.ts'
import { tokenConfig } from '../core/subnet/replica-state.ts'
import type { TokenSettings } from '../core/subnet/settings.ts'

export const TOKEN_FILE_BYTES_MAX = 65_536
const INITIAL_BALANCES_MAX = 200
const METADATA_MAX = 50
const EXTENSIONS_MAX = 1
const NAT8_MAX = 255
const NAT16_MAX = 65_535
const NAT64_MAX = 2n ** 64n - 1n
/** A unit behind an amount: a digit in front would be read as part of the number. */
const SYMBOL = /^[A-Za-z][A-Za-z0-9]{0,15}$/
/** What people see of it: nothing that moves the cursor or the direction of writing. */
const NAME = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u
const AMOUNT = /^(?:0|[1-9]\d{0,77})$/
/** Words that stand for an amount or a unit already (cli §3.1), and the symbol of ckBTC. */
const TAKEN: readonly string[] = ['ckbtc', 'btc', 'sat', 'sats', 'all']

const account: JsonReader<Account> = (value, where) => {
  const read = attempt(() => accountOfText(text(value, where)))
  if (read instanceof BadEncoding) throw new BadEncoding(`${where}: ${read.message}`)
  return read
}

const digits = matching(AMOUNT, 'an amount in decimal digits, as text: "10"')
const amount: JsonReader<bigint> = (value, where) => BigInt(digits(value, where))

/** A list of exactly two. */
function pairOf<A, B>(first: JsonReader<A>, second: JsonReader<B>): JsonReader<readonly [A, B]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length !== 2)
      throw new BadEncoding(`${where} is not a list of two`)
    return [first(value[0], `${where}[0]`), second(value[1], `${where}[1]`)]
  }
}

const initialBalance: JsonReader<InitialBalance> = (value, where) => {
  const [to, units] = pairOf(account, amount)(value, where)
  return { account: to, amount: units }
}

const hex = matching(/^(?:[0-9a-f]{2})*$/, 'lower-case hexadecimal')
const signed = matching(/^-?(?:0|[1-9]\d{0,77})$/, 'a whole number in digits, as text')

/** Half a surrogate pair has no UTF-8: two keys could become the same one on the wire. */
const wholeText = matching(/^\P{Cs}*$/u, 'text of whole characters')

const metadataValue: JsonReader<MetadataValue> = (value, where) => {
  const [[type, content] = [], ...others] =
    typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (others.length === 0)
    switch (type) {
      case 'Text':
        return { type: 'text', text: wholeText(content, where) }
      case 'Nat':
        return { type: 'nat', nat: amount(content, where) }
      case 'Int':
        return { type: 'int', int: BigInt(signed(content, where)) }
      case 'Blob':
        return { type: 'blob', blob: fromHex(hex(content, where)) }
    }
  throw new BadEncoding(`${where} is not one of Nat, Int, Text, Blob with its value`)
}

const metadataEntry: JsonReader<MetadataEntry> = pairOf(wholeText, metadataValue)

const tokenWidth: JsonReader<64 | 256> = (value, where) => {
  if (value === 64 || value === 256) return value
  throw new BadEncoding(`${where} is neither 64 nor 256`)
}

const extension: JsonReader<Extension> = (value, where) => {
  if (value === 'ICRC-107') return value
  throw new BadEncoding(`${where} is not "ICRC-107"`)
}

const nat64: JsonReader<bigint> = (value, where) => {
  const number = amount(value, where)
  if (number <= NAT64_MAX) return number
  throw new BadEncoding(`${where} is not a number of at most 64 bits`)
}

const archiveNames = [
  ['trigger_threshold', 'triggerThreshold'],
  ['num_blocks_to_archive', 'numBlocksToArchive'],
  ['node_max_memory_size_bytes', 'nodeMaxMemorySizeBytes'],
  ['max_message_size_bytes', 'maxMessageSizeBytes'],
  ['max_transactions_per_response', 'maxTransactionsPerResponse'],
] as const

const archiveNumbers = {
  trigger_threshold: nullable(nat64),
  num_blocks_to_archive: nullable(nat64),
  node_max_memory_size_bytes: nullable(nat64),
  max_message_size_bytes: nullable(nat64),
  max_transactions_per_response: nullable(nat64),
}

const document = object({
  token_name: matching(NAME, 'a name of 1 to 64 characters that can be shown'),
  token_symbol: matching(SYMBOL, 'a symbol: 1 to 16 letters and digits, a letter first'),
  minting_account: account,
  transfer_fee: amount,
  decimals: integer(0, NAT8_MAX),
  max_memo_length: integer(0, NAT16_MAX),
  fee_collector_account: nullable(account),
  initial_balances: list(initialBalance, INITIAL_BALANCES_MAX),
  metadata: list(metadataEntry, METADATA_MAX),
  token_width: tokenWidth,
  extensions: list(extension, EXTENSIONS_MAX),
  archive_options: withDefaults(object(archiveNumbers), {
    trigger_threshold: null,
    num_blocks_to_archive: null,
    node_max_memory_size_bytes: null,
    max_message_size_bytes: null,
    max_transactions_per_response: null,
  }),
})

/** Of fields that need not be there. */
function withDefaults<T>(read: JsonReader<T>, defaults: object): JsonReader<T> {
  return (value, where) =>
    read(
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? { ...defaults, ...value }
        : value,
      where,
    )
}

const defaults = {
  decimals: DEFAULT_DECIMALS,
  max_memo_length: DEFAULT_MEMO_LENGTH_MAX,
  fee_collector_account: null,
  initial_balances: [],
  metadata: [],
  token_width: 64,
  extensions: [],
  archive_options: {},
}

/** One token; what cannot be a ledger is `BadEncoding`. */
export const readToken: JsonReader<TokenSettings> = (value, where) => {
  const read = withDefaults(document, defaults)(value, where)
  const { archive_options: archive } = read
  const token: TokenSettings = {
    tokenName: read.token_name,
    tokenSymbol: read.token_symbol,
    decimals: read.decimals,
    transferFee: read.transfer_fee,
    memoLengthMax: read.max_memo_length,
    metadata: read.metadata,
    mintingAccount: read.minting_account,
    feeCollector: read.fee_collector_account,
    initialBalances: read.initial_balances,
    tokenWidth: read.token_width,
    extensions: read.extensions,
    archiveOptions: Object.fromEntries(
      archiveNames.flatMap(([name, field]) => {
        const given = archive[name]
        return given === undefined ? [] : [[field, given]]
      }),
    ),
  }
  if (TAKEN.includes(token.tokenSymbol.toLowerCase()))
    throw new BadEncoding(`${where}.token_symbol "${token.tokenSymbol}" means something already`)
  const problem = configProblem(tokenConfig(token, 0))
  if (problem !== undefined) throw new BadEncoding(`${where}: ${problem}`)
  return token
}

/** Every token of a subnet; no two of them have one symbol, apart from case. */
export const readTokens: JsonReader<readonly TokenSettings[]> = (value, where) => {
  const tokens = list(readToken, TOKENS_MAX)(value, where)
  const twice = repeatedSymbol(tokens)
  if (twice !== undefined) throw new BadEncoding(`${where}: two tokens have the symbol ${twice}`)
  return tokens
}

function repeatedSymbol(tokens: readonly TokenSettings[]): string | undefined {
  const symbols = tokens.map(({ tokenSymbol }) => tokenSymbol.toLowerCase())
  return tokens.find((_, k) => symbols.indexOf(symbols[k] ?? '') !== k)?.tokenSymbol
}

/** As a file has it, with every field. */
export const writeToken = (token: TokenSettings): object => ({
  token_name: token.tokenName,
  token_symbol: token.tokenSymbol,
  minting_account: textOfAccount(token.mintingAccount),
  transfer_fee: String(token.transferFee),
  decimals: token.decimals,
  max_memo_length: token.memoLengthMax,
  fee_collector_account:
    token.feeCollector === undefined ? null : textOfAccount(token.feeCollector),
  initial_balances: token.initialBalances.map((balance) => [
    textOfAccount(balance.account),
    String(balance.amount),
  ]),
  metadata: token.metadata.map(([key, value]) => [key, writeValue(value)]),
  token_width: token.tokenWidth,
  extensions: token.extensions ?? [],
  archive_options: Object.fromEntries(
    archiveNames.flatMap(([name, field]) => {
      const value = token.archiveOptions[field]
      return value === undefined ? [] : [[name, String(value)]]
    }),
  ),
})

function writeValue(value: MetadataValue): object {
  switch (value.type) {
    case 'text':
      return { Text: value.text }
    case 'nat':
      return { Nat: String(value.nat) }
    case 'int':
      return { Int: String(value.int) }
    case 'blob':
      return { Blob: toHex(value.blob) }
  }
}

/**
 * The tokens of the files that a start names, in their order. Throws `CONFIG_INVALID` with path and
 * field, and `USAGE_INVALID` for too many.
 */
export function readTokenFiles(paths: readonly string[]): readonly TokenSettings[] {
  if (paths.length > TOKENS_MAX)
    throw new UsageInvalid(`${paths.length} tokens are asked for`, {
      fix: `a subnet has at most ${TOKENS_MAX} beside ckBTC`,
      command: HELP,
    })
  const tokens: TokenSettings[] = []
  for (const path of paths) {
    const read = attempt(() => decodeTokenFile(readBounded(path)))
    if (read instanceof BadEncoding) throw fileProblem(path, read.message)
    tokens.push(read)
    const twice = repeatedSymbol(tokens)
    if (twice !== undefined)
      throw fileProblem(path, `token_symbol "${twice}" is that of another token, apart from case`)
  }
  return tokens
}

function decodeTokenFile(source: string): TokenSettings {
  const token = parseJson(source, readToken)
  requireDistinctNames(source)
  return token
}

const HELP = 'ckbtc subnet start --help'

function fileProblem(path: string, reason: string): Problem {
  const words = reason.replace(/^the document(?:\.|: | )/, '')
  const [field] = /^[a-z_]+(?:\[\d+\])*(?=[ :.])/.exec(words) ?? []
  return new Problem('CONFIG_INVALID', `the token file ${path}: ${words}`, {
    fix: 'correct the file; its fields are those of the ledger interface, amounts are text in digits',
    command: HELP,
    details: { path, ...(field === undefined ? {} : { field }), reason: words },
  })
}

/** Only a plain file has an end for certain. */
function readBounded(path: string): string {
  const bytes = new Uint8Array(TOKEN_FILE_BYTES_MAX + 1)
  let length = 0
  try {
    if (!statSync(path).isFile()) throw fileProblem(path, 'is not a plain file')
    const file = openSync(path, 'r')
    try {
      for (;;) {
        const count = readSync(file, bytes, length, bytes.length - length, null)
        length += count
        if (count === 0 || length === bytes.length) break
      }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      typeof error.code === 'string' &&
      !(error instanceof Problem)
    )
      throw fileProblem(path, `cannot be read: ${error.code}`)
    throw error
  }
  if (length > TOKEN_FILE_BYTES_MAX)
    throw fileProblem(path, `is longer than ${TOKEN_FILE_BYTES_MAX} bytes`)
  return fromUtf8(bytes.subarray(0, length))
}
