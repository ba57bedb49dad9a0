/** The control port's view of a chain, without a socket between. */
import { Problem } from '../../../src/core/base/errors.ts'
import { sat } from '../../../src/core/base/units.ts'
import type { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { encodeTransaction, transactionFromParts } from '../../../src/core/btc/transaction.ts'
import type { EmbeddedChain } from '../../../src/wallet/sources/embedded.ts'
import { hashOf } from '../../core/btc/builders.ts'
import { NOW_S } from './story.ts'

/** A transaction that spends what never was. */
export const BTC_UNUSED = encodeTransaction(
  transactionFromParts({
    inputs: [{ outpoint: { txid: hashOf('nothing') as never, vout: 0 } }],
    outputs: [{ value: sat(1_000n), script: Uint8Array.of(0, 20, ...new Uint8Array(20)) }],
  }),
)

export const chainOf = (node: RegtestNode): EmbeddedChain => ({
  tip: async () => {
    const { hash, height, header } = node.tip()
    return { hash, height, time: header.time }
  },
  output: async (outpoint) => node.utxo(outpoint),
  send: async (bytes) => {
    const reply = node.submit(bytes, NOW_S)
    if (reply.type === 'accepted') return true
    throw new Problem('BTC_REFUSED', `refused: ${reply.reason}`, {
      fix: 'look',
      details: { reason: reply.reason },
    })
  },
  transaction: async (txid) => {
    const found = node.transaction(txid)
    return found && { confirmations: found.confirmations, height: found.height }
  },
})
