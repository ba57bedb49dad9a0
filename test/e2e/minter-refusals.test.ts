/**
 * Goal: every answer of the minter but a few is met by a caller from outside: each error of the three
 * calls, each state of a deposit and of a redemption, each trap (minter §§2, 2.1).
 * Method: the published client's own service, unmodified, against a started subnet of one node, whose
 * blocks come when this test says so, whose minter is set to other limits while it runs, and whose
 * checker answers what it is told. The tables name every variant, so that a new one does not compile;
 * what nobody outside can bring about is listed with its reason.
 */
import { IcrcLedgerCanister } from '@dfinity/ledger-icrc'
import { CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import { AnonymousIdentity, HttpAgent, type Identity } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import { Principal } from '@icp-sdk/core/principal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, fromHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type {
  RetrieveBtcError,
  RetrieveBtcStatusV2,
  RetrieveBtcWithApprovalError,
  UpdateBalanceError,
  UtxoStatus,
} from '../../src/core/minter/types.ts'
import type { CheckerModeName } from '../../src/host/control/checker-modes.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import type { RunningSubnet } from '../support/e2e-subnet.ts'
import { startedSubnet } from '../support/e2e-subnet.ts'

const SECOND_NS = 1_000_000_000n
const identityOf = (index: number): Identity =>
  Ed25519KeyIdentity.fromSecretKey(
    sha256(concat(utf8('ckbtc development key '), utf8(String(index)))),
  )
const [us, them] = [identityOf(0), identityOf(1)]
const { address } = regtestWallet('recipient')

let running: RunningSubnet | undefined
const subnet = (): RunningSubnet => present(running, 'the subnet is started')

/** What the client is made of, before it turns answers into values and errors into classes. */
type Service = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>
type Clients = {
  readonly ledger: IcrcLedgerCanister
  /** Every method as a call. */
  readonly raw: Service
  /** Queries as queries. */
  readonly queries: Service
}

async function clientsOf(identity: Identity): Promise<Clients> {
  const { url, rootKey, ids } = subnet().status
  const agent = await HttpAgent.create({ host: url, identity, rootKey: fromHex(rootKey) })
  const minter = CkBtcMinterCanister.create({ agent, canisterId: Principal.fromText(ids.minter) })
  const part = (name: string): Service => Reflect.get(minter, name) as Service
  return {
    ledger: IcrcLedgerCanister.create({ agent, canisterId: Principal.fromText(ids.ledger) }),
    raw: part('certifiedService'),
    queries: part('service'),
  }
}
let ours: Clients
let theirs: Clients
let nobody: Clients

const call = ({ raw }: Clients, method: string, ...args: readonly unknown[]): Promise<unknown> =>
  present(raw[method], method)(...args)

const mine = (count: number) => subnet().control.ask('mine', { count, to: undefined, empty: false })
const set = (name: string, value: bigint | string) =>
  subnet().control.ask('minter-settings', { set: [{ name: `minter.${name}`, value: `${value}` }] })
const checker = (mode: CheckerModeName) =>
  subnet().control.ask('checker-mode', { mode, times: undefined })

const none = [] as const
const updateBalance = (clients = ours) =>
  call(clients, 'update_balance', { owner: none, subaccount: none })
const withApproval = (change: object = {}, clients = ours) =>
  call(clients, 'retrieve_btc_with_approval', {
    address,
    amount: 60_000n,
    from_subaccount: none,
    ...change,
  })
const retrieve = (change: object = {}) =>
  call(ours, 'retrieve_btc', { address, amount: 60_000n, ...change })

async function pay(amountSat: number, identity = us): Promise<string> {
  const account = { owner: [identity.getPrincipal()], subaccount: none }
  const to = String(await call(ours, 'get_btc_address', account))
  const { txid } = await subnet().control.ask('faucet', { to, amountSat, outputs: 1, mine: true })
  return txid
}
const approve = (amount: bigint) =>
  ours.ledger.approve({
    spender: { owner: Principal.fromText(subnet().status.ids.minter), subaccount: [] },
    amount,
  })

