/** What an event of the minter says, in a sentence. Implements `docs/spec/cli.md` §5.14; kinds of minter §18.2. */
import { toDisplayHex } from '../core/base/bytes.ts'
import { formatBtc } from '../core/base/units.ts'
import type { Account } from '../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../core/ic/account.ts'
import type { Principal } from '../core/ic/principal.ts'
import { textOfPrincipal } from '../core/ic/principal.ts'
import { addressText, scriptOfAddress } from '../core/minter/addresses.ts'
import type { CallPurpose, Payload, PayloadType } from '../core/minter/events/events.ts'
import type {
  BitcoinAddress,
  BitcoinNetwork,
  InvalidTransaction,
  Mode,
  UpgradeArgs,
  Utxo,
  WithdrawalFee,
} from '../core/minter/types.ts'

export type Wording = {
  readonly minterId: Principal
  readonly network: BitcoinNetwork
  readonly symbols: { readonly bitcoin: string; readonly token: string }
  /** How identifiers are shown; whole where nothing is said. */
  readonly shown?: ((identifier: string) => string) | undefined
}

type Sentence<T extends PayloadType> = (payload: Payload<T>, words: Words) => string

/** One line for each kind: one that is missing here does not compile. */
const sentences: { readonly [T in PayloadType]: Sentence<T> } = {
  init: ({ args }, words) => `minter installed on ${args.network}: ${words.settings(args)}`,
  upgrade: ({ args }, words) => `minter upgraded: ${words.settings(args) || 'nothing changed'}`,
  receivedUtxos: (payload, words) => words.received(payload),
  acceptedRetrieveBtcRequest: ({ amount, address, blockIndex }, words) =>
    `redeem accepted: ${words.token(amount)} to ${words.address(address)} (burn ${blockIndex})`,
  createdConsolidateUtxosRequest: ({ amount, blockIndex }, words) =>
    `consolidation begun: ${words.bitcoin(amount)} of small coins to the minter itself (burn ${blockIndex})`,
  removedRetrieveBtcRequest: ({ blockIndex }) =>
    `redeem ended: the fees would have been more than its amount (burn ${blockIndex})`,
  sentTransaction: (payload, words) => words.sent(payload),
  replacedTransaction: (payload, words) => words.replaced(payload),
  confirmedTransaction: ({ txid }, words) => `tx ${words.txid(txid)} is final`,
  checkedUtxoV2: ({ utxo, account }, words) =>
    `deposit checked: ${words.coin(utxo)} for ${words.account(account)}`,
  checkedUtxoMintUnknown: ({ utxo }, words) =>
    `deposit waits: whether ${words.coin(utxo)} was minted is not known`,
  suspendedUtxo: ({ utxo, account, reason }, words) =>
    reason === 'valueTooSmall'
      ? `deposit too small: ${words.coin(utxo)} for ${words.account(account)}`
      : `deposit put in quarantine: ${words.coin(utxo)} for ${words.account(account)}`,
  scheduleWithdrawalReimbursement: (payload, words) =>
    words.toReturn(payload, `: ${tooMany(payload.error)}`),
  quarantinedWithdrawalReimbursement: ({ burnBlockIndex }) =>
    `redeem put aside: whether it was given back is not known (burn ${burnBlockIndex})`,
  reimbursedWithdrawal: ({ burnBlockIndex, mintBlockIndex }) =>
    `redeem given back in mint ${mintBlockIndex} (burn ${burnBlockIndex})`,
  checkedUtxo: ({ utxo, clean }, words) =>
    `deposit ${clean ? 'checked' : 'put in quarantine'}: ${words.coin(utxo)}`,
  ignoredUtxo: ({ utxo }, words) => `deposit too small: ${words.coin(utxo)}`,
  distributedKytFee: ({ amount, kytProvider, blockIndex }, words) =>
    `fees of checks paid: ${amount} sat to ${words.id(kytProvider)} (mint ${blockIndex})`,
  retrieveBtcKytFailed: ({ amount, address, blockIndex }, words) =>
    `redeem refused by the checker: ${words.token(amount)} to ${address} (burn ${blockIndex})`,
  scheduleDepositReimbursement: (payload, words) => words.toReturn(payload, ''),
  reimbursedFailedDeposit: ({ burnBlockIndex, mintBlockIndex }) =>
    `redeem given back in mint ${mintBlockIndex} (burn ${burnBlockIndex})`,
  xSigningStarted: (payload, words) => words.signing(payload),
  xInputSigned: ({ txid, input }, words) => `input ${input} of tx ${words.txid(txid)} signed`,
  xSignatureFailed: ({ txid, input }, words) =>
    `input ${input} of tx ${words.txid(txid)} not signed; the signature is asked for again`,
  xHeldRequest: ({ blockIndex }) => `redeem held until fees are lower (burn ${blockIndex})`,
  xScheduleReimbursement: (payload, words) =>
    words.toReturn(payload, ': fees were too high for too long'),
  xLedgerCall: ({ purpose, amount }, words) => `ledger called ${words.purpose(purpose, amount)}`,
  xLedgerCallEnded: () => 'ledger call ended: nothing was written',
  xResolvedUnknown: ({ burnBlockIndex, mintBlockIndex }) =>
    mintBlockIndex === undefined
      ? `redeem was not given back yet, and will be (burn ${burnBlockIndex})`
      : `redeem was given back in mint ${mintBlockIndex} (burn ${burnBlockIndex})`,
  xConsolidationBurned: ({ amount, blockIndex }, words) =>
    `consolidation paid for: ${words.token(amount)} of the fee collector (burn ${blockIndex})`,
  xAbortedConsolidation: ({ blockIndex }) =>
    `consolidation given up: its coins are available again (burn ${blockIndex})`,
  xWrittenOff: ({ utxos }, words) =>
    `coins given up for lost: ${utxos.map((utxo) => words.coin(utxo)).join(', ')}`,
  xAdoptedCoin: ({ utxo, account }, words) =>
    `coin taken in by the operator: ${words.coin(utxo)} for ${words.account(account)}`,
  xDonation: ({ utxo }, words) => `gift to the minter: ${words.coin(utxo)}, not spent`,
}

