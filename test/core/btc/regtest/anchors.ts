/**
 * Transactions that anybody may make: they spend and pay anchors (P2A), so a test of many of them
 * signs nothing.
 */
import { sat } from '../../../../src/core/base/units.ts'
import type { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { opReturnScript, p2aScript } from '../../../../src/core/btc/script.ts'
import type { OutPoint, Transaction } from '../../../../src/core/btc/transaction.ts'
import { transactionFromParts, txid, vsize } from '../../../../src/core/btc/transaction.ts'

export const anchorScript = p2aScript()
const SEQUENCE = 0xffff_fffd

export type Anchor = { readonly outpoint: OutPoint; readonly value: bigint }

/** The anchors among the outputs of a transaction. */
export function anchorsOf(tx: Transaction): readonly Anchor[] {
  const id = txid(tx)
  return tx.outputs.flatMap(({ script, value }, vout) =>
    script.length === anchorScript.length ? [{ outpoint: { txid: id, vout }, value }] : [],
  )
}

export type AnchorSpend = {
  readonly fee: bigint
  /** Anchors that it makes, of equal value. */
  readonly outputs?: number
  readonly version?: number
  /** Bytes of data: more than 80 are not standard. */
  readonly padding?: number
}

/** Spends anchors into anchors. */
export function spendAnchors(
  coins: readonly Anchor[],
  { fee, outputs = 1, version = 2, padding = 8 }: AnchorSpend,
): Transaction {
  const value = coins.reduce((sum, coin) => sum + coin.value, -fee)
  const share = value / BigInt(outputs)
  const rest = value - share * BigInt(outputs)
  const pays = Array.from({ length: outputs }, (_, i) => ({
    value: sat(i === 0 ? share + rest : share),
    script: anchorScript,
  }))
  const data = new Uint8Array(padding).fill(padding)
  return transactionFromParts({
    version,
    inputs: coins.map(({ outpoint }) => ({ outpoint, sequence: SEQUENCE })),
    outputs: [...pays, { value: sat(0n), script: opReturnScript(data) }],
  })
}

/** The same at a rate in satoshi per virtual byte. */
export function spendAtRate(
  coins: readonly Anchor[],
  rate: bigint,
  parts: Omit<AnchorSpend, 'fee'> = {},
): Transaction {
  const draft = spendAnchors(coins, { ...parts, fee: 0n })
  return spendAnchors(coins, { ...parts, fee: rate * BigInt(vsize(draft)) })
}

/** `count` coinbases that anybody may spend, all of them ripe. */
export function mineAnchors(
  node: RegtestNode,
  count: number,
  nowSeconds: number,
): readonly Anchor[] {
  const first = node.tip().height + 1
  node.mine(count, anchorScript, nowSeconds)
  node.mine(100, Uint8Array.of(0x51), nowSeconds)
  return Array.from({ length: count }, (_, i) => node.blockAt(first + i)?.transactions[0]).flatMap(
    (tx) => (tx === undefined ? [] : anchorsOf(tx).slice(0, 1)),
  )
}
