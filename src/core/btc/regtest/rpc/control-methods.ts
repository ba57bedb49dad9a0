/**
 * RPC: mining, the network, the program. Source: RN-21; Bitcoin Core 28 `rpc/mining.cpp`,
 * `rpc/net.cpp`.
 */
import { toDisplayHex, toHex } from '../../../base/bytes.ts'
import { encodeBlock, headerHash } from '../../block.ts'
import { regtest } from '../../network.ts'
import type { Transaction } from '../../transaction.ts'
import type { RegtestNode } from '../node.ts'
import { USER_AGENT } from '../peer-link.ts'
import { PROTOCOL_VERSION } from '../peer-link-port.ts'
import { INCREMENTAL_RATE_SAT_PER_KVB } from '../replacement.ts'
import type { Json } from './json.ts'
import { Amount, fail, rpcCode } from './json.ts'
import type { Methods, PeerFact, RpcContext } from './method.ts'
import { bytesOf, hashOf, integerOf, scriptOf, textOf, transactionOf } from './parameters.ts'

/** The release whose answers these are. */
const VERSION = 280_100
/** Blocks in one call. */
export const GENERATED_MAX = 1_000
const SERVICES = '0000000000000049'
const SERVICE_NAMES = ['NETWORK', 'WITNESS', 'COMPACT_FILTERS']
const PORT_MAX = 65_535
const INCREMENTAL_RATE = new Amount(INCREMENTAL_RATE_SAT_PER_KVB)

function generate({ node, nowSeconds }: RpcContext, [count, address]: readonly unknown[]): Json {
  const script = scriptOf(address)
  if (script === undefined) return fail(rpcCode.invalidAddressOrKey, 'Error: Invalid address')
  const blocks = integerOf(count)
  if (blocks > GENERATED_MAX)
    return fail(rpcCode.invalidParameter, `at most ${GENERATED_MAX} blocks in one call`)
  return node.mine(Math.max(0, blocks), script, nowSeconds).map(toDisplayHex)
}

function chosen(node: RegtestNode, given: unknown): Transaction {
  const text = textOf(given)
  if (text.length === 64) {
    const entry = node.pooled(hashOf(text, 'txid'))
    return (
      entry?.transaction ?? fail(rpcCode.invalidAddressOrKey, `Transaction ${text} not in mempool.`)
    )
  }
  const words = 'Make sure the tx has at least one input.'
  return (
    transactionOf(text) ??
    fail(rpcCode.deserialization, `Transaction decode failed for ${text}. ${words}`)
  )
}

function generateBlock(
  { node, nowSeconds }: RpcContext,
  [output, transactions, submit = true]: readonly unknown[],
): Json {
  const payToScript = scriptOf(output)
  if (payToScript === undefined)
    return fail(rpcCode.invalidAddressOrKey, 'Error: Invalid address or descriptor')
  const given: readonly unknown[] = Array.isArray(transactions) ? transactions : []
  const list = given.map((one) => chosen(node, one))
  const job = { payToScript, nowSeconds }
  if (submit === false) {
    const block = node.makeBlock(list, job)
    return { hash: toDisplayHex(headerHash(block.header)), hex: toHex(encodeBlock(block)) }
  }
  const reply = node.generateBlock(list, job)
  return reply.type === 'refused'
    ? fail(rpcCode.verify, `TestBlockValidity failed: ${reply.reason}`)
    : { hash: toDisplayHex(reply.hash) }
}

function submitBlock({ node, nowSeconds }: RpcContext, [hex]: readonly unknown[]): Json {
  const bytes = bytesOf(hex)
  const reply = bytes && node.submitBlock(bytes, nowSeconds)
  if (reply === undefined || (reply.type === 'refused' && reply.reason === 'Block decode failed'))
    return fail(rpcCode.deserialization, 'Block decode failed')
  return reply.type === 'refused' ? reply.reason : reply.tip ? null : 'inconclusive'
}

function networkInfo({ node, peers }: RpcContext): Json {
  const all = peers()
  const outbound = all.filter(({ isOutbound }) => isOutbound).length
  return {
    version: VERSION,
    subversion: USER_AGENT,
    protocolversion: PROTOCOL_VERSION,
    localservices: SERVICES,
    localservicesnames: SERVICE_NAMES,
    localrelay: true,
    timeoffset: 0,
    networkactive: true,
    connections: all.length,
    connections_in: all.length - outbound,
    connections_out: outbound,
    networks: [
      {
        name: 'ipv4',
        limited: false,
        reachable: true,
        proxy: '',
        proxy_randomize_credentials: false,
      },
    ],
    relayfee: new Amount(node.relayRateSatPerKvb),
    incrementalfee: INCREMENTAL_RATE,
    localaddresses: [],
    warnings: [],
  }
}

const peerView = ({ id, address, userAgent, isOutbound }: PeerFact): Json => ({
  id,
  addr: address,
  network: 'not_publicly_routable',
  relaytxes: true,
  subver: userAgent,
  inbound: !isOutbound,
  connection_type: isOutbound ? 'manual' : 'inbound',
  transport_protocol_type: 'v1',
})

/** `host`, `host:port` or `[address]:port`. */
function placeOf(text: unknown): readonly [host: string, port: number] {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(String(text)) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? regtest.p2pPort : Number(digits)
  if (host === undefined || port < 1 || port > PORT_MAX)
    return fail(rpcCode.invalidParameter, `"${String(text)}" is not a host and a port`)
  return [host, port]
}

function addNode({ nodes }: RpcContext, [node, command]: readonly unknown[]): Json {
  const [host, port] = placeOf(node)
  if (command === 'remove') {
    if (nodes.remove(host, port)) return null
    const words = 'Error: Node could not be removed. It has not been added previously.'
    return fail(rpcCode.nodeNotAdded, words)
  }
  if (command !== 'add' && command !== 'onetry')
    return fail(rpcCode.misc, 'addnode node command: command is add, remove or onetry')
  return nodes.add(host, port, command === 'onetry')
    ? null
    : fail(rpcCode.nodeAlreadyAdded, 'Error: Node already added')
}

export const controlMethods: Methods = {
  generatetoaddress: {
    parameters: ['nblocks:number', 'address:string', 'maxtries:number?'],
    run: generate,
  },
  generateblock: {
    parameters: ['output:string', 'transactions:array', 'submit:bool?'],
    run: generateBlock,
  },
  submitblock: { parameters: ['hexdata:string', 'dummy:string?'], run: submitBlock },
  getnetworkinfo: { parameters: [], run: networkInfo },
  getconnectioncount: { parameters: [], run: ({ peers }) => peers().length },
  addnode: {
    parameters: ['node:string', 'command:string', 'v2transport:bool?'],
    run: addNode,
  },
  getpeerinfo: { parameters: [], run: ({ peers }) => peers().map(peerView) },
  getindexinfo: {
    parameters: ['index_name:string?'],
    run: ({ node }, [name]) => {
      const fact = { synced: true, best_block_height: node.tip().height }
      const all = { txindex: fact, 'basic block filter index': fact }
      return Object.fromEntries(
        Object.entries(all).filter(([one]) => name === undefined || name === one),
      )
    },
  },
  uptime: { parameters: [], run: ({ uptimeSeconds }) => uptimeSeconds },
  stop: {
    parameters: ['wait:number?'],
    run: ({ stop }) => {
      if (stop === undefined)
        return fail(rpcCode.misc, 'the node is a part of a subnet: ckbtc subnet stop')
      stop()
      return 'Bitcoin node stopping'
    },
  },
}