/** One sentence, without its end. */
export const sentenceOf = <T extends PayloadType>(payload: Payload<T>, wording: Wording): string =>
  sentences[payload.type](payload, new Words(wording))

class Words {
  readonly #wording: Wording

  constructor(wording: Wording) {
    this.#wording = wording
  }

  id(value: Principal): string {
    return this.#shown(textOfPrincipal(value))
  }

  #shown(identifier: string): string {
    return this.#wording.shown?.(identifier) ?? identifier
  }

  account(account: Account): string {
    const isMinter = sameAccount(account, { owner: this.#wording.minterId })
    return isMinter ? 'the minter' : this.#shown(textOfAccount(account))
  }

  txid(txid: Uint8Array): string {
    return this.#shown(toDisplayHex(txid))
  }

  address(address: BitcoinAddress): string {
    return this.#shown(addressText(scriptOfAddress(address), this.#wording.network))
  }

  bitcoin(amount: bigint): string {
    return `${formatBtc(amount)} ${this.#wording.symbols.bitcoin}`
  }

  token(amount: bigint): string {
    return `${formatBtc(amount)} ${this.#wording.symbols.token}`
  }

  coin({ outpoint, value }: Utxo): string {
    return `${this.bitcoin(value)} of tx ${this.txid(outpoint.txid)}:${outpoint.vout}`
  }

  coins(utxos: readonly Utxo[]): string {
    const [only, ...others] = utxos
    if (only !== undefined && others.length === 0) return this.coin(only)
    const total = utxos.reduce((sum, { value }) => sum + value, 0n)
    return `${this.bitcoin(total)} in ${utxos.length} coins`
  }

  settings(args: UpgradeArgs): string {
    const parts = [
      args.mode && modeWords(args.mode),
      args.minConfirmations !== undefined && `${args.minConfirmations} confirmations`,
      args.depositMinAmount !== undefined && `deposits from ${args.depositMinAmount} sat`,
      args.retrieveMinAmount !== undefined && `redeems from ${args.retrieveMinAmount} sat`,
      (args.checkFee ?? args.kytFee) !== undefined &&
        `check fee ${args.checkFee ?? args.kytFee} sat`,
      args.maxTimeInQueueNs !== undefined &&
        `at most ${Number(args.maxTimeInQueueNs) / 1e9} s in the queue`,
      args.inputsMax !== undefined && `at most ${args.inputsMax} inputs in a transaction`,
      args.consolidationThreshold !== undefined &&
        `consolidation from ${args.consolidationThreshold} coins`,
      args.utxosCacheExpirationSeconds !== undefined &&
        `coins remembered for ${args.utxosCacheExpirationSeconds} s`,
      args.checkerId && `checker ${this.id(args.checkerId)}`,
      args.kytId && `former checker ${this.id(args.kytId)}`,
    ]
    return parts.filter((part) => typeof part === 'string').join(', ')
  }

  received({ toAccount, mintTxid, utxos }: Payload<'receivedUtxos'>): string {
    const whose = this.account(toAccount)
    if (mintTxid !== undefined)
      return `deposit minted: ${this.coins(utxos)} for ${whose} (mint ${mintTxid})`
    return `coins received: ${this.coins(utxos)} for ${whose}`
  }

  signing({ requests, replaces, utxos }: Payload<'xSigningStarted'>): string {
    const from = inputs(utxos.length)
    if (replaces === undefined) return `signing begun for ${burns(requests)}, ${from}`
    const what = replaces.reason.type === 'toRetry' ? 'more fee' : 'cancelling it'
    const whose = requests.length === 0 ? '' : ` for ${burns(requests)}`
    return `signing begun to replace tx ${this.txid(replaces.oldTxid)} (${what})${whose}, ${from}`
  }

  sent({ requests, txid, utxos, fee, withdrawalFee }: Payload<'sentTransaction'>): string {
    const rate = rateWords(fee, withdrawalFee)
    return `tx ${this.txid(txid)} sent for ${burns(requests)}, ${inputs(utxos.length)}${rate}`
  }

  replaced({
    oldTxid,
    newTxid,
    fee,
    withdrawalFee,
    reason,
  }: Payload<'replacedTransaction'>): string {
    const [old, next] = [this.txid(oldTxid), this.txid(newTxid)]
    const rate = rateWords(fee, withdrawalFee)
    if (reason?.type !== 'toCancel') return `tx ${old} replaced by ${next} with more fee${rate}`
    return `tx ${old} cancelled by ${next}: ${tooMany(reason.error)}${rate}`
  }

  toReturn(
    {
      account,
      amount,
      burnBlockIndex,
    }: Pick<Payload<'xScheduleReimbursement'>, 'account' | 'amount' | 'burnBlockIndex'>,
    why: string,
  ): string {
    return `redeem will be given back${why}: ${this.token(amount)} to ${this.account(account)} (burn ${burnBlockIndex})`
  }

  purpose(purpose: CallPurpose, amount: bigint): string {
    switch (purpose.type) {
      case 'deposit':
        return `to mint ${this.token(amount)} to ${this.account(purpose.account)}`
      case 'withdrawal':
        return `to burn ${this.token(amount)} of ${this.account(purpose.from)}`
      case 'reimbursement':
        return `to give ${this.token(amount)} back (burn ${purpose.burnBlockIndex})`
      case 'consolidation':
        return `to burn ${this.token(amount)} for a consolidation`
    }
  }
}

const inputs = (count: number): string => `${count} input${count === 1 ? '' : 's'}`

const BURNS_SHOWN = 5

function burns(indices: readonly bigint[]): string {
  if (indices.length === 0) return 'no burn'
  const more = indices.length - BURNS_SHOWN
  const shown = indices.slice(0, BURNS_SHOWN).join(', ')
  return `burn${indices.length === 1 ? '' : 's'} ${shown}${more > 0 ? ` and ${more} more` : ''}`
}

/** msat/vB with two decimals at most. */
export const satPerVb = (rate: bigint): number => Math.round(Number(rate) / 10) / 100

function rateWords(rate: bigint | undefined, fee: WithdrawalFee | undefined): string {
  const speed = rate === undefined ? '' : `, ${satPerVb(rate)} sat/vB`
  return fee === undefined ? speed : `${speed}, fee ${fee.bitcoinFee} + ${fee.minterFee} sat`
}

const tooMany = ({ inputs: count, inputsMax }: InvalidTransaction): string =>
  `${count} inputs are more than ${inputsMax}`

function modeWords(mode: Mode): string {
  switch (mode.type) {
    case 'generalAvailability':
      return 'open to everyone'
    case 'readOnly':
      return 'read-only'
    case 'restrictedTo':
      return `restricted to ${mode.principals.length} principals`
    case 'depositsRestrictedTo':
      return `deposits restricted to ${mode.principals.length} principals`
  }
}
