/** Transactions and outputs of a chain as the control port shows them. Source: `docs/spec/cli.md` §5.17. */
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes, fromDisplayHex, hash32, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import { addressOfScript } from '../../core/btc/address.ts'
import type { Network } from '../../core/btc/network.ts'
import type { FoundTransaction, OutputStatus } from '../../core/btc/regtest/node.ts'
import type { TxOut } from '../../core/btc/transaction.ts'
import { encodeTransaction, isCoinbase, vsize } from '../../core/btc/transaction.ts'
import type { ReplyOf } from '../control/protocol.ts'
import { purseScript } from './purse.ts'

export function outputReply(found: OutputStatus): ReplyOf<'output'> {
  const { type } = found
  if (type !== 'unspent')
    return { type, amountSat: undefined, script: undefined, height: undefined }
  const { value, script, height } = found
  return { type, amountSat: Number(value), script: toHex(script), height }
}

type Transactions = { transaction(id: Txid): FoundTransaction | undefined }

/** With what its inputs spend, as far as the chain still has that. */
export function transactionReply(
  chain: Transactions,
  { id, network }: { readonly id: string; readonly network: Network },
): ReplyOf<'tx'> {
  const found = chain.transaction(hash32(fromDisplayHex(id)))
  if (found === undefined) return undefined
  const { transaction, confirmations, height } = found
  const coinbase = isCoinbase(transaction)
  const inputs = coinbase
    ? []
    : transaction.inputs.map(({ outpoint }) => {
        const source = chain.transaction(outpoint.txid)
        const output = source?.transaction.outputs[outpoint.vout]
        return {
          txid: toDisplayHex(outpoint.txid),
          vout: outpoint.vout,
          from: output === undefined ? undefined : partyOf(output, network),
        }
      })
  const outputs = transaction.outputs.map((output) => partyOf(output, network))
  const spent = inputs.map(({ from }) => from?.amountSat)
  const paid = outputs.reduce((sum, { amountSat }) => sum + amountSat, 0)
  const known = spent.every((value) => value !== undefined) && !coinbase
  return {
    txid: id,
    evidence: undefined,
    confirmations,
    height,
    vsize: vsize(transaction),
    feeSat: known ? spent.reduce((sum: number, value) => sum + (value ?? 0), -paid) : undefined,
    isCoinbase: coinbase,
    inputs,
    outputs,
    hex: toHex(encodeTransaction(transaction)),
  }
}

const partyOf = ({ value, script }: TxOut, network: Network) => ({
  address: addressOfScript(script, network),
  amountSat: Number(value),
  isFaucet: equalBytes(script, purseScript),
})
