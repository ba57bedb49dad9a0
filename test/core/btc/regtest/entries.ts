/** Entries of a mempool that nobody has checked, for what asks only how they hang together. */
import { hash32, u32be } from '../../../../src/core/base/bytes.ts'
import { sha256 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { MempoolEntry } from '../../../../src/core/btc/regtest/pool.ts'
import { transactionFromParts, txid, wtxid } from '../../../../src/core/btc/transaction.ts'

let serial = 0
const OUTPUTS = 30
/** Outputs of each entry that are spent. */
const spentOf = new Map<MempoolEntry, number>()

/** An entry that spends an output of each parent. */
export function entryOn(
  parents: readonly MempoolEntry[],
  { fee, vsize = 100, sigopsCost = 0 }: { fee: number; vsize?: number; sigopsCost?: number },
): MempoolEntry {
  serial += 1
  const inputs = parents.map((parent) => {
    const vout = spentOf.get(parent) ?? 0
    spentOf.set(parent, vout + 1)
    return { outpoint: { txid: parent.txid, vout } }
  })
  const coin = { outpoint: { txid: hash32(sha256(u32be(serial))), vout: 0 } }
  const output = { value: sat(BigInt(serial)), script: Uint8Array.of(0x51) }
  const transaction = transactionFromParts({
    inputs: inputs.length === 0 ? [coin] : inputs,
    outputs: Array.from({ length: OUTPUTS }, () => output),
  })
  const id = txid(transaction)
  return {
    transaction,
    txid: id,
    wtxid: wtxid(transaction),
    fee: sat(BigInt(fee)),
    vsize,
    sigopsCost,
    time: 0,
  }
}
