/**
 * Goal: the JSON-RPC of the regtest node has the shapes, numbers and error codes of Bitcoin Core 28,
 * and no body makes it throw.
 * Method: calls on a chain of known blocks; tables of refusals. RN-21.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toDisplayHex, toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { addressOfScript } from '../../../../src/core/btc/address.ts'
import { encodeBlock, encodeHeader, headerHash } from '../../../../src/core/btc/block.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { Amount, writeJson } from '../../../../src/core/btc/regtest/rpc/json.ts'
import { answerCall, parseBody, rpcMethods } from '../../../../src/core/btc/regtest/rpc/rpc.ts'
import {
  assembly,
  descriptorChecksum,
  scriptView,
} from '../../../../src/core/btc/regtest/rpc/scripts.ts'
import { opReturnScript } from '../../../../src/core/btc/script.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { encodeTransaction, txid, wtxid } from '../../../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './chains.ts'
import { assemble } from './script-assembly.ts'
import { EVERY_WALLET, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const elsewhere = p2wpkhWallet(2)
const address = present(addressOfScript(elsewhere.script, regtest), 'an address')
const hexOf = (tx: Transaction): string => toHex(encodeTransaction(tx))
const idOf = (tx: Transaction): string => toDisplayHex(txid(tx))

/** Every node but `twice` may be added, and none has been. */
const nodes = { add: (host: string) => host !== 'twice', remove: () => false }

function raw(node: RegtestNode, method: string, params: unknown = [], extra = {}) {
  const peers = () => [
    { id: 1, address: '127.0.0.1:9', userAgent: '/a/', isOutbound: false },
    { id: 2, address: '127.0.0.1:8', userAgent: '/b/', isOutbound: true },
  ]
  const context = { node, nowSeconds: NOW, peers, nodes, stop: undefined, uptimeSeconds: 7 }
  const call = parseBody(JSON.stringify({ method, params, id: 'x', ...extra }))
  if (call.type !== 'single') throw new RangeError('one call')
  return answerCall(call.call, context)
}
function ask(node: RegtestNode, method: string, ...params: readonly unknown[]) {
  const { result, error } = JSON.parse(raw(node, method, params).text)
  if (error !== null) throw new RangeError(`${error.code} ${error.message}`)
  return result
}
const refusal = (node: RegtestNode, method: string, ...params: readonly unknown[]): string => {
  const { error } = JSON.parse(raw(node, method, params).text)
  return error === null ? 'answered' : `${error.code} ${error.message}`
}

const node = nodeWithCoins(owner, 6)
const spendOf = (height: number, value = SUBSIDY - 1_000n): Transaction =>
  signedSpend([coinbaseCoin(node, height, owner)], [pay(elsewhere, value)])
const first = spendOf(1)
node.submit(first, NOW)
node.mine(1, owner.script, NOW)
const tip = () => toDisplayHex(node.tip().hash)
const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'

