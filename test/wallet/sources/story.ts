/** A chain with coins of a watched script, and what a source needs of the world, for these tests. */
import { present } from '../../../src/core/base/errors.ts'
import { networks } from '../../../src/core/btc/network.ts'
import type { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import { txid } from '../../../src/core/btc/transaction.ts'
import type { Claim, SourcePorts } from '../../../src/wallet/bitcoin-source.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from '../../core/btc/regtest/chains.ts'
import type { TestCoin } from '../../core/btc/regtest/wallets.ts'
import { p2trWallet, p2wpkhWallet, pay, signedSpend } from '../../core/btc/regtest/wallets.ts'

export const owner = p2wpkhWallet(1)
export const watched = p2trWallet(8)
export const other = p2wpkhWallet(5)
export const NOW_S = NOW + 10_000

export type Story = {
  readonly node: RegtestNode
  /** Made in 106 and unspent, made in 105 and spent in 107, and never made. */
  readonly unspent: Claim
  readonly spent: Claim
  readonly unknown: Claim
  /** Not submitted yet; pays `other` with the unspent coin. */
  readonly next: Transaction
}

export function tell(): Story {
  const node = nodeWithCoins(owner, 4)
  const take = (tx: Transaction): TestCoin => {
    const reply = node.submit(tx, NOW)
    if (reply.type === 'refused') throw new RangeError(reply.reason)
    node.mine(1, other.script, NOW)
    return {
      outpoint: { txid: txid(tx), vout: 0 },
      output: present(tx.outputs[0], 'one'),
      owner: watched,
    }
  }
  const send = (height: number) =>
    take(signedSpend([coinbaseCoin(node, height, owner)], [pay(watched, SUBSIDY - 1_000n)]))
  const first = send(1)
  // A second payment in the same block gives its tree a level more.
  node.submit(
    signedSpend([coinbaseCoin(node, 3, owner)], [pay(other, 5_000n), pay(owner, 1_000_000n)]),
    NOW,
  )
  const second = send(2)
  take(signedSpend([first], [pay(other, 1_000_000n)]))
  node.mine(14, other.script, NOW)
  const claim = ({ outpoint }: TestCoin, height: number): Claim => ({
    outpoint,
    script: watched.script,
    height,
  })
  const unspent = claim(second, node.transaction(second.outpoint.txid)?.height ?? 0)
  const spent = claim(first, node.transaction(first.outpoint.txid)?.height ?? 0)
  const unknown = {
    ...unspent,
    outpoint: { txid: txid(node.blockAt(5)?.transactions[0] ?? nothing()), vout: 9 },
  }
  return { node, unspent, spent, unknown, next: signedSpend([second], [pay(other, 2_000_000n)]) }
}

const nothing = (): never => {
  throw new RangeError('no transaction')
}

/** Waits are counted, not waited for. */
export function portsOf(waits: number[] = []): SourcePorts {
  return {
    network: networks.regtest,
    fetch,
    nowSeconds: () => NOW_S,
    wait: async (ms) => void waits.push(ms),
    signal: undefined,
  }
}
