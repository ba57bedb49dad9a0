/**
 * RPC: transactions and the mempool. Source: RN-21; Bitcoin Core 28 `rpc/rawtransaction.cpp` and
 * `rpc/mempool.cpp`.
 */
import { equalBytes, toDisplayHex, toHex } from '../../../base/bytes.ts'
import { isUnspendable } from '../../script.ts'
import type { OutPoint, Transaction } from '../../transaction.ts'
import {
  encodeTransaction,
  SEQUENCE_REPLACEABLE,
  txid,
  vsize,
  weight,
  wtxid,
} from '../../transaction.ts'
import type { Coin } from '../coins.ts'
import { feeAt, rateOf as paidRateOf, SATS_PER_KVB } from '../fee-rate.ts'
import type { RegtestNode } from '../node.ts'
import type { MempoolEntry } from '../pool.ts'
import type { Json } from './json.ts'
import { Amount, fail, rpcCode } from './json.ts'
import type { Methods, RpcContext } from './method.ts'
import { hashOf, rateOf, satsOf, textOf, transactionOf, verbosityOf } from './parameters.ts'
import { spentBy, transactionView } from './views.ts'

const FEE_RATE_MAX_SAT_PER_KVB = 10_000_000n
const PACKAGE_MAX = 25
const NO_INPUT = 'Make sure the tx has at least one input.'
const MISSING = 'bad-txns-inputs-missingorspent'

/** What a rate allows; none for zero. */
function feeMax(rate: unknown, vsize: number): bigint | undefined {
  const perKvb = rate === undefined ? FEE_RATE_MAX_SAT_PER_KVB : rateOf(rate)
  return perKvb === 0n ? undefined : feeAt(perKvb, vsize)
}

function send({ node, nowSeconds }: RpcContext, [hex, rate, burn]: readonly unknown[]): Json {
  const tx = transactionOf(hex)
  if (tx === undefined) return fail(rpcCode.deserialization, `TX decode failed. ${NO_INPUT}`)
  const burnMax = burn === undefined ? 0n : satsOf(burn)
  if (tx.outputs.some(({ value, script }) => isUnspendable(script) && value > burnMax))
    return fail(
      rpcCode.verify,
      'Unspendable output exceeds maximum configured by user (maxburnamount)',
    )
  const id = txid(tx)
  const isPaid = tx.outputs.some((_, vout) => node.utxo({ txid: id, vout }).type === 'unspent')
  if (isPaid) return fail(rpcCode.verifyAlreadyInChain, 'Transaction outputs already in utxo set')
  if (node.pooled(id) !== undefined) return toDisplayHex(id) // Whatever its witness is.
  const max = feeMax(rate, vsize(tx))
  const tested = node.test(tx, nowSeconds)
  if (tested.type === 'accepted' && max !== undefined && tested.entry.fee > max)
    return fail(
      rpcCode.verify,
      'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)',
    )
  const reply = node.submit(tx, nowSeconds)
  if (reply.type === 'accepted') return toDisplayHex(reply.txid)
  return fail(reply.reason === MISSING ? rpcCode.verify : rpcCode.verifyRejected, reply.reason)
}

function test({ node, nowSeconds }: RpcContext, [list, rate]: readonly unknown[]): Json {
  const raw: readonly unknown[] = Array.isArray(list) ? list : []
  if (raw.length < 1 || raw.length > PACKAGE_MAX)
    return fail(
      rpcCode.invalidParameter,
      `Array must contain between 1 and ${PACKAGE_MAX} transactions.`,
    )
  if (rate !== undefined) rateOf(rate) // Refused before anything is judged.
  const transactions = raw.map((given) => {
    const hex = textOf(given)
    const words = `TX decode failed: ${hex} ${NO_INPUT}`
    return transactionOf(hex) ?? fail(rpcCode.deserialization, words)
  })
  return transactions.map((tx) => {
    const ids = { txid: toDisplayHex(txid(tx)), wtxid: toDisplayHex(wtxid(tx)) }
    const tested = node.test(tx, nowSeconds)
    const refused = (reason: string): Json => ({ ...ids, allowed: false, 'reject-reason': reason })
    if (tested.type === 'refused') {
      const [reason = ''] = tested.reason.split(', ')
      return refused(reason === MISSING ? 'missing-inputs' : reason)
    }
    const { vsize: size, fee } = tested.entry
    const max = feeMax(rate, size)
    if (max !== undefined && fee > max) return refused('max-fee-exceeded')
    const includes = { 'effective-includes': [ids.wtxid] }
    const fees = {
      base: new Amount(fee),
      'effective-feerate': new Amount(paidRateOf(tested.entry)),
      ...includes,
    }
    return { ...ids, allowed: true, vsize: size, fees }
  })
}

