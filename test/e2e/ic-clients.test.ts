/**
 * Goal: clients of other makers use the subnet as they use any other, with nothing switched off.
 * Method: IC interface §24: a started subnet, and the libraries of three generations over HTTP.
 */
import { createServer } from 'node:http'
import { CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import { IcrcLedgerCanister } from '@icp-sdk/canisters/ledger/icrc'
import { HttpAgent } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import { Principal } from '@icp-sdk/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { textOfPrincipal } from '../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import {
  SUPPORTED_BLOCK_TYPES,
  SUPPORTED_STANDARDS,
} from '../../src/core/ledger/interface/metadata.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { LedgerClient } from '../interop/task.ts'
import type { RunningSubnet } from '../support/e2e-subnet.ts'
import { startedSubnet } from '../support/e2e-subnet.ts'

type ErrorClass = new () => Error
/** What the packages export without types that this compiler finds. */
const minterErrors: Readonly<
  Record<
    | 'MinterNoNewUtxosError'
    | 'MinterMalformedAddressError'
    | 'MinterInsufficientFundsError'
    | 'MinterInsufficientAllowanceError',
    ErrorClass
  >
> = await import(['@icp-sdk/canisters', 'ckbtc'].join('/'))

const DEPOSIT_SAT = 50_000_000
const MINUTE_MS = 60_000
/** Of `dev0`. */
const secret = sha256(concat(utf8('ckbtc development key '), utf8('0')))
const payee = textOfPrincipal(devUser(1).principal)

let running: RunningSubnet | undefined
const subnet = (): RunningSubnet => present(running, 'the subnet is started')

/** What the newest library's clients of single canisters are made with. */
async function agentOf(secretKey: Uint8Array): Promise<HttpAgent> {
  const { url, rootKey } = subnet().status
  return HttpAgent.create({
    host: url,
    identity: Ed25519KeyIdentity.fromSecretKey(secretKey),
    rootKey: fromHex(rootKey),
  })
}

beforeAll(async () => {
  running = await startedSubnet()
}, MINUTE_MS)
afterAll(() => running?.stop(), MINUTE_MS)

test('a deposit through the minter client of the newest library is credited', async () => {
  const agent = await agentOf(secret)
  const { ids } = subnet().status
  const minter = CkBtcMinterCanister.create({ agent, canisterId: Principal.fromText(ids.minter) })
  const ledger = IcrcLedgerCanister.create({ agent, canisterId: Principal.fromText(ids.ledger) })
  const owner = Principal.fromUint8Array(devUser(0).principal)

  const info = await minter.getMinterInfo({ certified: true })
  expect(info.min_confirmations).toBe(6)
  const to = await minter.getBtcAddress({ owner })
  expect(to).toMatch(/^bcrt1q/)
  await expect(minter.updateBalance({ owner })).rejects.toThrow(minterErrors.MinterNoNewUtxosError)
  await subnet().control.ask('faucet', {
    amountSat: DEPOSIT_SAT,
    to,
    outputs: 1,
    mine: true,
  })
  await subnet().control.ask('mine', { count: 5, to: undefined, empty: false })
  const balance = () => ledger.balance({ owner, certified: false })
  while ((await balance()) === 0n);
  expect(await balance()).toBe(BigInt(DEPOSIT_SAT) - info.kyt_fee)
  const known = await minter.getKnownUtxos({ owner, certified: true })
  expect(known.map(({ value }: { readonly value: bigint }) => value)).toEqual([BigInt(DEPOSIT_SAT)])
})

const clients = [
  ['@icp-sdk/core 5.4', '../interop/newest.mjs', 1_001n],
  ['@dfinity/agent 3.4', '../interop/agent-3/client.mjs', 1_002n],
  ['@dfinity/agent 2.4', '../interop/agent-2/client.mjs', 1_003n],
] as const

test.each(clients)(
  '%s transfers, asks, is refused, polls and reads the state',
  async (_, file, amount) => {
    // A name that is computed keeps the type checker out of plain JavaScript.
    const client: LedgerClient = await import(new URL(file, import.meta.url).href)
    const { url, ids } = subnet().status
    const told = await client.useLedger({ url, ledgerId: ids.ledger, secret, to: payee, amount })
    expect(told.before - told.after).toBe(amount + 10n)
    expect(told.block).toBeGreaterThan(0n)
    expect(told.refusal).toBe('InsufficientFunds')
    const [call, query] = told.rejects
    expect(call).toContain("Canister has no update method 'no_call'.")
    expect(query).toContain("Canister has no query method 'no_query'.")
    expect(toHex(told.polled)).toBe('4449444c00017d0a') // The fee: 10.
    expect(told).toMatchObject({ status: 'replied', hasTime: true })
  },
)

const digits = expect.stringMatching(/^\d+$/)
const bytes = expect.stringMatching(/^0x([0-9a-f]{2})+$/)
const written = { Ok: digits }
const two = [expect.anything(), expect.anything()]
/** By method, what a subnet answers whose `dev0` has had a deposit. */
const answersOf = ({ ledger, minter, index }: RunningSubnet['status']['ids']) => ({
  ledger: {
    archives: [],
    get_blocks: { first_index: '0', chain_length: digits, blocks: two, certificate: [bytes] },
    get_data_certificate: { certificate: [bytes], hash_tree: bytes },
    get_transactions: {
      first_index: '0',
      log_length: digits,
      transactions: [{ kind: 'mint' }, {}],
    },
    icrc103_get_allowances: { Ok: expect.any(Array) },
    icrc106_get_index_principal: { Ok: index },
    icrc10_supported_standards: SUPPORTED_STANDARDS,
    icrc1_balance_of: digits,
    icrc1_decimals: 8,
    icrc1_fee: '10',
    icrc1_metadata: expect.arrayContaining([['icrc1:symbol', { Text: 'ckBTC' }]]),
    icrc1_minting_account: [{ owner: minter, subaccount: [] }],
    icrc1_name: 'ckBTC',
    icrc1_supported_standards: SUPPORTED_STANDARDS,
    icrc1_symbol: 'ckBTC',
    icrc1_total_supply: digits,
    icrc1_transfer: written,
    icrc21_canister_call_consent_message: {
      Ok: { consent_message: { GenericDisplayMessage: expect.stringMatching(/^# Send ckBTC\n/) } },
    },
    icrc2_allowance: { allowance: digits, expires_at: [] },
    icrc2_approve: written,
    icrc2_transfer_from: written,
    icrc3_get_archives: [],
    icrc3_get_blocks: { log_length: digits, blocks: two, archived_blocks: [] },
    icrc3_get_tip_certificate: [{ certificate: bytes, hash_tree: bytes }],
    icrc3_supported_block_types: SUPPORTED_BLOCK_TYPES.map(({ blockType: block_type, url }) => ({
      block_type,
      url,
    })),
    is_ledger_ready: true,
  },
  index: {
    get_account_transactions: { Ok: { balance: digits, transactions: two, oldest_tx_id: ['0'] } },
    get_blocks: { chain_length: digits, blocks: two },
    get_fee_collectors_ranges: { ranges: [[{ owner: minter }, [['0', digits]]]] },
    icrc1_balance_of: digits,
    ledger_id: ledger,
    list_subaccounts: [`0x${'00'.repeat(32)}`],
    status: { num_blocks_synced: digits },
  },
})

test.each(clients)('%s has its way with every method of ledger and index', async (_, file) => {
  const client: LedgerClient = await import(new URL(file, import.meta.url).href)
  const { url, ids } = subnet().status
  const transferArg = encodeArgs(ledgerInterface.icrc1_transfer.args, [
    { to: { owner: devUser(1).principal }, amount: 1n },
  ])
  const task = { url, ledgerId: ids.ledger, indexId: ids.index, secret, to: payee, transferArg }
  const told = await client.useEvery(task)
  const expected = answersOf(ids)
  for (const name of ['ledger', 'index'] as const) {
    expect(Object.keys(expected[name]).sort(), name).toEqual([...told[name].methods].sort())
    expect(told[name].answers, name).toMatchObject(expected[name])
  }
})

/** Between client and subnet: changes one byte of every signature under this kind of path. */
async function alteringProxy(action: string): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = 'GET', url = '/' } = request
    const answer = await fetch(`${subnet().status.url}${url}`, {
      method,
      headers: { 'content-type': 'application/cbor' },
      ...(method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
    })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    // The signature of a certificate stands last; behind that of a query are 40 bytes of the node.
    const place = url.endsWith(action) ? bytes.length - 45 : -1
    const type = answer.headers.get('content-type') ?? 'text/plain'
    response.writeHead(answer.status, { 'content-type': type })
    response.end(bytes.map((byte, i) => (i === place ? byte ^ 1 : byte)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

test.each(
  clients.flatMap(([name, file]) => ['call', 'query'].map((action) => [name, action, file])),
)('%s believes no altered answer to a %s', async (_, action = '', file = '') => {
  const client: LedgerClient = await import(new URL(file, import.meta.url).href)
  const { url, close } = await alteringProxy(action)
  const { ids } = subnet().status
  const task = { url, ledgerId: ids.ledger, secret, to: payee, amount: 1n }
  await expect(client.useLedger(task)).rejects.toThrow(/signature|verif|certif|trust/i)
  await close()
})

test('the minter client of the newest library redeems, to the last confirmation', async () => {
  const { ids } = subnet().status
  const agent = await agentOf(secret)
  const minterId = Principal.fromText(ids.minter)
  const minter = CkBtcMinterCanister.create({ agent, canisterId: minterId })
  const ledger = IcrcLedgerCanister.create({ agent, canisterId: Principal.fromText(ids.ledger) })
  const address = regtestWallet('recipient').address
  const amount = 100_000n

  const fee = await minter.estimateWithdrawalFee({ certified: true, amount })
  expect(fee.bitcoin_fee).toBeGreaterThan(0n)
  const withdrawal = await minter.getWithdrawalAccount()
  expect(withdrawal.owner.toText()).toBe(ids.minter)
  const wrong = minter.retrieveBtcWithApproval({ address: 'nonsense', amount })
  await expect(wrong).rejects.toThrow(minterErrors.MinterMalformedAddressError)
  const unfunded = minter.retrieveBtc({ address, amount })
  await expect(unfunded).rejects.toThrow(minterErrors.MinterInsufficientFundsError)

  await ledger.approve({ spender: { owner: minterId, subaccount: [] }, amount: amount + 10n })
  const { block_index } = await minter.retrieveBtcWithApproval({ address, amount })
  const status = async () => {
    const all: readonly { readonly id: bigint; readonly status?: object }[] =
      await minter.retrieveBtcStatusV2ByAccount({ certified: false })
    return all.find(({ id }) => id === block_index)?.status
  }
  const is = async (name: string): Promise<boolean> => Object.hasOwn((await status()) ?? {}, name)
  while (!(await is('Submitted')));
  while (!(await is('Confirmed')))
    await subnet().control.ask('mine', { count: 1, to: undefined, empty: false })
  const old = await minter.retrieveBtcStatus({ transactionId: block_index, certified: true })
  expect(Object.keys(old)).toEqual(['Confirmed'])
})
