/**
 * The Bitcoin operations of the control port while the subnet follows a node of the user's: it is
 * looked at, and not ruled. Implements `docs/spec/cli.md` §5.17.
 */
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes, fromDisplayHex, fromHex, hash32, toDisplayHex } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import { networks } from '../../core/btc/network.ts'
import type { FoundTransaction } from '../../core/btc/regtest/node.ts'
import { decodeTransaction } from '../../core/btc/transaction.ts'
import type { AttachedBitcoin } from '../bitcoin/attached-node.ts'
import { textOfPlace } from '../bitcoin-place.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { BitcoinAnswer } from '../node/protocol.ts'
import { refused } from './bitcoin-operations.ts'
import { reportOf, withEvidence } from './outgoing-evidence.ts'
import { outputReply, transactionReply } from './transaction-view.ts'

/** What is done to the embedded chain alone. */
export type OwnChainOperation = 'mine' | 'faucet' | 'reorg' | 'fee' | 'minimum-fee'

const instead: Readonly<Record<OwnChainOperation, string>> = {
  mine: 'mine with that node: bitcoin-cli -regtest generatetoaddress 1 <address>',
  faucet: 'pay from a wallet of that node; ckbtc address names where to',
  reorg: 'reorganise that node: bitcoin-cli -regtest invalidateblock <hash>',
  fee: 'the level follows the blocks of that node',
  'minimum-fee': 'start that node with another -minrelaytxfee',
}

export class AttachedOperations {
  readonly #bitcoin: AttachedBitcoin

  constructor(bitcoin: AttachedBitcoin) {
    this.#bitcoin = bitcoin
  }

  /** Always throws `RAIL_LOCAL_ONLY`. */
  refuse(operation: OwnChainOperation): never {
    const place = textOfPlace(this.#bitcoin.place)
    throw new Problem('RAIL_LOCAL_ONLY', `the chain is that of ${place}, not the subnet's own`, {
      fix: instead[operation],
      command: 'ckbtc subnet status',
      details: { bitcoin: place },
    })
  }

  tip(): ReplyOf<'tip'> {
    const { tip, waiting: waitingTransactions, place } = this.#bitcoin
    const { height, hash, time } = tip
    const peer = { peerHost: place.host, peerPort: place.port }
    return { height, hash: toDisplayHex(hash), time, waitingTransactions, ...peer }
  }

  /** Of the chain, or one that the subnet's nodes announce; `answers` of these. */
  tx(
    { txid: id }: RequestOf<'tx'>,
    answers: readonly (Pick<BitcoinAnswer, 'transactions'> | undefined)[],
  ): ReplyOf<'tx'> {
    const network = networks[this.#bitcoin.place.network]
    const announced = reportOf(answers, hash32(fromDisplayHex(id)))
    const chain = {
      transaction: (txid: Txid): FoundTransaction | undefined =>
        this.#bitcoin.transaction(txid) ??
        (announced !== undefined && equalBytes(txid, announced.txid)
          ? { transaction: decodeTransaction(announced.bytes), confirmations: 0 }
          : undefined),
    }
    const found = transactionReply(chain, { id, network })
    return found && withEvidence(found, answers)
  }

  output({ txid: id, vout }: RequestOf<'output'>): ReplyOf<'output'> {
    return outputReply(this.#bitcoin.output({ txid: fromDisplayHex(id), vout }))
  }

  send({ hex }: RequestOf<'send'>): ReplyOf<'send'> {
    const reply = this.#bitcoin.submit(fromHex(hex))
    if (reply.type === 'refused') throw refused(reply.reason)
    return { txid: toDisplayHex(reply.txid), isTaken: false }
  }
}
