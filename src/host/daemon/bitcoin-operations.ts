/** What the owner does to the embedded chain. Implements `docs/spec/cli.md` §5.17, bitcoin §12. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes, fromDisplayHex, fromHex, toDisplayHex } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import { divFloor, sat } from '../../core/base/units.ts'
import { parseAddress } from '../../core/btc/address.ts'
import { subsidy } from '../../core/btc/block.ts'
import { COINBASE_MATURITY } from '../../core/btc/block-spends.ts'
import { regtest } from '../../core/btc/network.ts'
import { dustThreshold } from '../../core/btc/script.ts'
import type { TxOut } from '../../core/btc/transaction.ts'
import { isCoinbase, txid } from '../../core/btc/transaction.ts'
import type { EmbeddedBitcoin } from '../bitcoin/embedded-node.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import { SIGHTINGS_MAX } from '../control/protocol.ts'
import { Purse, purseScript } from './purse.ts'
import { outputReply, transactionReply } from './transaction-view.ts'

/** Blocks before the first coin of the purse may be spent, and that one. */
export const FIRST_BLOCKS = COINBASE_MATURITY + 1
/** Blocks mined at one time: clients are served between two of them. */
const BLOCKS_PER_TURN = 10
/** Blocks that the faucet mines at most for one payment. */
const FAUCET_BLOCKS_MAX = 500

/** No more than this ripens while so many blocks are mined on a chain of this height. */
function worthOf(height: number, blocks: number): bigint {
  const first = Math.max(1, height + 2 - COINBASE_MATURITY)
  const last = height + 1 + blocks - COINBASE_MATURITY
  let worth = 0n
  for (let ripe = first; ripe <= last; ripe++) worth += subsidy(ripe, regtest)
  return worth
}

export class BitcoinOperations {
  readonly #bitcoin: EmbeddedBitcoin
  readonly #purse: Purse
  readonly #minConfirmations: number

  constructor(bitcoin: EmbeddedBitcoin, minConfirmations: number) {
    this.#bitcoin = bitcoin
    this.#purse = new Purse(bitcoin)
    this.#minConfirmations = minConfirmations
  }

