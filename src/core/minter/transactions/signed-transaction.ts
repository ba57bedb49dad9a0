/** A transaction of which every input is signed. Source: minter §12, step 2 [H 2]. */
import { concat } from '../../base/bytes.ts'
import type { View } from '../../base/view.ts'
import { sighashType } from '../../btc/sighash.ts'
import { derOfCompact } from '../../btc/signature.ts'
import type { Transaction } from '../../btc/transaction.ts'
import { brought } from '../apply/consistency.ts'
import type { SigningTransaction } from '../state/state.ts'

/** The transaction with a witness in every input. */
export function withWitnesses({
  transaction,
  signed,
}: View<Pick<SigningTransaction, 'transaction' | 'signed'>>): Transaction {
  const inputs = transaction.inputs.map((input, i) => {
    const { signature, publicKey } = brought(signed.get(i), `input ${i} is not signed`)
    const der = concat(derOfCompact(signature), Uint8Array.of(sighashType.all))
    return { ...input, witness: [der, publicKey] }
  })
  return { ...transaction, inputs }
}
