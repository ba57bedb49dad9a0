/**
 * Goal: a token file is read strictly: what is not wholly right is refused with path and field, whatever
 * somebody put there. Method: a table of changes to a good file, each with the words that it is to get.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { CkbtcError } from '../../src/core/base/errors.ts'
import { textOfAccount } from '../../src/core/ic/account.ts'
import { readTokenFiles, TOKEN_FILE_BYTES_MAX, writeToken } from '../../src/host/token-file.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { tokenFile, tokenMinter, tokenOf } from '../support/token-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'tokens-files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
function put(content: string): string {
  const path = join(folder, `${++count}.json`)
  writeFileSync(path, content)
  return path
}
const file = (change: Readonly<Record<string, unknown>> = {}): string =>
  put(JSON.stringify(tokenFile(change)))

function problemOf(paths: readonly string[]): CkbtcError {
  try {
    readTokenFiles(paths)
  } catch (error) {
    if (error instanceof CkbtcError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const minter = textOfAccount({ owner: tokenMinter.principal })
const holder = textOfAccount({
  owner: devUser(0).principal,
  subaccount: new Uint8Array(32).fill(1),
})

type Row = readonly [string, Readonly<Record<string, unknown>>, words: string, field?: string]
const taken = ['ckBTC', 'CKBTC', 'btc', 'Sat', 'sats', 'ALL'].map(
  (symbol): Row => [`the symbol ${symbol}`, { token_symbol: symbol }, 'already', 'token_symbol'],
)

const rows: readonly Row[] = [
  ['no name', { token_name: undefined }, 'has no field "token_name"'],
  ['an empty name', { token_name: '' }, 'is not a name', 'token_name'],
  ['a name with an escape', { token_name: 'a\u001b[2J' }, 'is not a name', 'token_name'],
  ['a name that turns the line', { token_name: 'a\u202eb' }, 'is not a name', 'token_name'],
  ['a long name', { token_name: 'a'.repeat(65) }, 'is not a name', 'token_name'],
  ['a symbol of digits', { token_symbol: '1x' }, 'is not a symbol', 'token_symbol'],
  ['a symbol with a point', { token_symbol: 'a.b' }, 'is not a symbol', 'token_symbol'],
  ['a long symbol', { token_symbol: 'a'.repeat(17) }, 'is not a symbol', 'token_symbol'],
  ['a symbol that is no text', { token_symbol: ['XYZ'] }, 'is not a symbol', 'token_symbol'],
  ...taken,
  ['a bare account', { minting_account: 'dev0' }, 'invalid principal', 'minting_account'],
  ['a wrong checksum', { minting_account: `${minter.slice(0, -1)}a` }, '', 'minting_account'],
  ['an account that is an object', { minting_account: { owner: minter } }, '', 'minting_account'],
  ['a fee as a number', { transfer_fee: 10 }, 'is not an amount in decimal digits', 'transfer_fee'],
  ['a fee in hexadecimal', { transfer_fee: '0x10' }, 'decimal digits', 'transfer_fee'],
  ['a fee below nothing', { transfer_fee: '-1' }, 'decimal digits', 'transfer_fee'],
  ['a fee with a zero in front', { transfer_fee: '010' }, 'decimal digits', 'transfer_fee'],
  ['a fee of too many digits', { transfer_fee: '1'.repeat(79) }, 'decimal digits', 'transfer_fee'],
  ['a fee of 65 bits', { transfer_fee: `${2n ** 64n}` }, 'does not fit 64 bits'],
  [
    'a fee of 257 bits',
    { transfer_fee: `${2n ** 256n}`, token_width: 256 },
    'does not fit 256 bits',
  ],
  ['decimals as text', { decimals: '8' }, 'is not a whole number from 0 to 255', 'decimals'],
  ['256 decimals', { decimals: 256 }, 'is not a whole number from 0 to 255', 'decimals'],
  ['half a decimal', { decimals: 0.5 }, 'is not a whole number', 'decimals'],
  ['a memo of 2^16', { max_memo_length: 65_536 }, 'from 0 to 65535', 'max_memo_length'],
  ['another width', { token_width: 128 }, 'is neither 64 nor 256', 'token_width'],
  ['a width as text', { token_width: '64' }, 'is neither 64 nor 256', 'token_width'],
  ['an unknown extension', { extensions: ['ICRC-7'] }, 'is not "ICRC-107"', 'extensions[0]'],
  ['its minter as collector', { fee_collector_account: minter }, 'cannot be the minting account'],
  ['a balance as a number', { initial_balances: [[holder, 1]] }, '', 'initial_balances[0][1]'],
  ['a balance of nobody', { initial_balances: [['', '1']] }, '', 'initial_balances[0][0]'],
  ['half a balance', { initial_balances: [[holder]] }, 'a list of two', 'initial_balances[0]'],
  ['balances as an object', { initial_balances: {} }, 'is not a list', 'initial_balances'],
  [
    'more balances than are taken',
    { initial_balances: Array.from({ length: 201 }, () => [holder, '1']) },
    'a list of at most 200',
    'initial_balances',
  ],
  [
    'two equal balances',
    {
      initial_balances: [
        [holder, '1'],
        [holder, '1'],
      ],
    },
    'two initial balances are identical',
  ],
  ['a balance of its minter', { initial_balances: [[minter, '1']] }, 'can hold no tokens'],
  [
    'more than there can be',
    {
      initial_balances: [
        [holder, '1'],
        [holder, `${2n ** 64n - 1n}`],
      ],
    },
    'do not fit 64 bits',
  ],
  ['reserved metadata', { metadata: [['icrc1:fee', { Nat: '1' }]] }, "is the ledger's own"],
  ['metadata without a namespace', { metadata: [['logo', { Text: '' }]] }, '<namespace>:<key>'],
  ['metadata twice', { metadata: Array(2).fill(['a:b', { Text: '' }]) }, 'stands twice'],
  [
    'a key with half a character',
    { metadata: ['a:\ud800', 'a:\ud801'].map((key) => [key, { Text: '' }]) },
    'is not text of whole characters',
    'metadata[0][0]',
  ],
  [
    'a text with half a character',
    { metadata: [['a:b', { Text: 'x\udc00' }]] },
    'is not text of whole characters',
    'metadata[0][1]',
  ],
  ['metadata of two values', { metadata: [['a:b', { Text: '', Nat: '1' }]] }, '', 'metadata[0][1]'],
  ['metadata of another kind', { metadata: [['a:b', { Map: [] }]] }, '', 'metadata[0][1]'],
  ['a field of its own', { extra: 1 }, 'has an unknown field "extra"'],
  ['a field of objects', JSON.parse('{"__proto__":{"decimals":9}}'), 'unknown field "__proto__"'],
  [
    'an unknown archive option',
    { archive_options: { x: '1' } },
    'unknown field "x"',
    'archive_options',
  ],
  [
    'an archive option of 65 bits',
    { archive_options: { trigger_threshold: `${2n ** 64n}` } },
    'at most 64 bits',
    'archive_options',
  ],
  ['archive options as a list', { archive_options: [] }, 'is not an object', 'archive_options'],
]
const refused = rows.map(([name, change, words, field]) => ({ name, change, words, field }))

describe('a token file', () => {
  test('says little, and the rest is as the interface of ledgers has it', () => {
    const [token] = readTokenFiles([file()])
    expect(token).toEqual({
      tokenName: 'A token',
      tokenSymbol: 'XYZ',
      decimals: 8,
      transferFee: 10n,
      memoLengthMax: 32,
      metadata: [],
      mintingAccount: { owner: tokenMinter.principal },
      feeCollector: undefined,
      initialBalances: [],
      tokenWidth: 64,
      extensions: [],
      archiveOptions: {},
    })
  })

  test('may say everything, and is written as it was read', () => {
    const full = {
      ...tokenFile(),
      token_symbol: 'ckETH',
      decimals: 18,
      max_memo_length: 80,
      fee_collector_account: holder,
      initial_balances: [[holder, (2n ** 256n - 1n).toString()]],
      metadata: [
        ['icrc1:logo', { Text: 'data:,x' }],
        ['a:nat', { Nat: '7' }],
        ['a:int', { Int: '-7' }],
        ['a:blob', { Blob: '00ff' }],
      ],
      token_width: 256,
      extensions: ['ICRC-107'],
      archive_options: { trigger_threshold: '20', num_blocks_to_archive: '10' },
    }
    const [token] = readTokenFiles([put(JSON.stringify(full))])
    expect(token && writeToken(token)).toEqual(full)
  })

  test.each(refused)('is refused with $name', ({ change, words, field }) => {
    const path = file(change)
    const problem = problemOf([path])
    expect(problem.code).toBe('CONFIG_INVALID')
    expect(problem.message).toContain(path)
    expect(problem.message).toContain(words)
    expect(problem.command).toBe('ckbtc subnet start --help')
    expect(problem.details).toMatchObject({ path, ...(field === undefined ? {} : { field }) })
  })

  test.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['depth', '['.repeat(60_000)],
    ['a depth that ends', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['what is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1')],
    ['a field twice', JSON.stringify(tokenFile()).replace('}', ',"transfer_fee":"11"}')],
    [
      'a field twice, once escaped',
      JSON.stringify(tokenFile()).replace('}', ',"transfer\\u005ffee" :"11"}'),
    ],
    [
      'a field twice in what it holds',
      JSON.stringify(tokenFile({ metadata: [['a:b', { Text: '' }]] })).replace(
        '{"Text":""}',
        '{"Text":"a","Text":"b"}',
      ),
    ],
    ['more bytes than are read', ' '.repeat(TOKEN_FILE_BYTES_MAX) + JSON.stringify(tokenFile())],
  ])('is not %s', (_, content) => {
    expect(problemOf([put(content)]).code).toBe('CONFIG_INVALID')
  })

  test('may have braces and names in its texts', () => {
    const metadata = [
      ['a:b', { Text: '{"x":1,"x":2}' }],
      ['a:"token_name":', { Text: '\\' }],
    ]
    expect(readTokenFiles([file({ metadata })])).toEqual([tokenOf({ metadata })])
  })

  test.each(['.', 'none.json'])('is a plain file that is there, and not %s', (name) => {
    const path = join(folder, name)
    expect(problemOf([path])).toMatchObject({ code: 'CONFIG_INVALID', details: { path } })
  })

  test('has a symbol of its own, apart from case', () => {
    const [first, second] = [file(), file({ token_symbol: 'xyz' })]
    expect(problemOf([first, second])).toMatchObject({
      code: 'CONFIG_INVALID',
      details: { path: second, field: 'token_symbol' },
    })
  })

  test('is one of as many as a subnet has', () => {
    const files = Array.from({ length: 17 }, (_, k) => file({ token_symbol: `T${k}` }))
    expect(readTokenFiles(files.slice(1))).toHaveLength(16)
    expect(problemOf(files).code).toBe('USAGE_INVALID')
  })
})
