/**
 * Goal: every error that the published interface of the minter has is met through the agent, in the
 * words of the unmodified client. Method: minter §2 (types), §§5, 7; a network in memory with the
 * real canisters, whose settings and checker are changed between calls.
 */

import { IcrcLedgerCanister } from '@dfinity/ledger-icrc'
import { CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import { HttpAgent } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import { Principal } from '@icp-sdk/core/principal'
import { beforeAll, describe, expect, it } from 'vitest'
import { concat, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { Mode } from '../../../src/core/minter/types.ts'
import type { CheckMode } from '../../../src/core/subnet/checker-interface.ts'
import { checkModes } from '../../../src/host/daemon/checker-mode.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

/** What the package exports without types that this compiler finds. */
const exported: Readonly<Record<string, unknown>> = await import(
  ['@icp-sdk/canisters', 'ckbtc'].join('/')
)
const { address } = regtestWallet('recipient')
const net = new NetworkUnderTest()
const REDEEMED = 1_000_000n

async function clientsOf(index: number) {
  const secret = sha256(concat(utf8('ckbtc development key '), utf8(String(index))))
  const { network } = net
  const agent = await HttpAgent.create({
    host: network.url,
    identity: Ed25519KeyIdentity.fromSecretKey(secret),
    rootKey: present(network.rootKey, 'a local network has one'),
    fetch: net.fetch,
  })
  const idOf = (id: Uint8Array) => Principal.fromUint8Array(id)
  return {
    owner: idOf(devUser(index).principal),
    minter: CkBtcMinterCanister.create({ agent, canisterId: idOf(network.ids.minter) }),
    ledger: IcrcLedgerCanister.create({ agent, canisterId: idOf(network.ids.ledger) }),
  }
}

type Clients = Awaited<ReturnType<typeof clientsOf>>
let rich: Clients
let other: Clients

/** The class that the client throws, as it exports it; its own names are cut short. */
const errorOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'served',
    (error: unknown) => {
      const isIts = ([, value]: readonly [string, unknown]) =>
        error instanceof Error && value === error.constructor
      return Object.entries(exported).find(isIts)?.[0] ?? String(error)
    },
  )

const update = ({ minter, owner }: Clients) => minter.updateBalance({ owner })
const retrieve = ({ minter }: Clients, amount = REDEEMED, to = address) =>
  minter.retrieveBtc({ address: to, amount })
const approved = ({ minter }: Clients, amount = REDEEMED, to = address) =>
  minter.retrieveBtcWithApproval({ address: to, amount })
const approve = ({ ledger }: Clients, amount: bigint) => {
  const owner = Principal.fromUint8Array(net.network.ids.minter)
  return ledger.approve({ spender: { owner, subaccount: [] }, amount })
}

const setMode = (mode: Mode): void => net.changeMinter({ config: { mode } })
const setChecker = (mode: CheckMode): void => {
  Object.assign(net.replica.state.checker, { mode, checksLeft: 1 })
}

beforeAll(async () => {
  rich = await clientsOf(0)
  other = await clientsOf(1)
  net.pay(await rich.minter.getBtcAddress({ owner: rich.owner }), 100_000_000n)
  net.mine(6)
  net.changeMinter({ settings: { autoMint: false } })
})

describe('update_balance through the agent', () => {
  it('NoNewUtxos', async () => {
    expect(await errorOf(update(rich))).toBe('MinterNoNewUtxosError')
  })

  it('TemporarilyUnavailable', async () => {
    setMode({ type: 'readOnly' })
    expect(await errorOf(update(rich))).toBe('MinterTemporaryUnavailableError')
    setMode({ type: 'generalAvailability' })
  })

  it('GenericError', async () => {
    net.pay(await rich.minter.getBtcAddress({ owner: rich.owner }), 5_000_000n)
    net.mine(6)
    setChecker(checkModes['invalid-transaction'])
    expect(await errorOf(update(rich))).toBe('MinterGenericError')
    expect(await update(rich)).toMatchObject([{ Minted: { minted_amount: 4_999_900n } }])
  })
})

describe.each([
  ['retrieve_btc', retrieve],
  ['retrieve_btc_with_approval', approved],
] as const)('%s through the agent', (method, ask) => {
  it('MalformedAddress, AmountTooLow and InsufficientFunds', async () => {
    await approve(other, 10n * REDEEMED).catch(() => undefined) // It may lack the fee.
    expect(await errorOf(ask(rich, REDEEMED, 'nowhere'))).toBe('MinterMalformedAddressError')
    expect(await errorOf(ask(rich, 1n))).toBe('MinterAmountTooLowError')
    if (method === 'retrieve_btc')
      expect(await errorOf(ask(rich))).toBe('MinterInsufficientFundsError')
  })

  it('TemporarilyUnavailable', async () => {
    setMode({ type: 'restrictedTo', principals: [] })
    expect(await errorOf(ask(rich))).toBe('MinterTemporaryUnavailableError')
    setMode({ type: 'generalAvailability' })
  })

  it('GenericError', async () => {
    if (method === 'retrieve_btc') {
      const to = await rich.minter.getWithdrawalAccount()
      const subaccount = to.subaccount[0] ?? []
      await rich.ledger.transfer({
        to: { owner: to.owner, subaccount: [Uint8Array.from(subaccount)] },
        amount: REDEEMED,
      })
    }
    setChecker({ type: 'rejectAll' })
    expect(await errorOf(ask(rich))).toBe('MinterGenericError')
    if (method === 'retrieve_btc') expect(await errorOf(ask(rich))).toBe('served')
  })
})

describe('retrieve_btc_with_approval through the agent', () => {
  it('InsufficientAllowance, and InsufficientFunds behind an approval', async () => {
    expect(await errorOf(approved(rich))).toBe('MinterInsufficientAllowanceError')
    await rich.ledger.transfer({ to: { owner: other.owner, subaccount: [] }, amount: 1_000n })
    await approve(other, REDEEMED)
    expect(await errorOf(approved(other))).toBe('MinterInsufficientFundsError')
  })
})

it('AlreadyProcessing, of deposits and withdrawals that one slot orders', async () => {
  await approve(rich, 3n * REDEEMED)
  net.held = []
  const asked = [update, update, approved, approved].map((ask) => errorOf(ask(rich)))
  while (net.held.length < asked.length) await new Promise((resolve) => setImmediate(resolve))
  net.release()
  const answers = await Promise.all(asked)
  expect(answers.filter((name) => name === 'MinterAlreadyProcessingError').length).toBe(2)
  expect(answers.slice(0, 2).sort()).toEqual([
    'MinterAlreadyProcessingError',
    'MinterNoNewUtxosError',
  ])
  expect(answers.slice(2).sort()).toEqual(['MinterAlreadyProcessingError', 'served'])
}, 30_000)
