/**
 * Goal: of an Esplora server nothing is believed but that an output is unspent and that none is
 * left out; every other lie is named.
 * Method: the protocol over the real chain of a regtest node, on loopback; one answer changed at a
 * time. bitcoin.md §8.7, §13.24.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromDisplayHex, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sat } from '../../../src/core/base/units.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { networks, regtest } from '../../../src/core/btc/network.ts'
import {
  encodeTransaction,
  strippedSize,
  transactionFromParts,
  txid,
} from '../../../src/core/btc/transaction.ts'
import { EsploraSource } from '../../../src/wallet/sources/esplora.ts'
import { blockOn, NOW } from '../../core/btc/regtest/chains.ts'
import { esploraDouble } from '../../support/esplora-double.ts'
import type { HttpDouble, Lie } from '../../support/http-double.ts'
import type { Story } from './story.ts'
import { NOW_S, other, portsOf, tell, watched } from './story.ts'

let story: Story
let server: HttpDouble
let url: URL
let waits: number[]
const source = (withinMs = 5_000): EsploraSource => new EsploraSource(url, portsOf(waits), withinMs)

/** Of tests that leave the chain as it is. */
const shared = tell()

beforeEach(async ({ task }) => {
  story = /transaction, or says|reorganisation|at most four|64 bytes/.test(task.name)
    ? tell()
    : shared
  server = esploraDouble(story.node, NOW_S)
  url = await server.start()
  waits = []
})
afterEach(() => server.close())

const change =
  (pattern: RegExp, body: (honest: string, path: string) => string): Lie =>
  ({ path }, honest) =>
    pattern.test(path) ? { ...honest, body: body(String(honest.body), path) } : honest

describe('an honest server', () => {
  test('proves what exists, and says what is unspent', async () => {
    const { unspent, spent, unknown, node } = story
    const status = await source().spendStatus([unspent, spent, unknown])
    expect(status).toMatchObject({ exists: 'proved', unspent: 'server-said' })
    expect(status.at).toMatchObject({ height: node.tip().height, hash: node.tip().hash })
    expect(status.outputs).toEqual([
      { type: 'unspent', value: 4_999_999_000n, script: watched.script, height: unspent.height },
      { type: 'spent' },
      { type: 'unknown' },
    ])
  })

  test('is asked at most four things at once, and each header once', async () => {
    const esplora = source()
    await esplora.spendStatus([story.unspent, story.spent])
    expect(server.atOnceMax).toBeLessThanOrEqual(4)
    const headers = server.requests.filter(({ path }) => path.endsWith('/header')).length
    await esplora.info()
    expect(server.requests.filter(({ path }) => path.endsWith('/header')).length).toBe(headers)
    story.node.mine(1, other.script, NOW)
    expect((await esplora.info()).tip.height).toBe(story.node.tip().height)
    expect(server.requests.filter(({ path }) => path.endsWith('/header')).length).toBe(headers + 1)
  })

  test('lists outputs of a script, each proved; gives headers and blocks', async () => {
    const found = await source().stableUtxos([watched.script])
    expect(found.utxos.map(({ height }) => height)).toEqual([story.unspent.height])
    const headers = await source().headers(100, 50)
    expect(headers.length).toBe(story.node.tip().height - 99)
    const { hash } = story.node.tip()
    expect(headerHash((await source().block(hash)).header)).toEqual(hash)
    expect(await source().prevouts()).toBe('unsupported')
  })

  test('takes a transaction, or says why not; and has evidence of it', async () => {
    const esplora = source()
    const bytes = encodeTransaction(story.next)
    const id = txid(story.next)
    expect(await esplora.txEvidence(id)).toEqual({ type: 'unknown' })
    expect(await esplora.broadcast(bytes)).toEqual({ type: 'accepted', txid: id })
    expect(await esplora.txEvidence(id)).toMatchObject({ type: 'echoed', label: 'server-said' })
    // What waits in a mempool has not happened on the chain.
    expect((await esplora.spendStatus([story.unspent])).outputs[0]?.type).toBe('unspent')
    story.node.mine(1, other.script, NOW)
    expect(await esplora.txEvidence(id)).toMatchObject({
      type: 'inBlock',
      confirmations: 1,
      label: 'proved',
    })
    expect((await esplora.spendStatus([story.unspent])).outputs[0]?.type).toBe('spent')
    // The node has it already: that is success.
    expect(await esplora.broadcast(bytes)).toMatchObject({ type: 'accepted' })
    const double = { ...story.next, lockTime: 1 }
    expect(await esplora.broadcast(encodeTransaction(double))).toMatchObject({
      type: 'refused',
      kind: 'inputs-missing-or-spent',
      reason: expect.stringContaining('bad-txns-inputs-missingorspent'),
    })
  })

  test('follows a reorganisation', async () => {
    const esplora = source()
    await esplora.info()
    const { node } = story
    node.reorganise(17, { dropTransactions: true, payToScript: other.script, nowSeconds: NOW })
    const status = await esplora.spendStatus([story.unspent])
    expect(status.at.hash).toEqual(node.tip().hash)
    expect(status.outputs).toEqual([{ type: 'unknown' }])
  })
})