describe('the chain', () => {
  test('the genesis block of regtest, to the last field', () => {
    expect(ask(node, 'getblockhash', 0)).toBe(GENESIS)
    const next = present(node.blockAt(1), 'a first block')
    const header = {
      hash: GENESIS,
      confirmations: node.tip().height + 1,
      height: 0,
      version: 1,
      versionHex: '00000001',
      merkleroot: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
      time: 1296688602,
      mediantime: 1296688602,
      nonce: 2,
      bits: '207fffff',
      difficulty: 4.656542373906925e-10,
      chainwork: '0000000000000000000000000000000000000000000000000000000000000002',
      nTx: 1,
      nextblockhash: toDisplayHex(headerHash(next.header)),
    }
    expect(ask(node, 'getblockheader', GENESIS)).toEqual(header)
    const block = ask(node, 'getblock', GENESIS, 2)
    expect(block).toMatchObject({ ...header, strippedsize: 285, size: 285, weight: 1140 })
    const words = 'The Times 03/Jan/2009 Chancellor on brink of second bailout for banks'
    const key =
      '04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f'
    expect(block.tx).toEqual([
      {
        txid: header.merkleroot,
        hash: header.merkleroot,
        version: 1,
        size: 204,
        vsize: 204,
        weight: 816,
        locktime: 0,
        vin: [
          {
            coinbase: `04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73`,
            sequence: 4294967295,
          },
        ],
        vout: [
          {
            value: 50,
            n: 0,
            scriptPubKey: {
              asm: `${key} OP_CHECKSIG`,
              desc: `pk(${key})#${descriptorChecksum(`pk(${key})`)}`,
              hex: `41${key}ac`,
              type: 'pubkey',
            },
          },
        ],
        hex: expect.stringContaining(toHex(new TextEncoder().encode(words))),
      },
    ])
    expect(raw(node, 'getblock', [GENESIS, 2]).text).toContain('"value":50.00000000,')
  })

  test('blocks by hash in four forms, with fees and what they spend', () => {
    const block = present(node.blockAt(node.tip().height), 'the tip')
    expect(ask(node, 'getblock', tip(), 0)).toBe(toHex(encodeBlock(block)))
    expect(ask(node, 'getblock', tip(), false)).toBe(toHex(encodeBlock(block)))
    expect(ask(node, 'getblockheader', tip(), false)).toBe(toHex(encodeHeader(block.header)))
    expect(ask(node, 'getblock', tip()).tx[1]).toBe(idOf(first))
    const [, second] = ask(node, 'getblock', tip(), 2).tx
    expect(second).toMatchObject({ txid: idOf(first), fee: 0.00001, hex: hexOf(first) })
    expect(second.vin[0]).not.toHaveProperty('prevout')
    const [coinbase, third] = ask(node, 'getblock', tip(), 3).tx
    expect(coinbase).not.toHaveProperty('fee')
    expect(third.vin[0].prevout).toMatchObject({
      generated: true,
      height: 1,
      value: 50,
      scriptPubKey: { type: 'witness_v0_keyhash', hex: toHex(owner.script) },
    })
    expect(Object.keys(third.vin[0])).toEqual([
      'txid',
      'vout',
      'scriptSig',
      'txinwitness',
      'prevout',
      'sequence',
    ])
  })

  test('numbers of the chain, of its coins and of a scan', () => {
    const { height } = node.tip()
    expect(ask(node, 'getblockchaininfo')).toMatchObject({
      chain: 'regtest',
      blocks: height,
      headers: height,
      bestblockhash: tip(),
      initialblockdownload: false,
      pruned: false,
      warnings: [],
    })
    expect([ask(node, 'getblockcount'), ask(node, 'getbestblockhash')]).toEqual([height, tip()])
    // Of the coinbases one is spent, into one output; that of genesis was never to be spent.
    expect(ask(node, 'gettxoutsetinfo')).toMatchObject({ height, txouts: height })
    const desc = `addr(${address})`
    const scan = ask(node, 'scantxoutset', 'start', [
      { desc },
      `raw(${toHex(elsewhere.script)})`,
      `${desc}#${descriptorChecksum(desc)}`,
    ])
    expect(scan).toMatchObject({ success: true, height, bestblock: tip(), total_amount: 49.99999 })
    expect(scan.unspents).toEqual([
      expect.objectContaining({
        txid: idOf(first),
        vout: 0,
        amount: 49.99999,
        coinbase: false,
        height,
        blockhash: tip(),
        confirmations: 1,
      }),
    ])
    expect(ask(node, 'gettxout', idOf(first), 0)).toMatchObject({
      bestblock: tip(),
      confirmations: 1,
      value: 49.99999,
      scriptPubKey: { address },
      coinbase: false,
    })
    expect(ask(node, 'gettxout', idOf(first), 1)).toBe(null)
  })
})