/** Names of variants, the outer one first: `Err NoNewUtxos`. */
function variantOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ''
  const [[name, inner] = ['', null], ...others] = Object.entries(value)
  if (others.length > 0 || !/^[A-Z]/.test(name)) return ''
  return `${name} ${variantOf(inner)}`.trim()
}
const answered = async (asking: Promise<unknown>): Promise<string> => variantOf(await asking)

/** Asks twice at once until both were ordered together: the second finds the first inside. */
async function together(ask: () => Promise<unknown>, wanted: string): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => answered(ask())))
    const found = answers.find((answer) => answer === wanted)
    if (found !== undefined) return found
  }
  return 'never together'
}

/** Capital first, as the interface has it. */
const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)

type Rows<Names extends string> = Readonly<Record<Names, (() => Promise<unknown>) | string>>

/** Each row is asked and answers its own name; a reason stands where nobody can ask. */
function expectEach<Names extends string>(
  rows: Rows<Names>,
  expected: (name: string) => string = capital,
): void {
  for (const [name, ask] of Object.entries<(() => Promise<unknown>) | string>(rows))
    if (typeof ask === 'string') test.skip(`${name}: ${ask}`, () => undefined)
    else test(name, async () => expect(await answered(ask())).toBe(expected(name)))
}
const refusedWith = (name: string): string => `Err ${capital(name)}`

beforeAll(async () => {
  running = await startedSubnet({
    nodes: 1,
    isolation: 'inline',
    minConfirmations: 1,
    autoMint: false,
    set: new Map<string, bigint | string>([
      ['minter.max-time-in-queue', 3_600n * SECOND_NS],
      ['minter.process-period', SECOND_NS],
      ['minter.resubmission-delay', 3_600n * SECOND_NS],
    ]),
  })
  ours = await clientsOf(us)
  theirs = await clientsOf(them)
  nobody = await clientsOf(new AnonymousIdentity())
})
afterAll(() => running?.stop())

/** Once the minter sees a coin that it has to decide on. */
async function decided(clients = ours): Promise<unknown> {
  for (let look = 0; look < 100; look++) {
    const answer = await updateBalance(clients)
    if (variantOf(answer) !== 'Err NoNewUtxos') return answer
  }
  throw new RangeError('no coin came')
}

/** A deposit that the checker is asked about, in a mood of its own. */
async function checkedIn(mode: CheckerModeName): Promise<unknown> {
  await checker(mode)
  await pay(10_000, them)
  try {
    return await decided(theirs)
  } finally {
    await checker('normal')
  }
}

describe('an error of update_balance', () => {
  expectEach<UpdateBalanceError['type']>(
    {
      noNewUtxos: () => updateBalance(),
      alreadyProcessing: async () => ({
        Err: {
          [await together(() => updateBalance(), 'Err AlreadyProcessing').then((found) =>
            found.replace('Err ', ''),
          )]: null,
        },
      }),
      temporarilyUnavailable: () => checkedIn('pending'),
      genericError: () => checkedIn('invalid-transaction'),
    },
    refusedWith,
  )

  test.each(['unavailable', 'high-load', 'transient-error'] as const)(
    'TemporarilyUnavailable while the checker is %s',
    async (mode) => {
      expect(await answered(checkedIn(mode))).toBe('Err TemporarilyUnavailable')
    },
  )

  test('GenericError of code 2 after ten checks without enough cycles', async () => {
    expect(await checkedIn('not-enough-cycles')).toMatchObject({
      Err: { GenericError: { error_code: 2n } },
    })
  })

  test('TemporarilyUnavailable in a mode that keeps the caller out', async () => {
    for (const mode of ['read-only', 'deposits-restricted-to:aaaaa-aa', 'restricted-to:aaaaa-aa']) {
      await set('mode', mode)
      expect(await answered(updateBalance()), mode).toBe('Err TemporarilyUnavailable')
    }
    await set('mode', `deposits-restricted-to:${us.getPrincipal().toText()}`)
    expect(await answered(updateBalance())).toBe('Err NoNewUtxos')
    await set('mode', 'general-availability')
  })
})

