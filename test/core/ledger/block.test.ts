/** Layout, hash and stored bytes of blocks: the ledger specification §§19.3 to 19.5. */
import { requestIdOf } from '@icp-sdk/core/agent'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, hash32, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { Tokens } from '../../../src/core/base/units.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import type { Cbor } from '../../../src/core/ic/cbor.ts'
import { encodeTaggedCbor } from '../../../src/core/ic/cbor.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { Block, Transaction } from '../../../src/core/ledger/blocks/block.ts'
import { decodeBlock, encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import { hashBlock, hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import {
  blockOfValue,
  typeOfBlock,
  valueOfBlock,
  valueOfTransaction,
} from '../../../src/core/ledger/blocks/block-value.ts'
import type { Entry, Value } from '../../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../../src/core/ledger/blocks/value.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { arbitraryBlock } from './arbitraries.ts'

const account = (owner: string, subaccount?: string): Account => ({
  owner: principal(fromHex(owner)),
  subaccount: subaccount === undefined ? undefined : fromHex(subaccount),
})
const ZEROS = '00'.repeat(32)

const BLOCK_0: Block = {
  timestamp: timestampNs(1675241149669614928n),
  transaction: {
    type: 'mint',
    amount: tokens(100000n),
    to: account('5ad0eae83b042ac243598bde6c4eea3e5dff125e2e2057476a3010e402'),
  },
}

const TRANSFER: Extract<Transaction, { readonly type: 'transfer' }> = {
  type: 'transfer',
  amount: tokens(230407n),
  fee: tokens(10n),
  memo: fromHex('000000000000f9c6'),
  from: account('0000000000d00e7f0101'),
  to: account('20ef1f835a730a3fdcd579e7cc539f0b1461ac9ffbf06266f3a9c74402'),
}

const BLOCK_1357691: Block = {
  parentHash: hash32(fromHex('733a2ca495090d99c5e87898d16cc3903a351da436d57e795e01fcaeb37d3ddb')),
  timestamp: timestampNs(1712825491835944099n),
  feeCollectorBlock: 39493n,
  transaction: TRANSFER,
}

const MAINNET = [
  {
    index: 0,
    block: BLOCK_0,
    transactionHash: 'aee1a6941ca9e1b6e2161e10419267275efd7bdf2127b9d478217893b33de00b',
    hash: 'b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f3401',
    stored:
      'd9d9f7a2627478a3626f70646d696e7462746f81581d5ad0eae83b042ac243598bde6c4eea3e5dff125e2e2057476a3010e40263616d741a000186a06274731b173fa6f3272ca550',
  },
  {
    index: 1357691,
    block: BLOCK_1357691,
    transactionHash: '700481a99b9a10cf4c4d037141ae5f1472fefe1f5be6b43d02577e398da4bdfe',
    hash: '0415ed9ea78fed787e125179c99a7d0e599ee6e4cb0d610eed2c791e6e3f5e19',
    stored:
      'd9d9f7a46570686173685820733a2ca495090d99c5e87898d16cc3903a351da436d57e795e01fcaeb37d3ddb627478a6646d656d6f48000000000000f9c6626f7064786665726466726f6d814a0000000000d00e7f010162746f81581d20ef1f835a730a3fdcd579e7cc539f0b1461ac9ffbf06266f3a9c7440263616d741a00038407636665650a6274731b17c52db5bb1d7ca36d6665655f636f6c5f626c6f636b199a45',
  },
] as const

const hashOf = (block: Block): string => toHex(hashBlock(block, hashTransaction(block.transaction)))

describe.each(MAINNET)('ledger §20.82: ckBTC mainnet block $index', (vector) => {
  test('has its published hash, from typed data and from its value', () => {
    expect(hashOf(vector.block)).toBe(vector.hash)
    expect(toHex(hashValue(valueOfBlock(vector.block)))).toBe(vector.hash)
  })

  test('has its transaction hash', () => {
    expect(toHex(hashTransaction(vector.block.transaction))).toBe(vector.transactionHash)
    expect(toHex(hashValue(valueOfTransaction(vector.block.transaction)))).toBe(
      vector.transactionHash,
    )
  })

  test('has its stored bytes, and reads back from them', () => {
    expect(toHex(encodeBlock(vector.block))).toBe(vector.stored)
    expect(decodeBlock(fromHex(vector.stored))).toEqual(vector.block)
  })
})

/** Fields of a map value as they are, with changes; undefined removes. */
function changed(value: Value, changes: Readonly<Record<string, Value | undefined>>): Value {
  if (value.type !== 'map') throw new Error('not a map')
  const kept = value.map.filter(([key]) => !(key in changes))
  const added = Object.entries(changes).flatMap(([key, change]): readonly Entry[] =>
    change === undefined ? [] : [[key, change]],
  )
  return { type: 'map', map: [...kept, ...added] }
}
const text = (value: string): Value => ({ type: 'text', text: value })
const nat = (value: bigint): Value => ({ type: 'nat', nat: value })

test.each([
  ['a number', '000000000000f9c6'],
  [
    'a mint for a deposit',
    '82008358201819ccd228ad2e83c6c86399a0d7d02ee975969586f34785f6af99001e088ba0021907d0',
  ],
  ['a mint for fees', '820180'],
  [
    'a burn for a withdrawal',
    '8200837822334b374267334c556b69585a356861745054316239683358784a38394459535532651907d000',
  ],
])('ledger §20.82: the memo of %s is kept as bytes', (_name, hex) => {
  const transaction = { ...TRANSFER, memo: fromHex(hex) }
  const block = { ...BLOCK_1357691, transaction }
  const { transaction: stored } = decodeBlock(encodeBlock(block))
  const { transaction: read } = blockOfValue(valueOfBlock(block))
  for (const found of [stored, read]) expect(found).toMatchObject({ memo: fromHex(hex) })
})

test('any change to mainnet block 1357691 changes its hash: the layout is fixed', () => {
  const transaction = TRANSFER
  const zero = { ...transaction.to, subaccount: fromHex(ZEROS) }
  const variants: readonly Block[] = [
    BLOCK_1357691,
    { ...BLOCK_1357691, fee: tokens(10n) },
    { ...BLOCK_1357691, feeCollectorBlock: undefined },
    { ...BLOCK_1357691, parentHash: undefined },
    { ...BLOCK_1357691, timestamp: timestampNs(1712825491835944100n) },
    { ...BLOCK_1357691, transaction: { ...transaction, to: zero } },
    { ...BLOCK_1357691, transaction: { ...transaction, memo: undefined } },
    { ...BLOCK_1357691, transaction: { ...transaction, fee: undefined } },
    { ...BLOCK_1357691, transaction: { ...transaction, spender: transaction.from } },
    { ...BLOCK_1357691, transaction: { ...transaction, amount: tokens(230408n) } },
  ]
  const typed = changed(valueOfBlock(BLOCK_1357691), { btype: text('1xfer') })
  const hashes = [...variants.map(hashOf), toHex(hashValue(typed))]
  expect(new Set(hashes).size).toBe(variants.length + 1)
})

const EXAMPLES: readonly {
  readonly name: string
  readonly blockType: string
  readonly block: Block
  readonly hash: string
  readonly hashWithBlockType: string
}[] = [
  {
    name: 'mint',
    blockType: '1mint',
    block: BLOCK_0,
    hash: 'b0e8e9d676e9283877dc50db00cd41cf605568ce1f0a2126cda9dcc6562f3401',
    hashWithBlockType: 'ab7613b3ce8521296e3473c21739ccb2d084d7e22d7efe85069f72650465edbd',
  },
  {
    name: 'burn',
    blockType: '1burn',
    block: {
      parentHash: hash32(
        fromHex('a1a970f517e5e292879628c8f188694d0d28744ef42d7e75198883d85fb201ec'),
      ),
      timestamp: timestampNs(1701108969851098255n),
      transaction: {
        type: 'burn',
        amount: tokens(1228990n),
        from: account(
          '00000000023000070101',
          '2699c0487fa4a551afc7f43bd9e9cae520e39484b563b6972f00e6a0e9d3701a',
        ),
        memo: fromHex(
          '8200837822334b374267334c556b69585a356861745054316239683358784a38394459535532651907d000',
        ),
      },
    },
    hash: '57efe3b2d2825bece76463fd792cae516dd84f178034a8d0ab80da4d5f11dc82',
    hashWithBlockType: '00c1d59b181d18fedb5dab1be1574bf0776dd7ab05dcf95505c51f6f850d526f',
  },
  {
    name: 'transfer',
    blockType: '1xfer',
    block: {
      parentHash: hash32(
        fromHex('682c2c9782ff2e9c78266ca265e74b465676d189be4ac5c5ad2c685c3ccacebe'),
      ),
      timestamp: timestampNs(1701109006692276133n),
      fee: tokens(10n),
      transaction: {
        type: 'transfer',
        amount: tokens(609618n),
        from: account('0000000000f013780101', ZEROS),
        to: account('20ef1f835a730a3fdcd579e7cc539f0b1461ac9ffbf06266f3a9c74402', ZEROS),
      },
    },
    hash: 'e53d0c25d80536a466981e6c341e9a94f0580eb0d2fafdf0e18a867805316715',
    hashWithBlockType: '9d5543f76b10728c857e8c4e6f5265e3cd881df508f321bd8cb87e4320fd43e6',
  },
  {
    name: 'approval',
    blockType: '2approve',
    block: {
      parentHash: hash32(
        fromHex('3bf7be74b690b7ea32f498a5b060a56c6933dc584e1f232332b5dbdeb1b302f5'),
      ),
      timestamp: timestampNs(1701167840950358788n),
      fee: tokens(10n),
      transaction: {
        type: 'approve',
        amount: tokens(18446744073709551615n),
        from: account('1663e19176ebe529843ab28013cc090201a8035b58a5a0d31fe4c37b02'),
        spender: account('0000000000e01d490101'),
      },
    },
    hash: '93d4c75d1a20b943dd610b7d8f70706e731c8e7778a253af9e74755bfbd54625',
    hashWithBlockType: '70a2c9c106fa28bf67eb7e87123604693ffdb1f894c62aa6766b4e151ea50c3d',
  },
]

/** The newer form: the type on top, no `op` inside. */
function withBlockType({ block, blockType }: (typeof EXAMPLES)[number]): Value {
  const tx = changed(valueOfTransaction(block.transaction), { op: undefined })
  return changed(valueOfBlock(block), { btype: text(blockType), tx })
}

describe.each(EXAMPLES)('ledger §20.82: the $name of the ICRC-3 text', (example) => {
  test('has its hash', () => {
    expect(hashOf(example.block)).toBe(example.hash)
  })

  test('has its hash in the form with btype, and means the same block', () => {
    const value = withBlockType(example)
    expect(toHex(hashValue(value))).toBe(example.hashWithBlockType)
    expect(blockOfValue(value)).toEqual(example.block)
  })

  test('is of its type, whether it says so or not', () => {
    expect(typeOfBlock(withBlockType(example))).toBe(example.blockType)
    expect(typeOfBlock(valueOfBlock(example.block))).toBe(example.blockType)
  })
})

test('a transfer with a spender is of type 2xfer', () => {
  const transaction = { ...TRANSFER, spender: TRANSFER.to }
  expect(typeOfBlock(valueOfBlock({ ...BLOCK_1357691, transaction }))).toBe('2xfer')
})

describe('ledger §20.89: a block of unknown type, with unknown keys', () => {
  const tx = { type: 'map', map: [['mthd', text('122mint')]] } as const
  const value = changed(valueOfBlock(BLOCK_0), { btype: text('122mint'), extra: nat(7n), tx })
  const method = ledgerInterface.icrc3_get_blocks

  /** What a reader gets of a block that a ledger serves. */
  function served(block: Value): Value {
    const answer = { logLength: 1n, blocks: [{ id: 0n, block }], archivedBlocks: [] }
    const [read] = decodeArgs([method.result], encodeArgs([method.result], [answer]))
    return read.blocks[0]?.block ?? text('nothing')
  }

  test('reaches its reader whole, under its type', () => {
    expect(served(value)).toEqual(value)
    expect(typeOfBlock(served(value))).toBe('122mint')
  })

  test('has the hash that the SDK computes, to which the next block can point', () => {
    const theirs = requestIdOf({
      btype: '122mint',
      extra: 7n,
      ts: BLOCK_0.timestamp,
      tx: { mthd: '122mint' },
    })
    expect(toHex(hashValue(served(value)))).toBe(toHex(theirs))
  })

  test('has no reading as a block that we know, and every part of it counts for its hash', () => {
    expect(attempt(() => blockOfValue(value))).toBeInstanceOf(BadEncoding)
    const others = ['btype', 'extra', 'ts', 'tx'].map((key) => changed(value, { [key]: undefined }))
    expect(new Set([value, ...others].map(hashValue).map(toHex)).size).toBe(5)
  })
})

describe('a block of ICRC-107', () => {
  const collector = account('0000000000d00e7f0101', ZEROS)
  const caller = principal(fromHex('0000000000f013780101'))
  const transaction = {
    type: 'feeCollector',
    feeCollector: collector,
    caller,
    createdAtTime: timestampNs(22334455n),
    method: '107set_fee_collector',
  } as const
  const block: Block = { timestamp: timestampNs(12345678n), transaction }
  const value = valueOfBlock(block)
  const inTx = (changes: Readonly<Record<string, Value | undefined>>): Block =>
    blockOfValue(changed(value, { tx: changed(valueOfTransaction(transaction), changes) }))

  test('says its type, the method, who called it and the account', () => {
    const blob = (bytes: Uint8Array): Value => ({ type: 'blob', blob: bytes })
    const array = [blob(collector.owner), blob(fromHex(ZEROS))]
    const entries = (map: readonly Entry[]): Value => ({ type: 'map', map })
    const tx = entries([
      ['caller', blob(caller)],
      ['fee_collector', { type: 'array', array }],
      ['mthd', text('107set_fee_collector')],
      ['ts', nat(22334455n)],
    ])
    expect(value).toEqual(
      entries([
        ['btype', text('107feecol')],
        ['ts', nat(12345678n)],
        ['tx', tx],
      ]),
    )
    expect(typeOfBlock(value)).toBe('107feecol')
  })

  test('is read whether the method is `mthd` or `op`, and with nothing said but the type', () => {
    const name = text('107set_fee_collector')
    expect(inTx({ mthd: undefined, op: name }).transaction).toEqual(transaction)
    const nothing = { mthd: undefined, ts: undefined, caller: undefined, fee_collector: undefined }
    expect(inTx(nothing).transaction).toEqual({ type: 'feeCollector' })
  })

  test('is none without its type', () => {
    expect(attempt(() => blockOfValue(changed(value, { btype: undefined })))).toHaveProperty(
      'message',
      'a block without "op"',
    )
  })
})

describe('reading a value as a block refuses', () => {
  const value = valueOfBlock(BLOCK_1357691)
  const tx = valueOfTransaction(TRANSFER)
  const inTx = (changes: Readonly<Record<string, Value | undefined>>): Value =>
    changed(value, { tx: changed(tx, changes) })
  const blob = (size: number): Value => ({ type: 'blob', blob: new Uint8Array(size) })
  const array = (...values: readonly Value[]): Value => ({ type: 'array', array: values })
  const corruptions: readonly (readonly [string, Value, string])[] = [
    ['what is no map', text('xfer'), 'map expected'],
    ['no time', changed(value, { ts: undefined }), 'without "ts"'],
    ['a time that is text', changed(value, { ts: text('1') }), 'nat expected'],
    ['a time of 65 bits', changed(value, { ts: nat(2n ** 64n) }), 'last timestamp'],
    ['no transaction', changed(value, { tx: undefined }), 'without "tx"'],
    ['a short parent', changed(value, { phash: blob(31) }), '32 bytes'],
    ['an unknown btype', changed(value, { btype: text('3xfer') }), 'unknown type "3xfer"'],
    [
      'a key given twice',
      {
        type: 'map',
        map: [
          ['ts', nat(1n)],
          ['ts', nat(1n)],
        ],
      },
      'twice',
    ],
    ['no operation', inTx({ op: undefined }), 'without "op"'],
    ['an unknown operation', inTx({ op: text('move') }), 'unknown type "move"'],
    ['a block type for an operation', inTx({ op: text('1xfer') }), 'unknown type "1xfer"'],
    ['no amount', inTx({ amt: undefined }), 'without "amt"'],
    ['no sender', inTx({ from: undefined }), 'without "from"'],
    ['no receiver', inTx({ to: undefined }), 'without "to"'],
    ['an approval without spender', inTx({ op: text('approve') }), 'without "spender"'],
    ['an empty account', inTx({ to: array() }), 'account of 0 parts'],
    ['an account of three parts', inTx({ to: array(blob(1), blob(32), blob(1)) }), '3 parts'],
    ['a subaccount of 31 bytes', inTx({ to: array(blob(1), blob(31)) }), '31 bytes'],
    ['an owner of 30 bytes', inTx({ to: array(blob(30)) }), 'principal of 30 bytes'],
    ['a memo that is text', inTx({ memo: text('hi') }), 'blob expected'],
  ]
  test.each(corruptions)('%s', (_name, corrupted, reason) => {
    const reading = attempt(() => blockOfValue(corrupted))
    expect(reading).toBeInstanceOf(BadEncoding)
    expect(reading).toHaveProperty('message', expect.stringContaining(reason))
  })
})

const BLOCK_ORDER = ['phash', 'tx', 'fee', 'ts', 'fee_col', 'fee_col_block', 'btype']
const TRANSACTION_ORDER = [
  ...['ts', 'memo', 'op', 'from', 'to', 'spender', 'amt', 'fee', 'expected_allowance'],
  ...['expires_at', 'fee_collector', 'caller', 'mthd'],
]

/** The slow way: any value as CBOR, its keys and those of the maps inside in a given order. */
function cborInOrder(value: Value, order: readonly string[]): Cbor {
  switch (value.type) {
    case 'blob':
      return value.blob
    case 'text':
      return value.text
    case 'nat':
      return value.nat
    case 'int':
      return value.int
    case 'array':
      return value.array.map((element) => cborInOrder(element, order))
    case 'map': {
      const sorted = value.map.toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      return new Map(sorted.map(([key, one]) => [key, cborInOrder(one, TRANSACTION_ORDER)]))
    }
  }
}

describe('stored blocks', () => {
  test('ledger §20.88: random blocks are the same after encoding and decoding, hash included', () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const bytes = encodeBlock(block)
        const again = decodeBlock(bytes)
        expect(again).toEqual(block)
        expect(toHex(encodeBlock(again))).toBe(toHex(bytes))
        expect(hashOf(again)).toBe(hashOf(block))
      }),
    )
  })

  test('the bytes of a block are those of its value, keys in the order of §9.1', () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        const cbor = encodeTaggedCbor(cborInOrder(valueOfBlock(block), BLOCK_ORDER))
        expect(toHex(encodeBlock(block))).toBe(toHex(cbor))
      }),
    )
  })

  test('a block that cannot be written leaves nothing behind in the next', () => {
    const negative = { ...BLOCK_1357691, fee: -1n as Tokens }
    expect(() => encodeBlock(negative)).toThrow(RangeError)
    expect(toHex(encodeBlock(BLOCK_0))).toBe(MAINNET[0].stored)
  })

  test('ledger §20.88: different blocks have different hashes', () => {
    fc.assert(
      fc.property(arbitraryBlock, arbitraryBlock, (a, b) => {
        expect(hashOf(a) === hashOf(b)).toBe(toHex(encodeBlock(a)) === toHex(encodeBlock(b)))
      }),
    )
  })

  test('the hash of typed data is the hash of the value', () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        expect(hashOf(block)).toBe(toHex(hashValue(valueOfBlock(block))))
        expect(toHex(hashTransaction(block.transaction))).toBe(
          toHex(hashValue(valueOfTransaction(block.transaction))),
        )
      }),
    )
  })

  test('keys are shown in the order of their bytes', () => {
    fc.assert(
      fc.property(arbitraryBlock, (block) => {
        for (const value of [valueOfBlock(block), valueOfTransaction(block.transaction)]) {
          const keys = value.type === 'map' ? value.map.map(([key]) => key) : []
          expect(keys).toEqual([...keys].sort())
        }
      }),
    )
  })

  const stored = fromHex(MAINNET[1].stored)

  test('every prefix is refused', () => {
    for (let size = 0; size < stored.length; size++)
      expect(attempt(() => decodeBlock(stored.subarray(0, size)))).toBeInstanceOf(BadEncoding)
  })

  test.each([
    ['trailing bytes', `${MAINNET[1].stored}00`],
    ['no tag', MAINNET[0].stored.slice(6)],
    ['a long form of a small number', MAINNET[1].stored.replace('636665650a', '63666565180a')],
    [
      'another order of keys',
      MAINNET[1].stored.replace(/(63616d741a00038407)(636665650a)/, '$2$1'),
    ],
    ['an unknown key', MAINNET[0].stored.replace('a2627478', 'a3617800627478')],
    [
      'a btype',
      MAINNET[0].stored.replace('a2627478', `a3656274797065${toHex(utf8('e1mint'))}627478`),
    ],
    ['null as a memo', MAINNET[1].stored.replace('48000000000000f9c6', 'f6')],
  ])('%s are refused', (_name, hex) => {
    expect(hex).not.toBe(MAINNET[1].stored)
    expect(attempt(() => decodeBlock(fromHex(hex)))).toBeInstanceOf(BadEncoding)
  })
})