describe('a lie is named, and nothing of it is used', () => {
  const id = () => toDisplayHex(story.unspent.outpoint.txid)
  const flip = (text: string): string => `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`
  const json =
    (edit: (value: { readonly merkle: readonly string[]; readonly pos: number }) => object) =>
    (text: string): string =>
      JSON.stringify(edit(JSON.parse(text)))

  const lies: readonly (readonly [string, () => Lie, RegExp])[] = [
    [
      'another transaction',
      () => change(/\/hex$/, () => toHex(encodeTransaction(story.next))),
      /another transaction/,
    ],
    [
      'a proof with another neighbour',
      () =>
        change(
          /merkle-proof$/,
          json((proof) => ({ ...proof, merkle: proof.merkle.map(flip) })),
        ),
      /does not hold: bad-merkle-root/,
    ],
    [
      'a proof at another place',
      () =>
        change(
          /merkle-proof$/,
          json((proof) => ({ ...proof, pos: proof.pos ^ 1 })),
        ),
      /does not hold/,
    ],
    [
      'a proof into another block',
      () =>
        change(
          /merkle-proof$/,
          json((proof) => ({ ...proof, block_height: 3 })),
        ),
      /does not hold/,
    ],
    [
      'a proof that is too short',
      () =>
        change(
          /merkle-proof$/,
          json((proof) => ({ ...proof, merkle: [] })),
        ),
      /does not hold/,
    ],
    [
      'a count of transactions that is too large',
      () =>
        change(
          /^\/block\/[0-9a-f]{64}$/,
          json((block) => ({ ...block, tx_count: 900 })),
        ),
      /does not hold: bad-depth/,
    ],
    [
      'a coinbase that is none',
      () => change(/\/txid\/0$/, () => id()),
      /does not hold: not-a-coinbase/,
    ],
    [
      'a header of another block',
      () => change(/\/header$/, (hex) => hex.replace(/^......../, '00000030')),
      /breaks the rules: high-hash|do not lead to the tip/,
    ],
    [
      'headers whose work does not meet their target',
      () => change(/\/header$/, (hex) => `${hex.slice(0, 144)}ffff7f1d${hex.slice(152)}`),
      /breaks the rules: high-hash/,
    ],
    [
      'a height that is not that of the tip',
      () => change(/tip\/height$/, () => '3'),
      /tip disagree/,
    ],
    [
      'a spend by a transaction that spends something else',
      () =>
        change(/outspend/, () =>
          JSON.stringify({
            spent: true,
            txid: id(),
            status: { confirmed: true, block_height: 105 },
          }),
        ),
      /does not spend/,
    ],
    ['text that is no JSON', () => change(/merkle-proof$/, () => '<html>'), /is none: not JSON/],
    ['JSON of another shape', () => change(/merkle-proof$/, () => '[]'), /is none/],
    ['no hash', () => change(/block-height/, () => 'abc'), /no hash/],
    ['no transaction', () => change(/\/hex$/, () => 'abcdef'), /is none/],
    [
      'a body without end',
      () => change(/merkle-proof$/, () => 'x'.repeat(200_000)),
      /more than 65536 bytes/,
    ],
  ]
  test.each(lies)(
    '%s',
    async (_, lie, expected) => {
      server.lie = lie()
      const failure = source().spendStatus([story.unspent])
      await expect(failure).rejects.toMatchObject({ code: 'BTC_SOURCE_FALSE', exit: 5 })
      await expect(failure).rejects.toThrow(expected)
    },
    20_000,
  )

  test.each([
    [
      'another amount',
      json((list) => Object.values(list).map((one) => ({ ...(one as object), value: 5 }))),
    ],
    [
      'another output',
      json((list) => Object.values(list).map((one) => ({ ...(one as object), vout: 1 }))),
    ],
  ])('%s in a list of outputs', async (_, edit) => {
    server.lie = change(/\/utxo$/, edit)
    await expect(source().stableUtxos([watched.script])).rejects.toMatchObject({
      code: 'BTC_SOURCE_FALSE',
    })
  })

  test('an output that is left out is not seen: that is the server’s word', async () => {
    server.lie = change(/\/utxo$/, () => '[]')
    expect(await source().stableUtxos([watched.script])).toMatchObject({
      utxos: [],
      label: 'server-said',
    })
  })

  test('another block body', async () => {
    const wrong = present(story.node.blockAt(7), 'a block')
    server.lie = ({ path }, honest) =>
      path.endsWith('/raw') ? { ...honest, body: Uint8Array.of(1, 2, 3) } : honest
    await expect(source().block(headerHash(wrong.header))).rejects.toThrow(/another one/)
  })

  test('a clock that is three hours behind is named, not the server (§13.20)', async () => {
    const ports = { ...portsOf(waits), nowSeconds: () => NOW - 10_800 }
    await expect(new EsploraSource(url, ports).info()).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      fix: expect.stringContaining('the clock of this computer'),
    })
  })

  test('a transaction of 64 bytes proves nothing, though a block holds it (§13.24)', async () => {
    const { node } = story
    const anyone = present(node.blockAt(5)?.transactions[0], 'a coinbase that anyone may spend')
    const short = transactionFromParts({
      inputs: [{ outpoint: { txid: txid(anyone), vout: 0 } }],
      outputs: [{ value: sat(1_000n), script: Uint8Array.of(0x51, 0x51, 0x51, 0x51) }],
    })
    expect(strippedSize(short)).toBe(64)
    const block = blockOn(node, { transactions: [short] })
    expect(node.submitBlock(block, NOW_S).type).toBe('accepted')
    const outpoint = { txid: txid(short), vout: 0 }
    const failure = source().spendStatus([{ outpoint, script: Uint8Array.of(0x51) }])
    await expect(failure).rejects.toMatchObject({ code: 'BTC_SOURCE_FALSE' })
    await expect(failure).rejects.toThrow(/does not hold: transaction-of-64-bytes/)
  })

  test('a chain of another network is no source', async () => {
    const ports = { ...portsOf(waits), network: networks.testnet4 }
    await expect(new EsploraSource(url, ports).info()).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      message: expect.stringContaining('not on testnet4'),
    })
  })
})