describe('a coin', () => {
  const statusOf = async (): Promise<unknown> => {
    const answer = await decided()
    const [first]: readonly unknown[] = Object(answer).Ok ?? []
    return first
  }
  expectEach<UtxoStatus['type']>({
    valueTooSmall: async () => {
      await pay(299)
      return { ValueTooSmall: Object(await statusOf()).ValueTooSmall ?? 'another' }
    },
    tainted: async () => {
      await checker('reject-all')
      await pay(20_000)
      const status = await statusOf()
      await checker('normal')
      return status
    },
    checked: 'the ledger of the subnet refuses no mint, and is never away',
    minted: async () => {
      await pay(5_000_000)
      return statusOf()
    },
  })

  test('that was set aside, or waits, is named by the next answer', async () => {
    expect(await updateBalance()).toMatchObject({
      Err: {
        NoNewUtxos: { suspended_utxos: [[{ reason: expect.anything() }, expect.anything()]] },
      },
    })
  })
})

describe('an error of retrieve_btc', () => {
  const errors = {
    malformedAddress: () => retrieve({ address: 'nonsense' }),
    alreadyProcessing: async () => {
      const [account] = [await call(ours, 'get_withdrawal_account')]
      await ours.ledger.transfer({ to: account as never, amount: 2_000_000n })
      const found = await together(() => retrieve({ amount: 50_001n }), 'Err AlreadyProcessing')
      return { Err: { [found.replace('Err ', '')]: null } }
    },
    amountTooLow: () => retrieve({ amount: 49_999n }),
    insufficientFunds: () => retrieve({ amount: 4_000_000n }),
    temporarilyUnavailable: async () => {
      await checker('unavailable')
      const answer = await retrieve()
      await checker('normal')
      return answer
    },
    genericError: async () => {
      await subnet().control.ask('flag', { target: address, flagged: true })
      const answer = await retrieve()
      await subnet().control.ask('flag', { target: address, flagged: false })
      return answer
    },
  }
  expectEach<RetrieveBtcError['type']>(errors, refusedWith)

  test('TemporarilyUnavailable in read-only mode, and for more than the minter has', async () => {
    await set('mode', 'read-only')
    expect(await answered(retrieve())).toBe('Err TemporarilyUnavailable')
    await set('mode', 'general-availability')
    expect(await answered(retrieve({ amount: 10n ** 10n }))).toBe('Err TemporarilyUnavailable')
  })
})