function raw({ node }: RpcContext, [id, verbosity, blockhash]: readonly unknown[]): Json {
  const hash = hashOf(id, 'parameter 1')
  const level = verbosityOf(verbosity, 0)
  const first = node.blockAt(0)
  const root = first?.transactions[0]
  if (root !== undefined && equalBytes(txid(root), hash))
    return fail(
      rpcCode.invalidAddressOrKey,
      'The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved',
    )
  const found = blockhash === undefined ? place(node, hash) : inBlock(node, hash, blockhash)
  if (level <= 0) return toHex(encodeTransaction(found.tx))
  const { at, tx } = found
  const block = at && node.blockByHash(at.hash)
  const spent = level < 2 ? undefined : block && at ? spentBy(node, block, at) : pending(node)
  const isActive = at && node.facts.header(at.hash) && isOnChain(node, at)
  return {
    in_active_chain: blockhash === undefined ? undefined : isActive === true,
    ...transactionView(tx, { spent, hasPrevouts: level >= 2, hasHex: true }),
    blockhash: at && toDisplayHex(at.hash),
    confirmations: at && (isActive ? node.tip().height - at.height + 1 : 0),
    time: isActive ? at?.header.time : undefined,
    blocktime: isActive ? at?.header.time : undefined,
  }
}

type At = NonNullable<ReturnType<RegtestNode['facts']['header']>>
type Place = { readonly tx: Transaction; readonly at: At | undefined }

function isOnChain(node: RegtestNode, at: At): boolean {
  const next = node.blockAt(at.height + 1)
  const { hash, height } = node.tip()
  if (height === at.height) return equalBytes(hash, at.hash)
  return next !== undefined && equalBytes(next.header.previous, at.hash)
}

function place(node: RegtestNode, id: At['hash']): Place {
  const found = node.transaction(id)
  if (found === undefined)
    return fail(
      rpcCode.invalidAddressOrKey,
      'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.',
    )
  if (found.height === undefined) return { tx: found.transaction, at: undefined }
  const next = node.blockAt(found.height + 1)
  const hash = next === undefined ? node.tip().hash : next.header.previous
  return { tx: found.transaction, at: node.facts.header(hash) }
}

function inBlock(node: RegtestNode, id: At['hash'], blockhash: unknown): Place {
  const at = node.facts.header(hashOf(blockhash, 'parameter 3'))
  if (at === undefined) return fail(rpcCode.invalidAddressOrKey, 'Block hash not found')
  const tx = node.blockByHash(at.hash)?.transactions.find((one) => equalBytes(txid(one), id))
  const words = 'No such transaction found in the provided block'
  return tx === undefined
    ? fail(rpcCode.invalidAddressOrKey, `${words}. Use gettransaction for wallet transactions.`)
    : { tx, at }
}

/** Coins that a transaction of the mempool spends. */
const pending =
  (node: RegtestNode) =>
  (outpoint: OutPoint): Coin | undefined => {
    const found = node.utxo(outpoint)
    if (found.type === 'unspent') return found
    const output = node.pooled(outpoint.txid)?.transaction.outputs[outpoint.vout]
    return output && { ...output, height: node.tip().height + 1, coinbase: false }
  }

const isReplaceable = ({ transaction }: MempoolEntry): boolean =>
  transaction.inputs.some(({ sequence }) => sequence <= SEQUENCE_REPLACEABLE)

