/** Accounts and blocks of a recorded ledger, from and to their readable forms. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'
import type { Readable } from './format.ts'
import { fieldsOf } from './format.ts'

export function accountOf(readable: Readable | undefined): Account {
  const { owner, subaccount } = fieldsOf(readable)
  return {
    owner: principalOfText(String(owner)),
    subaccount: subaccount === undefined ? undefined : fromHex(String(subaccount)),
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
