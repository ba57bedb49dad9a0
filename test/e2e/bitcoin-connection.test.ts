/**
 * Goal: adapter, chain view and the regtest node agree over real sockets, through reorganisation
 * and restart. Method: the host's driver on one side, the embedded node's listener on the other,
 * nothing in between.
 */
import { createServer } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { sha256 } from '../../src/core/base/hash.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { sat } from '../../src/core/base/units.ts'
import { confirmationsOf, missingBlocks, outgoing, tip } from '../../src/core/btc/chain-queries.ts'
import type { Request, State } from '../../src/core/btc/chain-state.ts'
import { newState } from '../../src/core/btc/chain-state.ts'
import { execute } from '../../src/core/btc/chain-view.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { p2wshScript } from '../../src/core/btc/script.ts'
import { encodeTransaction, transactionFromParts, txid } from '../../src/core/btc/transaction.ts'
import type { BitcoinConnection } from '../../src/host/bitcoin/connection.ts'
import { startBitcoinConnection } from '../../src/host/bitcoin/connection.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { systemClock } from '../../src/host/clock.ts'
import { scriptOf } from '../support/chain-builder.ts'

/** Anyone may spend it: the witness script is OP_TRUE. */
const TRUE_SCRIPT = Uint8Array.of(0x51)
const ANYONE = p2wshScript(sha256(TRUE_SCRIPT))
const WAIT = { timeout: 20_000, interval: 20 }

const nowSeconds = () => Number(systemClock() / 1_000_000_000n)
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** One node's Bitcoin side: what the adapter brings goes straight into a chain view. */
function follower(port: number) {
  const state: State = newState({ network: regtest, stabilityThreshold: 144 })
  const refusals: string[] = []
  const offences: string[] = []
  const run = (request: Request): void => {
    const { reply } = execute(state, request, systemClock())
    if (reply.type !== 'accepted') refusals.push(reply.type)
    connection.want(missingBlocks(state))
    connection.announce(outgoing(state))
  }
  const connection: BitcoinConnection = startBitcoinConnection({
    network: regtest,
    peers: [{ host: '127.0.0.1', port }],
    seed: Seed.fromBytes(Uint8Array.of(port & 0xff)),
    userAgent: '/ckbtc:test/',
    push: true,
    clock: systemClock,
    onHeaders: (headers) => {
      for (const header of headers) run({ type: 'header', header })
    },
    onBlock: (_, block) => run({ type: 'block', block }),
    onOffence: (_, { kind }) => offences.push(kind),
  })
  closing.push(() => connection.close())
  return { state, connection, run, refusals, offences }
}

async function serve(node: RegtestNode, port = 0): Promise<RegtestServer> {
  const server = await startRegtestServer({ node, port })
  closing.push(() => server.close())
  return server
}

it('a node follows the regtest node, sends through it, and survives its restart', async () => {
  const node = new RegtestNode()
  node.mine(120, ANYONE, nowSeconds())
  const server = await serve(node)
  const { state, run, connection, refusals, offences } = follower(server.port)
  await vi.waitFor(() => expect(tip(state).height).toBe(120), WAIT)

  const spent = node.blockAt(1)?.transactions[0]
  if (spent === undefined) throw new RangeError('the chain has a first block')
  const payment = transactionFromParts({
    inputs: [{ outpoint: { txid: txid(spent), vout: 0 }, witness: [TRUE_SCRIPT] }],
    outputs: [{ value: sat(4_999_990_000n), script: scriptOf(1) }],
  })
  run({ type: 'sendTransaction', bytes: encodeTransaction(payment), keep: true })
  await vi.waitFor(() => expect(node.mempool().length).toBe(1), WAIT)
  node.mine(1, ANYONE, nowSeconds())
  await vi.waitFor(() => expect(confirmationsOf(state, txid(payment))).toBe(1), WAIT)

  node.reorganise(2, { dropTransactions: true, payToScript: ANYONE, nowSeconds: nowSeconds() })
  await vi.waitFor(() => expect(tip(state).hash).toEqual(node.tip().hash), WAIT)
  expect(confirmationsOf(state, txid(payment))).toBe(0)
  expect(outgoing(state).length).toBe(1)

  await server.close()
  await vi.waitFor(() => expect(connection.peers()[0]?.state).not.toBe('ready'), WAIT)
  node.mine(3, ANYONE, nowSeconds())
  await serve(node, server.port)
  await vi.waitFor(() => expect(tip(state).hash).toEqual(node.tip().hash), WAIT)
  // The new connection is told of the transaction that the reorganisation dropped.
  await vi.waitFor(() => expect(node.mempool().length).toBe(1), WAIT)
  node.mine(6, ANYONE, nowSeconds())
  await vi.waitFor(() => expect(outgoing(state)).toEqual([]), WAIT)
  expect(refusals).toEqual([])
  expect(offences.filter((kind) => kind !== 'timeout')).toEqual([])
})

it('a peer that speaks nonsense is dropped and tried again', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => undefined)
    socket.resume().write('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address()
  const { offences } = follower(typeof address === 'object' ? (address?.port ?? 0) : 0)
  await vi.waitFor(() => expect(connections).toBeGreaterThanOrEqual(2), WAIT)
  expect(new Set(offences)).toEqual(new Set(['badFrame']))
})
