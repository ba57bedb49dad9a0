/** A ledger that is not ready answers for nothing that it may not have. Source: ledger §14. */
import { ledgerInterface } from '../ledger/interface/ledger-interface.ts'
import type { Handler, Handlers } from './dispatch.ts'
import { getter } from './dispatch.ts'

/** Say what the token is; all other methods read or change balances, allowances or blocks. */
const WITHOUT_STATE: ReadonlySet<string> = new Set([
  'icrc1_name',
  'icrc1_symbol',
  'icrc1_decimals',
  'icrc1_fee',
  'icrc1_metadata',
  'icrc1_minting_account',
  'icrc1_supported_standards',
  'icrc3_supported_block_types',
  'icrc10_supported_standards',
  'icrc21_canister_call_consent_message',
  'icrc106_get_index_principal',
])

/** `handlers` of a ledger that recovers: what needs its state traps. */
export const notReady = (handlers: Handlers): Handlers => ({
  ...Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      WITHOUT_STATE.has(name) ? handler : trapping(handler),
    ]),
  ),
  is_ledger_ready: getter(ledgerInterface.is_ledger_ready, () => false),
})

const trapping = ({ isQuery }: Handler): Handler => ({
  isQuery,
  answer: () => ({ type: 'trap', message: 'the ledger is not ready: it recovers its log' }),
})
