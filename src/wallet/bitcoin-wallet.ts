/**
 * An ordinary Bitcoin wallet with one P2WPKH key, on bitcoinjs-lib: the payer of a deposit. Source:
 * BIP84, BIP143, BIP174.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Psbt, Transaction } from 'bitcoinjs-lib'
import type { Txid } from '../core/base/bytes.ts'
import { hash32 } from '../core/base/bytes.ts'
import { present } from '../core/base/errors.ts'
import { hash160 } from '../core/base/hash.ts'
import type { Sat } from '../core/base/units.ts'
import { sat } from '../core/base/units.ts'
import { addressOfScript, parseAddress } from '../core/btc/address.ts'
import type { Network } from '../core/btc/network.ts'
import { dustThreshold, p2wpkhScript } from '../core/btc/script.ts'
import type { OutPoint } from '../core/btc/transaction.ts'

/** An output of this wallet's script. */
export type WalletUtxo = { readonly outpoint: OutPoint; readonly value: Sat }

export type Payment = {
  readonly utxos: readonly WalletUtxo[]
  readonly to: string
  readonly amount: Sat
  readonly feeRateSatPerVb: bigint
}

export type SignedPayment = {
  readonly type: 'signed'
  readonly bytes: Uint8Array
  readonly txid: Txid
  readonly fee: Sat
}

export type PaymentRefusal =
  | { readonly type: 'badAddress'; readonly detail: string }
  | { readonly type: 'dust'; readonly amountMin: Sat }
  | { readonly type: 'tooLow'; readonly available: Sat; readonly needed: Sat }

export interface BitcoinWallet {
  readonly address: string
  readonly script: Uint8Array
  /** Pays one address and returns the rest to this wallet, unless the rest is dust. */
  pay(payment: Payment): SignedPayment | PaymentRefusal
}

/** BIP125: a stuck payment can be replaced. */
const SEQUENCE_REPLACEABLE = 0xffff_fffd
/** Sizes of §11.2, rounded up: 10.5 for the frame, an input of this wallet, its change. */
const FRAME_VSIZE = 11
const INPUT_VSIZE = 68
const CHANGE_VSIZE = 31

/** `secretKey`: 32 bytes, a valid scalar. It stays inside the returned functions. */
export function createBitcoinWallet(secretKey: Uint8Array, network: Network): BitcoinWallet {
  const publicKey = secp256k1.getPublicKey(secretKey, true)
  const script = p2wpkhScript(hash160(publicKey))
  const address = present(addressOfScript(script, network), 'P2WPKH has an address')
  const signer = {
    publicKey,
    sign: (hash: Uint8Array) => secp256k1.sign(hash, secretKey, { prehash: false, lowS: true }),
  }
  return {
    address,
    script,
    pay: (payment) => {
      const target = parseAddress(payment.to, network)
      if (target.type === 'refused') return { type: 'badAddress', detail: target.detail }
      const amountMin = dustThreshold(target.script)
      if (payment.amount < amountMin) return { type: 'dust', amountMin }
      const plan = planPayment(payment, { target: target.script, own: script })
      return plan.type === 'plan' ? sign(plan, script, signer) : plan
    },
  }
}

type Plan = {
  readonly type: 'plan'
  readonly inputs: readonly WalletUtxo[]
  readonly outputs: readonly { readonly script: Uint8Array; readonly value: Sat }[]
  readonly fee: Sat
}

/** Takes the largest coins until amount and fee are covered. */
function planPayment(
  { utxos, amount, feeRateSatPerVb }: Payment,
  { target, own }: { readonly target: Uint8Array; readonly own: Uint8Array },
): Plan | PaymentRefusal {
  const coins = utxos.toSorted((a, b) => (a.value === b.value ? 0 : a.value < b.value ? 1 : -1))
  const inputs: WalletUtxo[] = []
  let available = 0n
  let fee = 0n
  for (const coin of coins) {
    inputs.push(coin)
    available += coin.value
    const vsize = FRAME_VSIZE + inputs.length * INPUT_VSIZE + 9 + target.length
    fee = BigInt(vsize) * feeRateSatPerVb
    if (available < amount + fee) continue
    const payment = { script: target, value: amount }
    const change = available - amount - fee - BigInt(CHANGE_VSIZE) * feeRateSatPerVb
    if (change < dustThreshold(own))
      return { type: 'plan', inputs, outputs: [payment], fee: sat(available - amount) }
    const outputs = [payment, { script: own, value: sat(change) }]
    return { type: 'plan', inputs, outputs, fee: sat(available - amount - change) }
  }
  return { type: 'tooLow', available: sat(available), needed: sat(amount + fee) }
}

type Signer = { readonly publicKey: Uint8Array; sign(hash: Uint8Array): Uint8Array }

function sign({ inputs, outputs, fee }: Plan, script: Uint8Array, signer: Signer): SignedPayment {
  const psbt = new Psbt()
  psbt.addInputs(
    inputs.map(({ outpoint, value }) => ({
      hash: outpoint.txid,
      index: outpoint.vout,
      sequence: SEQUENCE_REPLACEABLE,
      sighashType: Transaction.SIGHASH_ALL,
      witnessUtxo: { script, value },
    })),
  )
  psbt.addOutputs(outputs.map(({ script: to, value }) => ({ script: to, value })))
  psbt.signAllInputs(signer).finalizeAllInputs()
  // The fee was chosen above; the library's own limit on rates is not asked.
  const transaction = psbt.extractTransaction(true)
  return {
    type: 'signed',
    bytes: transaction.toBuffer(),
    txid: hash32(transaction.getHash()),
    fee,
  }
}
