/**
 * A Bitcoin node that is not the subnet's: regtest on a port of its own, behind a proxy that can cut
 * every connection, and with a life of its own.
 */
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Txid } from '../../src/core/base/bytes.ts'
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sat } from '../../src/core/base/units.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { txid } from '../../src/core/btc/transaction.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { systemClock } from '../../src/host/clock.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'

const LOOPBACK = '127.0.0.1'
const FIRST_BLOCKS = 110
const payer = regtestWallet('payer')
const nowSeconds = (): number => Number(systemClock() / 1_000_000_000n)

export class ExternalNode {
  node = new RegtestNode()
  #server: RegtestServer | undefined
  readonly #sockets = new Set<Socket>()
  readonly #proxy = createServer((socket) => this.#join(socket))
  /** Height of the coinbase that is spent next. */
  #next = 1

  static async start(): Promise<ExternalNode> {
    const external = new ExternalNode()
    external.mine(FIRST_BLOCKS)
    external.#server = await startRegtestServer({ node: external.node })
    await new Promise<void>((resolve) => external.#proxy.listen(0, LOOPBACK, resolve))
    return external
  }

  #join(socket: Socket): void {
    const port = this.#server?.port
    if (port === undefined) return void socket.destroy()
    const onward = connect({ host: LOOPBACK, port })
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }

  /** Where the subnet finds it. */
  get place(): string {
    const address = this.#proxy.address()
    return `${LOOPBACK}:${typeof address === 'object' ? address?.port : ''}`
  }

  get height(): number {
    return this.node.tip().height
  }

  get connections(): number {
    return this.#server?.peers().filter(({ ready }) => ready).length ?? 0
  }

  mine(count: number): void {
    this.node.mine(count, payer.script, nowSeconds())
  }

  pay(to: string, amountSat: bigint): { readonly txid: Txid; readonly bytes: Uint8Array } {
    const coinbase = present(this.node.blockAt(this.#next++)?.transactions[0], 'a coinbase')
    const value = present(coinbase.outputs[0], 'it pays').value
    const utxos = [{ outpoint: { txid: txid(coinbase), vout: 0 }, value }]
    const payment = payer.pay({ utxos, to, amount: sat(amountSat), feeRateSatPerVb: 2n })
    if (payment.type !== 'signed') throw new RangeError(payment.type)
    this.submit(payment.bytes)
    return payment
  }

  submit(bytes: Uint8Array): void {
    const reply = this.node.submit(bytes, nowSeconds())
    if (reply.type !== 'accepted') throw new RangeError(reply.reason)
  }

  /** `drops`: what the old blocks held is not mined again, and nobody has it any more. */
  reorganise(depth: number, { drops }: { readonly drops: boolean }): void {
    const options = { dropTransactions: drops, payToScript: payer.script }
    this.node.reorganise(depth, { ...options, nowSeconds: nowSeconds() })
  }

  /** Amounts that transactions in blocks pay to a script. */
  paidTo(script: Uint8Array): readonly bigint[] {
    const heights = Array.from({ length: this.height }, (_, i) => i + 1)
    const blocks = heights.flatMap((height) => this.node.blockAt(height)?.transactions ?? [])
    const outputs = blocks.flatMap((transaction) => transaction.outputs)
    return outputs.filter((output) => equalBytes(output.script, script)).map(({ value }) => value)
  }

  /** Ends every connection, as a cable that is pulled. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.cut()
    await server?.close()
  }

  /** A new life with the same blocks; what waited for one is forgotten. */
  async startAgain(): Promise<void> {
    const heights = Array.from({ length: this.height }, (_, i) => i + 1)
    const blocks = heights.map((height) => present(this.node.blockAt(height), 'a block'))
    this.node = new RegtestNode({ blocks, keep: () => undefined })
    this.#server = await startRegtestServer({ node: this.node })
  }

  async close(): Promise<void> {
    await this.stop()
    await new Promise((resolve) => this.#proxy.close(resolve))
  }
}
