/**
 * Bitcoin to ckBTC: an address, the coins that arrive at it, and the mint. Implements
 * `docs/spec/cli.md` §§3.10, 5.2.
 */
import type { Account } from '../../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../../core/ic/account.ts'
import type { Block } from '../../core/ledger/blocks/block.ts'
import type { Client } from '../client.ts'
import type { DepositAddress } from '../deposit-address.ts'
import { depositAddress } from '../deposit-address.ts'
import type { Coin } from './coins.ts'
import { Coins, coinName, isSettled } from './coins.ts'
import type { Journal } from './journal.ts'
import type { Operating } from './operating.ts'
import { lookAgain, provenBlock } from './operating.ts'
import type { Operation } from './operation.ts'
import { bigintFact, textFact } from './operation.ts'
import { accountFact } from './transfer.ts'

export type DepositPlan = {
  readonly account: Account
  readonly address: DepositAddress
  readonly requiredConfirmations: number
  readonly checkFee: bigint
  /** A coin of less is not credited. */
  readonly minimum: bigint
}

/** Blocks read at once: not more than that is in memory, however long a ledger says it is. */
const PAGE = 2_000n

/** The minter is asked for coins not more often than its own cache turns over elsewhere. */
const UPDATE_MS = { local: 2_000, network: 60_000 } as const

/** Throws `RAIL_ADDRESS_MISMATCH`. */
export async function planDeposit(client: Client, account: Account): Promise<DepositPlan> {
  const [address, info] = await Promise.all([depositAddress(client, account), client.minter.info()])
  const checkFee = info.checkFee
  const least = checkFee + 1n
  const minimum = info.depositMinAmount ?? least
  return {
    account,
    address,
    requiredConfirmations: info.minConfirmations,
    checkFee,
    minimum: minimum > least ? minimum : least,
  }
}

/** Writes down where the ledger stands and which coins are there already: only later ones count. */
export async function beginDeposit(operating: Operating, plan: DepositPlan): Promise<Operation> {
  const { client, journal, key } = operating
  const [length, known, view] = await Promise.all([
    client.blocks.length(),
    client.minter.knownUtxos(plan.account),
    client.bitcoin?.utxosOf(plan.address.address),
  ])
  const credited = new Coins()
  credited.seen(known, 0)
  // What is at the address and not credited is still to come, unless the minter keeps it for good.
  const here = new Coins()
  here.seen(view?.utxos ?? [], view?.tipHeight ?? 0)
  const deep = here.all.filter(({ confirmations }) => confirmations >= plan.requiredConfirmations)
  const operation = journal.begin({
    kind: 'deposit',
    network: client.network.name,
    key,
    account: textOfAccount(plan.account),
    facts: {
      account: textOfAccount(plan.account),
      address: plan.address.address,
      requiredConfirmations: plan.requiredConfirmations,
      checkFeeSat: String(plan.checkFee),
      minimumSat: String(plan.minimum),
      blocksBefore: String(length),
      creditedBefore: credited.all.map(coinName).join(' '),
      // Where Bitcoin cannot be looked at, the minter's first answer tells.
      deepBefore: view === undefined ? null : deep.map(coinName).join(' '),
    },
  })
  supersede(journal, operation, [...credited.all, ...here.all].map(coinName))
  return operation
}

/** Earlier deposits to the address that nobody has paid to: this one sees what comes. */
function supersede(
  journal: Journal,
  { id, network, facts: { address } }: Operation,
  coins: readonly string[],
): void {
  for (const earlier of journal.open(network)) {
    if (earlier.id === id || earlier.kind !== 'deposit') continue
    if (textFact(earlier, 'address') !== address || textFact(earlier, 'coins')) continue
    const before = ['creditedBefore', 'deepBefore'].map((name) => textFact(earlier, name) ?? '')
    const known = new Set(before.join(' ').split(' '))
    if (coins.every((name) => known.has(name)))
      journal.update(earlier.id, { state: 'cancelled', facts: { supersededBy: id } })
  }
}

/** A payment that somebody's mempool holds and no block: a hint, which may come to nothing. */
export type Sighting = { readonly txid: string; readonly vout: number; readonly amountSat: bigint }

/** Who looks for payments to an address before a block has them. */
export type Sightings = (address: string) => Promise<readonly Sighting[]>

/** Follows the coins of one deposit. Each look asks the network once and writes down what is new. */
export class DepositWatch {
  readonly #operating: Operating
  readonly #account: Account
  readonly #address: string
  readonly #required: number
  readonly #credited: ReadonlySet<string>
  #deepBefore: ReadonlySet<string> | undefined
  readonly #coins = new Coins()
  readonly #sightings: Sightings | undefined
  #sighted: readonly Sighting[] = []
  #operation: Operation
  #nextBlock: bigint
  #updatedAtMs = 0

  /** `operation`: of a deposit, as the journal has it. */
  constructor(
    operating: Operating,
    operation: Operation,
    {
      account,
      sightings,
    }: { readonly account: Account; readonly sightings?: Sightings | undefined },
  ) {
    this.#sightings = sightings
    this.#operating = operating
    this.#operation = operation
    this.#account = accountFact(operation, 'account') ?? account
    this.#address = textFact(operation, 'address') ?? ''
    const { requiredConfirmations } = operation.facts
    this.#required = typeof requiredConfirmations === 'number' ? requiredConfirmations : 1
    this.#nextBlock = bigintFact(operation, 'blocksBefore') ?? 0n
    this.#credited = new Set((textFact(operation, 'creditedBefore') ?? '').split(' '))
    const deepBefore = textFact(operation, 'deepBefore')
    this.#deepBefore = deepBefore === undefined ? undefined : new Set(deepBefore.split(' '))
  }

