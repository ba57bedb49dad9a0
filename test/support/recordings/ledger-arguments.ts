/** Arguments and blocks of a recorded ledger, from and to their readable forms. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'
import type {
  Config,
  InitialBalance,
  MetadataEntry,
  Settings,
} from '../../../src/core/ledger/config.ts'
import { testConfig } from '../../core/ledger/ledger-under-test.ts'
import type { Fields, Readable } from './format.ts'
import { fieldsOf, listOf } from './format.ts'

export function accountOf(readable: Readable | undefined): Account {
  const { owner, subaccount } = fieldsOf(readable)
  return {
    owner: principalOfText(String(owner)),
    subaccount: subaccount === undefined ? undefined : fromHex(String(subaccount)),
  }
}

function metadataOf(readable: Readable | undefined): readonly MetadataEntry[] {
  return listOf(readable).map((entry): MetadataEntry => {
    const [key, value] = listOf(entry)
    const [[type, content] = []] = Object.entries(fieldsOf(value))
    const text = String(content)
    if (type === 'Nat') return [String(key), { type: 'nat', nat: BigInt(text) }]
    if (type === 'Int') return [String(key), { type: 'int', int: BigInt(text) }]
    if (type === 'Text') return [String(key), { type: 'text', text }]
    return [String(key), { type: 'blob', blob: fromHex(text) }]
  })
}

export function configOf(readable: Readable | undefined): Config {
  const init = fieldsOf(readable)
  const { token_name, token_symbol, decimals, transfer_fee, max_memo_length } = init
  const { metadata, minting_account, initial_balances, fee_collector_account: collector } = init
  return testConfig({
    tokenName: String(token_name),
    tokenSymbol: String(token_symbol),
    decimals: Number(decimals),
    transferFee: BigInt(String(transfer_fee)),
    memoLengthMax: Number(max_memo_length),
    metadata: metadataOf(metadata),
    mintingAccount: accountOf(minting_account),
    feeCollector: collector === undefined ? undefined : accountOf(collector),
    initialBalances: listOf(initial_balances).map((entry): InitialBalance => {
      const [account, amount] = listOf(entry)
      return { account: accountOf(account), amount: BigInt(String(amount)) }
    }),
  })
}

export function settingsOf(upgrade: Fields): Settings {
  const { transfer_fee: fee, change_fee_collector: change, ...others } = upgrade
  if (Object.keys(others).length > 0) throw new Error('an upgrade that the player does not know')
  const { SetTo } = fieldsOf(change)
  return {
    transferFee: fee === undefined ? undefined : BigInt(String(fee)),
    feeCollector:
      change === undefined
        ? undefined
        : SetTo === undefined
          ? { type: 'unset' }
          : { type: 'setTo', account: accountOf(SetTo) },
  }
}

/** The readable form of a value as the older methods show it. */
export function legacyForm(value: Value): Readable {
  switch (value.type) {
    case 'blob':
      return { Blob: toHex(value.blob) }
    case 'text':
      return { Text: value.text }
    case 'nat':
      return { [value.nat < 2n ** 64n ? 'Nat64' : 'Nat']: String(value.nat) }
    case 'int':
      return { Int: String(value.int) }
    case 'array':
      return { Array: value.array.map(legacyForm) }
    case 'map':
      return { Map: value.map.map(([key, entry]) => [key, legacyForm(entry)]) }
  }
}
