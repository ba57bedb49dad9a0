/**
 * Unspent outputs with an index by script, and what one block changes in them. Source:
 * `docs/spec/bitcoin.md` §7.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { assert } from '../base/errors.ts'
import type { Sat } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { classifyScript, isUnspendable } from './script.ts'
import type { OutPoint } from './transaction.ts'

export type Utxo = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly script: Uint8Array
  /** Of the block that holds the transaction. */
  readonly height: number
  readonly coinbase: boolean
}

/** What a block changes in the outputs of its branch, by `outpointKey`. */
export type BlockChanges = {
  readonly created: ReadonlyMap<string, Utxo>
  readonly spent: ReadonlyMap<string, Utxo>
  /** Made and spent inside the block: in neither map above. */
  readonly passing: ReadonlySet<string>
  /** The same by script, for scripts that have an address. */
  readonly byScript: ReadonlyMap<string, ScriptChanges>
}

export type ScriptChanges = { readonly created: readonly Utxo[]; readonly spent: readonly Utxo[] }

export type UtxoSet = {
  readonly outputs: Map<string, Utxo>
  /** Outpoint keys by script, for scripts that have an address (UT-3). */
  readonly byScript: Map<string, Set<string>>
}

export const newUtxoSet = (): UtxoSet => ({ outputs: new Map(), byScript: new Map() })

/** Key of the address index, or undefined for a script without an address (UT-3). */
export function scriptKey(script: Uint8Array): string | undefined {
  switch (classifyScript(script).type) {
    case 'p2pkh':
    case 'p2sh':
    case 'p2wpkh':
    case 'p2wsh':
    case 'p2tr':
    case 'p2a':
    case 'witnessUnknown':
      return toHex(script)
    case 'p2pk':
    case 'multisig':
    case 'opReturn':
    case 'nonstandard':
      return undefined
  }
}

/** Order of answers: height descending, then txid in internal order, then index (UT-4). */
export function compareUtxos(
  a: Pick<Utxo, 'height' | 'outpoint'>,
  b: Pick<Utxo, 'height' | 'outpoint'>,
): number {
  return (
    b.height - a.height ||
    compareBytes(a.outpoint.txid, b.outpoint.txid) ||
    a.outpoint.vout - b.outpoint.vout
  )
}

export const NO_CHANGES: BlockChanges = {
  created: new Map(),
  spent: new Map(),
  passing: new Set(),
  byScript: new Map(),
}

/** The same with the index by script. */
export function indexChanges(changes: Omit<BlockChanges, 'byScript'>): BlockChanges {
  const { created, spent, passing } = changes
  const byScript = new Map<string, { created: Utxo[]; spent: Utxo[] }>()
  const entry = (utxo: Utxo): { created: Utxo[]; spent: Utxo[] } | undefined => {
    const key = scriptKey(utxo.script)
    if (key === undefined) return undefined
    const found = byScript.get(key) ?? { created: [], spent: [] }
    byScript.set(key, found)
    return found
  }
  for (const utxo of spent.values()) entry(utxo)?.spent.push(utxo)
  for (const utxo of created.values()) entry(utxo)?.created.push(utxo)
  return { created, spent, passing, byScript }
}

/** Whether the set would hold such an output at all (UT-2). */
export const isStorable = (script: Uint8Array): boolean => !isUnspendable(script)

/**
 * Takes a block's changes in. A spent output that is missing is a hole in the set: never go on
 * (UT-5).
 */
export function applyChanges(set: UtxoSet, { created, spent }: BlockChanges): void {
  for (const key of spent.keys()) removeOutput(set, key)
  for (const [key, utxo] of created) addOutput(set, key, utxo)
}

/** Takes a block's changes back. */
export function undoChanges(set: UtxoSet, { created, spent }: BlockChanges): void {
  for (const key of created.keys()) removeOutput(set, key)
  for (const [key, utxo] of spent) addOutput(set, key, utxo)
}

function addOutput(set: UtxoSet, key: string, utxo: Utxo): void {
  assert(!set.outputs.has(key), 'an output enters the set once')
  set.outputs.set(key, utxo)
  const script = scriptKey(utxo.script)
  if (script === undefined) return
  const keys = set.byScript.get(script)
  if (keys === undefined) set.byScript.set(script, new Set([key]))
  else keys.add(key)
}

function removeOutput(set: UtxoSet, key: string): void {
  const utxo = set.outputs.get(key)
  assert(utxo !== undefined, 'a spent output is in the set')
  set.outputs.delete(key)
  const script = scriptKey(utxo.script)
  if (script === undefined) return
  const keys = set.byScript.get(script)
  keys?.delete(key)
  if (keys?.size === 0) set.byScript.delete(script)
}

/** Unspent outputs of a script by their keys, in no particular order. */
export function outputsOf(set: View<UtxoSet>, scriptHex: string): Map<string, Utxo> {
  const found = new Map<string, Utxo>()
  for (const key of set.byScript.get(scriptHex) ?? []) {
    const utxo = set.outputs.get(key)
    if (utxo !== undefined) found.set(key, utxo)
  }
  return found
}
