/**
 * Goal: a subnet that holds coins deals its keys anew, and nobody outside can tell: the address that
 * was paid is still its own, and what is redeemed afterwards is signed with shares that did not exist
 * when it was paid. Certificates, queries and the log go on.
 * Method: threshold specification §§11.2, 16.2, 17.1. Whole nodes over a real regtest chain.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { parseBtc } from '../../../src/core/base/units.ts'
import { txid } from '../../../src/core/btc/transaction.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodePublicKey } from '../../../src/core/ic/public-key.ts'
import {
  encodeOperatorRefresh,
  operatorRefreshContent,
} from '../../../src/core/subnet/operator-requests.ts'
import type { Canisters } from '../../../src/wallet/canisters.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const payer = regtestWallet('payer')
const recipient = regtestWallet('recipient')
const [dev0, operator] = [devUser(0), devUser(4)]
const account = { owner: dev0.principal }
const DAY_MS = 24 * 60 * 60 * 1_000

const epochs = (net: SubnetNet) => [...net.nodes.values()].map(({ node }) => node.signer.epoch)

/** The operator orders new shares for the same nodes. */
function refresh(net: SubnetNet): void {
  const version = present(epochs(net)[0], 'a node is up').version + 1n
  const order = { version, change: undefined }
  const request = encodeOperatorRefresh({
    refresh: order,
    publicKey: decodePublicKey(operator.publicKeyDer).key,
    signature: operator.sign(operatorRefreshContent(net.genesis, order)),
  })
  net.tell(0, { type: 'operator', request })
}

describe('a subnet that holds coins', () => {
  const net = new SubnetNet(4)
  let canisters: Canisters
  let address: string

  beforeAll(async () => {
    net.settle()
    net.mine(101, payer.script)
    net.pass(1)
    const rootKey = present(net.backend.rootKey, 'a root is certified')
    const { ledger: ledgerId, minter: minterId } = ownCanisterIds
    const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
    const deployment = { url: 'http://127.0.0.1', rootKey, ledgerId, minterId, masterPublicKey }
    canisters = canistersAt(deployment, { signer: dev0, fetch: net.fetch })
    ;({ address } = await canisters.depositAddress(account))
    const coinbase = present(net.bitcoin.blockAt(1)?.transactions[0], 'a coinbase')
    const value = present(coinbase.outputs[0], 'it pays').value
    const utxos = [{ outpoint: { txid: txid(coinbase), vout: 0 }, value }]
    const payment = payer.pay({
      utxos,
      to: address,
      amount: parseBtc('0.5'),
      feeRateSatPerVb: 5n,
    })
    if (payment.type !== 'signed') throw new Error(payment.type)
    expect(net.bitcoin.submit(payment.bytes, net.nowSeconds).type).toBe('accepted')
    net.mine(6, payer.script)
  })

  it('deals its keys anew when its operator says so, and in one slot for all', () => {
    refresh(net)
    const done = { version: 2n, stage: 'none', members: [0, 1, 2, 3] }
    expect(epochs(net)).toEqual([done, done, done, done])
    expect(net.faults).toEqual([])
  })

  it('has the same address for the same account, under the same root key', async () => {
    expect((await canisters.depositAddress(account)).address).toBe(address)
  })

  it('redeems coins that were paid to it before', async () => {
    const burn = await canisters.redeem({
      address: recipient.address,
      amount: parseBtc('0.2'),
      now: net.now,
    })
    net.pass(11_000)
    net.mine(6, payer.script)
    expect((await canisters.redemptionStatus(burn)).type).toBe('confirmed')
    expect(net.faults).toEqual([])
  })

  it('does so with a node that was off during the refresh and starts again', async () => {
    net.stop(3)
    refresh(net)
    expect(epochs(net).map(({ version }) => version)).toEqual([3n, 3n, 3n])
    net.start(3)
    net.settle()
    net.pass(3_000)
    expect(net.node(3).signer.epoch).toMatchObject({ version: 3n, stage: 'none' })
    net.stop(0)
    const burn = await canisters.redeem({
      address: recipient.address,
      amount: parseBtc('0.1'),
      now: net.now,
    })
    net.pass(11_000)
    net.mine(6, payer.script)
    expect((await canisters.redemptionStatus(burn)).type).toBe('confirmed')
    expect(net.faults).toEqual([])
  })
})

describe('a subnet whose nodes refresh by themselves', () => {
  it('does so a day after its keys were made, and a day later again', () => {
    const net = new SubnetNet(4, { refreshIntervalMs: DAY_MS })
    net.settle()
    net.pass(DAY_MS - 1_000)
    expect(epochs(net).map(({ version }) => version)).toEqual([1n, 1n, 1n, 1n])
    net.pass(60_000)
    expect(epochs(net).map(({ version }) => version)).toEqual([2n, 2n, 2n, 2n])
    net.pass(DAY_MS + 60_000)
    expect(epochs(net).map(({ version }) => version)).toEqual([3n, 3n, 3n, 3n])
    expect(net.faults).toEqual([])
  })
})
