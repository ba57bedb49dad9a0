/** Tables of the dashboard that tell of coins. Source: minter §20.3. */
import type { View } from '../../base/view.ts'
import type { Context } from '../context.ts'
import type { Utxo } from '../types.ts'
import type { CoinKind } from '../views/coins.ts'
import { accountOfKey, coinsOf } from '../views/coins.ts'
import { slice } from '../views/pages.ts'
import type { Cell, Table } from './table.ts'
import { accountCell, amountText, outpointCell, txidCell } from './texts.ts'

export const coinTables = (context: Context): readonly Table[] => [
  unconfirmedChange(context),
  ofKind(context, 'lost', 'lost', 'Credited coins that the chain lost'),
  mintUnknown(context),
  ofKind(context, 'quarantined', 'quarantined', 'Quarantined deposits'),
  ofKind(context, 'tooSmall', 'ignored', 'Ignored deposits: too small'),
  ofKind(context, 'donation', 'donations', 'Donations to the main address'),
  accounts(context),
]

function unconfirmedChange({ state }: Context): Table {
  const change = [...state.submitted.values()].filter(
    ({ changeOutput }) => changeOutput !== undefined,
  )
  return {
    name: 'change',
    title: 'Unconfirmed change',
    head: ['transaction', 'output', 'value'],
    total: change.length,
    rows: (from, to) =>
      change
        .slice(from, to)
        .map(({ txid, changeOutput }) => [
          txidCell(txid),
          changeOutput?.vout ?? 0,
          amountText(changeOutput?.value ?? 0n),
        ]),
  }
}

function mintUnknown({ state }: Context): Table {
  const coins = [...state.checkedUtxos.values()]
  return {
    name: 'unminted',
    title: 'Checked and not minted',
    head: ['output', 'value', 'height', 'minted'],
    total: coins.length,
    rows: (from, to) =>
      coins
        .slice(from, to)
        .map(({ utxo, status }) => [
          ...coinCells(utxo),
          status === 'clean' ? 'not yet' : 'not known',
        ]),
  }
}

const coinCells = (utxo: View<Utxo>): readonly Cell[] => [
  outpointCell(utxo),
  amountText(utxo.value),
  utxo.height,
]

function ofKind(context: Context, kind: CoinKind, name: string, title: string): Table {
  const page = (from: number, to: number) =>
    coinsOf(context, { kind, start: BigInt(from), length: BigInt(to - from) })
  return {
    name,
    title,
    head: ['output', 'value', 'height', 'account'],
    total: Number(page(0, 0).total),
    rows: (from, to) =>
      page(from, to).coins.map(({ utxo, account }) => [...coinCells(utxo), accountCell(account)]),
  }
}

/** Every known coin under its account, each in one row. */
function accounts({ state }: Context): Table {
  const rows = (from: number, to: number): readonly (readonly Cell[])[] => {
    const found: (readonly Cell[])[] = []
    let before = 0
    for (const [key, utxos] of state.accountUtxos) {
      if (before >= to) break
      if (before + utxos.size > from)
        for (const utxo of slice(utxos.values(), Math.max(0, from - before), to - before))
          found.push([accountCell(accountOfKey(key)), ...coinCells(utxo)])
      before += utxos.size
    }
    return found
  }
  return {
    name: 'account_to_utxos',
    title: 'Accounts and their coins',
    head: ['account', 'output', 'value', 'height'],
    total: state.outpointAccount.size,
    rows,
  }
}