  get operation(): Operation {
    return this.#operation
  }

  /** Those of this deposit, in the order in which they were seen. */
  get coins(): readonly Coin[] {
    return this.#coins.all
      .filter((coin) => !this.#credited.has(coinName(coin)) && !this.#wasKept(coin))
      .map((coin) => (coin.state === 'minted' ? this.#deep(coin) : coin))
  }

  /** It had come and could be credited before this deposit began: the minter keeps it for good. */
  #wasKept(coin: Coin): boolean {
    const isBefore = this.#deepBefore?.has(coinName(coin)) === true
    return isSettled(coin) && coin.state !== 'minted' && isBefore
  }

  /** What was minted had its confirmations, seen or not. */
  #deep(coin: Coin): Coin {
    return { ...coin, confirmations: Math.max(coin.confirmations, this.#required) }
  }

  /** In no block as far as is known; nothing is written down of them, and nothing waits for them. */
  get sighted(): readonly Sighting[] {
    const known = new Set(this.#coins.all.map(coinName))
    return this.#sighted.filter((payment) => !known.has(coinName(payment)))
  }

  get mintedSat(): bigint {
    return this.coins.reduce((sum, { mintedSat }) => sum + (mintedSat ?? 0n), 0n)
  }

  /** Whether coins have come, and nothing more will happen to any of them. */
  get isOver(): boolean {
    return this.coins.length > 0 && this.coins.every(isSettled)
  }

  /** Why the minter takes no coin now, in its own words. */
  get heldUp(): string | undefined {
    return this.#coins.heldUp
  }

  async look(): Promise<void> {
    const { client } = this.#operating
    await this.#readLedger()
    this.#sighted = (await this.#sightings?.(this.#address)) ?? []
    const view = await client.bitcoin?.utxosOf(this.#address)
    if (view !== undefined) this.#coins.seen(view.utxos, view.tipHeight)
    if (this.#shouldAsk(view !== undefined)) await this.#ask()
    this.#note()
  }

  async #readLedger(): Promise<void> {
    const { client } = this.#operating
    const end = await client.blocks.length()
    while (this.#nextBlock < end) {
      const rest = end - this.#nextBlock
      const stop = this.#nextBlock + (rest < PAGE ? rest : PAGE)
      const found = await client.blocks.range(this.#nextBlock, stop)
      for (const block of found) await this.#readBlock(block, this.#nextBlock++)
      if (found.length === 0) return
    }
  }

  /** That a coin is credited is not one node's to say. */
  async #readBlock({ transaction }: Block, index: bigint): Promise<void> {
    if (transaction.type !== 'mint' || !sameAccount(transaction.to, this.#account)) return
    const proven = await provenBlock(this.#operating.client, index)
    this.#coins.minted(proven, index, this.#account)
  }

  /** Without a view of Bitcoin the minter is the only one who knows; with one, when it matters. */
  #shouldAsk(hasView: boolean): boolean {
    const { network } = this.#operating.client
    const interval = network.kind === 'local' ? UPDATE_MS.local : UPDATE_MS.network
    if (performance.now() - this.#updatedAtMs < interval && this.#updatedAtMs > 0) return false
    return (
      !hasView ||
      this.coins.some((coin) => !isSettled(coin) && coin.confirmations >= this.#required)
    )
  }

  /** Can only give the owner money. */
  async #ask(): Promise<void> {
    this.#updatedAtMs = performance.now()
    const result = await this.#operating.client.minter.updateBalance(this.#account)
    this.#coins.told(result)
    // What this very call has put aside came with this deposit.
    if (this.#deepBefore === undefined) this.#noteKept(result.type === 'err')
    await this.#readLedger()
  }

  /** Without a view of Bitcoin the minter's first answer says what it has kept so far. */
  #noteKept(hasKept: boolean): void {
    const settled = hasKept ? this.#coins.all.filter(isSettled) : []
    const deepBefore = settled.filter(({ state }) => state !== 'minted').map(coinName)
    this.#deepBefore = new Set(deepBefore)
    const { journal } = this.#operating
    const facts = { deepBefore: deepBefore.join(' ') }
    this.#operation = journal.update(this.#operation.id, { facts })
  }

  #note(): void {
    const { journal } = this.#operating
    const coins = this.coins.map((coin) => `${coinName(coin)} ${coin.state}`).join(', ')
    const state = this.isOver
      ? this.coins.some((coin) => coin.state === 'minted')
        ? 'done'
        : 'refused'
      : 'waiting'
    if (coins === textFact(this.#operation, 'coins') && state === this.#operation.state) return
    this.#operation = journal.update(this.#operation.id, {
      state,
      facts: { coins, mintedSat: String(this.mintedSat) },
    })
  }
}

/** Looks until it is over, or with `follow` for as long as somebody waits; `observe` is told after every look. Rejects when the signal is aborted. */
export async function watchDeposit(
  operating: Operating,
  watch: DepositWatch,
  {
    observe,
    follow = false,
  }: { readonly observe: (watch: DepositWatch) => void; readonly follow?: boolean },
): Promise<void> {
  for (;;) {
    await watch.look()
    observe(watch)
    if (watch.isOver && !follow) return
    await lookAgain(operating)
  }
}
