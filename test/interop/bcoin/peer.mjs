/**
 * A bcoin node that is told what to do by the test that started it, one message at a time. Its
 * native parts are not built: `NODE_BACKEND=js`.
 */
import bcoin from 'bcoin'
import NetAddress from 'bcoin/lib/net/netaddress.js'
import Peer from 'bcoin/lib/net/peer.js'

const { p2pPort, httpPort, program } = JSON.parse(process.argv[2])
// Its text form has a prefix of its own on regtest.
const address = bcoin.Address.fromWitnessPubkeyhash(Buffer.from(program, 'hex'))

// Transactions are told of at once, not every five seconds.
Peer.INV_INTERVAL = 20

const node = new bcoin.FullNode({
  network: 'regtest',
  memory: true,
  workers: false,
  env: false,
  argv: false,
  config: false,
  logLevel: 'none',
  listen: true,
  host: '127.0.0.1',
  port: p2pPort,
  httpHost: '127.0.0.1',
  httpPort,
  apiKey: 'unused',
  seeds: [],
  publicHost: '127.0.0.1',
  coinbaseAddress: [address],
  // Its blocks and transactions are to be judged, not its fees.
  limitFree: false,
})
node.on('error', () => undefined)

const reasonOf = (error) => error.reason ?? error.message
const display = (hash) => Buffer.from(hash, 'hex').reverse().toString('hex')

const calls = {
  mine: async (count) => {
    for (let i = 0; i < count; i++) await node.chain.add(await node.miner.mineBlock())
  },
  connect: (port) => {
    const peer = node.pool.createOutbound(NetAddress.fromHost('127.0.0.1', port, 'regtest'))
    node.pool.peers.add(peer)
  },
  tip: () => ({ hash: display(node.chain.tip.hash), height: node.chain.height }),
  mempool: () => [...node.mempool.map.keys()].map(display),
  blockAt: async (height) => {
    const block = await node.chain.getBlock(height)
    return block === null ? undefined : block.toRaw().toString('hex')
  },
  /** What it has against a block, or `accepted`. */
  submitBlock: async (hex) => {
    try {
      const entry = await node.chain.add(bcoin.Block.fromRaw(Buffer.from(hex, 'hex')))
      return entry === null ? 'orphan' : 'accepted'
    } catch (error) {
      return reasonOf(error)
    }
  },
  submitTransaction: async (hex) => {
    try {
      const missing = await node.mempool.addTX(bcoin.TX.fromRaw(Buffer.from(hex, 'hex')))
      return missing === null ? 'accepted' : 'missing-inputs'
    } catch (error) {
      return reasonOf(error)
    }
  },
  rpc: async (method, params) => {
    const { result, error } = await node.rpc.call({ method, params, id: 1 }, {})
    if (error) throw new Error(error.message)
    return result
  },
  peers: () => node.pool.peers.size(),
}

process.on('message', async ({ id, call, args }) => {
  try {
    process.send({ id, result: await calls[call](...args) })
  } catch (error) {
    process.send({ id, error: error.stack })
  }
})
process.on('disconnect', () => process.exit())

await node.open()
await node.connect()
await node.startSync()
process.send({ ready: true })
