/**
 * The minter as the wallet calls it: the SDK's client where it tells everything, our codecs where it
 * leaves something out. Source: minter §§2, 21.
 */
import { hash32 } from '../../core/base/bytes.ts'
import { CanisterRefused } from '../../core/base/errors.ts'
import { sat } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { minterInterface } from '../../core/minter/interface/interface.ts'
import type {
  MinterInfo,
  RetrieveBtcStatusV2,
  RetrieveBtcWithApprovalArgs,
  RetrieveBtcWithApprovalResult,
  StatusOfBlock,
  UpdateBalanceResult,
  Utxo,
  WithdrawalFee,
} from '../../core/minter/types.ts'
import type { Asking } from './ledger.ts'
import { rawQuery, rawUpdate } from './raw.ts'
import type { SdkMinter } from './sdk-canisters.ts'
import { isUndecodable, sdkMinter } from './sdk-canisters.ts'
import { sdkPrincipal } from './sdk-identity.ts'
import type { CallOptions, Wire } from './wire.ts'

type MinterMethod = keyof typeof minterInterface

export class MinterClient {
  readonly #wire: Wire
  readonly #canister: SdkMinter

  constructor(wire: Wire) {
    this.#wire = wire
    this.#canister = sdkMinter(wire.agent(), this.id)
  }

  get id(): Principal {
    return this.#wire.network.ids.minter
  }

  #target<M extends MinterMethod>(methodName: M) {
    const method = minterInterface[methodName]
    return { canister: 'minter', canisterId: this.id, methodName, method } as const
  }

  /** What the minter says; see `deposit-address.ts` for what follows from the key. */
  address({ owner, subaccount }: Account): Promise<string> {
    return this.#read('get_btc_address', (minter) =>
      minter.getBtcAddress({
        owner: sdkPrincipal(owner),
        ...(subaccount === undefined ? {} : { subaccount }),
      }),
    )
  }

  async info(): Promise<MinterInfo> {
    const info = await this.#read('get_minter_info', (minter) =>
      minter.getMinterInfo({ certified: false }),
    )
    const [depositMinAmount] = info.deposit_btc_min_amount
    return {
      minConfirmations: info.min_confirmations,
      retrieveMinAmount: info.retrieve_btc_min_amount,
      checkFee: info.kyt_fee,
      depositMinAmount,
    }
  }

  async knownUtxos({ owner, subaccount }: Account): Promise<readonly Utxo[]> {
    const utxos = await this.#read('get_known_utxos', (minter) =>
      minter.getKnownUtxos({
        owner: sdkPrincipal(owner),
        certified: false,
        ...(subaccount === undefined ? {} : { subaccount }),
      }),
    )
    return utxos.map(({ outpoint, value, height }) => ({
      outpoint: { txid: hash32(Uint8Array.from(outpoint.txid)), vout: outpoint.vout },
      value: sat(value),
      height,
    }))
  }

  /** Without an amount: for the smallest redemption. */
  async estimateFee(amount?: bigint): Promise<WithdrawalFee> {
    const fee = await this.#read('estimate_withdrawal_fee', (minter) =>
      minter.estimateWithdrawalFee({ certified: false, amount }),
    )
    return { minterFee: fee.minter_fee, bitcoinFee: fee.bitcoin_fee }
  }

  /** Of a deposit, for the check. */
  depositFee(): Promise<bigint> {
    return rawQuery(this.#wire, this.#target('get_deposit_fee'), [])
  }

  /** One node's word, or that of the whole network. */
  redemptionStatus(
    blockIndex: bigint,
    { certified = false }: Asking = {},
  ): Promise<RetrieveBtcStatusV2> {
    const target = this.#target('retrieve_btc_status_v2')
    return certified
      ? rawUpdate(this.#wire, target, [{ blockIndex }], { movesValue: false })
      : rawQuery(this.#wire, target, [{ blockIndex }])
  }

  /** Every redemption of an account, in the order in which they were accepted. */
  redemptions(account: Account): Promise<readonly StatusOfBlock[]> {
    return rawQuery(this.#wire, this.#target('retrieve_btc_status_v2_by_account'), [account])
  }

  /** Mints for what has arrived: can only give the account's owner money. */
  updateBalance(
    account: Account,
    options: CallOptions = { movesValue: false },
  ): Promise<UpdateBalanceResult> {
    return rawUpdate(this.#wire, this.#target('update_balance'), [account], options)
  }

  /** Burns and pays out. Moves value; see `Wire.update` for what is thrown. */
  retrieve(
    args: RetrieveBtcWithApprovalArgs,
    options?: Omit<CallOptions, 'movesValue'>,
  ): Promise<RetrieveBtcWithApprovalResult> {
    const target = this.#target('retrieve_btc_with_approval')
    return rawUpdate(this.#wire, target, [args], { ...options, movesValue: true })
  }

  async #read<T>(methodName: string, ask: (minter: SdkMinter) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#canister)
    } catch (error) {
      if (!isUndecodable(error)) throw error
      const reason = `an answer that its interface does not know: ${error.message.slice(0, 200)}`
      throw new CanisterRefused('minter', { methodName, reason })
    }
  }
}