describe('an error of retrieve_btc_with_approval', () => {
  expectEach<RetrieveBtcWithApprovalError['type']>(
    {
      malformedAddress: () =>
        withApproval({ address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' }),
      alreadyProcessing: async () => {
        await approve(1_000_000n)
        const found = await together(() => withApproval(), 'Err AlreadyProcessing')
        await approve(0n)
        return { Err: { [found.replace('Err ', '')]: null } }
      },
      amountTooLow: () => withApproval({ amount: 0n }),
      insufficientAllowance: () => withApproval(),
      insufficientFunds: async () => {
        await theirs.ledger
          .approve({
            spender: { owner: Principal.fromText(subnet().status.ids.minter), subaccount: [] },
            amount: 60_000n,
          })
          .catch(() => undefined)
        await ours.ledger.transfer({
          to: { owner: them.getPrincipal(), subaccount: [] },
          amount: 1_000n,
        })
        await theirs.ledger.approve({
          spender: { owner: Principal.fromText(subnet().status.ids.minter), subaccount: [] },
          amount: 60_000n,
        })
        return withApproval({}, theirs)
      },
      temporarilyUnavailable: async () => {
        await set('max-concurrent-pending-requests', 1n)
        const answer = await withApproval()
        await set('max-concurrent-pending-requests', 5_000n)
        return answer
      },
      genericError: async () => {
        await checker('unavailable')
        const answer = await withApproval()
        await checker('normal')
        return answer
      },
    },
    refusedWith,
  )
})

describe('a redemption', () => {
  let burn = 0n
  const query = (method: string, args: object): Promise<unknown> =>
    present(ours.queries[method], method)(args)
  const v1 = (index = burn) => query('retrieve_btc_status', { block_index: index })
  const v2 = (index = burn) => query('retrieve_btc_status_v2', { block_index: index })
  async function until(ask: () => Promise<unknown>, wanted: string): Promise<unknown> {
    for (let look = 0; look < 1_000; look++) {
      const answer = await ask()
      if (variantOf(answer).startsWith(wanted)) return answer
    }
    throw new RangeError(`never ${wanted}`)
  }
  async function redeem(amount: bigint): Promise<void> {
    await approve(amount)
    const answer = await withApproval({ amount })
    expect(variantOf(answer)).toBe('Ok')
    burn = Object(answer).Ok.block_index
  }

  const states: Rows<RetrieveBtcStatusV2['type']> = {
    unknown: () => v2(2n ** 40n),
    pending: async () => {
      await redeem(100_000n)
      expect(await answered(v1())).toBe('Pending')
      return v2()
    },
    signing: async () => {
      // A queue of an hour ends; the minter asks for signatures in the same slot.
      const [signing] = await Promise.all([until(v1, 'Signing'), set('max-time-in-queue', 0n)])
      expect(signing).toEqual({ Signing: null })
      return { Signing: null }
    },
    sending: 'in the slot that completes a transaction it is handed over, and is Submitted',
    submitted: async () => {
      const answer = await until(v2, 'Submitted')
      expect(await answered(v1())).toBe('Submitted')
      return answer
    },
    confirmed: async () => {
      await mine(1)
      const answer = await until(v2, 'Confirmed')
      expect(await answered(v1())).toBe('Confirmed')
      return answer
    },
    amountTooLow: 'ours holds and returns what the deployed minter ends so (minter §15)',
    willReimburse: async () => {
      await pay(6_000_000)
      await pay(6_000_000)
      const held = () => ours.ledger.balance({ owner: us.getPrincipal(), certified: false })
      while ((await held()) < 12_000_000n) await updateBalance()
      await set('resubmission-delay', SECOND_NS)
      await redeem(9_000_000n) // More than any coin: two inputs.
      await until(v2, 'Submitted')
      await set('max-num-inputs-in-transaction', 1n)
      return until(v2, 'WillReimburse')
    },
    reimbursed: async () => {
      await mine(1)
      return until(v2, 'Reimbursed')
    },
  }
  expectEach(states)
})

describe('a trap', () => {
  const minter = () => Principal.fromText(subnet().status.ids.minter)
  test.each<readonly [string, () => Promise<unknown>]>([
    [
      'get_btc_address of nobody',
      () => call(nobody, 'get_btc_address', { owner: none, subaccount: none }),
    ],
    [
      'get_btc_address of an account of the minter',
      () =>
        call(ours, 'get_btc_address', {
          owner: [minter()],
          subaccount: [new Uint8Array(32).fill(1)],
        }),
    ],
    ['update_balance by nobody', () => updateBalance(nobody)],
    [
      'update_balance of nobody',
      () => call(ours, 'update_balance', { owner: [Principal.anonymous()], subaccount: none }),
    ],
    [
      'update_balance of the minter',
      () => call(ours, 'update_balance', { owner: [minter()], subaccount: none }),
    ],
    [
      'update_balance of a subaccount of 31 bytes',
      () => call(ours, 'update_balance', { owner: none, subaccount: [new Uint8Array(31)] }),
    ],
    ['get_withdrawal_account of nobody', () => call(nobody, 'get_withdrawal_account')],
    ['retrieve_btc by nobody', () => call(nobody, 'retrieve_btc', { address, amount: 60_000n })],
    ['retrieve_btc_with_approval by nobody', () => withApproval({}, nobody)],
    [
      'a destination that is the minter’s own',
      async () => {
        const own = String(
          await call(ours, 'get_btc_address', { owner: [minter()], subaccount: none }),
        )
        return withApproval({ address: own.toUpperCase() })
      },
    ],
    [
      'an estimate of more than there is',
      () => call(ours, 'estimate_withdrawal_fee', { amount: [2n ** 64n - 1n] }),
    ],
    ['an estimate of nothing', () => call(ours, 'estimate_withdrawal_fee', { amount: [0n] })],
  ])('%s', async (_, ask) => {
    await expect(ask()).rejects.toThrow(/trap|not allowed|rejected|Reject/i)
  })
})
