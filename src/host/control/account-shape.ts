/** An account as it travels to the control port. Source: `docs/spec/ic-interface.md` §19. */
import { fromHex, toHex } from '../../core/base/bytes.ts'
import type { Read } from '../../core/base/json.ts'
import { matching, object } from '../../core/base/json.ts'
import type { Account } from '../../core/ic/account.ts'
import { principal } from '../../core/ic/principal.ts'

/** `subaccount`: 32 bytes, or empty for the default one. */
export const accountShape = object({
  owner: matching(/^(?:[0-9a-f]{2}){0,29}$/, 'a principal in hexadecimal'),
  subaccount: matching(/^(?:[0-9a-f]{64})?$/, '32 bytes in hexadecimal, or nothing'),
})
type WireAccount = Read<typeof accountShape>

export const writeAccount = ({ owner, subaccount }: Account): WireAccount => ({
  owner: toHex(owner),
  subaccount: subaccount === undefined ? '' : toHex(subaccount),
})

export const readAccount = ({ owner, subaccount }: WireAccount): Account => ({
  owner: principal(fromHex(owner)),
  ...(subaccount === '' ? {} : { subaccount: fromHex(subaccount) }),
})
