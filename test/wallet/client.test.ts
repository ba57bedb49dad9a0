/**
 * Goal: the wallet's client does everything that ledger and minter offer, verified on the way.
 * Method: a network in memory with the real canisters and the real IC interface.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import type { Block } from '../../src/core/ledger/blocks/block.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const [dev0, dev1] = [devUser(0), devUser(1)]
const account = { owner: dev0.principal }
const DEPOSIT = 50_000_000n

describe('a life of an account', () => {
  const net = new NetworkUnderTest()
  const { network, fetch } = net
  const client = new Client({ network, fetch, signer: dev0 })
  const reader = new Client({ network, fetch })
  let burn: bigint

  beforeAll(async () => {
    const { address } = await depositAddress(reader, account)
    net.pay(address, DEPOSIT)
    net.mine(6)
  })

  test('begins with a deposit that the minter credits by itself', async () => {
    expect(await reader.ledger.balanceOf(account)).toBe(DEPOSIT - 100n)
    expect(await reader.ledger.balanceOf(account, { certified: true })).toBe(DEPOSIT - 100n)
    expect(await reader.ledger.totalSupply({ certified: true })).toBe(DEPOSIT - 100n)
    expect(await client.minter.updateBalance(account)).toMatchObject({
      type: 'err',
      error: { type: 'noNewUtxos', requiredConfirmations: 6 },
    })
    expect(await reader.minter.knownUtxos(account)).toMatchObject([{ value: DEPOSIT }])
  })

  test('knows what things are called and cost', async () => {
    expect(await reader.ledger.token()).toEqual({
      name: 'ckBTC',
      symbol: 'ckBTC',
      decimals: 8,
      fee: 10n,
    })
    expect(await reader.ledger.fee()).toBe(10n)
    expect(await reader.ledger.mintingAccount()).toEqual({ owner: network.ids.minter })
    expect(await reader.minter.info()).toMatchObject({ minConfirmations: 6, checkFee: 100n })
    expect(await reader.minter.depositFee()).toBe(100n)
    expect((await reader.minter.estimateFee(100_000n)).bitcoinFee).toBeGreaterThan(0n)
  })

  test('moves value: the block, or the ledger’s word against it', async () => {
    const to = { owner: dev1.principal, subaccount: new Uint8Array(32).fill(7) }
    const transfer = { to, amount: 1_000n, memo: Uint8Array.of(1), createdAtTime: client.now() }
    expect(await client.ledger.transfer(transfer)).toEqual({ type: 'ok', blockIndex: 1n })
    expect(await client.ledger.transfer(transfer)).toEqual({
      type: 'err',
      error: { type: 'duplicate', duplicateOf: 1n },
    })
    expect(await reader.ledger.balanceOf(to)).toBe(1_000n)
    expect(await client.ledger.transfer({ to, amount: DEPOSIT })).toEqual({
      type: 'err',
      error: { type: 'insufficientFunds', balance: DEPOSIT - 1_110n },
    })
    expect(await client.ledger.transfer({ to, amount: 1n, fee: 11n })).toEqual({
      type: 'err',
      error: { type: 'badFee', expectedFee: 10n },
    })
  })

  test('approves and redeems, up to the confirmation', async () => {
    const spender = { owner: network.ids.minter }
    const amount = 20_000_000n
    expect(await client.ledger.approve({ spender, amount, expectedAllowance: 0n })).toMatchObject({
      type: 'ok',
    })
    expect(await client.ledger.approve({ spender, amount, expectedAllowance: 1n })).toEqual({
      type: 'err',
      error: { type: 'allowanceChanged', currentAllowance: amount },
    })
    expect(await reader.ledger.allowance({ owner: account, spender })).toEqual({
      allowance: amount,
      expiresAt: undefined,
    })
    const { address } = regtestWallet('recipient')
    const burned = await client.minter.retrieve({ address, amount })
    if (burned.type === 'err') throw new Error(burned.error.type)
    burn = burned.value.blockIndex
    net.mine(1)
    expect(await reader.minter.redemptionStatus(burn)).toMatchObject({ type: 'submitted' })
    net.mine(6)
    net.mine(1)
    expect(await reader.minter.redemptionStatus(burn)).toMatchObject({ type: 'confirmed' })
    expect(await reader.minter.redemptions(account)).toMatchObject([{ blockIndex: burn }])
  })

  test('can be read back: every block and every event', async () => {
    const kinds = (blocks: readonly Block[]) => blocks.map((block) => block.transaction.type)
    const blocks = await reader.blocks.all()
    expect(kinds(blocks)).toEqual(['mint', 'transfer', 'approve', 'burn'])
    expect(kinds(await reader.blocks.range(1n, 3n))).toEqual(['transfer', 'approve'])
    expect(await reader.blocks.range(4n, 9n)).toEqual([])
    expect(await reader.blocks.length()).toBe(4n)
    const events = (await reader.events()).map(({ payload }) => payload.type)
    expect(events.slice(0, 1)).toEqual(['init'])
    expect(events).toContain('acceptedRetrieveBtcRequest')
  })

  test('has a certified last block', async () => {
    expect(present(await reader.ledger.tipCertificate(), 'a tip').hashTree.length).toBeGreaterThan(
      9,
    )
  })
})
