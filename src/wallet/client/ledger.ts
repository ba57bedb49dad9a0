/** The ledger as the wallet calls it, on the ICRC client of the SDK. Source: ledger §2. */
import { CanisterRefused } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { timestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { Result, TipCertificate } from '../../core/ledger/interface/ledger-interface.ts'
import { ledgerInterface } from '../../core/ledger/interface/ledger-interface.ts'
import type {
  ApproveArgs,
  ApproveError,
  TransferArg,
  TransferError,
} from '../../core/ledger/types.ts'
import { rawQuery } from './raw.ts'
import type { SdkLedger } from './sdk-canisters.ts'
import { isUndecodable, sdkAccount, sdkLedger, variantIn } from './sdk-canisters.ts'
import { ourPrincipal, sdkPrincipal } from './sdk-identity.ts'
import type { CallOptions, Wire } from './wire.ts'

export type TokenFacts = {
  readonly name: string
  readonly symbol: string
  readonly decimals: number
  readonly fee: bigint
}

/** `certified`: asked as a call, so that the whole network answers for it. */
export type Asking = { readonly certified?: boolean | undefined }

export class LedgerClient {
  readonly #wire: Wire
  readonly #canister: SdkLedger

  constructor(wire: Wire) {
    this.#wire = wire
    this.#canister = this.#with({ movesValue: false })
  }

  get id(): Principal {
    return this.#wire.network.ids.ledger
  }

  #with(options: CallOptions): SdkLedger {
    return sdkLedger(this.#wire.agent(options), this.id)
  }

  balanceOf({ owner, subaccount }: Account, { certified = false }: Asking = {}): Promise<bigint> {
    const account = { owner: sdkPrincipal(owner), certified }
    return this.#read('icrc1_balance_of', (ledger) =>
      ledger.balance(subaccount === undefined ? account : { ...account, subaccount }),
    )
  }

  fee(): Promise<bigint> {
    return this.#read('icrc1_fee', (ledger) => ledger.transactionFee({ certified: false }))
  }

  totalSupply({ certified = false }: Asking = {}): Promise<bigint> {
    return this.#read('icrc1_total_supply', (ledger) => ledger.totalTokensSupply({ certified }))
  }

  async token(): Promise<TokenFacts> {
    const entries = new Map(
      await this.#read('icrc1_metadata', (ledger) => ledger.metadata({ certified: false })),
    )
    const text = (key: string): string => {
      const value = entries.get(key)
      return value !== undefined && 'Text' in value ? value.Text : ''
    }
    const nat = (key: string): bigint => {
      const value = entries.get(key)
      return value !== undefined && 'Nat' in value ? value.Nat : 0n
    }
    return {
      name: text('icrc1:name'),
      symbol: text('icrc1:symbol'),
      decimals: Number(nat('icrc1:decimals')),
      fee: nat('icrc1:fee'),
    }
  }

  async mintingAccount(): Promise<Account | undefined> {
    const [account] = await this.#read('icrc1_minting_account', (ledger) =>
      ledger.getMintingAccount({ certified: false }),
    )
    if (account === undefined) return undefined
    const [subaccount] = account.subaccount
    const owner = ourPrincipal(account.owner)
    return subaccount === undefined ? { owner } : { owner, subaccount: Uint8Array.from(subaccount) }
  }

  async allowance(
    { owner, spender }: { readonly owner: Account; readonly spender: Account },
    { certified = false }: Asking = {},
  ): Promise<{ readonly allowance: bigint; readonly expiresAt: TimestampNs | undefined }> {
    const found = await this.#read('icrc2_allowance', (ledger) =>
      ledger.allowance({ account: sdkAccount(owner), spender: sdkAccount(spender), certified }),
    )
    const [expiresAt] = found.expires_at
    return {
      allowance: found.allowance,
      expiresAt: expiresAt === undefined ? undefined : timestampNs(expiresAt),
    }
  }

  /** The last block's index and hash with the subnet's signature; undefined where there is none. */
  tipCertificate(): Promise<TipCertificate | undefined> {
    const methodName = 'icrc3_get_tip_certificate'
    const method = ledgerInterface[methodName]
    const target = { canister: 'ledger', canisterId: this.id, methodName, method } as const
    return rawQuery(this.#wire, target, [])
  }

  /** Moves value. What the ledger refuses is a result; see `Wire.update` for what is thrown. */
  transfer(arg: TransferArg, options?: Omit<CallOptions, 'movesValue'>) {
    const { fromSubaccount, to, amount, fee, memo, createdAtTime } = arg
    return this.#move<TransferError>('icrc1_transfer', options, (ledger) =>
      ledger.transfer({
        to: sdkAccount(to),
        amount,
        ...given('from_subaccount', fromSubaccount),
        ...given('fee', fee),
        ...given('memo', memo),
        ...given('created_at_time', createdAtTime),
      }),
    )
  }

  /** Sets an allowance; it does not add. */
  approve(arg: ApproveArgs, options?: Omit<CallOptions, 'movesValue'>) {
    const { fromSubaccount, spender, amount, expectedAllowance, expiresAt } = arg
    const { fee, memo, createdAtTime } = arg
    return this.#move<ApproveError>('icrc2_approve', options, (ledger) =>
      ledger.approve({
        spender: sdkAccount(spender),
        amount,
        ...given('from_subaccount', fromSubaccount),
        ...given('expected_allowance', expectedAllowance),
        ...given('expires_at', expiresAt),
        ...given('fee', fee),
        ...given('memo', memo),
        ...given('created_at_time', createdAtTime),
      }),
    )
  }

  async #read<T>(methodName: string, ask: (ledger: SdkLedger) => Promise<T>): Promise<T> {
    try {
      return await ask(this.#canister)
    } catch (error) {
      throw readable(error, methodName)
    }
  }

  async #move<E>(
    methodName: string,
    options: Omit<CallOptions, 'movesValue'> | undefined,
    act: (ledger: SdkLedger) => Promise<bigint>,
  ): Promise<Result<E>> {
    try {
      const blockIndex = await act(this.#with({ ...options, movesValue: true }))
      return { type: 'ok', blockIndex }
    } catch (error) {
      const variant = variantIn(error)
      if (variant !== undefined) return { type: 'err', error: refusalOf<E>(variant) }
      throw readable(error, methodName)
    }
  }
}

/** The library throws plain errors for answers that do not decode. */
function readable(error: unknown, methodName: string): unknown {
  if (!isUndecodable(error)) return error
  const reason = `an answer that its interface does not know: ${error.message.slice(0, 200)}`
  return new CanisterRefused('ledger', { methodName, reason })
}

const given = <K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: T })

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** `{ BadFee: { expected_fee } }` of the library as `{ type: 'badFee', expectedFee }` of ours. */
function refusalOf<E>(variant: unknown): E {
  const [[name, fields] = ['genericError', {}]] = Object.entries(Object(variant))
  const type = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`
  const values = Object.entries(Object(fields)).map(([key, value]) => [camelCase(key), value])
  return { type, ...Object.fromEntries(values) } as E
}