describe('a server in trouble', () => {
  test('that says 429 is asked again when it says, then more and more seldom', async () => {
    let refusals = 3
    server.lie = (_, honest) =>
      refusals-- > 0 ? { status: 429, body: 'slow down', headers: { 'retry-after': '7' } } : honest
    expect((await source().info()).tip.height).toBe(story.node.tip().height)
    expect(waits).toEqual([7_000, 7_000, 7_000])
  })

  test('that says 429 without end, or asks for too much patience, is left', async () => {
    server.lie = () => ({ status: 429, body: '' })
    await expect(source().info()).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000])
    server.lie = () => ({ status: 429, body: '', headers: { 'retry-after': '3600' } })
    await expect(source().info()).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
  })

  test.each([
    ['cuts its answers short', 'cut'],
    ['does not answer', 'hang'],
  ] as const)('that %s is left after a few attempts', async (_, how) => {
    server.lie = () => how
    await expect(source(100).info()).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
    expect(waits.length).toBe(4)
  })

  test('that is not there is unreachable at once; one that was there is waited for', async () => {
    const known = source()
    await known.info()
    await server.close()
    await expect(source().info()).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
      command: 'ckbtc verify-reserves --help',
    })
    // A connection that was kept open may fail first, in its own way.
    expect(waits.length).toBeLessThanOrEqual(1)
    waits.length = 0
    await expect(known.info()).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000])
  })

  test('that sends the question elsewhere is not followed', async () => {
    server.lie = () => ({ status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } })
    await expect(source().info()).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' })
  })

  test('that refuses an address with many outputs is not cut short', async () => {
    server.lie = ({ path }, honest) =>
      path.endsWith('/utxo')
        ? { status: 400, body: 'Too many unspent transaction outputs' }
        : honest
    const failure = source().stableUtxos([watched.script])
    await expect(failure).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      details: { reason: 'TooManyUtxos' },
    })
    await expect(failure).rejects.toThrow(addressOfScript(watched.script, regtest) ?? 'none')
  })

  test('is given up at once when the command ends', async () => {
    const ending = new AbortController()
    server.lie = () => {
      ending.abort(new RangeError('the end'))
      return 'hang'
    }
    const ports = { ...portsOf(waits), signal: ending.signal }
    await expect(new EsploraSource(url, ports).info()).rejects.toThrow('the end')
  })
})

test('news of tips come until nobody listens', async () => {
  const heights: number[] = []
  const waiting: (() => void)[] = []
  const ports = { ...portsOf(), wait: () => new Promise<void>((go) => waiting.push(go)) }
  const esplora = new EsploraSource(url, ports)
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      const stop = esplora.subscribe((event) => {
        if (event.type === 'tipChanged') heights.push(event.tip.height)
        stop()
        resolve()
      })
    })
  await next()
  expect(fromDisplayHex(toDisplayHex(story.node.tip().hash))).toEqual(story.node.tip().hash)
})
