/** Who is inside the minter while a call waits: by account today, by principal in 2024. */
import { fromHex } from '../../../src/core/base/bytes.ts'
import { accountKey } from '../../../src/core/ic/account.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { Recording, Step } from './format.ts'
import { field, principalOf } from './format.ts'

/** What a call is known by while it is inside. */
export type Guard = {
  readonly kind: 'updating' | 'retrieving'
  readonly owner: string
  readonly account: string
}

export function guardOf(recording: Recording, step: Step): Guard | undefined {
  if (step.c !== 'minter') return undefined
  const caller = principalOf(recording, step.as)
  if (step.m === 'update_balance') {
    const name = field(step.in, 'owner')
    const owner = name === undefined ? caller : principalOfText(String(name))
    const account = accountKey({ owner, subaccount: subaccountOf(step.in, 'subaccount') })
    return { kind: 'updating', owner: accountKey({ owner }), account }
  }
  if (step.m !== 'retrieve_btc' && step.m !== 'retrieve_btc_with_approval') return undefined
  const subaccount = subaccountOf(step.in, 'from_subaccount')
  const account = accountKey({ owner: caller, subaccount })
  return { kind: 'retrieving', owner: accountKey({ owner: caller }), account }
}

/** Whether another account of the principal is inside: names of accounts begin with it. */
export function isPrincipalInside(
  inside: ReadonlySet<string> | undefined,
  { owner, account }: { readonly owner: string; readonly account: string },
): boolean {
  const principal = (name: string): string => name.split('.')[0] ?? ''
  return [...(inside ?? [])].some(
    (name) => name !== account && principal(name) === principal(owner),
  )
}

function subaccountOf(args: unknown, name: string): Uint8Array | undefined {
  const hex = field(args, name)
  return hex === undefined ? undefined : fromHex(String(hex))
}
