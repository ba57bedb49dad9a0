/** The Esplora protocol over the real chain of a regtest node. Source: bitcoin.md §8.7 ES-1. */
import {
  equalBytes,
  fromDisplayHex,
  fromHex,
  toDisplayHex,
  toHex,
} from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { parseAddress } from '../../src/core/btc/address.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader, headerHash, txidsOf } from '../../src/core/btc/block.ts'
import { merkleBranch } from '../../src/core/btc/merkle-proof.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { encodeTransaction, outpointKey } from '../../src/core/btc/transaction.ts'
import type { Answer, Request } from './http-double.ts'
import { HttpDouble } from './http-double.ts'

const NOT_FOUND: Answer = { status: 404, body: 'not found' }
const text = (body: string): Answer => ({ status: 200, body })
const json = (value: unknown): Answer => text(JSON.stringify(value))

export function esploraDouble(node: RegtestNode, nowSeconds: number): HttpDouble {
  const blocks = (): readonly Block[] =>
    Array.from({ length: node.tip().height + 1 }, (_, height) =>
      present(node.blockAt(height), 'a block of the chain'),
    )
  const heights = new Map<string, number>()
  const heightOf = (hash: string): number => {
    const known = heights.get(hash)
    const block = known === undefined ? undefined : node.blockAt(known)
    if (block !== undefined && toDisplayHex(headerHash(block.header)) === hash) return known ?? -1
    heights.clear()
    for (const [height, { header }] of blocks().entries())
      heights.set(toDisplayHex(headerHash(header)), height)
    return heights.get(hash) ?? -1
  }

  const proof = (id: string): Answer => {
    const height = node.transaction(fromDisplayHex(id))?.height
    if (height === undefined) return NOT_FOUND
    const txids = txidsOf(present(node.blockAt(height), 'its block'))
    const position = txids.findIndex((txid) => toDisplayHex(txid) === id)
    const merkle = merkleBranch(txids, position).siblings.map(toDisplayHex)
    return json({ block_height: height, merkle, pos: position })
  }

  const outspend = (id: string, vout: number): Answer => {
    const key = outpointKey({ txid: fromDisplayHex(id), vout })
    for (const [height, { transactions }] of blocks().entries())
      for (const [i, tx] of transactions.entries())
        if (tx.inputs.some(({ outpoint }) => outpointKey(outpoint) === key)) {
          const txid = toDisplayHex(present(txidsOf(present(node.blockAt(height), 'it'))[i], 'id'))
          const status = { confirmed: true, block_height: height }
          return json({ spent: true, txid, vin: 0, status })
        }
    return json({ spent: false })
  }

  const utxos = (address: string): Answer => {
    const parsed = parseAddress(address, regtest)
    if (parsed.type !== 'address') return { status: 400, body: 'Invalid Bitcoin address' }
    const found = blocks().flatMap((block, height) =>
      block.transactions.flatMap((tx, i) =>
        tx.outputs.flatMap(({ value, script }, vout) => {
          const txid = present(txidsOf(block)[i], 'an id')
          const isHere = equalBytes(script, parsed.script)
          if (!isHere || node.utxo({ txid, vout }).type !== 'unspent') return []
          const status = { confirmed: true, block_height: height }
          return { txid: toDisplayHex(txid), vout, value: Number(value), status }
        }),
      ),
    )
    return json(found)
  }

  const ofBlock = (hash: string, what: string | undefined): Answer => {
    const height = heightOf(hash)
    const block = node.blockAt(height)
    if (block === undefined) return NOT_FOUND
    if (what === 'header') return text(toHex(encodeHeader(block.header)))
    if (what === 'raw') return { status: 200, body: encodeBlock(block) }
    if (what === 'txid') return text(toDisplayHex(present(txidsOf(block)[0], 'a coinbase')))
    return json({ id: hash, height, tx_count: block.transactions.length })
  }

  const ofTransaction = (id: string, what: string | undefined, place = '0'): Answer => {
    if (what === 'merkle-proof') return proof(id)
    if (what === 'outspend') return outspend(id, Number(place))
    const found = node.transaction(fromDisplayHex(id))
    return found === undefined ? NOT_FOUND : text(toHex(encodeTransaction(found.transaction)))
  }

  return new HttpDouble(({ method, path, body }: Request): Answer => {
    const [, kind, word = '', what, place] = path.split('/')
    if (method === 'POST') {
      const reply = node.submit(fromHex(body), nowSeconds)
      return reply.type === 'accepted'
        ? text(toDisplayHex(reply.txid))
        : {
            status: 400,
            body: `sendrawtransaction RPC error: {"code":-26,"message":"${reply.reason}"}`,
          }
    }
    if (path === '/blocks/tip/hash') return text(toDisplayHex(node.tip().hash))
    if (path === '/blocks/tip/height') return text(`${node.tip().height}`)
    if (kind === 'block-height') {
      const block = node.blockAt(Number(word))
      return block === undefined ? NOT_FOUND : text(toDisplayHex(headerHash(block.header)))
    }
    if (kind === 'block') return ofBlock(word, what)
    if (kind === 'tx') return ofTransaction(word, what, place)
    if (kind === 'address') return utxos(word)
    return NOT_FOUND
  })
}
