/** Every method of ledger and index as their published interface has it, by whatever agent. */
import { idlFactory as indexIdl } from '../../node_modules/@icp-sdk/canisters/declarations/ledger-icrc/icrc_index.idl.js'
import { idlFactory as ledgerIdl } from '../../node_modules/@icp-sdk/canisters/declarations/ledger-icrc/icrc_ledger.idl.js'
import { account, transfer } from './ledger.mjs'

/** By method, what each is called with, those that write first; `own` holds tokens. */
const ledgerArguments = ({ own, payee, transferArg }) => ({
  icrc1_transfer: [transfer(payee, 1n)],
  icrc2_approve: [
    {
      spender: account(payee),
      amount: 5n,
      from_subaccount: [],
      fee: [],
      memo: [],
      created_at_time: [],
      expected_allowance: [],
      expires_at: [],
    },
  ],
  icrc2_transfer_from: [
    { ...transfer(payee, 1n), from_subaccount: undefined, from: own, spender_subaccount: [] },
  ],
  archives: [],
  get_blocks: [{ start: 0n, length: 2n }],
  get_data_certificate: [],
  get_transactions: [{ start: 0n, length: 2n }],
  icrc103_get_allowances: [{ from_account: [own], prev_spender: [], take: [] }],
  icrc106_get_index_principal: [],
  icrc10_supported_standards: [],
  icrc1_balance_of: [account(payee)],
  icrc1_decimals: [],
  icrc1_fee: [],
  icrc1_metadata: [],
  icrc1_minting_account: [],
  icrc1_name: [],
  icrc1_supported_standards: [],
  icrc1_symbol: [],
  icrc1_total_supply: [],
  icrc21_canister_call_consent_message: [
    {
      method: 'icrc1_transfer',
      arg: transferArg,
      user_preferences: { metadata: { language: 'en', utc_offset_minutes: [] }, device_spec: [] },
    },
  ],
  icrc2_allowance: [{ account: own, spender: account(payee) }],
  icrc3_get_archives: [{ from: [] }],
  icrc3_get_blocks: [[{ start: 0n, length: 2n }]],
  icrc3_get_tip_certificate: [],
  icrc3_supported_block_types: [],
  is_ledger_ready: [],
})

const indexArguments = ({ own }) => ({
  get_account_transactions: [{ account: own, start: [], max_results: 2n }],
  get_blocks: [{ start: 0n, length: 2n }],
  get_fee_collectors_ranges: [],
  icrc1_balance_of: [own],
  ledger_id: [],
  list_subaccounts: [{ owner: own.owner, start: [] }],
  status: [],
})

/** Values of Candid as JSON has them, whichever generation decoded them. */
function plain(value) {
  if (typeof value === 'bigint') return `${value}`
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value?.toText === 'function') return value.toText()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

/** The methods that the interface has, and by method what it answered. */
async function askAll(actor, idlFactory, methods, IDL) {
  const answers = {}
  for (const [name, args] of Object.entries(methods))
    answers[name] = plain(await actor[name](...args))
  return { methods: idlFactory({ IDL })._fields.map(([name]) => name), answers }
}

export async function useEndpoints({ Actor, IDL, Principal, agent }, owner, task) {
  const own = account(owner)
  const payee = Principal.fromText(task.to)
  const actor = (idl, id) => Actor.createActor(idl, { agent, canisterId: Principal.fromText(id) })
  const given = { own, payee, transferArg: task.transferArg }
  const ledger = actor(ledgerIdl, task.ledgerId)
  const index = actor(indexIdl, task.indexId)
  return {
    ledger: await askAll(ledger, ledgerIdl, ledgerArguments(given), IDL),
    index: await askAll(index, indexIdl, indexArguments(given), IDL),
  }
}
