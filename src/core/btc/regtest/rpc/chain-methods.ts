/** RPC: the chain and what is unspent. Source: RN-21; Bitcoin Core 28 `rpc/blockchain.cpp`. */
import { fromHex, toDisplayHex, toHex } from '../../../base/bytes.ts'
import { encodeBlock, encodeHeader } from '../../block.ts'
import type { RegtestNode } from '../node.ts'
import type { Json } from './json.ts'
import { Amount, fail, rpcCode } from './json.ts'
import type { Methods } from './method.ts'
import { hashOf, integerOf, scriptOf, verbosityOf } from './parameters.ts'
import { descriptorChecksum, descriptorOf, scriptView } from './scripts.ts'
import { blockView, difficultyOf, headerView, requireBlock, workText } from './views.ts'

/** Of a coin beside its script. */
const BOGO_BYTES = 50
/** Scripts in one scan. */
const SCAN_MAX = 10_000

function headerOf(node: RegtestNode, hash: unknown) {
  const found = node.facts.header(hashOf(hash, 'blockhash'))
  return found ?? fail(rpcCode.invalidAddressOrKey, 'Block not found')
}

function chainInfo(node: RegtestNode): Json {
  const { hash, height, header } = node.tip()
  const at = node.facts.header(hash)
  return {
    chain: 'regtest',
    blocks: height,
    headers: height,
    bestblockhash: toDisplayHex(hash),
    difficulty: difficultyOf(header.bits),
    time: header.time,
    mediantime: at?.medianTime ?? header.time,
    verificationprogress: 1,
    initialblockdownload: false,
    chainwork: workText(at?.work ?? 0n),
    size_on_disk: 0,
    pruned: false,
    warnings: [],
  }
}

function txOut(node: RegtestNode, [id, n, hasMempool = true]: readonly unknown[]): Json {
  const outpoint = { txid: hashOf(id, 'txid'), vout: integerOf(n) }
  const { hash, height } = node.tip()
  const bestblock = toDisplayHex(hash)
  const entry = hasMempool === true ? node.pooled(outpoint.txid) : undefined
  const pending = entry?.transaction.outputs[outpoint.vout]
  if (hasMempool === true && node.spender(outpoint) !== undefined) return null
  if (pending !== undefined)
    return {
      bestblock,
      confirmations: 0,
      value: new Amount(pending.value),
      scriptPubKey: scriptView(pending.script),
      coinbase: false,
    }
  const found = node.utxo(outpoint)
  if (found.type !== 'unspent') return null
  return {
    bestblock,
    confirmations: height - found.height + 1,
    value: new Amount(found.value),
    scriptPubKey: scriptView(found.script),
    coinbase: found.coinbase,
  }
}

function txOutSetInfo(node: RegtestNode, [hashType = 'none']: readonly unknown[]): Json {
  if (hashType !== 'none')
    return fail(rpcCode.invalidParameter, `'${String(hashType)}' is not a valid hash_type`)
  const { hash, height } = node.tip()
  const transactions = new Set<string>()
  let [txouts, bogosize, total] = [0, 0, 0n]
  for (const [key, { value, script }] of node.facts.coins()) {
    transactions.add(key.slice(0, key.indexOf(':')))
    txouts += 1
    bogosize += BOGO_BYTES + script.length
    total += value
  }
  return {
    height,
    bestblock: toDisplayHex(hash),
    txouts,
    bogosize,
    total_amount: new Amount(total),
    transactions: transactions.size,
    disk_size: 0,
  }
}

/** The script of `raw(hex)` or `addr(address)`, with or without its checksum. */
function scanned(object: unknown): Uint8Array {
  const given =
    typeof object === 'object' && object !== null && 'desc' in object ? object.desc : object
  if (typeof given !== 'string')
    return fail(rpcCode.invalidParameter, 'Scan object needs to be either a string or an object')
  const [body = '', checksum] = given.split('#')
  if (checksum !== undefined && checksum !== descriptorChecksum(body))
    return fail(
      rpcCode.invalidAddressOrKey,
      `Provided checksum '${checksum}' does not match computed checksum '${descriptorChecksum(body)}'`,
    )
  const [, kind, inner = ''] = /^(raw|addr)\((.*)\)$/.exec(body) ?? []
  const isHex = /^(?:[0-9a-fA-F]{2})*$/.test(inner)
  const script =
    kind === 'addr'
      ? scriptOf(inner)
      : kind === 'raw' && isHex
        ? fromHex(inner.toLowerCase())
        : undefined
  return script ?? fail(rpcCode.invalidAddressOrKey, `'${body}' is not a valid descriptor function`)
}

