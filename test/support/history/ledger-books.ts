/**
 * What the ledger's blocks say of deposits and withdrawals, read without the minter. Source: minter
 * §§5.2, 18.5. For tests only.
 */
import { hash32, toHex } from '../../../src/core/base/bytes.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { accountKey } from '../../../src/core/ic/account.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import type { State } from '../../../src/core/ledger/state.ts'
import { parseDestination, withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import { decodeMemo } from '../../../src/core/minter/memo.ts'
import type { BitcoinNetwork, DecodedMemo } from '../../../src/core/minter/types.ts'

export type Credit = { readonly account: string; readonly amount: bigint; readonly fee: bigint }
export type Burn = {
  readonly amount: bigint
  /** Where it is to be paid, hexadecimal script. */
  readonly script: string
  readonly from: Account
}

export class LedgerBooks {
  readonly #state: State
  readonly #network: BitcoinNetwork
  /** By outpoint. */
  readonly credits = new Map<string, Credit>()
  readonly burns = new Map<bigint, Burn>()
  /** By burn: what was minted for it. */
  readonly reimbursed = new Map<bigint, { readonly amount: bigint; readonly account: string }>()
  /** Total supply after so many blocks. */
  readonly supplies: bigint[] = [0n]
  /** By kind and `created_at_time`: the blocks that the minter's calls wrote. */
  readonly #called = new Map<string, number>()
  /** Burned for transactions that may be to come. */
  consolidationFees = 0n
  /** Fees of approvals; those of transfers go to the fee collector. */
  feesBurned = 0n
  readonly problems: string[] = []

  constructor(state: State, network: BitcoinNetwork) {
    this.#state = state
    this.#network = network
  }

  get count(): number {
    return this.supplies.length - 1
  }

  /** Takes in what is new. */
  read(): void {
    const { blocks } = this.#state.chain
    for (let i = this.count; i < blocks.length; i++) {
      const block = blocks[i]
      if (block !== undefined) this.#take(block, i)
    }
  }

  /** Whether the ledger has the call among its first `count` blocks. */
  has(kind: 'mint' | 'burn', createdAtTime: bigint, count: number): boolean {
    return (this.#called.get(`${kind} ${createdAtTime}`) ?? count) < count
  }

  #take(block: Block, index: number): void {
    const { transaction } = block
    if (transaction.type === 'feeCollector') return // Not of this ledger, which has it off.
    const { type, amount, memo, createdAtTime } = transaction
    const supply = this.supplies[index] ?? 0n
    if (type === 'mint') this.supplies.push(supply + amount)
    else if (type === 'burn') this.supplies.push(supply - amount)
    else {
      const burned = type === 'approve' ? (block.fee ?? 0n) : 0n
      this.feesBurned += burned
      this.supplies.push(supply - burned)
    }
    if (type !== 'mint' && type !== 'burn') return
    const name = `${type} ${createdAtTime}`
    if (this.#called.has(name)) this.problems.push(`two calls bear the name ${name}`)
    this.#called.set(name, index)
    const answer = decodeMemo({ memoType: type, memo: memo ?? new Uint8Array(0) })
    if (answer.type !== 'ok') this.problems.push(`block ${index} has no memo of the minter`)
    else if (transaction.type === 'mint') this.#mint(answer.value, transaction, index)
    else if (transaction.type === 'burn') this.#burn(answer.value, transaction, index)
  }

  #mint({ memo }: DecodedMemo, { amount, to }: { amount: bigint; to: Account }, at: number): void {
    const account = accountKey(to)
    if (memo.type === 'convert' && 'txid' in memo && memo.txid !== undefined) {
      const key = outpointKey({ txid: hash32(memo.txid), vout: memo.vout ?? 0 })
      if (this.credits.has(key)) this.problems.push(`${key} is minted for twice`)
      this.credits.set(key, { account, amount, fee: memo.fee ?? 0n })
    } else if (memo.type === 'reimburseWithdrawal') {
      const burn = this.burns.get(memo.withdrawalId)
      if (burn === undefined) this.problems.push(`block ${at} gives back what was not burned`)
      else if (amount > burn.amount || account !== this.#returnsTo(burn))
        this.problems.push(`burn ${memo.withdrawalId} is given back wrongly`)
      if (this.reimbursed.has(memo.withdrawalId))
        this.problems.push(`burn ${memo.withdrawalId} is given back twice`)
      this.reimbursed.set(memo.withdrawalId, { amount, account })
    } else this.problems.push(`block ${at} mints for nothing`)
  }

  /** Of the withdrawal account to its owner, else to whom it was burned from. */
  readonly #owners = new Map<string, string>()

  /** A user whose withdrawal account may be burned from. */
  addUser(owner: Account['owner'], minter: Account['owner']): void {
    this.#owners.set(accountKey(withdrawalAccount(minter, owner)), accountKey({ owner }))
  }

  #returnsTo({ from }: Burn): string {
    return this.#owners.get(accountKey(from)) ?? accountKey(from)
  }

  #burn({ memo }: DecodedMemo, { amount, from }: { amount: bigint; from: Account }, at: number) {
    if (memo.type === 'consolidate') {
      this.consolidationFees += amount
      return
    }
    const text = memo.type === 'convert' && 'address' in memo ? (memo.address ?? '') : ''
    const destination = parseDestination(text, this.#network)
    if (destination.type === 'malformed') this.problems.push(`burn ${at} is for nobody`)
    else this.burns.set(BigInt(at), { amount, script: toHex(destination.script), from })
  }
}
