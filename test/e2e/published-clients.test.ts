/**
 * Goal: the published clients of ledger, index and minter, unmodified, find an answer behind every one of
 * their methods. Method: the methods are counted on the clients themselves, so that a version with
 * a new one fails until it has a row here; each is called on a started subnet, and so is every
 * refusal that the client has a class for and an honest caller can meet.
 */
import { IcrcIndexCanister, IcrcLedgerCanister } from '@dfinity/ledger-icrc'
import { BitcoinCanister, CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import { IcManagementCanister } from '@icp-sdk/canisters/ic-management'
import { HttpAgent } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import { Principal } from '@icp-sdk/core/principal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, fromHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { SUPPORTED_STANDARDS } from '../../src/core/ledger/interface/metadata.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { RunningSubnet } from '../support/e2e-subnet.ts'
import { startedSubnet } from '../support/e2e-subnet.ts'

type ErrorClass = new (...args: never[]) => Error
/** What the packages export without types that this compiler finds. */
const minterErrors: Readonly<
  Record<
    | 'MinterNoNewUtxosError'
    | 'MinterMalformedAddressError'
    | 'MinterAmountTooLowError'
    | 'MinterInsufficientFundsError'
    | 'MinterInsufficientAllowanceError',
    ErrorClass
  >
> = await import(['@icp-sdk/canisters', 'ckbtc'].join('/'))
const ledgerErrors: Readonly<
  Record<'IcrcTransferError' | 'UnsupportedCanisterCallError', ErrorClass>
> = await import(['@icp-sdk/canisters', 'ledger', 'icrc'].join('/'))

const MINUTE_MS = 60_000
const DEPOSIT_SAT = 10_000_000
/** A coin for each redemption, so that none waits for the change of another. */
const DEPOSITS = 8
const FEE = 10n
/** `dev<index>`. */
const user = (index: number) => ({
  secret: sha256(concat(utf8('ckbtc development key '), utf8(String(index)))),
  owner: Principal.fromUint8Array(devUser(index).principal),
})
const [us, them] = [user(0), user(1)]
const { address } = regtestWallet('recipient')

let running: RunningSubnet | undefined
const subnet = (): RunningSubnet => present(running, 'the subnet is started')

type Clients = { readonly ledger: IcrcLedgerCanister; readonly minter: CkBtcMinterCanister }
function agentOf({ secret }: { readonly secret: Uint8Array }): Promise<HttpAgent> {
  const { url, rootKey } = subnet().status
  const identity = Ed25519KeyIdentity.fromSecretKey(secret)
  return HttpAgent.create({ host: url, identity, rootKey: fromHex(rootKey) })
}
async function clientsOf(of: { readonly secret: Uint8Array }): Promise<Clients> {
  const { ids } = subnet().status
  const agent = await agentOf(of)
  return {
    ledger: IcrcLedgerCanister.create({ agent, canisterId: Principal.fromText(ids.ledger) }),
    minter: CkBtcMinterCanister.create({ agent, canisterId: Principal.fromText(ids.minter) }),
  }
}
let ours: Clients
let theirs: Clients

const account = (owner: Principal) => ({ owner, subaccount: [] as [] })
/** As a query, which one node signs, and as a call, which all certify: the answers are the same. */
async function both<T>(ask: (certified: boolean) => Promise<T>): Promise<T> {
  const certified = await ask(true)
  expect(await ask(false)).toEqual(certified)
  return certified
}
const approveMinter = ({ ledger }: Clients, amount: bigint) =>
  ledger.approve({ spender: account(Principal.fromText(subnet().status.ids.minter)), amount })

beforeAll(async () => {
  running = await startedSubnet()
  ours = await clientsOf(us)
  theirs = await clientsOf(them)
  const to = await ours.minter.getBtcAddress({ owner: us.owner })
  const coins = { amountSat: DEPOSIT_SAT, outputs: DEPOSITS, mine: true }
  await subnet().control.ask('faucet', { to, ...coins })
  await subnet().control.ask('mine', { count: 5, to: undefined, empty: false })
  while ((await ours.ledger.balance({ owner: us.owner, certified: false })) === 0n);
}, 2 * MINUTE_MS)
afterAll(() => running?.stop(), MINUTE_MS)

/** Methods of a client: its own, and those of the classes that it extends. */
function methodsOf(client: object): readonly string[] {
  const names = new Set(Object.getOwnPropertyNames(client))
  let at: object = Object.getPrototypeOf(client)
  while (at !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    at = Object.getPrototypeOf(at)
  }
  /** Parts of every client: how it is made, where it goes, and the bare services inside. */
  const common = ['constructor', 'canisterId', 'id', 'service', 'certifiedService', 'caller']
  return [...names].filter((name) => !common.includes(name)).sort()
}

type Page = { readonly blocks: readonly { readonly id: bigint }[]; readonly log_length: bigint }
type Rows = Readonly<Record<string, () => Promise<void>>>

const ledgerRows: Rows = {
  balance: async () => {
    const held = await both((certified) => ours.ledger.balance({ owner: us.owner, certified }))
    expect(held).toBeGreaterThan(0n)
    const subaccount = new Uint8Array(32).fill(9)
    expect(await ours.ledger.balance({ owner: us.owner, subaccount, certified: true })).toBe(0n)
  },
  metadata: async () => {
    const entries = await both((certified) => ours.ledger.metadata({ certified }))
    expect(entries).toContainEqual(['icrc1:symbol', { Text: 'ckBTC' }])
    expect(entries).toContainEqual(['icrc1:decimals', { Nat: 8n }])
    expect(entries).toContainEqual(['icrc103:public_allowances', { Text: 'true' }])
  },
  transactionFee: async () => {
    expect(await both((certified) => ours.ledger.transactionFee({ certified }))).toBe(FEE)
  },
  transfer: async () => {
    const before = await ours.ledger.balance({ owner: them.owner, certified: true })
    await ours.ledger.transfer({ to: account(them.owner), amount: 500n, memo: utf8('hi') })
    expect(await ours.ledger.balance({ owner: them.owner, certified: true })).toBe(before + 500n)
    for (const [change, reason] of [
      [{ amount: 10n ** 15n }, 'InsufficientFunds'],
      [{ fee: 11n }, 'BadFee'],
      [{ created_at_time: 1n }, 'TooOld'],
      [{ created_at_time: 2n ** 63n }, 'CreatedInFuture'],
    ] as const) {
      const wrong = ours.ledger.transfer({ to: account(them.owner), amount: 1n, ...change })
      await expect(wrong).rejects.toBeInstanceOf(ledgerErrors.IcrcTransferError)
      await expect(wrong).rejects.toMatchObject({
        errorType: expect.toSatisfy((error) => reason in error),
      })
    }
  },
  totalTokensSupply: async () => {
    const supply = await both((certified) => ours.ledger.totalTokensSupply({ certified }))
    expect(supply).toBeGreaterThan(0n)
  },
  transferFrom: async () => {
    const spend = () =>
      theirs.ledger.transferFrom({
        from: account(us.owner),
        to: account(them.owner),
        amount: 300n,
      })
    await expect(spend()).rejects.toMatchObject({
      errorType: { InsufficientAllowance: { allowance: 0n } },
    })
    await ours.ledger.approve({ spender: account(them.owner), amount: 300n + FEE })
    expect(await spend()).toBeGreaterThan(0n)
  },
  approve: async () => {
    const approve = (change: object) =>
      ours.ledger.approve({ spender: account(them.owner), amount: 2_000n, ...change })
    expect(await approve({ expected_allowance: 0n })).toBeGreaterThan(0n)
    await expect(approve({ expected_allowance: 1n })).rejects.toMatchObject({
      errorType: { AllowanceChanged: { current_allowance: 2_000n } },
    })
    await expect(approve({ expires_at: 1n })).rejects.toMatchObject({
      errorType: { Expired: expect.anything() },
    })
  },
  allowance: async () => {
    const [of, spender] = [account(us.owner), account(them.owner)]
    const ask = () =>
      both((certified) => ours.ledger.allowance({ account: of, spender, certified }))
    const expires_at = 2n ** 62n
    await ours.ledger.approve({ spender, amount: 777n, expires_at })
    expect(await ask()).toEqual({ allowance: 777n, expires_at: [expires_at] })
    await ours.ledger.approve({ spender, amount: 0n })
    expect(await ask()).toEqual({ allowance: 0n, expires_at: [] })
  },
  consentMessage: async () => {
    const ask = (change: object) =>
      ours.ledger.consentMessage({
        method: 'icrc1_transfer',
        arg: encodeArgs(ledgerInterface.icrc1_transfer.args, [
          { to: { owner: devUser(1).principal }, amount: 1n },
        ]),
        userPreferences: { metadata: { language: 'fr', utcOffsetMinutes: -60 } },
        ...change,
      })
    const { consent_message: message, metadata } = await ask({})
    expect(metadata).toEqual({ language: 'en', utc_offset_minutes: [-60] })
    expect(message).toEqual({ GenericDisplayMessage: expect.stringMatching(/^# Send ckBTC\n/) })
    const shown = await ask({
      userPreferences: { metadata: { language: 'en' }, deriveSpec: { FieldsDisplay: null } },
    })
    expect(shown.consent_message).toMatchObject({
      FieldsDisplayMessage: {
        intent: 'Send ckBTC',
        fields: expect.arrayContaining([
          ['Amount', { TokenAmount: { amount: 1n, decimals: 8, symbol: 'ckBTC' } }],
          ['To', { Text: { content: them.owner.toText() } }],
        ]),
      },
    })
    for (const change of [{ method: 'icrc1_fee' }, { arg: utf8('DIDL') }])
      await expect(ask(change)).rejects.toBeInstanceOf(ledgerErrors.UnsupportedCanisterCallError)
  },
  getBlocks: async () => {
    const args = [{ start: 0n, length: 2n }]
    const page = await both<Page>((certified) => ours.ledger.getBlocks({ args, certified }))
    expect(page.blocks.map(({ id }) => id)).toEqual([0n, 1n])
    expect(page.log_length).toBeGreaterThan(2n)
  },
  getIndexPrincipal: async () => {
    const index = await both<Principal>((certified) => ours.ledger.getIndexPrincipal({ certified }))
    expect(index.toText()).toBe(subnet().status.ids.index)
  },
  icrc1SupportedStandards: async () => {
    const standards = await both((certified) => ours.ledger.icrc1SupportedStandards({ certified }))
    expect(standards).toEqual(SUPPORTED_STANDARDS)
  },
  icrc10SupportedStandards: async () => {
    const standards = await both((certified) => ours.ledger.icrc10SupportedStandards({ certified }))
    expect(standards).toEqual(SUPPORTED_STANDARDS)
  },
  getMintingAccount: async () => {
    const minting = await both((certified) => ours.ledger.getMintingAccount({ certified }))
    expect(minting).toEqual([account(Principal.fromText(subnet().status.ids.minter))])
  },
}

/** Redeems and waits until the minter has sent the transaction; its burn index. */
async function redeemed(): Promise<bigint> {
  const amount = 100_000n
  await approveMinter(ours, amount)
  const { block_index: burn } = await ours.minter.retrieveBtcWithApproval({ address, amount })
  const status = () => ours.minter.retrieveBtcStatus({ transactionId: burn, certified: false })
  while (!('Submitted' in (await status())));
  return burn
}

const minterRows: Rows = {
  getBtcAddress: async () => {
    const own = await ours.minter.getBtcAddress({ owner: us.owner })
    expect(own).toMatch(/^bcrt1q/)
    expect(await ours.minter.getBtcAddress({})).toBe(own)
    const subaccount = new Uint8Array(32).fill(7)
    expect(await ours.minter.getBtcAddress({ owner: us.owner, subaccount })).not.toBe(own)
  },
  updateBalance: async () => {
    const owner = them.owner
    const nothing = () => theirs.minter.updateBalance({ owner })
    await expect(nothing()).rejects.toMatchObject({ requiredConfirmations: 6, pendingUtxos: [] })
    await expect(nothing()).rejects.toBeInstanceOf(minterErrors.MinterNoNewUtxosError)
    const to = await theirs.minter.getBtcAddress({ owner })
    await subnet().control.ask('faucet', { amountSat: 70_000, to, outputs: 1, mine: true })
    const pending = async (): Promise<number> => {
      const refusal: { readonly pendingUtxos: readonly object[] } = await nothing().catch(
        (error: unknown) => error,
      )
      return refusal.pendingUtxos.length
    }
    while ((await pending()) === 0);
  },
  getWithdrawalAccount: async () => {
    const { owner, subaccount } = await ours.minter.getWithdrawalAccount()
    expect(owner.toText()).toBe(subnet().status.ids.minter)
    expect(subaccount).toHaveLength(1)
  },
  retrieveBtc: async () => {
    const amount = 60_000n
    const redeem = (change: object = {}) => ours.minter.retrieveBtc({ address, amount, ...change })
    await expect(redeem()).rejects.toBeInstanceOf(minterErrors.MinterInsufficientFundsError)
    await ours.ledger.transfer({ to: await ours.minter.getWithdrawalAccount(), amount })
    await expect(redeem({ amount: 1n })).rejects.toBeInstanceOf(
      minterErrors.MinterAmountTooLowError,
    )
    await expect(redeem({ address: 'nonsense' })).rejects.toBeInstanceOf(
      minterErrors.MinterMalformedAddressError,
    )
    expect((await redeem()).block_index).toBeGreaterThan(0n)
  },
  retrieveBtcWithApproval: async () => {
    const amount = 80_000n
    const redeem = (change: object = {}) =>
      ours.minter.retrieveBtcWithApproval({ address, amount, ...change })
    await expect(redeem()).rejects.toBeInstanceOf(minterErrors.MinterInsufficientAllowanceError)
    await approveMinter(ours, amount)
    expect((await redeem()).block_index).toBeGreaterThan(0n)
    await ours.ledger.transfer({ to: account(them.owner), amount: 1_000n })
    await approveMinter(theirs, amount)
    const unfunded = theirs.minter.retrieveBtcWithApproval({ address, amount })
    await expect(unfunded).rejects.toBeInstanceOf(minterErrors.MinterInsufficientFundsError)
  },
  retrieveBtcStatus: async () => {
    const status = (transactionId: bigint, certified: boolean) =>
      ours.minter.retrieveBtcStatus({ transactionId, certified })
    const burn = await redeemed()
    expect(await status(burn, true)).toEqual({ Submitted: { txid: expect.any(Uint8Array) } })
    expect(await both((certified) => status(2n ** 40n, certified))).toEqual({ Unknown: null })
  },
  retrieveBtcStatusV2ByAccount: async () => {
    const list = await ours.minter.retrieveBtcStatusV2ByAccount({ certified: true })
    expect(list.length).toBeGreaterThan(0)
    expect(list.every(({ status }: { readonly status?: object }) => status !== undefined)).toBe(
      true,
    )
    const none = await ours.minter.retrieveBtcStatusV2ByAccount({
      certified: true,
      account: { owner: them.owner },
    })
    expect(none).toEqual([])
  },
  estimateWithdrawalFee: async () => {
    const ask = (amount: bigint | undefined, certified: boolean) =>
      ours.minter.estimateWithdrawalFee({ amount, certified })
    const fee = await ask(100_000n, true)
    expect(fee.bitcoin_fee).toBeGreaterThan(0n)
    expect(fee.minter_fee).toBeGreaterThan(0n)
    expect((await ask(undefined, false)).bitcoin_fee).toBeGreaterThan(0n)
    await expect(ask(10n ** 15n, true)).rejects.toThrow(/ic0\.trap/)
  },
  getMinterInfo: async () => {
    const info = await both((certified) => ours.minter.getMinterInfo({ certified }))
    expect(info).toMatchObject({ min_confirmations: 6, retrieve_btc_min_amount: 50_000n })
  },
  getKnownUtxos: async () => {
    const known = await ours.minter.getKnownUtxos({ owner: them.owner, certified: true })
    expect(known).toEqual([])
    const own = await ours.minter.getKnownUtxos({ owner: us.owner, certified: false })
    expect(Array.isArray(own)).toBe(true)
  },
}

describe('IcrcLedgerCanister', () => {
  test('has a row for each of its methods', () => {
    expect(Object.keys(ledgerRows).sort()).toEqual(methodsOf(ours.ledger))
  })
  test.each(Object.entries(ledgerRows))('%s', (_, run) => run())
})

describe('IcrcIndexCanister', () => {
  let index: IcrcIndexCanister
  beforeAll(async () => {
    const canisterId = Principal.fromText(subnet().status.ids.index)
    index = IcrcIndexCanister.create({ agent: await agentOf(us), canisterId })
  })
  type History = { readonly transactions: readonly { readonly id: bigint }[] }
  type Status = { readonly num_blocks_synced: bigint }
  const rows: Rows = {
    balance: async () => {
      const held = await both((certified) => index.balance({ owner: us.owner, certified }))
      expect(held).toBe(await ours.ledger.balance({ owner: us.owner, certified: true }))
    },
    getTransactions: async () => {
      const of = { owner: them.owner, subaccount: new Uint8Array(32).fill(5) }
      const to = { owner: them.owner, subaccount: [of.subaccount] as [Uint8Array] }
      const sent: bigint[] = []
      for (const amount of [1n, 2n, 3n]) sent.unshift(await ours.ledger.transfer({ to, amount }))
      const page = (start?: bigint) =>
        both<History>((certified) =>
          index.getTransactions({
            account: of,
            max_results: 2n,
            ...(start === undefined ? {} : { start }),
            certified,
          }),
        )
      const idsOf = ({ transactions }: History) => transactions.map(({ id }) => id)
      const first = await page()
      expect(idsOf(first)).toEqual(sent.slice(0, 2))
      expect(first).toMatchObject({ balance: 6n, oldest_tx_id: [sent[2]] })
      expect(idsOf(await page(sent[1]))).toEqual(sent.slice(2))
    },
    ledgerId: async () => {
      const ledger = await both<Principal>((certified) => index.ledgerId({ certified }))
      expect(ledger.toText()).toBe(subnet().status.ids.ledger)
    },
    status: async () => {
      const { num_blocks_synced } = await both<Status>((certified) => index.status({ certified }))
      const args = [{ start: 0n, length: 0n }]
      const { log_length } = await ours.ledger.getBlocks({ args, certified: true })
      expect(num_blocks_synced).toBe(log_length)
    },
    listSubaccounts: async () => {
      const to = (byte: number) => ({
        owner: Principal.fromText('aaaaa-aa'),
        subaccount: [new Uint8Array(32).fill(byte)] as [Uint8Array],
      })
      for (const byte of [2, 1]) await ours.ledger.transfer({ to: to(byte), amount: 1n })
      const listed = (start?: Uint8Array) =>
        both((certified) =>
          index.listSubaccounts({
            owner: to(1).owner,
            ...(start === undefined ? {} : { start }),
            certified,
          }),
        )
      expect(await listed()).toEqual([to(1).subaccount[0], to(2).subaccount[0]])
      expect(await listed(to(1).subaccount[0])).toEqual(to(2).subaccount)
    },
  }
  test('has a row for each of its methods', () => {
    expect(Object.keys(rows).sort()).toEqual(methodsOf(index))
  })
  test.each(Object.entries(rows))('%s', (_, run) => run())
})

describe('CkBtcMinterCanister', () => {
  test('has a row for each of its methods', () => {
    expect(Object.keys(minterRows).sort()).toEqual(methodsOf(ours.minter))
  })
  test.each(Object.entries(minterRows))('%s', (_, run) => run())
})

test('IcManagementCanister is told that it is not the controller, and what this subnet is', async () => {
  const management = IcManagementCanister.create({ agent: await agentOf(us) })
  const canisterId = Principal.fromText(subnet().status.ids.ledger)
  for (const certified of [false, true])
    await expect(management.canisterStatus({ canisterId, certified })).rejects.toThrow(
      `Only controllers of canister ${canisterId} can call ic00 method canister_status`,
    )
  await expect(management.createCanister({})).rejects.toThrow('This subnet hosts ckBTC only.')
})

test('BitcoinCanister finds the balance of an address, and hears why it finds no outputs', async () => {
  const agent = await agentOf(us)
  const canisterId = Principal.fromText(subnet().status.ids.bitcoin)
  const bitcoin = BitcoinCanister.create({ agent, canisterId })
  const subaccount = new Uint8Array(32).fill(8) // An address that nobody else in this file pays.
  const to = await ours.minter.getBtcAddress({ owner: them.owner, subaccount })
  const asked = { network: 'regtest', address: to } as const
  const rows = {
    getBalanceQuery: async () => {
      await subnet().control.ask('faucet', { to, amountSat: 70_000, outputs: 1, mine: true })
      const balance = () => bitcoin.getBalanceQuery({ ...asked, minConfirmations: 1 })
      while ((await balance()) === 0n);
      expect(await balance()).toBe(70_000n)
      await expect(bitcoin.getBalanceQuery({ ...asked, minConfirmations: 1_000 })).rejects.toThrow(
        'get_balance_query failed: MinConfirmationsTooLarge { given: 1000, max: ',
      )
    },
    getUtxosQuery: async () => {
      // This client says mainnet for every network that is not testnet.
      const wrong = bitcoin.getUtxosQuery(asked)
      await expect(wrong).rejects.toThrow('Network must be regtest. Found mainnet')
    },
  }
  expect(Object.keys(rows).sort()).toEqual(methodsOf(bitcoin))
  await rows.getBalanceQuery()
  await rows.getUtxosQuery()
})