function scan(node: RegtestNode, [action, objects]: readonly unknown[]): Json {
  if (action === 'status') return null
  if (action === 'abort') return false
  if (action !== 'start')
    return fail(rpcCode.invalidParameter, `Invalid action '${String(action)}'`)
  if (!Array.isArray(objects))
    return fail(rpcCode.misc, 'scanobjects argument is required for the start action')
  if (objects.length > SCAN_MAX)
    return fail(rpcCode.invalidParameter, `more than ${SCAN_MAX} scan objects`)
  const wanted = new Set(objects.map((object) => toHex(scanned(object))))
  const { hash, height } = node.tip()
  let [txouts, total] = [0, 0n]
  const unspents: Json[] = []
  for (const [key, coin] of node.facts.coins()) {
    txouts += 1
    if (!wanted.has(toHex(coin.script))) continue
    const [id = '', vout = '0'] = key.split(':')
    total += coin.value
    unspents.push({
      txid: toDisplayHex(fromHex(id)),
      vout: Number(vout),
      scriptPubKey: toHex(coin.script),
      desc: descriptorOf(coin.script),
      amount: new Amount(coin.value),
      coinbase: coin.coinbase,
      height: coin.height,
      blockhash: hashAt(node, coin.height),
      confirmations: height - coin.height + 1,
    })
  }
  const bestblock = toDisplayHex(hash)
  return { success: true, txouts, height, bestblock, unspents, total_amount: new Amount(total) }
}

function hashAt(node: RegtestNode, height: number): string {
  const next = node.blockAt(height + 1)
  return toDisplayHex(next === undefined ? node.tip().hash : next.header.previous)
}

export const chainMethods: Methods = {
  getblockchaininfo: { parameters: [], run: ({ node }) => chainInfo(node) },
  getblockcount: { parameters: [], run: ({ node }) => node.tip().height },
  getbestblockhash: { parameters: [], run: ({ node }) => toDisplayHex(node.tip().hash) },
  getdifficulty: { parameters: [], run: ({ node }) => difficultyOf(node.tip().header.bits) },
  getblockhash: {
    parameters: ['height:number'],
    run: ({ node }, [height]) =>
      node.blockAt(integerOf(height)) === undefined
        ? fail(rpcCode.invalidParameter, 'Block height out of range')
        : hashAt(node, integerOf(height)),
  },
  getblockheader: {
    parameters: ['blockhash:string', 'verbose:bool?'],
    run: ({ node }, [hash, verbose = true]) => {
      const at = headerOf(node, hash)
      return verbose === true ? headerView(node, at) : toHex(encodeHeader(at.header))
    },
  },
  getblock: {
    parameters: ['blockhash:string', 'verbosity:any?'],
    run: ({ node }, [hash, verbosity]) => {
      const at = headerOf(node, hash)
      const level = verbosityOf(verbosity, 1)
      if (node.blockByHash(at.hash) === undefined)
        return fail(rpcCode.misc, 'Block not found on disk')
      const block = requireBlock(node, at)
      if (level <= 0) return toHex(encodeBlock(block))
      return blockView(node, block, { at, verbosity: level })
    },
  },
  gettxout: {
    parameters: ['txid:string', 'n:number', 'include_mempool:bool?'],
    run: ({ node }, args) => txOut(node, args),
  },
  gettxoutsetinfo: {
    parameters: ['hash_type:string?', 'hash_or_height:any?', 'use_index:bool?'],
    run: ({ node }, args) => txOutSetInfo(node, args),
  },
  scantxoutset: {
    parameters: ['action:string', 'scanobjects:array?'],
    run: ({ node }, args) => scan(node, args),
  },
  invalidateblock: {
    parameters: ['blockhash:string'],
    run: ({ node, nowSeconds }, [hash]) => {
      const reply = node.invalidate(headerOf(node, hash).hash, nowSeconds)
      return reply.type === 'refused' ? fail(rpcCode.misc, reply.reason) : null
    },
  },
  reconsiderblock: {
    parameters: ['blockhash:string'],
    run: ({ node, nowSeconds }, [hash]) => {
      const reply = node.reconsider(headerOf(node, hash).hash, nowSeconds)
      return reply.type === 'refused' ? fail(rpcCode.misc, reply.reason) : null
    },
  },
}