describe('transactions', () => {
  test('are sent, looked up, listed, and found in their block', () => {
    const chain = new RegtestNode({
      blocks: Array.from({ length: node.tip().height }, (_, i) =>
        present(node.blockAt(i + 1), 'a block'),
      ),
    })
    const parent = spendOf(2)
    const child = signedSpend(
      [
        {
          outpoint: { txid: txid(parent), vout: 0 },
          output: present(parent.outputs[0], 'one'),
          owner: elsewhere,
        },
      ],
      [pay(owner, SUBSIDY - 3_000n)],
    )
    expect(ask(chain, 'testmempoolaccept', [hexOf(parent)])).toEqual([
      {
        txid: idOf(parent),
        wtxid: toDisplayHex(wtxid(parent)),
        allowed: true,
        vsize: 110,
        fees: {
          base: 0.00001,
          'effective-feerate': 0.0000909,
          'effective-includes': [toDisplayHex(wtxid(parent))],
        },
      },
    ])
    expect(ask(chain, 'testmempoolaccept', [hexOf(child)])[0]['reject-reason']).toBe(
      'missing-inputs',
    )
    expect(ask(chain, 'sendrawtransaction', hexOf(parent))).toBe(idOf(parent))
    const otherWitness = child.inputs.map((input) => ({ ...input, witness: [Uint8Array.of(1)] }))
    for (const inputs of [child.inputs, child.inputs, otherWitness])
      expect(ask(chain, 'sendrawtransaction', hexOf({ ...child, inputs }))).toBe(idOf(child))
    expect(ask(chain, 'getrawtransaction', idOf(child))).toBe(hexOf(child))
    expect(ask(chain, 'getrawmempool')).toEqual([idOf(parent), idOf(child)])
    expect(ask(chain, 'getmempoolinfo')).toMatchObject({
      loaded: true,
      size: 2,
      total_fee: 0.00003,
    })
    const entry = ask(chain, 'getmempoolentry', idOf(parent))
    expect(entry).toMatchObject({
      vsize: 110,
      descendantcount: 2,
      ancestorcount: 1,
      wtxid: toDisplayHex(wtxid(parent)),
      fees: { base: 0.00001, modified: 0.00001, ancestor: 0.00001, descendant: 0.00003 },
      depends: [],
      spentby: [idOf(child)],
      'bip125-replaceable': true,
      unbroadcast: false,
    })
    expect(ask(chain, 'getrawmempool', true)[idOf(child)].depends).toEqual([idOf(parent)])
    // What the mempool spends is spent, unless one asks for the chain alone.
    expect(ask(chain, 'gettxout', idOf(parent), 0)).toBe(null)
    expect(ask(chain, 'gettxout', idOf(child), 0)).toMatchObject({ confirmations: 0 })
    expect(ask(chain, 'getrawtransaction', idOf(child))).toBe(hexOf(child))
    expect(ask(chain, 'getrawtransaction', idOf(child), 2)).toMatchObject({ fee: 0.00002 })
    expect(ask(chain, 'getrawtransaction', idOf(child), true)).not.toHaveProperty('blockhash')
    const [hash] = ask(chain, 'generatetoaddress', 1, address)
    expect(ask(chain, 'getrawtransaction', idOf(child), true)).toMatchObject({
      blockhash: hash,
      confirmations: 1,
      hex: hexOf(child),
    })
    expect(ask(chain, 'getrawtransaction', idOf(child), 2, hash)).toMatchObject({
      in_active_chain: true,
      vin: [{ prevout: { value: 49.99999, generated: false } }],
    })
    expect(refusal(chain, 'sendrawtransaction', hexOf(child))).toBe(
      '-27 Transaction outputs already in utxo set',
    )
    expect(ask(chain, 'decoderawtransaction', hexOf(child)).txid).toBe(idOf(child))
    chain.reorganise(1, { dropTransactions: true, payToScript: owner.script, nowSeconds: NOW })
    expect(ask(chain, 'getrawtransaction', idOf(child), true, hash)).toMatchObject({
      in_active_chain: false,
      confirmations: 0,
    })
    expect(ask(chain, 'getrawtransaction', idOf(child), true, hash)).not.toHaveProperty('blocktime')
    expect(ask(chain, 'getblockheader', hash).confirmations).toBe(-1)
  })

  test('what builds on a replaceable entry is replaceable until that is confirmed', () => {
    const chain = nodeWithCoins(owner, 1)
    const coin = coinbaseCoin(chain, 1, owner)
    const parent = signedSpend([coin], [pay(owner, SUBSIDY - 1_000n)])
    const output = present(parent.outputs[0], 'one')
    const child = signedSpend(
      [{ outpoint: { txid: txid(parent), vout: 0 }, output, owner }],
      [pay(owner, SUBSIDY - 2_000n)],
      { sequence: 0xffff_ffff },
    )
    for (const tx of [parent, child]) ask(chain, 'sendrawtransaction', hexOf(tx))
    const isReplaceable = () => ask(chain, 'getmempoolentry', idOf(child))['bip125-replaceable']
    expect(isReplaceable()).toBe(true)
    ask(chain, 'generateblock', address, [idOf(parent)])
    expect(isReplaceable()).toBe(false)
  })

  test('the highest fee is rounded up', () => {
    const tx = spendOf(2, SUBSIDY - 223n)
    const most = (rate: number): unknown => ask(node, 'testmempoolaccept', [hexOf(tx)], rate)[0]
    expect(most(0.00002027)).toMatchObject({ allowed: true }) // 222.97 for 110 vB.
    expect(most(0.00002018)).toMatchObject({ 'reject-reason': 'max-fee-exceeded' })
  })

  test('the rate that is asked for is the one that was set', () => {
    const cheap = new RegtestNode({ mempool: { relayRateSatPerKvb: 100n } })
    expect(ask(cheap, 'getmempoolinfo')).toMatchObject({
      mempoolminfee: 0.000001,
      minrelaytxfee: 0.000001,
      incrementalrelayfee: 0.00001,
    })
    expect(ask(cheap, 'getnetworkinfo')).toMatchObject({
      relayfee: 0.000001,
      incrementalfee: 0.00001,
    })
  })

  test('an output of every kind has its type, its address and its words', () => {
    const types = EVERY_WALLET.map(({ script }) => {
      const view = JSON.parse(writeJson(scriptView(script)))
      expect(view.desc).toMatch(/^(pk|addr|rawtr)\(.*\)#[a-z0-9]{8}$/)
      return view.type
    })
    expect(types).toEqual([
      'pubkey',
      'pubkeyhash',
      'scripthash',
      'witness_v0_keyhash',
      'witness_v0_scripthash',
      'witness_v1_taproot',
    ])
    expect(assembly(opReturnScript(Uint8Array.of(1, 2, 3, 4, 5)))).toBe('OP_RETURN 0102030405')
    expect(assembly(assemble('0 1 16 -1 127 0x02 0x0080 DUP CHECKSIGADD 0xff 0xfe'))).toBe(
      '0 1 16 -1 127 -0 OP_DUP OP_CHECKSIGADD OP_INVALIDOPCODE OP_UNKNOWN'.replace('-0', '0'),
    )
    expect(assembly(Uint8Array.of(0x51, 0x05, 1))).toBe('1 [error]')
  })

  test('the checksum of a descriptor is that of BIP380', () => {
    expect(descriptorChecksum('raw(deadbeef)')).toBe('89f8spxm')
    expect(descriptorChecksum(`addr(${'mkmZxiEcEd8ZqjQWVZuC6so5dFMKEFpN2j'})`)).toBe('02wpgw69')
  })
})

describe('mining', () => {
  test('blocks of chosen transactions, submitted or shown, and those of others', () => {
    const chain = nodeWithCoins(owner)
    const spend = signedSpend([coinbaseCoin(chain, 1, owner)], [pay(elsewhere, SUBSIDY - 500n)])
    const { hash, hex } = ask(chain, 'generateblock', address, [hexOf(spend)], false)
    expect(ask(chain, 'getblockcount')).toBe(101)
    expect(ask(chain, 'submitblock', hex)).toBe(null)
    expect(ask(chain, 'getbestblockhash')).toBe(hash)
    expect(ask(chain, 'submitblock', hex)).toBe('duplicate')
    expect(refusal(chain, 'generateblock', address, [hexOf(spend)])).toBe(
      '-25 TestBlockValidity failed: bad-txns-BIP30',
    )
    expect(ask(chain, 'generateblock', address, [])).toEqual({
      hash: ask(chain, 'getbestblockhash'),
    })
    ask(chain, 'invalidateblock', hash)
    expect(ask(chain, 'getblockcount')).toBe(101)
    ask(chain, 'reconsiderblock', hash)
    expect(ask(chain, 'getblockcount')).toBe(103)
    const bad = blockOn(chain, { reward: SUBSIDY + 1n })
    expect(ask(chain, 'submitblock', toHex(encodeBlock(bad)))).toBe('bad-cb-amount')
  })
})

describe('the network', () => {
  test('its peers, its indexes, its version', () => {
    expect(ask(node, 'getnetworkinfo')).toMatchObject({
      version: 280100,
      protocolversion: 70016,
      localservicesnames: ['NETWORK', 'WITNESS', 'COMPACT_FILTERS'],
      connections: 2,
      connections_in: 1,
      connections_out: 1,
    })
    expect(ask(node, 'getpeerinfo')).toMatchObject([
      { id: 1, addr: '127.0.0.1:9', inbound: true, subver: '/a/' },
      { id: 2, inbound: false },
    ])
    expect(ask(node, 'getindexinfo').txindex).toEqual({
      synced: true,
      best_block_height: node.tip().height,
    })
    expect(ask(node, 'estimatesmartfee', 6)).toEqual({
      errors: ['Insufficient data or no feerate found'],
      blocks: 6,
    })
    expect(ask(node, 'uptime')).toBe(7)
    for (const place of ['127.0.0.1', 'localhost:18445', '[::1]:18445'])
      expect(ask(node, 'addnode', place, 'add')).toBe(null)
  })
})

const OTHER = 'ab'.repeat(32)
const REFUSALS: readonly (readonly [string, readonly unknown[], string | RegExp])[] = [
  ['nothing', [], '-32601 Method not found'],
  ['toString', [], '-32601 Method not found'],
  ['getblockhash', [], '-1 getblockhash height'],
  ['getblockhash', [1, 2], '-1 getblockhash height'],
  ['getblockhash', [-1], '-8 Block height out of range'],
  ['getblockhash', [1_000_000], '-8 Block height out of range'],
  ['getblockhash', [1.5], '-1 JSON integer out of range'],
  ['gettxout', [OTHER, 2 ** 31], '-1 JSON integer out of range'],
  [
    'getblockhash',
    ['1'],
    '-3 Wrong type passed:\n{\n    "Position 1 (height)": "JSON value of type string is not of expected type number"\n}',
  ],
  ['getblock', ['ab'], "-8 blockhash must be of length 64 (not 2, for 'ab')"],
  [
    'getblock',
    ['x'.repeat(64)],
    `-8 blockhash must be hexadecimal string (not '${'x'.repeat(64)}')`,
  ],
  ['getblock', [OTHER], '-5 Block not found'],
  ['getblockheader', [OTHER], '-5 Block not found'],
  ['invalidateblock', [OTHER], '-5 Block not found'],
  ['reconsiderblock', [OTHER], '-5 Block not found'],
  ['gettxout', [OTHER, 'a'], /^-3 /],
  ['gettxoutsetinfo', ['x'], "-8 'x' is not a valid hash_type"],
  ['getrawtransaction', [OTHER], /^-5 No such mempool or blockchain transaction/],
  ['getrawtransaction', ['ab'], /^-8 parameter 1 must be of length 64/],
  ['getrawtransaction', [OTHER, 0, OTHER], '-5 Block hash not found'],
  ['getrawtransaction', [OTHER, 0, GENESIS], /^-5 No such transaction found in the provided block/],
  [
    'getrawtransaction',
    ['4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b'],
    /^-5 The genesis block coinbase/,
  ],
  ['getmempoolentry', [OTHER], '-5 Transaction not in mempool'],
  ['getrawmempool', [true, true], /^-8 Verbose results/],
  ['sendrawtransaction', ['zz'], '-22 TX decode failed. Make sure the tx has at least one input.'],
  ['sendrawtransaction', [hexOf(spendOf(2)).slice(0, -2)], /^-22 /],
  ['sendrawtransaction', [hexOf(spendOf(2, 1_000n))], /^-25 Fee exceeds maximum/],
  [
    'sendrawtransaction',
    [
      hexOf(
        signedSpend([coinbaseCoin(node, 3, owner)], [pay(opReturnScript(Uint8Array.of(1)), 5n)]),
      ),
    ],
    /^-25 Unspendable output exceeds/,
  ],
  ['sendrawtransaction', [hexOf(spendOf(2, SUBSIDY))], /^-26 min relay fee not met/],
  [
    'sendrawtransaction',
    [
      hexOf(
        signedSpend(
          [{ ...coinbaseCoin(node, 2, owner), outpoint: { txid: txid(spendOf(5)), vout: 7 } }],
          [pay(elsewhere, 1_000n)],
        ),
      ),
    ],
    '-25 bad-txns-inputs-missingorspent',
  ],
  ['sendrawtransaction', ['00', 'x'], /^-22 /],
  ['sendrawtransaction', [hexOf(spendOf(2)), 'x'], '-3 Invalid amount'],
  // Not taken for zero, which allows every fee.
  ['sendrawtransaction', [hexOf(spendOf(2)), 1e-9], '-3 Invalid amount'],
  ['sendrawtransaction', [hexOf(spendOf(2)), 0.123456789], '-3 Invalid amount'],
  ['sendrawtransaction', [hexOf(spendOf(2)), -0.1], '-3 Amount out of range'],
  ['sendrawtransaction', [hexOf(spendOf(2)), 0.1, '21000000.00000001'], '-3 Amount out of range'],
  ['sendrawtransaction', [hexOf(spendOf(2)), 1], /^-8 Fee rates larger than or equal to 1BTC/],
  ['testmempoolaccept', [[hexOf(spendOf(2))], '1.0'], /^-8 Fee rates larger than or equal/],
  ['testmempoolaccept', [[7]], '-3 JSON value of type number is not of expected type string'],
  ['testmempoolaccept', [[{ toString: 1 }]], /^-3 JSON value of type object is not of expected/],
  ['decoderawtransaction', ['00'], '-22 TX decode failed'],
  ['testmempoolaccept', [[]], /^-8 Array must contain between 1 and 25/],
  ['testmempoolaccept', [['00']], /^-22 TX decode failed/],
  ['scantxoutset', ['start'], /^-1 scanobjects/],
  ['scantxoutset', ['begin'], "-8 Invalid action 'begin'"],
  ['scantxoutset', ['start', ['pk(00)']], /^-5 /],
  ['scantxoutset', ['start', ['raw(51)#aaaaaaaa']], /^-5 Provided checksum/],
  ['scantxoutset', ['start', [7]], /^-8 /],
  ['generatetoaddress', [1, 'bc1qxyz'], '-5 Error: Invalid address'],
  ['generatetoaddress', [5_000, address], /^-8 at most 1000 blocks/],
  ['generateblock', [address, [OTHER]], `-5 Transaction ${OTHER} not in mempool.`],
  ['generateblock', [address, [null]], '-3 JSON value of type null is not of expected type string'],
  ['generateblock', [address, ['00']], /^-22 Transaction decode failed for 00/],
  ['generateblock', ['x', []], '-5 Error: Invalid address or descriptor'],
  ['submitblock', ['00'], '-22 Block decode failed'],
  ['estimatesmartfee', [0], /^-8 Invalid conf_target/],
  ['stop', [], /^-1 /],
  ['addnode', ['twice:1', 'add'], '-23 Error: Node already added'],
  ['addnode', ['one', 'remove'], /^-24 Error: Node could not be removed/],
  ['addnode', ['one', 'call'], /^-1 addnode/],
  ['addnode', ['one:70000', 'add'], /^-8 /],
  ['addnode', ['one two', 'add'], /^-8 /],
]

describe('a refusal', () => {
  test.each(REFUSALS)('of %s %j is %s', (method, params, expected) => {
    const found = refusal(node, method, ...params)
    if (expected instanceof RegExp) expect(found).toMatch(expected)
    else expect(found).toBe(expected)
  })

  test('has the status that its version has', () => {
    expect(raw(node, 'nothing').status).toBe(404)
    expect(raw(node, 'getblock', [OTHER]).status).toBe(500)
    expect(raw(node, 'uptime', 7).status).toBe(400)
    const second = raw(node, 'getblock', [OTHER], { jsonrpc: '2.0' })
    expect(second).toEqual({
      status: 200,
      text: '{"jsonrpc":"2.0","error":{"code":-5,"message":"Block not found"},"id":"x"}',
    })
    expect(raw(node, 'uptime', [], { jsonrpc: '2.0', id: undefined })).toEqual({
      status: 204,
      text: '',
    })
    expect(raw(node, 'uptime', [], { jsonrpc: '2.0' }).text).toBe(
      '{"jsonrpc":"2.0","result":7,"id":"x"}',
    )
  })
})

test('parameters may have names', () => {
  expect(JSON.parse(raw(node, 'getblockhash', { height: 0 }).text).result).toBe(GENESIS)
  expect(JSON.parse(raw(node, 'getblock', { args: [GENESIS], verbosity: 0 }).text).result).toMatch(
    /^0100/,
  )
  expect(raw(node, 'getblockhash', { depth: 0 }).text).toContain('Unknown named parameter depth')
  expect(raw(node, 'getblockhash', { args: [1], height: 0 }).text).toContain('specified twice')
})

test('bodies that are no request are told so', () => {
  const answers = ['', '{', '7', '"x"', 'null'].map((body) => parseBody(body))
  for (const body of answers)
    expect(body).toMatchObject({ type: 'answer', answer: { status: 500 } })
  expect(parseBody(JSON.stringify(Array(10_001).fill(0)))).toMatchObject({
    answer: { status: 400 },
  })
  const context = {
    node,
    nowSeconds: NOW,
    peers: () => [],
    nodes,
    stop: undefined,
    uptimeSeconds: 0,
  }
  const words = (call: unknown): string => JSON.parse(answerCall(call, context).text).error.message
  expect([[], {}, { method: null }].map(words)).toEqual([
    'Invalid Request object',
    'Missing method',
    'Missing method',
  ])
  const versions = [2, '3.0'].map((jsonrpc) => words({ method: 'uptime', jsonrpc }))
  expect(versions).toEqual(['jsonrpc field must be a string', 'JSON-RPC version not supported'])
  for (const call of [7, null, [], {}, { method: 7 }, { id: {}, method: 'uptime', params: 'x' }])
    expect(JSON.parse(answerCall(call, context).text).error.code).toBe(-32600)
})

test('no call makes it throw, whatever its parameters are', () => {
  const context = {
    node,
    nowSeconds: NOW,
    peers: () => [],
    nodes,
    stop: undefined,
    uptimeSeconds: 0,
  }
  const harmless = rpcMethods.filter((name) => !/generate|invalidate|stop/.test(name))
  const value = fc.oneof(
    fc.constantFrom(GENESIS, tip(), idOf(first), hexOf(first), address, 'start', 'raw(51)'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...harmless),
      fc.array(value, { maxLength: 4 }),
      (method, params) => {
        const { text } = answerCall({ method, params, id: 1 }, context)
        JSON.parse(text)
      },
    ),
    { numRuns: 300 },
  )
})

test('amounts have eight decimals, and what is undefined is left out', () => {
  const view = { a: new Amount(1n), b: new Amount(2_100_000_000_000_000n), c: undefined, d: [null] }
  expect(writeJson(view)).toBe('{"a":0.00000001,"b":21000000.00000000,"d":[null]}')
})