function entryView(node: RegtestNode, entry: MempoolEntry): Json {
  const { ancestors, descendants } = node.family(entry)
  const { transaction } = entry
  const parents = transaction.inputs.flatMap(({ outpoint }) => node.pooled(outpoint.txid) ?? [])
  const children = transaction.outputs.flatMap(
    (_, vout) => node.spender({ txid: entry.txid, vout }) ?? [],
  )
  const names = (entries: readonly MempoolEntry[]): readonly string[] => [
    ...new Set(entries.map((one) => toDisplayHex(one.txid))),
  ]
  return {
    vsize: entry.vsize,
    weight: weight(transaction),
    time: entry.time,
    height: node.tip().height,
    descendantcount: descendants.count,
    descendantsize: descendants.vsize,
    ancestorcount: ancestors.count,
    ancestorsize: ancestors.vsize,
    wtxid: toDisplayHex(entry.wtxid),
    fees: {
      base: new Amount(entry.fee),
      modified: new Amount(entry.fee),
      ancestor: new Amount(ancestors.fee),
      descendant: new Amount(descendants.fee),
    },
    depends: names(parents),
    spentby: names(children),
    // Who signals it signals it for all that builds on it.
    'bip125-replaceable': [entry, ...node.ancestors(entry)].some(isReplaceable),
    unbroadcast: false,
  }
}

function list(node: RegtestNode, [verbose = false, hasSequence = false]: readonly unknown[]): Json {
  const entries = node.mempool()
  if (verbose === true) {
    if (hasSequence === true)
      return fail(
        rpcCode.invalidParameter,
        'Verbose results cannot contain mempool sequence values.',
      )
    return Object.fromEntries(
      entries.map((entry) => [toDisplayHex(entry.txid), entryView(node, entry)]),
    )
  }
  const txids = entries.map((entry) => toDisplayHex(entry.txid))
  return hasSequence === true ? { txids, mempool_sequence: entries.length + 1 } : txids
}

function info({ node, nowSeconds }: RpcContext): Json {
  const { size, vsize, vsizeMax, minimumRateSatPerKvb } = node.mempoolInfo(nowSeconds)
  const fees = node.mempool().reduce((sum, { fee }) => sum + fee, 0n)
  return {
    loaded: true,
    size,
    bytes: vsize,
    usage: vsize,
    total_fee: new Amount(fees),
    maxmempool: vsizeMax,
    mempoolminfee: new Amount(minimumRateSatPerKvb),
    minrelaytxfee: new Amount(node.relayRateSatPerKvb),
    incrementalrelayfee: new Amount(SATS_PER_KVB),
    unbroadcastcount: 0,
    fullrbf: true,
  }
}

export const transactionMethods: Methods = {
  sendrawtransaction: {
    parameters: ['hexstring:string', 'maxfeerate:any?', 'maxburnamount:any?'],
    run: send,
  },
  testmempoolaccept: { parameters: ['rawtxs:array', 'maxfeerate:any?'], run: test },
  getrawtransaction: {
    parameters: ['txid:string', 'verbosity:any?', 'blockhash:string?'],
    run: raw,
  },
  decoderawtransaction: {
    parameters: ['hexstring:string', 'iswitness:bool?'],
    run: (_, [hex]) => {
      const tx = transactionOf(hex)
      return tx === undefined
        ? fail(rpcCode.deserialization, 'TX decode failed')
        : transactionView(tx)
    },
  },
  getmempoolinfo: { parameters: [], run: info },
  getrawmempool: {
    parameters: ['verbose:bool?', 'mempool_sequence:bool?'],
    run: ({ node }, args) => list(node, args),
  },
  getmempoolentry: {
    parameters: ['txid:string'],
    run: ({ node }, [id]) => {
      const entry = node.pooled(hashOf(id, 'txid'))
      return entry === undefined
        ? fail(rpcCode.invalidAddressOrKey, 'Transaction not in mempool')
        : entryView(node, entry)
    },
  },
  estimatesmartfee: {
    parameters: ['conf_target:number', 'estimate_mode:string?'],
    run: (_, [target]) =>
      typeof target === 'number' && target >= 1 && target <= 1_008
        ? { errors: ['Insufficient data or no feerate found'], blocks: Math.max(2, target) }
        : fail(rpcCode.invalidParameter, 'Invalid conf_target, must be between 1 and 1008'),
  },
}
