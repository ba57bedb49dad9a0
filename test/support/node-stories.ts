/**
 * What users of a simulated subnet do, each as a story that waits for the subnet wherever it must:
 * deposit, transfer, redemption; the operator has messages signed.
 */
import type { Hash32, Txid } from '../../src/core/base/bytes.ts'
import { equalBytes, toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { KeyScheme } from '../../src/core/base/key-scheme.ts'
import { sat } from '../../src/core/base/units.ts'
import { txid } from '../../src/core/btc/transaction.ts'
import type { Codec, Method } from '../../src/core/ic/candid.ts'
import { decodeArgs } from '../../src/core/ic/candid.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../src/core/minter/interface/interface.ts'
import type { User } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { Wrong } from './log-checker.ts'
import { payer } from './node-bitcoin.ts'
import type { NodeClients } from './node-clients.ts'
import { ledger, minter } from './node-clients.ts'
import type { NodeNet } from './node-net.ts'

/** Goes on when what it yields holds. */
export type Story = Generator<() => boolean, void, void>

export type StoryTools = { readonly net: NodeNet; readonly clients: NodeClients }

const FEE = 10n
const CONFIRMATIONS = 6
/** By then a request has its signature, or f + 1 nodes have aborted it. */
const EXPIRED_MS = 240_000

/** Where a user of Bitcoin is paid; one for each redemption. */
export const recipientOf = (name: string) => regtestWallet(`recipient ${name}`)

export const balanceOf = ({ clients }: StoryTools, user: User): bigint =>
  clients.query(ledger.id, 'icrc1_balance_of', ledgerInterface.icrc1_balance_of, [
    { owner: user.principal },
  ]) ?? 0n

/** Waits for the answer to a call; undefined when it was rejected. */
function* answered<R>(
  { clients }: StoryTools,
  id: Hash32,
  method: Method<readonly Codec<unknown>[], Codec<R>>,
): Generator<() => boolean, R | undefined, void> {
  yield () => clients.isAnswered(id)
  const reply = present(clients.replyTo(id), 'it was answered')
  return reply.type === 'replied' ? decodeArgs([method.result], reply.arg)[0] : undefined
}

/** Coins that the payer mined in the first blocks, spent one by one. */
export class Purse {
  readonly #net: NodeNet
  #height = 1
  /** Payments that a Bitcoin node has to be told of again if it forgets them. */
  readonly #payments = new Map<string, { readonly id: Txid; readonly bytes: Uint8Array }>()

  constructor(net: NodeNet) {
    this.#net = net
  }

  pay(address: string, amount: bigint): Txid {
    const { chain } = this.#net.bitcoin
    const coinbase = present(chain.blockAt(this.#height++)?.transactions[0], 'a coinbase')
    const { value } = present(coinbase.outputs[0], 'it pays')
    const utxos = [{ outpoint: { txid: txid(coinbase), vout: 0 }, value }]
    const paid = payer.pay({ utxos, to: address, amount: sat(amount), feeRateSatPerVb: 5n })
    if (paid.type !== 'signed') throw new Error(paid.type)
    this.#payments.set(toHex(paid.txid), { id: paid.txid, bytes: paid.bytes })
    this.remind()
    return paid.txid
  }

  remind(): void {
    const { chain } = this.#net.bitcoin
    for (const { id, bytes } of this.#payments.values())
      if (chain.transaction(id) === undefined) chain.submit(bytes, this.#net.nowSeconds)
  }
}

export type Deposit = { readonly user: User; readonly amounts: readonly bigint[] }

/** Coins of their own for each amount; all are minted in the end. */
export function* deposit(tools: StoryTools, purse: Purse, { user, amounts }: Deposit): Story {
  const { net, clients } = tools
  const account = { owner: user.principal }
  const call = { canisterId: minter.id, methodName: 'get_btc_address' }
  const method = minterInterface.get_btc_address
  let address: string | undefined
  while (address === undefined)
    address = yield* answered(tools, clients.call(user, { ...call, method }, [account]), method)
  let paid = 0n
  for (const amount of amounts) {
    const id = purse.pay(present(address, 'it was told'), amount)
    paid += amount - 100n // The check's fee.
    if (net.random.oneIn(2))
      yield () => (net.bitcoin.chain.transaction(id)?.confirmations ?? 0) >= CONFIRMATIONS
    // Races with what the minter does by itself.
    if (net.random.oneIn(2)) {
      const update = { canisterId: minter.id, methodName: 'update_balance' }
      clients.call(user, { ...update, method: minterInterface.update_balance }, [account])
    }
  }
  yield () => mintedTo(net, user) >= paid
  if (mintedTo(net, user) !== paid) throw new Wrong('minted more than was paid')
}

/** All that was ever minted for a user, at the node that has minted most. */
function mintedTo(net: NodeNet, user: User): bigint {
  const sums = net.subnets.map(({ replica }) =>
    replica.state.ckbtc.ledger.chain.blocks.reduce(
      (sum, { transaction }) =>
        transaction.type === 'mint' && equalBytes(transaction.to.owner, user.principal)
          ? sum + transaction.amount
          : sum,
      0n,
    ),
  )
  return sums.reduce((most, sum) => (sum > most ? sum : most), 0n)
}

export type Transfer = { readonly from: User; readonly to: User; readonly amount: bigint }

export function* transfer(tools: StoryTools, { from, to, amount }: Transfer): Story {
  yield () => balanceOf(tools, from) >= amount + FEE
  const method = ledgerInterface.icrc1_transfer
  const call = { canisterId: ledger.id, methodName: 'icrc1_transfer', method }
  const args = { to: { owner: to.principal }, amount, createdAtTime: tools.net.now }
  for (;;) {
    const id = tools.clients.call(from, call, [args])
    const result = yield* answered(tools, id, method)
    if (result?.type === 'ok') return
    // Executed once, however often it is asked for.
    if (result?.type === 'err' && result.error.type === 'duplicate') return
  }
}

export type Redemption = { readonly user: User; readonly amount: bigint; readonly name: string }

/** Confirmed on the chain in the end, and paid once. */
export function* redemption(tools: StoryTools, { user, amount, name }: Redemption): Story {
  const { net, clients } = tools
  yield () => balanceOf(tools, user) >= amount + FEE
  const approve = ledgerInterface.icrc2_approve
  const approval = { canisterId: ledger.id, methodName: 'icrc2_approve', method: approve }
  const retrieve = minterInterface.retrieve_btc_with_approval
  const call = { canisterId: minter.id, methodName: 'retrieve_btc_with_approval', method: retrieve }
  const { address, script } = recipientOf(name)
  let burn: bigint | undefined
  while (burn === undefined) {
    const spender = { owner: minter.id }
    yield* answered(tools, clients.call(user, approval, [{ spender, amount }]), approve)
    const asked = yield* answered(tools, clients.call(user, call, [{ address, amount }]), retrieve)
    if (asked?.type === 'ok') burn = asked.value.blockIndex
  }
  const blockIndex = burn
  const status = (): string =>
    clients.query(minter.id, 'retrieve_btc_status_v2', minterInterface.retrieve_btc_status_v2, [
      { blockIndex },
    ])?.type ?? 'unknown'
  yield () => status() === 'confirmed'
  const paid = paymentsTo(net, script)
  if (paid.length !== 1) throw new Wrong(`burn ${burn} was paid ${paid.length} times`)
}

/** Outputs of the best chain that pay a script. */
export function paymentsTo({ bitcoin }: NodeNet, script: Uint8Array): readonly bigint[] {
  return Array.from({ length: bitcoin.height }, (_, i) => bitcoin.chain.blockAt(i + 1))
    .flatMap((block) => block?.transactions ?? [])
    .flatMap(({ outputs }) => outputs)
    .flatMap((output) => (equalBytes(output.script, script) ? [output.value] : []))
}

/** The operator gets a signature, or the request expires. */
export function* operatorSignature({ net, clients }: StoryTools, scheme: KeyScheme): Story {
  const id = clients.operatorAsks({ scheme, message: net.random.bytes(32) })
  const end = net.nowMs + EXPIRED_MS
  const isOver = (): boolean => net.nowMs > end && net.isCalm && net.checker.open === 0
  yield () => net.checker.operatorSignatures.has(toHex(id)) || isOver()
}

/** All keys are shared out anew, while whatever else goes on goes on. */
export function* refresh({ net, clients }: StoryTools): Story {
  const start = net.nowMs + net.random.below(40_000)
  yield () => net.nowMs >= start
  const version = net.world.genesis.membership.version + 1n
  const isDone = (): boolean => net.honest.every((i) => net.checker.versions.get(i) === version)
  clients.operatorRefreshes(version, isDone)
  yield isDone
}