  async mine({ count, to, empty }: RequestOf<'mine'>): Promise<ReplyOf<'mine'>> {
    const script = to === undefined ? purseScript : scriptOf(to)
    const blocks: string[] = []
    while (blocks.length < count) {
      const part = Math.min(BLOCKS_PER_TURN, count - blocks.length)
      blocks.push(...this.#bitcoin.mine(part, script, { empty }).map(toDisplayHex))
      await nextTurn()
    }
    return { height: this.#bitcoin.height, hash: toDisplayHex(this.#bitcoin.tip.hash), blocks }
  }

  async faucet(request: RequestOf<'faucet'>): Promise<ReplyOf<'faucet'>> {
    const { amountSat, to, outputs, mine } = request
    const script = scriptOf(to)
    const shares = split(BigInt(amountSat), outputs)
    const least = dustThreshold(script)
    if (shares.some((value) => value < least))
      throw new Problem('BTC_REFUSED', `an output below ${least} sat is dust, and not relayed`, {
        fix: 'ask for more, or for fewer outputs',
      })
    const payment = shares.map((value): TxOut => ({ value: sat(value), script }))
    const blocks: string[] = []
    const id = await this.#pay(payment, blocks)
    if (mine) blocks.push(...this.#bitcoin.mine(1, purseScript).map(toDisplayHex))
    return { txid: toDisplayHex(id), amountSat, address: to, blocks }
  }

  /** Mines what it lacks: ripe coins, or room for one more transaction that waits. */
  async #pay(payment: readonly TxOut[], blocks: string[]): Promise<Txid> {
    for (;;) {
      const made = this.#purse.pay(payment)
      if (made.type === 'paid') {
        const reply = this.#bitcoin.submit(made.bytes)
        if (reply.type === 'accepted') return reply.txid
        if (blocks.length > 0) throw refused(reply.reason)
      } else if (
        made.needed - made.available >
        worthOf(this.#bitcoin.height, FAUCET_BLOCKS_MAX - blocks.length)
      ) {
        throw new Problem(
          'BTC_REFUSED',
          `the faucet has ${made.available} sat, ${made.needed} are needed`,
          { fix: 'ask for less, or mine more first', command: 'ckbtc bitcoin mine 1000' },
        )
      }
      const count = made.type === 'paid' ? 1 : BLOCKS_PER_TURN
      blocks.push(...this.#bitcoin.mine(count, purseScript).map(toDisplayHex))
      await nextTurn()
    }
  }

  reorg({ depth, dropTransactions }: RequestOf<'reorg'>): ReplyOf<'reorg'> {
    const { hash, height } = this.#bitcoin.tip
    const replaced = Array.from({ length: Math.min(depth, height) }, (_, index) =>
      this.#bitcoin.blockAt(height - index),
    )
    const unconfirmedTxids = replaced
      .toReversed()
      .flatMap((block) => block?.transactions ?? [])
      .filter((transaction) => !isCoinbase(transaction))
      .map((transaction) => toDisplayHex(txid(transaction)))
    const reply = this.#bitcoin.reorganise(depth, { dropTransactions, payToScript: purseScript })
    if (reply.type === 'refused') throw refused(reply.reason)
    return {
      oldTip: toDisplayHex(hash),
      newTip: toDisplayHex(this.#bitcoin.tip.hash),
      height: this.#bitcoin.height,
      depth,
      unconfirmedTxids,
      minConfirmations: this.#minConfirmations,
    }
  }

  minimumFee({ rateMsatPerVb }: RequestOf<'minimum-fee'>): ReplyOf<'minimum-fee'> {
    // A thousandth of a satoshi for a byte is a satoshi for a thousand.
    const rate = rateMsatPerVb === undefined ? undefined : BigInt(rateMsatPerVb)
    const dropped = this.#bitcoin.setMinimumRate(rate)
    const inForce = Number(this.#bitcoin.minimumRate)
    return { rateMsatPerVb: inForce, droppedTxids: dropped.map(toDisplayHex) }
  }

  tip(): ReplyOf<'tip'> {
    const { hash, height, header } = this.#bitcoin.tip
    const waitingTransactions = this.#bitcoin.waiting.length
    const peerPort = this.#bitcoin.port
    const peer = { peerHost: '127.0.0.1', peerPort }
    return { height, hash: toDisplayHex(hash), time: header.time, waitingTransactions, ...peer }
  }

  send({ hex }: RequestOf<'send'>): ReplyOf<'send'> {
    const reply = this.#bitcoin.submit(fromHex(hex))
    if (reply.type === 'refused') throw refused(reply.reason)
    return { txid: toDisplayHex(reply.txid), isTaken: true }
  }

  output({ txid: id, vout }: RequestOf<'output'>): ReplyOf<'output'> {
    return outputReply(this.#bitcoin.output({ txid: fromDisplayHex(id), vout }))
  }

  /** Payments to an address that no block has yet: of them nothing is certain. */
  sightings({ address }: RequestOf<'sightings'>): ReplyOf<'sightings'> {
    const script = scriptOf(address)
    const outputs = this.#bitcoin.waiting.flatMap(({ transaction, txid: id }) =>
      transaction.outputs.flatMap((output, vout) =>
        equalBytes(output.script, script)
          ? [{ txid: toDisplayHex(id), vout, amountSat: Number(output.value) }]
          : [],
      ),
    )
    return { outputs: outputs.slice(0, SIGHTINGS_MAX) }
  }

  tx({ txid: id }: RequestOf<'tx'>): ReplyOf<'tx'> {
    return transactionReply(this.#bitcoin, { id, network: regtest })
  }
}

export const refused = (reason: string): Problem =>
  new Problem('BTC_REFUSED', `the Bitcoin node refused it: ${reason}`, {
    fix: 'the reason is in the words of Bitcoin Core, which can be searched for',
    details: { reason },
  })

/** Throws `BTC_BAD_ADDRESS` or `BTC_WRONG_NETWORK`. */
function scriptOf(address: string): Uint8Array {
  const parsed = parseAddress(address, regtest)
  if (parsed.type === 'address') return parsed.script
  if (parsed.reason === 'wrong-network')
    throw new Problem('BTC_WRONG_NETWORK', `this is ${parsed.detail}`, {
      fix: 'addresses of the local subnet begin with bcrt1',
      details: { address },
    })
  throw new Problem('BTC_BAD_ADDRESS', `this is no Bitcoin address: ${parsed.detail}`, {
    fix: 'check it character by character; addresses of the local subnet begin with bcrt1',
    details: { address, positions: parsed.positions },
  })
}

/** In parts that differ by one satoshi at most. */
function split(amount: bigint, parts: number): readonly bigint[] {
  const each = divFloor(amount, BigInt(parts))
  const rest = amount - each * BigInt(parts)
  return Array.from({ length: parts }, (_, index) => each + (BigInt(index) < rest ? 1n : 0n))
}
