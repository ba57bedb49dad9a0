/**
 * Goal: the ledgers of a started subnet, that of ckBTC and one of another token, pass the whole ICRC-1
 * suite. Method: the groups of the reference suite (`test/icrc1`) through the agent over HTTP; a
 * deposit pays for them, and of the other token its minting account.
 */
import { CkBtcMinterCanister } from '@icp-sdk/canisters/ckbtc'
import type { Identity } from '@icp-sdk/core/agent'
import { HttpAgent } from '@icp-sdk/core/agent'
import { Principal } from '@icp-sdk/core/principal'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fromHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sdkIdentity } from '../../src/wallet/client/sdk-identity.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { LedgerUnderSuite } from '../icrc1/ledger.ts'
import { groupNames, runSuite } from '../icrc1/suite.ts'
import type { RunningSubnet } from '../support/e2e-subnet.ts'
import { startedSubnet } from '../support/e2e-subnet.ts'
import { tokenMinter, tokenOf } from '../support/token-files.ts'

const other = tokenOf({
  transfer_fee: '2000000000000',
  decimals: 18,
  token_width: 256,
  max_memo_length: 32,
})
const identity = sdkIdentity(devUser(0))
let running: RunningSubnet | undefined
const subnet = (): RunningSubnet => present(running, 'the subnet is started')

beforeAll(async () => {
  running = await startedSubnet({
    nodes: 1,
    isolation: 'inline',
    minConfirmations: 1,
    tokens: [other],
  })
  const { url, rootKey, ids } = subnet().status
  const agent = await HttpAgent.create({ host: url, identity, rootKey: fromHex(rootKey) })
  const minter = CkBtcMinterCanister.create({ agent, canisterId: Principal.fromText(ids.minter) })
  const to = await minter.getBtcAddress({})
  const deposit = { to, amountSat: 10_000_000, outputs: 1, mine: true }
  await subnet().control.ask('faucet', deposit)
})
afterAll(() => running?.stop())

const openLedger = (canisterId: string, identity: Identity) =>
  LedgerUnderSuite.open({
    url: subnet().status.url,
    canisterId: Principal.fromText(canisterId),
    identity,
    fetchRootKey: true,
    readsAreQueries: true, // One node answers them all.
  })

test('all 16 groups pass, and none is skipped', async () => {
  const ledger = await openLedger(subnet().status.ids.ledger, identity)
  const { reads, account } = await ledger.funded()
  while ((await reads.icrc1_balance_of(account)) === 0n);
  const verdicts = await runSuite(ledger)
  expect(verdicts).toEqual(groupNames.map((name) => ({ name, type: 'passed' })))
  expect(verdicts).toHaveLength(16)
})

test('so do those of a token with another fee, other decimals, width and memos', async () => {
  const [token] = subnet().status.tokens
  const ledger = await openLedger(present(token, 'the token').ledger, sdkIdentity(tokenMinter))
  const verdicts = await runSuite(ledger)
  expect(verdicts).toEqual(groupNames.map((name) => ({ name, type: 'passed' })))
})
