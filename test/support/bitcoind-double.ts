/** The JSON-RPC of Bitcoin Core over the real chain of a regtest node. Source: bitcoin.md §8.6. */
import { fromDisplayHex, fromHex, toDisplayHex, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { encodeBlock, encodeHeader, headerHash, txidsOf } from '../../src/core/btc/block.ts'
import type { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { encodeTransaction, isCoinbase } from '../../src/core/btc/transaction.ts'
import type { Answer, Request } from './http-double.ts'
import { HttpDouble } from './http-double.ts'

export const COOKIE = '__cookie__:0123456789abcdef'

type Params = readonly unknown[]
class RpcFailure extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Amounts as Core writes them: a number with eight decimals, which the test puts in by hand. */
const amount = (value: bigint): string =>
  `§${value / 100_000_000n}.${String(value % 100_000_000n).padStart(8, '0')}§`

export type Facts = {
  chain: string
  version: number
  initialblockdownload: boolean
  pruned: boolean
  txindex: boolean
}

export function bitcoindDouble(
  node: RegtestNode,
  nowSeconds: number,
): { readonly server: HttpDouble; readonly facts: Facts } {
  const facts: Facts = {
    chain: 'regtest',
    version: 280_100,
    initialblockdownload: false,
    pruned: false,
    txindex: false,
  }
  const heightOf = (hash: string): number => {
    for (let height = 0; height <= node.tip().height; height++)
      if (toDisplayHex(headerHash(present(node.blockAt(height), 'a block').header)) === hash)
        return height
    throw new RpcFailure(-5, 'Block not found')
  }
  const blockOf = (hash: unknown) => present(node.blockAt(heightOf(String(hash))), 'a block')
  const output = ({ value, script }: { value: bigint; script: Uint8Array }) => ({
    value: amount(value),
    scriptPubKey: { hex: toHex(script) },
  })
  const methods: Readonly<Record<string, (params: Params) => unknown>> = {
    getblockchaininfo: () => {
      const { chain, initialblockdownload, pruned } = facts
      const { hash, height } = node.tip()
      const bestblockhash = toDisplayHex(hash)
      const pruneheight = pruned ? { pruneheight: 7 } : {}
      return { chain, blocks: height, bestblockhash, initialblockdownload, pruned, ...pruneheight }
    },
    getnetworkinfo: () => ({ version: facts.version, warnings: [] }),
    getindexinfo: () => (facts.txindex ? { txindex: { synced: true, best_block_height: 1 } } : {}),
    getblockhash: ([height]) => {
      const block = node.blockAt(Number(height))
      if (block === undefined) throw new RpcFailure(-8, 'Block height out of range')
      return toDisplayHex(headerHash(block.header))
    },
    getblockheader: ([hash]) => toHex(encodeHeader(blockOf(hash).header)),
    getblock: ([hash, verbosity]) => {
      const block = blockOf(hash)
      if (verbosity === 0) return toHex(encodeBlock(block))
      const vin = (tx: (typeof block.transactions)[number]) =>
        tx.inputs.map(({ outpoint }) => {
          if (isCoinbase(tx)) return { coinbase: '00' }
          const source = present(node.transaction(outpoint.txid), 'the source').transaction
          return { prevout: output(present(source.outputs[outpoint.vout], 'the output')) }
        })
      return { tx: block.transactions.map((tx) => ({ vin: vin(tx) })) }
    },
    gettxout: ([id, vout]) => {
      const found = node.utxo({ txid: fromDisplayHex(String(id)), vout: Number(vout) })
      if (found.type !== 'unspent') return null
      const { hash, height } = node.tip()
      const confirmations = height - found.height + 1
      return { bestblock: toDisplayHex(hash), confirmations, ...output(found) }
    },
    scantxoutset: ([, objects]) => {
      const wanted = new Set(
        (objects as readonly { desc: string }[]).map(({ desc }) => desc.slice(4, -1)),
      )
      const unspents = []
      for (let height = 1; height <= node.tip().height; height++) {
        const block = present(node.blockAt(height), 'a block')
        for (const [i, tx] of block.transactions.entries())
          for (const [vout, { value, script }] of tx.outputs.entries()) {
            const txid = present(txidsOf(block)[i], 'an id')
            if (!wanted.has(toHex(script)) || node.utxo({ txid, vout }).type !== 'unspent') continue
            const place = { txid: toDisplayHex(txid), vout, scriptPubKey: toHex(script) }
            unspents.push({ ...place, amount: amount(value), height })
          }
      }
      const { hash, height } = node.tip()
      return { success: true, height, bestblock: toDisplayHex(hash), unspents }
    },
    getrawtransaction: ([id, verbose]) => {
      const found = node.transaction(fromDisplayHex(String(id)))
      if (found === undefined || (!facts.txindex && found.height !== undefined))
        throw new RpcFailure(-5, 'No such mempool transaction')
      if (verbose !== true) return toHex(encodeTransaction(found.transaction))
      if (found.height === undefined) return { hex: '' }
      const { header } = present(node.blockAt(found.height), 'its block')
      return { blockhash: toDisplayHex(headerHash(header)), confirmations: found.confirmations }
    },
    sendrawtransaction: ([hex]) => {
      const reply = node.submit(fromHex(String(hex)), nowSeconds)
      if (reply.type === 'accepted') return toDisplayHex(reply.txid)
      throw new RpcFailure(-26, reply.reason)
    },
  }
  const call = ({ id, method, params }: { id: number; method: string; params: Params }) => {
    try {
      const run = methods[method]
      if (run === undefined) throw new RpcFailure(-32_601, 'Method not found')
      return { id, result: run(params), error: null }
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error
      return { id, result: null, error: { code: error.code, message: error.message } }
    }
  }
  const server = new HttpDouble(({ body, authorization }: Request): Answer => {
    if (authorization !== `Basic ${btoa(COOKIE)}`) return { status: 401, body: '' }
    const answers = JSON.parse(body).map(call)
    return { status: 200, body: JSON.stringify(answers).replaceAll(/"§([\d.]+)§"/g, '$1') }
  })
  return { server, facts }
}
